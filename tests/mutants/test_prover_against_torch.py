"""A sample of what ``nox -s mutants`` runs: the prover on pairs of sources, and what running them says."""

from pathlib import Path

import campaign
import judging
import oracle
import pytest
import samplers
import snippets

from equiv.lifting import operators, plan
from equiv.symbolic.expression import Relation

PAIRS = {"on the domain": 1200, "with nothing promised": 300, "samplers": 200}


@pytest.fixture(scope="module", params=PAIRS)
def judged(request: pytest.FixtureRequest) -> tuple[str, judging.Tally]:
    stream = campaign.STREAMS[request.param]
    return request.param, judging.judge(stream.pairs(PAIRS[request.param], 20261121), stream.setting)


def test_no_answer_is_contradicted_and_the_pairs_are_balanced(judged: tuple[str, judging.Tally]) -> None:
    name, tally = judged
    print(campaign.table(dict([judged])))
    assert set(tally.counts) == ({samplers.KIND} if name == "samplers" else set(snippets.KINDS))
    assert campaign.faults(dict([judged])) == []


def test_where_nothing_is_promised_something_is_decided(judged: tuple[str, judging.Tally]) -> None:
    _, tally = judged
    assert tally.undecided() < 0.6
    assert min(tally.share(answer=a) for a in ("Equal", "Different")) > 0.1


def test_the_oracle_tells_a_falsehood() -> None:
    assert oracle.agree("m.sqrt((z * z))", "m.abs(z)", oracle.inside()[1])
    assert not all(oracle.agree("m.sqrt((z * z))", "z", p) for p in oracle.inside())
    assert not all(oracle.agree("(z / z)", "1", p) for p in oracle.inside())


def test_the_oracle_writes_into_numbers_as_torch_does() -> None:
    source = (
        "def step(m, z, x, y, s):\n    w = z.view(-1)\n    w.mul_(3)\n    x *= 2\n    return z + x + s[1]"
    )
    point = judging.SAMPLERS.points[0]
    expected = 3 * point["z"] + 2 * point["x"] + point["s_1"]
    found = oracle.value(source, point)
    assert found is not None and found.v == float(expected)
    assert judging.SAMPLERS.run(source, [point]).tolist() == [float(expected)]


@pytest.mark.parametrize("source", samplers.SOURCES.values(), ids=samplers.SOURCES)
def test_the_oracle_and_torch_agree_on_every_sampler(source: str) -> None:
    step = samplers.written(source)
    exact = [oracle.value(step, p) for p in judging.SAMPLERS.points]
    found = judging.SAMPLERS.run(step, judging.SAMPLERS.points).tolist()
    assert found == pytest.approx([float(e.v) for e in exact if e is not None], rel=1e-9)


def test_judging_catches_an_unsound_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """sqrt(z^2) == z, planted as a rule, is contradicted."""
    from equiv.symbolic.roots import Roots

    monkeypatch.setattr(Roots, "modulus", lambda self, f: self.field.of_polynomial(f))
    pair = snippets.Pair("roots", "m.sqrt((z * z))", "z")
    assert judging.judge([pair], judging.DECLARED).disagreements


def test_a_reading_that_is_wrong_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Factors left out of products: the code, run again, gives something else."""
    monkeypatch.setitem(operators.ARITHMETIC, "mul", lambda x, y: x)
    plan.plan.cache_clear()
    body = "def step(m, z, x, y, s):\n    return "
    pair = snippets.Pair(samplers.KIND, f"{body}z * s[0]", f"{body}z")
    found = judging.judge([pair], judging.SAMPLERS)
    plan.plan.cache_clear()
    assert found.total == {("different", "NoneType"): 1}


def test_a_condition_that_does_not_hold_excuses_and_one_that_holds_does_not() -> None:
    point = judging.DECLARED.points[0]
    a, b = judging.DECLARED.domain[0].left, judging.DECLARED.domain[0].right
    assert oracle.holds(Relation(a, "<", b), point) and not oracle.holds(Relation(b, "<=", a), point)
    assert oracle.holds(Relation(a - b, "!=", a - a), point)
    assert not oracle.holds(Relation(a / (b - b), "!=", b), point)


def test_what_was_judged_is_recalled(tmp_path: Path) -> None:
    tally = judging.judge(snippets.pairs(12, 1), judging.DECLARED)
    tally.disagreements.append("said")
    kept = campaign.line(("samplers", 3), tally)
    journal = tmp_path / "journal"
    journal.write_text(kept + kept.replace('"seed": 3', '"seed": 4')[:-9], encoding="utf-8")
    assert campaign.recalled(journal) == {("samplers", 3): tally}


def test_a_campaign_is_of_at_least_as_many_pairs_as_asked_for() -> None:
    assert len(campaign.blocks(12000)) * campaign.BLOCK >= 12000


def test_faults_are_named() -> None:
    tally = judging.Tally(disagreements=["said"])
    tally.counts["roots"].update({("equal", "Equal"): 30, ("different", "Undecided"): 70})
    assert campaign.faults({"on the domain": tally})[0] == "on the domain: said"
    assert "too much undecided" in campaign.faults({"on the domain": tally})[1]
    assert len(campaign.faults({"with nothing promised": tally})) == 1
