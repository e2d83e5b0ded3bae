"""The functions a formula may use on any number: a float, a tensor, a sympy expression, one of ours, a ball.

A formula needs only ``+ - * / **`` and the functions below. Each dispatches on the type of its first
argument. Our own types register themselves when they are imported; types of third-party libraries are
registered by module name on first use, so that importing this file loads none of them.
"""

import functools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Protocol, Self, TypeVar


class Number(Protocol):
    """What every number type offers: the field operations, with ints and with its own kind."""

    def __add__(self, other: Any, /) -> Self: ...
    def __radd__(self, other: Any, /) -> Self: ...
    def __sub__(self, other: Any, /) -> Self: ...
    def __rsub__(self, other: Any, /) -> Self: ...
    def __mul__(self, other: Any, /) -> Self: ...
    def __rmul__(self, other: Any, /) -> Self: ...
    def __truediv__(self, other: Any, /) -> Self: ...
    def __rtruediv__(self, other: Any, /) -> Self: ...
    def __pow__(self, other: Any, /) -> Self: ...
    def __neg__(self) -> Self: ...


N = TypeVar("N", bound=Number)


class Function(Protocol):
    """A function of numbers that returns the kind it is given."""

    def __call__(self, x: N, /, *others: Any) -> N: ...
    def register(self, cls: type, func: Callable[..., Any]) -> Any: ...


def _learn(kind: type) -> None:
    """Register the functions for the library that ``kind`` comes from."""
    for base in kind.__mro__:
        if learn := _LIBRARIES.get(base.__module__.partition(".")[0]):
            learn()
            return
    raise TypeError(
        f"equiv.number has no functions for {kind.__module__}.{kind.__qualname__}; "
        f"use a Python number or a type of {', '.join(_LIBRARIES)}"
    )


def _generic(name: str, on_floats: Callable[..., Any]) -> Function:
    @functools.singledispatch
    def function(x: Any, *others: Any) -> Any:
        _learn(type(x))
        implementation = function.dispatch(type(x))
        if implementation is first_use:
            raise TypeError(f"{name} is not defined on {type(x).__module__}.{type(x).__qualname__}")
        return implementation(x, *others)

    first_use = function.dispatch(object)
    for kind in (int, float, Fraction):
        function.register(kind, on_floats)
    named: Any = function
    named.__name__ = named.__qualname__ = name
    return named  # type: ignore[no-any-return]


sqrt = _generic("sqrt", math.sqrt)
exp = _generic("exp", math.exp)
log = _generic("log", math.log)
sin = _generic("sin", math.sin)
cos = _generic("cos", math.cos)
pi = _generic("pi", lambda _like: math.pi)
"""``pi(x)`` is pi as a number that can be combined with ``x``."""
minimum = _generic("minimum", lambda x, y: min(x, y))
maximum = _generic("maximum", lambda x, y: max(x, y))
constant = _generic("constant", lambda _like, value: value)
"""``constant(x, value)``: an int, a Fraction or a number of ``x``'s kind, ready to combine with ``x``."""


def _learn_sympy() -> None:
    import sympy

    for function, on_sympy in (
        (sqrt, sympy.sqrt),
        (exp, sympy.exp),
        (log, sympy.log),
        (sin, sympy.sin),
        (cos, sympy.cos),
        (pi, lambda _like: sympy.pi),
        (minimum, sympy.Min),
        (maximum, sympy.Max),
        (constant, lambda _like, value: sympy.sympify(value)),
    ):
        function.register(sympy.Basic, on_sympy)


def _learn_torch() -> None:
    import torch

    for function, on_torch in (
        (sqrt, torch.sqrt),
        (exp, torch.exp),
        (log, torch.log),
        (sin, torch.sin),
        (cos, torch.cos),
        (pi, lambda _like: math.pi),
        (minimum, lambda x, y: torch.clamp(x, max=y)),
        (maximum, lambda x, y: torch.clamp(x, min=y)),
        (constant, lambda _like, value: float(value) if isinstance(value, Fraction) else value),
    ):
        function.register(torch.Tensor, on_torch)


def _learn_flint() -> None:
    from flint import acb, arb, arb_series, fmpq

    def exactly(_like: Any, value: Any) -> Any:
        return arb(fmpq(value.numerator, value.denominator) if isinstance(value, Fraction) else value)

    for kind in (arb, acb, arb_series):
        exp.register(kind, kind.exp)
        sin.register(kind, kind.sin)
        cos.register(kind, kind.cos)
        pi.register(kind, lambda _like: arb.pi())
        constant.register(kind, exactly)
    for kind in (arb, arb_series):
        sqrt.register(kind, kind.sqrt)
        log.register(kind, kind.log)
    # what meets a branch cut has no value, or an integral along a path would be wrong
    sqrt.register(acb, lambda x: x.sqrt(analytic=True))
    log.register(acb, lambda x: x.log(analytic=True))
    minimum.register(arb, arb.min)
    maximum.register(arb, arb.max)


_LIBRARIES = {"sympy": _learn_sympy, "torch": _learn_torch, "flint": _learn_flint}


def clip(x: N, low: Any, high: Any) -> N:
    """``x`` held between ``low`` and ``high``."""
    return minimum(maximum(x, low), high)


__all__ = [
    "Function",
    "N",
    "Number",
    "clip",
    "constant",
    "cos",
    "exp",
    "log",
    "maximum",
    "minimum",
    "pi",
    "sin",
    "sqrt",
]
