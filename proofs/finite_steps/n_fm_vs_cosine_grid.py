r"""Which uniform grid has the smaller leading loss on Gaussian data: flow matching's or the cosine grid.

With the angle of tan(theta) = sigma / (c alpha) as a function of grid time u, N steps of DDIM lose prod
cos(D_i), the D_i being theta' / N in the first order, and log cos(D) is -D^2 / 2 in the first order
(n-gaussian-grid). So the leading loss is half the integral L of theta'^2 over u, per N. L is the integral of
theta' over theta. For uniform flow-matching time it gives (1 + pi/4 (c + 1/c)) / 2, for uniform cosine time
pi^2/16 (c + 1/c). So the cosine grid has the smaller L exactly if c + 1/c < 8 / (pi (pi - 2)) = 2.2306, that
is for c between 0.6214 and 1.6092. At c = 1: 1.2854 and 1.2337.

Not claimed: that N times the loss tends to L (n-grid-limit); finite N, where the signs
may differ near those ends; other data.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, cos, pi, sin, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level
from equiv.formulas.schedules import cosine, flow_matching
from equiv.proofs._calculus import rate
from equiv.proofs._integrals import by_primitive
from equiv.proofs._symbols import inside, positive, t

CLAIM = Claim(
    id="n-fm-vs-cosine-grid",
    title="Uniform flow-matching time or uniform cosine time",
    statement=r"\tan\theta = \frac\sigma{c\, \alpha}:\quad L = \tfrac12 \int_0^1 \theta'^2\, du"
    r" = \tfrac12 \left(1 + \tfrac\pi4 (c + \tfrac1c)\right)_{\mathrm{FM}},\ "
    r" \tfrac{\pi^2}{16} \left(c + \tfrac1c\right)_{\cos}; \qquad"
    r" L_{\cos} < L_{\mathrm{FM}} \iff c + \tfrac1c < \frac8{\pi (\pi - 2)}",
    source=Source(
        seed="003", section="Sampling", equation="implied: the best integrator depends on the data"
    ),
    needs=("n-gaussian-grid",),
)

c, theta = symbols("c theta", positive=True)
QUARTER = (theta, S.Zero, pi / 2)


def _squares(of_cos: Any, of_sin: Any) -> Any:
    return of_cos**2 * cos(theta) ** 2 + of_sin**2 * sin(theta) ** 2


def _primitive_of_squares(of_cos: Any, of_sin: Any) -> Any:
    double = sin(theta) * cos(theta)
    return (of_cos**2 * (theta + double) + of_sin**2 * (theta - double)) / 2


def derivation() -> Derivation:
    return Derivation(
        chains=(*_flow_matching(), *_cosine(), *_which()),
        hypotheses=(inside(t), *positive(Level(cos(theta), sin(theta))), *positive(cosine(t))),
    )


def _slope(level: Level[Any]) -> Any:
    """Theta' of a schedule, by differentiating tan(theta) = sigma / (c alpha)."""
    tangent = level.sigma / (c * level.alpha)
    return rate(tangent, t) / (1 + tangent**2)


def _flow_matching() -> Iterable[Chain]:
    root = cos(theta) + c * sin(theta)
    level = flow_matching(t)
    at_angle = c * sin(theta) / root  # the time of angle theta
    total = level.alpha**2 * c**2 + level.sigma**2
    yield chain("Flow matching: how fast the angle goes", _slope(level), ("c / V", c / total))
    yield chain(
        "Flow matching: the angle of that time",
        at_angle / (c * (1 - at_angle)),
        ("its tangent", sin(theta) / cos(theta)),
    )
    yield chain(
        "Flow matching: the same, by the angle",
        c / ((1 - at_angle) ** 2 * c**2 + at_angle**2),
        ("V is c^2 over the square of cos + c sin", root**2 / c),
    )
    primitive = (_primitive_of_squares(1, c) + c * sin(theta) ** 2) / (2 * c)
    yield from by_primitive(
        "Flow matching: half the integral",
        root**2 / c / 2,
        primitive,
        QUARTER,
        (1 + pi / 4 * (c + 1 / c)) / 2,
    )


def _cosine() -> Iterable[Chain]:
    level = cosine(t)
    total = level.alpha**2 * c**2 + level.sigma**2
    squared_cosine = cos(theta) ** 2 / _squares(1, c)  # of the cosine angle at theta
    yield chain(
        "The cosine grid: how fast the angle goes", _slope(level), ("pi/2 times c / V", pi / 2 * c / total)
    )
    yield chain(
        "The cosine grid: the angle at which cos^2 is that",
        (1 - squared_cosine) / (c**2 * squared_cosine),
        ("its squared tangent", sin(theta) ** 2 / cos(theta) ** 2),
    )
    yield chain(
        "The cosine grid: the same, by the angle",
        pi / 2 * c / (squared_cosine * c**2 + 1 - squared_cosine),
        ("V is c^2 over cos^2 + c^2 sin^2", pi / 2 * _squares(1, c) / c),
    )
    yield from by_primitive(
        "The cosine grid: half the integral",
        pi / 2 * _squares(1, c) / c / 2,
        pi / (4 * c) * _primitive_of_squares(1, c),
        QUARTER,
        pi**2 / 16 * (c + 1 / c),
    )


def _which() -> Iterable[Chain]:
    sum_at_tie = 8 / (pi * (pi - 2))
    straight, circular = (1 + pi / 4 * (c + 1 / c)) / 2, pi**2 / 16 * (c + 1 / c)
    spread = sqrt(sum_at_tie**2 - 4)
    low, high = (sum_at_tie - spread) / 2, (sum_at_tie + spread) / 2
    yield chain(
        "What flow matching loses more",
        straight - circular,
        ("linear in c + 1/c", pi * (pi - 2) / 16 * (sum_at_tie - (c + 1 / c))),
        ("positive between its two roots", -pi * (pi - 2) / 16 * (c - low) * (c - high) / c),
    )


def false_variants() -> Iterable[Variant]:
    straight, circular = (1 + pi / 4 * (c + 1 / c)) / 2, pi**2 / 16 * (c + 1 / c)
    yield Variant(name="both grids lose the same", left=straight, right=circular)
    yield Variant(
        name="at c = 1 flow matching reaches the optimum pi^2 / 8",
        left=(1 + pi / 2) / 2,
        right=pi**2 / 8,
    )
    yield Variant(
        name="the angle of flow matching goes at a constant rate",
        left=_slope(flow_matching(t)),
        right=pi / 2 * S.One,
        hypotheses=(inside(t),),
    )
    yield Variant(
        name="the cosine grid is uniform in the angle of every c",
        left=_slope(cosine(t)),
        right=pi / 2 * S.One,
        hypotheses=(inside(t),),
    )
