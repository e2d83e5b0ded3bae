r"""How stochastic samplers tend to the law of the level: a step is off in the second order, all in the first.

One step from the exact law of a mixture changes the mean of cos(w z) + sin(w z) by as much as is asked for,
but for a term in the square of the step. On normal data all steps are a recursion of variances, whose end is
off in the first order, and of covariances, which tell how far the ends of a path still know of each other:
paths of every eta have the same marginals and different laws.

Not claimed: whole trajectories on mixtures, of which the law after two steps is no single integral; the
constants of t-churn-marginals and t-churn-weak-order, which are far larger than what is seen here.
"""

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

from flint import arb

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.quadrature.balls import (
    EXTRAPOLATED,
    Case,
    ball,
    equal,
    in_balls,
    limit_of,
    orders,
)
from equiv.experiments.quadrature.data import MIXTURE, Law, Mixture, total
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import Level
from equiv.formulas.predictions import eps_from_x
from equiv.formulas.schedules import cosine, flow_matching
from equiv.formulas.steps import churn_step, ddpm_step, renoise
from equiv.number import cos, exp, sin
from equiv.result import Task

EXPERIMENT = Header(
    id="x-weak-order",
    title="Stochastic samplers reach the law of the level in the first order, by paths of different laws",
    claims=(
        "o-weak-order",
        "o-two-time-law",
        "t-churn-weak-order",
        "t-churn-marginals",
        "t-eta1-discretization",
        "o-reverse-marginals",
        "q-path-type",
    ),
    dtypes=(),
)

Step = Callable[[Any, Any, Any, Level[Any], Level[Any]], Any]
Schedule = Callable[[Any], Level[Any]]
FREQUENCY = 1.25
START, SHORT = 0.5, tuple(2.0**-k for k in range(7, 11))
FIRST, LAST = 0.875, 0.125
COUNTS = tuple(128 * 2**k for k in range(4))
WIDTHS = (0.5, 2)
ETAS_SQUARED = (0, 0.5, 1, 3)


class Effect(NamedTuple):
    """A step is linear: what it makes of the state, of the denoiser and of a draw."""

    of_z: arb
    of_x: arb
    of_noise: arb


def effect(step: Step, now: Level[arb], then: Level[arb]) -> Effect:
    """Read off the step."""
    units = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    return Effect(*(step(arb(z), arb(x), arb(noise), now, then) for z, x, noise in units))


def churn(eta_squared: float) -> Step:
    """The churn step of rho = 1 + eta^2."""

    def step(z: Any, x_hat: Any, noise: Any, now: Level[Any], then: Level[Any]) -> Any:
        return churn_step(z, x_hat, noise, ball(1 + eta_squared), now, then)

    return step


def ddpm_large(z: Any, x_hat: Any, noise: Any, now: Level[Any], then: Level[Any]) -> Any:
    """DDPM with the variance of the forward step."""
    return ddpm_step(z, x_hat, arb(0), now, then) + renoise(arb(0), noise, then, now)


def frozen_noise(z: Any, x_hat: Any, noise: Any, now: Level[Any], then: Level[Any]) -> Any:
    r"""The reverse process with eps_hat held fixed (SDE-DPM-Solver-1), eta = 1."""
    gain = then.alpha * now.sigma / (now.alpha * then.sigma)
    mean = then.alpha / now.alpha * z - 2 * then.sigma * (gain - 1) * eps_from_x(z, x_hat, now)
    return mean + then.sigma * (gain**2 - 1).sqrt() * noise


def euler_maruyama(z: Any, x_hat: Any, noise: Any, now: Level[Any], then: Level[Any]) -> Any:
    """Of the reverse process of eta = 1 on the flow-matching schedule, where g^2 is 2 sigma / alpha."""
    length = then.alpha - now.alpha
    g_squared = 2 * now.sigma / now.alpha
    drift = -z / now.alpha + g_squared * eps_from_x(z, x_hat, now) / now.sigma
    return z - length * drift + (g_squared * length).sqrt() * noise


def less_noise(step: Step) -> Step:
    """With half the variance."""

    def stepped(z: Any, x_hat: Any, noise: Any, now: Level[Any], then: Level[Any]) -> Any:
        return step(z, x_hat, noise * ball(0.5).sqrt(), now, then)

    return stepped


STEPS: dict[str, Step] = {
    "DDIM": churn(0),
    "DDPM": churn(1),
    "churn with eta^2 = 5/2": churn(2.5),
    "DDPM with the forward variance": ddpm_large,
    "eps_hat held fixed": frozen_noise,
    "Euler-Maruyama": euler_maruyama,
}


