"""What an equality rests on: collected before anything is cancelled, then proved on the domain or listed.

A condition that constrains a state, a network output or a noise may not be assumed: unless the domain
implies it, nothing is decided.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Literal

from flint import arb

from equiv.evidence import Condition
from equiv.symbolic import balls
from equiv.symbolic.expression import Expr, Relation, const, symbols
from equiv.symbolic.side_conditions import proves

ZERO = const(0)
Kind = Literal["denominator", "sign", "branch"]


class Undefined(Exception):
    """An operation has no value: a division by what is identically zero, a logarithm of a negative number."""


class Undecidable(Exception):
    """The decision would rest on something that may not be assumed."""


def is_free(e: Expr) -> bool:
    """Does ``e`` depend on a state, a network output or a noise, which are arbitrary reals?"""
    return any(s.param.role != "schedule" for s in symbols(e))


class Conditions:
    """The conditions met while two expressions are brought to normal form.

    ``point`` lies in the domain; every condition that ends up listed is certified there, so that an equality
    is never vacuous.
    """

    def __init__(self, relations: tuple[Relation, ...], point: Mapping[Expr, Fraction]) -> None:
        self.relations, self.point = relations, point
        self._met: dict[tuple[Expr, str], Condition] = {}
        self._signs: dict[Expr, int] = {}
        self.listed: list[Relation] = []  # the conditions that nothing discharges, as relations

    def __iter__(self) -> Iterator[Condition]:
        return iter(self._met.values())

    def nonzero(self, e: Expr) -> None:
        """Record that ``e`` is divided by."""
        self._require(Relation(e, "!=", ZERO), "denominator")

    def sign(self, e: Expr, kind: Kind = "sign") -> int:
        """The sign of ``e`` throughout the domain, +1 or -1, where ``e`` is not zero.

        Raises:
            Undecidable: the sign varies, or is not known, and ``e`` is not of the schedule alone.
        """
        if e not in self._signs:
            self._signs[e] = self._sign(e, kind)
        return self._signs[e]

    def known_sign(self, e: Expr) -> int:
        """The sign if the domain implies it, else 0; never assumes anything."""
        if self._proved(Relation(ZERO, "<", e)):
            return 1
        return -1 if self._proved(Relation(e, "<", ZERO)) else 0

    def narrowing(self, cast: Expr) -> None:
        """List that a cast to a narrower type is taken as exact."""
        source, target = cast.param
        text = f"the cast of {cast.args[0]} from {source} to {target} is exact"
        self._met[cast, "cast"] = Condition(text=text, kind="cast")

    def taken_to_exist(self, e: Expr) -> None:
        """Say that an integral, a limit or a sum is taken to have a value."""
        self._met[e, "exists"] = Condition(
            text=f"{e} exists", kind="hypothesis", discharged="taken to exist by the statement"
        )

    def magnitude_below(self, e: Expr, bound: Expr) -> bool:
        """Is ``|e|`` certainly below ``bound`` at the point tried?"""
        return bool(abs(self._value(e)) < self._value(bound))

    def _sign(self, e: Expr, kind: Kind) -> int:
        value = self._value(e)
        sign = 1 if value > 0 else -1 if value < 0 else 0
        if not sign:
            raise Undecidable(f"the sign of {e} is not known: at the point tried it is {balls.show(value)}")
        self._require(Relation(ZERO, "<", e) if sign > 0 else Relation(e, "<", ZERO), kind)
        return sign

    def _require(self, relation: Relation, kind: Kind) -> None:
        key = (relation.left if relation.op == "!=" else relation.left - relation.right, kind)
        if key in self._met:
            return
        discharged = "the domain" if self._proved(relation) else ""
        if not discharged:
            side = relation.left - relation.right
            if is_free(side):
                raise Undecidable(f"needs {relation}, which may not be assumed of a state")
            value = self._value(side)
            if not (value != 0 if relation.op == "!=" else value < 0):
                raise Undecidable(f"needs {relation}, which is not certain at the point tried")
            self.listed.append(relation)
        self._met[key] = Condition(text=str(relation), kind=kind, discharged=discharged)

    def _proved(self, relation: Relation) -> bool:
        used = set(symbols(relation.left, relation.right))
        return proves(_about(self.relations, used), relation)

    def _value(self, e: Expr) -> arb:
        return balls.evaluate(e, self.point)


def _about(relations: tuple[Relation, ...], used: set[Expr]) -> tuple[Relation, ...]:
    """The relations connected to the symbols in use: fewer assumptions, so any proof stands."""
    chosen: list[Relation] = []
    waiting = [(r, set(symbols(r.left, r.right))) for r in relations]
    reached = set(used)
    while True:
        near = [r for r, about in waiting if about & reached]
        if not near:
            return tuple(chosen)
        chosen += near
        for r, about in waiting:
            if r in near:
                reached |= about
        waiting = [(r, about) for r, about in waiting if r not in near]
