"""Points of a domain whose symbols are in one order, and of one that leaves it open."""

import itertools

from equiv.symbolic import witness
from equiv.symbolic.expression import Relation, const, symbol

LEVELS = [symbol(f"A_{k}", "schedule", positive=True) for k in range(8)]
RISING = [
    Relation(const(0), "<", LEVELS[0]),
    *(Relation(a, "<", b) for a, b in itertools.pairwise(LEVELS)),
    Relation(LEVELS[-1], "<", const(1)),
]


def test_a_long_chain_has_many_points() -> None:
    found = list(itertools.islice(witness.points(RISING, LEVELS), 20))
    assert len(found) == 20
    assert all(witness.holds(r, point) for point in found for r in RISING)
    for level in LEVELS:
        assert len({point[level] for point in found}) > 1


def test_what_is_not_in_an_order_is_met_in_both() -> None:
    free = [symbol("x", "schedule", positive=True), symbol("y", "schedule", positive=True)]
    among = [*RISING, *(Relation(const(0), "<", s) for s in free)]
    signs = {point[free[0]] < point[free[1]] for point in witness.points(among, [*LEVELS, *free])}
    assert signs == {True, False}


def test_an_order_that_is_open_is_no_chain() -> None:
    a, b, c, d = LEVELS[:4]
    fork = [Relation(a, "<", b), Relation(a, "<", c), Relation(c, "<", d)]
    signs = {point[b] < point[c] for point in witness.points(fork, [a, b, c, d])}
    assert signs == {True, False}
