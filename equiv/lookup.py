"""Names that users type: found, or refused in one line that gives the nearest one there is."""

import difflib
from collections.abc import Iterable, Mapping
from typing import TypeVar

V = TypeVar("V")


class Unknown(LookupError):
    """A name, a file or an option value that means nothing here. Its text is meant for the user."""


def nearest(name: str, known: Iterable[str]) -> str:
    """``; the nearest is 'f-row-family'``, or nothing where there is no name at all."""
    names = {k.lower(): k for k in known}
    close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0)
    return f"; the nearest is {names[close[0]]!r}" if close else ""


def find(kind: str, name: str, known: Mapping[str, V], *, see: str) -> V:
    """The value of that name.

    Raises:
        Unknown: there is none; the message names the nearest and the command that lists them all.
    """
    if name in known:
        return known[name]
    raise Unknown(f"there is no {kind} {name!r}{nearest(name, known)} (all of them: {see})")
