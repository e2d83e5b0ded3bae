r"""Under guidance the sample depends on how stochastic the sampler is, and is not the tilted data, diffused.

For normal conditional and unconditional data of mean 0 the guided sampler is linear. The variance that its
steps end with, extrapolated to ever more of them, is held against an integral: per signal, with q the squared
noise ratio and G = ((v_c + q)^gamma (v_u + q)^(1 - gamma))^(1 + eta^2), the variance P obeys a linear
equation in q that G solves without noise, so that from pure noise P(0) = eta^2 G(0) int_0^inf dq / G(q); and
the geometric mean of the variances where eta is 0.

The denoiser of tilted data is an integral over p_c^gamma p_u^(1 - gamma).

Not claimed: data that are not normal.
"""

import functools
import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from flint import arb

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.quadrature.balls import EXTRAPOLATED, Case, ball, equal, in_balls, integral, limit_of
from equiv.experiments.quadrature.data import Mixture, total
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import Level
from equiv.formulas.schedules import cosine, flow_matching
from equiv.formulas.steps import churn_step
from equiv.number import exp, log
from equiv.result import Task

EXPERIMENT = Header(
    id="x-guidance",
    title="Under guidance, eta changes what is sampled, and no diffused tilt is sampled from",
    claims=("g-cfg-eta", "g-cfg-eta-limit", "g-cfg-not-tilted"),
    dtypes=(),
)

Step = Callable[..., Any]
CONDITIONAL, UNCONDITIONAL, GAMMA = 0.25, 1, 3  # variances, and the weight
ETAS_SQUARED = (0, 0.25, 1, 4)  # more noise needs more steps to settle
STDS = (Fraction(1, 2), 1)
COUNTS = tuple(128 * 2**k for k in range(4))
SETTINGS = ((flow_matching, 0.25), (flow_matching, 0.5), (cosine, 0.75))
STATES = (-1.5, 0.75)


