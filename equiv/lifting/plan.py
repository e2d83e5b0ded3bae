"""What is to be done with a call of an operator."""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

import torch

from equiv.lifting import operators
from equiv.symbolic.expression import Expr, node

Kind = Literal["arithmetic", "predicate", "cast", "metadata", "alias", "item", "draw", "several"]


class Plan(NamedTuple):
    """What is known of an operator; looked up once."""

    name: str  # as in the tables: without the underscore of the in-place form
    kind: Kind
    build: Callable[..., Expr] | None  # the expression of one element
    written: tuple[int, ...]  # which arguments are changed
    seeded: bool  # draws random numbers


class Call(NamedTuple):
    """An operator and its arguments."""

    function: Any
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    def run(self) -> Any:
        return self.function(*self.args, **self.kwargs)

    @property
    def plan(self) -> Plan:
        return plan(self.function)

    @property
    def tensors(self) -> list[torch.Tensor]:
        return list(tensors((*self.args, *self.kwargs.values())))

    @property
    def written(self) -> list[torch.Tensor]:
        """The tensors that the call changes."""
        changed = [self.args[i] for i in self.plan.written if i < len(self.args)]
        return list(tensors((*changed, self.kwargs.get("out"))))

    @property
    def named(self) -> dict[str, Any]:
        """The arguments given, by their names in the schema."""
        names = [a.name for a in self.function._schema.arguments]
        return dict(zip(names, self.args, strict=False)) | dict(self.kwargs)

    def argument(self, name: str, default: Any) -> Any:
        """An argument by its name in the schema, however it was passed."""
        return self.named.get(name, default)


class Operation(NamedTuple):
    """The operator that computed an expression, and the type in which it did."""

    name: str  # "" for a part of what an operator computes
    dtype: torch.dtype


def tensors(values: Iterable[Any]) -> Iterator[torch.Tensor]:
    """The tensors among values, in lists and tuples too."""
    for v in values:
        if isinstance(v, torch.Tensor):
            yield v
        elif isinstance(v, (list, tuple)):
            yield from tensors(v)


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
    if function.is_view or (torch.Tag.inplace_view in function.tags and name not in {"resize", "set"}):
        return "alias"
    tables: tuple[tuple[Kind, Any], ...] = (
        ("draw", operators.NORMAL | operators.UNIFORM),
        ("arithmetic", operators.ARITHMETIC),
        ("arithmetic", operators.UNINTERPRETED),
        ("predicate", operators.PREDICATES),
        ("cast", operators.CASTS),
        ("metadata", operators.METADATA),
        ("item", {"_local_scalar_dense"}),
    )
    return next((kind for kind, table in tables if name in table), "several")


def _build(name: str) -> Callable[..., Expr] | None:
    if name in operators.UNINTERPRETED:
        return functools.partial(_uninterpreted, name)
    return operators.ARITHMETIC.get(name) or operators.PREDICATES.get(name)


def _uninterpreted(name: str, *args: Expr, **options: Any) -> Expr:
    """Keyed by all it depends on: expressions among the options become arguments, the rest parameters."""
    given = [(key, value) for key, value in sorted(options.items()) if value is not None]
    expressions = [value for _, value in given if isinstance(value, Expr)]
    rest = tuple((key, None if isinstance(value, Expr) else value) for key, value in given)
    return node("call", *args, *expressions, param=(name, *rest))
