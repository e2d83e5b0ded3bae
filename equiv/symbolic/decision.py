"""Is left equal to right, everywhere on a domain?

This file holds the question and the three answers.
"""

from collections.abc import Mapping
from fractions import Fraction

from equiv.evidence import Condition, Witness
from equiv.symbolic.expression import Expr, Relation


class Domain:
    """Where an equality is claimed: relations between symbols, beside the signs they carry themselves.

    ``at`` is a point known to lie in the domain, such as the one at which third-party code was run.
    """

    __slots__ = ("at", "relations")

    def __init__(self, *relations: Relation, at: Mapping[Expr, Fraction] | None = None) -> None:
        self.relations, self.at = relations, dict(at or {})


class Equal:
    """The sides are equal wherever the conditions hold; those not discharged are to be shown."""

    __slots__ = ("conditions",)

    def __init__(self, conditions: tuple[Condition, ...]) -> None:
        self.conditions = conditions


class Different:
    """At the witness, certified balls keep the sides apart."""

    __slots__ = ("point", "witness")

    def __init__(self, witness: Witness, point: Mapping[Expr, Fraction]) -> None:
        self.witness, self.point = witness, dict(point)


class Undecided:
    """Neither: too weak, undefined, or resting on something that may not be assumed."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


Decision = Equal | Different | Undecided


def decide(left: Expr, right: Expr, domain: Domain) -> Decision:
    """Decide ``left == right`` on ``domain``."""
    raise NotImplementedError
