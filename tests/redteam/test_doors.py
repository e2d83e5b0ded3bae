"""Ways around the reader: a branch that no run takes hides behind each, so that only the door itself shows.

Run again on other values the code does what was read: nothing but the way out can be refused.
"""

import concurrent.futures
import ctypes
import io
import pickle
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils import _python_dispatch as python_dispatch
from torch.utils import dlpack

from equiv.lifting.reading import Given, Reading, read
from equiv.lifting.refusal import Unsupported

SHAPE = (2, 3, 5, 7)
T = torch.Tensor
Door = Callable[[T], float]


def reading(code: Callable[[T, T], T]) -> Reading:
    z = torch.randn(SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(9))
    s = torch.tensor([0.75, 0.5], dtype=torch.float64)
    return read(code, {"z": Given(z), "s": Given(s, "schedule")})


def switched(switch: Callable[[], Any], door: Door) -> Door:
    def through(z: T) -> float:
        with switch():
            return door(z)

    return through


def by_thread(door: Door) -> Door:
    def through(z: T) -> float:
        found: list[float] = []
        thread = threading.Thread(target=lambda: found.append(door(z)))
        thread.start()
        thread.join()
        return found[0]

    return through


def by_pool(door: Door) -> Door:
    def through(z: T) -> float:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            return pool.submit(door, z).result()

    return through


def by_capsule(z: T) -> float:
    address = ctypes.pythonapi.PyCapsule_GetPointer
    address.restype, address.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    first = ctypes.cast(address(dlpack.to_dlpack(z), b"dltensor"), ctypes.POINTER(ctypes.c_void_p))[0]
    return ctypes.cast(first, ctypes.POINTER(ctypes.c_double))[0]


def popped(z: T) -> float:
    mode = python_dispatch._pop_mode()
    try:
        return z.max().item()
    finally:
        python_dispatch._push_mode(mode)


class Own(T):
    pass


DOORS: dict[str, Door] = {
    "a number": lambda z: z.max().item(),
    "a comparison": lambda z: float(bool((z > -1e300).all())),
    "contains": lambda z: float(0.5 in z),
    "closeness": lambda z: torch.testing.assert_close(z, z + 0.0) or 1.0,
    "functions switched off, an array": switched(
        lambda: torch._C.DisableTorchFunction(), lambda z: z.numpy().max()
    ),
    "functions switched off, a list": switched(
        lambda: torch._C.DisableTorchFunction(), lambda z: max(z.flatten().tolist())
    ),
    "functions switched off, an address": switched(
        lambda: torch._C.DisableTorchFunction(),
        lambda z: (ctypes.c_double * 210).from_address(z.data_ptr())[3],
    ),
    "subclasses switched off": switched(
        lambda: torch._C.DisableTorchFunctionSubclass(), lambda z: z.numpy().max()
    ),
    "dispatch switched off": switched(lambda: torch._C._DisableTorchDispatch(), lambda z: z.max().item()),
    "modes switched off": switched(
        lambda: python_dispatch._disable_current_modes(), lambda z: z.max().item()
    ),
    "a mode popped": popped,
    "a key excluded": switched(
        lambda: torch._C._ExcludeDispatchKeyGuard(torch._C.DispatchKeySet(torch._C.DispatchKey.Python)),
        lambda z: z.max().item(),
    ),
    "a thread": by_thread(lambda z: z.max().item()),
    "a thread, an array": by_thread(lambda z: float(z.numpy().max())),
    "a thread in a thread": by_thread(by_thread(lambda z: z.max().item())),
    "a pool": by_pool(lambda z: z.max().item()),
    "a capsule": by_capsule,
    "a capsule, back in torch": lambda z: float(
        np.from_dlpack(dlpack.from_dlpack(dlpack.to_dlpack(z))).max()
    ),
    "an old constructor": lambda z: float(torch.DoubleTensor([z[0, 0, 0, 0]]).numpy()[0]),
    "the oldest constructor": lambda z: float(torch.Tensor([z[0, 0, 0, 0]]).numpy()[0]),
    "a tensor like it": lambda z: float(z.new([z[0, 0, 0, 0]]).numpy()[0]),
    "a subclass": lambda z: float(z.as_subclass(Own).numpy().max()),
    "a method of the base": lambda z: float(torch._C.TensorBase.numpy(z).max()),
    "a pickle": lambda z: len(pickle.dumps(z)),
    "a file": lambda z: torch.save(z, io.BytesIO()) or 1.0,
    "a storage": lambda z: z.untyped_storage()[0],
    "an index": lambda z: [1.0, 2.0][(z[0, 0, 0, 0] > 0).long()],
    "a range": lambda z: len(range((z[0, 0, 0, 0] > 0).long())),
    "a slice": lambda z: len(torch.arange(9)[: (z[0, 0, 0, 0] > 0).long()]),
    "print": lambda z: print(z, file=io.StringIO()) or 1.0,
    "an order": lambda z: float(z.argmax()),
}


