"""What a branch that was taken says of the values."""

from equiv.lifting.refusal import Unsupported
from equiv.symbolic.expression import Expr, Relation, symbols


def relations(comparison: Expr, *, holds: bool) -> list[Relation]:
    """The relations that make a recorded comparison true, or false.

    Raises:
        Unsupported: it is no conjunction of relations.
    """
    if comparison.op == "const":
        return []
    name = comparison.param[0] if comparison.op == "call" else ""
    if name == "not":
        return relations(comparison.args[0], holds=not holds)
    if name == ("and" if holds else "or"):
        return [r for part in comparison.args for r in relations(part, holds=holds)]
    if name not in {"lt", "le", "eq", "ne"}:
        raise Unsupported(f"a branch on {comparison}")
    left, right = comparison.args
    match name, holds:
        case "lt", True:
            return [Relation(left, "<", right)]
        case "le", True:
            return [Relation(left, "<=", right)]
        case "lt", False:
            return [Relation(right, "<=", left)]
        case "le", False:
            return [Relation(right, "<", left)]
    return [Relation(left, "==" if (name == "eq") == holds else "!=", right)]


def of_schedule(relation: Relation) -> Relation:
    """The relation, which speaks of the schedule alone.

    Raises:
        Unsupported: it speaks of the state, a network's output or noise.
    """
    if any(s.param.role != "schedule" for s in symbols(relation.left, relation.right)):
        raise Unsupported(f"a branch on the state, the network or noise: {relation}")
    return relation
