"""What the command line answers, and with which exit code."""

import functools
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import pytest

from equiv import terminal
from equiv.cli import main
from equiv.cli.commands import DEPTHS
from equiv.evidence import Condition, Conformance, Evidence, Failure, Witness
from equiv.lookup import find
from equiv.result import Result, Run, Task, decode, encode
from equiv.running import catalogue, journal, local, selection
from equiv.running.expected import Expectation
from equiv.subjects.subject import ADAPTERS, Subject
from equiv.verdict import Verdict

Say = Callable[..., SimpleNamespace]
SUBJECT = "click.Samplers"  # click is installed and knows no samplers
REPRODUCE = (
    f"equiv check {SUBJECT} --only next-level-is-listed --config spacing=linspace --config steps=10 --seed 0"
)
SPACINGS = ("leading", "linspace", "trailing")


def subject(name: str) -> Subject:
    """Stands in for an adapter: one subject of six configurations."""
    find("subject", name, {SUBJECT: None}, see="equiv list")
    return Subject(
        name=name,
        library="click",
        version="",
        family="scheduler",
        time="",
        gauge="flow",
        prediction_types=("flow",),
        source="",
        options={"spacing": SPACINGS, "steps": ("10", "13")},
    )


def checked(task: Task) -> tuple[list[Evidence], dict[str, object]]:
    """Stands in for the checks: linspace goes to another level; trailing cannot be read in 13 steps."""
    if task.id == "next-level-is-listed":
        match task.config:
            case {"spacing": "linspace"}:
                witness = Witness(
                    inputs={"x_hat": "0", "eps_hat": "1"}, expected="1/2", got="1", bound="6e-08"
                )
                wrong = Conformance(
                    method="lifting",
                    steps=1,
                    expected="z_s = alpha_s x_hat + sigma_s eps_hat",
                    witness=witness,
                    reproduced=True,
                    where="sampling.py:131",
                )
                return [wrong], {}
            case {"spacing": "trailing", "steps": "13"}:
                return [
                    Failure(kind="unsupported", reason="aten::mystery is no operator we know", where="s.py:7")
                ], {}
    held = Conformance(
        method="lifting", steps=10, conditions=(Condition(text="sigma_t != 0", kind="denominator"),)
    )
    return [held], {}


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Say:
    """Run a command line; what it printed, and its exit code."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> SimpleNamespace:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capfd.readouterr()
        return SimpleNamespace(code=ended.value.code, out=out, err=err)

    return run


@pytest.fixture
def fake_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ADAPTERS, "click", __name__)
    monkeypatch.setattr(local, "LocalProcesses", functools.partial(local.LocalProcesses, work=checked))


def loaded_by(*arguments: str) -> set[str]:
    script = f"""
import sys
from equiv.cli import main
try:
    main({arguments!r})
except SystemExit as ended:
    assert ended.code == 0, ended.code
print("LOADED", *sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("LOADED ")[2].split())


@pytest.mark.parametrize("arguments", [("--help",), ("list",), ("seeds",), ("prove", "--help")], ids=" ".join)
def test_help_and_list_load_no_mathematics(arguments: tuple[str, ...]) -> None:
    assert not loaded_by(*arguments) & {"torch", "sympy", "flint", "z3", "numpy", "diffusers"}


def test_proving_never_loads_torch_in_the_parent() -> None:
    assert "torch" not in loaded_by("prove", "f-three-rows")


def test_help_takes_less_than_three_tenths_of_a_second() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "equiv", "--help"], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # processor time: what else the machine does is not ours
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.3


def test_help_says_the_exit_codes(say: Say) -> None:
    said = say("--help")
    assert said.code == 0
    assert "5  nothing was selected" in said.out


def test_prove_proves(say: Say, tmp_path: Path) -> None:
    said = say("prove", "f-three-rows", "--json", "run.json")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("f-three-rows  PROVED")
    (result,) = decode((tmp_path / "run.json").read_bytes(), Run).results
    assert result.verdict is Verdict.PROVED
    assert result.claim is not None
    assert {p.name for p in tmp_path.iterdir()} == {
        ".equiv",
        "run.json",
    }  # the journal is gone, the cache stays
    assert [p.name for p in (tmp_path / ".equiv").iterdir()] == ["cache"]


def test_json_on_the_standard_output_is_json_alone(say: Say) -> None:
    said = say("prove", "f-three-rows", "--json", "-")
    assert decode(said.out.encode(), Run).results
    assert "PROVED" in said.err


