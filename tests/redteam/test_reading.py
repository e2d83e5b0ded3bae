"""Code that a careless reader would lift to something false. Each case is read right, or refused."""

import contextlib
import copy
import math
import pickle
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

from equiv.lifting.refusal import Unsupported, WrittenBehind
from equiv.lifting.tracer import Tracer
from equiv.symbolic.decision import Domain, Equal, decide
from equiv.symbolic.expression import Expr, const, symbol

SHAPE = (2, 3, 5, 7)
T = torch.Tensor


def state(tracer: Tracer, dtype: torch.dtype = torch.float64, name: str = "z") -> T:
    z = torch.randn(SHAPE, dtype=dtype, generator=torch.Generator().manual_seed(len(name)))
    tracer.mark(z, name)
    return z


def schedule(tracer: Tracer, *values: float) -> T:
    levels = torch.tensor(values, dtype=torch.float64)
    tracer.mark_as(levels, [symbol(f"s_{i}", "schedule", positive=True) for i in range(len(values))])
    return levels


def element(code: Callable[[T], T], dtype: torch.dtype = torch.float64) -> Expr:
    tracer = Tracer()
    z = state(tracer, dtype)
    with tracer:
        result = code(z)
    return tracer.element(result)


def proved_equal(left: Expr, right: Expr) -> bool:
    """Is it proved, and on no condition?"""
    decision = decide(left, right, Domain())
    return isinstance(decision, Equal) and all(c.discharged for c in decision.conditions)


# --- casts and parameters (falsehoods 4 and 5) --------------------------------------------------------


def test_an_honest_identity_is_proved() -> None:
    assert proved_equal(element(lambda z: (z * 2 + z).view(-1).view(SHAPE) / 3), symbol("z"))


@pytest.mark.parametrize(
    "code",
    [
        lambda z: z.long().double(),
        lambda z: z.int().float().double(),
        lambda z: z.to(torch.int8).double(),
        lambda z: z.bool().double(),
        lambda z: z.half().double(),
        lambda z: z.float().double(),
        lambda z: z.to(torch.bfloat16).to(torch.float64),
        lambda z: torch.empty(SHAPE, dtype=torch.float16).copy_(z).double(),
        lambda z: torch.zeros(SHAPE).add_(z).double(),
        lambda z: z.round(decimals=2),
        lambda z: z.floor(),
    ],
    ids=["long", "int", "int8", "bool", "half", "float", "bfloat16", "copy_", "add_", "round", "floor"],
)
def test_what_loses_digits_is_not_the_identity(code: Callable[[T], T]) -> None:
    read = element(code)
    assert read is not symbol("z") and not proved_equal(read, symbol("z"))


def test_half_of_a_large_number_is_a_listed_cast() -> None:
    tracer = Tracer()
    z = torch.full(SHAPE, 1e5)
    tracer.mark(z, "z")
    with tracer:
        result = z.half().float()
    assert result.isinf().all()
    assert tracer.element(result).op == "cast"
    assert [a.kind for a in tracer.assumptions] == ["cast"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda z: z.round(decimals=2), lambda z: z.round(decimals=3)),
        (lambda z: torch.div(z, 2, rounding_mode="floor"), lambda z: torch.div(z, 2, rounding_mode="trunc")),
        (lambda z: torch.fmod(z, 2), lambda z: torch.remainder(z, 2)),
        (lambda z: z.to(torch.int8).double(), lambda z: z.to(torch.int64).double()),
        (lambda z: (z < 0).double(), lambda z: (z <= 0).double()),
        (lambda z: z.clamp(-1, 1), lambda z: z.clamp(-1, 2)),
    ],
    ids=["round", "div", "remainder", "integers", "comparison", "clamp"],
)
def test_parameters_are_part_of_an_operator(one: Callable[[T], T], other: Callable[[T], T]) -> None:
    assert not proved_equal(element(one), element(other))
    assert proved_equal(element(one), element(one))


