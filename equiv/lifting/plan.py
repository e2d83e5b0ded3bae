"""What is to be done with an operator, looked up once."""

import functools
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import torch

from equiv.lifting import operators
from equiv.symbolic.expression import Expr, node

Kind = Literal[
    "arithmetic", "predicate", "movement", "reduction", "cast", "factory", "alias", "item", "draw", "unknown"
]


class Plan(NamedTuple):
    """``build`` makes the expression of one element; ``written`` says which arguments are changed."""

    name: str  # as in the tables: without the underscore of the in-place form
    kind: Kind
    build: Callable[..., Expr] | None
    written: tuple[int, ...]
    seeded: bool  # draws random numbers


@functools.cache
def plan(function: Any) -> Plan:
    """The plan for an ATen overload."""
    packet = str(function.overloadpacket.__name__)
    name = packet[:-1] if packet.endswith("_") and not packet.endswith("__") else packet
    if function.namespace != "aten":
        name = f"{function.namespace}::{name}"
    arguments = function._schema.arguments
    written = tuple(i for i, a in enumerate(arguments) if a.alias_info and a.alias_info.is_write)
    seeded = torch.Tag.nondeterministic_seeded in function.tags
    return Plan(name, _kind(function, name), _build(name), written, seeded)


def _kind(function: Any, name: str) -> Kind:
    if name in operators.NORMAL | operators.UNIFORM:
        return "draw"
    if function.is_view or (torch.Tag.inplace_view in function.tags and name not in ("resize", "set")):
        return "alias"
    tables: tuple[tuple[Kind, Any], ...] = (
        ("arithmetic", operators.ARITHMETIC),
        ("arithmetic", operators.UNINTERPRETED),
        ("predicate", operators.PREDICATES),
        ("movement", operators.MOVEMENT),
        ("reduction", operators.REDUCTIONS),
        ("cast", operators.CASTS),
        ("factory", operators.FACTORIES),
        ("item", ("_local_scalar_dense",)),
    )
    return next((kind for kind, table in tables if name in table), "unknown")


def _build(name: str) -> Callable[..., Expr] | None:
    if name in operators.UNINTERPRETED:
        return functools.partial(_uninterpreted, name)
    return operators.ARITHMETIC.get(name) or operators.PREDICATES.get(name)


def _uninterpreted(name: str, *args: Expr, **options: Any) -> Expr:
    given = [(key, value) for key, value in sorted(options.items()) if value is not None]
    expressions = [value for _, value in given if isinstance(value, Expr)]
    rest = tuple((key, None if isinstance(value, Expr) else value) for key, value in given)
    return node("call", *args, *expressions, param=(name, *rest))
