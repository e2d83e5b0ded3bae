"""Statements with one operator changed are refuted, or shown to say the same."""

from equiv.evidence import Proof
from equiv.number import cos, sqrt
from equiv.symbolic.decision import Domain
from equiv.symbolic.expression import Expr, Relation, const, node, symbol
from equiv.symbolic.mutation import PER_CLAIM, is_algebraic, mutants, tally

A_T, A_S = (symbol(f"alpha_{k}", "schedule", positive=True) for k in "ts")
Z = symbol("z")


def test_a_mutant_differs_from_its_original_in_one_place() -> None:
    e = sqrt(A_T) * Z + A_S**2 / cos(Z)
    changed = {what for what, mutant in mutants(e, 200, "seed") if mutant is not e}
    assert changed == {"sign", "factor", "operator", "exponent", "levels"}


def test_mutants_of_a_truth_are_refuted_or_equal() -> None:
    counts = tally([((A_T + A_S) * Z, A_T * Z + A_S * Z)], Domain(), "seed")
    assert sum(counts.values()) == PER_CLAIM
    assert counts["refuted"] >= PER_CLAIM - 2
    assert set(counts) <= {"refuted", "equal"}


def test_a_mutant_that_says_the_same_is_shown_equal() -> None:
    assert tally([(Z - Z, Z - Z)], Domain(), "seed").get("equal", 0) > 0


def test_of_what_is_zero_the_other_side_is_changed() -> None:
    square = (A_T + A_S) ** 2 - A_T**2 - 2 * A_T * A_S - A_S**2
    assert tally([(square, const(0))], Domain(), "seed")["refuted"] >= PER_CLAIM / 2


def test_a_procedure_that_calls_everything_equal_is_noticed(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """With a zero test that always says yes, certified values contradict the mutants."""
    from equiv.symbolic.normal_form import Field

    monkeypatch.setattr(Field, "equal", lambda _self, _a, _b: True)
    counts = tally([((A_T + A_S) * Z, A_T * Z + A_S * Z)], Domain(), "seed")
    assert counts.get("contradicted", 0) > 0
    assert "refuted" not in counts


def test_mutants_are_told_apart_where_only_z3_finds_a_point() -> None:
    """It likes zeros, at which a sign or a factor changes nothing."""
    a, b, c, p, q, r, x = map(symbol, ("a", "b", "c", "p", "q", "r", "x"))
    minors = (a, a * b - p * p, a * (b * c - r * r) - p * (p * c - q * r) + q * (p * r - q * b))
    definite = Domain(*(Relation(const(0), "<", minor) for minor in minors))
    counts = tally([(a * x + p * x, (a + p) * x), (p * q + r * x, x * r + q * p)], definite, "seed")
    assert counts["refuted"] >= PER_CLAIM - 1


def test_what_has_no_value_takes_no_part() -> None:
    opaque: Expr = node("call", param=("opaque", "f", "f", False))
    assert not is_algebraic(opaque + Z)
    assert tally([(opaque, opaque + 0)], Domain(), "seed") == {}


def test_a_proof_carries_the_counts() -> None:
    from equiv.proofs.deterministic import f_three_rows
    from equiv.symbolic.prover import prove

    (proof, *_) = prove(f_three_rows)
    assert isinstance(proof, Proof)
    assert sum(proof.mutants.values()) == PER_CLAIM
    assert proof.mutants["refuted"] > 0
    assert not {"contradicted", "undecided"} & set(proof.mutants)
