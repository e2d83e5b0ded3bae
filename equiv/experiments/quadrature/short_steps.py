r"""What single steps of different samplers differ by, as the step shrinks.

From one state of a mixture, with the exact denoiser: Euler's step of the reverse process and of the flow in
the time of a schedule, against DDPM and DDIM, per squared length; and Heun's step in the variables of x, eps
and u, whose differences are of third order, as each one's distance from the exact flow is. On normal data,
where the path is known, what DDIM misses is an integral along it.

Not claimed: which of them is the best.
"""

import itertools
from collections.abc import Callable
from typing import Any

from flint import arb

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.quadrature.balls import (
    EXTRAPOLATED,
    Case,
    ball,
    equal,
    integral,
    limit_of,
    orders,
    with_bits,
)
from equiv.experiments.quadrature.data import DATA, Mixture
from equiv.formulas.denoisers import gaussian_denoiser, mixture_denoiser
from equiv.formulas.levels import Level
from equiv.formulas.predictions import score_from_x, u_from_x
from equiv.formulas.samplers import heun
from equiv.formulas.schedules import cosine, flow_matching
from equiv.formulas.steps import ddim_step, ddpm_step, probability_flow_euler_step
from equiv.number import cos, sin, sqrt
from equiv.result import Task

EXPERIMENT = Header(
    id="x-short-steps",
    title="What single steps of different samplers differ by, as the step shrinks",
    claims=("t-eta1-discretization", "f-pf-euler-affine", "f-heun-parametrization", "f-clairaut"),
    dtypes=(),
)

TIME = 0.375
LENGTHS = tuple(2.0**-k for k in range(8, 13))
STATES = (-1, 0.75)
WIDTHS = (0.5, 2)


