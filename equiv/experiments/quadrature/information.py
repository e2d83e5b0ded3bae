r"""The entropy of a state grows as the flow says, and information falls as the error in eps says.

Entropies are integrals over the density of the state, at levels a little apart: quotients of differences,
about the level, that tend to the rate as the distance is halved. The rates are means of squares and products
of the denoiser.

Not claimed: more than one dimension.
"""

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from flint import arb, arb_series

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.quadrature.balls import EXTRAPOLATED, Case, ball, equal, in_balls, limit_of
from equiv.experiments.quadrature.data import DATA, HALF, Law, Mixture
from equiv.formulas.levels import Level
from equiv.formulas.predictions import eps_from_x
from equiv.formulas.schedules import cosine, flow_matching
from equiv.formulas.weightings import mse_factor_x
from equiv.number import exp, log
from equiv.result import Task

EXPERIMENT = Header(
    id="x-information",
    title="The rates of information and entropy are those of the denoiser",
    claims=("l-immse", "o-entropy-rate", "l-spectral"),
    dtypes=(),
)

APART = tuple(2.0**-k for k in range(5, 8))
LOG_SNRS = (-1, 1.5)
TIMES = ((flow_matching, 0.5), (cosine, 0.25))


@in_balls
def run(_task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """Information over the log-SNR, entropy over time, and the error by the power of the data."""
    return [of_information(), of_entropy(), of_spectrum()], {}


def entropy(law: Law) -> arb:
    """Minus the mean of log p."""
    return -law.expectation(lambda z: log(law.density(z)), law.log_growth)


def _rate(of: Callable[[Any], arb], at: float) -> arb:
    return limit_of([(of(ball(at + d)) - of(ball(at - d))) / ball(2 * d) for d in APART])


def _unscaled(lambda_t: Any) -> Level[Any]:
    return Level(arb(1), exp(-lambda_t / 2))


def of_information(error: Callable[[Law], arb] = lambda law: noise_error(law)) -> Experiment:
    """Between data and state: the entropy of the state less that of its noise."""
    cases = []
    for name, data in DATA.items():
        for lambda_t in LOG_SNRS:

            def information(at: Any, data: Any = data) -> arb:
                level = _unscaled(at)
                of_noise: arb = log(2 * arb.pi() * level.sigma**2) / 2 + ball(0.5)
                return entropy(data.at(level)) - of_noise

            law = data.at(_unscaled(ball(lambda_t)))
            half = error(law) / 2
            wrong = {
                "the error itself": 2 * half,
                "half the error in x": half * mse_factor_x(law.level),
                "falling": -half,
                "half of a standard normal's": 1 / (1 + exp(-ball(lambda_t))) / 2,
            }
            cases.append(Case({"data": name, "log-SNR": lambda_t}, _rate(information, lambda_t), half, wrong))
    return equal(f"distance of half the error in eps from the rate of information ({EXTRAPOLATED})", cases)


def noise_error(law: Law) -> arb:
    """The mean square error in eps of the exact denoiser: that in x per squared noise ratio."""
    found: arb = law.expectation(law.posterior_variance, law.growth) / mse_factor_x(law.level)
    return found


def of_entropy() -> Experiment:
    """Over the time of a schedule, against the mean of eps_hat times the velocity, per sigma."""
    cases = []
    for (name, data), (schedule, t) in zip(DATA.items(), TIMES, strict=True):
        moving = schedule(arb_series([ball(t), 1], prec=2))
        rates = Level(moving.alpha[1], moving.sigma[1])
        law = data.at(schedule(ball(t)))
        level = law.level
        # |eps_hat| is at most (|z| + |x_hat|) / sigma
        growth = 4 * (1 + 1 / level.sigma) ** 2 * (1 + law.growth)

        def mean(of: Callable[[Any, Any], Any], law: Law = law, growth: Any = growth) -> arb:
            def product(z: Any) -> Any:
                x_hat = law.denoiser(z)
                return of(x_hat, eps_from_x(z, x_hat, law.level))

            return law.expectation(product, growth)

        squares, products = mean(lambda _x, eps: eps * eps), mean(lambda x, eps: eps * x)
        claimed = (rates.alpha * products + rates.sigma * squares) / level.sigma
        wrong = {
            "of the noise alone": rates.sigma * squares / level.sigma,
            "not per sigma": claimed * level.sigma,
            "falling": -claimed,
        }
        rate = _rate(lambda at, s=schedule, d=data: entropy(d.at(s(at))), t)  # type: ignore[misc]
        cases.append(Case({"data": name, "schedule": schedule.__name__, "t": t}, rate, claimed, wrong))
    return equal(f"distance of the rate of the entropy from that of the flow ({EXTRAPOLATED})", cases)


def of_spectrum(error: Callable[[Law], arb] = noise_error) -> Experiment:
    """On normal data of power P: a sigmoid of the log-SNR, half where that is -log P."""
    cases = []
    for power, at in itertools.product((0.25, 4), (-2, 0, 1)):
        law = Mixture((1,), (HALF,), (Fraction(power**0.5),)).at(_unscaled(ball(at)))
        shift = log(ball(power))
        wrong = {
            "whatever the power": 1 / (1 + exp(-ball(at))),
            "the other way": 1 / (1 + exp(ball(at) + shift)),
            "by the log of its root": 1 / (1 + exp(-(ball(at) + shift / 2))),
        }
        cases.append(Case({"P": power, "log-SNR": at}, error(law), 1 / (1 + exp(-(ball(at) + shift))), wrong))
    return equal("distance of the error in eps from a sigmoid of log-SNR and power", cases)
