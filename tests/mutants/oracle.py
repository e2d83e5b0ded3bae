"""What a snippet or a sampler is worth at a point, by running its source on 60-digit numbers.

No code of the prover is used; of its answers, only the conditions are read.
"""

import itertools
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import mpmath

mpmath.mp.dps = 60
Point = Mapping[str, Fraction]
LEVELS = 3  # that a sampler is given
DIGITS = 45  # to which equal values agree: the rest is lost to rounding


class Undefined(ArithmeticError):
    """Torch would give nan or an infinity."""


class Number:
    """A 60-digit real with the operations and methods that the sources use on a tensor.

    As with a tensor, what ends in ``_``, and an augmented assignment, changes the number itself.
    """

    shape = ()

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

    def __pow__(self, o: Any) -> "Number":
        exponent = Number(o).v
        integral = exponent == int(exponent)
        if (self.v < 0 and not integral) or (self.v == 0 and exponent < 0):
            raise Undefined
        return Number(mpmath.power(self.v, exponent))

    __radd__, __rmul__ = __add__, __mul__

    def __lt__(self, o: Any) -> bool:
        return bool(self.v < Number(o).v)

    def __gt__(self, o: Any) -> bool:
        return bool(self.v > Number(o).v)

    def copy_(self, o: Any) -> "Number":
        self.v = Number(o).v
        return self

    def add_(self, o: Any) -> "Number":
        return self.copy_(self + o)

    def sub_(self, o: Any) -> "Number":
        return self.copy_(self - o)

    def mul_(self, o: Any) -> "Number":
        return self.copy_(self * o)

    def div_(self, o: Any) -> "Number":
        return self.copy_(self / o)

    __iadd__, __isub__, __imul__, __itruediv__ = add_, sub_, mul_, div_

    def clamp_(self, low: Any, high: Any) -> "Number":
        return self.copy_(Functions.clamp(self, low, high))

    def clone(self) -> "Number":
        return Number(self)

    def itself(self, *_: Any) -> "Number":
        return self

    double = item = view = unsqueeze = squeeze = flatten = itself

    def long(self) -> "Number":
        return Number(int(self.v))


class Functions:
    """The functions of ``torch``, on :class:`Number`; ``noises`` are what is drawn."""

    def __init__(self, noises: Iterator[Number]) -> None:
        self._noises = noises

    def randn_like(self, _: Any) -> Number:
        return next(self._noises).clone()

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
    def clamp(x: Any, low: Any, high: Any) -> Number:
        return Number(min(max(Number(x).v, Number(low).v), Number(high).v))

    @staticmethod
    def where(condition: bool, x: Any, y: Any) -> Number:
        return Number(x if condition else y)

    @staticmethod
    def add(x: Any, y: Any, out: Number | None = None) -> Number:
        return x + y if out is None else out.copy_(x + y)

    @staticmethod
    def mul(x: Any, y: Any, out: Number | None = None) -> Number:
        return x * y if out is None else out.copy_(x * y)

    @staticmethod
    def lerp(x: Any, y: Any, weight: Any) -> Number:
        return x + weight * (y - x)

    @staticmethod
    def empty_like(x: Any) -> Number:
        return Number(mpmath.nan)


def value(source: str, point: Point) -> Number | None:
    """The value of a source, or None where it has none."""
    numbers = {k: Number(mpmath.mpf(v.numerator) / v.denominator) for k, v in point.items()}
    zero = Number(0)
    m = Functions(numbers.get(f"n{k or ''}", zero) for k in itertools.count())
    try:
        if not source.startswith("def "):
            return Number(eval(source, {"m": m, **numbers}))
        levels = [numbers[f"s_{k}"] for k in range(LEVELS)]
        return Number(sampler(source)(m, numbers["z"], numbers["x"], numbers["y"], levels))
    except Undefined:
        return None


def sampler(source: str) -> Any:
    """The function that a source defines."""
    made: dict[str, Any] = {}
    exec(source, made)
    return made["step"]


def agree(left: str, right: str, point: Point, *, digits: int = DIGITS) -> bool:
    """Have both sources the same value there, or both none?"""
    a, b = value(left, point), value(right, point)
    if a is None or b is None:
        return a is b
    return bool(abs(a.v - b.v) <= mpmath.mpf(10) ** -digits * (1 + abs(a.v)))


# --- the conditions of an answer ------------------------------------------------------------------------


def holds(relation: Any, point: Point) -> bool:
    """Does a relation between expressions hold at a point? Where it has no value it does not."""
    try:
        gap = _worth(relation.left, point) - _worth(relation.right, point)
    except Undefined:
        return False
    off = mpmath.mpf(10) ** -DIGITS
    match relation.op:
        case "<":
            return bool(gap.v < 0)
        case "<=":
            return bool(gap.v <= off)
        case "==":
            return bool(abs(gap.v) <= off)
        case "!=":
            return bool(abs(gap.v) > off)
    raise ValueError(relation.op)


def _worth(e: Any, point: Point) -> Number:
    args = [_worth(a, point) for a in e.args]
    match e.op:
        case "symbol":
            named = point[e.param.name]
            return Number(mpmath.mpf(named.numerator) / named.denominator)
        case "const":
            return Number(mpmath.mpf(e.param.numerator) / e.param.denominator)
        case "literal":
            return Number(e.param)
        case "pi":
            return Number(mpmath.pi)
        case "neg":
            return -args[0]
        case "add" | "sub" | "mul" | "div" | "pow":
            name = {"div": "truediv"}.get(e.op, e.op)
            return getattr(args[0], f"__{name}__")(args[1])
        case "max" | "min":
            return getattr(Functions, f"{e.op}imum")(*args)
    return getattr(Functions, e.op)(*args)


# --- points ---------------------------------------------------------------------------------------------


def points_of(*texts: str) -> list[tuple[Fraction, ...]]:
    return [tuple(map(Fraction, text.split())) for text in texts]


_STATES = points_of("0.5 -1.5", "-2 0.75", "3 -1", "0 2", "1 0", "-0.25 -4")
_INSIDE = points_of("0.25 0.75", "0.125 0.5", "0.5 0.625")
_OUTSIDE = points_of("0.75 0.25", "-0.5 0.5", "2 -0.25", "0 1", "0.5 0.5", "-3 1.5")


def inside() -> list[Point]:
    """Points of the domain 0 < a < b < 1, with states of all signs. All are exact in float64."""
    return [{"z": z, "w": w, "a": a, "b": b} for z, w in _STATES for a, b in _INSIDE]


def outside() -> list[Point]:
    """Points at which nothing is promised of a and b."""
    return [{"z": z, "w": w, "a": a, "b": b} for z, w in _STATES for a, b in _OUTSIDE]
