"""Derived error bounds for torch code: a number that carries how far it may be from exact.

A formula run on :class:`Rounded` does in torch what it does on plain tensors, operation for operation, and
beside each value keeps a bound on its distance from what exact arithmetic makes of the same inputs
(running error analysis). The bound holds for every input: no term is dropped, and the bound's own
arithmetic, in float64, is rounded up. It is not finite where it knows nothing (after an overflow, a division
by what may be 0), and nan where the value is.

What is assumed of torch, in unit roundoffs u, is held against exact arithmetic in the tests. It covers the
CPU kernels as measured, and CUDA's as documented: sums, products and quotients of tensors are correctly
rounded; a square root, which the CPU kernel does not round correctly, is within 2; exp, log, sin and cos
within 4 (2 ulp); any other power within 18. Sixteen-bit types compute in float32 and round once more to
store. Python numbers may be rounded to the type of the operation or not. Underflow is gradual. A product of
matrices in float64 adds up the products of each entry in whatever order, fused or not, and by no other way.
"""

import functools
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor

from equiv import number

_WORKING = {
    torch.float64: torch.float64,
    torch.float32: torch.float32,
    torch.bfloat16: torch.float32,
    torch.float16: torch.float32,
}
_ROOT, _ELEMENTARY, _POWER = 2, 4, 18
_LONGEST_SUM = 2**11  # the bound's own sums lose less than a part in 2^40


class Format(NamedTuple):
    """A floating-point type as torch computes in it."""

    working: float  # unit roundoff of the type an operation is done in
    storing: float  # unit roundoff of the rounding on top, when the result is stored; 0 if there is none
    least: float  # the smallest positive number: what gradual underflow may cost


@functools.cache
def format_of(dtype: torch.dtype) -> Format:
    """How torch rounds in ``dtype``.

    Raises:
        TypeError: no rounding model is stated for the type.
    """
    if dtype not in _WORKING:
        known = ", ".join(str(kind) for kind in _WORKING)
        raise TypeError(f"rounding bounds need one of {known}; got {dtype}; convert the input first")
    stored, working = torch.finfo(dtype), torch.finfo(_WORKING[dtype])
    storing = 0.0 if _WORKING[dtype] is dtype else stored.eps / 2
    return Format(working.eps / 2, storing, stored.smallest_normal * stored.eps)


@dataclass(frozen=True, slots=True, eq=False)
class Rounded:
    """A computed ``value`` and a bound on its distance from the exact one.

    ``value`` is a tensor, or a Python float for a constant; ``error`` is a float64 tensor that broadcasts
    with it.
    """

    value: Any
    error: Tensor

    def __add__(self, other: Any) -> "Rounded":
        return _sum(operator.add, self, other)

    def __radd__(self, other: Any) -> "Rounded":
        return _sum(operator.add, other, self)

    def __sub__(self, other: Any) -> "Rounded":
        return _sum(operator.sub, self, other)

    def __rsub__(self, other: Any) -> "Rounded":
        return _sum(operator.sub, other, self)

    def __mul__(self, other: Any) -> "Rounded":
        return _product(self, other)

    def __rmul__(self, other: Any) -> "Rounded":
        return _product(other, self)

    def __truediv__(self, other: Any) -> "Rounded":
        return _quotient(self, other)

    def __rtruediv__(self, other: Any) -> "Rounded":
        return _quotient(other, self)

    def __pow__(self, exponent: Any) -> "Rounded":
        return _power(self, exponent)

    def __neg__(self) -> Self:
        return type(self)(-self.value, self.error)


def exact(value: Tensor) -> Rounded:
    """An input that is what it says, with no error.

    Raises:
        TypeError: no rounding model is stated for its type.
        RuntimeError: torch was told to flush subnormal numbers to zero, where the bounds do not hold.
    """
    least = torch.tensor(format_of(value.dtype).least, dtype=value.dtype, device=value.device)
    if not (least * 1 > 0).item():
        raise RuntimeError(
            f"rounding bounds need gradual underflow; {value.dtype} on {value.device} flushes subnormal "
            "numbers to zero; call torch.set_flush_denormal(False)"
        )
    return Rounded(value, torch.zeros_like(value, dtype=torch.float64))


def distance(left: Rounded, right: Rounded) -> tuple[Tensor, Tensor]:
    """How far two computed values lie apart, and the most that rounding alone can make of it.

    Beyond it the exact values differ. Both in float64; nan and infinite bounds come through.
    """
    return (_wide(left.value) - _wide(right.value)).abs(), _up(left.error + right.error)


