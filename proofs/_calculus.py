"""Sympy's calculus inside a derivation, which is otherwise called with evaluation switched off."""

from collections.abc import Mapping
from typing import Any

from sympy import Integral, Poly, evaluate, expand, sympify

from equiv.proofs._symbols import t


def rate(e: Any, time: Any = t) -> Any:
    """The derivative of ``e``."""
    with evaluate(True):
        return sympify(e).diff(time)


def at(e: Any, x: Any, value: Any) -> Any:
    """``e`` where ``x`` has a value."""
    with evaluate(True):
        return sympify(e).subs(x, value).doit()


def integral(e: Any, x: Any, low: Any, high: Any) -> Any:
    """The integral of ``e``, which sympy must be able to do."""
    with evaluate(True):
        done = Integral(expand(e), (x, low, high)).doit()
    if done.has(Integral):
        raise ValueError(f"sympy leaves {done}; divide the integral into pieces that it can do")
    return done


def mean(e: Any, x: Any, moments: Mapping[int, Any]) -> Any:
    """The expectation of a polynomial in ``x``: linear, and ``moments[k]`` of ``x**k``."""
    with evaluate(True):
        terms = Poly(expand(e), x).terms()
    return sum((moments[k] * coefficient for (k,), coefficient in terms), start=sympify(0))
