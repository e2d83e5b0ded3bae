"""Every way in which a task can go wrong is that task's own."""

import ctypes
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from equiv.evidence import Evidence, Experiment, Failure
from equiv.lookup import Unknown
from equiv.result import Result, Task
from equiv.running.local import LocalProcesses, _Line
from equiv.verdict import Verdict

GIB = 2**30


def behave(task: Task) -> tuple[list[Evidence], dict[str, object]]:
    """A stand-in for the real work: do what the task's id says."""
    match task.id:
        case "good":
            return [_measured(0.5)], {"process": os.getpid()}
        case "nan":
            return [_measured(math.nan)], {"worst": math.nan}
        case "infinite":
            return [_measured(math.inf)], {"worst": [math.inf, -math.inf]}
        case "raise":
            raise ZeroDivisionError("by hand")
        case "sys-exit":
            sys.exit(0)
        case "interrupt":
            raise KeyboardInterrupt
        case "os-exit":
            os._exit(int(task.config["code"]))
        case "segfault":
            ctypes.string_at(0)
        case "hang":
            while True:
                pass
        case "child-hangs":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            Path(task.config["pid"]).write_text(str(child.pid))
            child.wait()
        case "memory":
            bytearray(4 * GIB)
        case "no-evidence":
            return [], {}
        case "unencodable":
            return [_measured(0.5)], {"what": object()}
        case "not-evidence":
            return ["PROVED"], {}  # type: ignore[list-item]
        case "noisy":
            print("noise on stdout")
            return [_measured(0.5)], {}
        case "unknown":
            raise Unknown("there is no such thing; the nearest is 'good'")
    return [_measured(0.5)], {"process": os.getpid()}


def _measured(worst: float) -> Experiment:
    return Experiment(worst=worst, bound=1.0, cases=1, rejected=("a false variant",))


def task(name: str, **config: str) -> Task:
    return Task(kind="experiment", id=name, config=config)


def results(*tasks: Task, jobs: int = 1, seconds: float = 30.0) -> list[Result]:
    executor = LocalProcesses(jobs=jobs, seconds=seconds, memory=2 * GIB, work=behave)
    return sorted(executor.run(tasks), key=lambda r: tasks.index(r.task))


def failure(result: Result) -> Failure:
    (only,) = result.evidence
    assert isinstance(only, Failure)
    assert result.verdict is Verdict.INCONCLUSIVE
    return only


@pytest.mark.parametrize(
    ("bad", "kind", "reason"),
    [
        (task("raise"), "crash", "ZeroDivisionError: by hand"),
        (task("sys-exit"), "crash", "SystemExit"),
        (task("interrupt"), "crash", "KeyboardInterrupt"),
        (task("os-exit", code="1"), "crash", "exited with code 1"),
        (task("os-exit", code="0"), "crash", "exited with code 0"),
        (task("segfault"), "crash", "SIGSEGV"),
        (task("memory"), "memory", "MemoryError"),
        (task("unencodable"), "crash", "object"),
        (task("not-evidence"), "crash", "'str'"),
    ],
    ids=lambda part: part.name if isinstance(part, Task) else "",
)
def test_a_bad_task_is_inconclusive_and_the_others_go_on(bad: Task, kind: str, reason: str) -> None:
    before, broken, after = results(task("good"), bad, task("good", n="2"))
    assert (before.verdict, after.verdict) == (Verdict.SUPPORTED, Verdict.SUPPORTED)
    found = failure(broken)
    assert found.kind == kind
    assert reason in found.reason
    assert broken.reproduce.startswith(f"equiv experiment {bad.id}")


def test_a_hang_ends_at_its_limit_and_says_where() -> None:
    started = time.monotonic()
    hung, after = results(task("hang"), task("good"), seconds=1.0)
    assert time.monotonic() - started < 5
    found = failure(hung)
    assert (found.kind, found.reason) == ("time-out", "no result within 1 s")
    assert "test_running.py:" in found.where
    assert after.verdict is Verdict.SUPPORTED


def test_a_segmentation_fault_says_where() -> None:
    assert "ctypes" in failure(results(task("segfault"))[0]).where


def test_what_a_task_started_ends_with_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    failure(results(task("child-hangs", pid=str(pid)), seconds=1.0)[0])
    time.sleep(0.1)
    state = Path("/proc") / pid.read_text() / "stat"
    assert not state.exists() or state.read_text().split()[2] == "Z"


def test_a_worker_lives_through_many_tasks_and_workers_share_them() -> None:
    one = results(*(task("good", n=str(n)) for n in range(4)))
    assert len({r.figures["process"] for r in one}) == 1
    assert os.getpid() not in {r.figures["process"] for r in one}


def test_nan_infinity_and_nothing_are_never_support() -> None:
    for result in results(task("nan"), task("infinite"), task("no-evidence")):
        assert result.verdict is Verdict.INCONCLUSIVE


def test_what_is_not_finite_survives_the_way_back() -> None:
    (result,) = results(task("nan"))
    (evidence,) = result.evidence
    assert isinstance(evidence, Experiment)
    assert math.isnan(evidence.worst)
    assert result.figures == {"worst": "nan"}


def test_a_task_cannot_write_on_our_output(capfd: pytest.CaptureFixture[str]) -> None:
    results(task("noisy"))
    assert capfd.readouterr() == ("", "")


def test_a_name_that_means_nothing_is_the_users_mistake_not_the_tasks() -> None:
    with pytest.raises(Unknown, match="the nearest is 'good'"):
        results(task("unknown"))


def test_no_tasks_give_no_results() -> None:
    assert results() == []


def test_a_worker_goes_on_with_its_configuration_and_helps_out_when_all_are_begun() -> None:
    def owed(steps: int, n: int) -> Task:
        return Task(kind="check", id=f"owed-{n}", subject="any", config={"steps": str(steps)})

    line = _Line([owed(steps, n) for steps in (10, 13) for n in range(3)])
    first, second = line.next(None), line.next(None)
    assert (first, second) == (owed(10, 0), owed(13, 0))
    assert [line.next(first), line.next(second), line.next(first)] == [owed(10, 1), owed(13, 1), owed(10, 2)]
    assert line.next(first) == owed(13, 2)
    assert not line


def test_no_task_is_lost_or_done_twice() -> None:
    owed = [task("good", n=str(n)) for n in range(7)] + [
        Task(kind="check", id=f"owed-{n}", subject="any") for n in range(5)
    ]
    assert [r.task for r in results(*owed, jobs=3)] == owed
