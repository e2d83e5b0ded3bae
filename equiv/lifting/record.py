"""What is known of all that torch holds while code is read: its expressions, and what was assumed of them."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import numpy as np
import torch

from equiv.lifting.assumption import Assumption
from equiv.lifting.dtypes import name, widens
from equiv.lifting.elements import Elements
from equiv.lifting.memory import UNTRACKED, Cells, Memory
from equiv.lifting.plan import Operation
from equiv.lifting.refusal import Unsupported, calling_line
from equiv.symbolic.expression import Expr, Relation, const, node, symbol, symbols, text

UNINITIALISED = symbol("uninitialised memory", "noise")


class Record:
    """The expressions of all tensors, and what was taken for granted."""

    def __init__(self) -> None:
        self.assumptions: list[Assumption] = []
        self.computed: dict[Expr, Operation] = {}  # what torch computed, with what and in which type
        self.elements, self.memory = Elements(), Memory()
        self.read_out: set[float] = set()  # floats that left torch: no literals of the source

    # --- cells of tensors -----------------------------------------------------------------------------

    def operand(self, tensor: torch.Tensor, operator: str) -> Cells:
        """The cells of a tensor, its concrete elements as exact constants."""
        shadow = self.memory.of(tensor)
        cells = shadow.read(tensor, operator)
        untracked = cells == UNTRACKED
        if not untracked.any():
            return cells
        values = shadow.values(tensor)[untracked].tolist()
        if not all(map(math.isfinite, values)):
            raise Unsupported(f"{operator} with a constant that is not finite")
        cells = np.array(cells)
        cells[untracked] = self.elements.cells([const(Fraction(v)) for v in values], (len(values),))
        return cells

    def result(self, tensor: torch.Tensor) -> Cells:
        """The cells of a tensor that is to be understood as a whole.

        Raises:
            Unsupported: a part of it was never written.
        """
        cells = self.operand(tensor, "read")
        if UNINITIALISED in symbols(*self.elements.expressions(cells)):
            raise Unsupported("the result depends on memory that was never written")
        return cells

    def store(self, tensor: torch.Tensor, cells: Cells | int) -> None:
        """Write down what a tensor holds now."""
        self.memory.of(tensor).write(tensor, np.broadcast_to(np.asarray(cells), tuple(tensor.shape)))

    def is_symbolic(self, tensor: torch.Tensor) -> bool:
        """Does any element depend on something that was marked or drawn?"""
        shadow = self.memory.known(tensor) if tensor.layout is torch.strided else None
        return shadow is not None and self.elements.any_symbolic(shadow.read(tensor, "an operator"))

    # --- what is said of them -------------------------------------------------------------------------

    def note(self, by: Operation, made: Cells, given: Sequence[Cells]) -> None:
        """Say what computed expressions, and their parts down to what was given; the coarsest type counts."""
        known = {e for cells in given for e in self.elements.expressions(cells)}
        waiting = [(e, by) for e in self.elements.expressions(made)]
        while waiting:
            e, operation = waiting.pop()
            before = self.computed.get(e)
            if e in known or not e.args or (before and widens(before.dtype, by.dtype)):
                continue
            self.computed[e] = operation
            waiting += [(a, operation._replace(name="")) for a in e.args]

    def cast(self, cells: Cells, source: torch.dtype, target: torch.dtype) -> Cells:
        """Widening is the identity, narrowing a node and an assumption, to integers a truncation."""
        if widens(source, target) or not self.elements.any_symbolic(cells):
            return cells
        names = name(source), name(target)
        if target is torch.bool:
            return self.elements.map(lambda e: node("call", e, const(0), param=("ne",)), [cells])
        if not target.is_floating_point:
            return self.elements.map(lambda e: node("call", e, param=("trunc", names[1])), [cells])
        if not source.is_floating_point:
            return self.elements.map(lambda e: node("call", e, param=("convert", *names)), [cells])
        self.assume("cast", f"a cast from {names[0]} to {names[1]} is exact")
        return self.elements.map(lambda e: node("cast", e, param=names), [cells])

    def leaves(self, e: Expr, value: float) -> None:
        """A value leaves torch: noted for a schedule, refused for anything else."""
        if is_state(e):
            raise Unsupported("a value that depends on the state, the network or noise left torch")
        if symbols(e):
            self.read_out.add(value)
            relation = Relation(e, "==", const(Fraction(value)))
            self.assume("concretised value", f"{text(e)} = {value!r}", relation)

    def assume(
        self,
        kind: Literal["branch", "concretised value", "cast"],
        text: str,
        relation: Relation | None = None,
    ) -> None:
        """Note what was taken for granted, once."""
        if all(a.text != text for a in self.assumptions):
            self.assumptions.append(Assumption(kind, text, relation, calling_line()))


def is_state(e: Expr) -> bool:
    """Does it depend on more than the schedule?"""
    if e.op == "symbol":
        return bool(e.param.role != "schedule")
    return any(s.param.role != "schedule" for s in symbols(e))
