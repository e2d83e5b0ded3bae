"""Derivatives for Rocq: ``Derive (fun t => e) t`` of Coquelicot, about the expression as it is stated.

That the derivative exists is part of the statement, as it is that a denominator is not zero. What it is
follows rule by rule (``theory/Derivatives.v``); the rules here only say which term a rule arrives at.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from equiv.symbolic.kernel.terms import (
    Applied,
    Demand,
    Derived,
    Names,
    Term,
    Unexportable,
    applied,
    defined,
    derivative,
    exists,
    integer,
    put,
    read,
    text,
    variables,
)

# --- reading -----------------------------------------------------------------------------------------

_UNREAD = (sympy.Integral, sympy.Limit, sympy.Sum)


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
    if e.expr.has(*_UNREAD):
        raise Unexportable(f"the calculus of {e.expr} is not exported")
    if isinstance(e, sympy.Subs):
        read_values = {
            names(x).param: read(value, names) for x, value in zip(e.variables, e.point, strict=True)
        }
        return put(read(e.expr, names), read_values)
    if len(e.variable_count) > 1:
        raise Unexportable(f"{e} is a derivative by several variables")
    ((x, order),) = e.variable_count
    if isinstance(e.expr, AppliedUndef) and e.expr.args == (x,):
        return applied(_applied(e.expr, names).param.function, int(order), names(x))
    return derivative(read(e.expr, names), names(x).param, int(order), names(x))


def _applied(e: Any, names: Names) -> Term:
    if len(e.args) > 1:
        raise Unexportable(f"{e} is a function of several variables")
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


# --- proofs ------------------------------------------------------------------------------------------


class Ladder:
    """The derivatives of one body, up to the order asked for, and what they need to be defined."""

    def __init__(self, e: Term) -> None:
        self.e, (self.x, self.order, body), (self.point,) = e, e.param, e.args
        self.steps = [body]
        for _ in range(self.order):
            self.steps.append(slope(self.steps[-1], self.x))

    def at(self, e: Term) -> Term:
        return put(e, {self.x: self.point})

    @property
    def result(self) -> Term:
        """What the derivative is at the point."""
        return self.at(self.steps[-1])

    def needed(self) -> list[Demand]:
        """What must hold around the point for all but the last step, where it depends on the point."""
        found: dict[Demand, None] = {}
        for step in self.steps[:-2]:
            for demand in (*defined(step), *defined(slope(step, self.x))):
                if self.x in variables(demand.term):
                    sign = "<" if demand.sign == "<=" else demand.sign
                    found[Demand(sign, demand.term)] = None
        return [*found]

    def near(self, name: str, demand: Demand) -> str:
        """That a demand is met all around the point."""
        point, lemma = f"({text(self.point)})", "near_nonzero" if demand.sign == "<>" else "near_positive"
        change, here = text(self.at(slope(demand.term, self.x))), Demand(demand.sign, self.at(demand.term))
        return (
            f"assert ({name} : locally {point} (fun {self.x} : R => {demand})) by"
            f" (apply ({lemma} {self._function(demand.term)} {point} ({change}));"
            f" [derive | change ({here}); known_sign])."
        )

    def lines(self, name: str) -> list[str]:
        """The steps that show what the derivative is, under the name."""
        return self._once(name) if self.order == 1 else self._again(name)

    def _function(self, e: Term) -> str:
        return f"(fun {self.x} : R => {text(e)})"

    def _once(self, name: str) -> list[str]:
        function, point, value = self.e.param.function, f"({text(self.point)})", text(self.result)
        return [
            f"assert ({name} : is_derive {function} {point} ({value})) by derive.",
            f"assert ({name}_exists : {exists(self.e)}) by (exists ({value}); exact {name}).",
            f"apply is_derive_unique in {name}.",
        ]

    def _again(self, name: str) -> list[str]:
        """Each derivative but the last is found all around the point."""
        first, point, value = self.e.param.function, f"({text(self.point)})", text(self.result)
        lines, met = [], []
        for k, demand in enumerate(self.needed(), start=1):
            met.append(f"{name}_near_{k}")
            lines.append(self.near(met[-1], demand))
        around = f"(around_first {first} {point})"
        for k, (one, other) in enumerate(pairwise(self.steps[:-1])):
            inner = f"is_derive {self._function(one)} {self.x} ({text(other)})"
            stated = f"locally {point} (fun {self.x} : R => {inner})"
            lines.append(f"assert ({name}_step_{k} : {stated}) by ({_everywhere(met)}).")
            functions = f"{self._function(one)} {self._function(other)}"
            around = f"(around_next {first} {k} {point} {functions} {around} {name}_step_{k})"
        last = self._function(self.steps[-2])
        found = f"around_value {first} {self.order - 1} {point} {last} ({value}) {around} {name}_last"
        return [
            *lines,
            f"assert ({name}_last : is_derive {last} {point} ({value})) by derive.",
            f"destruct ({found}) as [{name}_exists {name}].",
            f"change ({exists(self.e)}) in {name}_exists.",
            f"change ({text(self.e)} = {value}) in {name}.",
        ]


def _everywhere(names: list[str]) -> str:
    """Shows a derivative all around a point, from what holds all around it."""
    if not names:
        return "apply filter_forall; intros; derive"
    both = names[-1]
    for name in reversed(names[:-1]):
        both = f"(filter_and _ _ {name} {both})"
    return f"generalize {both}; apply filter_imp; intros ? ?; decompose_all; derive"
