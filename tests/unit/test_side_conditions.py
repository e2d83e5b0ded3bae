"""What follows of signs, and what may not be said to follow."""

import pytest

from equiv.number import cos, exp, log, sin, sqrt
from equiv.symbolic.expression import PI, Expr, Relation, const, symbol
from equiv.symbolic.side_conditions import proves

s, t = (symbol(name, "schedule", positive=True) for name in "st")
x, y = symbol("x"), symbol("y")
ANGLE = (Relation(t, "<", PI / 2),)
BELOW = (Relation(s, "<", t), Relation(t, "<", PI / 2))
UNIT = (Relation(t, "<", 1),)


def positive(e: Expr) -> Relation:
    return Relation(const(0), "<", e)


def nonzero(e: Expr) -> Relation:
    return Relation(e, "!=", const(0))


FOLLOWS = {
    "cos on a quarter turn": (ANGLE, positive(cos(t))),
    "sin on a quarter turn": (ANGLE, positive(sin(t))),
    "with pi inside": (UNIT, positive(cos(PI * t / 2))),
    "sin with pi inside": (UNIT, nonzero(sin(PI * t / 2))),
    "on the circle": (ANGLE, nonzero(1 - cos(t) ** 2 - sin(t) ** 2 + cos(t))),
    "cos falls": (BELOW, positive(cos(s) - cos(t))),
    "sin rises": (BELOW, positive(sin(t) - sin(s))),
    "sin below its angle": ((), Relation(sin(t), "<=", t)),
    "factors": (UNIT, nonzero(sqrt(1 - t) * (1 - t) ** 3 / cos(t) * exp(x))),
    "a factor by what the other one needs": ((), nonzero(log(x - 1) * x / log(x - 1))),
}

DOES_NOT = {
    "cos anywhere": ((), positive(cos(t))),
    "sin anywhere": ((), nonzero(sin(t))),
    "cos up to pi": ((Relation(t, "<", PI),), nonzero(cos(t))),
    "sin up to 2 pi": ((Relation(t, "<", 2 * PI),), positive(sin(t))),
    "sin at zero": ((Relation(x, "<", 1), Relation(const(-1), "<", x)), nonzero(sin(x))),
    "cos falls up to 2 pi": ((Relation(s, "<", t), Relation(t, "<", 2 * PI)), positive(cos(s) - cos(t))),
    "sin rises up to pi": ((Relation(s, "<", t), Relation(t, "<", PI)), positive(sin(t) - sin(s))),
    "cos falls on states": ((Relation(x, "<", y),), positive(cos(x) - cos(y))),
    "sin above its angle": ((), Relation(t, "<", sin(t))),
    "one factor": (UNIT, nonzero((1 - t) * (t - s))),
    "a sum of factors": ((), nonzero(x * y + 1)),
}


@pytest.mark.parametrize("case", FOLLOWS.values(), ids=FOLLOWS)
def test_it_follows(case: tuple[tuple[Relation, ...], Relation]) -> None:
    assert proves(*case)


@pytest.mark.parametrize("case", DOES_NOT.values(), ids=DOES_NOT)
def test_it_does_not_follow(case: tuple[tuple[Relation, ...], Relation]) -> None:
    assert not proves(*case)
