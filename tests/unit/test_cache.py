"""What was proved before is taken over exactly as long as nothing it rests on has changed."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import msgspec
import pytest

from equiv.evidence import Conformance, Failure, Proof, Rejected, Witness
from equiv.result import Result, Task
from equiv.running import cache
from equiv.running.run import run
from equiv.running.worker import result

NEEDED, NEEDS_IT, APART = "p-conversions", "f-three-rows", "s-sd3-shift"


class Executor:
    """Answers every task, and remembers what it was asked."""

    def __init__(self, *evidence: Failure | Proof | Conformance) -> None:
        self.asked: list[str] = []
        self.evidence = list(evidence)

    def run(self, tasks: Sequence[Task]) -> Iterator[Result]:
        for task in tasks:
            self.asked.append(task.id)
            yield result(task, list(self.evidence), 0.0)


AT = Witness(inputs={}, expected="0", got="1")
REFUTED = Proof(witness=AT, rejected=(Rejected(name="x", witness=AT),))


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    forget()
    yield
    forget()


def forget() -> None:
    """What a new process does not know."""
    for known in (cache._claim_digest, cache._check_digest, cache._installed, cache._source):
        known.cache_clear()


def tasks() -> list[Task]:
    return [Task(kind="claim", id=id_) for id_ in (NEEDED, NEEDS_IT, APART)]


def again() -> list[str]:
    """What a further run has to do."""
    forget()
    executor = Executor(REFUTED)
    run(tasks(), executor)
    return executor.asked


def test_a_second_run_has_nothing_to_do_and_says_so() -> None:
    assert again() == [NEEDED, NEEDS_IT, APART]
    found = run(tasks(), Executor(REFUTED))
    assert [r.cached for r in found.results] == [True] * 3
    assert again() == []


def test_no_cache_does_without() -> None:
    again()
    executor = Executor(REFUTED)
    run(tasks(), executor, use_cache=False)
    assert executor.asked == [NEEDED, NEEDS_IT, APART]


@pytest.mark.parametrize(
    ("changed", "redone"),
    [
        ("equiv.proofs.predictions.p_conversions", [NEEDED, NEEDS_IT]),
        ("equiv.proofs.deterministic.f_three_rows", [NEEDS_IT]),
        ("equiv.proofs.schedules.s_sd3_shift", [APART]),
        ("equiv.symbolic.roots", [NEEDED, NEEDS_IT, APART]),
        ("equiv.number", [NEEDED, NEEDS_IT, APART]),
        ("equiv.running.worker", [NEEDED, NEEDS_IT, APART]),
        ("equiv.lifting.tracer", []),
        ("equiv.symbolic.kernel.export", []),
    ],
)
def test_a_change_redoes_what_rests_on_it(
    changed: str, redone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    again()
    right = cache._content
    monkeypatch.setattr(cache, "_content", lambda m: "changed" if m == changed else right(m))
    assert again() == redone


def test_another_version_of_a_library_redoes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    again()
    monkeypatch.setattr(cache, "versions", lambda _task: {"sympy": "0"})
    assert again() == [NEEDED, NEEDS_IT, APART]


def test_a_failure_is_tried_again() -> None:
    executor = Executor(Failure(kind="crash", reason="it crashed"))
    run(tasks(), executor)
    assert again() == [NEEDED, NEEDS_IT, APART]


def test_a_damaged_file_is_not_believed() -> None:
    again()
    for path in cache.HOME.iterdir():
        path.write_bytes(path.read_bytes()[:-20])
    assert again() == [NEEDED, NEEDS_IT, APART]


def test_the_result_of_another_task_is_not_believed() -> None:
    again()
    first, second = sorted(cache.HOME.iterdir())[:2]
    first.write_bytes(second.read_bytes())
    assert len(again()) == 1


def test_what_is_proved_already_loads_no_sympy() -> None:
    prove = [sys.executable, "-m", "equiv", "prove", NEEDED, "--quiet"]
    subprocess.run(prove, check=True, capture_output=True)
    probe = [sys.executable, "-X", "importtime", *prove[1:]]
    done = subprocess.run(probe, check=True, capture_output=True, text=True)
    assert "cached" in done.stdout
    assert "sympy" not in done.stderr


# --- checks ---------------------------------------------------------------------------------------------

STEP, RUN = "diffusers.DDIMScheduler", "k_diffusion.sample_euler"
HOLDS = Conformance(method="lifting", steps=3)


def checks() -> list[Task]:
    stepwise = Task(kind="check", id="step-equals-formula", subject=STEP, config={"steps": "10"})
    return [stepwise, Task(kind="check", id="run-equals-method", subject=RUN, config={"steps": "3"})]


def checked_again(*evidence: Failure | Conformance) -> list[str]:
    """The subjects that a further run has to look at."""
    forget()
    wanted = checks()
    executor = Executor(*(evidence or (HOLDS,)))
    run(wanted, executor)
    return [t.subject for t in wanted if t.id in executor.asked]


def test_a_check_is_taken_over_too() -> None:
    assert checked_again() == [STEP, RUN]
    assert checked_again() == []


@pytest.mark.parametrize(
    ("changed", "redone"),
    [
        ("equiv.lifting.tracer", [STEP, RUN]),
        ("equiv.obligations", [STEP, RUN]),  # which the obligations lie in
        ("equiv.obligations.specifications.multistep", [STEP]),
        ("equiv.subjects.diffusers.classes", [STEP]),
        ("equiv.subjects.k_diffusion", [RUN]),
        ("equiv.formulas.samplers", [RUN]),
        ("equiv.proofs.predictions.p_conversions", []),
        ("equiv.report.page", []),
    ],
)
def test_a_change_redoes_the_checks_that_rest_on_it(
    changed: str, redone: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    checked_again()
    right = cache._content
    monkeypatch.setattr(cache, "_content", lambda m: "changed" if m == changed else right(m))
    assert checked_again() == redone


def test_a_changed_file_of_the_library_redoes_its_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = tmp_path / "library" / "inner"
    inner.mkdir(parents=True)
    monkeypatch.setattr(cache, "find_spec", lambda _: Mock(submodule_search_locations=[inner.parent]))
    (inner / "step.py").write_text("a = 1")
    checked_again()
    assert checked_again() == []
    (inner / "step.py").write_text("a = 2")
    assert checked_again() == [STEP, RUN]


def test_what_is_installed_beside_the_library_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    checked_again()
    monkeypatch.setattr(cache, "_installed", Mock(return_value=("torch-0.dist-info",)))
    assert checked_again() == [STEP, RUN]


@pytest.mark.parametrize(
    "other",
    [{"config": {"steps": "13"}}, {"seed": 1}, {"dtype": "bfloat16"}, {"subject": "diffusers.DDPMScheduler"}],
)
def test_another_task_is_not_taken_for_it(other: dict[str, Any]) -> None:
    checked_again()
    executor = Executor(HOLDS)
    run([msgspec.structs.replace(checks()[0], **other)], executor)
    assert executor.asked


@pytest.mark.parametrize("subject", ["./mine.py:step", "mine.sampler", "diffusers.other:Scheduler"])
def test_code_that_lies_elsewhere_is_read_each_time(subject: str) -> None:
    task = msgspec.structs.replace(checks()[0], subject=subject)
    run([task], Executor(HOLDS))
    executor = Executor(HOLDS)
    run([task], executor)
    assert executor.asked


@pytest.mark.parametrize(
    ("kind", "redone"), [("unsupported", []), ("crash", [STEP, RUN]), ("time-out", [STEP, RUN])]
)
def test_only_what_came_to_an_end_is_kept(kind: Any, redone: list[str]) -> None:
    failure = Failure(kind=kind, reason="aten.fft is not known")
    checked_again(failure)
    assert checked_again(failure) == redone
