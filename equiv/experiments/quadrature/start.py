r"""How far the noisiest level is from a standard normal, and what that does to samples.

The Kullback-Leibler divergence from N(0, 1) is an integral over the density of the state. On a
variance-preserving process it falls at least as fast as the squared signal. Ten steps of rate 0.1 leave far
more of it than a thousand of DDPM's. A discrete chain and its limit have signals whose quotient is within the
bounds of s-discrete-limit, and tends to one in the first order. A sampler that starts from N(0, 1) where
signal is left ends, in ever more steps, at the mean and deviation of n-truncation.

Not claimed: what a trained network does with a start that it has never seen.
"""

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from flint import arb

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.quadrature.balls import (
    EXTRAPOLATED,
    Case,
    ball,
    below,
    equal,
    in_balls,
    limit_of,
    orders,
)
from equiv.experiments.quadrature.data import DATA, Law, Mixture
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import Level
from equiv.formulas.schedules import cosine, ddpm_linear
from equiv.formulas.steps import ddim_step
from equiv.number import log, sqrt
from equiv.result import Task

EXPERIMENT = Header(
    id="x-start",
    title="How standard the normal is that sampling starts from, and what truncation costs",
    claims=("s-init-and-mixing", "s-seed001-beta", "s-discrete-limit", "n-truncation", "q-standard-start"),
    dtypes=(),
)

TIMES = (0.125, 0.25, 0.5)
SINGLE = {m: Mixture((1,), (m,), (1,)) for m in (0.5, 2)}
POINT = {x: Mixture((1,), (x,), (0,)) for x in (0.5, 3)}
PAIR = Mixture((1, 1), (-2, 2), (0, 0))
RATES = (Fraction(1, 10), Fraction(20))  # of DDPM's linear schedule, per unit of time
CHAINS = tuple(250 * 2**k for k in range(4))
CUT = 0.9375  # the cosine time at which sampling starts short
COUNTS = tuple(32 * 2**k for k in range(4))


