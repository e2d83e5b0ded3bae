"""What was found is written as it comes, and taken over only where it still holds."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from test_running import behave, task

from equiv.result import Result, Run, Task, decode, encode
from equiv.running import journal
from equiv.running.local import LocalProcesses
from equiv.running.run import Interrupted, run
from equiv.running.worker import result

DONE, MORE = task("good", n="1"), task("good", n="2")


class InProcess:
    """An executor that stops with Ctrl-C after so many tasks."""

    def __init__(self, stop_after: int = 99) -> None:
        self.stop_after, self.ran = stop_after, 0

    def run(self, tasks: Sequence[Task]) -> Iterator[Result]:
        for t in tasks:
            if self.ran == self.stop_after:
                raise KeyboardInterrupt
            self.ran += 1
            evidence, figures = behave(t)
            yield result(t, evidence, 0.0, figures)


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def interrupted() -> Interrupted:
    with pytest.raises(Interrupted) as stopped:
        run([DONE, MORE], InProcess(stop_after=1))
    return stopped.value


def test_an_interrupted_run_keeps_what_was_done() -> None:
    stopped = interrupted()
    assert [r.task for r in stopped.run.results] == [DONE]
    assert journal.partial(stopped.kept) == stopped.run
    assert stopped.run.planned == 2


def test_resuming_does_only_what_is_left_and_leaves_no_journal() -> None:
    interrupted()
    executor = InProcess()
    assert [r.task for r in run([DONE, MORE], executor, resume=True).results] == [DONE, MORE]
    assert executor.ran == 1
    assert not journal.HOME.parent.exists()


def test_without_resume_everything_is_done_again() -> None:
    interrupted()
    executor = InProcess()
    run([DONE, MORE], executor)
    assert executor.ran == 2


@pytest.mark.parametrize("asked", [[DONE], [DONE, MORE, task("good", n="3")]], ids=["fewer", "more"])
def test_the_journal_of_other_tasks_is_left_alone(asked: list[Task]) -> None:
    kept = interrupted().kept
    executor = InProcess()
    run(asked, executor, resume=True)
    assert executor.ran == len(asked)
    assert kept.exists()


def test_nothing_is_taken_over_from_other_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted()
    monkeypatch.setattr(journal, "sources", lambda _tasks: "edited since")
    executor = InProcess()
    run([DONE, MORE], executor, resume=True)
    assert executor.ran == 2


def test_nothing_is_taken_over_from_other_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted()
    monkeypatch.setattr(journal, "versions", lambda _task=None: {"equiv": "another"})
    executor = InProcess()
    run([DONE, MORE], executor, resume=True)
    assert executor.ran == 2


def test_the_sources_of_a_subject_in_a_file_count() -> None:
    mine = Path("mine.py")
    check = Task(kind="check", id="any", subject="mine.py:step")
    mine.write_text("a = 1")
    before = journal.sources([check])
    mine.write_text("a = 2")
    assert journal.sources([check]) != before


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    whole = run([DONE, MORE], InProcess(), keep=path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:-20])
    assert journal.partial(path).results == whole.results[:1]


def test_a_damaged_line_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    run([DONE, MORE], InProcess(), keep=path)
    header, _first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(header + b"{}\n" + second)
    with pytest.raises(ValueError, match="is no journal of equiv"):
        journal.read(path)


def test_a_journal_is_not_written_over(tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    run([DONE], InProcess(), keep=path)
    with pytest.raises(FileExistsError):
        run([DONE], InProcess(), keep=path)


def test_results_come_in_the_order_of_the_tasks() -> None:
    slow_first = [task("good", n=str(n)) for n in range(6)]
    done = run(slow_first, LocalProcesses(jobs=2, work=behave))
    assert [r.task for r in done.results] == slow_first
    assert decode(encode(done), Run) == done


SCRIPT = """
import sys
from test_running import behave, task
from equiv.running.local import LocalProcesses
from equiv.running.run import Interrupted, run
workers = LocalProcesses(jobs=2, work=behave)
try:
    run([task("good"), task("hang")], workers, on_result=lambda r: print(r.task.id, flush=True))
except Interrupted as stopped:
    print(stopped)
    sys.exit(130)
"""


def test_ctrl_c_on_a_real_run_keeps_what_was_done_and_ends_the_workers() -> None:
    command = [sys.executable, "-c", SCRIPT]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parent)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "good\n"
        workers = _children(process.pid)
        process.send_signal(signal.SIGINT)
        said = process.stdout.read()
    assert process.returncode == 130
    assert said.startswith("interrupted: 1 of 2 tasks were done, kept in .equiv/journal/")
    assert [r.task.id for r in journal.partial(Path(said.split()[-1])).results] == ["good"]
    assert workers
    deadline = time.monotonic() + 20
    while (left := [pid for pid in workers if Path("/proc", pid).exists()]) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
