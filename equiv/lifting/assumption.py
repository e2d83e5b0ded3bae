"""What a reading took for granted: it holds at the point that was run, and need not hold elsewhere."""

from dataclasses import dataclass
from typing import Literal

from equiv.evidence import Condition
from equiv.symbolic.expression import Relation


@dataclass(frozen=True, slots=True, eq=False)
class Assumption:
    """A branch taken, a value that left torch, a cast that may round or overflow, or values that coincide.

    ``relation`` says it, where it can be said as a relation that holds at the point that was run.
    """

    kind: Literal["branch", "concretised value", "cast", "hypothesis", "library setting"]
    text: str
    relation: Relation | None
    where: str = ""  # file:line

    @property
    def condition(self) -> Condition:
        return Condition(text=self.text, kind=self.kind)
