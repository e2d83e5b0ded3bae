"""Code that does something else than a reader sees: what is read is what the code does when it runs.

Each snippet says what it is worth: an expression, or nothing at all, and then it must be refused.
"""

import contextlib
import ctypes
import functools
import io
import itertools
import random
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils import _python_dispatch as python_dispatch
from torch.utils import dlpack

from equiv.lifting.reading import Given, Reading, read
from equiv.lifting.refusal import Unsupported
from equiv.symbolic.expression import postorder

SHAPE = (2, 3, 5, 7)
T = torch.Tensor
Code = Callable[[T, T], T]


def reading(code: Code) -> Reading:
    z = torch.randn(SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(9))
    s = torch.tensor([0.75, 0.5, 0.25, 0.25], dtype=torch.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return read(code, {"z": Given(z), "s": Given(s, "schedule")})


def unwatched_array(z: T) -> Any:
    with torch._C.DisableTorchFunction():
        return z.numpy()


def in_thread(work: Callable[[], T]) -> T:
    done: list[T] = []
    thread = threading.Thread(target=lambda: done.append(work()))
    thread.start()
    thread.join()
    return done[0]


def unmoded(work: Callable[[], T]) -> T:
    with python_dispatch._disable_current_modes():
        return work()


def raw(z: T) -> Any:
    """The memory of a tensor, past every watch."""
    with torch._C.DisableTorchFunction():
        return (ctypes.c_double * z.numel()).from_address(z.data_ptr())


def first_of_tensor(z: T) -> float:
    return float(raw(z)[0])


class Detour(torch.autograd.Function):
    """Doubles by way of numpy."""

    @staticmethod
    def forward(ctx: Any, x: T) -> T:
        return torch.from_numpy(unwatched_array(x) * 2)


class WrongSlope(torch.autograd.Function):
    """The identity, whose gradient is said to be three."""

    @staticmethod
    def forward(ctx: Any, x: T) -> T:
        return x * 1

    @staticmethod
    def backward(ctx: Any, *grads: T) -> T:
        return grads[0] * 3


class Tripling(torch.Tensor):
    """A tensor whose sums are three times too large."""

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = super().__torch_function__(func, types, args, kwargs or {})
        return result * 3 if getattr(func, "__name__", "") == "add" else result


class Meddling(TorchFunctionMode):
    """Adds where a product is asked for."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return torch.add(*args) if func is torch.mul else func(*args, **(kwargs or {}))


class Bypassing(python_dispatch.TorchDispatchMode):
    """Doubles every product out of sight of the modes around it."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.mul.Tensor:
            return unmoded(lambda: func(*args) * 2)
        return func(*args, **(kwargs or {}))


def stateful(*factors: float) -> Code:
    """Multiplies by another number at each call."""
    calls = itertools.cycle(factors)
    return lambda z, s: z * next(calls)


def remembering() -> Code:
    kept: dict[str, T] = {}
    return lambda z, s: kept.setdefault("z", z * 2) + 0


def swallowing(leak: Callable[[T], Any], *, kind: type[BaseException] = Exception) -> Code:
    def code(z: T, s: T) -> T:
        with contextlib.suppress(kind):
            return torch.full(SHAPE, leak(z), dtype=torch.float64)
        return z * 2

    return code


def patched(name: str, replacement: Any, code: Code) -> Code:
    def run(z: T, s: T) -> T:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch, name, replacement)
            return code(z, s)

    return run


def overridden(z: T, s: T) -> T:
    library = torch.library.Library("aten", "IMPL")
    try:
        library.impl("sin", lambda x: x + 1, "CPU")
        return torch.sin(z)
    finally:
        library._destroy()


def watched(z: T, s: T) -> T:
    """Behaves while it is watched."""
    return z * (2 if python_dispatch._get_current_dispatch_mode() is not None else 3)


def in_place(change: Callable[[T], Any]) -> Code:
    def code(z: T, s: T) -> T:
        change(z)
        return z + 0

    return code


def raw_write(z: T) -> None:
    raw(z)[5] = 1.0


def numpy_buffer(z: T, s: T) -> T:
    array = np.zeros(SHAPE)
    torch.mul(z, 2, out=torch.from_numpy(array))
    return torch.tensor(array.tolist(), dtype=torch.float64)


