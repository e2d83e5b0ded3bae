"""Derivatives of expressions, one rule for each operator that is smooth wherever it is defined.

A derivative must not forget where it holds. So what is differentiated stays in sight: a derivative is
defined only at points at which the expression is, together with all that surrounds the point.
"""

from collections.abc import Callable
from typing import Any

from equiv import number
from equiv.symbolic.expression import Expr, const, node, postorder

ZERO, ONE = const(0), const(1)
Slope = Expr | None
"""A derivative; None is that of something in which the variable does not occur."""


class NotSmooth(Exception):
    """An operator that has no derivative at some of the points at which it is defined."""


def undefined_function(name: str, orders: tuple[int, ...], *args: Expr, positive: bool) -> Expr:
    """A function of which no more is known than a sign, or its derivative of these orders."""
    return node("call", *args, param=("function", name, orders, positive))


def derivative(e: Expr, x: Expr, of_call: Callable[[Expr], Slope]) -> Expr:
    """The derivative of ``e`` by the symbol ``x``.

    Args:
        of_call: the derivative of an uninterpreted operator that is no function of its arguments.

    Raises:
        NotSmooth: there is no rule for an operator in which ``x`` occurs.
    """
    slopes: dict[Expr, Slope] = {}
    for part in postorder(e):
        if part is x:
            slopes[part] = ONE
        elif part.op == "call" and not part.args:
            slopes[part] = of_call(part)
        else:
            inner = [slopes[a] for a in part.args]
            slopes[part] = None if all(slope is None for slope in inner) else _rule(part, inner)
    slope = slopes[e]
    return _zero(e) if slope is None else slope


def _is_always_defined(e: Expr) -> bool:
    return e.op in {"symbol", "const", "literal"}


def _zero(e: Expr) -> Expr:
    """Zero, where ``e`` is defined."""
    return ZERO if _is_always_defined(e) else ZERO * e


def _rule(e: Expr, slopes: list[Slope]) -> Expr:
    if e.op not in _RULES or (e.op == "call" and e.param[0] != "function"):
        raise NotSmooth(f"{e.op} has no derivative everywhere, so {e} is not differentiated")
    return _RULES[e.op](e, *e.args, *slopes)


def _by(factor: Expr, slope: Slope) -> Expr:
    """The chain rule."""
    assert slope is not None
    return factor if slope is ONE else factor * slope


def _sum(e: Expr, u: Expr, v: Expr, du: Slope, dv: Slope) -> Expr:
    if dv is None and du is not None and _is_always_defined(v):
        return du
    if du is None and dv is not None and _is_always_defined(u):
        return -dv if e.op == "sub" else dv
    return node(e.op, _zero(u) if du is None else du, _zero(v) if dv is None else dv)


def _product(_: Expr, u: Expr, v: Expr, du: Slope, dv: Slope) -> Expr:
    if du is None:
        return _by(u, dv)
    return _by(v, du) if dv is None else _by(v, du) + _by(u, dv)


def _quotient(_: Expr, u: Expr, v: Expr, du: Slope, dv: Slope) -> Expr:
    if du is None:
        return -_by(u, dv) / v**2
    return du / v if dv is None else (_by(v, du) - _by(u, dv)) / v**2


def _power(e: Expr, u: Expr, v: Expr, du: Slope, dv: Slope) -> Expr:
    if dv is not None:
        by_exponent = _by(e * number.log(u), dv)
        return by_exponent if du is None else _by(e * v / u, du) + by_exponent
    if v.op == "const" and v.param.denominator == 1:
        return _by(v * u ** const(v.param - 1), du) if v.param else ZERO * e
    # a root is steep at zero, and no power but a whole one goes on beyond it
    return _by(e * v / u, du)


def _function(e: Expr, *of: Any) -> Expr:
    """The chain rule, one argument at a time."""
    _, name, orders, positive = e.param
    total: Slope = None
    for k, slope in enumerate(of[len(e.args) :]):
        if slope is not None:
            higher = tuple(n + (k == j) for j, n in enumerate(orders))
            term = _by(undefined_function(name, higher, *e.args, positive=positive), slope)
            total = term if total is None else total + term
    assert total is not None
    return total


_RULES: dict[str, Callable[..., Expr]] = {
    "neg": lambda e, u, du: -du,
    "add": _sum,
    "sub": _sum,
    "mul": _product,
    "div": _quotient,
    "pow": _power,
    "sqrt": lambda e, u, du: du / (2 * e),
    "exp": lambda e, u, du: _by(e, du),
    "log": lambda e, u, du: du / u + ZERO * e,
    "sin": lambda e, u, du: _by(number.cos(u), du),
    "cos": lambda e, u, du: -_by(number.sin(u), du),
    "call": _function,
}
