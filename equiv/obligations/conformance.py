"""What every obligation of third-party code says in the same way, and how its witnesses are found."""

import traceback
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import equiv
from equiv.evidence import Condition, Conformance, Defect, Evidence, Witness
from equiv.lookup import Unknown
from equiv.subjects.subject import Assumed, Subject
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


def refuses(error: Exception, subject: Subject) -> bool:
    """Does the library itself raise it, in so many words?"""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    own = Path(frame.filename).is_relative_to(_home(subject))
    return isinstance(error, DELIBERATE) and own and (frame.line or "").startswith(("raise ", "assert "))


def raised_by(error: Exception, subject: Subject) -> bool:
    """Was it raised in the library, or in what the library called?"""
    files = [Path(frame.filename) for frame in traceback.extract_tb(error.__traceback__)]
    inside = any(f.is_relative_to(_home(subject)) for f in files)
    return inside and not files[-1].is_relative_to(Path(equiv.__file__).parent)


def _home(subject: Subject) -> Path:
    """The folder of the library."""
    source = Path(subject.source)
    return next(p for p in source.parents if p.name == subject.library)


def refused(says: str, error: Exception) -> Conformance:
    """A configuration that the library does not accept owes nothing more."""
    text = f"refused by the library: {type(error).__name__}: {error}"
    return Conformance(
        method="probing",
        steps=1,
        expected=says,
        conditions=(Condition(text=text, kind="library setting"),),
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