def numpy_alias(z: T, s: T) -> T:
    array = np.zeros(SHAPE)
    torch.mul(z, 2, out=torch.from_numpy(array))
    return torch.from_numpy(array) + 0


def numpy_part(z: T, s: T) -> T:
    array = np.zeros((4, *SHAPE[1:]))
    torch.from_numpy(array)[1:3].copy_(z)
    return torch.from_numpy(array[1:3]) + 0


def saved(z: T) -> T:
    file = io.BytesIO()
    torch.save(z, file)
    file.seek(0)
    return torch.load(file) * 2


def replaced_data(z: T, s: T) -> T:
    z.data = z.data * 2
    return z + 0


def swapped(z: T, s: T) -> T:
    other = z * 2
    torch.utils.swap_tensors(z, other)
    return z + 0


def set_to(z: T, s: T) -> T:
    return torch.empty(0, dtype=torch.float64).set_(z * 2) + 0


def moved_storage(z: T, s: T) -> T:
    y = z * 2
    with torch._C.DisableTorchFunction():
        y.untyped_storage().resize_(2 * 8 * 210)
    return y + 0


def own_generator(z: T, s: T) -> T:
    return z + torch.randn(SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(4))


def slope(code: Callable[[T], T], z: T) -> T:
    x = z.detach().requires_grad_()
    code(x).sum().backward()
    assert x.grad is not None
    return x.grad


def hooked(z: T, s: T) -> T:
    x = z.detach().requires_grad_()
    x.register_hook(lambda grad: grad * 5)
    (x * x).sum().backward()
    assert x.grad is not None
    return x.grad


@torch.library.custom_op("redteam::double", mutates_args=())
def double(x: T) -> T:
    return torch.from_numpy(x.numpy() * 2)


def scaled(z: T, s: T) -> T:
    """The state by a level."""
    return z * s[0]


@functools.cache
def scripted() -> Any:
    return torch.jit.script(scaled)


