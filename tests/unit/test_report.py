"""The report: everything of a run is in it, nothing in it can do harm, and no number is lost on the way."""

import html
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from report_sample import HOSTILE, UNREADABLE, sample_run

from equiv.evidence import KernelProof, Unchecked
from equiv.report import write
from equiv.report.mathml import mathml
from equiv.result import Run, decode, encode
from equiv.verdict import Verdict


@pytest.fixture(scope="module")
def run() -> Run:
    return sample_run()


@pytest.fixture(scope="module")
def page(run: Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    _, path = write(run, tmp_path_factory.mktemp("report"))
    return path.read_text(encoding="utf-8")


def test_the_sample_has_every_verdict(run: Run) -> None:
    assert {r.verdict for r in run.results} == set(Verdict)


def test_every_id_verdict_and_command_is_on_the_page(run: Run, page: str) -> None:
    for result in run.results:
        assert result.task.id in page
        assert result.verdict.value in page
    plain = [r for r in run.results if HOSTILE not in r.reproduce]
    assert all(r.reproduce in page for r in plain)


def test_a_refuted_check_shows_both_values_the_bound_the_place_and_the_snippet(page: str) -> None:
    for part in ("2.4416", "2.4705", "4.8e-07", "scheduling_ddim.py:412", "set_timesteps(10)"):
        assert part in page


def test_a_cited_theorem_is_counted_and_shown_apart(run: Run, page: str) -> None:
    assert run.results[0].headline == "PROVED under 1 condition"
    assert "Rests on 1 standard theorem, cited and not checked" in page
    assert "tower property, for means over states" in page


def test_hostile_text_stays_text(page: str) -> None:
    assert HOSTILE not in page
    assert "&lt;script&gt;alert" in page
    assert len(re.findall(r"<script\b", page)) == 1


def test_what_latex_cannot_be_read_is_shown_as_written(page: str) -> None:
    assert "<mi>\\" not in page
    assert UNREADABLE in page
    assert '<code class="latex">' in mathml(r"\notacommand{x}")
    assert "<mfrac>" in mathml(r"\frac{1}{2}")


def test_the_page_needs_nothing_from_elsewhere(page: str) -> None:
    without_namespaces = page.replace("http://www.w3.org/1998/Math/MathML", "")
    assert not re.search(r"""(src|href)=["'](https?:)?//""", without_namespaces)
    assert "default-src 'none'" in html.unescape(page)


def test_numbers_that_are_not_finite_survive_the_json(run: Run) -> None:
    data = encode(run)
    json.loads(data, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    back = decode(data)
    worst = [e.worst for r in back.results for e in r.evidence if hasattr(e, "worst")]
    bounds = [e.bound for r in back.results for e in r.evidence if hasattr(e, "worst")]
    assert any(map(math.isnan, worst))
    assert math.inf in bounds
    assert encode(back) == data


def test_the_page_is_drawn_from_the_json_alone(run: Run, page: str, tmp_path: Path) -> None:
    json_path, _ = write(run, tmp_path / "first")
    _, again = write(decode(json_path.read_bytes()), tmp_path / "second")
    assert again.read_text(encoding="utf-8") == page


def test_an_empty_run_has_a_page(tmp_path: Path) -> None:
    _, path = write(Run(started="2026-01-01T00:00:00Z", versions={}, results=()), tmp_path)
    assert "<h1>" in path.read_text(encoding="utf-8")


def test_the_page_of_an_interrupted_run_says_so_first(run: Run, page: str, tmp_path: Path) -> None:
    done = len(run.results)
    whole, part = (msgspec.structs.replace(run, planned=n) for n in (done, done + 371))
    _, path = write(part, tmp_path / "part")
    says = f"interrupted: {done} of {done + 371} tasks were done"
    text = path.read_text(encoding="utf-8")
    assert text.index("<h1>") < text.index(says) < text.index('<p class="lead">')
    _, path = write(whole, tmp_path / "whole")
    assert "interrupted:" not in path.read_text(encoding="utf-8")
    assert "interrupted:" not in page  # of a run that does not say how many tasks there were


def test_a_file_in_the_place_of_the_directory_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x", encoding="utf-8")
    with pytest.raises(NotADirectoryError, match="needs a directory"):
        write(run, tmp_path / "taken")


def test_drawing_a_report_loads_neither_torch_nor_sympy() -> None:
    code = "import sys, equiv.report.page; print({'torch', 'sympy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_page_says_what_the_second_kernel_accepted(run: Run, tmp_path: Path) -> None:
    proof = KernelProof(
        links=("a_1_1",),
        variants=("a_false_1",),
        unchecked=(Unchecked(name="a_1_2", about="Rates: <the chain rule>", reason="an integral"),),
        version="8.16.1",
        file="a.v",
    )
    claims = [msgspec.structs.replace(r, evidence=(*r.evidence, proof)) for r in run.results if r.claim]
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "a.v").touch()
    _, path = write(msgspec.structs.replace(run, results=tuple(claims)), tmp_path)
    drawn, n = path.read_text(encoding="utf-8"), len(claims)
    assert drawn.count("1 of 2 links, 1 of 1 false variants accepted by Rocq 8.16.1</summary>") == n
    assert drawn.count('<a href="kernel/a.v">') == n
    assert "Rates: &lt;the chain rule&gt;" in drawn
    assert (
        f"{n} of {2 * n} links, {n} of {n} false variants accepted by Rocq 8.16.1; 0 of {n} claims" in drawn
    )


def test_the_page_says_why_the_second_kernel_was_not_asked(run: Run, tmp_path: Path) -> None:
    proof = KernelProof(reason="coqc is not installed")
    results = tuple(msgspec.structs.replace(r, evidence=(*r.evidence, proof)) for r in run.results)
    _, path = write(msgspec.structs.replace(run, results=results), tmp_path)
    assert "<dd>not kernel-checked: coqc is not installed</dd>" in path.read_text(encoding="utf-8")
