r"""A consistency model learns where the flow ends, not what a regression on paths learns.

For normal data N(m, c^2), with V = alpha^2 c^2 + sigma^2, the flow through a state z ends at the data f(z) =
m + c (z - alpha m) / sqrt(V): along the flow f does not change, and without noise it is the state per signal.
The optimum of the regression on data, of which that of flow matching is an affine map, is x_hat = m +
cos(theta) (f - m) with tan(theta) = sigma / (c alpha). So the two agree only at the mean, or without noise. f
turns the states into the data, x_hat into data whose deviation is too small by cos(theta). The source lists
consistency models as implementations of flow matching.

Not claimed: other data, where the flow has no closed form; how a consistency model is trained.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, S, cos, sin, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import Level
from equiv.formulas.predictions import eps_from_x, u_from_x
from equiv.proofs._calculus import mean, rate
from equiv.proofs._rates import rates, total_rate
from equiv.proofs._symbols import now, z_t

CLAIM = Claim(
    id="q-consistency",
    title="Where the flow ends is not the mean of the data",
    statement=r"x \sim N(m, c^2): \quad f(z) = m + \frac c{\sqrt V} (z - \alpha m), \quad"
    r" E[x | z] = m + \cos\theta\, (f(z) - m), \quad \tan\theta = \frac\sigma{c \alpha}",
    source=Source(
        seed="001", section="Practical Applications", equation="Consistency Models among the implementations"
    ),
    needs=("f-gaussian-ddim", "d-gmm-denoiser", "d-posterior-mean"),
    erratum="E20",
    as_written=r"f(z) = E[x | z]",
)

m = symbols("m", real=True)
c, radius, theta = symbols("c R theta", positive=True)
POLAR = Level(radius * cos(theta) / c, radius * sin(theta))  # every level is one of these


def _spread(level: Level[Any]) -> Any:
    return level.alpha**2 * c**2 + level.sigma**2


def _end(z: Any, level: Level[Any]) -> Any:
    """Where the flow through a state ends."""
    return m + c * (z - level.alpha * m) / sqrt(_spread(level))


def _optimum(level: Level[Any]) -> Any:
    return gaussian_denoiser(z_t, level, m, c)


def derivation() -> Derivation:
    acute = (Gt(sin(theta), 0, evaluate=False), Gt(cos(theta), 0, evaluate=False))
    return Derivation(chains=(*_flow(), *_regression(), *_laws()), hypotheses=acute)


def _flow() -> Iterable[Chain]:
    x_hat = _optimum(now)
    u = rates.alpha * x_hat + rates.sigma * eps_from_x(z_t, x_hat, now)
    yield chain(
        "Along the flow, f does not change: its slope times the velocity",
        rate(_end(z_t, now), z_t) * u,
        ("the slope is c / sqrt(V)", c / sqrt(_spread(now)) * u),
        ("what it changes by at a state that stands still, turned", -total_rate(_end(z_t, now))),
    )
    yield chain(
        "Without noise",
        _end(z_t, Level(now.alpha, S.Zero)),
        ("the square root of (alpha c)^2", z_t / now.alpha),
    )


def _regression() -> Iterable[Chain]:
    yield chain("The spread of the state", _spread(POLAR), ("cos^2 + sin^2 is 1", radius**2))
    yield chain(
        "The optimum of the regression on the data",
        _optimum(POLAR),
        ("the gain is alpha c^2 / V", m + cos(theta) * c * (z_t - POLAR.alpha * m) / radius),
        ("where the flow ends", m + cos(theta) * (_end(z_t, POLAR) - m)),
    )
    yield chain(
        "The optimum of the regression on eps - x",
        u_from_x(z_t, _optimum(POLAR), POLAR),
        (
            "the affine map of the former",
            z_t / POLAR.sigma - (POLAR.alpha + POLAR.sigma) / POLAR.sigma * _optimum(POLAR),
        ),
    )


def _variance_of(guess: Any) -> Any:
    """Over the states, for a guess that is affine in the state."""
    return mean((guess - m) ** 2, z_t, _states())


def _states() -> dict[int, Any]:
    centre = POLAR.alpha * m
    return {0: S.One, 1: centre, 2: centre**2 + radius**2}


def _laws() -> Iterable[Chain]:
    yield chain(
        "The variance of where the flow ends",
        _variance_of(m + c * (z_t - POLAR.alpha * m) / radius),
        ("that of the data", c**2),
    )
    yield chain(
        "The variance of the optimum",
        _variance_of(m + cos(theta) * c * (z_t - POLAR.alpha * m) / radius),
        ("less than that of the data", (cos(theta) * c) ** 2),
    )


def false_variants() -> Iterable[Variant]:
    acute = (Gt(sin(theta), 0, evaluate=False), Gt(cos(theta), 0, evaluate=False))
    for name, factor in (
        ("off by the square of the cosine", cos(theta) ** 2),
        ("off by the sine", sin(theta)),
    ):
        yield Variant(
            name=f"the two are {name}",
            left=_optimum(POLAR),
            right=m + factor * (_end(z_t, POLAR) - m),
            hypotheses=acute,
        )
    yield Variant(
        name="the flow ends at the state per signal",
        left=_end(z_t, now),
        right=z_t / now.alpha,
    )
    yield Variant(
        name="the optimum has the variance of the data",
        left=(cos(theta) * c) ** 2,
        right=c**2,
        hypotheses=acute,
    )


def as_written() -> Iterable[Variant]:
    yield Variant(
        name="a consistency model is the optimum of a regression on data",
        left=_end(z_t, now),
        right=_optimum(now),
    )