REFUSED = None
SNIPPETS: dict[str, tuple[Code, str | None]] = {
    # values that leave by other doors
    "dlpack": (lambda z, s: dlpack.from_dlpack(dlpack.to_dlpack(z)) * 2, REFUSED),
    "dlpack, written": (in_place(lambda z: dlpack.from_dlpack(dlpack.to_dlpack(z)).mul_(2)), REFUSED),
    "dlpack to numpy": (
        lambda z, s: torch.tensor(np.from_dlpack(dlpack.from_dlpack(dlpack.to_dlpack(z))) * 2),
        REFUSED,
    ),
    "numpy, unwatched": (lambda z, s: torch.from_numpy(unwatched_array(z) * 2), REFUSED),
    "numpy, aliased": (lambda z, s: torch.from_numpy(unwatched_array(z)) * 2, REFUSED),
    "numpy, written": (
        in_place(lambda z: np.multiply(unwatched_array(z), 2, out=unwatched_array(z))),
        REFUSED,
    ),
    "numpy, its method": (lambda z, s: torch.from_numpy(torch._C.TensorBase.numpy(z) * 2), REFUSED),
    "numpy, as a buffer": (numpy_buffer, REFUSED),
    "numpy, as a buffer of torch": (numpy_alias, "z*2 + 0"),
    "numpy, a part of a buffer": (numpy_part, REFUSED),
    "numpy, by force": (lambda z, s: torch.from_numpy(z.numpy(force=True) * 2), REFUSED),
    "frombuffer": (lambda z, s: torch.frombuffer(raw(z), dtype=torch.float64).view(SHAPE) * 2, REFUSED),
    "memory": (lambda z, s: z * first_of_tensor(z), REFUSED),
    "memory, written": (in_place(raw_write), REFUSED),
    "pointer": (lambda z, s: z * z.data_ptr(), REFUSED),
    "modes disabled": (lambda z, s: unmoded(lambda: z * 2), REFUSED),
    "modes disabled, written": (in_place(lambda z: unmoded(lambda: z.mul_(2))), REFUSED),
    "modes disabled, one number": (lambda z, s: z * unmoded(lambda: z[0, 0, 0, 0].clone()), REFUSED),
    "modes disabled, a draw": (lambda z, s: z + unmoded(lambda: torch.randn(SHAPE).double()), REFUSED),
    "modes disabled, a level": (lambda z, s: z * unmoded(lambda: s[0] * 1), REFUSED),
    "a mode of its own": (lambda z, s: z * s[0], "z*s_0"),
    "a thread": (lambda z, s: in_thread(lambda: z * 2), "z*2"),
    "a thread that writes": (in_place(lambda z: in_thread(lambda: z.mul_(2))), "z*2 + 0"),
    "a thread that draws": (lambda z, s: z + in_thread(lambda: torch.randn(SHAPE).double()), REFUSED),
    "old constructor": (lambda z, s: z * torch.FloatTensor([z[0, 0, 0, 0]]), REFUSED),
    "old constructor of a list": (lambda z, s: torch.Tensor(list(z.view(-1))).double().view(SHAPE), REFUSED),
    "save and load": (lambda z, s: saved(z), REFUSED),
    "a level by the old constructor": (lambda z, s: z * torch.DoubleTensor([s[0]]), "z*(3/4)"),
    "contains": (lambda z, s: z * (0.5 in z), REFUSED),
    "index": (lambda z, s: z * [1.0, 2.0, 3.0][(z[0, 0, 0, 0] > 0).long()], REFUSED),
    # memory
    "data": (replaced_data, "z*2 + 0"),
    "swap": (swapped, "z*2 + 0"),
    "set_": (set_to, REFUSED),
    "resized": (moved_storage, REFUSED),
    "bits": (lambda z, s: (z.view(torch.int64) ^ (1 << 63)).view(torch.float64), REFUSED),
    "halves": (lambda z, s: z.view(torch.float32).view(torch.float64) * 1, REFUSED),
    "complex": (lambda z, s: torch.view_as_complex(z[..., :6].reshape(-1, 2)).real, REFUSED),
    "as_strided": (lambda z, s: z.as_strided(SHAPE, z.stride()) * 2, "z*2"),
    "as_strided, written": (in_place(lambda z: z.as_strided((210,), (1,)).mul_(2)), "z*2 + 0"),
    "as_strided of a part": (lambda z, s: z.as_strided(SHAPE, (0, 0, 0, 1), 7) * 2, REFUSED),
    "views of views": (in_place(lambda z: [v.view(-1)[k::2].mul_(3) for v in z for k in (0, 1)]), "z*3 + 0"),
    "a view of one half": (in_place(lambda z: z[0].view(-1)[::2].mul_(3)), REFUSED),
    "a transposed alias": (in_place(lambda z: z.permute(3, 2, 1, 0).flatten(0, 1).mul_(3)), "z + 0"),
    "out": (lambda z, s: torch.add(z, z, out=z), "z + z"),
    "out of another shape": (lambda z, s: torch.mul(z, 2, out=torch.empty(1, dtype=torch.float64)), REFUSED),
    "out in a buffer": (lambda z, s: torch.mul(z, 2, out=torch.zeros(3, *SHAPE).double()[1]) + 0, "z*2 + 0"),
    "never written": (lambda z, s: z * torch.empty(SHAPE, dtype=torch.float64), REFUSED),
    "never written, partly": (lambda z, s: torch.empty(2, *SHAPE).double().copy_(z)[0], "z"),
    "meta": (lambda z, s: torch.zeros_like(z.to("meta"), device="cpu") + z.to("meta").numel(), REFUSED),
    "sparse": (lambda z, s: z.to_sparse().to_dense() * 2, REFUSED),
    "written over": (
        in_place(lambda z: z.index_put_((torch.tensor([0, 0]),), torch.stack([z[0], z[1]]))),
        REFUSED,
    ),
    # ways of running
    "compile": (torch.compile(lambda z, s: z * s[0], backend="eager"), "z*s_0"),
    "jit": (lambda z, s: scripted()(z, s), "z*s_0"),
    "jit, traced while read": (lambda z, s: torch.jit.trace(lambda x: x * 2, z)(z), REFUSED),
    "function with a detour": (lambda z, s: Detour.apply(z), REFUSED),
    "function with a wrong slope": (lambda z, s: z * slope(lambda x: WrongSlope.apply(x), z), "z*3"),
    "hook": (hooked, "(1*z + 1*z)*5"),
    "custom operator": (lambda z, s: double(z), REFUSED),
    "patched": (patched("add", torch.mul, lambda z, s: torch.add(z, s[0])), "z*s_0"),
    "patched and hidden": (
        patched("add", lambda x, y: unmoded(lambda: x * y), lambda z, s: torch.add(z, s[0])),
        REFUSED,
    ),
    "patched randn": (patched("randn_like", torch.zeros_like, lambda z, s: z + torch.randn_like(z)), "z + 0"),
    "overridden kernel": (overridden, REFUSED),
    "subclass": (lambda z, s: (z.as_subclass(Tripling) + z).as_subclass(torch.Tensor), "(z + z)*3"),
    "function mode": (lambda z, s: _within(Meddling(), lambda: torch.mul(z, s[0])), "z + s_0"),
    "dispatch mode": (lambda z, s: _within(Bypassing(), lambda: z * s[0]), REFUSED),
    "vmap": (lambda z, s: torch.vmap(lambda x: x.mul_(2))(z), "z*2"),
    # what is not the same again
    "a counter": (stateful(2, 3), REFUSED),
    "a late counter": (stateful(2, 2, 3), REFUSED),
    "a cache": (remembering(), REFUSED),
    "watched": (watched, REFUSED),
    "numpy's chance": (
        lambda z, s: z + torch.from_numpy(np.random.default_rng().normal(size=SHAPE)),
        REFUSED,
    ),
    "Python's chance": (lambda z, s: z + random.gauss(0, 1), REFUSED),
    "the clock": (lambda z, s: z * (time.perf_counter_ns() % 1000 + 1), REFUSED),
    "the seed": (lambda z, s: z + torch.initial_seed(), REFUSED),
    "the generator's state": (lambda z, s: z + torch.get_rng_state()[0].double(), REFUSED),
    "a generator of its own": (own_generator, REFUSED),
    "chance that is counted": (lambda z, s: z * torch.randn(1 + torch.initial_seed()).numel(), REFUSED),
    # what is swallowed
    "swallowed leak": (swallowing(lambda z: z.sum().item()), REFUSED),
    "swallowed array": (swallowing(lambda z: float(np.asarray(z)[0, 0, 0, 0])), REFUSED),
    "swallowed refusal": (swallowing(lambda z: z.mean().item(), kind=Unsupported), REFUSED),
    "swallowed operator": (swallowing(lambda z: torch.fft.rfft(z).real.sum()), REFUSED),
    "swallowed, of everything": (swallowing(lambda z: z.tolist(), kind=BaseException), REFUSED),
    "infinity": (lambda z, s: z * torch.tensor(float("inf")) / torch.tensor(float("inf")), REFUSED),
    "nan": (lambda z, s: torch.where(z > 99, float("nan"), z), REFUSED),
}


