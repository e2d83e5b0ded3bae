"""Runs torch code on ordinary tensors and writes down what it computes.

A :class:`Tracer` watches every operator, through torch's dispatcher, and every way a value can leave torch
unseen. Views, aliases and in-place writes need no rules: they share the shadow of their storage.
"""

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, ParamSpec, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from equiv.lifting.assumption import Assumption
from equiv.lifting.doors import closed
from equiv.lifting.dtypes import name
from equiv.lifting.interpreter import Interpreter
from equiv.lifting.memory import unpack
from equiv.lifting.modes import Dispatch, Leaks
from equiv.lifting.plan import Call, Operation
from equiv.lifting.record import Record, is_state
from equiv.lifting.refusal import Unsupported
from equiv.symbolic.expression import Expr, Role, symbol, symbols

P = ParamSpec("P")
R = TypeVar("R")


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
        self.marked: list[Marked] = []
        self._known = Record()
        self._interpreter = Interpreter(self._known)
        self._refusal: Unsupported | None = None
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
        shadow = self._known.memory.of(tensor)
        shadow.write(tensor, self._known.elements.lane(element, shadow.values(tensor)))
        indexed = [symbol(f"{name}[{k}]", role) for k in range(tensor.numel())]
        self.marked.append(Marked(tensor, indexed, is_lane=True))
        return element

    @_unwatched
    def mark_as(self, tensor: torch.Tensor, expressions: Sequence[Expr]) -> None:
        """Say what the elements of a tensor are, in its own order: symbols, or constants of equal value."""
        shadow = self._known.memory.of(tensor)
        for e, value in zip(expressions, shadow.values(tensor).ravel().tolist(), strict=True):
            self._known.elements.name(e, value)
        shadow.write(tensor, self._known.elements.cells(expressions, tuple(tensor.shape)))
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
        return self._known.elements.each(
            self._known.elements.indexed(self._known.result(tensor).ravel()[list(places)])
        )

    @_unwatched
    def element(self, tensor: torch.Tensor) -> Expr:
        """The one expression that all elements have, each of its own element of the marked tensors.

        Raises:
            Unsupported: the elements differ, or depend on others than their own.
        """
        cells = self._known.result(tensor)
        found = self._known.elements.expressions(cells)
        if len(found) != 1:
            raise Unsupported("the elements of the result are not all computed alike")
        (first,) = found
        states = [s for s in symbols(first) if is_state(s)]
        lanes = unpack(cells)[1].ravel()
        own = not states or bool((lanes == np.arange(lanes.size)).all())
        if not own or not all(map(self._known.elements.is_lane, states)):
            raise Unsupported("the elements of the result are not computed each from its own element")
        return first

    @_unwatched
    def is_symbolic(self, tensor: torch.Tensor) -> bool:
        """Does any element depend on something that was marked or drawn?"""
        return self._known.is_symbolic(tensor)

    @property
    def assumptions(self) -> list[Assumption]:
        """What was taken for granted so far."""
        return self._known.assumptions

    @property
    def noises(self) -> list[Expr]:
        """One symbol a draw, in their order."""
        return self._interpreter.noises

    @property
    def computed(self) -> Mapping[Expr, Operation]:
        """What computed each expression, and in which type."""
        return self._known.computed

    @property
    def dtypes(self) -> set[torch.dtype]:
        """Every type of tensor that was read or written."""
        return self._known.memory.dtypes

    @property
    def setting(self) -> Assumption:
        """In which floating-point types the code ran: in others, it may do something else."""
        floats = sorted(name(d) for d in self.dtypes if d.is_floating_point)
        return Assumption("library setting", f"run on the CPU in {' and '.join(floats)}", None)

    @property
    def origins(self) -> dict[Expr, str]:
        """``file:line`` of the operation that computed an expression."""
        return self._known.elements.origins

    @property
    def point(self) -> dict[Expr, Fraction]:
        """The value of every variable at the point that was run; element 0 of marked tensors."""
        return {e: self.value(e) for e in self._known.elements.variables}

    def value(self, variable: Expr) -> Fraction:
        """The value of one variable at that point.

        Raises:
            KeyError: nothing was marked with it.
        """
        return self._known.elements.value(variable)

    def values(self, variable: Expr) -> NDArray[np.float64]:
        """Of the elements of a tensor that was marked, or drawn, with a variable."""
        return self._known.elements.values(variable)

    # --- one operator ---------------------------------------------------------------------------------

    @_unwatched
    def dispatch(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Run an operator, and write down what its result holds.

        Raises:
            Unsupported: it cannot be read.
        """
        with self._running, self._refusals():
            return self._interpreter.run(Call(function, args, kwargs))

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

    @_unwatched
    def leaks(self, method: str, args: tuple[Any, ...]) -> None:
        """``method`` lets the values of its arguments out without an operator.

        Raises:
            Unsupported: they depend on more than the schedule.
        """
        with self._refusals():
            self._interpreter.leaks(method, args)