def test_integers_that_may_wrap_around_are_refused() -> None:
    with pytest.raises(Unsupported, match="wrap around"):
        element(lambda z: (z.to(torch.int8) * 100).double())


@pytest.mark.parametrize(
    "code",
    [
        lambda z: z.view(torch.int64).view(torch.float64),
        lambda z: torch.complex(z, z).real,
        lambda z: z.set_(torch.ones(3, dtype=torch.float64).untyped_storage()),
        lambda z: z.resize_(420),
    ],
    ids=["view", "complex", "set_", "resize_"],
)
def test_memory_is_not_reinterpreted(code: Callable[[T], T]) -> None:
    with pytest.raises(Unsupported):
        element(code)


CONSTANTS: dict[str, tuple[Callable[[T], T], Callable[[T], T]]] = {
    "a tensor of a third, tripled": (lambda z: z * (torch.tensor(0.33333334) * 3), lambda z: z * 1),
    "a third in float32": (lambda z: z * torch.tensor(1 / 3), lambda z: z / 3),
    "a third that was printed": (lambda z: z * 0.3333333, lambda z: z / 3),
    "nearly one": (lambda z: z * 0.9999, lambda z: z * 1),
    "nearly nothing": (lambda z: z + 1e-8, lambda z: z + 0),
    "nearly nothing in float16": (
        lambda z: z + torch.tensor(1e-8, dtype=torch.float16).double(),
        lambda z: z + 1e-8,
    ),
    "the scale of latents": (lambda z: z * 0.18215, lambda z: z * 51 / 280),
    "nearly pi": (lambda z: z * 3.14159265, lambda z: z * math.pi),
    "a sum of decimals": (lambda z: z * ((0.1 + 0.2) / 0.3), lambda z: z * 1),
    "a twenty-fourth": (lambda z: z * 0.04166667, lambda z: z / 24),
}


@pytest.mark.parametrize("sides", CONSTANTS.values(), ids=CONSTANTS)
def test_a_constant_that_is_nearly_right_is_not(sides: tuple[Callable[[T], T], Callable[[T], T]]) -> None:
    left, right = map(element, sides)
    assert not isinstance(decide(left, right, Domain()), Equal)
    assert proved_equal(left, left) and proved_equal(right, right)


# --- elements ---------------------------------------------------------------------------------------------


MIXING: dict[str, Callable[[T], T]] = {
    "sum": lambda z: z.sum() * torch.ones_like(z),
    "mean": lambda z: z.mean(dim=1, keepdim=True).expand(SHAPE),
    "centred": lambda z: z - z.mean(),
    "norm": lambda z: z.norm() * z,
    "std": lambda z: z / z.std(),
    "softmax": lambda z: z.softmax(dim=-1),
    "cumsum": lambda z: z.cumsum(0),
    "sort": lambda z: z.sort(dim=-1).values,
    "max": lambda z: z.max(dim=1, keepdim=True).values.expand(SHAPE),
    "quantile": lambda z: torch.quantile(z, 0.5) * torch.ones_like(z),
    "flip": lambda z: z.flip(0),
    "roll": lambda z: z.roll(1),
    "sum of two": lambda z: z + z.flip(3),
    "broadcast": lambda z: z + z[:1],
    "permuted": lambda z: z.permute(3, 2, 1, 0),
    "permuted back": lambda z: z.permute(3, 2, 1, 0).reshape(SHAPE),
    "cat": lambda z: torch.cat([z[:1] * 2, z[1:]]),
    "position": lambda z: z * torch.arange(7.0),
    "numpy noise": lambda z: z + torch.from_numpy(np.random.default_rng(0).normal(size=SHAPE)),
    "index_put_": lambda z: torch.zeros_like(z).index_put_((torch.tensor(0),), z[0]),
    "layer_norm": lambda z: torch.layer_norm(z, (7,)),
    "expanded": lambda z: z.view(-1)[:1].expand(210).view(SHAPE),
}


