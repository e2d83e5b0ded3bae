"""Runs a proof file: decides each link of its chains, and makes sure that its false variants are refuted.

The file is called under ``sympy.evaluate(False)``, so that no denominator is cancelled before it is seen;
what needs sympy's calculus switches evaluation on for itself.
"""

from collections.abc import Iterable, Sequence
from typing import Any, cast

import sympy

from equiv.claim import Chain, Claim, Derivation, ProofFile, Variant
from equiv.evidence import Condition, Equality, Evidence, Outcome, Proof, Rejected, TheoremProof, Witness
from equiv.symbolic.decision import (
    Contradiction,
    Decision,
    Different,
    Domain,
    Equal,
    Undecided,
    decide,
)
from equiv.symbolic.expression import Expr
from equiv.symbolic.from_sympy import relation, translate
from equiv.symbolic.latex import latex
from equiv.symbolic.mutation import tally


def prove(module: Any, theorems: TheoremProof | None = None) -> list[Evidence]:
    """The evidence for the claim of one proof file.

    It is about the statement and, for an erratum, against the statement as written. What Rocq accepted
    of the claim's theorems settles what the chains leave open.
    """
    file = cast(ProofFile, module)
    with sympy.evaluate(False):
        derivation = file.derivation()
        variants = list(file.false_variants())
        as_written = list(module.as_written()) if file.CLAIM.erratum else []
    evidence = _evidence(derivation, variants, file.CLAIM, theorems)
    if file.CLAIM.erratum:
        evidence.append(_against(as_written))
    return evidence


def _evidence(
    derivation: Derivation, variants: Iterable[Variant], claim: Claim, theorems: TheoremProof | None
) -> list[Evidence]:
    """The proof and, where our own rules contradict certified values, the refutation beside it."""
    domain = _domain(derivation.hypotheses)
    read = [[translate(line.expression) for line in chain.lines] for chain in derivation.chains]
    chains = zip(derivation.chains, read, strict=True)
    decided = [link for chain, lines in chains for link in _decide_chain(chain, lines, domain)]
    rejected, surviving = _try_variants(variants)
    witnesses = [d.witness for _, d in decided if isinstance(d, Different)]
    hypotheses = [
        Condition(text=str(h), kind="hypothesis", latex=latex(h), discharged="assumed by the statement")
        for h in derivation.hypotheses
    ]
    met = [c for _, d in decided for c in _conditions(d)]
    cited = [Condition(text=theorem, kind="cited theorem") for theorem in claim.cites]
    proof = Proof(
        equalities=tuple(e for e, _ in decided),
        conditions=tuple(dict.fromkeys([*hypotheses, *met, *cited])),
        witness=witnesses[0] if witnesses else None,
        rejected=rejected,
        surviving_variants=surviving,
        mutants=tally([(lines[0], lines[-1]) for lines in read if len(lines) > 1], domain, claim.id),
        open=claim.open,
        theorems=theorems,
    )
    contradictions = [d.refuted.witness for _, d in decided if isinstance(d, Contradiction)]
    return [proof, *(Proof(witness=w) for w in contradictions[:1])]


def _conditions(decision: Decision) -> tuple[Condition, ...]:
    match decision:
        case Equal(conditions=conditions) | Contradiction(proved=Equal(conditions=conditions)):
            return conditions
    return ()


def _against(as_written: Sequence[Variant]) -> Proof:
    """The statement as written fails if any of its equalities does."""
    rejected, surviving = _try_variants(as_written)
    return Proof(
        about="as written",
        witness=rejected[0].witness if rejected else None,
        rejected=rejected,
        surviving_variants=surviving,
    )


def _domain(hypotheses: Iterable[Any]) -> Domain:
    return Domain(*map(relation, hypotheses))


def _decide_chain(chain: Chain, read: Sequence[Expr], domain: Domain) -> list[tuple[Equality, Decision]]:
    links = []
    formulas = [latex(line.expression) for line in chain.lines]
    for k, below in enumerate(chain.lines[1:]):
        decision = decide(read[k], read[k + 1], domain)
        equality = Equality(
            title=chain.title,
            left=formulas[k],
            right=formulas[k + 1],
            why=below.why,
            outcome=_outcome(decision),
            reason=_reason(decision),
        )
        links.append((equality, decision))
    return links


def _assumed(decision: Decision) -> str:
    """A sign that the decision read off a point: of a claim, its hypotheses have to say it."""
    signs = [c for c in _conditions(decision) if c.kind in ("sign", "branch") and not c.discharged]
    return f"holds only where {signs[0].text}, which no hypothesis says" if signs else ""


def _reason(decision: Decision) -> str:
    return decision.reason if isinstance(decision, Undecided) else _assumed(decision)


def _outcome(decision: Decision) -> Outcome:
    match decision:
        case Equal() if _assumed(decision):
            return Outcome.UNKNOWN
        case Equal() | Contradiction():
            return Outcome.HOLDS
        case Different():
            return Outcome.FAILS
        case Undecided():
            return Outcome.UNKNOWN


def _try_variants(variants: Iterable[Variant]) -> tuple[tuple[Rejected, ...], tuple[str, ...]]:
    """Which of the false statements are refuted, and which survive."""
    rejected, surviving = [], []
    for variant in variants:
        if witness := _refutation(variant):
            rejected.append(Rejected(name=variant.name, witness=witness))
        else:
            surviving.append(variant.name)
    return tuple(rejected), tuple(surviving)


def _refutation(variant: Variant) -> Witness | None:
    left, right = variant.left, variant.right
    if variant.instance:
        with sympy.evaluate(True):
            left, right = (_instantiate(side, variant.instance) for side in (left, right))
    decision = decide(translate(left), translate(right), _domain(variant.hypotheses))
    return decision.witness if isinstance(decision, Different) else None


def _instantiate(side: Any, instance: Any) -> Any:
    for function, concrete in instance.items():
        side = side.replace(function, concrete)  # subs does not look for functions inside an integral
    return side.doit()
