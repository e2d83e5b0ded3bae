"""Why a polynomial is positive: as a sum of products of what is known to be.

The sum is found by linear programming over the rationals. It is a hint: Rocq checks that it is the same.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import z3

from equiv.symbolic.kernel.quotients import ONE, Generators, monomials, number

PRODUCTS = 400  # beyond these the search costs more than it finds


class Known(NamedTuple):
    """A polynomial that has been shown to be positive, by its text."""

    text: str
    poly: Any


def certificate(p: Any, known: Sequence[Known], g: Generators) -> str | None:
    """A sum of products of these with positive coefficients that is the polynomial, or none."""
    degree = max(2, p.total_degree())
    products = [*itertools.islice(_products(known, degree, g), PRODUCTS)]
    weights = [z3.Real(f"w{k}") for k in range(len(products))]
    columns: dict[tuple[int, ...], list[Any]] = {}
    for weight, (_, q) in zip(weights, products, strict=True):
        for m, c in monomials(q):
            columns.setdefault(m, []).append(_exact(c) * weight)
    wanted = dict(monomials(p))
    solver = z3.SolverFor("QF_LRA")
    solver.set("timeout", 2000)
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


def _products(known: Sequence[Known], degree: int, g: Generators) -> Iterator[tuple[str, Any]]:
    """Products of what is known, up to a degree, the short ones first."""
    yield "1", ONE
    for count in range(1, degree + 1):
        for chosen in itertools.combinations_with_replacement(known, count):
            whole = math.prod((k.poly for k in chosen), start=ONE)
            if whole.total_degree() <= degree:
                yield " * ".join(f"({k.text})" for k in chosen), g.make(whole, ONE).num


def _exact(c: Fraction) -> Any:
    return z3.RealVal(f"{c.numerator}/{c.denominator}")
