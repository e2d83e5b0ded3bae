"""The list of the seed documents: every sentence is in it, and what can be checked has its claims."""

import re
import shutil
from pathlib import Path

import msgspec
import pytest
from proving import evidence_for

from equiv.claim import Claim
from equiv.cli import main
from equiv.lookup import Unknown
from equiv.result import Result, Run, Task, encode
from equiv.running.catalogue import claims
from equiv.seeds import Seed, Sentence, compare, differences, digest, listing, read, split, unsettled
from equiv.verdict import Verdict, judge

SEEDS = read()
SENTENCES = [s for seed in SEEDS.seed for s in seed.sentences]
CHECKABLE = [s for seed in SEEDS.seed for s in seed.checkable]
DOCUMENTS = Path(__file__).parents[3] / "shared" / "seeds"

with_documents = pytest.mark.skipif(
    not DOCUMENTS.is_dir(), reason=f"the seed documents are not in {DOCUMENTS}"
)

DOCUMENT = """\
---
layout: post
title: "Two sides"
---
# A heading
A first sentence, e.g. Euler's, about $$x$$,
which goes on. A second one! <!-- Not published. -->
<p>1. <b>Markup</b> is left out.</p>
We have
$$
z = x. \\\\
Z = Y.
$$
for all x.

| a | b |
|:--|--:|
| One. Two | c |
# Code
def f(x):
    # A comment
    return x
"""
SPLIT = [
    'title: "Two sides"',
    "# A heading",
    "A first sentence, e.g. Euler's, about $$x$$, which goes on.",
    "A second one!",
    "<b>Markup</b> is left out.",
    "We have",
    "$$ z = x. \\\\ Z = Y. $$",
    "for all x.",
    "| a | b |",
    "| One. Two | c |",
    "# Code def f(x): # A comment return x",
]


def test_every_sentence_is_checked_or_has_a_reason_why_not() -> None:
    for s in SENTENCES:
        assert re.fullmatch(r"[0-9a-f]{16}", s.hash)
        assert bool(s.id) == bool(s.quote) == bool(s.claims) != bool(s.reason)
        assert s.id or not (s.wrong or s.only)
        assert not (s.wrong and s.only)
        assert len(s.quote.split()) <= 12


def test_ids_count_the_sentences_of_their_document() -> None:
    for seed in SEEDS.seed:
        numbers = [re.fullmatch(rf"{seed.id}-s(\d+)", s.id) for s in seed.checkable]
        assert [int(n[1]) for n in numbers if n] == [*range(1, len(seed.checkable) + 1)]


STATED = {id_: entry.claim for id_, entry in claims().items()}


def test_every_sentence_that_can_be_checked_has_claims() -> None:
    assert all(SEEDS.claims(s) for s in CHECKABLE)
    assert not SEEDS.covering - STATED.keys()


@pytest.mark.parametrize("name", sorted(SEEDS.covering))
def test_a_claim_that_covers_a_sentence_is_settled_or_its_sentence_says_that_it_is_not(name: str) -> None:
    settled = judge(evidence_for(name)) in {Verdict.PROVED, Verdict.CORRECTED}
    for sentence in CHECKABLE:
        if name in SEEDS.claims(sentence):
            assert settled == (name not in unsettled(SEEDS, sentence, STATED, {}))


def test_these_sentences_are_not_settled() -> None:
    assert [s.id for s in CHECKABLE if unsettled(SEEDS, s, STATED, {})] == []


def test_an_erratum_has_a_sentence_that_does_not_hold_as_written() -> None:
    errata = {id_ for id_, entry in claims().items() if entry.claim.erratum}
    assert errata
    assert errata <= {claim for s in CHECKABLE if s.wrong or s.only for claim in SEEDS.claims(s)}


def test_a_textual_statement_is_in_a_sentence_and_has_measurable_claims() -> None:
    assert SEEDS.textual.keys() <= {claim for s in CHECKABLE for claim in s.claims}
    assert all(t.stands_for and t.claims for t in SEEDS.textual.values())


