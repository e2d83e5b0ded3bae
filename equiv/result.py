"""A task, its result, and how both are written down.

A task holds ids only, so that it can be sent to another process, journalled and reproduced from the
command line.
"""

import math
from typing import Any, Literal

import msgspec

from equiv.claim import Claim
from equiv.evidence import Condition, Conformance, Evidence, Proof
from equiv.verdict import Verdict

SCHEMA = 1


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to find out: a claim, an obligation on a subject in a configuration, an experiment."""

    kind: Literal["claim", "check", "experiment"]
    id: str  # of the claim, the obligation or the experiment
    subject: str = ""
    config: dict[str, str] = {}
    seed: int = 0
    dtype: str = ""
    device: str = ""

    @property
    def name(self) -> str:
        """``id[subject key=value ...]``, as shown to people and used in strict files."""
        inside = [self.subject, *(f"{k}={v}" for k, v in self.config.items()), self.dtype, self.device]
        inside = [part for part in inside if part]
        return f"{self.id}[{' '.join(inside)}]" if inside else self.id

    @property
    def reproduce(self) -> str:
        """The command that runs this task alone."""
        flag = "--{} {}" if self.kind == "experiment" else "--config {}={}"
        options = [flag.format(k, v) for k, v in self.config.items()]
        options += [f"--dtype {self.dtype}"] if self.dtype else []
        options += [f"--device {self.device}"] if self.device else []
        options += [f"--seed {self.seed}"] if self.kind != "claim" else []
        match self.kind:
            case "claim":
                command = f"equiv prove {self.id}"
            case "check":
                command = f"equiv check {self.subject} --only {self.id}"
            case "experiment":
                command = f"equiv experiment {self.id}"
        return " ".join([command, *options])


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a task. A claim's result carries its header, so that it can be read on its own."""

    task: Task
    title: str
    verdict: Verdict
    evidence: tuple[Evidence, ...]
    seconds: float
    versions: dict[str, str] = {}
    reproduce: str = ""
    claim: Claim | None = None  # of a claim's result: statement, source, the statement as written
    cached: bool = False  # found by an earlier run; nothing it rests on has changed since
    figures: dict[str, Any] = {}  # data that the report draws, see equiv.report.figures

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """What the verdict rests on and the domain does not give."""
        return tuple(
            c
            for e in self.evidence
            if isinstance(e, (Proof, Conformance))
            for c in e.conditions
            if not c.discharged
        )

    @property
    def headline(self) -> str:
        """The verdict as shown: ``PROVED under 3 conditions``."""
        n = len(self.conditions)
        if self.verdict in {Verdict.PROVED, Verdict.CORRECTED} and n:
            return f"{self.verdict.value} under {n} condition{'s' if n > 1 else ''}"
        return self.verdict.value


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """All results of one run, as written to JSON."""

    schema: int = SCHEMA
    started: str  # UTC, ISO 8601
    versions: dict[str, str]
    results: tuple[Result, ...]
    planned: int = 0  # tasks that there were to do; 0 where that is not known


def encode(value: Any) -> bytes:
    """JSON in which a number that is not finite survives, as ``"nan"``, ``"inf"`` or ``"-inf"``."""
    return msgspec.json.encode(_spell_out(msgspec.to_builtins(value)))


def _spell_out(value: Any) -> Any:
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            return {k: _spell_out(v) for k, v in value.items()}
        case list() | tuple():
            return [_spell_out(v) for v in value]
    return value


def decode(data: bytes, kind: Any = Run) -> Any:
    """Read back what :func:`encode` wrote.

    Raises:
        msgspec.ValidationError: the data has another shape; the message says where.
    """
    return msgspec.convert(msgspec.json.decode(data), kind, strict=False)
