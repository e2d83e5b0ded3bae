"""Which real number a float64 literal of source code may stand for."""

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction

from equiv import number
from equiv.symbolic.expression import PI, Expr, const

LARGEST_DENOMINATOR = 5040
_NAMED = (
    PI,
    number.sqrt(const(2)),
    number.log(const(2)),
    number.exp(const(1)),
)
_NAMED_VALUES = (3.141592653589793, 1.4142135623730951, 0.6931471805599453, 2.718281828459045)
MOST_READINGS = 256


def candidates(value: float) -> list[Expr]:
    """What a literal may mean, in the order of trying.

    The exact value, the shortest decimal, a small fraction that rounds to it, a small fraction of a named
    constant that rounds to it.
    """
    exact, decimal = Fraction(value), Fraction(repr(value))
    found = [const(exact)]
    small = exact.limit_denominator(LARGEST_DENOMINATOR)
    for rational in (decimal, small):
        if float(rational) == value and const(rational) not in found:
            found.append(const(rational))
    for named, size in zip(_NAMED, _NAMED_VALUES, strict=True):
        ratio = Fraction(value / size).limit_denominator(12)
        if ratio and float(ratio) * size == value:
            found.append(const(ratio) * named)
    return found


def readings(values: Sequence[float]) -> Iterator[dict[float, Expr]]:
    """Ways to read all literals together, likeliest first: all by the same rule, then mixed."""
    options = [candidates(v) for v in values]
    depth = max(map(len, options), default=1)
    seen: set[tuple[Expr, ...]] = set()
    alike = (tuple(o[min(k, len(o) - 1)] for o in options) for k in range(depth))
    for choice in itertools.islice(itertools.chain(alike, itertools.product(*options)), MOST_READINGS):
        if choice not in seen:
            seen.add(choice)
            yield dict(zip(values, choice, strict=True))


def idealised(value: float, meant: Expr) -> bool:
    """Is ``meant`` something else than the float itself?"""
    return meant is not const(Fraction(value))
