"""Expressions written shorter, by way of their normal form, and what that rests on."""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from equiv.symbolic.conditions import Conditions, Undecidable, Undefined
from equiv.symbolic.expression import Expr, Relation, const, postorder, symbols
from equiv.symbolic.interpretation import Infinite, Interpretation
from equiv.symbolic.side_conditions import proves

ZERO = const(0)
Point = Mapping[Expr, Fraction]


def simplified(e: Expr, relations: tuple[Relation, ...], point: Point) -> tuple[Expr, tuple[Relation, ...]]:
    """``e`` as a quotient of polynomials, or as it is where it has no normal form or rests on a float.

    At a clean end of the schedule this is what its infinities come to. The two are equal wherever the
    relations given back hold, beside those given.
    """
    if any(part.op == "literal" for part in postorder(e)):
        return e, ()
    conditions = Conditions(relations, point)
    reading = Interpretation(conditions, {})
    try:
        value = reading.of(e)
    except (Undefined, Undecidable):
        return e, ()
    if isinstance(value, Infinite):
        return e, ()
    top, bottom = (reading.field.expression(p) for p in reading.field.lifted(value))
    return top if bottom is const(1) else top / bottom, tuple(conditions.listed)


def follow(wanted: Iterable[Relation], relations: tuple[Relation, ...], point: Point) -> list[Relation]:
    """Those of the relations wanted that do not follow from ``relations``, shortened, each once.

    A relation holds only where its sides are defined, so what they are shortened to may be defined further.
    """
    left: dict[Relation, None] = {}
    for relation in wanted:
        gap, _ = simplified(relation.left - relation.right, relations, point)
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