def test_a_document_is_split_into_sentences_equations_rows_and_code() -> None:
    assert [*split(DOCUMENT)] == SPLIT


def test_white_space_does_not_change_a_hash_and_a_letter_does() -> None:
    assert digest("A  first\nsentence.") == digest("A first sentence.") != digest("A first sentence!")


@with_documents
def test_the_list_agrees_with_the_documents() -> None:
    assert [*compare(SEEDS, DOCUMENTS)] == []


@with_documents
@pytest.mark.parametrize("claim", STATED.values(), ids=STATED)
def test_a_claim_names_a_section_of_its_document(claim: Claim) -> None:
    (document,) = DOCUMENTS.glob(f"{claim.source.seed}_*")
    assert claim.source.section in document.read_text(encoding="utf-8")


@with_documents
def test_a_word_changed_in_a_document_is_found(tmp_path) -> None:
    for file in DOCUMENTS.iterdir():
        shutil.copyfile(file, tmp_path / file.name)
    file = next(tmp_path.glob("003_*"))
    file.write_text(
        file.read_text(encoding="utf-8").replace("exactly equivalent", "equivalent"), encoding="utf-8"
    )
    (dropped, added) = compare(SEEDS, tmp_path)
    assert "is exactly equivalent to performing one DDIM sampling step" in dropped
    assert "Performing one DDPM sampling step" in added


MADE = Seed(
    "made",
    "Made up",
    tuple(
        Sentence(hash=digest(text), id=f"made-s{k}", quote=text[:12], claims=("f-ddim-is-fm",))
        for k, text in enumerate(SPLIT)
    ),
)
EQUATION, CODE = SPLIT[6], SPLIT[10]


@pytest.mark.parametrize(
    ("old", "new", "dropped", "added"),
    [
        ("x$$,\nwhich", "x$$,  which", [], []),
        ("second", "third", [3], ["A third one!"]),
        ("A second one!", "", [3], []),
        ("\nWe have", "\nOne more. We have", [], ["One more."]),
        ("<!-- Not published. -->", "Not published.", [], ["Not published."]),
        ("z = x", "z = X", [6], [EQUATION.replace("x", "X")]),
        ("return x", "return", [10], [CODE.removesuffix(" x")]),
        ("| One. Two | c |\n", "", [9], []),
    ],
    ids=["space", "word", "dropped", "added", "comment", "equation", "code", "row"],
)
def test_a_change_is_found(old: str, new: str, dropped: list[int], added: list[str]) -> None:
    changed = DOCUMENT.replace(old, new)
    assert changed != DOCUMENT
    lost = [f"made: not in the document: made-s{k} {SPLIT[k][:12]!r}" for k in dropped]
    assert [*differences(MADE, changed)] == lost + [
        f"made: not in the list: {digest(text)} {text}" for text in added
    ]


def test_words_that_are_not_in_the_sentence_are_no_quotation() -> None:
    false = msgspec.structs.replace(MADE.sentences[3], quote="A third one!")
    seed = Seed("made", "Made up", (*MADE.sentences[:3], false, *MADE.sentences[4:]))
    assert [*differences(seed, DOCUMENT)] == ["made-s3: the words 'A third one!' are not in it"]


def test_a_document_that_is_not_there_or_cannot_be_read_is_named(tmp_path) -> None:
    with pytest.raises(Unknown, match=r"needs one file 000_\*\.txt, of 'An Introduction.*; it has none"):
        [*compare(SEEDS, tmp_path)]
    (tmp_path / "000_x.txt").write_bytes(b"\xff")
    with pytest.raises(Unknown, match=r"cannot read .*000_x\.txt"):
        [*compare(SEEDS, tmp_path)]


def result_of(verdict: Verdict) -> Result:
    task = Task(kind="claim", id="f-ddim-is-fm")
    return Result(task=task, title="", verdict=verdict, evidence=(), seconds=0.0)


