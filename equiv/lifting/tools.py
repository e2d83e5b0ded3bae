"""What the rules of operators that mix elements have in common.

A rule reads its operands at once, before they can be overwritten, and is given the results when they are
there. What is computed from one element each, as a sum over a stack of tensors, keeps its lanes.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from equiv.lifting.branches import relations
from equiv.lifting.dtypes import widens
from equiv.lifting.elements import Elements
from equiv.lifting.memory import Cells
from equiv.lifting.plan import Call
from equiv.lifting.refusal import Unsupported
from equiv.symbolic.expression import Expr, Relation, node, symbols

Results = Sequence[Cells | None]  # one a tensor of the result; None: concrete, under what was assumed
Finish = Callable[[Sequence[torch.Tensor]], Results]
Build = Callable[..., Expr]


class Tools(NamedTuple):
    """What a rule may use of the tracer."""

    elements: Elements
    operand: Callable[[torch.Tensor, str], Cells]
    read: Callable[[torch.Tensor], Cells]  # as they are: concrete elements stay untracked
    is_symbolic: Callable[[torch.Tensor], bool]
    values: Callable[[torch.Tensor], NDArray[Any]]
    assume: Callable[[Relation], None]  # holds at the point that is run
    constant: Callable[[float], Expr]  # of a Python number

    def map(self, build: Build, *cells: Cells) -> Cells:
        return self.elements.map(build, cells)

    def fold(self, build: Build, cells: Cells, axes: Sequence[int], *, keep: bool = False) -> Cells:
        """``build`` over all elements along the axes, from the first to the last."""
        lines = np.moveaxis(cells, axes, range(len(axes)))
        lines = lines.reshape(-1, *lines.shape[len(axes) :])
        total = np.asarray(functools.reduce(lambda a, b: self.map(build, a, b), lines))
        return np.expand_dims(total, tuple(axes)) if keep else total

    def opaque(self, call: Call, given: Sequence[Expr], result: torch.Tensor) -> Cells:
        """Cells of a result that say only what it was computed from."""
        key = call.plan.name, str(result.dtype)
        made = [node("call", *given, param=(*key, k)) for k in range(result.numel())]
        return self.elements.cells(made, tuple(result.shape))

    def floats(self, call: Call) -> Cells:
        """The cells of the first argument, of a call that neither narrows nor meets integers."""
        source: torch.Tensor = call.args[0]
        dtype = call.argument("dtype", None) or source.dtype
        narrows = not dtype.is_floating_point or not widens(source.dtype, dtype)
        if not source.numel() or not source.is_floating_point() or narrows:
            raise Unsupported(f"{call.plan.name} of {tuple(source.shape)} {source.dtype} to {dtype}")
        return self.operand(source, call.plan.name)

    def is_free(self, cells: Cells) -> bool:
        """Do they depend on more than the schedule?"""
        return any(s.param.role != "schedule" for s in symbols(*self.elements.expressions(cells)))

    def settle(self, call: Call, mask: torch.Tensor) -> None:
        """Take the comparisons of a schedule that made a mask as they came out: each is a branch.

        Raises:
            Unsupported: the mask was not made by comparing the schedule.
        """
        cells = self.elements.indexed(self.operand(mask, call.plan.name))
        if mask.dtype is not torch.bool or self.is_free(cells):
            raise Unsupported(f"{call.function} takes a place or a mask from values")
        for e, holds in zip(self.elements.each(cells), self.values(mask).ravel().tolist(), strict=True):
            for relation in relations(e, holds=holds):
                self.assume(relation)

    def number(self, value: float) -> Cells:
        return self.elements.cells([self.constant(value)], ())


Rule = Callable[[Call, Tools], Finish]


def add(x: Expr, y: Expr) -> Expr:
    """Their sum."""
    return x + y


def times(x: Expr, y: Expr) -> Expr:
    """Their product."""
    return x * y


def one(cells: Cells) -> Finish:
    """Of a call whose result is one tensor."""
    return lambda _results: [cells]


def axes(call: Call) -> tuple[int, ...]:
    """The dimensions of its first argument that a call is about; all of them if it names none."""
    ndim, dims = call.args[0].ndim, call.argument("dim", None)
    named = [dims] if isinstance(dims, int) else list(dims or ())
    return tuple(d % ndim for d in named if ndim) or tuple(range(ndim))


_KNOWN = frozenset(
    "self dim dims keepdim dtype correction ord half_to_float descending stable k largest sorted right "
    "side out_int32 sorter sorted_sequence boundaries tensor other mat mat1 mat2 vec vec2 batch1 batch2 "
    "alpha beta A B left check_errors out values indices min max tensors index value source src shifts "
    "repeats offset dim1 dim2 start end step input_sizes grad_output mask accumulate diagonal pad "
    "upscale_factor memory_format downscale_factor size".split()
)


def held(call: Call, finish: Finish) -> Finish:
    """See that a rule knows all that the call says, and that no result is narrower than what it is made of.

    Raises:
        Unsupported: an argument is not known.
    """
    if strange := [name for name, value in call.named.items() if name not in _KNOWN and value is not None]:
        raise Unsupported(f"{call.function} with {', '.join(strange)}")
    sources = [t.dtype for t in call.tensors if t.dtype.is_floating_point]

    def finished(results: Sequence[torch.Tensor]) -> Results:
        for made in (r.dtype for r in results if r.dtype.is_floating_point):
            if not all(widens(source, made) for source in sources):
                raise Unsupported(f"{call.function} narrows to {made}")
        return finish(results)

    return finished
