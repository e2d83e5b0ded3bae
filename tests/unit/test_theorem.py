"""A theorem in Rocq settles what the chains leave open, if it says what the claim says and has no gap."""

import html
import importlib
import shutil
from pathlib import Path

import msgspec
import pytest

from equiv.claim import Claim, Source, Theorem
from equiv.evidence import Outcome, Proof, TheoremProof
from equiv.explanation import explain
from equiv.report.page import page
from equiv.result import Run, Task
from equiv.running import cache, catalogue, worker
from equiv.symbolic.kernel import coqc, theorem
from equiv.symbolic.prover import prove
from equiv.terminal import block
from equiv.verdict import Verdict, judge

needs_rocq = pytest.mark.skipif(not coqc.available(), reason="coqc is not installed")

DEFINITIONS = """From Coq Require Import Reals Lra.
Open Scope R_scope.
Definition double (x : R) : R := x + x.
"""
THEOREMS = """From Coq Require Import Reals Lra.
From Small Require Import Definitions.
Open Scope R_scope.
Theorem grows : forall x, 0 < x -> x < double x.
Proof. intros x positive. unfold double. lra. Qed.
Theorem not_everywhere : exists x, ~ x < double x.
Proof. exists 0. unfold double. lra. Qed.
"""
CLAIM = Claim(
    id="a-claim",
    title="A claim",
    statement="",
    source=Source(seed="000", section=""),
    open="every x",
    theorems=(Theorem(name="Theorems.grows", says="", statement="forall x, 0 < x -> x < double x"),),
    counterexamples=(Theorem(name="Theorems.not_everywhere", says="", statement="exists x, ~ x < double x"),),
)
SETTLED = [entry for entry in catalogue.claims().values() if entry.claim.theorems]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A theory of two files."""
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "Definitions.v").write_text(DEFINITIONS)
    (folder / "Theorems.v").write_text(THEOREMS)
    return folder


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def checked(claim: Claim, folder: Path, store: Path) -> TheoremProof:
    found = theorem.check(claim, folder, store)
    assert found is not None
    return found


@needs_rocq
def test_what_rocq_accepts_is_said_with_its_files_and_axioms(small: Path, store: Path) -> None:
    found = checked(CLAIM, small, store)
    assert not found.reason
    assert found.files == ("Definitions.v", "Theorems.v")
    assert found.version == coqc.version()
    assert set(found.assumptions) <= coqc.ALLOWED


PROOF = "Proof. intros x positive. unfold double. lra. Qed."
BY_HYPOTHESIS = "Proof. intros x _. exact (gap x). Qed."
LOOP = """double (x : R) : R := x + x.
Unset Guard Checking.
Fixpoint loop (n : nat) (x : R) {struct n} : x < double x := loop n x.
Definition gap := loop O."""
WRONG: dict[str, tuple[str, str, str, str]] = {
    "a proof that is admitted": ("Theorems.v", PROOF, "Admitted.", "rest on Theorems.grows"),
    "a proof of something false": ("Theorems.v", "0 < x ->", "0 <= x ->", "does not accept Theorems.v"),
    "an axiom": (
        "Definitions.v",
        "double (x : R) : R := x + x.",
        "double (x : R) : R := x + x.\nAxiom gap : forall x, x < double x.",
        "rest on Definitions.gap",
    ),
    "recursion without end": (
        "Definitions.v",
        "double (x : R) : R := x + x.",
        LOOP,
        "rest on ",
    ),
    "another name": ("Theorems.v", "Theorem grows", "Theorem rises", "does not accept Stated.v"),
    "more hypotheses": ("Theorems.v", "0 < x -> x", "0 < x < 1 -> x", "does not accept Stated.v"),
    "a definition with which it is always true": ("Definitions.v", "x + x", "x + 1", "does not accept Theor"),
    "an import of a file that is not there": ("Theorems.v", "Definitions.", "Other.", "no file Other.v"),
}


@needs_rocq
@pytest.mark.parametrize(("file", "old", "new", "reason"), WRONG.values(), ids=WRONG)
def test_a_gap_is_not_accepted(file: str, old: str, new: str, reason: str, small: Path, store: Path) -> None:
    change(small / file, old, new)
    if "gap" in new:
        change(small / "Theorems.v", PROOF, BY_HYPOTHESIS)
    found = checked(CLAIM, small, store)
    assert reason in found.reason
    assert Proof(open=CLAIM.open, theorems=found).undecided


@needs_rocq
def test_a_file_cannot_pass_for_one_of_the_library(small: Path, store: Path) -> None:
    change(small / "Definitions.v", "x + x.", "x + x.\nAxiom classic : forall x, x < double x.")
    change(small / "Theorems.v", PROOF, "Proof. intros x _. exact (classic x). Qed.")
    change(small / "Theorems.v", "Definitions.", "Classical_Prop.")
    (small / "Definitions.v").rename(small / "Classical_Prop.v")
    assert "Classical_Prop.v" in checked(CLAIM, small, store).reason


@needs_rocq
def test_without_a_counterexample_nothing_is_accepted(small: Path, store: Path) -> None:
    claim = msgspec.structs.replace(CLAIM, counterexamples=())
    assert "no counterexample" in checked(claim, small, store).reason


def test_without_rocq_the_claim_says_what_it_needs(
    small: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    found = checked(CLAIM, small, store)
    assert found.reason == "needs Rocq (coqc), which is not installed"
    evidence = Proof(open=CLAIM.open, theorems=found)
    assert evidence.outcome is Outcome.UNKNOWN
    assert judge([evidence]) is Verdict.INCONCLUSIVE


def test_a_place_that_cannot_be_written_to_keeps_nothing(small: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    checked(CLAIM, small, tmp_path / "file" / "store")
    assert (tmp_path / "file").is_file()


def test_the_digest_is_of_every_file_and_of_rocq(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = {theorem.digest(CLAIM, small)}
    change(small / "Definitions.v", "x + x", "2 * x")
    digests.add(theorem.digest(CLAIM, small))
    change(small / "Theorems.v", "exists 0", "exists (0)")
    digests.add(theorem.digest(CLAIM, small))
    monkeypatch.setenv("PATH", "")
    digests.add(theorem.digest(CLAIM, small))
    assert len(digests) == 4 if coqc.available() else 3


def test_a_changed_theory_redoes_its_claim(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = msgspec.structs.replace(SETTLED[0], path=small / "a_claim.py", claim=CLAIM)
    monkeypatch.setattr(catalogue, "claims", lambda: {"a-claim": entry})
    digests = set()
    for new in ("x + x", "2 * x"):
        change(small / "Definitions.v", "x + x", new)
        cache._claim_digest.cache_clear()
        digests.add(cache._claim_digest("a-claim"))
    cache._claim_digest.cache_clear()
    assert len(digests) == 2


def test_every_file_is_one_that_a_claim_rests_on() -> None:
    used = {f.path for e in SETTLED for f in theorem._in_order(theorem._files(e.claim, e.path.parent))}
    assert used == {*SETTLED[0].path.parents[1].rglob("*.v")}


@pytest.mark.parametrize(
    ("reason", "said"), [("", "accepted by Rocq 8.16.1"), ("it is Sunday", "not accepted by Rocq")]
)
def test_what_was_stated_is_shown_with_what_came_of_it(reason: str, said: str) -> None:
    entry = catalogue.claims()["i-deterministic"]
    given = TheoremProof(
        theorems=entry.claim.theorems,
        counterexamples=entry.claim.counterexamples,
        files=("Deterministic.v",),
        version="8.16.1",
        reason=reason,
    )
    evidence = prove(importlib.import_module(entry.module), given)
    found = worker.result(Task(kind="claim", id=entry.claim.id), evidence, 0.0)
    assert found.verdict is (Verdict.INCONCLUSIVE if reason else Verdict.PROVED)
    text = explain(found)
    run = Run(started="2026-01-01T00:00:00Z", versions={}, results=(found,))
    drawn = html.unescape(page(run))
    for shown in (text, drawn):
        assert said in " ".join(shown.split())
        assert reason in shown
        for stated in (*given.theorems, *given.counterexamples):
            assert stated.says in shown
            assert stated.statement.splitlines()[0] in shown
    assert "Not decided: " in drawn if reason else "Not decided: " not in drawn
    assert reason in block(found)
    assert bool(reason) == (entry.claim.open in block(found))


@needs_rocq
@pytest.mark.parametrize("entry", SETTLED, ids=[entry.claim.id for entry in SETTLED])
def test_the_claims_that_have_theorems_are_proved(
    entry: catalogue.ClaimEntry, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "COMPILED", store)
    evidence, _ = worker.execute(Task(kind="claim", id=entry.claim.id))
    assert judge(evidence) is Verdict.PROVED


SPOILED = {
    "without a hypothesis": ("Deterministic.v", "reduced A -> reduced B -> inter", "reduced A -> inter"),
    "more is reduced": ("Samplers.v", "leads A i) /\\\n", "leads A i) \\/\n"),
    "all is the same": ("Samplers.v", "renaming A B p p' /\\ agree A B p.", "True."),
}


@needs_rocq
@pytest.mark.parametrize(("file", "old", "new"), SPOILED.values(), ids=SPOILED)
def test_the_fingerprint_theorem_is_not_accepted_once_it_is_weakened(
    file: str, old: str, new: str, tmp_path: Path, store: Path
) -> None:
    entry = catalogue.claims()["i-deterministic"]
    folder = tmp_path / "fingerprint"
    shutil.copytree(entry.path.parent, folder)
    change(folder / file, old, new)
    assert "does not accept" in checked(entry.claim, folder, store).reason
