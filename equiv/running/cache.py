"""What claims and libraries were found to be, kept for as long as nothing that it rests on has changed.

The result of a claim is filed under a digest of the proof, of every file of equiv that the proof or the
procedure that decides it imports, of the claims it needs, and of the versions of the libraries; that of a
check under the files of equiv that the obligation and the adapter import, every file of the library under
test, and all that is installed beside it. It is found without importing any of them. Only results that came
to an end are kept: a crash or a time-out is tried again.
"""

import ast
import functools
import hashlib
import sys
import tempfile
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

import msgspec

import equiv
from equiv.evidence import Failure
from equiv.result import Result, Task, decode, encode
from equiv.running import catalogue
from equiv.running.worker import versions

HOME = Path(".equiv/cache")
JUDGED = ("equiv.verdict", "equiv.result")
PROCEDURE = ("equiv.symbolic.prover", *JUDGED)
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
    broke = any(isinstance(e, Failure) and e.kind != "unsupported" for e in result.evidence)
    if path is None or result.cached or broke:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(encode(result))
        Path(file.name).replace(path)
    except OSError:
        return


def _path(task: Task) -> Path | None:
    """Where the result of a task is filed; nowhere if it is not known all that it rests on."""
    if task.kind == "claim" and task.id in catalogue.claims():
        return HOME / f"{_claim_digest(task.id)}.json"
    if task.kind == "check" and task.id in catalogue.obligations() and (library := _library(task)):
        asked = hashlib.sha256(msgspec.json.encode(task, order="deterministic"))
        asked.update(_check_digest(task.id, library).encode())
        return HOME / f"{asked.hexdigest()}.json"
    return None


def _library(task: Task) -> str:
    """The installed library whose code is checked; empty for code that lies elsewhere."""
    from equiv.subjects.subject import ADAPTERS

    library = task.subject.partition(".")[0]
    return library if library in ADAPTERS and ":" not in task.subject else ""


@functools.cache
def _check_digest(obligation: str, library: str) -> str:
    from equiv.subjects.subject import ADAPTERS

    roots = (catalogue.obligations()[obligation].module, ADAPTERS[library], *JUDGED)
    digest = hashlib.sha256(repr((sorted(versions().items()), _installed())).encode())
    for module in sorted({*_reached(roots), WORKER}):
        digest.update(f"{module}\0{_content(module)}".encode())
    digest.update(_source(library).encode())
    return digest.hexdigest()


@functools.cache
def _installed() -> tuple[str, ...]:
    """Every distribution with its version, as it names the folder that describes it."""
    return tuple(sorted({p.name for place in sys.path for p in Path(place).glob("*.dist-info")}))


@functools.cache
def _source(library: str) -> str:
    """A digest of the code of a library."""
    digest = hashlib.sha256()
    spec = find_spec(library)
    for place in (spec.submodule_search_locations if spec else None) or ():
        for path in sorted(Path(place).rglob("*.py")):
            digest.update(f"{path}\0".encode() + path.read_bytes())
    return digest.hexdigest()


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
    named = [name.split(".") for name in _named(path)]
    # importing a module runs the packages that it lies in
    names = dict.fromkeys(".".join(n[:k]) for n in named if n[0] == "equiv" for k in range(1, len(n) + 1))
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
