"""Each operator of the table is run on marked tensors; what was read is evaluated and held against torch."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from operator_cases import CASES, FUNCTIONAL, LAYOUTS, MIXING, SHAPES, agrees, marked

from equiv.lifting import matrices, operators, orders, plan, reductions
from equiv.lifting.interpreter import RULES
from equiv.lifting.refusal import Unsupported
from equiv.lifting.tools import add, one
from equiv.lifting.tracer import Tracer
from equiv.number import exp
from equiv.symbolic.expression import Expr, symbol
from equiv.symbolic.witness import holds

T = torch.Tensor
ELSEWHERE = {"__and__", "__or__", "argmax", "argmin", "bucketize", "nonzero", "searchsorted"}
"""Other names of what is met, and what gives places: those are tried on schedules, below."""


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", CASES)
def test_what_is_read_has_the_value_that_torch_computes(name: str, shape: tuple[int, ...]) -> None:
    tracer = Tracer()
    x, y, z = (marked(tracer, shape, n) for n in "xyz")
    with tracer:
        result = CASES[name](x, y, z)
    assert agrees(tracer, result)


@given(
    name=st.sampled_from(sorted(CASES)),
    shape=st.sampled_from(SHAPES),
    dtype=st.sampled_from([torch.float32, torch.float16, torch.bfloat16]),
    layout=st.sampled_from(sorted(LAYOUTS)),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=200, deadline=None)
def test_and_so_it_has_in_any_precision_and_layout(
    name: str, shape: tuple[int, ...], dtype: torch.dtype, layout: str, seed: int
) -> None:
    plain = [marked(Tracer(), shape, n, seed=seed, dtype=dtype, layout=LAYOUTS[layout]) for n in "xyz"]
    try:
        expected = CASES[name](*plain)
    except (RuntimeError, NotImplementedError):
        reject()  # torch itself has no such operator for that type, or no such view
    assume(expected.isfinite().all().item())
    tracer = Tracer()
    x, y, z = (marked(tracer, shape, n, seed=seed, dtype=dtype, layout=LAYOUTS[layout]) for n in "xyz")
    try:
        with tracer:
            result = CASES[name](x, y, z)
    except Unsupported as refusal:
        if "equal here" not in refusal.reason:
            raise
        reject()  # in low precision, numbers coincide that are to be ordered
    assert torch.equal(result, expected)
    assert agrees(tracer, result, unit=torch.finfo(dtype).eps)


def test_every_rule_of_the_table_is_met() -> None:
    met: set[str] = set()
    tracer = Tracer()
    original = tracer._interpreter.run

    def watched(call: plan.Call) -> Any:
        met.add(call.plan.name)
        return original(call)

    tracer._interpreter.run = watched  # type: ignore[method-assign]
    x, y, z = (marked(tracer, (4,), n) for n in "xyz")
    with tracer:
        for case in CASES.values():
            case(x, y, z)
    tables = operators.ARITHMETIC, operators.PREDICATES, operators.UNINTERPRETED, RULES, operators.CASTS
    assert set().union(*tables) - met == ELSEWHERE


@pytest.mark.parametrize(
    ("name", "case", "wrong"),
    [
        ("sub", "sub", lambda x, y: y - x),
        ("rsub", "rsub", lambda x, y: x - y),
        ("div", "div", lambda x, y: y / x),
        ("add", "add alpha", lambda x, y, alpha: x + y),
        ("addcdiv", "addcdiv", lambda x, y, z, value: value * (x + y / z)),
        ("addcmul", "addcmul plain", lambda x, y, z: x * y + z),
        ("clamp", "clamp crossed", lambda x, lo, hi: operators.maximum(operators.minimum(x, hi), lo)),
        ("lerp", "lerp", lambda x, y, w: y + w * (x - y)),
        ("pow", "pow of scalar", lambda x, y: y**x),
        ("rsqrt", "rsqrt", operators.sqrt),
        ("log1p", "log1p", operators.log),
        ("expm1", "expm1", operators.exp),
        ("tanh", "tanh", lambda x: operators.sin(x) / operators.cos(x)),
        ("where", "where", lambda c, x, y: operators._where(c, y, x)),
        ("gt", "gt", operators._compare("lt")),
        ("sigmoid", "sigmoid", lambda x: 1 / (1 + operators.exp(x))),
    ],
)
def test_a_wrong_rule_is_seen(
    name: str, case: str, wrong: Callable[..., Expr], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = "PREDICATES" if name in operators.PREDICATES else "ARITHMETIC"
    monkeypatch.setattr(operators, table, {**getattr(operators, table), name: wrong})
    plan.plan.cache_clear()
    try:
        tracer = Tracer()
        x, y, z = (marked(tracer, (2, 3), n) for n in "xyz")
        with tracer:
            result = FUNCTIONAL[case](x, y, z)
        assert not agrees(tracer, result)
    finally:
        plan.plan.cache_clear()


_WRONG_RULES: dict[str, tuple[str, str, Any]] = {
    "a product": ("sum", "sum of negative dim", reductions.RULES["prod"]),
    "a running product": ("cumsum", "cumsum", reductions.RULES["cumprod"]),
    "a biased variance": ("var", "var", lambda call, tools: reductions._folded(add)(call, tools)),
    "no root": ("std", "std", reductions.RULES["var"]),
    "the sum of sizes": ("linalg_vector_norm", "norm", reductions._folded(add, before=abs)),
    "the other extreme": ("amax", "amax", reductions.RULES["amin"]),
    "not normalised": ("_softmax", "softmax", lambda call, tools: one(tools.map(exp, tools.floats(call)))),
    "the other connective": ("all", "all", reductions.RULES["any"]),
    "not added": ("addmm", "addmm", matrices.RULES["mm"]),
    "the smallest": ("max", "max", orders.RULES["min"]),
}


@pytest.mark.parametrize("wrong", _WRONG_RULES.values(), ids=_WRONG_RULES)
def test_a_wrong_rule_for_several_elements_is_seen(
    wrong: tuple[str, str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, case, rule = wrong
    monkeypatch.setitem(RULES, name, rule)
    tracer = Tracer()
    x, y, z = (marked(tracer, (2, 3), n) for n in "xyz")
    with tracer:
        result = MIXING[case](x, y, z)
    assert not agrees(tracer, result)


def test_a_sum_over_a_stack_is_computed_each_from_its_own_element() -> None:
    tracer = Tracer()
    x, y, _ = (marked(tracer, (2, 3, 5, 7), n) for n in "xyz")
    weights = torch.tensor([0.5, 0.25], dtype=torch.float64)
    with tracer:
        result = torch.einsum("k,bkchw->bchw", weights, torch.stack([x, y], dim=1))
    assert str(tracer.element(result)) == "1/2*x + 1/4*y"


PLACES: dict[str, tuple[Callable[[T], T], list[str]]] = {
    "argmax": (lambda s: s.argmax(), ["s_1 < s_0", "s_2 < s_0"]),
    "argmin": (lambda s: (2 * s).argmin(), ["s_2*2 < s_0*2", "s_2*2 < s_1*2"]),
    "argsort": (lambda s: s.argsort(), ["s_1 < s_0", "s_2 < s_1"]),
    "max": (lambda s: s.max(dim=0).indices, ["s_1 < s_0", "s_2 < s_0"]),
    "nonzero": (lambda s: (s > 0.25).nonzero(), ["1/4 < s_0", "s_1 <= 1/4", "s_2 <= 1/4"]),
    "searchsorted": (lambda s: torch.searchsorted(s.flip(0), 2 * s[1:2]), ["s_1 < s_1*2", "s_1*2 <= s_0"]),
    "searchsorted right": (lambda s: torch.searchsorted(s.flip(0), 2 * s[1:2], right=True), ["s_0 <= s_1*2"]),
    "bucketize": (
        lambda s: torch.bucketize(torch.tensor([0.375]).double(), s.flip(0)),
        ["s_1 < 3/8", "3/8 <= s_0"],
    ),
}


@pytest.mark.parametrize("name", PLACES)
def test_a_place_found_by_a_schedule_rests_on_its_order(name: str) -> None:
    code, expected = PLACES[name]
    tracer = Tracer()
    levels = torch.tensor([0.5, 0.25, 0.125], dtype=torch.float64)
    tracer.mark_as(levels, [symbol(f"s_{i}", "schedule", positive=True) for i in range(3)])
    with tracer:
        found = code(levels)
    assert not tracer.is_symbolic(found)
    assert sorted(repr(a.relation) for a in tracer.assumptions) == sorted(expected)
    assert all(a.relation is not None and holds(a.relation, tracer.point) for a in tracer.assumptions)


@pytest.mark.parametrize("name", ["acos", "erf", "floor", "trunc", "frac", "atan"])
def test_what_is_not_interpreted_is_kept_by_name(name: str) -> None:
    tracer = Tracer()
    x = marked(tracer, (3,), "x", high=0.75)
    with tracer:
        read = tracer.element(getattr(torch, name)(x))
    assert read.op == "call" and read.param == (name,) and [str(a) for a in read.args] == ["x"]


def test_numbers_of_the_source_are_told_from_numbers_of_a_table() -> None:
    tracer = Tracer()
    x = marked(tracer, (3,), "x")
    table = torch.tensor([0.1], dtype=torch.float32)
    with tracer:
        source, read = tracer.element(x * 0.1), tracer.element(x * table)
    assert source.args[1].op == "literal" and source.args[1].param == 0.1
    assert read.args[1].op == "const" and read.args[1].param == Fraction(float(table)) != Fraction(1, 10)


def test_a_constant_computed_by_torch_is_followed() -> None:
    tracer = Tracer()
    x = marked(tracer, (3,), "x")
    with tracer:
        weight = torch.tensor(3.0) / 7
        read = tracer.element(x * weight)
    assert str(read) == "x*(3/7)"


def test_a_value_read_out_is_no_literal_of_the_source() -> None:
    tracer = Tracer()
    x = marked(tracer, (3,), "x")
    table = torch.tensor([0.1], dtype=torch.float64)
    with tracer:
        read = tracer.element(x * table.item())
    assert read.args[1].op == "const" and read.args[1].param == Fraction(0.1)


@pytest.mark.parametrize(
    "draw",
    [
        lambda x: torch.randn(x.shape),
        lambda x: torch.randn(x.shape, generator=torch.Generator().manual_seed(torch.seed())),
        lambda x: torch.randn_like(x),
        lambda x: torch.empty(x.shape).normal_(),
        lambda x: torch.normal(0.0, 1.0, x.shape),
    ],
    ids=["randn", "generator", "randn_like", "normal_", "normal"],
)
def test_normal_numbers_are_fresh_noise(draw: Callable[[T], T]) -> None:
    tracer = Tracer()
    x = marked(tracer, (2, 3), "x")
    with tracer:
        first, second = draw(x), draw(x)
        assert [str(tracer.element(t)) for t in (first, second)] == ["n", "n1"]
    assert tracer.value(tracer.element(first)) == Fraction(first.flatten()[0].item())


def test_normal_numbers_with_a_spread() -> None:
    tracer = Tracer()
    x = marked(tracer, (2, 3), "x")
    with tracer:
        result = x + torch.empty(2, 3, dtype=torch.float64).normal_(1.0, 2.0)
    assert str(tracer.element(result)) == "x + 1 + 2*n"
    assert agrees(tracer, result)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: torch.rand(2, 3),
        lambda: torch.empty(2, 3).uniform_(),
        lambda: torch.rand_like(torch.ones(2, 3)),
    ],
    ids=["rand", "uniform_", "rand_like"],
)
def test_uniform_numbers_are_never_normal(draw: Callable[[], T]) -> None:
    tracer = Tracer()
    with tracer:
        read = tracer.element(draw())
    assert read.op == "call" and read.param == ("uniform",)
