"""Runs one operator of torch, and writes down what its result holds."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from equiv.lifting import matrices, movement, operators, orders, reductions
from equiv.lifting.binding import bind, number
from equiv.lifting.branches import relations
from equiv.lifting.draws import Streams, is_normal, mean_and_std, standard
from equiv.lifting.dtypes import computed_in
from equiv.lifting.memory import UNTRACKED
from equiv.lifting.plan import Call, Operation, tensors
from equiv.lifting.record import UNINITIALISED, Record, is_state
from equiv.lifting.refusal import Unsupported
from equiv.lifting.tools import Finish, Results, Rule, Tools, held
from equiv.symbolic.expression import Expr, node, symbol

RULES: dict[str, Rule] = {**movement.RULES, **reductions.RULES, **matrices.RULES, **orders.RULES}
_FEW = 16  # constants of at most so many elements are followed as formulas of the source's numbers


class Interpreter:
    """Knows what to do with each operator, and does it on a record."""

    def __init__(self, record: Record) -> None:
        self.noises: list[Expr] = []  # one symbol a draw, in their order
        self._known, self._streams = record, Streams()
        self._tools = Tools(
            elements=record.elements,
            operand=record.operand,
            read=lambda t: record.memory.of(t).read(t, "a move"),
            is_symbolic=record.is_symbolic,
            values=lambda t: record.memory.of(t).values(t),
            assume=lambda relation: record.assume("branch", repr(relation), relation),
            constant=lambda value: number(value, record.read_out),
        )

    def run(self, call: Call) -> Any:
        """Run it, and write down what its result holds.

        Raises:
            Unsupported: it cannot be read.
        """
        kind = call.plan.kind
        if kind == "draw":
            return self._draw(call)
        if call.plan.seeded:
            raise Unsupported(f"{call.function} draws random numbers of a kind that is not read")
        if not any(map(self._known.is_symbolic, call.tensors)):
            return self._run_concrete(call)
        match kind:
            case "item":
                return self._item(call)
            case "metadata":
                return self._run_concrete(call)
            case "alias":
                return self._alias(call)
        finish = self._finish(call)  # reads the operands now, before they can be overwritten
        result = call.run()
        self._record(list(tensors((result,))), finish)
        return result

    def _record(self, results: Sequence[torch.Tensor], finish: Finish) -> None:
        for tensor, cells in zip(results, finish(results), strict=True):
            self._known.store(tensor, UNTRACKED if cells is None else cells)

    def _finish(self, call: Call) -> Finish:
        match call.plan.kind:
            case "cast":
                source: torch.Tensor = call.argument("src", call.args[0])
                read = self._known.operand(source, call.plan.name)
                return lambda results: [self._known.cast(read, source.dtype, results[0].dtype)]
            case "several":
                rule = RULES.get(call.plan.name)
                if rule is None:
                    raise Unsupported(f"the operator {call.function} is not in the table")
                return held(call, rule(call, self._tools))
        return self._elementwise(call)

    def _run_concrete(self, call: Call) -> Any:
        """No symbol is involved. Small float constants are followed, as memory holds them rounded."""
        finish = self._elementwise(call) if self._worth_following(call) else None
        result = call.run()
        if call.plan.name in operators.UNINITIALISED and result.dtype.is_floating_point:
            self._known.store(result, self._known.elements.cells([UNINITIALISED], ()))
            return result
        if finish is not None and result.dtype.is_floating_point and result.numel() <= _FEW:
            self._record([result], finish)
            return result
        for t in call.written:
            if t.layout is torch.strided and (shadow := self._known.memory.known(t)):
                shadow.write(t, UNTRACKED)
        if call.plan.kind == "item" and isinstance(result, float):
            self._known.read_out.add(result)
        return result

    def _worth_following(self, call: Call) -> bool:
        among = call.tensors
        return (
            call.plan.kind == "arithmetic"
            and any(t.dtype.is_floating_point for t in among)
            and all(t.numel() <= _FEW and t.layout is torch.strided and t.device.type == "cpu" for t in among)
            and all(self._is_known(t) for t in among)
        )

    def _is_known(self, tensor: torch.Tensor) -> bool:
        """Is every element finite, or the infinity of an expression, such as the logarithm of 0?"""
        shadow = self._known.memory.of(tensor)
        values = shadow.values(tensor)
        infinite = np.isinf(values) & (shadow.read(tensor, "a constant") != UNTRACKED)
        return bool((np.isfinite(values) | infinite).all())

    # --- arithmetic -----------------------------------------------------------------------------------

    def _elementwise(self, call: Call) -> Finish:
        build, operands = bind(call, self._known.read_out)
        computed = computed_in(operands)
        read = [(self._known.operand(t, call.plan.name), t.dtype) for t in operands]
        given = [c if computed is None else self._known.cast(c, dtype, computed) for c, dtype in read]
        cells = self._known.elements.map(build, given)
        if computed is not None:
            self._known.note(Operation(call.plan.name, computed), cells, given)

        def finish(results: Sequence[torch.Tensor]) -> Results:
            (result,) = results
            if call.plan.kind == "predicate" or computed is None:
                return [cells]
            if not result.dtype.is_floating_point and self._known.elements.any_symbolic(cells):
                raise Unsupported(f"{call.plan.name} on symbols gives {result.dtype}, which may wrap around")
            return [self._known.cast(cells, computed, result.dtype)]

        if computed is None and call.plan.kind != "predicate" and self._known.elements.any_symbolic(cells):
            raise Unsupported(f"{call.plan.name} of integers that hold symbols, which may wrap around")
        return finish

    # --- other operators ------------------------------------------------------------------------------

    def _alias(self, call: Call) -> Any:
        result, source = call.run(), call.tensors[0]
        for t in tensors((result,)):
            if t.dtype != source.dtype or not self._known.memory.same_storage(t, source):
                raise Unsupported(f"{call.function} reinterprets memory")
        return result

    def _draw(self, call: Call) -> torch.Tensor:
        """Fresh noise; normal and uniform numbers are different kinds."""
        mean, std = mean_and_std(call)
        result: torch.Tensor = self._streams.draw(call)
        noise = symbol(self._known.elements.fresh("n" if is_normal(call.plan) else "u"), "noise")
        self.noises.append(noise)
        cells = self._known.elements.lane(noise, standard(call, self._known.memory.of(result).values(result)))
        if not is_normal(call.plan):
            cells = self._known.elements.map(lambda e: node("call", e, param=("uniform",)), [cells])
        elif (mean, std) != (0, 1):
            m, s = (number(v, self._known.read_out) for v in (mean, std))
            cells = self._known.elements.map(lambda e: m + s * e, [cells])
        self._known.store(result, cells)
        return result

    # --- what leaves torch ----------------------------------------------------------------------------

    def _item(self, call: Call) -> Any:
        tensor, value = call.args[0], call.run()
        (e,) = self._known.elements.expressions(
            self._known.elements.indexed(self._known.operand(tensor, "item"))
        )
        if tensor.dtype is torch.bool:
            for relation in relations(e, holds=value):
                if is_state(relation.left) or is_state(relation.right):
                    raise Unsupported("a branch on the state, the network or noise")
                self._known.assume("branch", repr(relation), relation)
        else:
            self._known.leaves(e, value)
        return value

    def leaks(self, method: str, args: tuple[Any, ...]) -> None:
        """``method`` lets the values of its arguments out without an operator.

        Raises:
            Unsupported: they depend on more than the schedule.
        """
        for t in filter(self._known.is_symbolic, tensors(args)):
            cells = self._known.elements.indexed(self._known.operand(t, method))
            values = self._known.memory.of(t).values(t).ravel().tolist()
            for e, value in dict(zip(self._known.elements.each(cells), values, strict=True)).items():
                self._known.leaves(e, value)
