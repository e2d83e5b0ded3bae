"""What a snippet is worth at a point, by running its source on 60-digit numbers.

No code of the prover is used.
"""

from fractions import Fraction
from typing import Any

import mpmath

mpmath.mp.dps = 60
Point = dict[str, Fraction]


class Undefined(ArithmeticError):
    """Torch would give nan or an infinity."""


class Number:
    """A 60-digit real with the operations and methods that a snippet uses on a tensor."""

    def __init__(self, value: Any) -> None:
        self.v = value.v if isinstance(value, Number) else mpmath.mpf(value)

    def __add__(self, o: Any) -> "Number":
        return Number(self.v + Number(o).v)

    def __sub__(self, o: Any) -> "Number":
        return Number(self.v - Number(o).v)

    def __mul__(self, o: Any) -> "Number":
        return Number(self.v * Number(o).v)

    def __rsub__(self, o: Any) -> "Number":
        return Number(o) - self

    def __truediv__(self, o: Any) -> "Number":
        if Number(o).v == 0:
            raise Undefined
        return Number(self.v / Number(o).v)

    def __rtruediv__(self, o: Any) -> "Number":
        return Number(o) / self

    def __neg__(self) -> "Number":
        return Number(-self.v)

    def __pow__(self, o: float) -> "Number":
        integral = float(o).is_integer()
        if (self.v < 0 and not integral) or (self.v == 0 and o < 0):
            raise Undefined
        return Number(mpmath.power(self.v, mpmath.mpf(o)))

    __radd__, __rmul__ = __add__, __mul__

    def double(self) -> "Number":
        return self

    def long(self) -> "Number":
        return Number(int(self.v))


class _Functions:
    """The functions of ``torch``, on :class:`Number`."""

    @staticmethod
    def sqrt(x: Any) -> Number:
        return Number(x) ** 0.5

    @staticmethod
    def log(x: Any) -> Number:
        if Number(x).v <= 0:
            raise Undefined
        return Number(mpmath.log(Number(x).v))

    @staticmethod
    def exp(x: Any) -> Number:
        return Number(mpmath.exp(Number(x).v))

    @staticmethod
    def expm1(x: Any) -> Number:
        return Number(mpmath.expm1(Number(x).v))

    @staticmethod
    def sin(x: Any) -> Number:
        return Number(mpmath.sin(Number(x).v))

    @staticmethod
    def cos(x: Any) -> Number:
        return Number(mpmath.cos(Number(x).v))

    @staticmethod
    def abs(x: Any) -> Number:
        return Number(abs(Number(x).v))

    @staticmethod
    def maximum(x: Any, y: Any) -> Number:
        return Number(max(Number(x).v, Number(y).v))

    @staticmethod
    def minimum(x: Any, y: Any) -> Number:
        return Number(min(Number(x).v, Number(y).v))

    @staticmethod
    def clamp(x: Any, low: float, high: float) -> Number:
        return Number(min(max(Number(x).v, Number(low).v), Number(high).v))


def value(source: str, point: Point) -> Number | None:
    """The value of a snippet, or None where it has none."""
    numbers = {k: Number(mpmath.mpf(v.numerator) / v.denominator) for k, v in point.items()}
    try:
        return Number(eval(source, {"m": _Functions, **numbers}))
    except Undefined:
        return None


def agree(left: str, right: str, point: Point) -> bool:
    """Have both snippets the same value there, or both none?"""
    a, b = value(left, point), value(right, point)
    if a is None or b is None:
        return a is b
    return bool(abs(a.v - b.v) <= mpmath.mpf(10) ** -45 * (1 + abs(a.v)))


def _points(*texts: str) -> list[tuple[Fraction, ...]]:
    return [tuple(map(Fraction, text.split())) for text in texts]


_STATES = _points("0.5 -1.5", "-2 0.75", "3 -1", "0 2", "1 0", "-0.25 -4")
_INSIDE = _points("0.25 0.75", "0.125 0.5", "0.5 0.625")
_OUTSIDE = _points("0.75 0.25", "-0.5 0.5", "2 -0.25", "0 1", "0.5 0.5", "-3 1.5")


def inside() -> list[Point]:
    """Points of the domain 0 < a < b < 1, with states of all signs. All are exact in float64."""
    return [{"z": z, "w": w, "a": a, "b": b} for z, w in _STATES for a, b in _INSIDE]


def outside() -> list[Point]:
    """Points at which nothing is promised of a and b."""
    return [{"z": z, "w": w, "a": a, "b": b} for z, w in _STATES for a, b in _OUTSIDE]
