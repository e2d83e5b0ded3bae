"""Known defects of libraries under test: expected, strictly.

The file is TOML, one table a defect::

    [[defect]]
    obligation = "step-equals-formula"
    subject = "diffusers.DDIMScheduler"
    config = { timestep_spacing = "linspace" }  # every configuration with these values; none: all of them
    version = "0.42.1"                          # of the library; in another one nothing is expected
    reason = "what is wrong"
    link = "https://..."                        # where its makers discuss it

An entry that meets no task of the run, and a task that passes though its defect is expected, fail the run.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import msgspec

from equiv.lookup import Unknown, find
from equiv.result import Result, Task
from equiv.running import catalogue
from equiv.verdict import Verdict, exit_code


class Defect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of the file."""

    obligation: str
    subject: str
    config: dict[str, str] = {}
    version: str
    reason: str
    link: str

    @property
    def name(self) -> str:
        """As the tasks it covers are named."""
        return Task(kind="check", id=self.obligation, subject=self.subject, config=self.config).name

    def covers(self, result: Result) -> bool:
        """Whether the result is of a task that this entry is about."""
        task = result.task
        return (
            (task.id, task.subject) == (self.obligation, self.subject)
            and self.config.items() <= task.config.items()
            and result.versions.get(self.subject.partition(".")[0]) == self.version
        )

    def selected(
        self, subjects: Sequence[str], obligations: Sequence[str], config: Mapping[str, str]
    ) -> bool:
        """Whether a run of this selection should meet it."""
        agrees = all(self.config.get(key, value) == value for key, value in config.items())
        return self.subject in subjects and self.obligation in obligations and agrees


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    defect: tuple[Defect, ...] = ()


def read(path: Path, checked: Collection[str] = ()) -> tuple[Defect, ...]:
    """The defects that a file expects. Subjects that are ``checked`` are known to exist.

    Raises:
        Unknown: the file is not readable as one, or names an obligation or a subject that does not exist.
    """
    from equiv.subjects.subject import resolve

    try:
        defects = msgspec.toml.decode(path.read_bytes(), type=File).defect
    except (OSError, msgspec.MsgspecError) as error:
        raise Unknown(f"{path} is no file of expected defects: {error}") from error
    for defect in defects:
        find("obligation", defect.obligation, catalogue.obligations(), see=f"equiv list; named in {path}")
    for subject in sorted({defect.subject for defect in defects}.difference(checked)):
        try:
            resolve(subject)
        except Unknown as error:
            raise Unknown(f"{path} expects a defect of {subject!r}: {error}") from error
    return defects


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """Results held against what was expected of them."""

    known: tuple[Result, ...]  # refuted, as expected
    complaints: tuple[str, ...]  # each fails the run
    rest: tuple[Result, ...]  # nothing was expected of these

    def exit_code(self, *, strict: bool) -> int:
        """As of the results that were not expected to be refuted; 1 if there is a complaint."""
        code = exit_code([r.verdict for r in self.rest], strict=strict) if self.rest or not self.known else 0
        return 1 if self.complaints and code in (0, 4) else code


def hold(results: Sequence[Result], defects: Sequence[Defect], more: Sequence[str] = ()) -> Expectation:
    """Sort the results by whether they were expected to be refuted; there may be ``more`` complaints."""
    complaints = [*more]
    for defect in defects:
        covered = [r for r in results if defect.covers(r)]
        if not covered:
            complaints.append(
                f"stale: no task is {defect.name} in version {defect.version}, which is expected"
            )
        complaints += [
            f"unexpected pass: {r.task.name} is {r.headline}; if it is repaired, delete {defect.name}"
            for r in covered
            if r.verdict in {Verdict.PROVED, Verdict.SUPPORTED, Verdict.CORRECTED}
        ]
    known = tuple(r for r in results if r.verdict is Verdict.REFUTED and any(d.covers(r) for d in defects))
    rest = tuple(r for r in results if r not in known)
    return Expectation(known=known, complaints=tuple(complaints), rest=rest)