def _within(mode: Any, work: Callable[[], T]) -> T:
    with mode:
        return work()


@pytest.mark.parametrize("name", SNIPPETS)
def test_what_is_read_is_what_runs_or_is_refused(name: str) -> None:
    code, expected = SNIPPETS[name]
    if expected is REFUSED:
        with pytest.raises(Unsupported):
            reading(code).element  # noqa: B018 - asking is the test
    else:
        assert str(reading(code).element) == expected


@pytest.mark.parametrize(
    "code",
    [
        lambda z, s: torch.where((z / z).isnan(), 5.0, z),
        lambda z, s: torch.where(z / z == z / z, z, 5.0),
        lambda z, s: torch.where((z / z).isfinite(), z, 5.0),
        lambda z, s: torch.where((1 / z).isinf(), 5.0, z),
        lambda z, s: torch.where((1 / z) < float("inf"), z, 5.0),
    ],
    ids=["isnan", "equal to itself", "isfinite", "isinf", "below infinity"],
)
def test_that_a_quotient_is_a_number_is_not_taken_for_granted(code: Code) -> None:
    with contextlib.suppress(Unsupported):
        read = reading(code).element
        assert read.op == "call" and read.param == ("where",)


def test_a_level_that_left_torch_is_no_literal_wherever_it_comes_back() -> None:
    filled = reading(lambda z, s: torch.nn.functional.pad(z, (1, 0), value=s[0].item())).expressions
    assert filled[0, 0, 0, 0].op == "const"
    added = reading(lambda z, s: torch.addmm(z[0, 0, 0], z[0, 0], z[0, 0].T @ z[0, 0], beta=s[1].item()))
    assert not any(e.op == "literal" for e in postorder(*added.expressions.ravel().tolist()))
    drawn = reading(lambda z, s: z + torch.empty(SHAPE, dtype=torch.float64).normal_(0, s[0].item())).element
    assert not any(e.op == "literal" for e in postorder(drawn))
