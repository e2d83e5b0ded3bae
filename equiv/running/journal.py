"""Results written down as they come, one line of JSON each, so that an interrupted run loses nothing."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

import equiv
from equiv.result import SCHEMA, Result, Run, Task, decode, encode
from equiv.running.worker import versions

HOME = Path(".equiv/journal")


def home() -> Path:
    """Where journals are kept: in the folder one works in, if one may write there."""
    return HOME if os.access(Path.cwd(), os.W_OK) else Path(tempfile.gettempdir(), "equiv", "journal")


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """The first line: what the run was to do, and with what."""

    schema: int = SCHEMA
    started: str  # UTC, ISO 8601
    versions: dict[str, str]
    sources: str  # digest of the code that the results rest on
    tasks: tuple[Task, ...]


def header(tasks: Sequence[Task]) -> Header:
    """The header of a run that starts now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Header(started=now, versions=versions(), sources=sources(tasks), tasks=tuple(tasks))


def sources(tasks: Iterable[Task]) -> str:
    """A digest of equiv's own files and of every file that is a subject."""
    package = Path(equiv.__file__).parent
    files = {p for room in (package, package / "proofs") for p in room.rglob("*.py")}
    subjects = {t.subject.rpartition(":")[0] for t in tasks}
    files |= {Path(s) for s in subjects if s.endswith(".py")}
    digest = hashlib.sha256()
    for path in sorted(p for p in files if p.is_file()):
        digest.update(f"{path}\0".encode() + path.read_bytes())
    return digest.hexdigest()


class Journal:
    """A run's results on disk. Each is there when :meth:`append` returns."""

    def __init__(self, path: Path, first: Header) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file: BinaryIO = path.open("xb")
        self._write(first)

    def append(self, result: Result) -> None:
        """Write one result, through to the system."""
        self._write(result)

    def _write(self, entry: Header | Result) -> None:
        self._file.write(encode(entry) + b"\n")
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._file.close()


def new_path() -> Path:
    """A journal's place when the user names none: by time and process, so that runs do not meet."""
    return home() / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{os.getpid()}.jsonl"


def forget(path: Path) -> None:
    """Remove a journal, and the folders that were made for it, if they are empty."""
    path.unlink()
    with contextlib.suppress(OSError):
        path.parent.rmdir()
        path.parent.parent.rmdir()


def read(path: Path) -> tuple[Header, list[Result]]:
    """What a journal holds. A last line that was cut off is left out.

    Raises:
        ValueError: the file is no journal, or a line in it is damaged.
    """
    *lines, torn = path.read_bytes().split(b"\n")
    if not lines:
        raise ValueError(f"{path} is no journal: its first line is not complete ({len(torn)} bytes)")
    try:
        return decode(lines[0], Header), [decode(line, Result) for line in lines[1:]]
    except msgspec.MsgspecError as error:
        raise ValueError(f"{path} is no journal of equiv: {error}") from error


def partial(path: Path) -> Run:
    """The run of a journal, as far as it went."""
    first, results = read(path)
    return Run(
        started=first.started, versions=first.versions, results=tuple(results), planned=len(first.tasks)
    )


def interrupted(tasks: Sequence[Task]) -> tuple[Path, list[Result]] | None:
    """The newest interrupted run of these tasks and no others, and those of its results that still hold.

    They hold if neither equiv's sources, nor a subject's file, nor any version has changed since.
    """
    now, wanted = header(tasks), set(map(key, tasks))
    for path in sorted(home().glob("*.jsonl"), reverse=True):
        try:
            first, results = read(path)
        except ValueError:
            continue
        same = (first.sources, first.versions) == (now.sources, now.versions)
        if same and wanted == set(map(key, first.tasks)):
            return path, [r for r in results if r.versions == versions(r.task)]
    return None


def key(task: Task) -> str:
    """A task as text, equal for equal tasks."""
    return msgspec.json.encode(task, order="deterministic").decode()
