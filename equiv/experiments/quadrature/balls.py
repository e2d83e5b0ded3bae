r"""Numbers as balls, integrals of analytic functions, and what balls show.

A comparison is in units of the radius of the difference: up to 1 the ball holds 0, above it the two values
certainly differ.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, ParamSpec, TypeVar

from flint import acb, arb, ctx, fmpq

from equiv.evidence import Experiment, Witness

P = ParamSpec("P")
R = TypeVar("R")
BITS = 72
EXTRAPOLATED = "extrapolated: later differences are taken to be at most 2/3 of those before"
GOAL = 2.0**-44  # what an integral aims at; its ball says what it reached


def with_bits(bits: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: at this precision."""

    def decorate(run: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(run)
        def precisely(*args: P.args, **kwargs: P.kwargs) -> R:
            with ctx.workprec(bits):
                return run(*args, **kwargs)

        return precisely

    return decorate


in_balls = with_bits(BITS)


def ball(value: Any) -> arb:
    """The tightest ball around an int, a float or a Fraction."""
    return arb(fmpq(value.numerator, value.denominator)) if isinstance(value, Fraction) else arb(value)


def integral(of: Callable[[Any], Any], low: Any, high: Any, goal: float = GOAL) -> arb:
    """The integral of a function that is analytic wherever its value is finite, and real on the reals."""
    found: acb = acb.integral(lambda z, _analytic: of(z), acb(low), acb(high), rel_tol=goal, abs_tol=goal)
    return found.real


def limit_of(values: Sequence[arb]) -> arb:
    r"""Where a sequence tends to, of which each term halves the step of the one before.

    Let d be the last difference. If every later one is at most 2/3 of the one before, and of its sign, they
    add up to between 0 and 2 d: the limit is within d of the last term plus d. Unless the last difference
    itself is at most 2/3 of the one before it, the terms have not settled and say nothing.
    """
    first, last = values[-2] - values[-3], values[-1] - values[-2]
    settled = abs(last) <= abs(first) * 2 / 3 or (first.contains(0) and last.contains(0))
    return values[-1] + last + arb(0, abs(last).upper()) if settled else arb("nan")


def orders(errors: Sequence[arb]) -> list[arb]:
    """How often each halving of the step halves the error."""
    return [(abs(a) / abs(b)).log() / arb(2).log() for a, b in itertools.pairwise(errors)]


class Case(NamedTuple):
    """One input: two values said to be equal, and what false variants say instead of the second."""

    inputs: Mapping[str, Any]
    expected: arb
    got: arb
    variants: Mapping[str, arb] = {}


def equal(measure: str, cases: Iterable[Case]) -> Experiment:
    """The evidence that the two values of every case are equal."""
    cases = list(cases)
    ratios = [_ratio(c.got - c.expected) for c in cases]
    worst = math.nan if any(map(math.isnan, ratios)) else max(ratios, default=math.nan)
    radius = max((float((c.got - c.expected).rad()) for c in cases), default=math.nan)
    names = dict.fromkeys(name for c in cases for name in c.variants)
    apart = {name for c in cases for name, value in c.variants.items() if _ratio(value - c.expected) > 1}
    return Experiment(
        worst=worst,
        bound=1.0,
        cases=len(cases),
        rejected=tuple(name for name in names if name in apart),
        surviving_variants=tuple(name for name in names if name not in apart),
        witness=_witness(cases[ratios.index(worst)]) if worst > 1 else None,
        measure=f"{measure}, in units of the radius of its ball (at most {radius:.1e})",
    )


def below(measure: str, cases: Iterable[Case]) -> Experiment:
    """The evidence that of every case the second value, and no variant, is below the positive first."""
    cases = list(cases)
    ratios = [_share(c) for c in cases]
    worst = math.nan if any(map(math.isnan, ratios)) else max(ratios, default=math.nan)
    certain = any(c.got > c.expected for c in cases)
    names = dict.fromkeys(name for c in cases for name in c.variants)
    above = {name for c in cases for name, value in c.variants.items() if value > c.expected}
    return Experiment(
        worst=worst,
        bound=1.0,
        cases=len(cases),
        rejected=tuple(name for name in names if name in above),
        surviving_variants=tuple(name for name in names if name not in above),
        witness=_witness(cases[ratios.index(worst)]) if certain else None,
        measure=f"{measure}, which must be positive",
    )


def _share(case: Case) -> float:
    """The most that the second value may be of the first; nan if that is not known."""
    if not (case.expected > 0 and case.got.is_finite()):
        return math.nan
    most = float((case.got / case.expected).upper())
    return min(most, 1.0) if case.got < case.expected else max(most, math.nextafter(1, 2))


def _ratio(difference: arb) -> float:
    """How far the midpoint is from 0 in radii: above 1 if the ball does not hold 0; nan if not known."""
    if not difference.is_finite():
        return math.nan
    middle, radius = abs(difference.mid()), difference.rad()
    radii = float(middle / radius) if radius > 0 else math.inf if middle > 0 else 0.0
    return min(radii, 1.0) if difference.contains(0) else max(radii, math.nextafter(1, 2))


def _witness(case: Case) -> Witness:
    return Witness(
        inputs={name: str(value) for name, value in case.inputs.items()},
        expected=case.expected.str(20),
        got=case.got.str(20),
        bound=f"{float((case.got - case.expected).rad()):.1e}",
    )
