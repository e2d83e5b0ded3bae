"""Operators that ask which element is the larger: the order found is assumed, place by place.

Of a schedule the places are then known. Those of a state, a network's output or noise are not: nothing may
depend on them but the elements that were picked.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from equiv.lifting.memory import Cells
from equiv.lifting.plan import Call
from equiv.lifting.refusal import Unsupported
from equiv.lifting.tools import Build, Finish, Results, Rule, Tools, axes, one
from equiv.number import maximum, minimum
from equiv.symbolic.expression import Expr, Relation, symbols

_LARGEST, _SMALLEST = frozenset(["max", "argmax"]), frozenset(["min", "argmin"])
_WHOLE = frozenset(["median", "argmax", "argmin"])  # without a dimension: of all elements


def _below(pairs: Iterator[tuple[tuple[Expr, float], tuple[Expr, float]]]) -> Iterator[Relation]:
    """Each first is less than its second; where they are one expression, there is nothing to say."""
    for (low, value), (high, other) in pairs:
        if low is high or not symbols(low, high):
            continue
        if not value < other:
            raise Unsupported(f"an order of {low} and {high}, which are equal here")
        yield Relation(low, "<", high)


def _line(name: str, line: Sequence[Expr], values: Sequence[float]) -> Iterator[Relation]:
    """What makes the operator pick what it picked of a line."""
    rising = sorted(zip(line, values, strict=True), key=lambda pair: pair[1])
    if name in _LARGEST:
        return _below((other, rising[-1]) for other in rising[:-1])
    if name in _SMALLEST:
        return _below((rising[0], other) for other in rising[1:])
    return _below(itertools.pairwise(rising))


def _ordered(call: Call, tools: Tools) -> Finish:
    source: torch.Tensor = call.args[0]
    cells, values = tools.floats(call), tools.values(source)
    axis = call.argument("dim", None if call.plan.name in _WHOLE else -1)
    if axis is None or not source.ndim:
        cells, values, axis = cells.reshape(-1), values.reshape(-1), 0
    free = tools.is_free(cells)
    if free and call.plan.name in {"argmax", "argmin"}:
        raise Unsupported(f"{call.function} takes a place from a state, the network or noise")
    count = cells.shape[axis]
    lines = np.moveaxis(tools.elements.indexed(cells), axis, -1).reshape(-1, count)
    for line, numbers in zip(lines, np.moveaxis(values, axis, -1).reshape(-1, count), strict=True):
        for relation in _line(call.plan.name, tools.elements.each(line), numbers.tolist()):
            tools.assume(relation)
    given = tools.elements.each(lines) if free else []

    def finish(results: Sequence[torch.Tensor]) -> Results:
        if len(results) == 1 and not results[0].is_floating_point():
            return [None]
        if len(results) == 1:  # the median of all elements
            middle = np.argsort(values, kind="stable")[(count - 1) // 2]
            return [np.asarray(cells[middle])]
        picked = _picked(cells, axis, tools.values(results[1]))
        places = tools.opaque(call, given, results[1]) if free else None
        return [picked.reshape(tuple(results[0].shape)), places]

    return finish


def _extreme(build: Build) -> Rule:
    """Of all elements it needs no order."""

    def rule(call: Call, tools: Tools) -> Finish:
        if call.argument("dim", None) is not None:
            return _ordered(call, tools)
        return one(tools.fold(build, tools.floats(call), axes(call)))

    return rule


def _picked(cells: Cells, axis: int, places: NDArray[Any]) -> Cells:
    if cells.ndim == 1:
        return np.asarray(cells[places.reshape(-1)])
    kept = places if places.ndim == cells.ndim else np.expand_dims(places, axis)
    return np.take_along_axis(cells, kept, axis)


def _searched(call: Call, tools: Tools) -> Finish:
    """Where numbers belong in a rising sequence, of one dimension or one for each row."""
    among = call.tensors if call.plan.name == "searchsorted" else call.tensors[::-1]
    if len(among) != 2:
        raise Unsupported(f"{call.function} of a number, or with a sorter")
    first, second = among
    right = bool(call.argument("right", default=False)) or call.argument("side", None) == "right"
    edges, sought = (tools.elements.indexed(tools.operand(t, call.plan.name)) for t in (first, second))
    if tools.is_free(edges) or tools.is_free(sought):
        raise Unsupported(f"{call.function} takes a place from a state, the network or noise")

    def finish(results: Sequence[torch.Tensor]) -> Results:
        places = tools.values(results[0])
        for at in np.ndindex(sought.shape):
            row = edges if edges.ndim == 1 else edges[at[:-1]]
            (e,) = tools.elements.each(sought[at])
            before = tools.elements.each(row[: places[at]])[-1:]
            after = tools.elements.each(row[places[at] :])[:1]
            for edge in before:
                _assume(tools, Relation(edge, "<=" if right else "<", e))
            for edge in after:
                _assume(tools, Relation(e, "<" if right else "<=", edge))
        return [None]

    return finish


def _assume(tools: Tools, relation: Relation) -> None:
    if symbols(relation.left, relation.right):
        tools.assume(relation)


def _nonzero(call: Call, tools: Tools) -> Finish:
    """Where a comparison holds: each of them is a branch."""
    tools.settle(call, call.args[0])
    return lambda _results: [None]


RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("argmax", "argmin", "kthvalue", "median", "sort", "topk"), _ordered),
    "max": _extreme(maximum),
    "min": _extreme(minimum),
    "bucketize": _searched,
    "nonzero": _nonzero,
    "searchsorted": _searched,
}
