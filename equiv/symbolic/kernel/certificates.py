"""Why a polynomial is positive: as a sum of products of what is known to be.

The sum is found by linear programming over the rationals. It is a hint: Rocq checks that it is the same.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from operator import add, le
from typing import Any, NamedTuple

import z3
from flint import fmpz_mat

from equiv.symbolic.kernel.quotients import ONE, Generators, generators, monomials, number

PRODUCTS = 400  # beyond these the search costs more than it finds
TRIED = 20_000  # of which those may be chosen
EFFORT = 20_000_000  # z3's measure, some seconds; a time would make what is found depend on the machine


class Known(NamedTuple):
    """A polynomial that has been shown to be positive, by its text."""

    text: str
    poly: Any


def certificate(p: Any, known: Sequence[Known], g: Generators) -> str | None:
    """A sum of products of these with positive coefficients that is the polynomial, or none."""
    products = [*itertools.islice(_products(p, known, g), PRODUCTS)]
    weights = [z3.Real(f"w{k}") for k in range(len(products))]
    columns: dict[tuple[int, ...], list[Any]] = {}
    for weight, (_, q) in zip(weights, products, strict=True):
        for m, c in monomials(q):
            columns.setdefault(m, []).append(_exact(c) * weight)
    wanted = dict(monomials(p))
    solver = z3.SolverFor("QF_LRA")
    solver.set("rlimit", EFFORT)
    solver.add(*(w >= 0 for w in weights))
    solver.add(*(z3.Sum(column) == _exact(wanted.get(m, Fraction(0))) for m, column in columns.items()))
    if not wanted.keys() <= columns.keys() or solver.check() != z3.sat:
        return None
    model = solver.model()
    found = [
        (model.eval(w, model_completion=True).as_fraction(), text)
        for w, (text, _) in zip(weights, products, strict=True)
    ]
    return " + ".join(text if w == 1 else f"{number(Fraction(w))} * {text}" for w, text in found if w)


def _products(p: Any, known: Sequence[Known], g: Generators) -> Iterator[tuple[str, Any]]:
    """Products of what is known that may be part of such a sum, the short ones first."""
    whole, *sizes = (_size(q, g) for q in (p, *(k.poly for k in known)))
    most = [max(2, n) for n in whole]
    scales = _scales([p, *(k.poly for k in known)], g)
    wanted, *weights = (_weight(q, scales) for q in (p, *(k.poly for k in known)))
    for chosen in itertools.islice(_choices(sizes, most), TRIED):
        if wanted == [sum(weights[k][j] for k in chosen) for j in range(len(scales))]:
            product = math.prod((known[k].poly for k in chosen), start=ONE)
            yield " * ".join(f"({known[k].text})" for k in chosen) or "1", g.make(product, ONE).num


def _choices(sizes: Sequence[Sequence[int]], most: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Which to multiply, as often as wanted, so that the product is not too large."""
    row: list[tuple[tuple[int, ...], Sequence[int]]] = [((), [0] * len(most))]
    while row:
        yield from (chosen for chosen, _ in row)
        longer = (
            ((*chosen, k), [*map(add, size, sizes[k])])
            for chosen, size in row
            for k in range(chosen[-1] if chosen else 0, len(sizes))
        )
        allowed = ((chosen, size) for chosen, size in longer if all(map(le, size, most)))
        row = [*itertools.islice(allowed, TRIED)]


def _size(p: Any, g: Generators) -> list[int]:
    """The degree in all, and in each generator whose powers stay what they are."""
    related = {i for index, (_, q) in g.relations.items() for i in (index, *generators(q))}
    degrees = p.degrees()
    return [p.total_degree(), *(int(degrees[i]) for i in range(len(g.texts)) if i not in related)]


def _scales(polynomials: Sequence[Any], g: Generators) -> list[list[int]]:
    """Weights of the generators by which all of these are homogeneous, as what is equal then is by parts."""
    rows = []
    for q in (*polynomials, *(g.quotient(i).num ** n - r for i, (n, r) in g.relations.items())):
        first, *others = (m for m, _ in monomials(q))
        rows += [[a - b for a, b in zip(first, m, strict=True)] for m in others]
    if not rows:
        return []
    used = len(g.texts)
    null, rank = fmpz_mat([row[:used] for row in rows]).nullspace()
    return [[int(null[i, k]) for i in range(used)] for k in range(rank)]


def _weight(p: Any, scales: Sequence[Sequence[int]]) -> list[int]:
    first = monomials(p)[0][0]
    return [sum(w * n for w, n in zip(scale, first, strict=False)) for scale in scales]


def _exact(c: Fraction) -> Any:
    return z3.RealVal(f"{c.numerator}/{c.denominator}")