def test_explain_shows_lines_reasons_and_rejected_variants(say: Say) -> None:
    said = say("explain", "f-three-rows")
    assert said.code == 0
    for part in ("Row u", "= collect z", "false variants, each refuted", "αₛ"):
        assert part in said.out


def test_list_names_every_claim(say: Say) -> None:
    said = say("list")
    assert all(claim in said.out for claim in catalogue.claims())


@pytest.mark.parametrize("arguments", [("list",), ("seeds",), ("--help",)], ids=" ".join)
def test_a_reader_that_goes_away_is_no_refutation(arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "equiv", *arguments],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (("prove", "f-three-row"), "f-three-rows"),
        (("explain", "F-THREE-ROWS"), "f-three-rows"),
        (("check", "click.Sampler"), SUBJECT),
        (("check", "diffuser.DDIMScheduler"), "diffusers"),
        (("check", "diffusers.DDIMSheduler"), "diffusers.DDIMScheduler"),
        (("check", SUBJECT, "--only", "step-equals-formular"), "step-equals-formula"),
        (("check", SUBJECT, "--config", "steps=10", "--config", "steps=13"), "twice"),
        (("check", SUBJECT, "--config", "spacng=leading"), "spacing"),
        (("check", SUBJECT, "--config", "spacing=leadng"), "leading"),
        (("experiment", "x-ddim-is-eular"), "x-ddim-is-euler"),
        (("experiment", "--networks", "digit"), "digits"),
        (("train", "rin"), "ring"),
        (("experiment", "--dtype", "float46"), "float64"),
        (("experiment", "--device", "cudaa"), "cuda"),
        (("compare", "a", "b", "--depth", "step"), "steps"),
        (("prove", "--jsn"), "--json"),
        (("prov",), "prove"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, tuple) else "",
)
def test_a_name_that_is_not_there_gets_one_line_and_the_nearest(
    say: Say, fake_checks: None, arguments: tuple[str, ...], nearest: str
) -> None:
    said = say(*arguments)
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("equiv: ")
    assert said.err.count("\n") == 1
    assert nearest in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", SUBJECT, "--config", "spacing"),
        ("check", SUBJECT, "--config", "steps=0"),
        ("check", "diffuser"),
        ("check", "./mine.py:step"),
        ("check", SUBJECT, "--expect", "missing.toml"),
        ("report", "missing.json"),
        ("prove", "--json", "/dev/null/run.json"),
        ("prove", "--journal", "/dev/null/run.jsonl"),
        ("prove", "--json", "/tmp"),
        ("report", "--out", "/dev/null"),
        ("report", "--out", "/proc/foo"),
        ("prove", "--jobs", "0"),
        ("prove", "--time-limit", "0"),
        ("prove", "--time-limit", "nan"),
        ("prove", "--time-limit", "inf"),
    ],
    ids=" ".join,
)
def test_a_value_that_cannot_be_used_gets_one_line(
    say: Say, fake_checks: None, arguments: tuple[str, ...]
) -> None:
    said = say(*arguments)
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert "Traceback" not in said.err


