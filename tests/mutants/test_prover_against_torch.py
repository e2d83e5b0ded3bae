"""At least a thousand pairs of torch snippets: what the prover says, against what running them says."""

import judging
import oracle
import pytest
import snippets

PAIRS = 1200


@pytest.fixture(scope="module")
def declared() -> judging.Tally:
    return judging.judge(snippets.pairs(PAIRS, seed=20261121), declared=True)


@pytest.fixture(scope="module")
def undeclared() -> judging.Tally:
    """The same without a domain: a and b are arbitrary, and the points include those outside it."""
    return judging.judge(snippets.pairs(PAIRS // 4, seed=7), declared=False)


def test_no_answer_is_contradicted_inside_the_domain(declared: judging.Tally) -> None:
    assert declared.disagreements == []


def test_no_answer_is_contradicted_outside_the_domain(undeclared: judging.Tally) -> None:
    assert undeclared.disagreements == []


def test_the_pairs_are_balanced_and_few_are_undecided(declared: judging.Tally) -> None:
    print({kind: dict(counts) for kind, counts in declared.counts.items()})
    assert set(declared.counts) == set(snippets.KINDS)
    assert declared.share(truth="equal") >= 0.3
    assert declared.share(truth="different") >= 0.3
    undecided = 1 - declared.share(answer="Equal") - declared.share(answer="Different")
    assert undecided < 0.1


def test_the_oracle_tells_a_falsehood() -> None:
    assert oracle.agree("m.sqrt((z * z))", "m.abs(z)", oracle.inside()[1])
    assert not all(oracle.agree("m.sqrt((z * z))", "z", p) for p in oracle.inside())
    assert not all(oracle.agree("(z / z)", "1", p) for p in oracle.inside())


def test_judging_catches_an_unsound_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """sqrt(z^2) == z, planted as a rule, is contradicted."""
    from equiv.symbolic.roots import Roots

    monkeypatch.setattr(Roots, "modulus", lambda self, f: self.field.of_polynomial(f))
    pair = snippets.Pair("roots", "m.sqrt((z * z))", "z")
    assert judging.judge([pair], declared=True).disagreements
