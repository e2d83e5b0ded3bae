r"""Whole samplers: what the network is asked at each call, and the output.

Call j asks the network at :math:`q_j = c_j \zeta + \sum_{i<j} H_{ji} y_i + w_j` and is given :math:`y_j`; row
N is the output.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sympy import Mul, S


def queries(
    network: Callable[[int, Any], Any], rows: Sequence[Sequence[Any]], shares: Sequence[Any]
) -> list[Any]:
    """All queries and, last, the output.

    ``rows[j]`` are the weights of the answers before call j; ``shares[j]`` is the part of start and noise.
    """
    asked: list[Any] = []
    answers: list[Any] = []
    for j, (row, share) in enumerate(zip(rows, shares, strict=True)):
        total = share
        for weight, y in zip(row, answers, strict=True):
            total = total + weight * y
        asked.append(total)
        if j + 1 < len(rows):
            answers.append(network(j, total))
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
