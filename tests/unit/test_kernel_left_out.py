"""What the second kernel leaves out is listed, with the reason; all else fails the run, and a stale entry."""

import importlib
from pathlib import Path

import pytest

from equiv.cli import main
from equiv.evidence import KernelProof, Unchecked
from equiv.lookup import Unknown
from equiv.result import Result, Task
from equiv.running import unchecked
from equiv.running.catalogue import claims
from equiv.running.unchecked import LeftOut, complaints
from equiv.running.worker import result
from equiv.symbolic.kernel import coqc
from equiv.symbolic.kernel.check import exported
from equiv.symbolic.kernel.export import Skipped

LISTED = unchecked.read(Path(__file__).parents[2] / "not-kernel-checked.toml")
OPEN = Unchecked(name="l_sign_1_1", about="The loss: grows", reason="an integral")


def held(**proof: object) -> list[Result]:
    return [result(Task(kind="claim", id="l-sign"), [KernelProof(links=("l_sign_6_1",), **proof)], 0.0)]


def left_out(*links: str) -> list[LeftOut]:
    return [LeftOut(id="l-sign", links=links, reason="it is an integral")]


def test_what_is_listed_is_expected() -> None:
    assert complaints(held(unchecked=(OPEN,)), left_out("1_1")) == ()


def test_what_is_not_listed_fails_the_run() -> None:
    (said,) = complaints(held(unchecked=(OPEN,)), [])
    assert said == "not kernel-checked: l_sign_1_1 (The loss: grows): an integral"


@pytest.mark.parametrize(("link", "why"), [("6_1", "is accepted"), ("9_9", "is no lemma")])
def test_a_stale_entry_fails_the_run(link: str, why: str) -> None:
    (said,) = complaints(held(), left_out(link))
    assert said == f"stale: l_sign_{link} {why}, which is expected to be left out"


def test_a_kernel_that_is_not_there_fails_the_run() -> None:
    assert complaints(held(reason="coqc is not installed"), left_out("1_1")) == (
        "not kernel-checked: coqc is not installed",
    )


def test_without_a_list_nothing_is_expected() -> None:
    assert complaints(held(unchecked=(OPEN,)), None) == ()


@pytest.mark.parametrize("entry", LISTED, ids=lambda entry: entry.id)
def test_only_what_cannot_be_put_before_rocq_is_listed(entry: LeftOut) -> None:
    """A proof that Rocq does not accept is to be mended; an integral is beyond what is exported."""
    read = exported(importlib.import_module(claims()[entry.id].module))
    skipped = {x.name: x.reason for x in (*read.links, *read.variants) if isinstance(x, Skipped)}
    assert skipped.keys() == set(entry.lemmas)
    beyond = ("that of an integral", "function of several variables")
    assert all(any(kind in reason for kind in beyond) for reason in skipped.values())
    assert entry.reason


def test_a_list_that_names_no_claim_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.toml"
    path.write_text('[[claim]]\nid = "l-sgin"\nlinks = []\nreason = ""\n', encoding="utf-8")
    with pytest.raises(Unknown, match="l-sign"):
        unchecked.read(path)
    path.write_text('[[claim]]\nname = "l-sign"\n', encoding="utf-8")
    with pytest.raises(Unknown, match="is no file of what the kernel leaves out"):
        unchecked.read(path)


def test_a_list_needs_the_kernel(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "list.toml"
    path.write_text("", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["prove", "p-mse-table", "--expect", str(path)])
    assert ended.value.code == 2
    assert "needs --kernel" in capsys.readouterr().err


@pytest.mark.skipif(not coqc.available(), reason="coqc is not installed")
def test_the_command_says_what_is_stale(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "list.toml"
    for links, code, words in (("[]", 0, "1 PROVED"), ('["1_1"]', 1, "stale: p_mse_table_1_1 is accepted")):
        path.write_text(f'[[claim]]\nid = "p-mse-table"\nlinks = {links}\nreason = "no"\n', encoding="utf-8")
        with pytest.raises(SystemExit) as ended:
            main(["prove", "p-mse-table", "--kernel", "--expect", str(path)])
        assert ended.value.code == code
        assert words in capfd.readouterr().out
