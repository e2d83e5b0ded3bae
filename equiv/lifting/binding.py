"""The arguments of an elementwise operator, as a function of its tensors' elements."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch

from equiv.lifting import operators
from equiv.lifting.plan import Call
from equiv.lifting.refusal import Unsupported
from equiv.symbolic.expression import Expr, const

_NO_OPERANDS = frozenset(
    ["dtype", "layout", "device", "pin_memory", "memory_format", "non_blocking", "out", "generator"]
)


@dataclass(frozen=True, slots=True)
class _Slot:
    """Stands for a tensor among the arguments."""

    index: int


def bind(call: Call, read_out: set[float]) -> tuple[Callable[..., Expr], list[torch.Tensor]]:
    """The expression of one element as a function of those of the tensor operands, and these operands.

    ``read_out`` are floats that came out of tensors: they are exact, not literals of the source.
    """
    operands: list[torch.Tensor] = []

    def argument(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            operands.append(value)
            return _Slot(len(operands) - 1)
        return _argument(call.plan.name, value, read_out)

    positional = [argument(a) for a in call.args]
    named = {k: argument(a) for k, a in call.kwargs.items() if k not in _NO_OPERANDS}
    rule = call.plan.build
    if rule is None:
        raise Unsupported(f"the operator {call.function} has no rule")

    def build(*elements: Expr) -> Expr:
        given = [elements[a.index] if isinstance(a, _Slot) else a for a in positional]
        options = {k: elements[a.index] if isinstance(a, _Slot) else a for k, a in named.items()}
        return rule(*given, **options)

    return build, operands


def number(value: float, read_out: set[float]) -> Expr:
    """A Python number as an expression.

    Raises:
        Unsupported: it is not finite.
    """
    if isinstance(value, float) and value in read_out:
        return const(Fraction(value))
    return operators.number_of(value)


def _argument(operator: str, value: Any, read_out: set[float]) -> Any:
    match value:
        case float() if math.isinf(value) and operator in operators.INFINITY_ALLOWED:
            return value
        case int() | float():
            return number(value, read_out)
        case None | str():
            return value
    raise Unsupported(f"{operator} with an argument of type {type(value).__name__}")
