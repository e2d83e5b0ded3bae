"""Falsehoods that a careful prover has been seen to prove. None may be called equal here."""

from fractions import Fraction

import pytest

from equiv.number import cos, exp, log, maximum, minimum, sin, sqrt
from equiv.symbolic.decision import Different, Domain, Equal, Undecided, decide
from equiv.symbolic.expression import PI, Expr, Relation, as_expr, const, literal, node, symbol

z, y = symbol("z"), symbol("y")
A, B = symbol("A", "schedule", positive=True), symbol("B", "schedule", positive=True)
rho = symbol("rho", "schedule")
EVERYWHERE = Domain()
BELOW_ONE = Domain(Relation(A, "<", B), Relation(B, "<", 1))


def call(name: str, *args: Expr, **parameters: float) -> Expr:
    return node("call", *args, param=(name, *sorted(parameters.items())))


def cast(e: Expr, source: str, target: str) -> Expr:
    return node("cast", e, param=(source, target))


FALSEHOODS = {
    "log(-z) == log z": (log(-z), log(z)),
    "log(-A) == log A": (log(-A), log(A)),
    "z/z == 1": (z / z, 1),
    "0 z/z == 0": (0 * z / z, 0),
    "z/z z == z": (z / z * z, z),
    "z**-1 z == 1": (z ** const(-1) * z, 1),
    "(y - y + z)/z == 1": ((y - y + z) / z, 1),
    "0^rho == 0": (const(0) ** rho, 0),
    "log z - log z == 0": (log(z) - log(z), 0),
    "exp(z log 0) == 0": (exp(z * log(const(0))), 0),
    "exp(-z log 0) == 0": (exp(-z * log(const(0))), 0),
    "0 log 0 == 0": (0 * log(const(0)), 0),
    "log 0 - log 0 == 0": (log(const(0)) - log(const(0)), 0),
    "log A log 0 == log 0": (log(A) * log(const(0)) * 0, 0),
    "round(z, 2) == round(z, 3)": (call("round", z, decimals=2), call("round", z, decimals=3)),
    "quantile(.5) == quantile(.995)": (call("quantile", z, q=0.5), call("quantile", z, q=0.995)),
    "floor(z) == ceil(z)": (call("floor", z), call("ceil", z)),
    "floor(z) == floor(y)": (call("floor", z), call("floor", y)),
    "z.long().float() == z": (cast(call("trunc", z), "float32", "float64"), z),
    "(1e5).half() == 1e5": (cast(const(100000), "float32", "float16"), const(100000)),
    "sqrt(z^2) == z": (sqrt(z * z), z),
    "sqrt(z)^2 == z": (sqrt(z) ** 2, z),
    "sqrt(z y) == sqrt(z) sqrt(y)": (sqrt(z * y), sqrt(z) * sqrt(y)),
    "exp(log z) == z": (exp(log(z)), z),
    "(z^2)^(1/4) == sqrt z": ((z * z) ** const(Fraction(1, 4)), sqrt(z)),
    "max(z, y) == z": (maximum(z, y), z),
    "min(max(z, -1), 1) == z": (minimum(maximum(z, -1), 1), z),
    "max(z, 0) == min(z, 0)": (maximum(z, 0), minimum(z, 0)),
    "sin z / sin z == 1": (sin(z) / sin(z), 1),
    "cos(A) == cos(2 A)": (cos(A), cos(2 * A)),
    "sqrt(-1)^2 == -1": (sqrt(const(-1)) ** 2, -1),
    "1/0 == 1/0": (1 / const(0), 1 / const(0)),
    "z/(A - A) == z/(A - A)": (z / (A - A), z / (A - A)),
    "0.333 == 1/3": (literal(0.333) * z, z / 3),
    "0.3333333 == 1/3": (literal(0.3333333) * z, z / 3),
    "0.9999 == 1": (literal(0.9999) * z, z),
    "1e-8 == 0": (z + literal(1e-8), z),
    "0.18215 == 51/280": (literal(0.18215) * z, z * 51 / 280),
    "3.14159265 == pi": (literal(3.14159265) * z, PI * z),
    "(0.1 + 0.2)/0.3 == 1": (literal((0.1 + 0.2) / 0.3) * z, z),
    "0.04166667 == 1/24": (literal(0.04166667) * z, z / 24),
    "a float32 table value == 1/3": (const(Fraction(11184811, 33554432)) * z, z / 3),
    "pow(z, 0.5)^2 == z": ((z ** literal(0.5)) ** 2, z),
}


@pytest.mark.parametrize("sides", FALSEHOODS.values(), ids=FALSEHOODS)
def test_a_falsehood_is_never_proved(sides: tuple[Expr, Expr | int]) -> None:
    left, right = map(as_expr, sides)
    assert not isinstance(decide(left, right, EVERYWHERE), Equal)
    assert not isinstance(decide(right, left, EVERYWHERE), Equal)


