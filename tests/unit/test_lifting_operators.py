"""Each operator of the table is run on marked tensors; what was read is evaluated and held against torch."""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import mpmath
import pytest
import torch

from equiv.lifting import operators, plan
from equiv.lifting.tracer import Tracer
from equiv.symbolic.expression import Expr, postorder

SHAPES = [(), (1,), (4,), (2, 3), (2, 3, 5, 7)]
UNIT = 2.0**-53
ROUNDINGS = 16  # no rule here does more than eight operations of at most two units each

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "neg": lambda x: -x,
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "pow": lambda x, y: x**y,
    "sqrt": mpmath.sqrt,
    "exp": mpmath.exp,
    "log": mpmath.log,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "abs": abs,
    "max": max,
    "min": min,
    "cast": lambda x: x,
}
_CALLS: dict[str, Callable[..., Any]] = {
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
    "not": lambda x: not x,
    "and": lambda x, y: bool(x) and bool(y),
    "or": lambda x, y: bool(x) or bool(y),
    "where": lambda c, x, y: x if c else y,
    "uniform": lambda u: u,
    "trunc": mpmath.fp.mpf,
    "floor": mpmath.floor,
    "ceil": mpmath.ceil,
    "sign": mpmath.sign,
}


def evaluate(root: Expr, point: Mapping[Expr, Fraction]) -> tuple[Any, Any]:
    """The value to 40 digits, and the largest value met on the way."""
    values: dict[Expr, Any] = {}
    with mpmath.workdps(40):
        for e in postorder(root):
            args = [values[a] for a in e.args]
            if e.op == "symbol":
                values[e] = mpmath.mpf(point[e].numerator) / point[e].denominator
            elif e.op == "const":
                values[e] = mpmath.mpf(e.param.numerator) / e.param.denominator
            elif e.op == "literal":
                values[e] = mpmath.mpf(e.param)
            elif e.op == "call":
                values[e] = mpmath.mpf(_CALLS[e.param[0]](*args))
            else:
                values[e] = _FUNCTIONS[e.op](*args)
        return values[root], max(abs(v) for v in values.values())


def agrees(tracer: Tracer, result: torch.Tensor) -> bool:
    """Does every element that was read have torch's value, up to the roundings of the operator?"""
    read, point = tracer.read(result), tracer.point
    assert read.shape == tuple(result.shape)
    for e, value in zip(read.ravel().tolist(), result.flatten().tolist(), strict=True):
        exact, scale = evaluate(e, point)
        if not abs(exact - mpmath.mpf(float(value))) <= ROUNDINGS * UNIT * scale:
            return False
    return True


def marked(
    tracer: Tracer, shape: tuple[int, ...], name: str, low: float = 0.25, high: float = 2.0
) -> torch.Tensor:
    seed = sum(map(ord, name))
    x = (
        torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) * (high - low)
        + low
    )
    tracer.mark(x, name)
    return x


