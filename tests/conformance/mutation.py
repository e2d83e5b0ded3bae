"""A class of diffusers with one place of its source changed, as if it had been released so."""

import contextlib
import importlib.util
import inspect
import itertools
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import diffusers

from equiv import obligations
from equiv.subjects import diffusers as adapter

_numbers = itertools.count()


@contextlib.contextmanager
def released(name: str, old: str, new: str, folder: Path) -> Iterator[Path]:
    """``diffusers.<name>`` with ``old`` replaced by ``new`` in its file, which is written to ``folder``.

    Raises:
        ValueError: ``old`` does not occur exactly once, or the result is no Python.
    """
    original = Path(inspect.getsourcefile(getattr(diffusers, name)))
    text = original.read_text(encoding="utf-8")
    if text.count(old) != 1:
        raise ValueError(
            f"{original.name} must have {old!r} once to be mutated; it has it {text.count(old)} times"
        )
    path = folder / original.name
    path.write_text(text.replace(old, new), encoding="utf-8")
    # beside the original, so that its relative imports are what they were
    module_name = f"diffusers.schedulers.mutant_{next(_numbers)}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict(sys.modules, {module_name: module}), _forgetting():
        _execute(spec, module)
        with mock.patch.object(diffusers, name, getattr(module, name)):
            yield path


def _execute(spec: importlib.machinery.ModuleSpec, module: types.ModuleType) -> None:
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise ValueError(f"the mutant is no Python: {error}") from error


@contextlib.contextmanager
def _forgetting() -> Iterator[None]:
    """What was read of the class before is not what it is now, nor afterwards."""
    caches = (adapter.subject.cache_clear, obligations._lifted.cache_clear)
    for clear in caches:
        clear()
    try:
        yield
    finally:
        for clear in caches:
            clear()