@in_balls
def run(_task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """One step on a mixture, all steps on normal data, and the law of two times."""
    return [of_one_step(), of_all_steps(), of_two_times()], {}


def of_one_step(steps: dict[str, Step] = STEPS, data: Mixture = MIXTURE) -> Experiment:
    """The change of a mean is off in the second order."""
    now, cases = flow_matching(ball(START)), []
    law = data.at(now)
    for name, step in steps.items():
        errors, wrong = _errors(step, law), {"of first order": arb(1), "of third order": arb(3)}
        if name == "DDPM":
            wrong["of the order with half the variance"] = limit_of(orders(_errors(less_noise(step), law)))
        cases.append(Case({"step": name}, limit_of(orders(errors)), ball(2), wrong))
    return equal(f"distance from 2 of the order of a step's change of the law ({EXTRAPOLATED})", cases)


def _errors(step: Step, law: Law) -> list[arb]:
    found = []
    for h in SHORT:
        then = flow_matching(ball(START - h))
        found.append(_after(effect(step, law.level, then), law) - _of_law(MIXTURE.at(then)))
    return found


def _of_law(law: Law) -> arb:
    """The mean of cos(w z) + sin(w z): that of each component, times the factor of its spread."""
    w = ball(FREQUENCY)
    found: arb = total(
        p.share * (cos(w * p.mean) + sin(w * p.mean)) * exp(-(w**2) * p.variance / 2) for p in law.components
    )
    return found


def _after(made: Effect, law: Law) -> arb:
    w = ball(FREQUENCY)

    def wave(z: Any) -> Any:
        angle = w * (made.of_z * z + made.of_x * law.denoiser(z))
        return cos(angle) + sin(angle)

    found: arb = law.expectation(wave, 2) * exp(-(w**2) * made.of_noise**2 / 2)
    return found


class Moments(NamedTuple):
    """Of the last state of N steps on normal data: its variance, and its covariance with the first."""

    variance: arb
    covariance: arb


def trajectory(step: Step, schedule: Schedule, steps: int, c: arb) -> tuple[Moments, arb, arb]:
    """Its moments, and the variances of the first and the last level."""
    at = [schedule(ball(FIRST) + ball(LAST - FIRST) * k / steps) for k in range(steps + 1)]
    first, last = (level.alpha**2 * c**2 + level.sigma**2 for level in (at[0], at[-1]))
    variance = covariance = first
    for now, then in itertools.pairwise(at):
        made = effect(step, now, then)
        keeps = made.of_z + made.of_x * gaussian_denoiser(arb(1), now, 0, c)
        variance, covariance = keeps**2 * variance + made.of_noise**2, keeps * covariance
    return Moments(variance, covariance), first, last


def of_all_steps(steps: dict[str, Step] = STEPS) -> Experiment:
    """The variance at the end is off in the first order."""
    cases = []
    for (name, step), width in itertools.product(steps.items(), WIDTHS):
        wrong = {"of second order": arb(2), "of no order": arb(0)}
        if name == "DDPM":
            wrong["of the order with half the variance"] = _order_at_the_end(less_noise(step), ball(width))
        inputs = {"step": name, "c": width}
        cases.append(Case(inputs, _order_at_the_end(step, ball(width)), ball(1), wrong))
    return equal(f"distance from 1 of the order of the error of the variance ({EXTRAPOLATED})", cases)


def _order_at_the_end(step: Step, c: arb) -> arb:
    ends = (trajectory(step, flow_matching, n, c) for n in COUNTS)
    return limit_of(orders([moments.variance - last for moments, _, last in ends]))


def of_two_times(step: Callable[[float], Step] = churn) -> Experiment:
    r"""The correlation of both ends tends to :math:`R^{\eta^2}`, R that of the forward process."""
    cases = []
    for eta_squared, width in itertools.product(ETAS_SQUARED, WIDTHS):
        c, found = ball(width), []
        for n in COUNTS:
            moments, first, last = trajectory(step(eta_squared), cosine, n, c)
            found.append(moments.covariance / (moments.variance * first).sqrt())
        signal = cosine(ball(FIRST)).alpha / cosine(ball(LAST)).alpha
        forward = signal * (last / first).sqrt()
        wrong = {
            "of the forward process, for every eta": forward,
            "to the power of 1 + eta^2": forward ** ball(1 + eta_squared),
        }
        wrong["none"] = arb(0)
        if eta_squared not in {0, 1}:
            wrong["to the power of eta"] = forward ** ball(eta_squared).sqrt()
        inputs = {"eta^2": eta_squared, "c": width}
        cases.append(Case(inputs, limit_of(found), forward ** ball(eta_squared), wrong))
    return equal(f"distance of the correlation of both ends from what it tends to ({EXTRAPOLATED})", cases)