T = torch.Tensor
FUNCTIONAL: dict[str, Callable[[T, T, T], T]] = {
    "abs": lambda x, y, z: torch.abs(x - 1),
    "add": lambda x, y, z: x + y,
    "add scalar": lambda x, y, z: 0.3 + x,
    "add alpha": lambda x, y, z: torch.add(x, y, alpha=2.5),
    "addcdiv": lambda x, y, z: torch.addcdiv(x, y, z, value=0.7),
    "addcdiv plain": lambda x, y, z: torch.addcdiv(x, y, z),
    "addcmul": lambda x, y, z: torch.addcmul(x, y, z, value=-2),
    "addcmul plain": lambda x, y, z: torch.addcmul(x, y, z),
    "clamp": lambda x, y, z: x.clamp(0.5, 1.5),
    "clamp crossed": lambda x, y, z: x.clamp(1.5, 0.5),
    "clamp tensors": lambda x, y, z: torch.clamp(x, y, z),
    "clamp infinite": lambda x, y, z: x.clamp(-math.inf, math.inf),
    "clamp_max": lambda x, y, z: torch.clamp_max(x, 1.0),
    "clamp_min": lambda x, y, z: torch.clamp_min(x, 1.0),
    "cos": lambda x, y, z: x.cos(),
    "cosh": lambda x, y, z: x.cosh(),
    "div": lambda x, y, z: x / y,
    "div scalar": lambda x, y, z: x / 3,
    "exp": lambda x, y, z: x.exp(),
    "exp2": lambda x, y, z: x.exp2(),
    "expm1": lambda x, y, z: x.expm1(),
    "fill": lambda x, y, z: x.clone().fill_(0.1) + y,
    "fmax": lambda x, y, z: torch.fmax(x, y),
    "fmin": lambda x, y, z: torch.fmin(x, y),
    "hypot": lambda x, y, z: torch.hypot(x, y),
    "lerp": lambda x, y, z: torch.lerp(x, y, z / 2),
    "lerp scalar": lambda x, y, z: torch.lerp(x, y, 0.9),
    "log": lambda x, y, z: x.log(),
    "log10": lambda x, y, z: x.log10(),
    "log1p": lambda x, y, z: x.log1p(),
    "log2": lambda x, y, z: x.log2(),
    "masked_fill": lambda x, y, z: x.masked_fill(torch.ones(x.shape, dtype=torch.bool), 2.0) * y,
    "maximum": lambda x, y, z: torch.maximum(x, y),
    "minimum": lambda x, y, z: torch.minimum(x, y),
    "mul": lambda x, y, z: x * y,
    "neg": lambda x, y, z: -x,
    "pow": lambda x, y, z: x**y,
    "pow half": lambda x, y, z: x**0.5,
    "pow minus half": lambda x, y, z: x**-0.5,
    "pow three": lambda x, y, z: x**3,
    "pow of scalar": lambda x, y, z: 1.7**x,
    "reciprocal": lambda x, y, z: x.reciprocal(),
    "relu": lambda x, y, z: torch.relu(x - 1),
    "rsqrt": lambda x, y, z: x.rsqrt(),
    "rsub": lambda x, y, z: 1 - x,
    "rsub alpha": lambda x, y, z: torch.rsub(x, y, alpha=3),
    "sigmoid": lambda x, y, z: x.sigmoid(),
    "sin": lambda x, y, z: x.sin(),
    "sinh": lambda x, y, z: x.sinh(),
    "sqrt": lambda x, y, z: x.sqrt(),
    "square": lambda x, y, z: x.square(),
    "sub": lambda x, y, z: x - y,
    "sub alpha": lambda x, y, z: torch.sub(x, y, alpha=0.1),
    "tan": lambda x, y, z: (x / 2).tan(),
    "tanh": lambda x, y, z: x.tanh(),
    "where": lambda x, y, z: torch.where(x < 1, y, z),
    "where known": lambda x, y, z: torch.where(torch.tensor(True), x, y),
    "zero": lambda x, y, z: x.clone().zero_() + y,
    "lt": lambda x, y, z: (x < y) * z,
    "le": lambda x, y, z: (x <= y) * z,
    "gt": lambda x, y, z: (x > y) * z,
    "ge": lambda x, y, z: (x >= y) * z,
    "eq": lambda x, y, z: (x == y) * z,
    "ne": lambda x, y, z: (x != y) * z,
    "gt scalar": lambda x, y, z: (x > 1) * z,
    "logical": lambda x, y, z: (((x < y) & (y < z)) | ~(x < z)) * z,
    "logical_and": lambda x, y, z: torch.logical_and(x < y, torch.logical_not(y < z)) * z,
    "logical_or": lambda x, y, z: torch.logical_or(x < y, y < z) * z,
    "floor": lambda x, y, z: (3 * x).floor(),
    "ceil": lambda x, y, z: (3 * x).ceil(),
    "sign": lambda x, y, z: (x - 1).sign(),
    "zeros_like": lambda x, y, z: torch.zeros_like(x) + y,
    "full_like": lambda x, y, z: torch.full_like(x, 0.1) * y,
    "clone": lambda x, y, z: x.clone() + y,
    "contiguous": lambda x, y, z: x.expand(2, *x.shape).contiguous() * 2,
    "cat": lambda x, y, z: torch.cat([x.reshape(-1), torch.ones(2, dtype=x.dtype), y.reshape(-1)]),
    "stack": lambda x, y, z: torch.stack([x, y, x], dim=-1),
    "index": lambda x, y, z: x.reshape(-1)[torch.tensor([0, -1, 0])],
    "index_select": lambda x, y, z: x.reshape(-1).index_select(0, torch.tensor([0, 0])),
    "gather": lambda x, y, z: x.reshape(-1).gather(0, torch.zeros(3, dtype=torch.int64)),
    "take": lambda x, y, z: torch.take(x, torch.tensor([0])),
    "mask": lambda x, y, z: x[torch.ones(x.shape, dtype=torch.bool)],
    "flip": lambda x, y, z: x.reshape(-1).flip(0) - x.reshape(-1),
    "roll": lambda x, y, z: x.reshape(-1).roll(1) - x.reshape(-1),
    "repeat": lambda x, y, z: x.reshape(-1).repeat(2),
    "transpose": lambda x, y, z: x.reshape(1, -1).T * y.reshape(-1, 1),
    "expand": lambda x, y, z: x.reshape(1, -1).expand(3, -1) * 2,
    "narrow": lambda x, y, z: x.reshape(-1)[::2] * y.reshape(-1)[::2],
    "unbind": lambda x, y, z: torch.stack(list(reversed(x.reshape(-1).unbind()))),
    "chunk": lambda x, y, z: x.reshape(-1).chunk(2)[0] * 2,
    "einsum": lambda x, y, z: torch.einsum("i,i->i", x.reshape(-1), y.reshape(-1)),
    "sum": lambda x, y, z: x.reshape(-1)[:4].sum(),
    "sum dim": lambda x, y, z: x.reshape(1, -1)[:, :4].sum(dim=1, keepdim=True),
    "mean": lambda x, y, z: x.reshape(-1)[:4].mean(),
    "mean dims": lambda x, y, z: x.reshape(1, -1)[:, :3].mean(dim=(0, 1)),
    "widening": lambda x, y, z: x.to(torch.float64) + y.double(),
    "detach": lambda x, y, z: x.detach() * 2,
}


