"""Derivatives for Rocq: ``Derive (fun t => e) t`` of Coquelicot, about the expression as it is stated.

That the derivative exists is part of the statement, as it is that a denominator is not zero. What it is
follows rule by rule (``theory/Derivatives.v``); the rules here only say which term a rule arrives at, and
:mod:`equiv.symbolic.kernel.ladders` writes the proof.
"""

from collections.abc import Callable
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from equiv.symbolic.kernel.reading import Names, read
from equiv.symbolic.kernel.terms import (
    Applied,
    Derived,
    Term,
    Unexportable,
    applied,
    derivative,
    integer,
    put,
    variables,
)

# --- reading -----------------------------------------------------------------------------------------

_UNREAD = {sympy.Integral: "an integral", sympy.Limit: "a limit", sympy.Sum: "a sum"}


def is_needed(*expressions: Any) -> bool:
    """Is there a derivative, or a value at a point, of more than an undefined function?"""
    found = (part for e in expressions for part in sympy.sympify(e).atoms(sympy.Derivative, sympy.Subs))
    return any(not isinstance(part.expr, AppliedUndef) for part in found)


def calculus(e: Any, names: Names) -> Term:
    """A derivative, a value at a point, or an undefined function.

    Raises:
        Unexportable: there is no counterpart in Rocq's library, or none that we use.
    """
    if isinstance(e, AppliedUndef):
        return _applied(e, names)
    for unread in sorted(e.expr.atoms(*_UNREAD), key=str):
        what = f"the calculus here is that of {_UNREAD[unread.func]}, {unread}"
        raise Unexportable(f"{what}, and only differentiation is put before Rocq")
    if isinstance(e, sympy.Subs):
        read_values = {
            names(x).param: read(value, names) for x, value in zip(e.variables, e.point, strict=True)
        }
        return put(read(e.expr, names), read_values)
    (x, order), *further = e.variable_count
    if isinstance(e.expr, AppliedUndef) and e.expr.args == (x,):
        found = applied(_applied(e.expr, names).param.function, int(order), names(x))
    else:
        found = derivative(read(e.expr, names), names(x).param, int(order), names(x))
    for y, times in further:  # by one variable after the other
        found = derivative(found, names(y).param, int(times), names(y))
    return found


def _applied(e: Any, names: Names) -> Term:
    if len(e.args) > 1:
        raise Unexportable(
            f"{e} is an undefined function of several variables; only of one are put before Rocq"
        )
    if e.func not in names.of:
        symbol = sympy.Symbol(e.func.__name__)
        names.of[e.func] = names(symbol).param
        del names.of[symbol]
        names.functions[names.of[e.func]] = bool(e.is_positive)
    return applied(names.of[e.func], 0, read(e.args[0], names))


def orders(*terms: Term) -> dict[str, int]:
    """How often each undefined function is differentiated."""
    found: dict[str, int] = {}

    def walk(e: Term, further: int) -> None:
        if isinstance(e.param, Applied):
            found[e.param.function] = max(found.get(e.param.function, 0), e.param.order + further)
        if isinstance(e.param, Derived):
            walk(e.param.body, further + e.param.order)
        for a in e.args:
            walk(a, further)

    for term in terms:
        walk(term, 0)
    return found


# --- rules -------------------------------------------------------------------------------------------


def slope(e: Term, x: str) -> Term:
    """The derivative by a variable, as the rules of the library have it.

    Raises:
        Unexportable: there is no rule.
    """
    if x not in variables(e):
        return integer(0)
    if e.op == "var":
        return integer(1)
    if isinstance(e.param, Applied):
        (u,) = e.args
        return _times(applied(e.param.function, e.param.order + 1, u), slope(u, x))
    rule = _RULES.get(e.op)
    if rule is None:
        raise Unexportable(f"{e.op.split()[0]} is not differentiated in Rocq")
    moving = tuple(slope(a, x) if x in variables(a) else None for a in e.args)
    return rule(e, *e.args, *moving)


def _times(a: Term, b: Term) -> Term:
    return Term("*", (a, b))


def _over(a: Term, b: Term) -> Term:
    return Term("/", (a, b))


def _negative(a: Term) -> Term:
    return Term("neg", (a,))


def _square(a: Term) -> Term:
    return Term("^", (a,), 2)


def _sum(_e: Term, _u: Term, _v: Term, du: Any, dv: Any) -> Term:
    return du if dv is None else dv if du is None else Term("+", (du, dv))


def _difference(_e: Term, _u: Term, _v: Term, du: Any, dv: Any) -> Term:
    return du if dv is None else _negative(dv) if du is None else Term("-", (du, dv))


def _product(_: Term, u: Term, v: Term, du: Any, dv: Any) -> Term:
    if dv is None:
        return _times(du, v)
    return _times(u, dv) if du is None else Term("+", (_times(du, v), _times(u, dv)))


def _quotient(_: Term, u: Term, v: Term, du: Any, dv: Any) -> Term:
    if dv is None:
        return _over(du, v)
    if du is None:
        return _over(_negative(_times(u, dv)), _square(v))
    return _over(Term("-", (_times(du, v), _times(u, dv))), _square(v))


def _whole_power(e: Term, u: Term, du: Term) -> Term:
    if not e.param:
        raise Unexportable("a power to zero is not differentiated in Rocq")
    return _times(_times(integer(e.param), Term("^", (u,), e.param - 1)), du)


def _power(e: Term, u: Term, v: Term, du: Any, dv: Any) -> Term:
    if du is None:
        return _times(e, _times(dv, Term("ln", (u,))))
    by_base = _times(v, _over(du, u))
    return _times(e, by_base if dv is None else Term("+", (_times(dv, Term("ln", (u,))), by_base)))


_RULES: dict[str, Callable[..., Term]] = {
    "neg": lambda e, u, du: _negative(du),
    "+": _sum,
    "-": _difference,
    "*": _product,
    "/": _quotient,
    "^": _whole_power,
    "Rpower": _power,
    "exp": lambda e, u, du: _times(e, du),
    "ln": lambda e, u, du: _over(du, u),
    "sqrt": lambda e, u, du: _over(du, _times(integer(2), e)),
    "sin": lambda e, u, du: _times(Term("cos", (u,)), du),
    "cos": lambda e, u, du: _negative(_times(Term("sin", (u,)), du)),
    "tan": lambda e, u, du: _over(du, _square(Term("cos", (u,)))),
    "sinh": lambda e, u, du: _times(Term("cosh", (u,)), du),
    "cosh": lambda e, u, du: _times(Term("sinh", (u,)), du),
    "tanh": lambda e, u, du: _over(du, _square(Term("cosh", (u,)))),
}