def test_results_that_cannot_be_written_after_the_run_are_kept(say: Say, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs a file that is always full")
    said = say("prove", "f-three-rows", "--json", "/dev/full")
    assert (said.code, said.out, said.err.count("\n")) == (2, "", 1)
    (kept,) = (tmp_path / ".equiv/journal").iterdir()
    assert said.err.endswith(f"kept in .equiv/journal/{kept.name}\n")
    assert [r.verdict for r in journal.partial(kept).results] == [Verdict.PROVED]


@pytest.mark.parametrize(
    ("verdicts", "code", "strict"),
    [
        ((Verdict.PROVED, Verdict.REFUTED), 0, 0),
        ((Verdict.REFUTED,), 0, 0),
        ((Verdict.INCONCLUSIVE, Verdict.REFUTED), 0, 4),
        ((Verdict.UNSUPPORTED,), 0, 4),
        ((Verdict.INTERNAL_ERROR, Verdict.INCONCLUSIVE), 3, 3),
    ],
)
def test_a_report_fails_on_what_is_wrong_with_us(
    say: Say, tmp_path: Path, verdicts: tuple[Verdict, ...], code: int, strict: int
) -> None:
    results = tuple(
        Result(task=Task(kind="claim", id=f"c-{n}"), title="", verdict=v, evidence=(), seconds=0.0)
        for n, v in enumerate(verdicts)
    )
    (tmp_path / "run.json").write_bytes(encode(Run(started="2026-01-01", versions={}, results=results)))
    assert say("report", "run.json").code == code
    assert say("report", "run.json", "--strict").code == strict


def test_a_file_that_is_no_run_is_refused(say: Say, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"schema": 1}')
    said = say("report", "run.json")
    assert said.code == 2
    assert "`started`" in said.err


def test_nothing_selected(say: Say, fake_checks: None) -> None:
    assert say("check", SUBJECT, "--only", "prediction-type").code == 5


def test_check_shows_what_is_wrong_and_how_to_see_it(say: Say, fake_checks: None) -> None:
    said = say("check", SUBJECT)
    assert said.code == 1
    assert "REFUTED (wrong formula)" in said.out
    for line in (
        "  expected  z_s = alpha_s x_hat + sigma_s eps_hat",
        "  smallest  x_hat = 0, eps_hat = 1:  got 1, expected 1/2  (bound 6e-08)",
        "  where     sampling.py:131",
        f"  reproduce {REPRODUCE}",
        "  and so for 1 more configurations",
        "  reason    unsupported: aten::mystery is no operator we know",
    ):
        assert line in said.out.splitlines(), line


@pytest.mark.parametrize("reason", ["in [/pytorch/aten/x.cpp]", "[diffusers.DDIMScheduler steps=10] :x:"])
def test_what_is_printed_is_no_markup(capsys: pytest.CaptureFixture[str], reason: str) -> None:
    task = Task(kind="claim", id="any")
    evidence = (Failure(kind="crash", reason=reason),)
    result = Result(task=task, title=reason, verdict=Verdict.INCONCLUSIVE, evidence=evidence, seconds=0.0)
    held = Expectation(known=(), complaints=(f"stale: {reason}",), rest=(result,))
    terminal.show(terminal.console(), [result], held, terminal.table)
    assert capsys.readouterr().out.count(reason) == 3  # in the table, the block and the complaint


def test_progress_prints_no_markup(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    task = Task(kind="check", id="any", subject="[/x]")
    with terminal.progress(1, quiet=False) as seen:
        seen(Result(task=task, title="", verdict=Verdict.PROVED, evidence=(), seconds=0.0))
    assert "any[[/x]]" in capsys.readouterr().err


def test_the_reproduce_line_reproduces(say: Say, fake_checks: None) -> None:
    lines = say("check", SUBJECT).out.splitlines()
    command = next(line.split() for line in lines if "spacing=linspace" in line and "reproduce" in line)
    again = say(*command[2:])
    assert again.code == 1
    assert "1 tasks: 1 REFUTED" in again.out


def test_each_part_of_the_configurations_gets_one_line(say: Say, fake_checks: None) -> None:
    lines = [" ".join(line.split()) for line in say("check", SUBJECT).out.splitlines()]
    assert lines[:5] == [
        f"{SUBJECT} step-equals-formula PROVED under 1 condition 6 tasks every configuration",
        f"{SUBJECT} next-level-is-listed PROVED under 1 condition 2 tasks spacing=leading",
        f"{SUBJECT} next-level-is-listed REFUTED (wrong formula) 2 tasks spacing=linspace",
        f"{SUBJECT} next-level-is-listed PROVED under 1 condition 1 tasks spacing=trailing steps=10",
        f"{SUBJECT} next-level-is-listed UNSUPPORTED 1 tasks spacing=trailing steps=13",
    ]


def test_strict_fails_on_what_is_undecided(say: Say, fake_checks: None) -> None:
    assert say("check", SUBJECT, "--config", "spacing=trailing").code == 0
    assert say("check", SUBJECT, "--config", "spacing=trailing", "--strict").code == 4


def expect(path: Path, **changes: str) -> str:
    entry = {
        "obligation": "next-level-is-listed",
        "subject": SUBJECT,
        "version": __import__("importlib.metadata").metadata.version("click"),
        "reason": "goes to another level",
        "link": "https://example.org/1",
        "spacing": "linspace",
    } | changes
    spacing = entry.pop("spacing")
    lines = [f'{key} = "{value}"' for key, value in entry.items()]
    path.write_text("\n".join(["[[defect]]", *lines, f'config = {{ spacing = "{spacing}" }}']))
    return str(path)


def test_an_expected_defect_does_not_fail_the_run(say: Say, fake_checks: None, tmp_path: Path) -> None:
    said = say("check", SUBJECT, "--expect", expect(tmp_path / "e.toml"))
    assert said.code == 0
    assert "2 refuted as expected" in said.out


def test_an_expected_defect_that_is_all_there_is_passes(say: Say, fake_checks: None, tmp_path: Path) -> None:
    file = expect(tmp_path / "e.toml")
    assert (
        say(
            "check",
            SUBJECT,
            "--only",
            "next-level-is-listed",
            "--config",
            "spacing=linspace",
            "--expect",
            file,
        ).code
        == 0
    )


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"spacing": "leading"}, "unexpected pass: "),
        ({"spacing": "other"}, "stale: "),
        ({"version": "0.0"}, "stale: "),
    ],
)
def test_a_stale_entry_or_an_unexpected_pass_fails_the_run(
    say: Say, fake_checks: None, tmp_path: Path, changes: dict[str, str], complaint: str
) -> None:
    file = expect(tmp_path / "e.toml", **changes)
    said = say("check", SUBJECT, "--config", "spacing=leading", "--expect", file)
    in_scope = changes.get("spacing", "linspace") == "leading"
    assert said.code == (1 if in_scope else 0)
    whole = say("check", SUBJECT, "--expect", file)
    assert whole.code == 1
    assert complaint in whole.out


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"obligation": "step-equals-formular"}, "step-equals-formula"),
        ({"subject": "click.Sampler"}, SUBJECT),
        ({"subject": "clack.Samplers"}, "click"),
        ({"typo": "x"}, "typo"),
    ],
)
def test_a_wrong_file_of_expected_defects_is_refused(
    say: Say, fake_checks: None, tmp_path: Path, changes: dict[str, str], says: str
) -> None:
    said = say("check", SUBJECT, "--expect", expect(tmp_path / "e.toml", **changes))
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert says in said.err


