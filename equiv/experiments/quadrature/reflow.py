r"""Pairs of noise and data along the flow, joined by straight lines: what reflow trains on in one dimension.

The flow keeps quantiles, so the pair of data x is x and T(x) of the same probability. As y phi(y) dy = -d
phi, the mean of x T(x) is the integral of phi(T(x)) over x, which rises to the median and falls: sums over
cells with the least and the largest value in each hold it. Pairs are closer than independent ones, and the
state between has another spread. Where a line through a state starts is told by the state: quantiles of both
ends, mixed, rise with the probability.

Not claimed: more than one dimension; a learned velocity.
"""

import functools
import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from flint import arb

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.quadrature.balls import Case, ball, below, equal, in_balls
from equiv.experiments.quadrature.data import DATA, Law, Mixture
from equiv.formulas.levels import Level
from equiv.formulas.steps import flow_euler_step
from equiv.number import exp, sqrt
from equiv.result import Task

EXPERIMENT = Header(
    id="x-reflow",
    title="In one dimension reflow pairs quantiles: closer, straight, with other laws between",
    claims=("w-reflow",),
    dtypes=(),
)

CELLS, REACH = 3000, 12
WIDTHS = (Fraction(1, 2), Fraction(5, 4))
PROBABILITIES = (0.0625, 0.25, 0.625)
BETWEEN = (0.25, 0.5, 0.75)


@in_balls
def run(_task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """Pairs of normal data in closed form, pairs of mixtures, and lines."""
    return [of_normal(), of_cost(), of_lines()], {}


def clean(data: Mixture) -> Law:
    """The law of the data."""
    return data.at(Level(arb(1), arb(0)))


def quantile_of_noise(probability: arb) -> arb:
    """Of a standard normal."""
    return (2 * probability - 1).erfinv() * arb(2).sqrt()


def paired(data: Mixture) -> arb:
    r"""The mean of x T(x).

    Beyond the cells, where p is on the far side of x, phi(y) is at most 2 |y| p and y^2 at most 2 log(1 / p),
    so that phi(y) is below :math:`2 \sqrt p`; and p is below :math:`e^{-d^2 / 2 C^2}`, d the distance from
    the outermost mean and C the largest deviation.
    """
    law, width = clean(data), ball(Fraction(2 * REACH, CELLS))
    below = [law.cumulative(-REACH + k * width) for k in range(CELLS + 1)]
    top, found = 1 / sqrt(2 * arb.pi()), arb(0)
    for first, last in itertools.pairwise(below):
        low, high = _height(first), _height(last)
        median_within = not (last < 0.5 or first > 0.5)
        found += (low.min(high).union(top) if median_within else low.union(high)) * width
    room, spread = REACH - max(map(abs, data.means)), max(data.stds)
    left = 8 * ball(Fraction(spread) ** 2 / room) * exp(-(ball(Fraction(room) / (2 * Fraction(spread))) ** 2))
    return found + arb(0, left.upper())


def _height(probability: arb) -> arb:
    """Phi at a quantile y of the noise: at most 2 |y| p by Mills, where |y| > 1."""
    if 2.0**-48 < probability < 1 - 2.0**-48:
        y = quantile_of_noise(probability)
        return exp(-y * y / 2) / sqrt(2 * arb.pi())
    return arb(0).union(ball(2.0**-40))


def of_normal(pair: Callable[[Mixture], arb] = paired) -> Experiment:
    """T is the quotient by the deviation c: the mean product is c, the variance halfway ((1 + c) / 2)^2."""
    cases = []
    for c in WIDTHS:
        mean, square = pair(Mixture((1,), (0,), (c,))), ball(c) ** 2
        wrong = {"independent": arb(0), "the deviation squared": square, "against each other": -ball(c)}
        cases.append(Case({"c": c, "of": "product"}, mean, ball(c), wrong))
        halfway = (1 + square + 2 * mean) / 4
        wrong = {"as before reflow": (1 + square) / 4}
        cases.append(Case({"c": c, "of": "variance halfway"}, halfway, ((1 + ball(c)) / 2) ** 2, wrong))
    return equal("distance of the pairs of normal data from their closed form", cases)


def of_cost(pair: Callable[[Mixture], arb] = paired) -> Experiment:
    """The mean squared distance falls from that of independent noise and data."""
    cases = []
    for name, data in DATA.items():
        law, product = clean(data), pair(data)
        independent = law.variance + law.mean * law.mean + 1
        wrong = {"in opposite order": independent + 2 * product}
        cases.append(Case({"data": name}, independent, independent - 2 * product, wrong))
    return below("the squared distance of independent pairs, less that of the flow's", cases)


def of_lines(step: Callable[..., Any] = flow_euler_step) -> Experiment:
    """From any state between, one Euler step with the velocity of its line ends at the line's own data."""
    cases = []
    for (name, data), probability, t in itertools.product(DATA.items(), PROBABILITIES, BETWEEN):
        law = clean(data)
        state = _between(law, ball(t), ball(probability))
        found = _probability(functools.partial(_between, law, ball(t)), state)
        x, y = law.quantile(found), quantile_of_noise(found)
        wrong = {
            "the velocity turned": step(state, x - y, ball(t), arb(0)),
            "the chord of another line": step(state, y - law.quantile(found / 2), ball(t), arb(0)),
            "the mean of the data": law.mean,
        }
        inputs = {"data": name, "t": t, "probability": probability}
        cases.append(
            Case(inputs, law.quantile(ball(probability)), step(state, y - x, ball(t), arb(0)), wrong)
        )
    return equal("distance of an Euler step along a line from the data that it started from", cases)


def _between(law: Law, t: arb, probability: arb) -> arb:
    return (1 - t) * law.quantile(probability) + t * quantile_of_noise(probability)


def _probability(state_at: Callable[[arb], arb], state: arb) -> arb:
    """Of the one line through a state: halved between where the state is certainly above and below."""
    low, high = ball(2.0**-10), 1 - ball(2.0**-10)
    while high - low > 2.0**-30:
        middle = ((low + high) / 2).mid()
        if state_at(middle) < state:
            low = middle
        elif state_at(middle) > state:
            high = middle
        else:
            break
    return low.union(high)
