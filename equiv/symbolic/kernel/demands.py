"""Where a term means what it says: our division, roots, logarithms and powers are partial, Rocq's total."""

from collections.abc import Callable
from typing import NamedTuple

from equiv.symbolic.kernel.terms import (
    Applied,
    Derived,
    Term,
    around,
    derivative,
    exists,
    moving,
    parts,
    put,
    text,
)


class Demand(NamedTuple):
    """``0 < term``, ``0 <= term`` or ``term <> 0``, by its sign ``< <= <>``; or that a derivative exists.

    A derivative inside a derivative must exist ``around`` the point; the term is that derivative,
    "derived" no times by the variable in question.
    """

    sign: str
    term: Term

    @property
    def is_of_numbers(self) -> bool:
        """Is it about a term without derivatives and functions?"""
        return not any(isinstance(part.param, Derived | Applied) for part in parts(self.term))

    def __str__(self) -> str:
        if self.sign == "exists":
            return exists(self.term)
        if self.sign == "around":
            (x, _, body), (point,) = self.term.param, self.term.args
            return around(x, point, exists(body))
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
            for derived in moving(part):
                found[Demand("around", derivative(derived, variable, 0, part.args[0]))] = None
            found[Demand("exists", part)] = None
        if part.op in _DEMANDS:
            demand = Demand(*_DEMANDS[part.op](part.args))
            if demand.term.op != "int" or demand.term.param <= 0:
                found[demand] = None
    return [*found]
