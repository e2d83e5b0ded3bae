"""Calculus inside a derivation, which is otherwise called with evaluation switched off.

A rate and a value at a point are stated, and worked out where they are decided. An integral and a mean are
worked out here by sympy.
"""

from collections.abc import Mapping
from typing import Any

from sympy import Derivative, Integral, Poly, Subs, evaluate, expand, sympify

from equiv.proofs._symbols import t


def rate(e: Any, time: Any = t) -> Any:
    """The derivative of ``e``."""
    with evaluate(True):  # Derivative counts
        return Derivative(e, time)


def at(e: Any, x: Any, value: Any) -> Any:
    """``e`` where ``x`` has a value."""
    return Subs(e, x, value)


def worked_out(e: Any) -> Any:
    """``e`` with sympy's derivatives in it, for what needs to see its terms."""
    with evaluate(True):
        return sympify(e).doit()


def integral(e: Any, x: Any, low: Any, high: Any) -> Any:
    """The integral of ``e``, which sympy must be able to do."""
    require_span(x, low, high)
    with evaluate(True):
        done = Integral(expand(e), (x, low, high)).doit()
    if done.has(Integral):
        raise ValueError(f"sympy leaves {done}; divide the integral into pieces that it can do")
    return done


def require_span(x: Any, low: Any, high: Any) -> None:
    """What is declared of a variable must hold between the ends.

    Raises:
        ValueError: it is positive, and an end is not known to be above or at zero.
    """
    with evaluate(True):
        ends_above = all(sympify(end).doit().is_nonnegative for end in (low, high))
    if x.is_positive and not ends_above:
        raise ValueError(f"{x} is positive, but goes from {low} to {high}; integrate over a real variable")


def mean(e: Any, x: Any, moments: Mapping[int, Any]) -> Any:
    """The expectation of a polynomial in ``x``: linear, and ``moments[k]`` of ``x**k``."""
    with evaluate(True):
        terms = Poly(expand(worked_out(e)), x).terms()
    return sum((moments[k] * coefficient for (k,), coefficient in terms), start=sympify(0))