@pytest.mark.parametrize("code", MIXING.values(), ids=MIXING)
def test_what_mixes_elements_is_no_function_of_one(code: Callable[[T], T]) -> None:
    with pytest.raises(Unsupported):
        element(code)


def test_with_one_element_a_mean_would_be_the_identity() -> None:
    tracer = Tracer()
    z = torch.ones(1)
    tracer.mark(z, "z")
    with tracer:
        result = z.mean(dim=0, keepdim=True)
    assert str(tracer.read(result)[0]) == "z[0]/1"  # which is why shapes have no dimension of one


@pytest.mark.parametrize("p", [0.5, 0.995])
def test_quantiles_are_no_function_of_one_element(p: float) -> None:
    with pytest.raises(Unsupported, match="elements of the result"):
        element(lambda z: z.clamp(max=torch.quantile(z.abs(), p)))


# --- memory ---------------------------------------------------------------------------------------------


def test_a_write_through_numpy_is_seen() -> None:
    array = np.zeros(SHAPE)
    tracer = Tracer()
    z = state(tracer)
    with tracer:
        buffer = torch.from_numpy(array)
        buffer.copy_(z)
        array *= 2
        with pytest.raises(WrittenBehind, match="test_reading"):
            buffer + 1
        tracer._refusal = None


def test_a_write_through_numpy_is_seen_at_the_end() -> None:
    array = np.zeros(SHAPE)
    tracer = Tracer()
    z = state(tracer)
    with tracer:
        buffer = torch.from_numpy(array)
        buffer.copy_(z)
        array[1, 2, 3, 4] = 7
    with pytest.raises(WrittenBehind):
        tracer.element(buffer)


def test_a_schedule_written_through_numpy_is_seen() -> None:
    array = np.array([0.5, 0.25])
    levels = torch.from_numpy(array)
    tracer = Tracer()
    tracer.mark_as(
        levels, [symbol("s_0", "schedule", positive=True), symbol("s_1", "schedule", positive=True)]
    )
    array[0] = 0.125
    with pytest.raises(WrittenBehind), tracer:
        levels[0] * 2


def test_writes_reach_every_alias() -> None:
    def code(z: T) -> T:
        same, part = z.view(-1), z[0]
        part.mul_(3)
        z[1] *= 3
        return same.view(SHAPE)

    assert str(element(code)) == "z*3"


def test_a_view_of_a_part_changes_that_part_only() -> None:
    tracer = Tracer()
    z = state(tracer)
    with tracer:
        z[0, 0, 0].add_(1)
    read = tracer.read(z)
    assert str(read[0, 0, 0, 6]) == "z[6] + 1" and str(read[0, 0, 1, 0]) == "z[7]"


def test_reused_memory_holds_no_old_expression() -> None:
    tracer = Tracer()
    z = state(tracer)
    with tracer:
        for _ in range(50):
            del_me = z * 2
            del del_me
            fresh = torch.ones(SHAPE, dtype=torch.float64)
            assert not tracer.is_symbolic(fresh)


def test_a_tracked_constant_that_is_overwritten_is_forgotten() -> None:
    tracer = Tracer()
    z = state(tracer)
    with tracer:
        weight = torch.tensor(3.0) / 2
        torch.special.i1(weight, out=weight)  # in no table
        result = z * weight
    assert tracer.element(result).args[1] is const(Fraction(weight.item()))


def test_the_grid_of_marks_is_the_tensors_own() -> None:
    tracer = Tracer()
    z = torch.randn(7, 5, 3, 2).permute(3, 2, 1, 0)
    tracer.mark(z, "z")
    with tracer:
        result = z * 2
    assert result.shape == SHAPE and str(tracer.element(result)) == "z*2"
    assert str(tracer.read(result)[1, 2, 4, 6]) == "z[209]*2"


# --- leaks ----------------------------------------------------------------------------------------------

