"""What is owed of every entry of a list that a library makes: looked at one by one, all of them."""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from equiv.evidence import Condition, Conformance, Defect, Evidence, Witness

LEVEL = 8 * 2.0**-24  # of a level: a power, a quotient and an interpolation in float32 at worst


class Entry(NamedTuple):
    """One entry: ``code`` prints what is ``got``, with the library alone."""

    inputs: Mapping[str, str]
    holds: bool
    expected: str
    got: str
    bound: str
    code: str


def hold(
    says: str,
    made: str,
    entries: Iterable[Entry],
    *,
    method: Literal["enumeration", "probing"] = "enumeration",
    defect: Defect = Defect.WRONG_FORMULA,
) -> list[Evidence]:
    """The first entry that is not as owed refutes.

    Args:
        says: what is owed.
        made: Python that makes what the entries' code looks at.
        entries: all there are.
        method: probing, where an entry is what the library makes of an input that stands for others.
        defect: what it is if one is not as owed.
    """
    seen = 0
    for entry in entries:
        seen += 1
        if not entry.holds:
            shown = Witness(
                inputs=dict(entry.inputs), expected=entry.expected, got=entry.got, bound=entry.bound
            )
            return [
                Conformance(
                    method=method,
                    steps=seen,
                    expected=says,
                    witness=shown,
                    reproduced=True,  # what was looked at is the library alone
                    defect=defect,
                    snippet=f"{made}\n{entry.code}",
                )
            ]
    listed = Condition(text=f"of this configuration: what it lists, {seen} entries", kind="step counts")
    return [Conformance(method=method, steps=seen, expected=says, conditions=(listed,))]
