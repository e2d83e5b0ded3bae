"""Modules that a library under test imports and that are not installed, as empty ones.

Some libraries import what they need for images or logging together with their samplers. Where that is
not installed, or cannot be loaded beside this torch, an empty module stands for it; using it is an error.
"""

import importlib
import importlib.machinery
import importlib.util
import sys
from types import ModuleType
from typing import Any


class _Absent(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        where = f"{self.__name__}.{name}"

        class Missing:
            def __init__(self, *_: object, **__: object) -> None:
                raise ImportError(f"{where} is not installed here")

        return Missing


def stand_in(*names: str) -> None:
    """Make every name that cannot be imported an empty module."""
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001 - a binary of another torch fails in many ways
            module = _Absent(name)
            module.__path__ = []
            module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
            sys.modules[name] = module


def bare_package(name: str) -> None:
    """Import a package without running its ``__init__``, which would import all that it has.

    Raises:
        ImportError: it is not installed.
    """
    if name in sys.modules:
        return
    found = importlib.util.find_spec(name)
    if found is None or found.submodule_search_locations is None:
        raise ImportError(f"No module named {name!r}")
    package = ModuleType(name)
    package.__path__ = list(found.submodule_search_locations)
    package.__spec__ = found
    sys.modules[name] = package
