"""What was proved before is taken over exactly as long as nothing it rests on has changed."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from equiv.evidence import Failure, Proof, Rejected, Witness
from equiv.result import Result, Task
from equiv.running import cache
from equiv.running.run import run
from equiv.running.worker import result

NEEDED, NEEDS_IT, APART = "p-conversions", "f-three-rows", "s-sd3-shift"


class Executor:
    """Answers every task, and remembers what it was asked."""

    def __init__(self, *evidence: Failure | Proof) -> None:
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
    cache._claim_digest.cache_clear()
    yield
    cache._claim_digest.cache_clear()


def tasks() -> list[Task]:
    return [Task(kind="claim", id=id_) for id_ in (NEEDED, NEEDS_IT, APART)]


def again() -> list[str]:
    """What a further run has to do."""
    cache._claim_digest.cache_clear()
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