def test_the_listing_shows_claims_and_what_came_of_them() -> None:
    plain = "\n".join(listing(SEEDS, STATED, {}))
    assert all(f"{s.id}  {s.hash}  {s.quote}" in plain for s in CHECKABLE)
    assert re.search(r"^    f-three-rows +DDIM is an Euler step", plain, re.MULTILINE)
    assert "    wrong: sigma lacks the factor alpha\n" in plain
    assert "    only in log-SNR, neither in time nor in sigma\n" in plain
    assert "    q-sit-name stands for: SiT are Scalable Interpolant Transformers" in plain
    judged = "\n".join(listing(SEEDS, STATED, {"f-ddim-is-fm": result_of(Verdict.PROVED)}))
    assert re.search(r"^    f-ddim-is-fm +PROVED +DDIM is Euler", judged, re.MULTILINE)
    assert re.search(r"^    f-three-rows +not run +DDIM is an Euler step", judged, re.MULTILINE)
    assert "NOT SETTLED" not in plain + judged


@pytest.mark.parametrize("verdict", [v for v in Verdict if v not in {Verdict.PROVED, Verdict.CORRECTED}])
def test_a_sentence_whose_claim_is_not_proved_is_marked(verdict: Verdict) -> None:
    judged = "\n".join(listing(SEEDS, STATED, {"f-ddim-is-fm": result_of(verdict)}))
    marked = judged.count("NOT SETTLED: not proved, as it should be, is f-ddim-is-fm")
    assert marked == sum("f-ddim-is-fm" in SEEDS.claims(s) for s in CHECKABLE) > 0


def test_a_claim_that_is_open_or_not_there_is_marked_before_it_is_run() -> None:
    opened = msgspec.structs.replace(STATED["f-ddim-is-fm"], open="an argument in the text")
    others = {id_: claim for id_, claim in STATED.items() if id_ != "f-three-rows"}
    plain = "\n".join(listing(SEEDS, {**others, "f-ddim-is-fm": opened}, {}))
    assert "NOT SETTLED: not proved, as it should be, is f-ddim-is-fm, f-three-rows\n" in plain
    assert re.search(r"^    f-three-rows +not there$", plain, re.MULTILINE)


def say(*arguments: object) -> int:
    with pytest.raises(SystemExit) as left:
        main(["seeds", *map(str, arguments)])
    return int(left.value.code or 0)


def run_of(verdict: Verdict, path: Path) -> Path:
    path.write_bytes(encode(Run(started="", versions={}, results=(result_of(verdict),))))
    return path


def test_the_command_lists_and_shows_the_verdicts_of_a_run(capsys, tmp_path) -> None:
    assert say() == 0
    assert "003-s001" in capsys.readouterr().out
    assert say("--results", run_of(Verdict.PROVED, tmp_path / "run.json")) == 0
    assert re.search(r"f-ddim-is-fm +PROVED +DDIM is Euler", capsys.readouterr().out)
    assert say("--results", run_of(Verdict.REFUTED, tmp_path / "run.json")) == 1


def test_the_command_says_where_a_document_differs(capsys, tmp_path) -> None:
    for seed in SEEDS.seed:
        (tmp_path / f"{seed.id}_made.txt").write_text("Nothing of it.", encoding="utf-8")
    assert say("--documents", tmp_path) == 1
    said = capsys.readouterr().err.splitlines()
    assert said.count(f"003: not in the list: {digest('Nothing of it.')} Nothing of it.") == 1
    assert sum("not in the document" in line for line in said) == len(SENTENCES)


def test_a_mistake_is_one_line(capsys, tmp_path) -> None:
    run = run_of(Verdict.PROVED, tmp_path / "run.json")
    for arguments in (
        ["--documents", tmp_path],
        ["--results", tmp_path / "none"],
        ["--run", "--results", run],
    ):
        assert say(*arguments) == 2
        out, err = capsys.readouterr()
        assert not out
        assert err.startswith("equiv: ") and err.count("\n") == 1
