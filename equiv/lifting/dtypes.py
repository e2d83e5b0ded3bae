"""How torch's number types contain each other, and which one an operator computes in."""

import functools
import math
from collections.abc import Sequence

import torch


def widens(source: torch.dtype, target: torch.dtype) -> bool:
    """Does every value of ``source`` exist in ``target``?"""
    if source == target or source is torch.bool:
        return True
    if not target.is_floating_point:
        return False
    if source.is_floating_point:
        return torch.promote_types(source, target) == target
    return torch.iinfo(source).bits <= -math.log2(torch.finfo(target).eps)


def computed_in(operands: Sequence[torch.Tensor]) -> torch.dtype | None:
    """The type torch computes in: that of the operands with dimensions, else of those without.

    None where all are integers.
    """
    for among in ([t for t in operands if t.ndim], operands):
        floats = [t.dtype for t in among if t.dtype.is_floating_point]
        if floats:
            return functools.reduce(torch.promote_types, floats)
    return None


def name(dtype: torch.dtype) -> str:
    """``float32`` for ``torch.float32``."""
    return str(dtype).removeprefix("torch.")
