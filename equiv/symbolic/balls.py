"""Values of expressions as balls: a midpoint and a radius that certainly contains the real value.

A literal of source code is a ball of a few units in its last place, because which real number it stands
for is not known. An undefined value (a logarithm of a ball that meets zero, a division by one) is a ball
that contains everything, or nan.
"""

import functools
import math
import operator
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from flint import arb, ctx, fmpq

from equiv.symbolic.expression import Expr, postorder

LITERAL_ULPS = 4
LARGEST_POWER = 64


def exact(value: Fraction) -> arb:
    """The tightest ball around a rational."""
    return arb(fmpq(value.numerator, value.denominator))


def literal_ball(value: float) -> arb:
    """All reals that a source literal may stand for; small integers stand for themselves."""
    if value == int(value) and abs(value) < 2**53:
        return arb(value)
    return arb(value, LITERAL_ULPS * math.ulp(value))


def _power(base: arb, exponent: arb) -> arb:
    whole = exponent.unique_fmpz()
    if whole is None or abs(whole) > LARGEST_POWER:
        return arb(base**exponent)
    # flint's own power is nan on a ball that meets zero
    product = math.prod([base] * abs(int(whole)), start=arb(1))
    return product if whole >= 0 else 1 / product


def _truncated(x: arb) -> arb:
    return x.floor() if x >= 0 else x.ceil() if x < 0 else arb("nan")


def _unknown(*_args: arb) -> arb:
    return arb("nan")


_FUNCTIONS: dict[str, Callable[..., arb]] = {
    "neg": operator.neg,
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": _power,
    "sqrt": arb.sqrt,
    "exp": arb.exp,
    "log": arb.log,
    "sin": arb.sin,
    "cos": arb.cos,
    "abs": abs,
    "max": arb.max,
    "min": arb.min,
    "cast": lambda x: x,
}
_CALLS: dict[str, Callable[..., arb]] = {"trunc": _truncated, "convert": lambda x: x}


class _Program(NamedTuple):
    """The operations of an expression in order, each with the places of its arguments."""

    start: list[Any]  # the balls of the constants, None elsewhere
    symbols: list[tuple[int, Expr]]
    steps: list[tuple[int, Callable[..., arb], tuple[int, ...]]]


@functools.lru_cache(maxsize=1024)  # what is evaluated once is evaluated at a dozen points
def _program(root: Expr, _bits: int) -> _Program:
    """For the present precision, to which the constants are rounded."""
    program, places = _Program([], [], []), dict[Expr, int]()
    for place, e in enumerate(postorder(root)):
        places[e] = place
        program.start.append(_constant(e))
        if e.op == "symbol":
            program.symbols.append((place, e))
        elif program.start[place] is None:
            program.steps.append((place, _function(e), tuple(places[a] for a in e.args)))
    return program


def evaluate(root: Expr, point: Mapping[Expr, Fraction], bits: int = 128, rounding: float = 0.0) -> arb:
    """The ball of ``root`` when each symbol has the exact value that ``point`` gives it.

    Uninterpreted operators have no value: whatever depends on one is nan, and decides nothing. With
    ``rounding`` the ball holds every value that floating point may give whose operations are each off by at
    most so much, relatively (underflow aside).

    Raises:
        KeyError: a symbol of ``root`` has no value.
    """
    saved, ctx.prec = ctx.prec, bits
    try:
        start, symbols, steps = _program(root, bits)
        values = list(start)
        for place, symbol in symbols:
            values[place] = exact(Fraction(point[symbol]))
        for place, function, args in steps:
            found = function(*[values[a] for a in args])
            values[place] = found * arb(1, rounding) if rounding and args else found
        ball: arb = values[-1]
        return ball
    finally:
        ctx.prec = saved


def value(e: Expr, args: list[arb], point: Mapping[Expr, Fraction]) -> arb:
    """The ball of one node, at the present precision."""
    if e.op == "symbol":
        return exact(Fraction(point[e]))
    constant = _constant(e)
    return _function(e)(*args) if constant is None else constant


def _function(e: Expr) -> Callable[..., arb]:
    return _CALLS.get(e.param[0], _unknown) if e.op == "call" else _FUNCTIONS[e.op]


def _constant(e: Expr) -> arb | None:
    match e.op:
        case "const":
            return exact(e.param)
        case "literal":
            return literal_ball(e.param)
        case "pi":
            return arb.pi()
    return None


def apart(left: arb, right: arb) -> bool:
    """Are the two values certainly different finite numbers?"""
    return bool(left.is_finite() and right.is_finite() and not left.overlaps(right))


def show(ball: arb, digits: int = 12) -> str:
    """A short decimal of the midpoint."""
    if not ball.is_finite():
        return "nan"
    value = float(ball.mid())
    return f"{value:.{digits}g}"
