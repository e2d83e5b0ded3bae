r"""Whole samplers: what the network is asked at each call, and the output.

Call j asks the network at :math:`q_j = c_j \zeta + \sum_{i<j} H_{ji} y_i + w_j` and is given :math:`y_j`; row
N is the output.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sympy import Mul, S


def queries(
    network: Callable[[int, Any], Any],
    start: Sequence[Any],
    rows: Sequence[Sequence[Any]],
    zeta: Any,
    noises: Sequence[Any] | None = None,
) -> list[Any]:
    """All queries and, last, the output; ``rows[j]`` are the weights of the outputs before call j."""
    asked: list[Any] = []
    answered: list[Any] = []
    for j, (c, row) in enumerate(zip(start, rows, strict=True)):
        total = c * zeta
        for weight, y in zip(row, answered, strict=True):
            total = total + weight * y
        asked.append(total if noises is None else total + noises[j])
        if j + 1 < len(rows):
            answered.append(network(j, asked[-1]))
    return asked


def through(points: Sequence[tuple[Any, Any]]) -> Callable[[Any], Any]:
    """The polynomial of Lagrange through points: a network that interpolates."""

    def network(q: Any) -> Any:
        total: Any = S.Zero
        for i, (node, value) in enumerate(points):
            others = [other for k, (other, _) in enumerate(points) if k != i]
            total = total + value * Mul(*((q - other) / (node - other) for other in others))
        return total

    return network