def _in_place(x: T, step: Callable[[T], object]) -> T:
    step(x)
    return x * 1


IN_PLACE: dict[str, Callable[[T, T, T], T]] = {
    "add_": lambda x, y, z: _in_place(x, lambda t: t.add_(y, alpha=2)),
    "mul_ through a view": lambda x, y, z: _in_place(x, lambda t: t.view(-1)[:1].mul_(3)),
    "sub_ through a transpose": lambda x, y, z: _in_place(
        x, lambda t: t.reshape(-1, 1).T.sub_(y.reshape(1, -1))
    ),
    "div_": lambda x, y, z: _in_place(x, lambda t: t.div_(y)),
    "copy_": lambda x, y, z: _in_place(x, lambda t: t.copy_(y)),
    "copy_ of a constant": lambda x, y, z: _in_place(x, lambda t: t.copy_(torch.ones(t.shape))) * y,
    "fill_ of one element": lambda x, y, z: _in_place(x, lambda t: t.view(-1)[0].fill_(0.1)) * y,
    "zero_": lambda x, y, z: _in_place(x, lambda t: t.zero_()) * y,
    "clamp_": lambda x, y, z: _in_place(x, lambda t: t.clamp_(0.5, 1)),
    "setitem": lambda x, y, z: _in_place(x, lambda t: t.view(-1).__setitem__(0, y.view(-1)[-1])),
    "index_put_": lambda x, y, z: _in_place(
        x, lambda t: t.view(-1).index_put_((torch.tensor([0]),), y.view(-1)[:1])
    ),
    "masked_fill_": lambda x, y, z: _in_place(x, lambda t: t.masked_fill_(y > 1, 0.3)),
    "lerp_": lambda x, y, z: _in_place(x, lambda t: t.lerp_(y, 0.25)),
    "addcmul_": lambda x, y, z: _in_place(x, lambda t: t.addcmul_(y, z)),
    "into a buffer": lambda x, y, z: torch.empty(2, *x.shape, dtype=x.dtype)[1].copy_(x) * y,
    "out": lambda x, y, z: torch.mul(x, y, out=torch.empty(x.shape, dtype=x.dtype)) + z,
    "iadd of a slice": lambda x, y, z: _in_place(x, lambda t: t.view(-1)[0:1].__iadd__(y.view(-1)[:1])),
}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("name", [*FUNCTIONAL, *IN_PLACE])
def test_what_is_read_has_the_value_that_torch_computes(name: str, shape: tuple[int, ...]) -> None:
    tracer = Tracer()
    x, y, z = (marked(tracer, shape, n) for n in "xyz")
    with tracer:
        result = (FUNCTIONAL | IN_PLACE)[name](x, y, z)
    assert agrees(tracer, result)


def test_every_rule_of_the_table_is_met() -> None:
    met: set[str] = set()
    tracer = Tracer()
    original = tracer._run

    def watched(call: plan.Call) -> Any:
        met.add(call.plan.name)
        return original(call)

    tracer._run = watched  # type: ignore[method-assign]
    x, y, z = (marked(tracer, (4,), n) for n in "xyz")
    with tracer:
        for case in (FUNCTIONAL | IN_PLACE).values():
            case(x, y, z)
    aliases = {"__and__", "__or__"}
    ruled = (set(operators.ARITHMETIC) | set(operators.PREDICATES) | operators.REDUCTIONS) - aliases
    assert ruled - met == set()


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
        lambda x: torch.randn(x.shape, generator=torch.Generator().manual_seed(3)),
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
