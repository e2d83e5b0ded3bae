"""Values of expressions as balls: a midpoint and a radius that certainly contains the real value.

A literal of source code is a ball of a few units in its last place, because which real number it stands
for is not known. An undefined value (a logarithm of a ball that meets zero, a division by one) is a ball
that contains everything, or nan.
"""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

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


_FUNCTIONS: dict[str, Callable[..., arb]] = {
    "neg": lambda x: -x,
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "pow": _power,
    "sqrt": lambda x: x.sqrt(),
    "exp": lambda x: x.exp(),
    "log": lambda x: x.log(),
    "sin": lambda x: x.sin(),
    "cos": lambda x: x.cos(),
    "abs": lambda x: abs(x),
    "max": lambda x, y: x.max(y),
    "min": lambda x, y: x.min(y),
}


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
        values: dict[Expr, arb] = {}
        for e in postorder(root):
            values[e] = _value(e, [values[a] for a in e.args], point)
            if rounding and e.args:
                values[e] *= arb(1, rounding)
        return values[root]
    finally:
        ctx.prec = saved


def _value(e: Expr, args: list[arb], point: Mapping[Expr, Fraction]) -> arb:
    match e.op:
        case "const":
            return exact(e.param)
        case "literal":
            return literal_ball(e.param)
        case "pi":
            return arb.pi()
        case "symbol":
            return exact(Fraction(point[e]))
        case "cast":
            return args[0]
        case "call" if e.param[0] == "trunc":
            return _truncated(args[0])
        case "call" if e.param[0] == "convert":  # of an integer to a float
            return args[0]
        case "call":
            return arb("nan")
    return _FUNCTIONS[e.op](*args)


def apart(left: arb, right: arb) -> bool:
    """Are the two values certainly different finite numbers?"""
    return bool(left.is_finite() and right.is_finite() and not left.overlaps(right))


def show(ball: arb, digits: int = 12) -> str:
    """A short decimal of the midpoint."""
    if not ball.is_finite():
        return "nan"
    value = float(ball.mid())
    return f"{value:.{digits}g}"