@in_balls
def run(_task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """Divergences, chains and truncated starts."""
    return [of_normal(), of_mixtures(), of_ten_steps(), of_chains(), of_chain_orders(), of_truncation()], {}


def divergence(law: Law) -> arb:
    r"""From N(0, 1), the logarithm of whose density is :math:`-z^2 / 2 - \log \sqrt{2 \pi}`."""

    def apart(z: Any) -> Any:
        return log(law.density(z)) + z**2 / 2 + log(2 * arb.pi()) / 2

    return law.expectation(apart, law.log_growth + 1)


def of_normal(measure: Callable[[Law], arb] = divergence) -> Experiment:
    """A shifted normal law, where the squared signal is exact; and a point of data at any level."""
    cases = []
    for (m, data), t in itertools.product(SINGLE.items(), TIMES):
        level = ddpm_linear(ball(t))
        signal = level.alpha**2
        wrong = {
            "falling with the signal": level.alpha * ball(m) ** 2 / 2,
            "with its fourth power": signal**2 * ball(m) ** 2 / 2,
            "not falling": ball(m) ** 2 / 2,
        }
        cases.append(Case({"m": m, "t": t}, measure(data.at(level)), signal * ball(m) ** 2 / 2, wrong))
    for (x, data), (alpha, sigma) in itertools.product(POINT.items(), ((1, 5), (0.25, 1), (0.5, 0.75))):
        variance = ball(sigma) ** 2
        of_mean, of_noise = (ball(alpha) * ball(x)) ** 2 / 2, (variance - 1 - log(variance)) / 2
        wrong = {"of the mean alone": of_mean + (ball(0) if sigma != 1 else of_mean), "none": arb(0)}
        law = data.at(Level(ball(alpha), ball(sigma)))
        cases.append(Case({"x": x, "alpha": alpha, "sigma": sigma}, measure(law), of_mean + of_noise, wrong))
    return equal("distance of the divergence from N(0, 1) from its closed form", cases)


def of_mixtures(measure: Callable[[Law], arb] = divergence) -> Experiment:
    """On a variance-preserving process the divergence falls at least as the squared signal."""
    cases = []
    for (name, data), t in itertools.product(DATA.items(), TIMES):
        level = ddpm_linear(ball(t))
        whole = measure(data.at(Level(arb(1), arb(0))))
        exploding = measure(data.at(Level(arb(1), level.sigma / level.alpha)))
        wrong = {"not falling": whole, "the same noise on unscaled data": exploding}
        cases.append(Case({"data": name, "t": t}, level.alpha**2 * whole, measure(data.at(level)), wrong))
    return below("the squared signal times the data's divergence, less that of the state", cases)


def of_ten_steps() -> Experiment:
    """Data at -2 and 2: ten steps of rate 0.1 leave a million times what a thousand of DDPM's do."""
    kept = 1 - ball(Fraction(1, 10))
    left = [divergence(PAIR.at(Level(sqrt(s), sqrt(1 - s)))) for s in (kept**10, _signal(1000), kept**20)]
    wrong = {"after the ten steps": left[0], "after twenty such steps": left[2]}
    return below(
        "a millionth of the divergence after ten steps of rate 0.1, less that after DDPM's thousand",
        [Case({"data": "-2 and 2"}, left[0] / 10**6, left[1], wrong)],
    )


def _rates(steps: int) -> list[arb]:
    first, last = map(ball, RATES)
    return [(first + (last - first) * i / (steps - 1)) / steps for i in range(steps)]


def _signal(steps: int) -> arb:
    """The squared signal at the end of a chain."""
    found = arb(1)
    for b in _rates(steps):
        found *= 1 - b
    return found


def _missing(steps: int) -> arb:
    """How far the log of the squared signal is below that of the process."""
    return -log(_signal(steps)) - sum(map(ball, RATES)) / 2


def of_chains(missing: Callable[[int], arb] = _missing) -> Experiment:
    """What a chain's signal misses of its limit, within the bounds by the squares of its rates."""
    cases = []
    for steps in CHAINS:
        first, last = map(ball, RATES)
        squares = ((first**2 + first * last + last**2) / 3 + (last - first) ** 2 / (6 * (steps - 1))) / steps
        allowed = (squares / 2).union(squares / (2 * (1 - last / steps)))
        got = missing(steps)
        wrong = {"nothing": arb(0), "twice as much": 2 * got, "the other way": -got}
        cases.append(Case({"steps": steps}, allowed, got, wrong))
    return equal("distance of what a chain's log signal misses from the middle of its bounds", cases)


def of_chain_orders(missing: Callable[[int], arb] = _missing) -> Experiment:
    """It falls in the first order."""
    order = limit_of(orders([missing(n) for n in CHAINS]))
    wrong = {"of second order": arb(2), "of order 1/2": ball(0.5)}
    measure = f"distance from 1 of the order in which chains tend to the process ({EXTRAPOLATED})"
    return equal(measure, [Case({"steps": CHAINS}, order, arb(1), wrong)])


def of_truncation(step: Callable[..., Any] = ddim_step) -> Experiment:
    """DDIM in ever more steps, from N(0, 1) at a level that has signal left, to clean data."""
    cases = []
    for m, width in itertools.product((-1, 3), (0.5, 2)):
        c = ball(width)
        first = cosine(ball(CUT))
        deviation = sqrt(first.alpha**2 * c**2 + first.sigma**2)
        ends = [_from_noise(step, ball(m), c, n) for n in COUNTS]
        short = first.alpha * c / deviation * ball(m)
        wrong = {"the data's": ball(m), "short by the signal left": ball(m) * (1 - first.alpha * c)}
        inputs = {"m": m, "c": width}
        cases.append(Case({**inputs, "of": "mean"}, limit_of([mean for mean, _ in ends]), m - short, wrong))
        wrong = {"the data's": c, "larger by as much": c * deviation}
        cases.append(Case({**inputs, "of": "std"}, limit_of([std for _, std in ends]), c / deviation, wrong))
    return equal(f"distance of the end of a truncated start from its closed form ({EXTRAPOLATED})", cases)


def _from_noise(step: Callable[..., Any], m: arb, c: arb, steps: int) -> tuple[arb, arb]:
    """The mean and the deviation of where the flow's samples end."""
    at = [cosine(ball(CUT) * (steps - k) / steps) for k in range(steps)]
    mean, std = arb(0), arb(1)
    for now, then in itertools.pairwise([*at, Level(arb(1), arb(0))]):
        start, slope = gaussian_denoiser(arb(0), now, m, c), gaussian_denoiser(arb(1), now, 0, c)
        keeps = step(arb(1), slope, now, then)
        mean, std = keeps * mean + step(arb(0), start, now, then), keeps * std
    return mean, std
