"""Has Rocq accept a claim: one file for it, one lemma for each link and each false variant.

What Rocq does not accept is "not kernel-checked", with its words; that says nothing against it, since the
tactic may be too weak. A rejection is more: Rocq has accepted that there is a point, at which everything is
defined and the hypotheses hold, where the two sides of a link differ.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sympy

from equiv.claim import Claim
from equiv.evidence import KernelProof, Unchecked
from equiv.symbolic.kernel import coqc, export
from equiv.symbolic.kernel.export import Lemma, Link, Skipped


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """A claim, read for Rocq: what it says, what it says is false, and that its hypotheses can be met."""

    claim: Claim
    links: tuple[Link | Skipped, ...]
    variants: tuple[Link | Skipped, ...]
    domain: Lemma | Skipped | None


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """A file that Rocq accepts: lemmas, what is left out of it, and the links that are false."""

    lemmas: tuple[Lemma, ...]
    skipped: tuple[Skipped, ...]
    rejections: tuple[Lemma, ...]
    text: str


def check(file: Any, home: Path, folder: Path) -> KernelProof:
    """The evidence for the claim of a proof file; the file of Rocq is left in the folder.

    Args:
        file: a module that offers what :class:`equiv.claim.ProofFile` says.
        home: the compiled library, of :func:`equiv.symbolic.kernel.coqc.library`.
        folder: where to write; it must be there.
    """
    return settled({"": attempt(file, home, folder)}, home)[""]


def attempt(file: Any, home: Path, folder: Path) -> KernelProof:
    """As :func:`check`, before it is asked what the accepted lemmas rest on."""
    read = exported(file)
    found = _accepted(read, home)
    name = f"{export.identifier(read.claim.id)}.v"
    (folder / name).write_text(found.text, encoding="utf-8")
    return _evidence(read, found, name)


def settled(proofs: Mapping[str, KernelProof], home: Path) -> dict[str, KernelProof]:
    """The evidence, with what it rests on; all is void that rests on more than Rocq's real numbers do."""
    modules = [p.module for p in proofs.values() if p.module]
    axioms = coqc.rests_on(modules, home) if modules else frozenset()
    if axioms <= coqc.ALLOWED:
        return {id_: _resting(p, axioms) for id_, p in proofs.items()}
    return {id_: _resting(p, coqc.rests_on([p.module], home)) if p.module else p for id_, p in proofs.items()}


def _resting(p: KernelProof, axioms: frozenset[str]) -> KernelProof:
    if not p.module:
        return p
    if beyond := sorted(axioms - coqc.ALLOWED):
        return KernelProof(reason=f"the proofs rest on {', '.join(beyond)}", version=p.version, file=p.file)
    return msgspec.structs.replace(p, assumptions=tuple(sorted(axioms)))


def exported(file: Any) -> Exported:
    """A proof file as links and variants, before any normalisation."""
    with sympy.evaluate(False):
        derivation = file.derivation()
        false = list(file.false_variants())
        written = list(file.as_written()) if file.CLAIM.erratum else []
        id_ = file.CLAIM.id
        return Exported(
            claim=file.CLAIM,
            links=tuple(export.links(id_, derivation.chains, derivation.hypotheses)),
            variants=(*export.variants(id_, false, "false"), *export.variants(id_, written, "as_written")),
            domain=export.domain(id_, derivation.hypotheses),
        )


def _accepted(c: Exported, home: Path) -> Accepted:
    """The file with all lemmas that Rocq accepts: what it stops at is left out, until it stops no more."""
    wanted = list(_wanted(c))
    rejecting = {link.name: _rejection(link) for link in c.links if isinstance(link, Link)}
    rejections: list[Lemma] = []
    while True:
        parts = [*_parts(c, wanted, rejections)]
        text = "".join(parts)
        ran = coqc.compiles(text, home)
        stopped = None if ran.accepted else _at(parts, ran.line, [*wanted, *rejections])
        if ran.accepted or stopped is None:
            break
        if stopped in rejections:
            rejections.remove(stopped)
            continue
        reason = f"Rocq did not accept the proof: {ran.said}"
        wanted[wanted.index(stopped)] = Skipped(name=stopped.name, about=stopped.about, reason=reason)
        if against := rejecting.get(stopped.name):
            rejections.append(against)
    if not ran.accepted:
        reason = f"the file is not accepted: {ran.said}"
        wanted = [Skipped(name=x.name, about=x.about, reason=reason) for x in wanted]
        rejections = []
    return Accepted(
        lemmas=tuple(x for x in wanted if isinstance(x, Lemma)),
        skipped=tuple(x for x in wanted if isinstance(x, Skipped)),
        rejections=tuple(rejections),
        text=text,
    )


def _wanted(c: Exported) -> Iterator[Lemma | Skipped]:
    if c.domain is not None:
        yield c.domain
    for link in c.links:
        yield link if isinstance(link, Skipped) else export.equality(link)
    for variant in c.variants:
        yield variant if isinstance(variant, Skipped) else export.difference(variant)


def _rejection(link: Link) -> Lemma | None:
    """That the link is false, if a point seems to say so."""
    negated = msgspec.structs.replace(link, name=f"{link.name}_rejected", about=f"REJECTED: {link.about}")
    lemma = export.difference(negated)
    return lemma if isinstance(lemma, Lemma) else None


def _at(parts: Sequence[str], line: int, lemmas: Sequence[Lemma | Skipped]) -> Lemma | None:
    """The lemma that stands at a line of the text."""
    passed = 0
    for part in parts:
        passed += part.count("\n")
        if line <= passed:
            return next((x for x in lemmas if isinstance(x, Lemma) and x.text in part), None)
    return None


def _parts(c: Exported, wanted: Sequence[Lemma | Skipped], rejections: Sequence[Lemma]) -> Iterator[str]:
    """The text of the file, lemma by lemma."""
    yield export.title(c.claim)
    yield coqc.HEAD
    for x in (*wanted, *rejections):
        yield f"{x.text if isinstance(x, Lemma) else export.left_out(x)}\n"
    if names := [x.name for x in (*wanted, *rejections) if isinstance(x, Lemma)]:
        whole = f"({', '.join(names)})" if len(names) > 1 else names[0]
        yield f"Definition everything := {whole}.\n"


def _evidence(c: Exported, found: Accepted, file: str) -> KernelProof:
    accepted = {x.name for x in found.lemmas}
    reasons = {x.name: x.reason for x in found.skipped}
    if c.domain is not None and c.domain.name not in accepted:
        vacuous = f"the hypotheses were not shown to hold anywhere: {reasons[c.domain.name]}"
        reasons = dict.fromkeys((x.name for x in c.links), vacuous) | reasons
        accepted -= {x.name for x in c.links}
    return KernelProof(
        links=tuple(x.name for x in c.links if x.name in accepted),
        variants=tuple(x.name for x in c.variants if x.name in accepted),
        unchecked=tuple(
            Unchecked(name=x.name, about=x.about, reason=reasons[x.name])
            for x in (*c.links, *c.variants)
            if x.name not in accepted
        ),
        rejected=tuple(x.name for x in found.rejections),
        version=coqc.version(),
        file=file,
        module=coqc.module(found.text) if found.lemmas or found.rejections else "",
    )
