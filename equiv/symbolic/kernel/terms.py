"""Terms of Rocq's real numbers: how they are made, written, and taken apart."""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

AND = " /\\ "


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


def number(value: Fraction) -> Term:
    """A rational number."""
    above = integer(value.numerator)
    return above if value.denominator == 1 else Term("/", (above, integer(value.denominator)))


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


def around(variable: str, point: Term, what: str) -> str:
    """The statement that something holds all around a point."""
    return f"locally ({text(point)}) (fun {variable} : R => {what})"


def moving(e: Term) -> list[Term]:
    """The derivatives inside the derivative ``e`` that depend on its variable."""
    x, _, body = e.param
    return [part for part in parts(body) if isinstance(part.param, Derived) and x in variables(part)]


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
