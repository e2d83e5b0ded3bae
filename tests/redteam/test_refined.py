"""Roots and logarithms of exponentials that are refined later, and what is too large to expand."""

from fractions import Fraction

import pytest

from equiv.number import exp, log, sqrt
from equiv.symbolic.decision import Different, Domain, Equal, Undecided, decide
from equiv.symbolic.expression import Expr, const, symbol

A, B, C, t = (symbol(name, "schedule", positive=True) for name in "ABCt")


def power(base: Expr, exponent: str) -> Expr:
    return base ** const(Fraction(exponent))


half = exp(-t / 2)
TRUTHS = {
    "a root": (sqrt(1 - exp(-t)), sqrt(1 - half) * sqrt(1 + half)),
    "a logarithm": (log(1 - exp(-t)), log(1 - half) + log(1 + half)),
    "of a sum": (power(A + B, "500/997") * power(A + B, "497/997"), A + B),
    "expanded": ((power(A, "500/997") + C) ** 8, (C + power(A, "500/997")) ** 8),
}
FALSEHOODS = {
    "another root": (sqrt(1 - exp(-t)), sqrt(1 - half) * sqrt(2 + half)),
    "another logarithm": (log(1 - exp(-t)), log(1 - half) - log(1 + half)),
    "another power": (power(A + B, "500/997") * power(A + B, "498/997"), A + B),
    "another sum": ((power(A, "500/997") + C) ** 8, (C + power(A, "499/997")) ** 8),
    "too large": ((A + B + C + t + 1) ** 40 / (A + B) ** 30 + 1 / (B + C + t) ** 30, C),
}


@pytest.mark.parametrize("sides", TRUTHS.values(), ids=TRUTHS)
def test_it_is_proved(sides: tuple[Expr, Expr]) -> None:
    assert isinstance(decide(*sides, Domain()), Equal)


@pytest.mark.parametrize("sides", FALSEHOODS.values(), ids=FALSEHOODS)
def test_it_is_refuted(sides: tuple[Expr, Expr]) -> None:
    assert isinstance(decide(*sides, Domain()), Different)


def test_what_is_too_large_to_expand_is_undecided_at_once() -> None:
    large = (A + B + C + t + 1) ** 40
    found = decide(large * (A - B), large * A - large * B, Domain())
    assert isinstance(found, Undecided)
    assert "too large" in found.reason
