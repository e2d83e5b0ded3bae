"""Hypotheses that are equations: each is solved for a symbol, which is then replaced.

Under ``alpha**2 + sigma**2 = 1`` a positive alpha is ``sqrt(1 - sigma**2)``, so what is claimed of both is a
claim of sigma alone. The solved equation stays a hypothesis: where it has no value, nothing is claimed.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from flint import fmpz_mpoly

from equiv import number
from equiv.symbolic.conditions import Conditions, Kind, Undecidable, Undefined
from equiv.symbolic.expression import Expr, Relation, const, postorder, substitute, symbols
from equiv.symbolic.interpretation import Infinite, Interpretation
from equiv.symbolic.normal_form import Field


class Solved(NamedTuple):
    """A statement and its hypotheses without the symbols that the hypotheses determine."""

    left: Expr
    right: Expr
    relations: tuple[Relation, ...]
    values: dict[Expr, Expr]  # what each of those symbols is


def solved(left: Expr, right: Expr, relations: Sequence[Relation]) -> Solved:
    """The statement with every symbol replaced for which an equation among the relations can be solved."""
    statement = Solved(left, right, tuple(relations), {})
    for k, equation in enumerate(relations):
        if equation.op == "==" and (found := _solution(statement.relations[k])):
            statement = _replaced(statement, *found)
    return statement


def _replaced(statement: Solved, symbol: Expr, value: Expr) -> Solved:
    def without(e: Expr) -> Expr:
        return substitute(e, {symbol: value})

    relations = [Relation(without(r.left), r.op, without(r.right)) for r in statement.relations]
    if symbol.param.positive:
        relations.append(Relation(const(0), "<", value))
    values = {s: without(e) for s, e in statement.values.items()} | {symbol: value}
    return Solved(without(statement.left), without(statement.right), tuple(relations), values)


class _Unconditional(Conditions):
    """Where an equation holds, what it divides by is not zero; of signs nothing is known."""

    def nonzero(self, e: Expr) -> None:
        pass

    def sign(self, e: Expr, kind: Kind = "sign") -> int:  # noqa: ARG002 - as it is overridden
        raise Undecidable(f"the sign of {e} is not known")


def _solution(equation: Relation) -> tuple[Expr, Expr] | None:
    """A symbol, and what the equation says it is."""
    for symbol, value in ((equation.left, equation.right), (equation.right, equation.left)):
        if symbol.op == "symbol" and symbol not in symbols(value):
            return symbol, value
    difference = equation.left - equation.right
    if any(e.op in ("literal", "cast") for e in postorder(difference)):
        return None
    reading = Interpretation(_Unconditional((), {}), {})
    try:
        gap = reading.of(difference)
    except (Undefined, Undecidable):
        return None
    if isinstance(gap, Infinite):
        return None
    candidates = [k for k, g in enumerate(reading.field.generators) if g.value.op == "symbol"]
    found = [s for k in candidates if (s := _solved_for(k, reading.field, gap.num))]
    return min(found, key=lambda s: s[0])[1:] if found else None


def _solved_for(index: int, field: Field, p: fmpz_mpoly) -> tuple[int, Expr, Expr] | None:
    """From ``c g**n + rest = 0``, with c certainly not zero: n, g, and ``(-rest / c)**(1/n)``."""
    symbol = field.generators[index].value
    terms = [(c, powers) for c, powers in field.monomials(p) if index in powers]
    others = [g.value for k, g in enumerate(field.generators) if k != index]
    if len(terms) != 1 or symbol in symbols(*others):
        return None
    ((coefficient, powers),) = terms
    n = powers.pop(index)
    if not all(field.generators[k].positive for k in powers) or (n > 1 and not symbol.param.positive):
        return None
    factor = field.number(coefficient).num
    for k, exponent in powers.items():
        factor = factor * field.polynomial(k) ** exponent
    rest = field.expression(field.current(factor * field.polynomial(index) ** n - p))
    power = rest if factor.is_one() else rest / field.expression(factor)
    return n, symbol, power if n == 1 else number.sqrt(power) if n == 2 else power ** const(Fraction(1, n))
