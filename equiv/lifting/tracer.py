"""Runs torch code on ordinary tensors and writes down what it computes.

A :class:`Tracer` watches every operator, through torch's dispatcher, and every way a value can leave torch
unseen. Views, aliases and in-place writes need no rules: they share the shadow of their storage.
"""

import contextlib
import functools
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, Literal, NamedTuple, ParamSpec, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from equiv.lifting import matrices, movement, operators, orders, reductions
from equiv.lifting.assumption import Assumption
from equiv.lifting.binding import bind, number
from equiv.lifting.branches import relations
from equiv.lifting.doors import closed
from equiv.lifting.draws import Streams, is_normal, mean_and_std, standard
from equiv.lifting.dtypes import computed_in, name, widens
from equiv.lifting.elements import Elements
from equiv.lifting.memory import UNTRACKED, Cells, Memory, unpack
from equiv.lifting.modes import Dispatch, Leaks
from equiv.lifting.plan import Call, Operation, tensors
from equiv.lifting.refusal import Unsupported, calling_line
from equiv.lifting.tools import Finish, Results, Rule, Tools, held
from equiv.symbolic.expression import Expr, Relation, Role, const, node, symbol, symbols, text

P = ParamSpec("P")
R = TypeVar("R")
RULES: dict[str, Rule] = {**movement.RULES, **reductions.RULES, **matrices.RULES, **orders.RULES}
_UNINITIALISED = symbol("uninitialised memory", "noise")
_FEW = 16  # constants of at most so many elements are followed as formulas of the source's numbers


class Marked(NamedTuple):
    """A tensor whose elements were named; in a lane, by indexed symbols."""

    tensor: torch.Tensor
    expressions: list[Expr]
    is_lane: bool


def _unwatched(method: Callable[P, R]) -> Callable[P, R]:
    """What the reader itself does with a tensor is no leak."""

    @functools.wraps(method)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        with torch._C.DisableTorchFunction():
            return method(*args, **kwargs)

    return inner


