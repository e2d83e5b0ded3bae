r"""What the networks are made of, on tensors, on numbers with an error bound, and on those with a derivative.

A network is written once in these functions. On a :class:`Dual` it encloses, over a whole box of inputs, its
values and its derivatives.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from equiv import number, rounding
from equiv.rounding import Rounded

_STEEPEST = 1.1  # of silu: its derivative is at most 1.0998...
_MOST_BENT = 0.5  # its second derivative is at most 1/2, at 0


@dataclass(frozen=True, slots=True, eq=False)
class Dual:
    """A value ``(nets, cases, ...)`` and its derivatives ``(nets, cases, directions, ...)``.

    The error of each covers every input of a box, and rounding.
    """

    value: Rounded
    slopes: Rounded

    def __add__(self, other: "Dual") -> "Dual":
        return Dual(self.value + other.value, self.slopes + other.slopes)


def moved(move: Callable[..., Tensor], *values: Any) -> Any:
    """Copy entries about; ``move`` sees the dimensions behind the cases and must leave those before alone."""
    match values[0]:
        case Dual():
            return Dual(
                moved(move, *(v.value for v in values)),
                moved(move, *(v.slopes for v in values)),
            )
        case Rounded():
            return Rounded(
                move(*(v.value for v in values)),
                move(*(v.error.expand_as(v.value) for v in values)),
            )
    return move(*values)


def joined(*values: Any) -> Any:
    """Side by side in the last dimension."""
    return moved(lambda *parts: torch.cat(parts, -1), *values)


@functools.singledispatch
def affine(x: Any, weight: Tensor, bias: Tensor) -> Any:
    """``x @ weight + bias`` in the last dimension, each network with its own ``weight`` and ``bias``."""
    del weight, bias
    raise TypeError(f"layers work on tensors and numbers with a bound; got {type(x).__name__}")


@affine.register
def _(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    rows = x.reshape(len(x), -1, x.shape[-1])
    return torch.baddbmm(bias, rows, weight).reshape(*x.shape[:-1], weight.shape[-1])


@affine.register
def _(x: Rounded, weight: Tensor, bias: Tensor) -> Rounded:
    shape = x.value.shape
    rows = moved(lambda v: v.reshape(len(v), -1, v.shape[-1]), x)
    out = rounding.affine(rows, weight, bias)
    return Rounded(
        out.value.reshape(*shape[:-1], weight.shape[-1]), out.error.reshape(*shape[:-1], weight.shape[-1])
    )


@affine.register
def _(x: Dual, weight: Tensor, bias: Tensor) -> Dual:
    return Dual(affine(x.value, weight, bias), affine(x.slopes, weight, torch.zeros_like(bias)))


@functools.singledispatch
def silu(x: Any) -> Any:
    r"""The activation :math:`x / (1 + e^{-x})`."""
    raise TypeError(f"layers work on tensors and numbers with a bound; got {type(x).__name__}")


@silu.register
def _(x: Tensor) -> Tensor:
    return torch.nn.functional.silu(x)


@silu.register
def _(x: Rounded) -> Rounded:
    here = rounding.exact(x.value)
    return _moving(here / (1 + number.exp(-here)), _STEEPEST * x.error)


@silu.register
def _(x: Dual) -> Dual:
    return Dual(silu(x.value), _along(silu_rate(x.value), x.slopes) * x.slopes)


def silu_rate(x: Any) -> Any:
    """The derivative of :func:`silu`."""
    if not isinstance(x, Rounded):
        return x.sigmoid() * (1 + x * (1 - x.sigmoid()))
    here = rounding.exact(x.value)
    part = 1 / (1 + number.exp(-here))
    return _moving(part + here * part * (1 - part), _MOST_BENT * x.error)


@functools.singledispatch
def sin(x: Any) -> Any:
    """The sine, entry by entry."""
    return number.sin(x)


@sin.register
def _(x: Dual) -> Dual:
    return Dual(number.sin(x.value), _along(number.cos(x.value), x.slopes) * x.slopes)


def _moving(result: Rounded, moves: Tensor) -> Rounded:
    """A result that is computed at a point and holds for all that lie around it."""
    return Rounded(result.value, (result.error + moves) * (1 + 2**-48))


def _along(rate: Rounded, slopes: Rounded) -> Rounded:
    """One rate a case, beside the derivatives of the case."""
    behind = rate.value.dim() - slopes.value.dim()
    if behind != -1:
        raise ValueError("a derivative has one dimension more than its value")
    return Rounded(rate.value.unsqueeze(2), rate.error.unsqueeze(2))
