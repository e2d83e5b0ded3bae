"""The seed documents, sentence by sentence: what of them can be checked, and by which claims.

``seeds.toml`` lists every sentence of every document, in order, by its hash. One that can be checked also has
an id, a few words of quotation and the claims that cover it; another has the reason why there is nothing to
check. The documents themselves are not in the list.
"""

import difflib
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

import msgspec

from equiv.claim import Claim
from equiv.lookup import Unknown
from equiv.result import Result
from equiv.verdict import Verdict

Reason = Literal["code", "definition", "heading", "narrative", "navigation", "opinion", "reference"]


class Sentence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sentence, a displayed equation, a row of a table or a block of code."""

    hash: str
    reason: Reason | None = None  # why there is nothing to check
    id: str = ""
    quote: str = ""
    claims: tuple[str, ...] = ()
    wrong: str = ""  # what is so instead, where it is false as written
    only: str = ""  # where it holds, if that is not everywhere


class Seed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One document."""

    id: str  # its file is named by it: 003_*.txt
    title: str
    sentences: tuple[Sentence, ...]

    @property
    def checkable(self) -> tuple[Sentence, ...]:
        """The sentences that can be checked."""
        return tuple(s for s in self.sentences if s.id)


class Textual(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A statement about names or words, with the proposition that can be measured in its place."""

    stands_for: str
    claims: tuple[str, ...]


class Seeds(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole list."""

    seed: tuple[Seed, ...]
    textual: dict[str, Textual]

    def claims(self, sentence: Sentence) -> tuple[str, ...]:
        """The claims that cover a sentence, those that stand for a textual one in its place."""
        found = (self.textual[c].claims if c in self.textual else (c,) for c in sentence.claims)
        return tuple(dict.fromkeys(c for some in found for c in some))

    @property
    def covering(self) -> frozenset[str]:
        """All claims that cover something."""
        return frozenset(c for seed in self.seed for s in seed.checkable for c in self.claims(s))


def read() -> Seeds:
    """The list that comes with equiv."""
    return msgspec.toml.decode(Path(__file__).with_name("seeds.toml").read_bytes(), type=Seeds)


_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_PUBLISHED = re.compile(r"^(?:title|description): .*$", re.MULTILINE)
_NOT_TEXT = re.compile(
    r"<!--.*?-->"  # what is commented out is not published
    r"|</?(?:div|p|iframe)\b[^>]*>|\{%.*?%\}"  # markup and figures
    r"|^\|[\s:|-]+\|$",  # the rule under the head of a table
    re.DOTALL | re.MULTILINE,
)
_EQUATION = re.compile(r"^[ \t]*(\$\$[ \t]*\n.*?\n[ \t]*\$\$)[ \t]*$", re.DOTALL | re.MULTILINE)
_BREAK = re.compile(
    r"\n\s*\n"
    r"|\n(?=\|| {0,3}(?:[-*#]+|\d+\.)\s)"  # a row, an item, a heading
    r"|(?<=[.!?])\n(?! {4})|\n(?=[A-Z\"“(])"  # a line that ends or begins a sentence; code is indented
)
_ITEM = re.compile(r"\A\s*(?:[-*]|\d+\.)\s+")
_END = re.compile(
    r"(?<=[.!?])(?<!e\.g\.)(?<!a\.k\.a\.)(?<!et al\.)(?<!\s[A-Z]\.)"  # no abbreviation, no initial
    r"\s+(?=[A-Z(*<\[\"“$—])"
)


def split(document: str) -> Iterator[str]:
    """The sentences of a document in order, each on one line. An equation, a row, a block of code is one."""
    if front := _FRONT_MATTER.match(document):
        document = "\n\n".join([*_PUBLISHED.findall(front[1]), document[front.end() :]])
    for k, part in enumerate(_EQUATION.split(_NOT_TEXT.sub("\n\n", document))):
        if k % 2:  # what the pattern's group has taken
            yield _one_line(part)
            continue
        for block in filter(str.strip, _BREAK.split(part)):
            text = _one_line(_ITEM.sub("", block))
            whole = text.startswith("|") or "\n    " in block  # a row, or code
            yield from [text] if whole else _END.split(text)


def digest(sentence: str) -> str:
    """The first 64 bits of the SHA-256 of a sentence, whose white space does not matter."""
    return hashlib.sha256(_one_line(sentence).encode()).hexdigest()[:16]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def compare(seeds: Seeds, directory: Path) -> Iterator[str]:
    """Where the list and the documents in a directory disagree.

    Raises:
        Unknown: a document is not there, or cannot be read.
    """
    for seed in seeds.seed:
        yield from differences(seed, _document(seed, directory))


def differences(seed: Seed, document: str) -> Iterator[str]:
    """Where a list and its document disagree: what one has and the other has not, and false quotations."""
    found = list(split(document))
    hashes = [s.hash for s in seed.sentences], [digest(text) for text in found]
    for kind, i, j, k, n in difflib.SequenceMatcher(None, *hashes, autojunk=False).get_opcodes():
        listed, written = seed.sentences[i:j], found[k:n]
        if kind == "equal":
            wrong = (s for s, text in zip(listed, written, strict=True) if s.quote not in text)
            yield from (f"{s.id}: the words {s.quote!r} are not in it" for s in wrong)
        else:
            yield from (f"{seed.id}: not in the document: {_named(s)}" for s in listed)
            yield from (f"{seed.id}: not in the list: {digest(text)} {text:.100}" for text in written)


def _named(s: Sentence) -> str:
    return f"{s.id} {s.quote!r}" if s.id else f"a sentence of hash {s.hash} ({s.reason})"


def _document(seed: Seed, directory: Path) -> str:
    files = sorted(directory.glob(f"{seed.id}_*.txt"))
    if len(files) != 1:
        found = ", ".join(f.name for f in files) or "none"
        raise Unknown(f"{directory} needs one file {seed.id}_*.txt, of {seed.title!r}; it has {found}")
    try:
        return files[0].read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Unknown(f"cannot read {files[0]}: {error}") from error


def unsettled(
    seeds: Seeds, sentence: Sentence, claims: Mapping[str, Claim], results: Mapping[str, Result]
) -> tuple[str, ...]:
    """The claims of a sentence that are missing, leave something open, or were not proved when run."""

    def settled(name: str) -> bool:
        if name in results:
            return results[name].verdict in {Verdict.PROVED, Verdict.CORRECTED}
        return name in claims and not claims[name].open

    return tuple(name for name in seeds.claims(sentence) if not settled(name))


def listing(seeds: Seeds, claims: Mapping[str, Claim], results: Mapping[str, Result]) -> Iterator[str]:
    """The sentences that can be checked, and under each its claims, with verdicts where there are results."""
    wide = max(map(len, claims))
    as_wide = max(map(len, [*(r.headline for r in results.values()), "not run"]))
    for seed in seeds.seed:
        counted = f"{len(seed.checkable)} of {len(seed.sentences)} sentences can be checked"
        yield f"{seed.id}  {seed.title}: {counted}\n"
        for sentence in seed.checkable:
            yield f"{sentence.id}  {sentence.hash}  {sentence.quote}"
            yield from _remarks(seeds, sentence)
            if waiting := unsettled(seeds, sentence, claims, results):
                yield f"    NOT SETTLED: not proved, as it should be, is {', '.join(waiting)}"
            for name in seeds.claims(sentence):
                verdict = results[name].headline if name in results else "not run"
                shown = f"{verdict:<{as_wide}}  " if results else ""
                yield f"    {name:<{wide}}  {shown}{claims[name].title if name in claims else 'not there'}"
            yield ""


def _remarks(seeds: Seeds, sentence: Sentence) -> Iterator[str]:
    """What is wrong with a sentence, where it holds, and what stands for it."""
    if sentence.wrong:
        yield f"    wrong: {sentence.wrong}"
    if sentence.only:
        yield f"    only {sentence.only}"
    for name in sentence.claims:
        if name in seeds.textual:
            yield f"    {name} stands for: {seeds.textual[name].stands_for}"
