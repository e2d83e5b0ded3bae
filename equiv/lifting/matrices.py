"""Products of vectors and matrices, and small linear systems by Cramer's rule."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from equiv.lifting.memory import Cells
from equiv.lifting.plan import Call
from equiv.lifting.refusal import Unsupported
from equiv.lifting.tools import Finish, Results, Rule, Tools, add, one, times
from equiv.symbolic.expression import const

LARGEST = 4  # rows; Cramer's rule has n! terms


def _product(call: Call, tools: Tools) -> Cells:
    """Of the last two operands: vectors, matrices, or batches of them."""
    a, b = (tools.operand(t, call.plan.name) for t in call.tensors[-2:])
    left, right = a[None, :] if a.ndim == 1 else a, b[:, None] if b.ndim == 1 else b
    if not left.shape[-1]:
        raise Unsupported(f"{call.plan.name} of empty operands")
    total = tools.map(times, left[..., :, :1], right[..., :1, :])
    for k in range(1, left.shape[-1]):
        column, row = left[..., :, k : k + 1], right[..., k : k + 1, :]
        total = tools.map(lambda t, x, y: t + x * y, total, column, row)
    total = total[..., 0] if b.ndim == 1 else total
    return total[0] if a.ndim == 1 else total


def _multiplied(call: Call, tools: Tools) -> Finish:
    return one(np.asarray(_product(call, tools)))


def _added(call: Call, tools: Tools) -> Finish:
    """``beta * first + alpha * product``; at beta = 0 torch does not even look at the first."""
    alpha, beta = call.argument("alpha", 1), call.argument("beta", 1)
    product = tools.map(times, tools.number(alpha), _product(call, tools))
    if not beta:
        return one(product)
    first = tools.operand(call.args[0], call.plan.name)
    return one(tools.map(lambda k, x, t: k * x + t, tools.number(beta), first, product))


def _determinant(tools: Tools, a: Cells) -> Cells:
    """Of the matrices of a batch, along the first row."""
    if not 1 <= a.shape[-1] <= LARGEST:
        raise Unsupported(f"a matrix of {a.shape[-1]} rows; 1 to {LARGEST} are read")
    if a.shape[-1] == 1:
        return np.asarray(a[..., 0, 0])
    total: Cells | None = None
    for j in range(a.shape[-1]):
        term = tools.map(times, a[..., 0, j], _determinant(tools, np.delete(a[..., 1:, :], j, axis=-1)))
        if total is None:
            total = term
        else:
            total = tools.map(add if j % 2 == 0 else lambda x, y: x - y, total, term)
    assert total is not None
    return total


def _cramer(tools: Tools, a: Cells, b: Cells) -> Cells:
    """The x of ``a @ x == b``, all matrices; that a is regular shows in its determinant as a divisor."""
    whole = _determinant(tools, a)
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a, b = np.broadcast_to(a, (*batch, *a.shape[-2:])), np.broadcast_to(b, (*batch, *b.shape[-2:]))

    def entry(i: int, c: int) -> Cells:
        changed = np.array(a)
        changed[..., :, i] = b[..., :, c]
        return tools.map(lambda x, d: x / d, _determinant(tools, changed), whole)

    n, columns = a.shape[-1], b.shape[-1]
    return np.stack([np.stack([entry(i, c) for c in range(columns)], -1) for i in range(n)], -2)


def _solve(call: Call, tools: Tools) -> Finish:
    if not call.argument("left", default=True):
        raise Unsupported(f"{call.function} from the right")
    a, b = (tools.operand(t, call.plan.name) for t in call.tensors[:2])
    vectors = b.ndim == 1 or (b.ndim == a.ndim - 1 and b.shape == a.shape[:-1])
    found = _cramer(tools, a, b[..., None] if vectors else b)
    return _regular(call, tools, found[..., 0] if vectors else found)


def _inverse(call: Call, tools: Tools) -> Finish:
    a = tools.operand(call.tensors[0], call.plan.name)
    unit = [const(int(k)) for k in np.eye(a.shape[-1]).ravel()]
    return _regular(call, tools, _cramer(tools, a, tools.elements.cells(unit, a.shape[-2:])))


def _regular(call: Call, tools: Tools, found: Cells) -> Finish:
    """The solution, the factors by name only, and torch's report that there was no error."""
    given = [e for t in call.tensors for e in tools.elements.each(_indexed(tools, call, t))]

    def finish(results: Sequence[torch.Tensor]) -> Results:
        if bool(tools.values(results[-1]).any()):
            raise Unsupported(f"{call.function} of a singular matrix")
        return [found, *(tools.opaque(call, given, t) for t in results[1:-1]), None]

    return finish


def _indexed(tools: Tools, call: Call, tensor: torch.Tensor) -> Cells:
    return tools.elements.indexed(tools.operand(tensor, call.plan.name))


def _det(call: Call, tools: Tools) -> Finish:
    determinant = _determinant(tools, tools.floats(call))
    given = tools.elements.each(_indexed(tools, call, call.tensors[0]))
    return lambda results: [determinant, *(tools.opaque(call, given, t) for t in results[1:])]


RULES: Mapping[str, Rule] = {
    "_linalg_det": _det,
    "_linalg_solve_ex": _solve,
    "addmm": _added,
    "addmv": _added,
    "baddbmm": _added,
    "bmm": _multiplied,
    "dot": _multiplied,
    "linalg_inv_ex": _inverse,
    "mm": _multiplied,
    "mv": _multiplied,
    "vdot": _multiplied,
}
