r"""Samples start from the standard normal law exactly only if alpha_1 is zero and sigma_1 is one.

At the end of the path z_1 = alpha_1 x + sigma_1 eps. With alpha_1 = 0 and sigma_1 = 1 it is eps, whatever
the data. For data at one point x the divergence from z_1 to the standard normal law is alpha_1^2 x^2 / 2
plus phi(sigma_1^2) / 2, with phi(y) = y - 1 - log y, the integral of 1 - 1 / v from 1 to y, which is
positive off y = 1: both must vanish. So a variance-exploding path needs another start, and a schedule that
ends with some signal, as that of Stable Diffusion does, starts off by the mean alpha_1 E[x].

Not claimed: how much such a start matters; data, such as normal data, for which other ends will do.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, log, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level
from equiv.formulas.schedules import flow_matching, variance_exploding
from equiv.proofs._calculus import at, integral, mean
from equiv.proofs._densities import x

CLAIM = Claim(
    id="q-standard-start",
    title="When the start is standard normal",
    statement=r"z_1 \sim N(0, I) \text{ for all data} \iff \alpha_1 = 0,\ \sigma_1 = 1; \qquad"
    r" x \text{ fixed}:\ \mathrm{KL}(z_1 \,\|\, N(0, 1)) = \tfrac12 \alpha_1^2 x^2"
    r" + \tfrac12 (\sigma_1^2 - 1 - \log \sigma_1^2)",
    source=Source(seed="003", section="Overview", equation="z_1 from a standard Gaussian"),
    erratum="E27",
    as_written=r"z_1 \sim N(0, I)",
)

alpha, sigma, y, v = symbols("alpha_1 sigma_1 y v", positive=True)
eps = symbols("epsilon", real=True)
NORMAL = {0: S.One, 1: S.Zero, 2: S.One}


def _state(level: Level[Any]) -> Any:
    return level.alpha * x + level.sigma * eps


def _divergence() -> Any:
    """The mean of log N(z; alpha x, sigma^2) - log N(z; 0, 1) at the state."""
    end = Level(alpha, sigma)
    off = (_state(end) - end.alpha * x) / end.sigma
    return mean(-(off**2) / 2 - log(end.sigma) + _state(end) ** 2 / 2, eps, NORMAL)


def _moment(level: Level[Any], power: int) -> Any:
    return mean(_state(level) ** power, eps, NORMAL)


def derivation() -> Derivation:
    return Derivation(
        chains=(
            chain("Without signal, and with noise one", _state(Level(S.Zero, S.One)), ("the noise", eps)),
            chain("The end of flow matching", _state(flow_matching(S.One)), ("the noise", eps)),
            chain(
                "Data at one point: the divergence",
                _divergence(),
                ("the mean and the variance", alpha**2 * x**2 / 2 + (sigma**2 - 1 - log(sigma**2)) / 2),
            ),
            chain(
                "phi is an integral of what has the sign of y - 1, from 1 to y",
                y - 1 - log(y),
                ("integrate", integral(1 - 1 / v, v, 1, y)),
            ),
            chain("phi at one", at(y - 1 - log(y), y, 1), ("its only zero", S.Zero)),
            chain("The mean of the end", _moment(Level(alpha, sigma), 1), ("the signal", alpha * x)),
        )
    )


def false_variants() -> Iterable[Variant]:
    signal = alpha**2 * x**2 / 2
    for name, wrong in (
        ("only the mean counts", signal),
        ("without the logarithm", signal + (sigma**2 - 1) / 2),
        ("with log sigma for its square", signal + (sigma**2 - 1 - log(sigma)) / 2),
        ("with alpha for its square", alpha * x**2 / 2 + (sigma**2 - 1 - log(sigma**2)) / 2),
    ):
        yield Variant(name=f"the divergence: {name}", left=_divergence(), right=wrong)


def as_written() -> Iterable[Variant]:
    for name, level in (
        ("a variance-exploding path", variance_exploding(sigma)),
        ("a path that ends with some signal", Level(alpha, S.One)),
    ):
        yield Variant(name=f"{name}: the mean is zero", left=_moment(level, 1), right=S.Zero)
    yield Variant(
        name="a path whose noise is not one: the variance is one",
        left=_moment(Level(S.Zero, sigma), 2),
        right=S.One,
    )
