"""Reads a function of tensors as expressions that were seen to be what it computes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray

from equiv.lifting.assumption import Assumption
from equiv.lifting.refusal import Unsupported
from equiv.lifting.rerun import SEED, Rerun, seeded
from equiv.lifting.tracer import Tracer
from equiv.symbolic.expression import Expr, Role, const, symbol

Code = Callable[..., torch.Tensor]


class Given(NamedTuple):
    """An argument of the code. Every entry of a schedule is a variable of its own, but for zeros and ones."""

    values: torch.Tensor
    role: Role = "state"


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a function of tensors computes; ``expressions`` has the shape of its result."""

    tracer: Tracer
    result: torch.Tensor
    expressions: NDArray[Any]
    assumptions: tuple[Assumption, ...]

    @property
    def element(self) -> Expr:
        """The one expression of all elements, each of its own: see :meth:`Tracer.element`."""
        return self.tracer.element(self.result)


def read(code: Code, given: Mapping[str, Given]) -> Reading:
    """Read what ``code`` computes of its keyword arguments, a tensor, and run it twice more to see that.

    Raises:
        Unsupported: it cannot be read, or it does not compute what was read.
    """
    tracer, tensors = Tracer(), {name: g.values.clone() for name, g in given.items()}
    for name, g in given.items():
        _mark(tracer, name, g.role, tensors[name])
    rerun = Rerun(tracer, tensors)
    result = _traced(tracer, lambda: _seeded(code, SEED, tensors))
    assumed = rerun.hold(result, lambda seed, copies: _seeded(code, seed, copies))
    return Reading(tracer, result, tracer.read(result), (*tracer.assumptions, *assumed))


def _traced(tracer: Tracer, run: Callable[[], torch.Tensor]) -> torch.Tensor:
    try:
        with tracer:
            result = run()
    except Unsupported:
        raise
    except Exception as error:
        raise Unsupported(f"the code fails while it is read: {type(error).__name__}: {error}") from error
    if not isinstance(result, torch.Tensor):
        raise Unsupported(f"the code returns a {type(result).__name__}, not a tensor")
    return result


def _mark(tracer: Tracer, name: str, role: Role, tensor: torch.Tensor) -> None:
    if role != "schedule":
        tracer.mark(tensor, name, role)
        return
    entries = [
        const(int(v)) if v in {0, 1} else symbol(f"{name}_{k}", "schedule", positive=v > 0)
        for k, v in enumerate(tensor.flatten().tolist())
    ]
    tracer.mark_as(tensor, entries)


def _seeded(code: Code, seed: int, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
    with seeded(seed):
        return code(**tensors)