TRUTHS = {
    "sqrt(3 + 2 sqrt 2) == 1 + sqrt 2": (sqrt(3 + 2 * sqrt(const(2))), 1 + sqrt(const(2))),
    "(A^(1/7))^7 == A": ((A ** const(Fraction(1, 7))) ** 7, A),
    "exp(z) exp(-z) == 1": (exp(z) * exp(-z), 1),
    "exp(log(A)/3)^3 == A": (exp(log(A) / 3) ** 3, A),
    "sqrt(z^2) == |z|": (sqrt(z * z), abs(z)),
    "max(z, -z) == |z|": (maximum(z, -z), abs(z)),
    "max(z, y) == max(y, z)": (maximum(z, y), maximum(y, z)),
    "min(max(z, -1), 1) == max(min(z, 1), -1)": (minimum(maximum(z, -1), 1), maximum(minimum(z, 1), -1)),
    "A^rho == exp(rho log A)": (A**rho, exp(rho * log(A))),
    "(A/B)^(rho-1) A/B == A^rho/B^rho": ((A / B) ** (rho - 1) * (A / B), A**rho / B**rho),
    "cos^2 + sin^2 == 1": (cos(z) ** 2 + sin(z) ** 2, 1),
    "cos(2 z) == 2 cos(z)^2 - 1": (cos(2 * z), 2 * cos(z) ** 2 - 1),
    "cos(z + y), expanded": (cos(z + y), cos(z) * cos(y) - sin(z) * sin(y)),
    "cos(pi/12)": (cos(PI / 12), (sqrt(const(6)) + sqrt(const(2))) / 4),
    "cos(pi A) by half angles": (cos(PI * A), 1 - 2 * sin(PI * A / 2) ** 2),
    "sqrt(z^2 + 1)^2 == z^2 + 1": (sqrt(z * z + 1) ** 2, z * z + 1),
    "1/24 from its float": (literal(1 / 24) * z, z / 24),
    "pi from its float": (literal(3.141592653589793) * z, PI * z),
    "x**0.5 == sqrt(x)": (A ** literal(0.5), sqrt(A)),
    "x**-0.5 == 1/sqrt(x)": (A ** literal(-0.5), 1 / sqrt(A)),
    "exp(A log 0) == 0": (exp(A * log(const(0))), 0),
    "round is a function": (call("round", z + y, decimals=2), call("round", y + z, decimals=2)),
    "widening is exact": (cast(z, "float32", "float64"), z),
}


@pytest.mark.parametrize("sides", TRUTHS.values(), ids=TRUTHS)
def test_a_truth_is_proved(sides: tuple[Expr, Expr | int]) -> None:
    left, right = map(as_expr, sides)
    assert isinstance(decide(left, right, EVERYWHERE), Equal)


def test_an_uncancelled_denominator_of_the_schedule_is_listed() -> None:
    decision = decide((A - B) / (A - B), const(1), EVERYWHERE)
    assert isinstance(decision, Equal)
    assert [c.text for c in decision.conditions if not c.discharged] == ["A - B != 0"]
    inside = decide((A - B) / (A - B), const(1), BELOW_ONE)
    assert isinstance(inside, Equal)
    assert all(c.discharged for c in inside.conditions)


def test_a_logarithm_below_a_fraction_asks_that_its_argument_is_not_one() -> None:
    decision = decide(log(A) / log(A), const(1), EVERYWHERE)
    assert isinstance(decision, Equal)
    assert [c.text for c in decision.conditions if not c.discharged] == ["log(A) != 0"]
    assert isinstance(decide(log(A - A + 1) / log(A - A + 1), const(1), EVERYWHERE), Undecided)


def test_an_empty_domain_proves_nothing() -> None:
    nowhere = Domain(Relation(A, "<", B), Relation(B, "<", A))
    assert isinstance(decide(z, y, nowhere), Undecided)
    assert isinstance(decide(z, z, nowhere), Undecided)


def test_a_point_outside_the_domain_proves_nothing() -> None:
    outside = Domain(Relation(A, "<", 1), at={A: Fraction(2), z: Fraction(1)})
    assert isinstance(decide(A * z, z * A, outside), Undecided)


def test_a_condition_that_fails_at_the_point_run_proves_nothing() -> None:
    at = Domain(at={A: Fraction(1, 2), B: Fraction(1, 2)})
    assert isinstance(decide((A - B) / (A - B), const(1), at), Undecided)


def test_a_sign_read_off_the_schedule_is_listed() -> None:
    at = Domain(at={A: Fraction(1, 2), B: Fraction(1, 4)})
    decision = decide(sqrt((A - B) ** 2), A - B, at)
    assert isinstance(decision, Equal)
    assert [(c.text, c.kind) for c in decision.conditions if not c.discharged] == [("B - A < 0", "sign")]


def test_a_clamp_of_the_schedule_is_a_branch_taken() -> None:
    at = Domain(at={A: Fraction(1, 2)})
    decision = decide(maximum(A, literal(1e-20)), A, at)
    assert isinstance(decision, Equal)
    assert [c.kind for c in decision.conditions if not c.discharged] == ["branch"]


def test_a_narrowing_cast_is_listed() -> None:
    decision = decide(cast(z, "float64", "float32"), z, Domain(at={z: Fraction(1, 2)}))
    assert isinstance(decision, Equal)
    assert [c.kind for c in decision.conditions] == ["cast"]


def test_an_idealised_constant_is_listed() -> None:
    decision = decide(literal(1 / 24) * z, z / 24, EVERYWHERE)
    assert isinstance(decision, Equal)
    assert [c.kind for c in decision.conditions] == ["idealised constant"]


def test_nonzero_normal_forms_alone_refute_nothing() -> None:
    unknown = decide(call("round", z, decimals=2), call("round", z, decimals=3), EVERYWHERE)
    assert isinstance(unknown, Undecided)


def test_a_witness_is_certified_and_simple() -> None:
    decision = decide(sqrt(z * z), z, EVERYWHERE)
    assert isinstance(decision, Different)
    assert decision.witness.inputs == {"z": "-1"}
    assert (decision.witness.got, decision.witness.expected) == ("1", "-1")


def test_only_schedule_symbols_may_be_positive() -> None:
    with pytest.raises(ValueError, match="only schedule symbols"):
        symbol("w", "state", positive=True)
