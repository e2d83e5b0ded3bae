"""What claims were found to be, kept for as long as nothing that a proof rests on has changed.

A result is filed under a digest of the proof, of every file of equiv that the proof or the procedure that
decides it imports, of the claims it needs, and of the versions of the libraries. It is found without
importing any of them. Only results that came to an end are kept: a crash or a time-out is tried again.
"""

import ast
import functools
import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

import equiv
from equiv.evidence import Failure
from equiv.result import Result, Task, decode, encode
from equiv.running import catalogue
from equiv.running.worker import versions

HOME = Path(".equiv/cache")
PROCEDURE = ("equiv.symbolic.prover", "equiv.verdict", "equiv.result")
WORKER = "equiv.running.worker"  # by itself: most of what it imports is for other kinds of tasks
_PACKAGE = Path(equiv.__file__).parent


def find(task: Task) -> Result | None:
    """The result of an earlier run, if it would be the same today."""
    path = _path(task)
    if path is None:
        return None
    try:
        result: Result = decode(path.read_bytes(), Result)
    except (OSError, msgspec.MsgspecError):
        return None
    return msgspec.structs.replace(result, cached=True) if result.task == task else None


def keep(result: Result) -> None:
    """File a result, whole or not at all; a place that cannot be written to keeps nothing."""
    path = _path(result.task)
    if path is None or result.cached or any(isinstance(e, Failure) for e in result.evidence):
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(encode(result))
        Path(file.name).replace(path)
    except OSError:
        return


def _path(task: Task) -> Path | None:
    """Where the result of a task is filed. Only claims are, so far."""
    if task.kind != "claim" or task.id not in catalogue.claims():
        return None
    return HOME / f"{_claim_digest(task.id)}.json"


@functools.cache
def _claim_digest(claim: str) -> str:
    entry = catalogue.claims()[claim]
    digest = hashlib.sha256(repr(sorted(versions(Task(kind="claim", id=claim)).items())).encode())
    for module in sorted({*_reached((entry.module, *PROCEDURE)), WORKER}):
        digest.update(f"{module}\0{_content(module)}".encode())
    if entry.claim.theorems:
        from equiv.symbolic.kernel import theorem

        digest.update(theorem.digest(entry.claim, entry.path.parent).encode())
    for needed in entry.claim.needs:
        digest.update(_claim_digest(needed).encode())
    return digest.hexdigest()


def _reached(modules: tuple[str, ...]) -> frozenset[str]:
    """The modules of equiv that these import, and those that they import, and so on."""
    seen: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting += _imports(module)
    return frozenset(seen)


@functools.cache
def _imports(module: str) -> tuple[str, ...]:
    """The modules of equiv that a module names in an import, wherever in it the import stands."""
    path = _file(module)
    if path is None:
        return ()
    names = dict.fromkeys(name for name in _named(path) if name.split(".")[0] == "equiv")
    return tuple(name for name in names if _file(name))


def _named(path: Path) -> Iterator[str]:
    for statement in _statements(ast.parse(path.read_text(encoding="utf-8")).body):
        match statement:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield module
                yield from (f"{module}.{alias.name}" for alias in names)


def _statements(block: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Statements and those inside them; expressions, which are most of a tree, hold none."""
    for statement in block:
        yield statement
        for inner in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from _statements(getattr(statement, inner, ()))


@functools.cache
def _file(module: str) -> Path | None:
    stem = _PACKAGE.joinpath(*module.split(".")[1:])
    return next((p for p in (stem.with_suffix(".py"), stem / "__init__.py") if p.is_file()), None)


@functools.cache
def _content(module: str) -> str:
    path = _file(module)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path else ""
