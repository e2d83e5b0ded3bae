"""What every obligation of third-party code says in the same way, and how its witnesses are found."""

import traceback
from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from equiv.evidence import Condition, Conformance, Defect, Evidence, Witness
from equiv.lookup import Unknown
from equiv.subjects.subject import Assumed
from equiv.symbolic import balls, witness
from equiv.symbolic.decision import Contradiction
from equiv.symbolic.expression import Expr, Relation, symbols
from equiv.symbolic.side_conditions import proves

# how code refuses what it is asked, and what is no fault of it; any other error is
DELIBERATE = (ValueError, NotImplementedError, AssertionError, ImportError, MemoryError, Unknown)


class Refused(NamedTuple):
    """What kept code, or a number of its schedule, from being read."""

    reason: str
    where: str

    @property
    def condition(self) -> Condition:
        return Condition(text=f"probed, as it was not read: {self.reason}", kind="library setting")


def undecided(says: str, reason: str) -> Conformance:
    """Nothing was decided, and why."""
    return Conformance(method="lifting", steps=0, expected=says, reason=reason)


def contradicted(says: str, decision: Contradiction) -> list[Evidence]:
    """Both that it holds and that it fails: a bug of ours."""
    holds = Conformance(method="lifting", steps=1, expected=says)
    shown = decision.refuted.witness
    return [holds, Conformance(method="lifting", steps=1, expected=says, witness=shown, reproduced=True)]


def raising(says: str, error: Exception, steps: int, inputs: Mapping[str, str], snippet: str) -> Conformance:
    """The library, run alone, ends with an error that refuses nothing."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return Conformance(
        method="lifting",
        steps=steps,
        expected=says,
        witness=Witness(inputs=dict(inputs), expected="a sample", got=f"{type(error).__name__}: {error}"),
        reproduced=True,
        defect=Defect.RAISES,
        where=f"{frame.filename}:{frame.lineno}",
        snippet=snippet,
    )


def condition(relations: tuple[Relation, ...], assumed: Assumed) -> Condition:
    """An assumption of a reading as a condition, discharged where the domain has it."""
    found = assumed.condition
    if assumed.relation is not None and proves(relations, assumed.relation):
        return Condition(text=found.text, kind=found.kind, discharged="the domain")
    return found


def beyond_rounding(
    got: Expr, expected: Expr, rounding: float, relations: tuple[Relation, ...] = ()
) -> dict[Expr, Fraction] | None:
    """The simplest inputs at which no rounding of ``got`` explains the difference."""
    tries = witness.points(relations, list(dict.fromkeys(symbols(got, expected))))
    for _, point in witness.differences(got, expected, tries):
        read = balls.evaluate(got, point, rounding=rounding)
        if balls.apart(read, balls.evaluate(expected, point)):
            return dict(point)
    return None
