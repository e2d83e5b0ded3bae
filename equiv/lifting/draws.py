"""Random numbers: what kind a call draws, and the numbers as they are before they are scaled and shifted."""

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils._python_dispatch import TorchDispatchMode

from equiv.lifting import operators
from equiv.lifting.memory import Shadow
from equiv.lifting.plan import Call, Plan
from equiv.lifting.refusal import Repeated, Unsupported


def is_normal(plan: Plan) -> bool:
    """Are the numbers normal? Else they are uniform."""
    return plan.name in operators.NORMAL


def mean_and_std(call: Call) -> tuple[float, float]:
    """Of normal numbers.

    Raises:
        Unsupported: they are tensors, or no mean and spread.
    """
    mean, std = (
        (call.argument("mean", 0.0), call.argument("std", 1.0)) if call.plan.name == "normal" else (0, 1)
    )
    numbers = isinstance(mean, (int, float)) and isinstance(std, (int, float))
    if not numbers or not math.isfinite(mean) or not 0 < std < math.inf:
        raise Unsupported("normal numbers whose mean or spread is a tensor, or not positive and finite")
    return float(mean), float(std)


def standard(call: Call, values: NDArray[Any]) -> NDArray[np.float64]:
    """The numbers drawn, without their mean and spread."""
    mean, std = mean_and_std(call)
    return np.asarray((values.astype(np.float64) - mean) / std)


class Streams:
    """Where each generator stands: a draw that begins where another began repeats its numbers."""

    def __init__(self) -> None:
        self._left: dict[int, tuple[torch.Generator, bytes]] = {}
        self._begun: set[bytes] = set()

    def draw(self, call: Call) -> Any:
        """Run a call that draws.

        Raises:
            Unsupported: the generator was seeded or set back since it was last drawn from, or its numbers
                were drawn before.
        """
        generator = call.argument("generator", None) or torch.default_generator
        state = _state(generator)
        known = self._left.get(id(generator))
        if known is not None and known[1] != state:
            raise Repeated("the code seeds the generator that it draws from, or sets it back")
        if state in self._begun:
            raise Repeated("the code draws the same random numbers once more")
        self._begun.add(state)
        result = call.run()
        self._left[id(generator)] = generator, _state(generator)
        return result


def _state(generator: torch.Generator) -> bytes:
    return bytes(generator.get_state().numpy())


class Draws(TorchDispatchMode):
    """Runs everything as it is, and keeps what is drawn."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[NDArray[np.float64]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        call = Call(func, args, kwargs or {})
        result: torch.Tensor = call.run()
        if call.plan.kind == "draw":
            values = Shadow(result.untyped_storage(), result.dtype).values(result)
            self.found.append(standard(call, values).ravel())
        return result
