"""A second opinion on claims that were proved: each is put before the kernel, all of a chapter at once."""

import importlib
from pathlib import Path
from typing import Any

import msgspec

from equiv.result import Result, Run
from equiv.running import catalogue
from equiv.verdict import judge


def second_opinion(run: Run, folder: Path) -> Run:
    """The run with the kernel's evidence for each claim; its files are written to the folder."""
    from equiv.symbolic.kernel.check import check

    chapters: dict[str, list[Any]] = {}
    for r in run.results:
        if r.task.kind == "claim":
            entry = catalogue.claims()[r.task.id]
            chapters.setdefault(entry.path.parent.name, []).append(importlib.import_module(entry.module))
    found = check(chapters, folder)

    def with_kernel(r: Result) -> Result:
        evidence = (*r.evidence, found[r.task.id]) if r.task.kind == "claim" else r.evidence
        return msgspec.structs.replace(r, evidence=evidence, verdict=judge(evidence))

    return msgspec.structs.replace(run, results=tuple(map(with_kernel, run.results)))
