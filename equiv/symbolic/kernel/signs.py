"""Why a polynomial in symbols and atoms is positive: the ways there are to show it, one after the other."""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from equiv.symbolic.kernel.certificates import Known, certificate
from equiv.symbolic.kernel.quotients import ONE, generators, monomials

if TYPE_CHECKING:
    from equiv.symbolic.kernel.steps import Steps

LONGEST = 8  # the power of a factor of a product whose logarithm is taken


def show(steps: "Steps", p: Any, *, search: bool = True) -> bool:
    """Show that the polynomial is positive, if it seems so and is not plain to see.

    Args:
        steps: where what is shown is written down.
        p: the polynomial.
        search: leave it to Rocq to find a proof where none is found here, so that it may not be accepted.
    """
    if steps.is_positive(p):
        return True
    if steps.g.sign(p) <= 0:
        return False
    proof = (
        _sum_of_products(steps, p)
        or _between(steps, p)
        or _logarithms(steps, p)
        or (_sum_of_products(steps, p) if _atoms_beside_one(steps, p) else "")
        or (_searched(steps, p) if search else "")
    )
    if proof:
        steps.positive(p, proof)
    return bool(proof)


def _sum_of_products(steps: "Steps", p: Any) -> str:
    whole = certificate(p, _positive(steps, p), steps.g)
    return f"apply (positive_is _ ({whole})); [{steps.algebra(extra=whole)} | positive]" if whole else ""


def _positive(steps: "Steps", p: Any) -> list[Known]:
    """What is known to be positive, of what the polynomial speaks of."""
    g = steps.g
    inside = generators(p)
    inside |= {c for c, s in g.angles if s in inside}
    known = [Known(g.texts[i], g.quotient(i).num) for i in sorted(inside) if g.positive[i]]
    known += [Known(g.poly(q), q) for q in steps.known.values() if generators(q) <= inside]
    if pi := next((k.poly for k in known if k.text == "PI"), None):
        known += [Known("PI - 3", pi - 3), Known("4 - PI", 4 - pi)]
    return known


def _between(steps: "Steps", p: Any) -> str:
    """``a + (b - a) s^2`` lies between a and b, where s is a sine of unknown sign."""
    g = steps.g
    for cosine, sine in g.angles:
        low, high = g.ends(p, sine)
        if low is None or not all(g.evident(q) for q in (low, high)):
            continue
        c, s, a, b = g.texts[cosine], g.texts[sine], g.poly(low), g.poly(high)
        whole = f"({a}) * {c} ^ 2 + ({b}) * {s} ^ 2"
        return (
            f"apply (positive_is _ ({whole})); [{steps.algebra(extra=whole)}"
            f" | apply angle_positive; [positive | positive | assumption]]"
        )
    return ""


def _logarithms(steps: "Steps", p: Any) -> str:
    """A sum of multiples of logarithms is positive where one product is larger than another."""
    g, found = steps.g, {_single(m): c for m, c in monomials(p)}
    scale = math.lcm(*(c.denominator for c in found.values()))
    if any(i not in steps.log_of or abs(c * scale) > LONGEST for i, c in found.items()):
        return ""
    powers = [(steps.log_of[i], int(c * scale)) for i, c in found.items()]
    sides = [[(q, n * turn) for q, n in powers if n * turn > 0] for turn in (1, -1)]
    above, below = (math.prod((q**n for q, n in side), start=ONE) for side in sides)
    more = g.make(above - below, ONE).num
    if not show(steps, more, search=False):
        return ""
    over, under = (" * ".join(f"({g.poly(q)}) ^ {n}" for q, n in side) or "1" for side in sides)
    larger = f"apply (positive_is _ ({g.poly(more)})); [{steps.algebra(extra=f'{over} {under}')} | positive]"
    return (
        f"apply (positive_is _ ((ln ({over}) - ln ({under})) / {scale})); [ln_split; {steps.algebra()}"
        f" | apply Rdiv_lt_0_compat; [apply difference_positive, ln_less; [positive | {larger}] | lra]]"
    )


def _single(monomial: tuple[int, ...]) -> int:
    """The generator that a monomial is, or -1."""
    return monomial.index(1) if sum(monomial) == 1 else -1


def _atoms_beside_one(steps: "Steps", p: Any) -> bool:
    """Show on which side of one the roots and exponentials are: that of their logarithms beside zero."""
    shown = [_beside_one(steps, i) for i in sorted(generators(p)) if i in steps.logs]
    return any(shown)


def _beside_one(steps: "Steps", index: int) -> bool:
    g, atom = steps.g, steps.g.quotient(index).num
    logarithm = steps.logs[index]
    for turn, difference, lemma in ((1, atom - 1, "above_one"), (-1, 1 - atom, "below_one")):
        if steps.is_positive(difference) or g.sign(difference) <= 0:
            continue
        turned = g.factored(g.scaled(logarithm, Fraction(turn)))
        if turned.constant > 0 and all(show(steps, q, search=False) for q, _ in turned.powers):
            name = g.texts[index]
            what = f"{'- ' if turn < 0 else ''}ln {name}"
            steps.positive(
                difference,
                f"apply {lemma}; [positive | apply (positive_is ({what}) ({g.product_text(turned)}));"
                f" [rewrite {name}_ln; {steps.algebra(extra=g.sum_text(logarithm))} | positive]]",
            )
            return True
    return False


def _searched(steps: "Steps", p: Any) -> str:
    """By the tactics of Rocq's that look for a proof."""
    found = monomials(p)
    by_exponents = any(m[i] for m, _ in found for i in steps.logs)
    if by_exponents and sorted(c > 0 for _, c in found) == [False, True]:
        used = {i for m, _ in found for i, n in enumerate(m) if n and i in steps.logs}
        factors = {_without_logs(steps, m) for i in used for m, _ in monomials(steps.logs[i].num)}
        return "".join(_products_positive(steps, sorted(factors))) + "by_logarithm"
    return "".join(_products_positive(steps, (m for m, c in found if c > 0))) + "sign"


def _products_positive(steps: "Steps", products: Any) -> Iterator[str]:
    for m in products:
        if steps.g.known_positive(m) and sum(m) > 1:
            yield f"assert (0 < {steps.g.monomial(m)}) by positive; "


def _without_logs(steps: "Steps", monomial: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(0 if i in steps.log_of else n for i, n in enumerate(monomial))
