"""A second opinion on claims that were proved: each is put before the kernel, in a worker of its own."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from equiv.evidence import Failure, KernelProof
from equiv.result import Result, Run, Task
from equiv.running import cache, catalogue
from equiv.running.local import LocalProcesses
from equiv.running.worker import Found
from equiv.verdict import judge

SECONDS = 1800.0  # for one claim: they take seconds, up to a minute


def second_opinion(
    run: Run,
    folder: Path,
    *,
    jobs: int = 0,
    use_cache: bool = True,
    on_result: Callable[[Result], None] = lambda _result: None,
) -> Run:
    """The run with the kernel's evidence for each claim; its files are written to the folder."""
    from equiv.symbolic.kernel import coqc

    tasks = [r.task for r in run.results if r.task.kind == "claim"]
    with tempfile.TemporaryDirectory() as fresh:
        try:
            home = coqc.library(cache.HOME / "kernel" if use_cache else Path(fresh))
            found = _ask(tasks, home, folder, jobs, on_result)
        except coqc.Missing as why:
            found = {task.id: KernelProof(reason=str(why)) for task in tasks}

    def with_kernel(r: Result) -> Result:
        evidence = (*r.evidence, found[r.task.id]) if r.task.kind == "claim" else r.evidence
        return msgspec.structs.replace(r, evidence=evidence, verdict=judge(evidence))

    return msgspec.structs.replace(run, results=tuple(map(with_kernel, run.results)))


def _ask(
    tasks: Sequence[Task], home: Path, folder: Path, jobs: int, on_result: Callable[[Result], None]
) -> dict[str, KernelProof]:
    from equiv.symbolic.kernel import coqc
    from equiv.symbolic.kernel.check import settled

    folder.mkdir(parents=True, exist_ok=True)
    for name in coqc.LIBRARY:
        shutil.copy(coqc.THEORY / name, folder)
    work = partial(_work, home=home, folder=folder.resolve())
    found = {}
    for result in LocalProcesses(jobs=jobs, seconds=SECONDS, work=work).run(tasks):
        found[result.task.id] = _evidence(result, coqc.version())
        on_result(result)
    return settled(found, home)


def _work(task: Task, *, home: Path, folder: Path) -> Found:
    """What a worker does for one claim."""
    from equiv.symbolic.kernel.check import attempt

    return [attempt(catalogue.proof(catalogue.claims()[task.id]), home, folder)], {}


def _evidence(result: Result, version: str) -> KernelProof:
    """What the kernel said, or why it said nothing."""
    (evidence,) = result.evidence
    if isinstance(evidence, KernelProof):
        return evidence
    assert isinstance(evidence, Failure)
    return KernelProof(reason=f"{evidence.kind}: {evidence.reason}", version=version)
