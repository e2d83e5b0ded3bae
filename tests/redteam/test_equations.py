"""What follows from a hypothesis that is an equation, and what only seems to."""

import pytest

from equiv.number import exp, log, sqrt
from equiv.symbolic.decision import Different, Domain, Equal, Undecided, decide
from equiv.symbolic.expression import Expr, Relation, as_expr, symbol

z, y = symbol("z"), symbol("y")
A, B, C = (symbol(name, "schedule", positive=True) for name in "ABC")
r = symbol("r", "schedule")


def where(*equations: tuple[Expr, Expr | int]) -> Domain:
    return Domain(*(Relation(left, "==", right) for left, right in equations))


CIRCLE = where((A**2 + B**2, 1))

TRUTHS = {
    "a square": (A**2, 1 - B**2, CIRCLE),
    "the positive root": (sqrt(1 - A**2), B, CIRCLE),
    "the other positive root": (sqrt(1 - B**2), A, CIRCLE),
    "after factoring": ((1 - A) * (1 + A) / B, B, CIRCLE),
    "a hypothesis beside it": (
        sqrt(1 - A**2) * C,
        B * C,
        Domain(Relation(A**2 + B**2, "==", 1), Relation(A, "<", C)),
    ),
    "of states": (z * A + y * B, 0, where((z * A, -y * B))),
    "a logarithm": (log(A), 2 * log(B), where((A, B * B))),
    "a symbol that is given": (exp(2 * log(A)), B, where((A, sqrt(B)))),
    "a quotient": (A / B, C, where((A, B * C))),
    "in turn": (A, C, where((A, B), (B, C))),
    "of unknown sign, squared": (r**2, B, where((r**2, B))),
}

FALSEHOODS = {
    "the negative root": (sqrt(1 - A**2), -B, CIRCLE),
    "a sum without squares": (A + B, 1, CIRCLE),
    "a sign": (z * A - y * B, 0, where((z * A, -y * B))),
    "one root of two": (z, 1, where((z * z, 1))),
    "a factor": (log(A), log(B), where((A, B * B))),
    "a root where it is zero": (A, -B, where((A * A, B * B))),
}


@pytest.mark.parametrize("case", TRUTHS.values(), ids=TRUTHS)
def test_what_follows_is_proved(case: tuple[Expr, Expr | int, Domain]) -> None:
    left, right, domain = case
    assert isinstance(decide(left, as_expr(right), domain), Equal)
    assert not isinstance(decide(left, as_expr(right), Domain()), Equal)


@pytest.mark.parametrize("case", FALSEHOODS.values(), ids=FALSEHOODS)
def test_what_does_not_follow_is_refuted(case: tuple[Expr, Expr | int, Domain]) -> None:
    left, right, domain = case
    assert isinstance(decide(left, as_expr(right), domain), Different)


def test_a_witness_says_what_the_other_symbols_are() -> None:
    found = decide(A + B, as_expr(1), CIRCLE)
    assert isinstance(found, Different)
    assert sorted(found.witness.inputs) == ["A", "B"]
    assert "sqrt" in found.witness.inputs["A"] + found.witness.inputs["B"]


@pytest.mark.parametrize(
    "equations",
    [[(A, B), (A, 2 * B)], [(A, -B)], [(A + B, 0)], [(z, z + 1)], [(A**2, B), (B, -C)]],
    ids=["twice", "a negative value", "a sum of positives", "never", "in turn"],
)
def test_nothing_follows_from_a_contradiction(equations: list[tuple[Expr, Expr | int]]) -> None:
    assert isinstance(decide(A, C, where(*equations)), Undecided)


def test_where_an_equation_has_no_value_nothing_is_claimed() -> None:
    assert isinstance(decide(z / z, as_expr(1), where((z * y / y, z))), Undecided)
    found = decide(y, as_expr(0), where((z / y, z / y)))
    assert isinstance(found, Different)
    assert found.witness.inputs["y"] != "0"
