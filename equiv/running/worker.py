"""What happens inside a worker process: one task after another, each to a result.

A worker is started by :mod:`equiv.running.local` with one end of a socket. It gets a task, its time limit
and the work, and answers with the result as JSON. Whatever a task raises is that task's result; if it takes
the process down, the parent says so.
"""

import faulthandler
import functools
import importlib
import os
import pickle
import platform
import resource
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from importlib import metadata
from multiprocessing.connection import Connection
from pathlib import Path
from types import MappingProxyType
from typing import Any

from equiv.evidence import Evidence, Failure
from equiv.lookup import Unknown
from equiv.result import Result, Task, decode, encode
from equiv.running import catalogue
from equiv.verdict import judge

COMPILED = Path(".equiv/rocq")  # what Rocq has made of the theorems
Found = tuple[list[Evidence], dict[str, Any]]
Work = Callable[[Task], Found]


def execute(task: Task) -> Found:
    """The evidence for a task, and data that the report draws."""
    return _KINDS[task.kind](task)


def _claim(task: Task) -> Found:
    from equiv.symbolic.kernel.theorem import check
    from equiv.symbolic.prover import prove

    entry = catalogue.claims()[task.id]
    theorems = check(entry.claim, entry.path.parent, COMPILED)
    return list(prove(catalogue.proof(entry), theorems)), {}


def _check(task: Task) -> Found:
    from equiv.obligations import check

    return list(check(task)), {}


def _experiment(task: Task) -> Found:
    evidence, figures = importlib.import_module(catalogue.experiments()[task.id].module).run(task)
    return list(evidence), dict(figures)


_KINDS: Mapping[str, Work] = MappingProxyType({"claim": _claim, "check": _check, "experiment": _experiment})


def result(
    task: Task, evidence: list[Evidence], seconds: float, figures: Mapping[str, Any] | None = None
) -> Result:
    """The evidence judged, with all that is needed to read and to reproduce it."""
    title, claim = catalogue.describe(task)
    return Result(
        task=task,
        title=title,
        verdict=judge(evidence),
        evidence=tuple(evidence),
        seconds=round(seconds, 6),
        versions=versions(task),
        reproduce=task.reproduce,
        claim=claim,
        figures=dict(figures or {}),
    )


_ENGINE = {
    "claim": ("sympy", "python-flint", "z3-solver"),
    "check": ("torch", "python-flint", "z3-solver"),
    "experiment": ("torch", "numpy", "python-flint"),
}


_version = functools.cache(metadata.version)


def versions(task: Task | None = None) -> dict[str, str]:
    """What the task rests on, by name and version; without a task, what every result of a run rests on."""
    names, found = ["equiv"], {}
    if task is None:
        found = {"python": platform.python_version(), "platform": platform.platform(terse=True)}
    else:
        names += _ENGINE[task.kind]
        names += [task.subject.partition(".")[0]] if task.subject else []
    for name in names:
        try:
            found[name] = _version(name)
        except (metadata.PackageNotFoundError, ValueError):
            continue  # a subject in a file has no version
    return found


def attempt(work: Work, task: Task) -> bytes:
    """The result of a task as JSON; what the task raised, or answered that is no result, is its failure."""
    started = time.monotonic()
    try:
        evidence, figures = work(task)
        data = encode(result(task, evidence, time.monotonic() - started, figures))
        decode(data, Result)  # what cannot be read back is this task's failure, not the run's
    except Unknown:
        raise  # of the user's making, not the task's
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt of a subject are its own
        data = encode(result(task, [_failure(error)], time.monotonic() - started))
    return data


def _failure(error: BaseException) -> Failure:
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    reason = f"{type(error).__name__}: {error}"[:2000]
    says = ("can't allocate memory", "out of memory")  # torch's, on a processor and on a GPU
    memory = isinstance(error, MemoryError) or any(text in reason for text in says)
    return Failure(kind="memory" if memory else "crash", reason=reason, where=where)


def serve(channel: Connection, memory: int) -> None:
    """Answer tasks until the channel closes."""
    faulthandler.enable()
    # private writable memory: the address space that torch and CUDA only reserve is not counted
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    while True:
        try:
            request = channel.recv_bytes()
        except EOFError:
            return
        os.truncate(sys.stderr.fileno(), 0)  # the log holds what this task wrote
        channel.send_bytes(_answer(request))


def _answer(request: bytes) -> bytes:
    task, seconds, work = pickle.loads(request)  # noqa: S301 - from our own parent
    # also ends a worker whose parent is gone, and says where it was
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        return b"=" + attempt(pickle.loads(work), task)  # noqa: S301
    except Unknown as error:
        return b"?" + str(error).encode()
    finally:
        faulthandler.cancel_dump_traceback_later()
