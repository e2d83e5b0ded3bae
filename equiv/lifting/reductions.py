"""Operators along dimensions of a tensor: sums, products, extremes, spreads, running totals."""

import math
from collections.abc import Mapping

import numpy as np
import torch

from equiv.lifting import operators
from equiv.lifting.memory import Cells
from equiv.lifting.plan import Call
from equiv.lifting.refusal import Unsupported
from equiv.lifting.tools import Build, Finish, Rule, Tools, add, axes, one, times
from equiv.number import exp, log, maximum, minimum, sqrt
from equiv.symbolic.expression import const


def _keep(call: Call) -> bool:
    return bool(call.argument("keepdim", default=False))


def _count(call: Call) -> int:
    return math.prod(call.args[0].shape[a] for a in axes(call))


def _folded(build: Build, before: Build | None = None, after: Build | None = None) -> Rule:
    """``build`` over dimensions, of elements mapped by ``before``; the total is mapped by ``after``."""

    def rule(call: Call, tools: Tools) -> Finish:
        cells = tools.floats(call)
        cells = cells if before is None else tools.map(before, cells)
        total = tools.fold(build, cells, axes(call), keep=_keep(call))
        return one(total if after is None else tools.map(after, total))

    return rule


def _mean(call: Call, tools: Tools) -> Finish:
    count = _count(call)
    return _folded(add, after=lambda total: total / count)(call, tools)


def _spread(*, root: bool, with_mean: bool) -> Rule:
    """The variance, or its root, with torch's divisor: the count less the correction, which is 1."""

    def rule(call: Call, tools: Tools) -> Finish:
        cells, along, count = tools.floats(call), axes(call), _count(call)
        correction = call.argument("correction", None)
        divisor = count - (1 if correction is None else correction)
        if int(divisor) != divisor or divisor <= 0:
            raise Unsupported(f"{call.plan.name} with the divisor {divisor}")
        mean = tools.map(lambda total: total / count, tools.fold(add, cells, along, keep=True))
        squares = tools.map(lambda x, m: (x - m) ** 2, cells, mean)
        found = tools.map(lambda total: total / int(divisor), tools.fold(add, squares, along, keep=True))
        wanted = [tools.map(sqrt, found) if root else found, *([mean] if with_mean else [])]
        return lambda _results: wanted if _keep(call) else [w.squeeze(along) for w in wanted]

    return rule


def _norm(call: Call, tools: Tools) -> Finish:
    rules = {1: _folded(add, before=abs), 2: _folded(add, before=lambda x: x * x, after=sqrt)}
    order = call.argument("ord", 2)
    rule = _folded(maximum, before=abs) if order == math.inf else rules.get(order)
    if rule is None:
        raise Unsupported(f"a norm of order {order}")
    return rule(call, tools)


def _running(build: Build) -> Rule:
    def rule(call: Call, tools: Tools) -> Finish:
        cells = tools.floats(call)
        if not cells.ndim:
            return one(cells)
        (axis,) = axes(call)
        totals: list[Cells] = []
        for line in np.moveaxis(cells, axis, 0):
            totals.append(tools.map(build, totals[-1], np.asarray(line)) if totals else np.asarray(line))
        return one(np.stack(totals, axis))

    return rule


def _softmax(call: Call, tools: Tools) -> Finish:
    grown = tools.map(exp, tools.floats(call))
    share = tools.map(lambda x, t: x / t, grown, tools.fold(add, grown, axes(call), keep=True))
    return one(share if call.plan.name == "_softmax" else tools.map(log, share))


def _aminmax(call: Call, tools: Tools) -> Finish:
    both = [_folded(build)(call, tools)([])[0] for build in (minimum, maximum)]
    return lambda _results: both


def _truth(name: str) -> Rule:
    """``any`` or ``all``; a number is true if it is not 0."""

    def rule(call: Call, tools: Tools) -> Finish:
        source: torch.Tensor = call.args[0]
        if not source.numel():
            raise Unsupported(f"{call.plan.name} of no element")
        cells = tools.operand(source, call.plan.name)
        if source.dtype is not torch.bool:
            cells = tools.map(lambda x: operators.PREDICATES["ne"](x, const(0)), cells)
        return one(tools.fold(operators.PREDICATES[name], cells, axes(call), keep=_keep(call)))

    return rule


RULES: Mapping[str, Rule] = {
    "_log_softmax": _softmax,
    "_softmax": _softmax,
    "all": _truth("logical_and"),
    "amax": _folded(maximum),
    "amin": _folded(minimum),
    "aminmax": _aminmax,
    "any": _truth("logical_or"),
    "cumprod": _running(times),
    "cumsum": _running(add),
    "linalg_vector_norm": _norm,
    "logsumexp": _folded(add, before=exp, after=log),
    "mean": _mean,
    "nansum": _folded(add),
    "prod": _folded(times),
    "std": _spread(root=True, with_mean=False),
    "std_mean": _spread(root=True, with_mean=True),
    "sum": _folded(add),
    "var": _spread(root=False, with_mean=False),
    "var_mean": _spread(root=False, with_mean=True),
}
