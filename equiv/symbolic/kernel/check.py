"""Has Rocq accept claims, chapter by chapter: one file each, one lemma for each link and each false variant.

What Rocq does not accept is "not kernel-checked", with its words; that says nothing against it, since the
tactic may be too weak. A rejection is more: Rocq has accepted that there is a point, at which everything is
defined and the hypotheses hold, where the two sides of a link differ.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import sympy

from equiv.claim import Claim
from equiv.evidence import KernelProof, Unchecked
from equiv.symbolic.kernel import coqc, export
from equiv.symbolic.kernel.export import Lemma, Link, Skipped


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """A claim, read for Rocq: what it says, and what it says is false."""

    claim: Claim
    links: tuple[Link | Skipped, ...]
    variants: tuple[Link | Skipped, ...]


def check(chapters: Mapping[str, Iterable[Any]], folder: Path) -> dict[str, KernelProof]:
    """The evidence for the claims of proof files, by id; the files of Rocq are left in the folder.

    Args:
        chapters: proof files (modules) by the name of the chapter they belong to.
        folder: where to write; made if it is not there.

    Raises:
        NotCompiled: Rocq does not accept the library of lemmas that the proofs use.
    """
    read = {chapter: [exported(file) for file in files] for chapter, files in chapters.items()}
    if not coqc.available():
        reason = "coqc is not installed; on Debian: apt-get install coq libcoq-coquelicot"
        return {e.claim.id: KernelProof(reason=reason) for found in read.values() for e in found}
    folder.mkdir(parents=True, exist_ok=True)
    coqc.library(folder)
    with ThreadPoolExecutor(2) as pool:
        done = pool.map(lambda item: _chapter(folder / f"{item[0]}.v", item[1]), read.items())
    return {id_: proof for found in done for id_, proof in found.items()}


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
        )


def _chapter(path: Path, claims: Sequence[Exported]) -> dict[str, KernelProof]:
    links = {
        c.claim.id: [x if isinstance(x, Skipped) else export.equality(x) for x in c.links] for c in claims
    }
    false = {
        c.claim.id: [x if isinstance(x, Skipped) else export.difference(x) for x in c.variants]
        for c in claims
    }
    wanted = [x for c in claims for x in (*links[c.claim.id], *false[c.claim.id])]
    lemmas = [x for x in wanted if isinstance(x, Lemma)]
    path.write_text(_file(claims, wanted), encoding="utf-8")
    accepted, said = coqc.compiles(path)
    refused: dict[str, str] = {}
    rejections: list[Lemma] = []
    if not accepted:
        refused = coqc.refused(path.parent, lemmas)
        rejections = _rejections(path, [x for c in claims for x in c.links if x.name in refused])
        wanted = [*(_refused(x, refused) for x in wanted), *rejections]
        path.write_text(_file(claims, wanted), encoding="utf-8")
        accepted, said = coqc.compiles(path)
    axioms = _by_claim(said, claims, wanted) if accepted else {}
    broken = "" if accepted else f"{path.name} is not accepted: {' '.join(said.split())[-300:]}"
    found = {}
    for c in claims:
        mine = [_refused(x, refused) for x in (*links[c.claim.id], *false[c.claim.id])]
        found[c.claim.id] = _evidence(c, mine, rejections, axioms.get(c.claim.id, frozenset()), path, broken)
    return found


def _refused(x: Lemma | Skipped, refused: Mapping[str, str]) -> Lemma | Skipped:
    if isinstance(x, Lemma) and x.name in refused:
        return Skipped(name=x.name, about=x.about, reason=f"Rocq did not accept the proof: {refused[x.name]}")
    return x


def _rejections(path: Path, links: Iterable[Link | Skipped]) -> list[Lemma]:
    """Of the links that were not accepted, those whose negation is."""
    against = []
    for link in links:
        if isinstance(link, Link):
            negated = msgspec.structs.replace(
                link, name=f"{link.name}_rejected", about=f"REJECTED: {link.about}"
            )
            lemma = export.difference(negated)
            against += [lemma] if isinstance(lemma, Lemma) else []
    refused = coqc.refused(path.parent, against) if against else {}
    return [lemma for lemma in against if lemma.name not in refused]


def _evidence(
    c: Exported,
    mine: Sequence[Lemma | Skipped],
    rejections: Sequence[Lemma],
    axioms: frozenset[str],
    path: Path,
    broken: str,
) -> KernelProof:
    """What was accepted, unless it rests on more than Rocq's real numbers do."""
    beyond = sorted(axioms - coqc.ALLOWED)
    reason = broken or (f"rests on {', '.join(beyond)}" if beyond else "")
    accepted = [x.name for x in mine if isinstance(x, Lemma) and not reason]
    links = {x.name for x in c.links}
    return KernelProof(
        links=tuple(n for n in accepted if n in links),
        variants=tuple(n for n in accepted if n not in links),
        unchecked=tuple(
            Unchecked(name=x.name, about=x.about, reason=x.reason if isinstance(x, Skipped) else reason)
            for x in mine
            if x.name not in accepted
        ),
        rejected=tuple(x.name for x in rejections if x.name.removesuffix("_rejected") in links),
        assumptions=tuple(sorted(axioms)),
        version=coqc.version(),
        file=path.name,
        reason=reason,
    )


def _file(claims: Sequence[Exported], wanted: Sequence[Lemma | Skipped]) -> str:
    """The text of a chapter, claim by claim; each ends with what it rests on."""
    text = [coqc.HEAD]
    for c in claims:
        mine = [x for x in wanted if _of(c, x)]
        text.append(
            f"(* {'=' * 90}\n   {c.claim.title} ({c.claim.id})\n\n   {export.comment(c.claim.statement)} *)\n"
        )
        text += [x.text if isinstance(x, Lemma) else export.left_out(x) for x in mine]
        if names := [x.name for x in mine if isinstance(x, Lemma)]:
            text.append(f"Definition {_stem(c)}_all := {_pairs(names)}.\nPrint Assumptions {_stem(c)}_all.\n")
    return "\n".join(text)


def _stem(c: Exported) -> str:
    return c.claim.id.replace("-", "_")


def _of(c: Exported, x: Lemma | Skipped) -> bool:
    own = {link.name for link in (*c.links, *c.variants)}
    return x.name.removesuffix("_rejected") in own


def _pairs(names: Sequence[str]) -> str:
    return f"({', '.join(names)})" if len(names) > 1 else names[0]


def _by_claim(
    printed: str, claims: Sequence[Exported], wanted: Sequence[Lemma | Skipped]
) -> dict[str, frozenset[str]]:
    """What each claim with an accepted lemma rests on; they are printed in this order."""
    stems = [c.claim.id for c in claims if any(isinstance(x, Lemma) and _of(c, x) for x in wanted)]
    blocks = re.split(r"^(?=Axioms:|Closed under the global context)", printed, flags=re.MULTILINE)[1:]
    if len(blocks) != len(stems):  # something unforeseen was printed: nothing is known
        return dict.fromkeys(stems, frozenset({"something that could not be read"}))
    return {id_: coqc.assumptions(block) for id_, block in zip(stems, blocks, strict=True)}
