r"""How far rounding may take what was read from exact arithmetic, and which operation takes it farthest.

Every operation :math:`k` of the code returns its exact result on rounded arguments, off by at most
:math:`\delta_k`. By the mean value theorem the result is off by at most

.. math:: \sum_k \sup |\partial f / \partial v_k| \, \delta_k,

the derivatives taken over all values that rounding may make of the operations before: in balls, so that no
term of second order is dropped. A root whose argument may be 0 has no bounded derivative; it moves by at most
the root of what its argument moves by, which is counted as its own.
"""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

import torch
from flint import arb

from equiv.lifting import replay
from equiv.lifting.plan import Operation
from equiv.rounding import format_of
from equiv.symbolic import balls
from equiv.symbolic.expression import Expr, postorder

# in units of the type that is computed in, as equiv.rounding states and its tests hold against torch
_UNITS = (
    {"sqrt": 2, "rsqrt": 3, "pow": 18}
    | dict.fromkeys(("exp", "exp2", "expm1", "log", "log10", "log1p", "log2", "sin", "cos"), 4)
    | {"div": 2}  # by a number it may be a product with the reciprocal
    | dict.fromkeys(("tan", "tanh", "sigmoid", "silu", "sinh", "cosh", "logaddexp"), 8)
)


class Roundoff(NamedTuple):
    """What the expression is worth, how far the code may be from it, and the share of what loses the most."""

    exact: arb
    bound: float  # infinite where nothing is known
    most: Expr | None
    share: float  # of the bound


def roundoff(
    root: Expr, point: Mapping[Expr, Fraction], computed: Mapping[Expr, Operation], other: torch.dtype
) -> Roundoff:
    """The bound for one element.

    Args:
        root: what was read.
        point: the values it was read at, which the code has exactly.
        computed: what computed each expression.
        other: the type of all that is not known; the coarsest met.
    """
    order = list(postorder(root))
    off = {e: _unit(e, computed.get(e, Operation("", other))) for e in order}
    reached = _reached(order, point, off)
    slopes = {e: arb(0) for e in order} | {root: arb(1)}
    losses: dict[Expr, float] = {}
    for e in reversed(order):
        args = [reached[a] for a in e.args]
        own = _own(e, args, reached[e], off[e])
        cut = e.op == "sqrt" and not args[0] > 0
        if cut:
            own += math.sqrt(2 * float(args[0].rad().upper()))
        elif e.args and slopes[e] != 0:
            for a, slope in zip(e.args, _slopes(e, args, reached[e]), strict=True):
                slopes[a] += slopes[e] * slope
        losses[e] = float(abs(slopes[e]).upper()) * own if own else 0.0
    bound = math.fsum(losses.values()) * (1 + 2**-40)
    most = max(losses, key=lambda e: losses[e])
    known = math.isfinite(bound)
    return Roundoff(
        balls.evaluate(root, point),
        bound if known else math.inf,
        most if known and losses[most] else None,
        losses[most] / bound if known and bound else 0.0,
    )


class _Unit(NamedTuple):
    relative: float
    least: float
    grid: float  # unit roundoff of the type that the result is kept in


def _unit(e: Expr, by: Operation) -> _Unit:
    """What an operation is off by, relatively and where numbers underflow."""
    dtype = getattr(torch, e.param[1]) if e.op == "cast" else by.dtype
    form = format_of(dtype)
    units = _UNITS["sqrt"] if e.op == "sqrt" else _UNITS.get(by.name, _UNITS.get(e.op, 1))
    storing = 2 * form.storing if e.op == "div" else form.storing
    relative = units * form.working + storing
    return _Unit(relative / (1 - relative), form.least * units, form.storing or form.working)


def _reached(order: list[Expr], point: Mapping[Expr, Fraction], off: Mapping[Expr, _Unit]) -> dict[Expr, arb]:
    """The balls of what rounding may make of each expression."""
    values: dict[Expr, arb] = {}
    for e in order:
        args = [values[a] for a in e.args]
        ball = replay.operation(e, args) if e.args else replay.leaf(e, point)
        exact = _is_exact(e, args, ball, off[e])
        values[e] = ball if exact else ball * arb(1, off[e].relative) + arb(0, off[e].least)
    return values


def _is_exact(e: Expr, args: list[arb], ball: arb, unit: _Unit) -> bool:
    """Is there no rounding to do?"""
    if e.op in {"symbol", "neg", "abs", "max", "min"}:
        return True
    if e.op == "div" and not (args[1].is_exact() and math.frexp(abs(float(args[1])))[0] == 0.5):
        return False
    return e.op in replay.CORRECTLY_ROUNDED and replay.is_short(ball, unit.grid)


def _own(e: Expr, args: list[arb], ball: arb, unit: _Unit) -> float:
    """How far the operation itself is off."""
    if _is_exact(e, args, ball, unit):
        return 0.0
    if not ball.is_finite():
        return math.inf
    return float(abs(ball).upper()) * unit.relative + unit.least


def _slopes(e: Expr, args: list[arb], result: arb) -> list[arb]:
    """The derivatives by the arguments; nan where none is known."""
    x, y = args[0], args[-1]
    match e.op:
        case "neg":
            return [arb(-1)]
        case "add":
            return [arb(1), arb(1)]
        case "sub":
            return [arb(1), arb(-1)]
        case "mul":
            return [y, x]
        case "div":
            return [1 / y, -x / (y * y)]
        case "sqrt":
            return [1 / (2 * x.sqrt())]
        case "exp":
            return [x.exp()]
        case "log":
            return [1 / x]
        case "sin":
            return [x.cos()]
        case "cos":
            return [-x.sin()]
        case "abs":
            return [_sign(x)]
        case "max" | "min":
            first = (1 + _sign(x - y)) / 2
            return [first, 1 - first] if e.op == "max" else [1 - first, first]
        case "cast":
            return [arb(1)]
        case "pow":
            lower = replay.operation(e, [x, y - 1])
            return [y * lower, arb(0) if not e.args[1].args else result * x.log()]
    return [arb("nan") for _ in args]


def _sign(x: arb) -> arb:
    return arb(1) if x > 0 else arb(-1) if x < 0 else arb(0, 1)
