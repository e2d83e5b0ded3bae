"""Expressions as plain data, for another process: each node once, arguments before what uses them."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from equiv.symbolic.expression import Expr, Relation, const, literal, node, postorder, symbol

Nodes = list[list[Any]]  # operator, the places of its arguments, parameter


def packed(roots: Sequence[Expr]) -> tuple[Nodes, list[int]]:
    """The nodes below the roots, and the places of the roots among them."""
    places: dict[Expr, int] = {}
    nodes: Nodes = []
    for e in postorder(*roots):
        places[e] = len(nodes)
        nodes.append([e.op, [places[a] for a in e.args], _parameter(e)])
    return nodes, [places[e] for e in roots]


def unpacked(nodes: Nodes, roots: Iterable[int]) -> list[Expr]:
    """The expressions again."""
    made: list[Expr] = []
    for op, args, parameter in nodes:
        made.append(_node(op, [made[a] for a in args], parameter))
    return [made[r] for r in roots]


def packed_relations(relations: Sequence[Relation]) -> list[Any]:
    """Relations, each with its own nodes."""
    return [[*packed((r.left, r.right)), r.op] for r in relations]


def unpacked_relations(data: Iterable[Any]) -> list[Relation]:
    """The relations again."""
    return [Relation(*_sides(nodes, roots, op)) for nodes, roots, op in data]


def _sides(nodes: Nodes, roots: list[int], op: Any) -> tuple[Expr, Any, Expr]:
    left, right = unpacked(nodes, roots)
    return left, op, right


def _parameter(e: Expr) -> Any:
    match e.op:
        case "const":
            return str(e.param)
        case "literal":
            return float(e.param).hex()
        case "symbol":
            return [e.param.name, e.param.role, e.param.positive]
        case "cast":
            return list(e.param)
        case "call":
            raise ValueError(f"an uninterpreted operation, {e.param[0]}, is not sent to another process")
    return None


def _node(op: str, args: list[Expr], parameter: Any) -> Expr:
    match op:
        case "const":
            return const(Fraction(parameter))
        case "literal":
            return literal(float.fromhex(parameter))
        case "symbol":
            name, role, positive = parameter
            return symbol(name, role, positive=positive)
        case "cast":
            return node(op, *args, param=tuple(parameter))
    return node(op, *args)