def affine(x: Rounded, weight: Tensor, bias: Tensor) -> Rounded:
    r"""``x @ weight + bias`` for exact weights: ``(nets, rows, n)``, ``(nets, n, m)`` and ``(nets, 1, m)``.

    Each entry is a sum of n products and a bias, so that rounding takes at most
    :math:`\frac{(n + 1) u}{1 - (n + 1) u}` of the sum of their sizes.

    Raises:
        TypeError: the type is not float64, or the sums are too long for the bound's own arithmetic.
    """
    terms = weight.shape[-2] + 1
    if {x.value.dtype, weight.dtype, bias.dtype} != {torch.float64} or terms > _LONGEST_SUM:
        raise TypeError(
            f"a bound of a matrix product needs float64 and at most {_LONGEST_SUM - 1} terms; "
            f"got {x.value.dtype}, {weight.dtype}, {bias.dtype} and {terms - 1}"
        )
    form = format_of(torch.float64)
    fresh = terms * form.working / (1 - terms * form.working)
    sizes = torch.baddbmm(bias.abs(), x.value.abs(), weight.abs())
    bound = fresh * sizes + torch.bmm(x.error.expand_as(x.value), weight.abs()) + terms * form.least
    return Rounded(torch.baddbmm(bias, x.value, weight), _up(bound * (1 + 2**-40)))


def _wide(value: Any) -> Tensor:
    return torch.as_tensor(value).to(torch.float64)


def _size(value: Any) -> Tensor:
    return _wide(value).abs()


def _up(bound: Tensor) -> Tensor:
    """Above the exact value of at most 30 float64 operations on numbers >= 0, underflow included.

    An intermediate result that is multiplied or divided afterwards is rounded up first, or what underflow
    took from it would grow.
    """
    return (bound * (1 + 2**-48)).clamp(min=2**-1000)


def _lift(x: Any) -> Rounded:
    if isinstance(x, Rounded):
        return x
    if not isinstance(x, (int, float, Fraction)):
        raise TypeError(
            f"a rounded number combines with its own kind and Python numbers; got {type(x).__name__}; "
            "wrap a tensor in equiv.rounding.exact"
        )
    value = float(x)
    off = abs(Fraction(x) - Fraction(value)) if math.isfinite(value) else math.inf
    return Rounded(value, torch.tensor(float(off) * (1 + 2**-48), dtype=torch.float64))


def _pair(left: Any, right: Any) -> tuple[Rounded, Rounded]:
    """Both as numbers of ours, a constant next to a tensor with the error of its rounding to that type."""
    left, right = _lift(left), _lift(right)
    kinds = {x.value.dtype for x in (left, right) if isinstance(x.value, Tensor)}
    if len(kinds) > 1:
        raise TypeError(
            f"rounding bounds need operands of one type; got {', '.join(map(str, kinds))}; cast one"
        )
    return (_as_operand(left, kinds), _as_operand(right, kinds))


def _as_operand(x: Rounded, kinds: set[torch.dtype]) -> Rounded:
    if isinstance(x.value, Tensor) or not kinds:
        return x
    off = abs(torch.tensor(x.value, dtype=next(iter(kinds))).double().item() - x.value)
    return Rounded(x.value, x.error + off)


def _rounded(
    value: Any, carried: Tensor, *, working: int = 1, stored: int = 1, underflow: Tensor | float = 1.0
) -> Rounded:
    """``value``, computed with so many roundings, from operands whose errors alone make ``carried``."""
    form = format_of(value.dtype if isinstance(value, Tensor) else torch.float64)
    relative = working * form.working + stored * form.storing
    fresh = relative / (1 - relative) * _size(value) + form.least * underflow
    return Rounded(value, _up(carried + fresh))


def _sum(operate: Callable[[Any, Any], Any], left: Any, right: Any) -> Rounded:
    left, right = _pair(left, right)
    return _rounded(operate(left.value, right.value), left.error + right.error)


def _product(left: Any, right: Any) -> Rounded:
    left, right = _pair(left, right)
    carried = _size(left.value) * right.error + (_size(right.value) + right.error) * left.error
    return _rounded(left.value * right.value, carried)


