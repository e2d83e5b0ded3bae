"""Operators that only place elements: they are run on the cells instead of the numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from equiv.lifting import operators
from equiv.lifting.memory import UNTRACKED
from equiv.lifting.plan import Call
from equiv.lifting.refusal import Unsupported
from equiv.lifting.tools import Finish, Rule, Tools, one
from equiv.symbolic.expression import const

_SHIFT = 1 - UNTRACKED  # makes every cell positive, so that 0 is what was filled in


def _moved(call: Call, tools: Tools) -> Finish:
    sources = [t for t in call.tensors if t.dtype.is_floating_point]
    for t in call.tensors:
        if not t.dtype.is_floating_point and tools.is_symbolic(t):
            tools.settle(call, t)
    if any(a is True for a in (*call.args, *call.kwargs.values())):
        raise Unsupported(f"{call.function} accumulates")
    cells = {id(t): torch.from_numpy(np.asarray(tools.read(t) + _SHIFT)) for t in sources}
    arguments = {k: _replaced(v, cells) for k, v in call.named.items() if k != "out"}
    if isinstance(arguments.get("value"), (bool, int, float)):
        (number,) = tools.number(arguments["value"]).ravel().tolist()
        arguments["value"] = number + _SHIFT
    moved = np.asarray(call.function(**arguments).numpy() - _SHIFT)
    filled = moved == -_SHIFT
    if filled.any():
        moved = np.where(filled, tools.elements.cells([const(0)], ()), moved)

    return one(np.array(moved))


def _replaced(value: Any, stand_ins: dict[int, torch.Tensor]) -> Any:
    if isinstance(value, (list, tuple)):
        return [_replaced(v, stand_ins) for v in value]
    return stand_ins.get(id(value), value)


RULES: Mapping[str, Rule] = dict.fromkeys(operators.MOVEMENT, _moved)
