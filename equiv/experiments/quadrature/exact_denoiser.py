r"""The denoiser of ``formulas`` is the mean of the data given the state, and the score and the spread follow.

The other side of each equality is Bayes' rule: integrals over the data of its density times that of the
noise. The score is the derivative of that integral, taken under it.

Not claimed: data that are no mixtures of normals.
"""

from collections.abc import Callable, Iterable
from typing import Any

from flint import arb, arb_series

from equiv.evidence import Evidence
from equiv.experiments import Header
from equiv.experiments.quadrature.balls import Case, ball, equal, in_balls
from equiv.experiments.quadrature.data import MIXTURE, Law, Mixture
from equiv.formulas.denoisers import gaussian_denoiser, mixture_denoiser
from equiv.formulas.levels import Level
from equiv.formulas.predictions import eps_from_x, score_from_x
from equiv.formulas.schedules import cosine, ddpm_linear, flow_matching
from equiv.number import exp, sqrt
from equiv.result import Task

EXPERIMENT = Header(
    id="x-exact-denoiser",
    title="The denoiser, the score and the spread of a mixture are those of Bayes' rule",
    claims=("d-gmm-denoiser", "d-tweedie-1", "d-tweedie-2"),
    dtypes=(),
)

SETTINGS = tuple(
    (schedule, t, z)
    for schedule, t in ((flow_matching, 0.25), (cosine, 0.5), (ddpm_linear, 0.3))
    for z in (-2, 0.75)
)
Denoiser = Callable[..., Any]


@in_balls
def run(_task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """Each of the three at a few states of three schedules."""
    return [of_denoiser(), of_score(), of_spread()], {}


def _points(data: Mixture) -> Iterable[tuple[dict[str, Any], arb, Level[arb], list[arb]]]:
    for schedule, t, z in SETTINGS:
        level, state = schedule(ball(t)), ball(z)
        yield {"schedule": schedule.__name__, "t": t, "z": z}, state, level, bayes(data, state, level)


def bayes(data: Mixture, z: arb, level: Level[arb]) -> list[arb]:
    r""":math:`p(z)`, :math:`p'(z)`, and :math:`\int x^k p(x) p(z | x) dx` for k = 1, 2, by quadrature."""
    prior = data.at(Level(arb(1), arb(0)))

    def likelihood(x: Any) -> Any:
        noise = (z - level.alpha * x) / level.sigma
        return exp(-(noise**2) / 2) / (level.sigma * sqrt(2 * arb.pi()))

    def slope(x: Any) -> Any:
        return -(z - level.alpha * x) / level.sigma**2 * likelihood(x)

    largest = 1 / level.sigma  # of the likelihood, and of its slope when divided by sigma
    return [
        prior.expectation(likelihood, largest),
        prior.expectation(slope, largest / level.sigma),
        prior.expectation(lambda x: x * likelihood(x), largest),
        prior.expectation(lambda x: x**2 * likelihood(x), largest),
    ]


def of_denoiser(denoiser: Denoiser = mixture_denoiser, data: Mixture = MIXTURE) -> Evidence:
    """``denoiser`` against the mean of the data by Bayes' rule."""
    cases = []
    for inputs, z, level, (density, _, first, _) in _points(data):
        law = data.at(level)
        shares = [p.share for p in law.components]
        parts = [p.denoised(z) for p in law.components]
        wrong = {
            "components weighed as in the data": sum(w * x for w, x in zip(shares, parts, strict=True)),
            "one normal law of the same mean and spread": _as_one_normal(z, law),
            "the largest component alone": parts[0],
            "the state per signal": z / level.alpha,
        }
        cases.append(Case(inputs, first / density, denoiser(z, level, *data), wrong))
    return equal("distance of the denoiser from the mean by Bayes' rule", cases)


def _as_one_normal(z: arb, law: Law) -> Any:
    data = MIXTURE.at(Level(arb(1), arb(0)))
    return gaussian_denoiser(z, law.level, data.mean, sqrt(data.variance))


def of_score(score: Denoiser = score_from_x, data: Mixture = MIXTURE) -> Evidence:
    """Minus the mean noise over sigma, against the derivative of the log-density."""
    cases = []
    for inputs, z, level, (density, slope, _, _) in _points(data):
        x_hat = mixture_denoiser(z, level, *data)
        eps_hat = eps_from_x(z, x_hat, level)
        wrong = {
            "the other sign": eps_hat / level.sigma,
            "the noise itself": -eps_hat,
            "over the variance": -eps_hat / level.sigma**2,
            "the data not scaled": -(z - x_hat) / level.sigma**2,
        }
        cases.append(Case(inputs, slope / density, score(z, x_hat, level), wrong))
    return equal("distance of the score from the slope of the log-density", cases)


def of_spread(data: Mixture = MIXTURE) -> Evidence:
    r"""The derivative of the denoiser, and the curvature of the log-density, against the variance."""
    cases = []
    for inputs, z, level, (density, _, first, second) in _points(data):
        law, near = data.at(level), arb_series([z, 1], prec=3)
        variance = second / density - (first / density) ** 2
        slope = law.denoiser(near)[1]
        curvature = 2 * law.density(near).log()[2]
        per_signal = (level.sigma / level.alpha) ** 2
        wrong = {
            "the derivative itself": slope,
            "the squared noise ratio times it": per_signal * slope,
            "the noise ratio times it": level.sigma / level.alpha * slope,
        }
        cases.append(Case(inputs, variance, level.sigma**2 / level.alpha * slope, wrong))
        wrong = {
            "the curvature with its sign turned": per_signal * (1 - level.sigma**2 * curvature),
            "the curvature not scaled": per_signal * (1 + curvature),
            "the noise's own spread": per_signal,
        }
        cases.append(Case(inputs, variance, per_signal * (1 + level.sigma**2 * curvature), wrong))
    return equal("distance of the spread from the variance by Bayes' rule", cases)
