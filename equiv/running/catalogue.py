"""What there is to run, read from the headers of the files: nothing is imported."""

import functools
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

import equiv
from equiv.claim import Claim, literals, read_header
from equiv.result import Task

_HOME = Path(equiv.__file__).parent


class ClaimEntry(msgspec.Struct, frozen=True):
    """A claim and the module that proves it."""

    claim: Claim
    module: str
    path: Path


class Entry(msgspec.Struct, frozen=True):
    """An obligation or an experiment: its header, and its module."""

    id: str
    title: str
    module: str
    header: Mapping[str, Any]


@functools.cache
def claims() -> Mapping[str, ClaimEntry]:
    """All claims by id, in the order of their chapters and files.

    Raises:
        ValueError: a header is no literal, or an id does not belong to its file.
    """
    found = [ClaimEntry(read_header(p), _module(p), p) for p in _files("proofs", "CLAIM")]
    for entry in found:
        if entry.claim.id != _id(entry.path):
            raise ValueError(f"{entry.path} holds {entry.claim.id!r}; its id must be {_id(entry.path)!r}")
    return {e.claim.id: e for e in found}


def proof(entry: ClaimEntry) -> Any:
    """The module that proves a claim.

    Raises:
        ValueError: it proves another claim than its header says.
    """
    module = importlib.import_module(entry.module)
    if entry.claim != module.CLAIM:
        raise ValueError(f"{entry.path} has a header that is not what its CLAIM is when it is imported")
    return module


@functools.cache
def obligations() -> Mapping[str, Entry]:
    """What subjects owe, by id."""
    return _entries("obligations", "OBLIGATION")


@functools.cache
def experiments() -> Mapping[str, Entry]:
    """The experiments, by id."""
    return _entries("experiments", "EXPERIMENT")


def describe(task: Task) -> tuple[str, Claim | None]:
    """The title of a task, and of a claim its header; a task that is not listed has its id for a title."""
    if task.kind == "claim" and task.id in claims():
        claim = claims()[task.id].claim
        return claim.title, claim
    entries = obligations() if task.kind == "check" else experiments()
    return (entries[task.id].title if task.id in entries else task.id), None


def _entries(room: str, name: str) -> Mapping[str, Entry]:
    headers = {p: literals(p, name) for p in _files(room, name)}
    return {h["id"]: Entry(h["id"], h["title"], _module(p), h) for p, h in headers.items()}


def _files(room: str, name: str) -> list[Path]:
    """The files of a room that have such a header; the others hold what these share."""
    return sorted(p for p in (_HOME / room).rglob("*.py") if f"\n{name} = " in p.read_text(encoding="utf-8"))


def _module(path: Path) -> str:
    return ".".join(("equiv", *path.relative_to(_HOME).with_suffix("").parts))


def _id(path: Path) -> str:
    return path.stem.replace("_", "-")
