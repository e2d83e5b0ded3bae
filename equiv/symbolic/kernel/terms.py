"""Sympy expressions as Rocq terms: read as they are written, with nothing normalised, and printed.

This reading is independent of :mod:`equiv.symbolic.from_sympy`, so that a mistake in one shows against the
other. Where our division, roots, logarithms and powers are undefined, Rocq's are total: :func:`defined`
lists what must hold for a term to mean what it says.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import reduce
from typing import Any, NamedTuple

import sympy
from sympy.core.function import AppliedUndef

OPAQUE = (AppliedUndef, sympy.Integral, sympy.Derivative, sympy.Limit, sympy.Sum)
RESERVED = frozenset(
    "R PI exp ln sin cos tan sqrt Rpower Rabs Rmax Rmin cosh sinh tanh as at cofix else end exists fix for"
    " forall fun if in let match return then where with using Prop Set Type SProp".split()
)


class Term(NamedTuple):
    """An operator by its Rocq name (infix ones by their sign), and its arguments.

    ``var`` has a name, ``int`` a number, and ``^`` a natural exponent, in ``param``.
    """

    op: str
    args: tuple["Term", ...] = ()
    param: Any = None


Relation = tuple[str, Term, Term]
"""Left and right of one of ``< <= = <>``, after its sign."""


class Unexportable(Exception):
    """The expression has no counterpart among Rocq's real functions; the message says which part."""


def integer(n: int) -> Term:
    """A whole number."""
    return Term("int", param=n)


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


# --- text ------------------------------------------------------------------------------------------

_BINDS = {"+": 1, "-": 1, "*": 3, "/": 3, "neg": 4, "^": 5}  # an argument of a function binds at 6


def text(e: Term) -> str:
    """The term in Rocq's syntax, in its scope of real numbers."""
    match e:
        case Term("int", _, n):
            return str(n) if n >= 0 else f"- {-n}"
        case Term("var", _, name):
            return str(name)
        case Term("PI"):
            return "PI"
        case Term("neg", (a,)):
            return f"- {_inside(a, 5)}"
        case Term("^", (a,), n):
            return f"{_inside(a, 6)} ^ {n}"
        case Term("+" | "-" | "*" | "/" as op, (a, b)):
            return f"{_inside(a, _BINDS[op])} {op} {_inside(b, _BINDS[op] + 1)}"
    return " ".join([e.op, *(_inside(a, 6) for a in e.args)])


def _inside(e: Term, needed: int) -> str:
    if e.op == "int":
        binds = 6 if e.param >= 0 else 4
    elif e.op in ("var", "PI"):
        binds = 6
    else:
        binds = _BINDS.get(e.op, 5)
    return text(e) if binds >= needed else f"({text(e)})"


def relation_text(r: Relation) -> str:
    """A relation in Rocq's syntax."""
    sign, a, b = r
    return f"{text(a)} {sign} {text(b)}"


# --- derivatives and functions ---------------------------------------------------------------------


class Derived(NamedTuple):
    """The parameter of a term that is a derivative; the argument is the point at which it is taken."""

    variable: str
    order: int
    body: Term

    @property
    def function(self) -> str:
        return f"(fun {self.variable} : R => {text(self.body)})"


class Applied(NamedTuple):
    """The parameter of a term that is an undefined function of its argument, or a derivative of it."""

    function: str
    order: int


def derivative(body: Term, variable: str, order: int, point: Term) -> Term:
    """The derivative of ``body`` by the variable, at a point."""
    param = Derived(variable, order, body)
    head = f"Derive {param.function}" if order == 1 else f"Derive_n {param.function} {order}"
    return Term(head, (point,), param)


def applied(function: str, order: int, argument: Term) -> Term:
    """An undefined function, or a derivative of it."""
    head = {0: function, 1: f"Derive {function}"}.get(order, f"Derive_n {function} {order}")
    return Term(head, (argument,), Applied(function, order))


def exists(e: Term) -> str:
    """The statement that the derivative ``e`` is there."""
    d, (point,) = e.param, e.args
    at = text(point) if point.op == "var" else f"({text(point)})"
    return f"ex_derive {d.function} {at}" if d.order == 1 else f"ex_derive_n {d.function} {d.order} {at}"


def variables(e: Term) -> dict[str, None]:
    """Those that are free in it, in the order in which they are met."""
    found: dict[str, None] = {}
    for part in parts(e):
        if part.op == "var":
            found[part.param] = None
        elif isinstance(part.param, Derived):
            found |= {v: None for v in variables(part.param.body) if v != part.param.variable}
    return found


def put(e: Term, values: Mapping[str, Term]) -> Term:
    """The term with values for variables, all at once; a bound variable makes way."""
    if e.op == "var":
        return values.get(e.param, e)
    args = tuple(put(a, values) for a in e.args)
    if not isinstance(e.param, Derived):
        return Term(e.op, args, e.param)
    bound, order, body = e.param
    inside = {name: value for name, value in values.items() if name != bound and name in variables(body)}
    taken = {v for value in inside.values() for v in variables(value)}
    fresh = bound
    while fresh in taken or (fresh != bound and fresh in variables(body)):
        fresh += "0"
    renamed = {bound: Term("var", param=fresh)} if fresh != bound else {}
    return derivative(put(body, inside | renamed), fresh, order, *args)


# --- where it is defined ---------------------------------------------------------------------------


class Demand(NamedTuple):
    """``0 < term``, ``0 <= term`` or ``term <> 0``, by its sign ``< <= <>``; or that a derivative exists."""

    sign: str
    term: Term

    def __str__(self) -> str:
        if self.sign == "exists":
            return exists(self.term)
        return f"{text(self.term)} <> 0" if self.sign == "<>" else f"0 {self.sign} {text(self.term)}"


_DEMANDS: dict[str, Callable[[tuple[Term, ...]], tuple[str, Term]]] = {
    "/": lambda args: ("<>", args[1]),
    "sqrt": lambda args: ("<=", args[0]),
    "ln": lambda args: ("<", args[0]),
    "Rpower": lambda args: ("<", args[0]),
    "tan": lambda args: ("<>", Term("cos", args)),
}


def defined(e: Term) -> list[Demand]:
    """What must hold for the term to be defined, from the inside out; numbers above zero are left out."""
    found: dict[Demand, None] = {}
    for part in parts(e):
        if isinstance(part.param, Derived):
            variable, _, body = part.param
            found |= dict.fromkeys(defined(put(body, {variable: part.args[0]})))
            found[Demand("exists", part)] = None
        if part.op in _DEMANDS:
            demand = Demand(*_DEMANDS[part.op](part.args))
            if demand.term.op != "int" or demand.term.param <= 0:
                found[demand] = None
    return [*found]


def parts(e: Term) -> Iterator[Term]:
    """All subterms once, arguments before what uses them."""
    seen: set[Term] = set()

    def walk(part: Term) -> Iterator[Term]:
        if part not in seen:
            for a in part.args:
                yield from walk(a)
            seen.add(part)
            yield part

    return walk(e)