quietly = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@quietly
@pytest.mark.parametrize("name", DOORS)
def test_a_branch_that_no_run_takes_is_not_missed(name: str) -> None:
    door = DOORS[name]
    with pytest.raises(Unsupported):
        reading(lambda z, s: z * 2 if door(z) < 1e300 else z * 3)


@quietly
@pytest.mark.parametrize("name", DOORS)
def test_nor_where_the_refusal_is_swallowed(name: str) -> None:
    door = DOORS[name]

    def code(z: T, s: T) -> T:
        try:
            return z * 2 if door(z) < 1e300 else z * 3
        except Exception:
            return z * 2

    with pytest.raises(Unsupported):
        reading(code)


def test_what_torch_itself_switches_off_is_read() -> None:
    def code(z: T, s: T) -> T:
        x = z.detach().requires_grad_()
        (slope,) = torch.autograd.grad(torch.vmap(lambda v: v * s[0])(x).sum(), x)
        return slope * torch.func.jvp(lambda v: v * v, (z,), (torch.ones_like(z),))[1]

    assert "s_0" in str(reading(code).element)


def test_what_is_put_in_place_of_torch_is_taken_away() -> None:
    before = torch.FloatTensor, torch._C.DisableTorchFunction, threading.Thread._bootstrap_inner
    assert str(reading(lambda z, s: z * 2).element) == "z*2"
    assert (torch.FloatTensor, torch._C.DisableTorchFunction, threading.Thread._bootstrap_inner) == before
    assert "__new__" not in vars(T) and torch.Tensor([1.0]).item() == 1


def test_types_of_tensors_are_still_types() -> None:
    def code(z: T, s: T) -> T:
        assert isinstance(z, torch.DoubleTensor) and not isinstance(z, torch.FloatTensor)
        return z.type(torch.FloatTensor).type(torch.DoubleTensor)

    assert "float32" in str(reading(code).element)


def test_a_thread_is_read_like_any_code() -> None:
    def code(z: T, s: T) -> T:
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            parts = list(pool.map(lambda k: z * s[k], (0, 1)))
        return parts[0] + parts[1]

    assert str(reading(code).element) == "z*s_0 + z*s_1"


# --- draws ------------------------------------------------------------------------------------------------


def seeded_before(z: T, s: T) -> T:
    torch.manual_seed(5)
    return z + torch.randn_like(z)


def seeded_between(z: T, s: T) -> T:
    first = torch.randn_like(z)
    torch.manual_seed(torch.initial_seed())
    return z + first - torch.randn_like(z)


def set_back(z: T, s: T) -> T:
    state = torch.get_rng_state()
    first = torch.randn_like(z)
    torch.set_rng_state(state)
    return z + first - torch.randn_like(z)


def forked(z: T, s: T) -> T:
    with torch.random.fork_rng(devices=[]):
        first = torch.randn_like(z)
    return z + first - torch.randn_like(z)


def one_generator_each(z: T, s: T) -> T:
    first, second = (
        torch.randn(SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(torch.initial_seed()))
        for _ in range(2)
    )
    return z + first - second


def copied_generator(z: T, s: T) -> T:
    one = torch.Generator().manual_seed(torch.initial_seed())
    other = torch.Generator()
    other.set_state(one.get_state())
    return z + torch.randn(SHAPE, generator=one) - torch.randn(SHAPE, generator=other)


@pytest.mark.parametrize(
    "code",
    [seeded_before, seeded_between, set_back, forked, one_generator_each, copied_generator],
    ids=lambda code: code.__name__,
)
def test_numbers_drawn_again_are_no_fresh_noise(code: Callable[[T, T], T]) -> None:
    with pytest.raises(Unsupported):
        reading(code)


def test_two_draws_in_a_row_are_two_noises() -> None:
    found = reading(lambda z, s: z + torch.randn_like(z) * s[0] - torch.randn_like(z))
    assert str(found.element) == "z + n*s_0 - n1"
