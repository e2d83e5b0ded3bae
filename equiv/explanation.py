"""A claim's derivation, line by line, as text."""

import importlib
import textwrap
from collections.abc import Iterator

from equiv.evidence import Condition, Equality, Outcome, Proof, Rejected, TheoremProof, Witness
from equiv.result import Result
from equiv.running.catalogue import claims

_MARK = {Outcome.HOLDS: "", Outcome.FAILS: "   <- FAILS", Outcome.UNKNOWN: "   <- NOT DECIDED"}


def explain(result: Result) -> str:
    """The claim, its source, every line with its reason, the conditions, and the false variants refuted."""
    lines = "\n".join(_lines(result)).splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _lines(result: Result) -> Iterator[str]:
    claim = result.claim
    if claim is None:
        raise ValueError(f"only a claim can be explained, not {result.task.name}")
    yield f"{claim.id}  {result.headline}"
    yield f"{claim.title}\n"
    if claim.as_written:
        yield f"as written  {claim.as_written}"
    yield f"statement   {claim.statement}"
    source = ", ".join(part for part in (claim.source.section, claim.source.equation) if part)
    yield f"source      {claim.source.seed}: {source}"
    if claim.needs:
        yield f"needs       {', '.join(claim.needs)}"
    for proof in (e for e in result.evidence if isinstance(e, Proof)):
        yield from _as_written(proof) if proof.about == "as written" else _proof(claim.id, proof)
    for failure in (e for e in result.evidence if not isinstance(e, Proof)):
        yield f"\nnot finished: {failure}"


def _proof(claim: str, proof: Proof) -> Iterator[str]:
    pretty = _pretty(claim)
    title = ""
    for equality in proof.equalities:
        if equality.title != title:
            title = equality.title
            yield f"\n{title}\n"
            yield textwrap.indent(pretty.get(equality.left, equality.left), "      ")
        yield from _link(equality, pretty)
    yield from _conditions("under the hypotheses", [c for c in proof.conditions if c.kind == "hypothesis"])
    cited = [c for c in proof.conditions if c.kind == "cited theorem"]
    other = [c for c in proof.conditions if c.kind not in ("hypothesis", "cited theorem")]
    yield from _conditions("holds wherever", [c for c in other if not c.discharged])
    yield from _conditions("shown on the way", [c for c in other if c.discharged])
    yield from _conditions("rests on standard theorems, cited and not checked", cited)
    yield from _refuted("false variants, each refuted at a point", proof.rejected)
    for name in proof.surviving_variants:
        yield f"  NOT REFUTED  {name}"
    if proof.undecided:
        yield f"\nNOT DECIDED  {proof.undecided}"
    if proof.theorems:
        yield from _theorems(proof.theorems, proof.open)


def _theorems(proof: TheoremProof, settled: str) -> Iterator[str]:
    """What Rocq says of what the lines leave open."""
    by = f"not accepted by Rocq: {proof.reason}" if proof.reason else f"accepted by Rocq {proof.version}"
    yield f"\nleft open by the lines above: {settled};\nstated in Rocq and {by}"
    for kind, theorems in (("theorem", proof.theorems), ("counterexample", proof.counterexamples)):
        for t in theorems:
            yield f"\n  {kind}: {t.says}\n"
            yield textwrap.indent(f"Theorem {t.name} :\n  {t.statement}.", "      ")
    if not proof.reason:
        yield f"\n  in {', '.join(proof.files)}, on {', '.join(proof.assumptions) or 'no axiom'}"


def _link(equality: Equality, pretty: dict[str, str]) -> Iterator[str]:
    yield f"\n    = {equality.why}{_MARK[equality.outcome]}{': ' if equality.reason else ''}{equality.reason}"
    yield textwrap.indent(pretty.get(equality.right, equality.right), "      ")


def _as_written(proof: Proof) -> Iterator[str]:
    yield from _refuted("the statement as written, refuted at a point", proof.rejected)
    if not proof.rejected and proof.witness:
        yield f"\nthe statement as written, refuted at a point\n  {_point(proof.witness)}"


def _conditions(title: str, conditions: list[Condition]) -> Iterator[str]:
    if conditions:
        yield f"\n{title}"
    for c in conditions:
        by = f"   [{c.discharged}]" if c.discharged and c.kind != "hypothesis" else ""
        yield f"  {c.text}{by}"


def _refuted(title: str, rejected: tuple[Rejected, ...]) -> Iterator[str]:
    if rejected:
        yield f"\n{title}"
    for variant in rejected:
        yield f"  {variant.name}\n      {_point(variant.witness)}"


def _point(witness: Witness) -> str:
    at = ", ".join(f"{name} = {value}" for name, value in witness.inputs.items())
    return f"at {at}: one side {witness.got}, the other {witness.expected}"


def _pretty(claim: str) -> dict[str, str]:
    """The expressions of the derivation by their LaTeX, drawn for a terminal."""
    import sympy

    from equiv.symbolic.latex import latex

    with sympy.evaluate(False):
        derivation = importlib.import_module(claims()[claim].module).derivation()
    # not under evaluate(False): the printer loads parts of sympy that compute when they are loaded
    return {
        latex(line.expression): sympy.pretty(line.expression, use_unicode=True, num_columns=110)
        for chain in derivation.chains
        for line in chain.lines
    }