LEAKS: dict[str, Callable[[T], Any]] = {
    "item": lambda z: z[0, 0, 0, 0].item(),
    "float": lambda z: float(z[0, 0, 0, 0]),
    "int": lambda z: int(z[0, 0, 0, 0]),
    "bool": lambda z: bool(z[0, 0, 0, 0]),
    "math": lambda z: math.sqrt(abs(z[0, 0, 0, 0])),
    "format": lambda z: f"{z[0, 0, 0, 0]:.3f}",
    "numpy": lambda z: z.numpy(),
    "numpy of a view": lambda z: z[0].detach().numpy(),
    "array": lambda z: np.asarray(z),
    "array of one": lambda z: np.array(z[0, 0, 0, 0]),
    "numpy function": lambda z: np.interp(z, [0, 1], [0, 1]),
    "dlpack": lambda z: np.from_dlpack(z),
    "tolist": lambda z: z.tolist(),
    "iteration": lambda z: [float(v) for v in z.view(-1)],
    "tensor": lambda z: torch.tensor(z[0, 0, 0, 0].item()),
    "tensor of tensor": lambda z: torch.tensor(z[0, 0, 0, 0]),
    "tensor of list": lambda z: torch.tensor([z[0, 0, 0, 0], z[0, 0, 0, 1]]),
    "deepcopy": lambda z: copy.deepcopy(z),
    "pickle": lambda z: pickle.dumps(z),
    "storage": lambda z: z.untyped_storage().tolist(),
    "equal": lambda z: torch.equal(z, z),
    "allclose": lambda z: torch.allclose(z, z),
    "is_nonzero": lambda z: torch.is_nonzero(z[0, 0, 0, 0]),
    "nonzero": lambda z: z.nonzero(),
    "any": lambda z: bool((z > 0).any()),
    "unique": lambda z: z.unique(),
    "argmax": lambda z: z.argmax(),
    "mask": lambda z: z[z > 0],
    "accumulation": lambda z: z.index_put_((torch.tensor([0, 0]),), z[:1], accumulate=True),
    "index of symbols": lambda z: z.view(-1).gather(0, z.view(-1).long().clamp(0, 1)),
    "index": lambda z: torch.arange(9)[z[0, 0, 0, 0].abs().long()],
    "histogram": lambda z: torch.histc(z),
    "custom operator": lambda z: torch.nn.functional.grid_sample(z[:, :, :, :5], z[:, :, :, :2]),
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_state_does_not_leave_torch(leak: Callable[[T], Any]) -> None:
    tracer = Tracer()
    z = state(tracer)
    with pytest.raises(Unsupported), tracer:
        leak(z)


@pytest.mark.parametrize("role", ["network", "noise"])
def test_nor_does_a_network_output_or_noise(role: Any) -> None:
    tracer = Tracer()
    z = torch.randn(SHAPE)
    tracer.mark(z, "x", role)
    with pytest.raises(Unsupported), tracer:
        (z * 2)[0, 0, 0, 0].item()


def test_a_refusal_that_is_swallowed_still_counts() -> None:
    tracer = Tracer()
    z = state(tracer)
    with pytest.raises(Unsupported, match="left torch"), tracer, contextlib.suppress(Exception):
        z.mean().item()


def test_the_refusal_names_operator_and_line() -> None:
    with pytest.raises(Unsupported, match=r"aten\._fft_r2c") as refused:
        element(lambda z: torch.fft.rfft(z).real)
    assert refused.value.where.rpartition(":")[0] == __file__


def test_a_schedule_value_that_leaves_torch_is_a_condition() -> None:
    tracer = Tracer()
    z, levels = state(tracer), schedule(tracer, 0.3, 0.2)
    with tracer:
        result = z * (levels[0] - levels[1]).item()
    (taken,) = tracer.assumptions
    assert taken.kind == "concretised value" and taken.condition.kind == "concretised value"
    assert repr(taken.relation).startswith("s_0 - s_1 == ")
    assert tracer.element(result).args[1].op == "const"


@pytest.mark.parametrize(
    "read",
    [lambda t: t.numpy(), lambda t: t.tolist(), lambda t: np.array(t)],
    ids=["numpy", "tolist", "array"],
)
def test_a_schedule_read_by_numpy_is_a_condition(read: Callable[[T], Any]) -> None:
    tracer = Tracer()
    levels = schedule(tracer, 0.3, 0.2)
    with tracer:
        read(levels)
    assert sorted(repr(a.relation).split(" ")[0] for a in tracer.assumptions) == ["s_0", "s_1"]


# --- branches -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("branch", "expected"),
    [
        (lambda s: bool(s[0] > s[1]), "s_1 < s_0"),
        (lambda s: bool(s[0] < s[1]), "s_1 <= s_0"),
        (lambda s: bool(s[0] >= s[1]), "s_1 <= s_0"),
        (lambda s: bool(s[0] <= s[1]), "s_1 < s_0"),
        (lambda s: bool(s[0] == s[1]), "s_0 != s_1"),
        (lambda s: bool(s[0] != s[1]), "s_0 != s_1"),
        (lambda s: not (s[0] < 1), "s_0 < 1"),
        (lambda s: bool(~(s[0] < s[1])), "s_1 <= s_0"),
        (lambda s: max(s[0], s[1]), "s_0 <= 0"),
    ],
    ids=["gt", "lt", "ge", "le", "eq", "ne", "not", "inverted", "max"],
)
def test_a_branch_on_a_schedule_is_recorded(branch: Callable[[T], Any], expected: str) -> None:
    tracer = Tracer()
    levels = schedule(tracer, 0.3, 0.2)
    with tracer:
        branch(levels)
    (taken,) = tracer.assumptions
    if expected == "s_0 <= 0":  # Python's max asks whether the second is larger
        expected = "s_1 <= s_0"
    assert taken.kind == "branch" and repr(taken.relation) == expected


