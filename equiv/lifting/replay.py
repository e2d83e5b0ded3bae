"""Holds a reading against code that runs unread: what was read must be worth what is returned.

Whatever leaves torch unseen, by a way that nobody thought of, was read as a constant. Run again on other
values, the code returns something else than that constant.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

import torch
from flint import arb

from equiv.symbolic import balls
from equiv.symbolic.expression import Expr, postorder

_UNITS = 4  # torch's powers and exponentials are within so many roundings
_SPECIAL = frozenset("acos acosh asin asinh atan atan2 atanh digamma erf erfc erfinv lgamma".split())
_SPECIAL_UNITS = 16  # and these within so many times as many


class Precision(NamedTuple):
    """What one operation may be off by: relatively, and where numbers underflow."""

    relative: float
    least: float


EXACT = Precision(0.0, 0.0)


def precision(dtypes: set[torch.dtype]) -> Precision:
    """That of the coarsest floating-point type."""
    found = [torch.finfo(d) for d in dtypes if d.is_floating_point] or [torch.finfo(torch.float64)]
    return Precision(_UNITS * max(f.eps for f in found) / 2, max(f.tiny * f.eps for f in found))


def value(root: Expr, point: Mapping[Expr, Fraction], off: Precision) -> arb:
    """The ball of what floating-point arithmetic may make of an expression; nan if that is unknown."""
    return _values(root, point, off)[root]


def may_be_undefined(root: Expr, point: Mapping[Expr, Fraction], off: Precision) -> bool:
    """Can rounding alone take the root of less than zero, as of ``1 - a - b`` where that is 0?"""
    values = _values(root, point, off)
    return any(e.op == "sqrt" and not values[e.args[0]] >= 0 for e in values)


def _values(root: Expr, point: Mapping[Expr, Fraction], off: Precision) -> dict[Expr, arb]:
    values: dict[Expr, arb] = {}
    for e in postorder(root):
        args = [values[a] for a in e.args]
        ball = operation(e, args) if e.args else leaf(e, point)
        exact = e.op == "symbol" or (e.op in CORRECTLY_ROUNDED and is_short(ball, off.relative))
        units = _SPECIAL_UNITS if e.op == "call" and e.param[0] in _SPECIAL else 1
        absolute = off.least if units == 1 else units * off.relative  # they are inexact about their zeros
        values[e] = ball if exact else ball * arb(1, units * off.relative) + arb(0, absolute)
    return values


CORRECTLY_ROUNDED = frozenset("const neg add sub mul div abs max min cast".split())


def is_short(ball: arb, unit: float) -> bool:
    """Is it one number, which every type met has? Then no rounding was needed."""
    if not (ball.is_finite() and ball.is_exact()):
        return False
    mantissa, _ = math.frexp(float(ball))
    return unit == 0 or (mantissa / unit).is_integer()


def _truth(certain: bool, impossible: bool) -> arb:  # noqa: FBT001 - two facts of one question
    return arb(1) if certain else arb(0) if impossible else arb(0.5, 0.5)


def _chosen(condition: arb, x: arb, y: arb) -> arb:
    return x if condition > 0.5 else y if condition < 0.5 else x.union(y)


def _towards_zero(x: arb) -> arb:
    return x.floor() if x >= 0 else x.ceil() if x <= 0 else x.floor().union(x.ceil())


_CALLS: Mapping[str, Callable[..., arb]] = {
    "lt": lambda x, y: _truth(x < y, x >= y),
    "le": lambda x, y: _truth(x <= y, x > y),
    "eq": lambda x, y: _truth(x.is_exact() and y.is_exact() and x == y, not x.overlaps(y)),
    "ne": lambda x, y: _truth(not x.overlaps(y), x.is_exact() and y.is_exact() and x == y),
    "not": lambda x: 1 - x,
    "and": lambda x, y: x.min(y),
    "or": lambda x, y: x.max(y),
    "where": _chosen,
    "uniform": lambda u: u,
    "convert": lambda x: x,
    "trunc": _towards_zero,
    "floor": arb.floor,
    "ceil": arb.ceil,
    "sign": arb.sgn,
    "sgn": arb.sgn,
    "floor_divide": lambda x, y: (x / y).floor(),
    "fmod": lambda x, y: x - y * _towards_zero(x / y),
    "remainder": lambda x, y: x - y * (x / y).floor(),
    "frac": lambda x: x - _towards_zero(x),
    **{name: getattr(arb, name) for name in sorted(_SPECIAL)},
}


def leaf(e: Expr, point: Mapping[Expr, Fraction]) -> arb:
    """The ball of a symbol or a constant."""
    match e.op:
        case "symbol":
            return balls.exact(Fraction(point[e]))
        case "const":
            return balls.exact(e.param)
        case "literal":
            return balls.literal_ball(e.param)
    return arb.pi()


def operation(e: Expr, args: Sequence[arb]) -> arb:
    """The ball of one operation; nan if what it computes is not known."""
    if e.op == "sqrt":  # of what rounding may have taken below 0, but did not if the code returns a number
        return args[0].nonnegative_part().sqrt() if args[0] >= 0 or args[0].contains(0) else arb("nan")
    if e.op == "log" and args[0].is_zero():
        return arb.neg_inf()
    if e.op != "call":
        return args[0] if e.op == "cast" else balls._FUNCTIONS[e.op](*args)
    match e.param:
        case ("div", "floor"):
            return (args[0] / args[1]).floor()
        case ("div", "trunc"):
            return _towards_zero(args[0] / args[1])
        case (name, *_) if name in _CALLS:
            return _CALLS[name](*args)
    return arb("nan")


def disagreement(
    read: Sequence[Expr], returned: Sequence[float], point: Mapping[Expr, Fraction], off: Precision
) -> str | None:
    """Where the code returned something else than what was read, in words; None where it did not.

    An element whose ball is not finite says nothing, and so does nothing against the reading; nor does nan
    where rounding alone may make it.
    """
    known: dict[Expr, arb] = {}
    for k, (e, got) in enumerate(zip(read, returned, strict=True)):
        ball = known.setdefault(e, value(e, point, off)) if e not in known else known[e]
        if ball.is_finite() and not (math.isfinite(got) and ball.contains(got)):
            if math.isnan(got) and may_be_undefined(e, point, off):
                continue
            return f"element {k} was read as {balls.show(ball)}, and the code returned {got!r}"
    return None


def is_checked(read: Sequence[Expr], point: Mapping[Expr, Fraction], off: Precision) -> bool:
    """Is the value of every element known well enough to tell it from another?"""
    found = [value(e, point, off) for e in dict.fromkeys(read)]
    return all(ball.is_finite() and ball.rad() < 2**-3 * (1 + abs(ball.mid())) for ball in found)
