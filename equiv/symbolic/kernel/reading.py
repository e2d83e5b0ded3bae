"""Sympy expressions as Rocq terms: read as they are written, with nothing normalised.

This reading is independent of :mod:`equiv.symbolic.from_sympy`, so that a mistake in one shows against the
other.
"""

import re
from collections.abc import Callable
from functools import reduce
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from equiv.symbolic.kernel.terms import Term, Unexportable, integer

OPAQUE = (AppliedUndef, sympy.Integral, sympy.Derivative, sympy.Limit, sympy.Sum)
RESERVED = frozenset(
    "R PI exp ln sin cos tan sqrt Rpower Rabs Rmax Rmin cosh sinh tanh as at cofix else end exists fix for"
    " forall fun if in let match return then where with using Prop Set Type SProp".split()
)


class Names:
    """Rocq identifiers for symbols, and for what stays opaque, such as an undefined function.

    ``calculus`` reads derivatives, and undefined functions as functions; without it they are opaque too.
    """

    def __init__(self, calculus: "Callable[[Any, Names], Term] | None" = None) -> None:
        self.of: dict[Any, str] = {}
        self.calculus = calculus
        self.functions: dict[str, bool] = {}  # whether they are positive

    def __call__(self, e: Any) -> Term:
        if e not in self.of:
            self.of[e] = self._fresh(e)
        return Term("var", param=self.of[e])

    def read(self, e: Any) -> Term:
        """The sympy expression as a term.

        Raises:
            Unexportable: it has a part that Rocq's real numbers do not know.
        """
        return read(e, self)

    def _fresh(self, e: Any) -> str:
        match e:
            case sympy.Symbol():
                wanted = e.name
            case AppliedUndef():
                wanted = "_".join([e.func.__name__, *(str(a) for a in e.args)])
            case sympy.Derivative():
                wanted = f"{self(e.expr).param}'"
            case _:
                wanted = (
                    f"{type(e).__name__.lower()}_{1 + sum(not isinstance(k, sympy.Symbol) for k in self.of)}"
                )
        wanted = re.sub(r"[^\w']+", "_", wanted, flags=re.ASCII).strip("_") or "x"
        wanted = wanted if wanted[0].isalpha() else f"x{wanted}"
        # a capital with a number is the name of a step of a proof
        while wanted in RESERVED or re.fullmatch(r"[A-Z]\d+", wanted) or wanted in self.of.values():
            wanted += "_"
        return wanted

    @property
    def positive(self) -> list[str]:
        """The names of what is declared positive."""
        return [name for e, name in self.of.items() if isinstance(e, sympy.Basic) and e.is_positive]


_FUNCTIONS: dict[Any, str] = {
    sympy.exp: "exp",
    sympy.log: "ln",
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.tan: "tan",
    sympy.cosh: "cosh",
    sympy.sinh: "sinh",
    sympy.tanh: "tanh",
    sympy.Abs: "Rabs",
}


def read(e: Any, names: Names) -> Term:
    """The expression as a term.

    Raises:
        Unexportable: it has a part that Rocq's real numbers do not know.
    """
    e = sympy.sympify(e)
    match e:
        case sympy.Symbol():
            if not e.is_real:
                raise Unexportable(f"the symbol {e} is not real")
            return names(e)
        case sympy.Integer():
            return integer(int(e))
        case sympy.Rational():
            return Term("/", (integer(int(e.p)), integer(int(e.q))))
        case sympy.Add():
            return _sum([*e.args], names)
        case sympy.Mul():
            return _product([*e.args], names)
        case sympy.Pow():
            return _power(e.base, e.exp, names)
    if e is sympy.pi:
        return Term("PI")
    if e is sympy.E:
        return Term("exp", (integer(1),))
    if names.calculus and isinstance(e, (AppliedUndef, sympy.Derivative, sympy.Subs)):
        return names.calculus(e, names)
    if isinstance(e, OPAQUE):
        return names(e)
    args = tuple(read(a, names) for a in e.args)
    match e.func:
        case sympy.Max | sympy.Min:
            op = "Rmax" if e.func is sympy.Max else "Rmin"
            return reduce(lambda a, b: Term(op, (a, b)), args)
        case sympy.sech:
            return Term("/", (integer(1), Term("cosh", args)))
        case function if function in _FUNCTIONS:
            return Term(_FUNCTIONS[function], args)
    raise Unexportable(f"{e.func.__name__} has no counterpart in Rocq's library of real numbers")


def _sum(terms: list[Any], names: Names) -> Term:
    total = read(terms[0], names)
    for term in terms[1:]:
        if isinstance(term, sympy.Mul) and term.args[0] == -1:
            total = Term("-", (total, _product([*term.args[1:]], names)))
        elif term.is_Number and term.is_negative:
            total = Term("-", (total, read(-term, names)))
        else:
            total = Term("+", (total, read(term, names)))
    return total


def _product(factors: list[Any], names: Names) -> Term:
    if factors[0] == -1 and len(factors) > 1:
        return Term("neg", (_product(factors[1:], names),))
    result: Term | None = None
    for f in factors:
        if isinstance(f, sympy.Pow) and f.exp.is_number and f.exp.is_negative:
            below = _power(f.base, -f.exp, names)
            result = Term("/", (integer(1) if result is None else result, below))
        else:
            value = read(f, names)
            result = value if result is None else Term("*", (result, value))
    assert result is not None
    return result


def _power(base: Any, exponent: Any, names: Names) -> Term:
    if base is sympy.E:
        return Term("exp", (read(exponent, names),))
    if exponent == sympy.Rational(1, 2):
        return Term("sqrt", (read(base, names),))
    if exponent.is_number and exponent.is_negative:
        return Term("/", (integer(1), _power(base, -exponent, names)))
    if exponent == 1:
        return read(base, names)
    if exponent.is_Integer:
        return Term("^", (read(base, names),), int(exponent))
    return Term("Rpower", (read(base, names), read(exponent, names)))