def test_a_conjunction_is_its_parts() -> None:
    tracer = Tracer()
    levels = schedule(tracer, 0.3, 0.2)
    with tracer:
        assert (levels[0] < 1) & (levels[1] < levels[0])
    assert [repr(a.relation) for a in tracer.assumptions] == ["s_0 < 1", "s_1 < s_0"]


def test_half_a_disjunction_is_refused() -> None:
    tracer = Tracer()
    levels = schedule(tracer, 0.3, 0.2)
    with pytest.raises(Unsupported, match="a branch on"), tracer:
        bool((levels[0] < 1) | (levels[1] > 1))


def test_an_infinite_bound_needs_no_condition() -> None:
    tracer = Tracer()
    levels = schedule(tracer, 0.3, 0.2)
    with tracer:
        assert 0 <= levels[0] <= math.inf and not levels[1] > math.inf and levels[1] > -math.inf
    assert [repr(a.relation) for a in tracer.assumptions] == ["0 <= s_0"]


# --- chance ---------------------------------------------------------------------------------------------

CHANCE: dict[str, Callable[[T], Any]] = {
    "bernoulli": lambda z: torch.bernoulli(torch.full(SHAPE, 0.5)),
    "bernoulli_": lambda z: torch.empty(SHAPE).bernoulli_(0.5),
    "randint": lambda z: torch.randint(0, 2, SHAPE),
    "randint_like": lambda z: torch.randint_like(z, 2),
    "multinomial": lambda z: torch.multinomial(torch.ones(4), 2),
    "randperm": lambda z: z[torch.randperm(2)],
    "poisson": lambda z: torch.poisson(torch.ones(SHAPE)),
    "exponential_": lambda z: torch.empty(SHAPE).exponential_(),
    "cauchy_": lambda z: torch.empty(SHAPE).cauchy_(),
    "log_normal_": lambda z: torch.empty(SHAPE).log_normal_(),
    "random_": lambda z: torch.empty(SHAPE).random_(),
    "dropout": lambda z: torch.dropout(z, 0.5, True),
    "gamma": lambda z: torch.distributions.Gamma(1.0, 1.0).sample(SHAPE),
    "normal of tensors": lambda z: torch.normal(z, 1.0),
}


