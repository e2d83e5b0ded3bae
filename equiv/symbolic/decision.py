"""Is left equal to right, everywhere on a domain?

The normal form says yes or nothing; a witness says no; all else is undecided.
"""

import itertools
from collections.abc import Mapping
from fractions import Fraction

from msgspec.structs import replace

from equiv.evidence import Condition, Witness
from equiv.symbolic import witness
from equiv.symbolic.conditions import Conditions, Undecidable, Undefined
from equiv.symbolic.equations import solved
from equiv.symbolic.expression import Expr, Relation, postorder, symbols, text
from equiv.symbolic.interpretation import Interpretation
from equiv.symbolic.literals import idealised, readings

CROSS_CHECKS = 12  # points at which what was proved equal is evaluated: enough to meet every sign


class Domain:
    """Where an equality is claimed: relations between symbols, beside the signs they carry themselves.

    ``at`` is a point known to lie in the domain, such as the one at which third-party code was run.
    """

    __slots__ = ("at", "relations")

    def __init__(self, *relations: Relation, at: Mapping[Expr, Fraction] | None = None) -> None:
        self.relations, self.at = relations, dict(at or {})


class Equal:
    """The sides are equal wherever the conditions hold; those not discharged are to be shown.

    ``assumed`` are the relations among them, for checking at further points.
    """

    __slots__ = ("assumed", "conditions")

    def __init__(self, conditions: tuple[Condition, ...], assumed: tuple[Relation, ...] = ()) -> None:
        self.conditions, self.assumed = conditions, assumed


class Different:
    """At the witness, certified balls keep the sides apart."""

    __slots__ = ("point", "witness")

    def __init__(self, witness: Witness, point: Mapping[Expr, Fraction]) -> None:
        self.witness, self.point = witness, dict(point)


class Undecided:
    """Neither: too weak, undefined, or resting on something that may not be assumed."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class Contradiction:
    """The normal form says equal and certified balls say different: a rule of ours is unsound."""

    __slots__ = ("proved", "refuted")

    def __init__(self, proved: Equal, refuted: Different) -> None:
        self.proved, self.refuted = proved, refuted


Decision = Equal | Different | Undecided | Contradiction


def decide(left: Expr, right: Expr, domain: Domain) -> Decision:
    """Decide ``left == right`` on ``domain``.

    Equal holds at every point of the domain at which the conditions hold, and there is such a point. In a
    witness, ``got`` is the value of ``left`` and ``expected`` that of ``right``.
    """
    if domain.at or all(r.op != "==" for r in domain.relations):
        return _decide(left, right, domain)
    statement = solved(left, right, domain.relations)
    decision = _decide(statement.left, statement.right, Domain(*statement.relations))
    if isinstance(decision, Different):
        decided = {str(symbol.param): text(value) for symbol, value in statement.values.items()}
        decision.witness = replace(decision.witness, inputs=decision.witness.inputs | decided)
    return decision


def _decide(left: Expr, right: Expr, domain: Domain) -> Decision:
    used = list(dict.fromkeys(symbols(left, right)))
    point = domain.at or witness.reference_point(domain.relations, used)
    if point is None:
        return Undecided("no point of the domain was found: the hypotheses may contradict each other")
    if missing := [str(s.param) for s in used if s not in point]:
        return Undecided(f"the point given has no value for {', '.join(missing)}")
    if not all(witness.holds(r, point) for r in domain.relations):
        return Undecided("the point given does not lie in the domain")

    literals = list(dict.fromkeys(e.param for e in postorder(left, right) if e.op == "literal"))
    reason = ""
    for reading in readings(literals):
        conditions = Conditions(domain.relations, point)
        try:
            if Interpretation(conditions, reading).equal(left, right):
                proved = Equal((*conditions, *_idealisations(reading)), tuple(conditions.listed))
                within = (*domain.relations, *conditions.listed)
                few = itertools.islice(witness.points(within, used), CROSS_CHECKS)
                tries = itertools.chain([domain.at] if domain.at else [], few)
                against = next(witness.differences(left, right, tries), None)
                return Contradiction(proved, Different(*against)) if against else proved
        except (Undefined, Undecidable) as why:
            reason = reason or str(why)
    tries = itertools.chain(witness.points(domain.relations, used), [domain.at] if domain.at else [])
    if found := next(witness.differences(left, right, tries), None):
        return Different(*found)
    return Undecided(reason or "the normal forms differ, and no point tells the sides apart")


def _idealisations(reading: Mapping[float, Expr]) -> list[Condition]:
    return [
        Condition(text=f"the constant {value!r} stands for {text(meant)}", kind="idealised constant")
        for value, meant in reading.items()
        if idealised(value, meant)
    ]