@with_bits(128)
def run(_task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """Euler's steps, Heun's, and the integral of what DDIM misses."""
    return [of_reverse(), of_flow(), *of_heun(), of_path()], {}


def of_reverse(step: Callable[..., Any] = ddpm_step) -> Experiment:
    """On a variance-preserving schedule, by its rate beta over the step."""
    cases = []
    for (name, data), state in itertools.product(DATA.items(), STATES):
        now, z = cosine(ball(TIME)), ball(state)
        x_hat = mixture_denoiser(z, now, *data)
        score = score_from_x(z, x_hat, now)
        maruyama, predictor = [], []
        for length in LENGTHS:
            beta = ball(length)
            signal = now.alpha / sqrt(1 - beta)
            mean = step(z, x_hat, arb(0), now, Level(signal, sqrt(1 - signal**2)))
            maruyama.append((mean - (z + beta * (z / 2 + score))) / beta**2)
            predictor.append((mean - ((2 - sqrt(1 - beta)) * z + beta * score)) / beta**2)
        claimed = {"Euler-Maruyama": 3 * z / 8 + score / 2, "reverse diffusion": z / 4 + score / 2}
        found = {"Euler-Maruyama": maruyama, "reverse diffusion": predictor}
        for method, differences in found.items():
            other = next(value for key, value in claimed.items() if key != method)
            wrong = {"as of the other": other, "none": arb(0), "of the score alone": score / 2}
            inputs = {"data": name, "z": state, "against": method}
            cases.append(Case(inputs, limit_of(differences), claimed[method], wrong))
    return equal(f"distance of DDPM less Euler's steps, per beta^2, from its limit ({EXTRAPOLATED})", cases)


def of_flow(step: Callable[..., Any] = ddim_step) -> Experiment:
    """On the cosine schedule, per squared time; on affine schedules there is nothing."""
    cases = []
    quarter = arb.pi() / 2
    for (name, data), state in itertools.product(DATA.items(), STATES):
        z, t = ball(state), ball(TIME)
        apart: dict[str, list[arb]] = {"cosine": [], "flow matching": []}
        for length in LENGTHS:
            s = t - ball(length)
            for path, schedule in (("cosine", cosine), ("flow matching", flow_matching)):
                now, then, rates = schedule(t), schedule(s), _rates(schedule, t)
                x_hat = mixture_denoiser(z, now, *data)
                moved = probability_flow_euler_step(z, x_hat, now, rates, t, s)
                apart[path].append((moved - step(z, x_hat, now, then)) / ball(length) ** 2)
        wrong = {"none": arb(0), "half of it": quarter**2 * z / 4, "of its square": quarter**2 * z**2 / 2}
        inputs = {"data": name, "z": state, "schedule": "cosine"}
        cases.append(Case(inputs, limit_of(apart["cosine"]), quarter**2 * z / 2, wrong))
        inputs = {**inputs, "schedule": "flow matching"}
        cases.append(Case(inputs, apart["flow matching"][-1], arb(0), {"as cosine": quarter**2 * z / 2}))
    return equal(
        f"distance of Euler's step less DDIM's, per squared time, from its limit ({EXTRAPOLATED})", cases
    )


def heun_in(row: str, z: arb, data: Mixture, now: Level[arb], then: Level[arb]) -> arb:
    """The trapezoidal rule in the variables of a row of the seed's table."""

    def denoise(state: arb, level: Level[arb]) -> arb:
        return mixture_denoiser(state, level, *data)

    if row == "eps":
        return heun(z, denoise, now, then)
    x_hat = denoise(z, now)
    guess = ddim_step(z, x_hat, now, then)
    x_then = denoise(guess, then)
    if row == "x":
        return then.sigma * (
            z / now.sigma + (then.alpha / then.sigma - now.alpha / now.sigma) * (x_hat + x_then) / 2
        )
    wide, close = now.alpha + now.sigma, then.alpha + then.sigma
    slopes = u_from_x(z, x_hat, now) + u_from_x(guess, x_then, then)
    return close * (z / wide + (then.sigma / close - now.sigma / wide) * slopes / 2)


def of_heun(step: Callable[..., arb] = heun_in) -> tuple[Experiment, Experiment]:
    """The orders of the rows' differences and errors; and the row of u as a mean of the others."""
    cases, means = [], []
    for (name, data), state in itertools.product(DATA.items(), STATES):
        now, z = cosine(ball(TIME)), ball(state)
        below = data.at(now).cumulative(z)
        ends: dict[str, list[arb]] = {row: [] for row in ("eps", "x", "u", "exact")}
        for length in LENGTHS:
            then = cosine(ball(TIME - length))
            for row in ("eps", "x", "u"):
                ends[row].append(step(row, z, data, now, then))
            ends["exact"].append(data.at(then).quantile(below))
        for one, other in (("eps", "x"), ("eps", "u"), ("x", "u"), ("u", "exact")):
            apart = [a - b for a, b in zip(ends[one], ends[other], strict=True)]
            wrong = {"of second order": arb(2), "of fourth order": arb(4)}
            inputs = {"data": name, "z": state, "rows": f"{one}, {other}"}
            cases.append(Case(inputs, limit_of(orders(apart)), arb(3), wrong))
        weight = now.alpha / (now.alpha + now.sigma)
        mixed = weight * ends["eps"][0] + (1 - weight) * ends["x"][0]
        wrong = {"of eps alone": ends["eps"][0], "the weights turned": ends["eps"][0] + ends["x"][0] - mixed}
        means.append(Case({"data": name, "z": state}, ends["u"][0], mixed, wrong))
    return (
        equal(f"distance from 3 of the order in which Heun's rows differ ({EXTRAPOLATED})", cases),
        equal("distance of Heun in u from the mean of Heun in eps and in x", means),
    )


def of_path(step: Callable[..., Any] = ddim_step) -> Experiment:
    r"""On N(m, c^2): there :math:`z = \alpha m + \sqrt V k`, :math:`\hat x = m + \alpha c^2 k / \sqrt V`."""
    cases, m = [], ball(0.25)
    for (schedule, t, s), width in itertools.product(
        ((flow_matching, 0.75, 0.25), (cosine, 0.5, 0.25)), WIDTHS
    ):
        c, k = ball(width), ball(0.75)
        now, then = schedule(ball(t)), schedule(ball(s))

        def spread(level: Level[Any], c: arb = c) -> Any:
            return level.alpha**2 * c**2 + level.sigma**2

        def change(
            tau: Any, power: int, schedule: Any = schedule, then: Any = then, c: arb = c, k: arb = k
        ) -> Any:
            level, rates = schedule(tau), _rates(schedule, tau)
            v = spread(level, c)
            slower = level.alpha * (level.alpha * rates.alpha * c**2 + level.sigma * rates.sigma)
            of_x_hat = c**2 * k * (rates.alpha * v - slower) / (v * sqrt(v))
            here, there = level.alpha / level.sigma, then.alpha / then.sigma
            return (there**power - here**power) * of_x_hat

        def along(power: int, change: Any = change, t: float = t, s: float = s) -> arb:
            return integral(lambda tau: change(tau, power), ball(t), ball(s))

        start, end = (level.alpha * m + sqrt(spread(level)) * k for level in (now, then))
        misses = end - step(start, gaussian_denoiser(start, now, m, c), now, then)
        claimed = then.sigma * along(1)
        wrong = {
            "nothing": arb(0),
            "turned": -claimed,
            "not per noise": along(1),
            "by the signal-to-noise ratio itself": then.sigma * along(2),
        }
        inputs = {"schedule": schedule.__name__, "t": t, "s": s, "c": width}
        cases.append(Case(inputs, misses, claimed, wrong))
    return equal("distance of what DDIM misses from the integral along the path", cases)


def _rates(schedule: Any, t: Any) -> Level[Any]:
    quarter = arb.pi() / 2
    if schedule is flow_matching:
        return Level(arb(-1), arb(1))
    return Level(-quarter * sin(quarter * t), quarter * cos(quarter * t))
