"""The proof files: their headers, what they rest on, and that each of them proves what it says."""

import graphlib
import importlib
import re
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
import sympy
from proving import evidence_for

from equiv.claim import Chain, Derivation, Line
from equiv.evidence import Outcome, Proof
from equiv.running.catalogue import claims
from equiv.symbolic.prover import prove
from equiv.verdict import Verdict, judge

ENTRIES = list(claims().values())
ERRATA = {
    "s-slider-vp": "E1",
    "s-alphasigma-from-fg": "E2",
    "l-sign": "E3",
    "t-ddim-v-weights": "E4",
    "t-reversed-ddim": "E5",
    "l-fm-equals-vcos": "E6",
    "f-constant-output": "E8",
    "f-straightness": "E9",
    "t-eta1-discretization": "E10",
    "o-reverse-family": "E11",
    "p-velocity-clash": "E12",
    "s-seed001-beta": "E18",
    "w-marginal-not-straight": "E24",
    "w-ot": "E25",
    "q-consistency": "E20",
    "q-nll": "E17",
    "n-step-count": "E21",
    "q-path-type": "E23",
    "q-score-velocity": "E26",
    "q-standard-start": "E27",
}

each_claim = pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.claim.id)


def module(entry: Any) -> Any:
    return importlib.import_module(entry.module)


def test_headers_are_read_without_importing_mathematics() -> None:
    code = (
        "import sys; from equiv.running.catalogue import claims; assert claims();"
        "print({'sympy', 'torch', 'flint'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout == "set()\n", ran.stderr


def test_there_are_claims() -> None:
    assert len(ENTRIES) >= 12


@each_claim
def test_the_header_read_is_the_header_imported(entry: Any) -> None:
    assert entry.claim == module(entry).CLAIM
    assert entry.path.stem == entry.claim.id.replace("-", "_")


def test_needs_exist_and_have_no_cycle() -> None:
    needs = {entry.claim.id: set(entry.claim.needs) for entry in ENTRIES}
    assert not set().union(*needs.values()) - needs.keys()
    assert len([*graphlib.TopologicalSorter(needs).static_order()]) == len(ENTRIES)


@each_claim
def test_the_docstring_says_what_is_not_claimed(entry: Any) -> None:
    title, *_, last = module(entry).__doc__.strip().split("\n\n")
    assert "\n" not in title
    assert last.startswith("Not claimed: ")


# words of the docstring for which a theorem is to be cited
THEOREMS = (
    r"Ito\b|Itô|dominated convergence|(inside|under) the (average|mean|integral)|tower property|Fubini"
    r"|Taylor|Gr(o|ö)nwall|Jensen|Cauchy|Minkowski|by induction|data.processing|Riemann|L'H(o|ô)pital"
    r"|Picard|Lindel|Brenier|characteristic function|change of variables"
)


@each_claim
def test_theorems_that_the_argument_names_are_cited(entry: Any) -> None:
    claim = entry.claim
    assert all(theorem.strip() for theorem in claim.cites)
    assert len(set(claim.cites)) == len(claim.cites)
    said, _ = module(entry).__doc__.rsplit("Not claimed: ", 1)
    named = re.search(THEOREMS, " ".join(said.split()), re.IGNORECASE)
    assert not named or claim.cites or claim.open, named


@each_claim
def test_cited_theorems_are_conditions_that_nothing_discharges(entry: Any) -> None:
    cited = [c for c in evidence_for(entry.claim.id)[0].conditions if c.kind == "cited theorem"]
    assert tuple(c.text for c in cited) == entry.claim.cites
    assert not any(c.discharged for c in cited)


@each_claim
def test_an_erratum_says_what_was_written(entry: Any) -> None:
    claim, file = entry.claim, module(entry)
    assert claim.erratum == ERRATA.get(claim.id, "")
    assert bool(claim.as_written) == bool(claim.erratum) == hasattr(file, "as_written")


@each_claim
def test_the_claim_is_proved_and_its_false_variants_are_refuted(entry: Any) -> None:
    evidence = evidence_for(entry.claim.id)
    settled = Verdict.CORRECTED if entry.claim.erratum else Verdict.PROVED
    assert judge(evidence) is (Verdict.INCONCLUSIVE if entry.claim.open else settled)
    statement = evidence[0]
    assert isinstance(statement, Proof)
    assert all(e.outcome is Outcome.HOLDS for e in statement.equalities)
    assert len(statement.rejected) >= 2
    # where mutants have values, some of them must be false: else the chains say nothing that could be wrong
    assert not statement.mutants or statement.mutants.get("refuted", 0) > 0
    assert not {"undecided", "contradicted"} & statement.mutants.keys()


@each_claim
def test_no_link_holds_once_it_is_changed(entry: Any) -> None:
    """One is added to the lower side of every link."""
    file = module(entry)
    with sympy.evaluate(False):
        derivation = file.derivation()
        links = [
            (a, b) for chain in derivation.chains for a, b in zip(chain.lines, chain.lines[1:], strict=False)
        ]
        changed = tuple(Chain(b.why, (a, Line(b.expression + 1, b.why))) for a, b in links)
    wrong = SimpleNamespace(
        CLAIM=entry.claim,
        derivation=lambda: Derivation(chains=changed, hypotheses=derivation.hypotheses),
        false_variants=tuple,
        as_written=tuple,
    )
    outcomes = [equality.outcome for equality in prove(wrong)[0].equalities]
    assert outcomes
    assert Outcome.HOLDS not in outcomes
