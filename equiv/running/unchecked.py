"""What the second kernel is known not to accept: expected, strictly.

The file is TOML, one table a claim::

    [[claim]]
    id = "l-sign"
    links = ["1_1", "1_2"]  # chain and line, or false_1: as the lemmas of its file end
    reason = "why they cannot be put before Rocq"

What else is not accepted fails the run, and so does an entry whose lemma is accepted, or is not there.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from equiv.evidence import KernelProof
from equiv.lookup import Unknown, find
from equiv.result import Result
from equiv.running import catalogue


class LeftOut(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the file."""

    id: str
    links: tuple[str, ...]
    reason: str

    @property
    def lemmas(self) -> tuple[str, ...]:
        """As the kernel names them."""
        return tuple(f"{self.id.replace('-', '_')}_{link}" for link in self.links)


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    claim: tuple[LeftOut, ...] = ()


def read(path: Path) -> tuple[LeftOut, ...]:
    """What a file says is left out.

    Raises:
        Unknown: the file is not readable as one, or names a claim that does not exist.
    """
    try:
        entries = msgspec.toml.decode(path.read_bytes(), type=File).claim
    except (OSError, msgspec.MsgspecError) as error:
        raise Unknown(f"{path} is no file of what the kernel leaves out: {error}") from error
    for entry in entries:
        find("claim", entry.id, catalogue.claims(), see=f"equiv list; named in {path}")
    return entries


def complaints(results: Sequence[Result], entries: Sequence[LeftOut] | None) -> tuple[str, ...]:
    """What is not accepted and not expected, and what is expected and not so; each fails the run.

    Without entries nothing is expected, and nothing is complained of.
    """
    if entries is None:
        return ()
    opinions = [(r.task.id, e) for r in results for e in r.evidence if isinstance(e, KernelProof)]
    return tuple(dict.fromkeys(c for id_, e in opinions for c in _complaints(id_, e, entries)))


def _complaints(id_: str, proof: KernelProof, entries: Sequence[LeftOut]) -> Iterator[str]:
    if proof.reason:
        yield f"not kernel-checked: {proof.reason}"
        return
    expected = {lemma for entry in entries if entry.id == id_ for lemma in entry.lemmas}
    open_ = {u.name: u for u in proof.unchecked}
    for name in sorted(open_.keys() - expected):
        yield f"not kernel-checked: {name} ({open_[name].about}): {open_[name].reason}"
    for name in sorted(expected - open_.keys()):
        what = "is accepted" if name in (*proof.links, *proof.variants) else "is no lemma"
        yield f"stale: {name} {what}, which is expected to be left out"
