"""Expressions written shorter, by way of their normal form, and what that rests on."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from equiv.symbolic.conditions import Conditions, Undecidable, Undefined
from equiv.symbolic.expression import Expr, Relation, const, postorder, symbols
from equiv.symbolic.interpretation import Infinite, Interpretation
from equiv.symbolic.side_conditions import proves

ZERO = const(0)
Point = Mapping[Expr, Fraction]


class Simplifier:
    """Shortens expressions; what they share is brought to normal form once.

    ``assumed`` are the relations that what was shortened rests on, beside those given.
    """

    def __init__(self, relations: tuple[Relation, ...], point: Point) -> None:
        self._conditions = Conditions(relations, point)
        self._reading = Interpretation(self._conditions, {})

    @property
    def assumed(self) -> tuple[Relation, ...]:
        return tuple(self._conditions.listed)

    def of(self, e: Expr) -> Expr:
        """A quotient of polynomials; or ``e`` as it is, if it has no normal form or rests on a float.

        At a clean end of the schedule this is what its infinities come to.
        """
        if any(part.op == "literal" for part in postorder(e)):
            return e
        try:
            value = self._reading.of(e)
        except (Undefined, Undecidable):
            return e
        if isinstance(value, Infinite):
            return e
        top, bottom = (self._reading.field.expression(p) for p in self._reading.field.lifted(value))
        return top if bottom is const(1) else top / bottom


def follow(wanted: Iterable[Relation], relations: tuple[Relation, ...], point: Point) -> list[Relation]:
    """Those of the relations wanted that do not follow from ``relations``, shortened, each once.

    A relation holds only where its sides are defined, so what they are shortened to may be defined further.
    """
    left: dict[Relation, None] = {}
    shorten = Simplifier(relations, point)
    for relation in wanted:
        gap = shorten.of(relation.left - relation.right)
        if not symbols(gap) and gap.op == "const":
            if _holds(gap.param, relation.op):
                continue
            left[relation] = None
            continue
        shorter = Relation(gap, relation.op, ZERO)
        if not (proves(relations, relation) or proves(relations, shorter)):
            left[shorter] = None
    return list(left)


def _holds(gap: Fraction, op: str) -> bool:
    return {"<": gap < 0, "<=": gap <= 0, "==": gap == 0, "!=": gap != 0}[op]