class Tracer:
    """Reads what is run inside ``with``.

    Expressions of a marked tensor are over one symbol without an index, at the element's lane; only where
    elements mix are the symbols indexed.
    """

    def __init__(self) -> None:
        self.assumptions: list[Assumption] = []
        self.marked: list[Marked] = []
        self.noises: list[Expr] = []  # one symbol a draw, in their order
        self._elements, self._memory = Elements(), Memory()
        self._read_out: set[float] = set()  # floats that left torch: no literals of the source
        self.computed: dict[Expr, Operation] = {}
        self._streams = Streams()
        self._refusal: Unsupported | None = None
        self._tools = Tools(
            elements=self._elements,
            operand=self._operand,
            read=lambda t: self._memory.of(t).read(t, "a move"),
            is_symbolic=self._is_symbolic,
            values=lambda t: self._memory.of(t).values(t),
            assume=lambda relation: self._assume("branch", repr(relation), relation),
            constant=lambda value: number(value, self._read_out),
        )
        self._running = threading.RLock()  # one operator at a time
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(closed(self, self._watched))
        self._stack.enter_context(self._watched())
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._stack.close()
        if self._refusal is not None and (error is None or isinstance(error, Exception)):
            raise self._refusal  # the code may have caught it and gone on

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Watch the thread that enters it."""
        with Dispatch(self), Leaks(self):
            yield

    # --- what goes in and what comes out --------------------------------------------------------------

    @_unwatched
    def mark(self, tensor: torch.Tensor, name: str, role: Role = "state") -> Expr:
        """Make each element of a tensor a variable of its own; returns the symbol that stands for all."""
        element = symbol(name, role)
        shadow = self._memory.of(tensor)
        shadow.write(tensor, self._elements.lane(element, shadow.values(tensor)))
        indexed = [symbol(f"{name}[{k}]", role) for k in range(tensor.numel())]
        self.marked.append(Marked(tensor, indexed, is_lane=True))
        return element

    @_unwatched
    def mark_as(self, tensor: torch.Tensor, expressions: Sequence[Expr]) -> None:
        """Say what the elements of a tensor are, in its own order: symbols, or constants of equal value."""
        shadow = self._memory.of(tensor)
        for e, value in zip(expressions, shadow.values(tensor).ravel().tolist(), strict=True):
            self._elements.name(e, value)
        shadow.write(tensor, self._elements.cells(expressions, tuple(tensor.shape)))
        self.marked.append(Marked(tensor, list(expressions), is_lane=False))

    @_unwatched
    def read(self, tensor: torch.Tensor) -> NDArray[Any]:
        """The expression of every element, over indexed symbols; an array of the tensor's shape."""
        out = np.empty(tuple(tensor.shape), dtype=object)
        out.ravel()[:] = self.read_at(tensor, range(tensor.numel()))
        return out

    @_unwatched
    def read_at(self, tensor: torch.Tensor, places: Sequence[int]) -> list[Expr]:
        """The expressions of some elements, by their place in the flattened tensor."""
        return self._elements.each(self._elements.indexed(self._result(tensor).ravel()[list(places)]))

    @_unwatched
    def element(self, tensor: torch.Tensor) -> Expr:
        """The one expression that all elements have, each of its own element of the marked tensors.

        Raises:
            Unsupported: the elements differ, or depend on others than their own.
        """
        cells = self._result(tensor)
        found = self._elements.expressions(cells)
        if len(found) != 1:
            raise Unsupported("the elements of the result are not all computed alike")
        (first,) = found
        states = [s for s in symbols(first) if _is_state(s)]
        lanes = unpack(cells)[1].ravel()
        own = not states or bool((lanes == np.arange(lanes.size)).all())
        if not own or not all(map(self._elements.is_lane, states)):
            raise Unsupported("the elements of the result are not computed each from its own element")
        return first

    @_unwatched
    def is_symbolic(self, tensor: torch.Tensor) -> bool:
        """Does any element depend on something that was marked or drawn?"""
        return self._is_symbolic(tensor)

    @property
    def dtypes(self) -> set[torch.dtype]:
        """Every type of tensor that was read or written."""
        return self._memory.dtypes

    @property
    def setting(self) -> Assumption:
        """In which floating-point types the code ran: in others, it may do something else."""
        floats = sorted(name(d) for d in self.dtypes if d.is_floating_point)
        return Assumption("library setting", f"run on the CPU in {' and '.join(floats)}", None)

    @property
    def origins(self) -> dict[Expr, str]:
        """``file:line`` of the operation that computed an expression."""
        return self._elements.origins

    @property
    def point(self) -> dict[Expr, Fraction]:
        """The value of every variable at the point that was run; element 0 of marked tensors."""
        return {e: self.value(e) for e in self._elements.variables}

    def value(self, variable: Expr) -> Fraction:
        """The value of one variable at that point.

        Raises:
            KeyError: nothing was marked with it.
        """
        return self._elements.value(variable)

    def count(self, variable: Expr) -> int:
        """How many elements the tensor has that was marked, or drawn, with a variable."""
        return self._elements.count(variable)

    # --- one operator ---------------------------------------------------------------------------------

    @_unwatched
    def dispatch(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run an operator, and write down what its result holds.

        Raises:
            Unsupported: it cannot be read.
        """
        with self._running, self._refusals():
            return self._run(Call(function, args, kwargs))

    @contextlib.contextmanager
    def _refusals(self) -> Iterator[None]:
        """A refusal counts even where the code catches it."""
        try:
            yield
        except Unsupported as refusal:
            self._refusal = self._refusal or refusal
            raise

    def refuse(self, reason: str) -> None:
        """The code does something that keeps it from being read.

        Raises:
            Unsupported: always.
        """
        with self._refusals():
            raise Unsupported(reason)

    def _run(self, call: Call) -> Any:
        kind = call.plan.kind
        if kind == "draw":
            return self._draw(call)
        if call.plan.seeded:
            raise Unsupported(f"{call.function} draws random numbers of a kind that is not read")
        if not any(map(self._is_symbolic, call.tensors)):
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
            self._store(tensor, UNTRACKED if cells is None else cells)

    def _finish(self, call: Call) -> Finish:
        match call.plan.kind:
            case "cast":
                source: torch.Tensor = call.argument("src", call.args[0])
                read = self._operand(source, call.plan.name)
                return lambda results: [self._cast(read, source.dtype, results[0].dtype)]
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
            self._store(result, self._elements.cells([_UNINITIALISED], ()))
            return result
        if finish is not None and result.dtype.is_floating_point and result.numel() <= _FEW:
            self._record([result], finish)
            return result
        for t in call.written:
            if t.layout is torch.strided and (shadow := self._memory.known(t)):
                shadow.write(t, UNTRACKED)
        if call.plan.kind == "item" and isinstance(result, float):
            self._read_out.add(result)
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
        shadow = self._memory.of(tensor)
        values = shadow.values(tensor)
        infinite = np.isinf(values) & (shadow.read(tensor, "a constant") != UNTRACKED)
        return bool((np.isfinite(values) | infinite).all())

    # --- arithmetic -----------------------------------------------------------------------------------

    def _elementwise(self, call: Call) -> Finish:
        build, operands = bind(call, self._read_out)
        computed = computed_in(operands)
        read = [(self._operand(t, call.plan.name), t.dtype) for t in operands]
        given = [c if computed is None else self._cast(c, dtype, computed) for c, dtype in read]
        cells = self._elements.map(build, given)
        if computed is not None:
            self._note(Operation(call.plan.name, computed), cells, given)

        def finish(results: Sequence[torch.Tensor]) -> Results:
            (result,) = results
            if call.plan.kind == "predicate" or computed is None:
                return [cells]
            if not result.dtype.is_floating_point and self._elements.any_symbolic(cells):
                raise Unsupported(f"{call.plan.name} on symbols gives {result.dtype}, which may wrap around")
            return [self._cast(cells, computed, result.dtype)]

        if computed is None and call.plan.kind != "predicate" and self._elements.any_symbolic(cells):
            raise Unsupported(f"{call.plan.name} of integers that hold symbols, which may wrap around")
        return finish

    def _note(self, by: Operation, made: Cells, given: Sequence[Cells]) -> None:
        """Say what computed expressions, and their parts down to what was given; the coarsest type counts."""
        known = {e for cells in given for e in self._elements.expressions(cells)}
        waiting = [(e, by) for e in self._elements.expressions(made)]
        while waiting:
            e, operation = waiting.pop()
            before = self.computed.get(e)
            if e in known or not e.args or (before and widens(before.dtype, by.dtype)):
                continue
            self.computed[e] = operation
            waiting += [(a, operation._replace(name="")) for a in e.args]

    def _cast(self, cells: Cells, source: torch.dtype, target: torch.dtype) -> Cells:
        """Widening is the identity, narrowing a node and an assumption, to integers a truncation."""
        if widens(source, target) or not self._elements.any_symbolic(cells):
            return cells
        names = name(source), name(target)
        if target is torch.bool:
            return self._elements.map(lambda e: node("call", e, const(0), param=("ne",)), [cells])
        if not target.is_floating_point:
            return self._elements.map(lambda e: node("call", e, param=("trunc", names[1])), [cells])
        if not source.is_floating_point:
            return self._elements.map(lambda e: node("call", e, param=("convert", *names)), [cells])
        self._assume("cast", f"a cast from {names[0]} to {names[1]} is exact")
        return self._elements.map(lambda e: node("cast", e, param=names), [cells])

    # --- other operators ------------------------------------------------------------------------------

    def _alias(self, call: Call) -> Any:
        result, source = call.run(), call.tensors[0]
        for t in tensors((result,)):
            if t.dtype != source.dtype or not self._memory.same_storage(t, source):
                raise Unsupported(f"{call.function} reinterprets memory")
        return result

    def _draw(self, call: Call) -> torch.Tensor:
        """Fresh noise; normal and uniform numbers are different kinds."""
        mean, std = mean_and_std(call)
        result: torch.Tensor = self._streams.draw(call)
        noise = symbol(self._elements.fresh("n" if is_normal(call.plan) else "u"), "noise")
        self.noises.append(noise)
        cells = self._elements.lane(noise, standard(call, self._memory.of(result).values(result)))
        if not is_normal(call.plan):
            cells = self._elements.map(lambda e: node("call", e, param=("uniform",)), [cells])
        elif (mean, std) != (0, 1):
            m, s = (number(v, self._read_out) for v in (mean, std))
            cells = self._elements.map(lambda e: m + s * e, [cells])
        self._store(result, cells)
        return result

    # --- what leaves torch ----------------------------------------------------------------------------

    def _item(self, call: Call) -> Any:
        tensor, value = call.args[0], call.run()
        (e,) = self._elements.expressions(self._elements.indexed(self._operand(tensor, "item")))
        if tensor.dtype is torch.bool:
            for relation in relations(e, holds=value):
                if _is_state(relation.left) or _is_state(relation.right):
                    raise Unsupported("a branch on the state, the network or noise")
                self._assume("branch", repr(relation), relation)
        else:
            self._leaves(e, value)
        return value

    def leaks(self, method: str, args: tuple[Any, ...]) -> None:
        """``method`` lets the values of its arguments out without an operator.

        Raises:
            Unsupported: they depend on more than the schedule.
        """
        with self._refusals(), torch._C.DisableTorchFunction():
            for t in filter(self._is_symbolic, tensors(args)):
                cells = self._elements.indexed(self._operand(t, method))
                values = self._memory.of(t).values(t).ravel().tolist()
                for e, value in dict(zip(self._elements.each(cells), values, strict=True)).items():
                    self._leaves(e, value)

    def _leaves(self, e: Expr, value: float) -> None:
        """A value leaves torch: noted for a schedule, refused for anything else."""
        if _is_state(e):
            raise Unsupported("a value that depends on the state, the network or noise left torch")
        if symbols(e):
            self._read_out.add(value)
            relation = Relation(e, "==", const(Fraction(value)))
            self._assume("concretised value", f"{text(e)} = {value!r}", relation)

    def _assume(
        self,
        kind: Literal["branch", "concretised value", "cast"],
        text: str,
        relation: Relation | None = None,
    ) -> None:
        if all(a.text != text for a in self.assumptions):
            self.assumptions.append(Assumption(kind, text, relation, calling_line()))

    # --- cells of tensors -----------------------------------------------------------------------------

    def _operand(self, tensor: torch.Tensor, operator: str) -> Cells:
        """The cells of a tensor, its concrete elements as exact constants."""
        shadow = self._memory.of(tensor)
        cells = shadow.read(tensor, operator)
        untracked = cells == UNTRACKED
        if not untracked.any():
            return cells
        values = shadow.values(tensor)[untracked].tolist()
        if not all(map(math.isfinite, values)):
            raise Unsupported(f"{operator} with a constant that is not finite")
        cells = np.array(cells)
        cells[untracked] = self._elements.cells([const(Fraction(v)) for v in values], (len(values),))
        return cells

    def _result(self, tensor: torch.Tensor) -> Cells:
        cells = self._operand(tensor, "read")
        if _UNINITIALISED in symbols(*self._elements.expressions(cells)):
            raise Unsupported("the result depends on memory that was never written")
        return cells

    def _store(self, tensor: torch.Tensor, cells: Cells | int) -> None:
        self._memory.of(tensor).write(tensor, np.broadcast_to(np.asarray(cells), tuple(tensor.shape)))

    def _is_symbolic(self, tensor: torch.Tensor) -> bool:
        shadow = self._memory.known(tensor) if tensor.layout is torch.strided else None
        return shadow is not None and self._elements.any_symbolic(shadow.read(tensor, "an operator"))


def _is_state(e: Expr) -> bool:
    if e.op == "symbol":
        return bool(e.param.role != "schedule")
    return any(s.param.role != "schedule" for s in symbols(e))