def test_a_bug_of_ours_is_no_refutation(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_ids: object) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(selection, "claims", broken)
    said = say("prove")
    assert said.code == 3
    assert "RuntimeError: ours" in said.err


def test_the_depths_are_those_of_the_help(say: Say) -> None:
    assert all(depth in say("compare", "--help").out for depth in DEPTHS)


INTERRUPTED = """
import functools
from test_cli import hanging
from equiv.cli import main
from equiv.running import local
local.LocalProcesses = functools.partial(local.LocalProcesses, work=hanging)
main(["prove", "f-three-rows", "p-conversions", "--jobs", "1"])
"""


def hanging(task: Task) -> tuple[list[Evidence], dict[str, object]]:
    """Stands in for a claim that takes for ever, after one that is quick."""
    if task.id == "p-conversions":
        Path("started").touch()
        time.sleep(60)
    return [Failure(kind="crash", reason="by hand")], {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_shows_what_was_done_and_how_to_go_on(say: Say, tmp_path: Path, number: int) -> None:
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not (tmp_path / "started").exists():
            time.sleep(0.02)
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "f-three-rows  INCONCLUSIVE" in out
    assert "1 of 2 tasks were done" in err
    assert "--resume" in err
    again = say("prove", "f-three-rows", "p-conversions", "--resume", "--json", "run.json")
    assert again.code == 0
    assert [r.verdict for r in decode((tmp_path / "run.json").read_bytes(), Run).results] == [
        Verdict.INCONCLUSIVE,
        Verdict.PROVED,
    ]


@pytest.mark.parametrize(("answer", "code"), [("same", 0), ("different", 1), ("undecided", 4)])
def test_compare_says_it_in_the_exit_code(
    say: Say, monkeypatch: pytest.MonkeyPatch, answer: Literal["same", "different", "undecided"], code: int
) -> None:
    from equiv.compare import Reading, Side  # not above: workers import this file, and this loads torch

    def reading(_a: Side, _b: Side, depth: Literal["steps", "samplers", "common-grid"]) -> Reading:
        return Reading(depth=depth, answer=answer, text=f"{answer.upper()}: why")

    monkeypatch.setattr("equiv.compare.side", lambda spec, _python: Side(name=spec, read=None))
    monkeypatch.setattr("equiv.compare.compared", reading)
    said = say("compare", "a", "b")
    assert said.code == code
    assert [line.split()[0] for line in said.out.splitlines()] == list(DEPTHS)