@in_balls
def run(_task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """The variance for each eta, its limit, and the denoiser of the tilted data."""
    return [of_eta(), of_bound(), of_tilt()], {}


def guided(z: Any, level: Level[Any], gamma: float = GAMMA) -> Any:
    """The guided data prediction; weights that sum to one commute with all predictions."""
    conditional, unconditional = (
        gaussian_denoiser(z, level, 0, ball(variance).sqrt()) for variance in (CONDITIONAL, UNCONDITIONAL)
    )
    return ball(gamma) * conditional + ball(1 - gamma) * unconditional


def sampled(eta_squared: float, steps: int, gamma: float = GAMMA, step: Step = churn_step) -> arb:
    """The variance after N guided steps from pure noise, at uniform flow-matching times."""
    inside = [flow_matching(1 - arb(k) / steps) for k in range(1, steps)]
    variance, rho = arb(1), ball(1 + eta_squared)
    for now, then in itertools.pairwise([Level(arb(0), arb(1)), *inside, Level(arb(1), arb(0))]):
        keeps = step(arb(1), guided(arb(1), now, gamma), arb(0), rho, now, then)
        adds = step(arb(0), arb(0), arb(1), rho, now, then)
        variance = keeps**2 * variance + adds**2
    return variance


def in_the_limit(eta_squared: float, gamma: float = GAMMA) -> arb:
    r"""By quadrature, with q = x / (1 - x): there dq / G is :math:`(1 - x)^{\eta^2 - 1} dx` over a product.

    That is analytic where eta^2 is whole; where its inverse is, it is over :math:`y = (1 - x)^{\eta^2}`.
    """
    power = ball(1 + eta_squared)

    def product(x: Any) -> Any:
        """Of v + (1 - v) x, which is v + q but for powers of 1 - x, to their powers."""
        parts = ((CONDITIONAL, gamma), (UNCONDITIONAL, 1 - gamma))
        return exp(total(ball(g) * power * log(ball(v) + ball(1 - v) * x) for v, g in parts))

    if not eta_squared:
        return arb(product(arb(0)))
    if eta_squared < 1:
        weight = integral(lambda y: 1 / product(1 - y ** round(1 / eta_squared)), 0, 1)
    else:
        e = round(eta_squared)
        weight = e * integral(lambda x: (1 - x) ** (e - 1) / product(x), 0, 1)
    return weight * arb(product(arb(0)))


def of_eta(step: Step = churn_step) -> Experiment:
    """What guided churn ends with, by steps and by quadrature; without guidance the data's own variance."""
    cases = []
    for e in ETAS_SQUARED:
        found = limit_of([sampled(e, n, step=step) for n in COUNTS])
        wrong = {
            "the conditional data's": ball(CONDITIONAL),
            "the tilted density's": tilted(GAMMA),
            "of twice the weight less one": in_the_limit(e, 2 * GAMMA - 1),
        }
        if e:
            wrong["the same for every eta"] = in_the_limit(0)
        cases.append(Case({"eta^2": e}, found, in_the_limit(e), wrong))
        unguided = limit_of([sampled(e, n, 1, step) for n in COUNTS])
        wrong = {"the unconditional data's": ball(UNCONDITIONAL)}
        cases.append(Case({"eta^2": e, "gamma": 1}, unguided, ball(CONDITIONAL), wrong))
    return equal(
        f"distance of the variance that guided steps end with from the integral ({EXTRAPOLATED})", cases
    )


def tilted(gamma: float) -> arb:
    """The variance of the tilted density, which adds precisions."""
    return 1 / (ball(gamma) / ball(CONDITIONAL) + ball(1 - gamma) / ball(UNCONDITIONAL))


def of_bound() -> Experiment:
    """How short of the tilted variance the sample is, within a share Q / (eta^2 + Q) of it."""
    cases, y = [], ball(UNCONDITIONAL) / ball(CONDITIONAL)
    most = GAMMA * (GAMMA - 1) * (y - 1) ** 2 / (GAMMA * y + 1 - GAMMA) ** 2
    for e in (1, 4, 16, 64):
        share = most / (ball(e) + most)
        allowed = (-share).union(arb(0))
        wrong = {
            "short for every eta as for none": in_the_limit(0) / tilted(GAMMA) - 1,
            "beyond it": 1 - in_the_limit(e) / tilted(GAMMA),
        }
        cases.append(Case({"eta^2": e}, allowed, in_the_limit(e) / tilted(GAMMA) - 1, wrong))
    return equal("distance of the share missing of the tilted variance from the middle of its bounds", cases)


def of_tilt(denoiser: Callable[..., Any] = guided) -> Experiment:
    """The mean of tilted data given a state, by quadrature, and the guided prediction less what it is off."""
    cases = []
    for (schedule, t), z in itertools.product(SETTINGS, STATES):
        level, state = schedule(ball(t)), ball(z)
        a, b = ball(CONDITIONAL), ball(UNCONDITIONAL)
        of_a, of_b = (level.alpha**2 * v + level.sigma**2 for v in (a, b))
        below = level.alpha**2 * a * b + level.sigma**2 * (GAMMA * b + (1 - GAMMA) * a)
        apart = level.alpha**2 * level.sigma**2 * GAMMA * (GAMMA - 1) * (a - b) ** 2 / (of_a * of_b * below)
        # of the precision D; the denoiser is z (1 - sigma^2 D) / alpha
        off = level.sigma**2 / level.alpha * apart * state
        wrong = {
            "the guided one": denoiser(state, level),
            "off the other way": denoiser(state, level) - off,
            "the conditional one": denoiser(state, level, 1),
        }
        inputs = {"schedule": schedule.__name__, "t": t, "z": z}
        cases.append(Case(inputs, _of_tilted_data(state, level), denoiser(state, level) + off, wrong))
    return equal("distance of the mean of tilted data from the guided one less what that is off", cases)


def _of_tilted_data(z: arb, level: Level[arb]) -> arb:
    """Bayes' rule with the density p_c^gamma p_u^(1 - gamma); gamma is whole."""
    parts = [Mixture((1,), (0,), (std,)).at(Level(arb(1), arb(0))) for std in STDS]

    def prior(x: Any) -> Any:
        conditional, unconditional = (law.density(x) for law in parts)
        return conditional**GAMMA * unconditional ** (1 - GAMMA)

    def likelihood(x: Any) -> Any:
        return exp(-(((z - level.alpha * x) / level.sigma) ** 2) / 2)

    def part(power: int, x: Any) -> Any:
        return x**power * prior(x) * likelihood(x)

    # the tilted density is below 4 exp(-5 x^2), of which less than this is beyond 12, times x or not
    mass, first = (integral(functools.partial(part, k), -12, 12) + arb(0, 1e-200) for k in (0, 1))
    return first / mass
