"""Looks for a concrete point of the domain, the simplest first, at which two expressions certainly differ."""

import functools
import graphlib
import itertools
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from equiv.evidence import Witness
from equiv.symbolic import balls
from equiv.symbolic.expression import Expr, Relation, symbols
from equiv.symbolic.side_conditions import model

_LEVELS = [Fraction(text) for text in "1/2 1/3 2/3 1/4 3/4 1/5 4/5 2 3 3/2 5 1/10 9/10 1/50 49/50".split()]
_STATES = [Fraction(text) for text in "1 0 -1 2 1/2 -3".split()]
POINTS = 200
FEW = 3


def holds(relation: Relation, point: dict[Expr, Fraction]) -> bool:
    """Is the relation certain at the point?"""
    gap = balls.evaluate(relation.left - relation.right, point)
    match relation.op:
        case "<":
            return bool(gap < 0)
        case "<=":
            return bool(gap <= 0)
        case "==":
            return bool(gap.contains(0) and gap.rad() < 1e-30)
        case "!=":
            return bool(gap != 0)


def reference_point(relations: Sequence[Relation], wanted: Sequence[Expr]) -> dict[Expr, Fraction] | None:
    """A point of the domain with a value for every wanted symbol."""
    return next(iter(points(relations, wanted)), None)


def points(relations: Sequence[Relation], wanted: Sequence[Expr]) -> Iterator[dict[Expr, Fraction]]:
    """Points at which all relations certainly hold: simple ones, then varied ones, then one found by z3."""
    return iter(_recalled(tuple(relations), tuple(wanted)))


class _Recalled:
    """An iterator that can be begun again."""

    def __init__(self, source: Iterator[dict[Expr, Fraction]]) -> None:
        self.source = source
        self.found: list[dict[Expr, Fraction]] = []

    def __iter__(self) -> Iterator[dict[Expr, Fraction]]:
        for k in itertools.count():
            if k == len(self.found):
                if (further := next(self.source, None)) is None:
                    return
                self.found.append(further)
            yield self.found[k]


@functools.lru_cache(maxsize=256)  # the links of a chain, and its mutants, are tried at the same points
def _recalled(relations: tuple[Relation, ...], wanted: tuple[Expr, ...]) -> _Recalled:
    return _Recalled(_points(relations, wanted))


def _points(relations: Sequence[Relation], wanted: Sequence[Expr]) -> Iterator[dict[Expr, Fraction]]:
    about = list(dict.fromkeys([*wanted, *symbols(*(s for r in relations for s in (r.left, r.right)))]))
    levels = [s for s in about if s.param.role == "schedule"]
    states = [s for s in about if s.param.role != "schedule"]
    candidates = list(_state_points(states))
    found = 0
    among = [r for r in relations if set(symbols(r.left, r.right)) <= set(levels)]
    others = [r for r in relations if r not in among]
    for point in _paired(_level_points(levels, among), candidates):
        if all(holds(r, point) for r in others):
            found += 1
            yield point
        if found >= POINTS:
            return
    if not found and (last := model(relations, about)) and all(holds(r, last) for r in relations):
        yield last
        yield from _beside(last, relations, candidates)


def _beside(
    point: dict[Expr, Fraction], relations: Sequence[Relation], states: Sequence[dict[Expr, Fraction]]
) -> Iterator[dict[Expr, Fraction]]:
    """Points near one that z3 found, which likes zeros; what no relation is about takes any value."""
    bound = set(symbols(*(s for r in relations for s in (r.left, r.right))))
    for state in states:
        moved = point | {s: point[s] + value / 8 if s in bound else value for s, value in state.items()}
        if all(holds(r, moved) for r in relations):
            yield moved


def _paired(
    levels: Iterable[dict[Expr, Fraction]], states: Sequence[dict[Expr, Fraction]]
) -> Iterator[dict[Expr, Fraction]]:
    """All combinations; a few states at every level come first, so that the first points vary in both."""
    seen = []
    for i, level in enumerate(levels):
        seen.append(level)
        yield from (level | states[(i * FEW + k) % len(states)] for k in range(min(FEW, len(states))))
    for i, level in enumerate(seen):
        done = {(i * FEW + k) % len(states) for k in range(min(FEW, len(states)))}
        yield from (level | state for k, state in enumerate(states) if k not in done)


def _level_points(levels: list[Expr], relations: Sequence[Relation]) -> Iterator[dict[Expr, Fraction]]:
    found = 0
    orders = _orders(len(levels)) if len(levels) <= 3 else ()
    tries = itertools.chain(
        (dict(zip(levels, order, strict=True)) for order in orders), _drawn(levels, relations)
    )
    for point in tries:
        if all(holds(r, point) for r in relations):
            yield point
            found += 1
            if found >= 20 or not levels:
                return


def _drawn(levels: list[Expr], relations: Sequence[Relation]) -> Iterator[dict[Expr, Fraction]]:
    """Levels at random; those of a chain in its order, which chance alone would hardly meet."""
    chance, chain = random.Random(0), _chain(relations)
    others = [s for s in levels if s not in chain]
    low = [v for v in _LEVELS if v < 1]
    for k in range(2000):
        among = low if chain and k % 2 else _LEVELS
        values = [chance.choice(among) + Fraction(chance.randrange(7), 100) for _ in levels]
        yield dict(
            zip([*chain, *others], [*sorted(values[: len(chain)]), *values[len(chain) :]], strict=True)
        )


def _chain(relations: Sequence[Relation]) -> list[Expr]:
    """The symbols that the relations put in one order, the least first; none if they leave it open."""
    pairs = {(r.left, r.right) for r in relations if r.op == "<" and r.left.op == r.right.op == "symbol"}
    order: list[Expr] = []
    sorter = graphlib.TopologicalSorter[Expr]()
    for lower, upper in pairs:
        sorter.add(upper, lower)
    try:
        order = list(sorter.static_order())
    except graphlib.CycleError:
        return []
    return order if all(pair in pairs for pair in itertools.pairwise(order)) else []


@functools.cache
def _orders(levels: int) -> Sequence[tuple[Fraction, ...]]:
    orders = list(itertools.permutations(_LEVELS[:7], levels))
    random.Random(0).shuffle(orders)  # in their own order the first symbol would hardly change
    return orders


def _state_points(states: list[Expr]) -> Iterator[dict[Expr, Fraction]]:
    """All but one zero, then all alike, then mixed."""
    zero = dict.fromkeys(states, Fraction(0))
    if not states:
        yield zero
        return
    for s in states:
        yield zero | {s: Fraction(1)}
    chance = random.Random(1)
    for value in _STATES:
        yield dict.fromkeys(states, value)
    for _ in range(12):
        yield {s: chance.choice(_STATES) for s in states}


def differences(
    left: Expr, right: Expr, tries: Iterable[Mapping[Expr, Fraction]]
) -> Iterator[tuple[Witness, Mapping[Expr, Fraction]]]:
    """Those points at which certified balls keep ``left`` and ``right`` apart."""
    for point in tries:
        a, b = balls.evaluate(left, point), balls.evaluate(right, point)
        if balls.apart(a, b):
            shown = {str(s.param): str(point[s]) for s in dict.fromkeys(symbols(left, right))}
            yield Witness(inputs=shown, expected=balls.show(b), got=balls.show(a)), point