def _quotient(above: Any, below: Any) -> Rounded:
    above, below = _pair(above, below)
    room = _size(below.value) - below.error
    quotient = _up(_size(above.value) / _size(below.value))
    carried = _where_positive(room, _up(above.error + quotient * below.error) / room)
    value = above.value / below.value
    if isinstance(above.value, Tensor) and isinstance(below.value, Tensor):
        return _rounded(value, carried)
    # a division that involves a Python number may be done as a product with the reciprocal
    return _rounded(value, carried, working=2, stored=2, underflow=2 + _size(above.value))


def _power(x: Rounded, exponent: Any) -> Rounded:
    exponent = _lift(exponent)
    if isinstance(exponent.value, Tensor):
        raise TypeError(
            "a power of a rounded number needs a constant as exponent; got a tensor; use exp and log"
        )
    value, size, power = x.value**exponent.value, _size(x.value), exponent.value
    off = _pair(x, exponent)[1].error
    if off.item() == 0 and power == 2:
        squarings = 1 if isinstance(value, Tensor) else _ROOT
        return _rounded(value, x.error * (2 * size + x.error), working=squarings)
    if off.item() == 0 and power == 0.5:
        return _rounded(value, _root_error(x), working=_ROOT)
    if off.item() == 0 and power > 0 and power.is_integer():
        carried = power * x.error * _up(_up(size + x.error) ** (power - 1))
    else:
        room = size - x.error
        moved_log = x.error / room  # at most this far moves log x
        moved = abs(power) * moved_log + off * (size.log().abs() + moved_log)
        carried = _where_positive(room, _up(size**power) * torch.expm1(_up(moved)))
    return _rounded(value, carried, working=_POWER, stored=2, underflow=_POWER)


def _where_positive(room: Tensor, bound: Tensor) -> Tensor:
    """``bound`` where the operand keeps its distance from 0, infinity where it may not; nan stays."""
    return torch.where(room <= 0, math.inf, bound)


def _root_error(x: Rounded) -> Tensor:
    """Near 0, where its slope is unbounded, a root still moves by at most the root of the error."""
    size, error = _size(x.value), x.error
    slope = torch.maximum(size.sqrt() + (size - error).clamp(min=0).sqrt(), error.sqrt())
    return error / slope.clamp(min=2**-600)


def _sqrt(x: Rounded) -> Rounded:
    return _rounded(number.sqrt(x.value), _root_error(x), working=_ROOT)


def _exp(x: Rounded) -> Rounded:
    carried = _up(_wide(x.value).exp()) * torch.expm1(x.error)
    return _rounded(number.exp(x.value), carried, working=_ELEMENTARY, underflow=_ELEMENTARY)


def _log(x: Rounded) -> Rounded:
    room = _wide(x.value) - x.error
    carried = _where_positive(room, x.error / room)
    return _rounded(number.log(x.value), carried, working=_ELEMENTARY, underflow=_ELEMENTARY)


def _wave(function: Callable[[Any], Any], x: Rounded) -> Rounded:
    return _rounded(function(x.value), x.error, working=_ELEMENTARY, underflow=_ELEMENTARY)


def _maximum(x: Any, y: Any) -> Rounded:
    x, y = _pair(x, y)
    return Rounded(number.maximum(x.value, y.value), _extreme_error(x, y, _wide(x.value) - _wide(y.value)))


def _minimum(x: Any, y: Any) -> Rounded:
    x, y = _pair(x, y)
    return Rounded(number.minimum(x.value, y.value), _extreme_error(x, y, _wide(y.value) - _wide(x.value)))


def _extreme_error(x: Rounded, y: Rounded, lead: Tensor) -> Tensor:
    """The one that is behind by ``lead`` matters only as far as its error may bring it to the front."""
    lead = lead * (1 - 2**-48)
    return _up(torch.maximum(x.error + lead.clamp(max=0), y.error - lead.clamp(min=0)))


def _pi(_like: Rounded) -> Rounded:
    return Rounded(math.pi, torch.tensor(2.0**-52, dtype=torch.float64))


for _function, _on_rounded in (
    (number.sqrt, _sqrt),
    (number.exp, _exp),
    (number.log, _log),
    (number.sin, functools.partial(_wave, number.sin)),
    (number.cos, functools.partial(_wave, number.cos)),
    (number.pi, _pi),
    (number.minimum, _minimum),
    (number.maximum, _maximum),
    (number.constant, lambda _like, value: _lift(value)),
):
    _function.register(Rounded, _on_rounded)


__all__ = ["Format", "Rounded", "affine", "distance", "exact", "format_of"]
