"""Runs tasks in processes of this machine.

Every worker has its own socket, so the parent always knows which task a death or a silence belongs to. A
worker lives through many tasks, because importing torch costs more than most of them; it leads its own
process group, so that what a task started ends with it.
"""

import contextlib
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Pipe, wait
from pathlib import Path
from typing import Protocol

from equiv.evidence import Failure
from equiv.lookup import Unknown
from equiv.result import Result, Task, decode
from equiv.running import worker

_START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from multiprocessing.connection import Connection
from equiv.running.worker import serve
serve(Connection(int(sys.argv[2])), int(sys.argv[3]))
"""
_GRACE = 2.0  # a worker ends itself at its limit and says where it was; this long after, it is ended


class Executor(Protocol):
    """Runs tasks somewhere. Every task gets exactly one result; results come as they are found."""

    def run(self, tasks: Sequence[Task]) -> Iterator[Result]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalProcesses:
    """Worker processes with a limit of time for each task and of memory for each worker.

    A task that crashes, hangs, exits or takes the interpreter down is INCONCLUSIVE; the others go on.
    """

    jobs: int = 0  # 0: one for each processor
    seconds: float = 120.0
    memory: int = 8 * 2**30  # bytes
    work: worker.Work = worker.execute

    def run(self, tasks: Sequence[Task]) -> Iterator[Result]:
        """Yield the results in the order in which they come.

        Raises:
            Unknown: a task names something that only its library can say is not there.
        """
        processors = len(os.sched_getaffinity(0))
        jobs = min(self.jobs or processors, len(tasks))
        line = _Line(tasks)
        with tempfile.TemporaryDirectory(prefix="equiv-") as logs:
            workers: list[_Worker] = []
            try:
                while line or workers:
                    while line and len(workers) < jobs:
                        workers.append(_Worker(Path(logs), max(1, processors // jobs), self.memory))
                        workers[-1].give(self.work, line.next(None), self.seconds)
                    for w in _settled(workers):
                        yield w.result()
                        if line and w.alive:
                            w.give(self.work, line.next(w.task), self.seconds)
                        else:
                            workers.remove(w)
                            w.end()
            finally:
                for w in workers:
                    w.end()


class _Line:
    """The tasks that wait. A worker goes on with the configuration it has read; a new one starts another."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.groups: dict[object, deque[Task]] = {}
        for task in tasks:
            self.groups.setdefault(self._group(task), deque()).append(task)
        self.begun: set[object] = set()

    @staticmethod
    def _group(task: Task) -> object:
        return (task.subject, *task.config.items()) if task.kind == "check" else task.name

    def __bool__(self) -> bool:
        return bool(self.groups)

    def next(self, last: Task | None) -> Task:
        """The task to do after ``last``."""
        own = self._group(last) if last else None
        fresh = (group for group in self.groups if group not in self.begun)
        group = own if own in self.groups else next(fresh, next(iter(self.groups)))
        self.begun.add(group)
        task = self.groups[group].popleft()
        if not self.groups[group]:
            del self.groups[group]
        return task


def _settled(workers: "Sequence[_Worker]") -> "list[_Worker]":
    """Wait for the workers that answered, died, or are past their time."""
    until = min(w.deadline for w in workers)
    ready = wait([w.channel for w in workers], max(0.0, until - time.monotonic()))
    return [w for w in workers if w.channel in ready or time.monotonic() >= w.deadline]


class _Worker:
    """One process and the task it has."""

    task: Task
    started: float
    seconds: float

    def __init__(self, logs: Path, threads: int, memory: int) -> None:
        self.channel, theirs = Pipe()
        self.log = Path(tempfile.mkstemp(dir=logs)[1])
        self.alive = True
        with theirs, self.log.open("ab") as log:
            arguments = [json.dumps(sys.path), str(theirs.fileno()), str(memory)]
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START, *arguments],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the parent
                env={"OMP_NUM_THREADS": str(threads)} | os.environ,
            )

    @property
    def deadline(self) -> float:
        return self.started + self.seconds + _GRACE

    def give(self, work: worker.Work, task: Task, seconds: float) -> None:
        self.task, self.seconds, self.started = task, seconds, time.monotonic()
        with contextlib.suppress(OSError):  # it died between two tasks; reading its answer says so
            self.channel.send_bytes(pickle.dumps((task, seconds, pickle.dumps(work))))

    def result(self) -> Result:
        """The answer, or what became of the worker instead."""
        try:
            answer = self.channel.recv_bytes() if self.channel.poll() else b""
        except (EOFError, OSError):
            answer = b""
        if answer.startswith(b"?"):
            raise Unknown(answer[1:].decode())
        if answer:
            return decode(answer[1:], Result)  # type: ignore[no-any-return]
        self.alive = False
        seconds = time.monotonic() - self.started
        return worker.result(self.task, [self._failure(seconds)], seconds)

    def _failure(self, seconds: float) -> Failure:
        self.end()
        log = self.log.read_text(encoding="utf-8", errors="replace")[-20_000:]
        frame = re.search(r'most recent call first\):\n.*?File "(.+?)", line (\d+)', log, re.DOTALL)
        where = f"{frame[1]}:{frame[2]}" if frame else ""
        if seconds >= self.seconds:
            return Failure(kind="time-out", reason=f"no result within {self.seconds:g} s", where=where)
        code = self.process.returncode
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
        last = log.strip().rpartition("\n")[2][-300:] if not frame else ""
        return Failure(kind="crash", reason=f"its process {how}" + (f": {last}" if last else ""), where=where)

    def end(self) -> None:
        """End the process and all it started."""
        self.channel.close()
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):  # gone, with all of its group
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
