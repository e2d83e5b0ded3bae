"""What an atlas holds: groups of samplers that are one, and those that are in none. Data, no decisions."""

from typing import Literal

import msgspec

Kind = Literal[
    "one output a step, without noise",
    "one output a step, with noise",
    "outputs of several steps, without noise",
    "outputs of several steps, with noise",
    "several calls a step, without noise",
    "several calls a step, with noise",
]


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A sampler of a group. ``how``: in which sense it is one with the group's first."""

    spec: str
    library: str
    version: str
    gauge: str
    prediction: str
    how: str
    whole: bool = True  # else its last step, that does not go to clean data, is left out
    changed: dict[str, str] = {}
    conditions: tuple[str, ...] = ()


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Samplers that are proved to be one."""

    formulas: tuple[str, ...]  # of the textbook, proved to be this
    says: tuple[str, ...]  # their names for people
    kind: Kind
    members: tuple[Member, ...]


class Stranger(msgspec.Struct, frozen=True, kw_only=True):
    """A sampler that is on no group's place, and why."""

    spec: str
    library: str
    why: str


class Atlas(msgspec.Struct, frozen=True, kw_only=True):
    """The map."""

    levels: int
    taken: str = ""  # as it is, of all of them
    versions: dict[str, str]
    groups: tuple[Group, ...]
    outside: tuple[Stranger, ...]  # of what a fingerprint describes
    undecided: tuple[Stranger, ...]