@pytest.mark.parametrize("draw", CHANCE.values(), ids=CHANCE)
def test_other_chance_is_refused(draw: Callable[[T], Any]) -> None:
    tracer = Tracer()
    z = state(tracer)
    with pytest.raises(Unsupported), tracer:
        draw(z)


def test_uniform_noise_is_not_normal_noise() -> None:
    assert not proved_equal(
        element(lambda z: z + torch.rand_like(z)), element(lambda z: z + torch.randn_like(z))
    )
    assert not proved_equal(element(lambda z: z + torch.rand_like(z)), symbol("z") + symbol("u", "noise"))


def test_two_draws_are_two_variables() -> None:
    one = element(lambda z: torch.randn_like(z) - torch.randn_like(z))
    assert not proved_equal(one, symbol("z") - symbol("z"))


def test_what_the_old_constructor_copies_has_left_torch() -> None:
    with pytest.raises(Unsupported, match="left torch"):
        element(lambda z: z * torch.FloatTensor([z[0, 0, 0, 0]]))


def test_a_draw_of_pythons_own_is_no_variable_and_never_proved() -> None:
    random.seed(1)
    assert not proved_equal(
        element(lambda z: z + random.gauss(0, 1)), element(lambda z: z + torch.randn_like(z))
    )


# --- ways of running ------------------------------------------------------------------------------------


class _Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: T) -> T:
        return x * 2

    @staticmethod
    def backward(ctx: Any, *grads: T) -> T:
        return grads[0] * 2


def _under_inference_mode(z: T) -> T:
    with torch.inference_mode():
        return torch.addcmul(z, z, z).reshape(-1).view(SHAPE) - z * z + z


def _differentiated(z: T) -> T:
    x = z.detach().requires_grad_()
    (slope,) = torch.autograd.grad((x * x).sum(), x)
    return slope


@pytest.mark.parametrize(
    "code",
    [
        lambda z: torch.vmap(lambda x: x * 2)(z),
        lambda z: _Double.apply(z),
        _under_inference_mode,
        _differentiated,
        lambda z: torch.func.jvp(lambda x: x * x, (z,), (torch.ones_like(z),))[1],
    ],
    ids=["vmap", "function", "inference", "grad", "jvp"],
)
def test_other_ways_of_running_read_the_same(code: Callable[[T], T]) -> None:
    assert proved_equal(element(code), 2 * symbol("z"))


def test_a_wide_factor_of_a_narrow_tensor_is_a_listed_cast() -> None:
    tracer = Tracer()
    z, levels = state(tracer, torch.float32), schedule(tracer, 0.3)
    with tracer:
        result = z * levels[0]
    assert result.dtype is torch.float32
    assert str(tracer.element(result)) == "z*float32(s_0)"
    assert [a.text for a in tracer.assumptions] == ["a cast from float64 to float32 is exact"]


def test_a_mark_states_the_value() -> None:
    tracer = Tracer()
    levels = torch.tensor([0.5, 0.25])
    s = symbol("s", "schedule", positive=True)
    with pytest.raises(ValueError, match="another value"):
        tracer.mark_as(levels, [s, s])
    state(tracer)
    with pytest.raises(ValueError, match="already"):
        state(tracer)


def test_the_point_is_the_one_that_was_run() -> None:
    tracer = Tracer()
    z, levels = state(tracer, torch.float32), schedule(tracer, 0.1)
    assert tracer.point == {
        symbol("z"): Fraction(z.flatten()[0].item()),
        symbol("s_0", "schedule", positive=True): Fraction(0.1),
    }
    assert levels.shape == (1,)
