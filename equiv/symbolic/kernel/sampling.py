"""Rational points at which hypotheses hold: for guessing signs, and for telling false statements apart."""

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from equiv.symbolic.kernel.ladders import Ladder
from equiv.symbolic.kernel.terms import Applied, Derived, Relation, Term, parts

_LEVELS = [
    *(Fraction(n, d) for n, d in ((1, 2), (1, 3), (2, 3), (1, 4), (3, 4), (1, 5), (2, 5), (3, 5), (4, 5))),
    *(Fraction(n, d) for n, d in ((1, 10), (9, 10), (3, 2), (2, 1), (3, 1), (5, 1), (7, 1))),
    *(Fraction(n, d) for n, d in ((5, 13), (12, 13))),  # with 3/5 and 4/5: on the unit circle
]
_STATES = [Fraction(n, d) for n, d in ((1, 1), (-1, 1), (2, 1), (1, 2), (-3, 2), (-2, 1), (3, 1))]
TRIES = 4000


def points(
    names: Sequence[str],
    positive: Sequence[str],
    hypotheses: Sequence[Relation],
) -> Iterator[dict[str, Fraction]]:
    """Points that meet the hypotheses, as far as floating point can tell."""
    chance = random.Random(2)
    for _ in range(TRIES):
        point = {n: chance.choice(_LEVELS if n in positive else _STATES) for n in names}
        if all(_meets(h, point) for h in hypotheses):
            yield point


def few(found: Iterator[dict[str, Fraction]], count: int = 32) -> list[dict[str, Fraction]]:
    """The first of them."""
    return [*itertools.islice(found, count)]


def apart(left: Term, right: Term, found: Iterator[dict[str, Fraction]]) -> dict[str, Fraction] | None:
    """The first point at which the sides are far apart, or that at which they are farthest."""
    best, widest = None, 1e-6
    for point in itertools.islice(found, 300):
        a, b = value(left, point), value(right, point)
        gap = abs(a - b) / (1 + abs(a) + abs(b))
        if gap > widest:
            best, widest = point, gap
        if gap > 0.01:
            break
    return best


def _meets(hypothesis: Relation, point: Mapping[str, Fraction]) -> bool:
    sign, a, b = hypothesis
    left, right = value(a, point), value(b, point)
    gap = right - left
    if math.isnan(gap):
        return False
    near = abs(gap) <= 1e-12 * (1 + abs(left))
    return {"<": gap > 0 and not near, "<=": gap >= 0 or near, "=": near, "<>": not near}[sign]


def value(e: Term, point: Mapping[str, Fraction]) -> float:
    """The value in floating point, nan where it is undefined."""
    values: dict[Term, float] = {}
    for part in parts(e):
        try:
            values[part] = _apply(part, [values[a] for a in part.args], point)
        except (ValueError, ZeroDivisionError, OverflowError):
            return math.nan
    return values[e]


def _unknown(function: str, order: int, x: float) -> float:
    """A positive function that stands for an undefined one, or its derivative."""
    name = random.Random(function)
    pace, phase = 0.5 + name.random(), 6 * name.random()
    wave = pace**order * math.sin(pace * x + phase + order * math.pi / 2) / 2
    return wave if order else 1 + wave


def _apply(e: Term, args: list[float], point: Mapping[str, Fraction]) -> float:
    if isinstance(e.param, Applied):
        return _unknown(e.param.function, e.param.order, *args)
    if isinstance(e.param, Derived):
        return value(Ladder(e).result, point)
    functions: dict[str, Any] = {
        "int": lambda: float(e.param),
        "var": lambda: float(point[e.param]),
        "PI": lambda: math.pi,
        "neg": lambda a: -a,
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
        "/": lambda a, b: a / b,
        "^": lambda a: a**e.param,
        "sqrt": math.sqrt,
        "exp": math.exp,
        "ln": math.log,
        "sin": math.sin,
        "cos": math.cos,
        "tan": math.tan,
        "cosh": math.cosh,
        "sinh": math.sinh,
        "tanh": math.tanh,
        "Rabs": abs,
        "Rmax": max,
        "Rmin": min,
        "Rpower": lambda a, b: math.exp(b * math.log(a)),
    }
    return float(functions[e.op](*args))
