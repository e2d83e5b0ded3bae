r"""A reversed DDIM step, and a DDIM step noised back, change a law in the second order of the step.

DDIM carries cells of the line to cells, and the probability of a cell is known in closed form at every level.
Where z keeps to its order, the total variation over the cells, half the sum of the changes of probability, is
of the law itself on the events that are made of them. What comes of forward noise after DDIM is told by the
means of cos(w z) and sin(w z): of the noise they ask for a factor, of the rest for an integral.

The orders are read where they have settled, far below the steps of any sampler.

On normal data all laws are normal, and their total variation is known.

Not claimed: the total variation over all events on mixtures, which is at least that over cells.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

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
    with_bits,
)
from equiv.experiments.quadrature.data import DATA, Law, Mixture, total
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import Level
from equiv.formulas.schedules import cosine, flow_matching
from equiv.formulas.steps import ddim_step, renoise
from equiv.number import cos, exp, sin
from equiv.result import Task

EXPERIMENT = Header(
    id="x-reversed-ddim",
    title="Reversed DDIM and forward noise agree to first order, and not to second",
    claims=("t-reversed-ddim",),
    dtypes=(),
)

Step = Callable[[Any, Any, Level[Any], Level[Any]], Any]
CELLS = tuple(k / 2 for k in range(-12, 13))
STEPS = tuple(2.0**-k for k in range(11, 16))
STEPS_NOISED = tuple(2.0**-k for k in range(7, 11))
START = 0.5
WIDTHS = (0.5, 2)
FREQUENCY = 1.25
WAVES: dict[str, Callable[[Any], Any]] = {"cos": cos, "sin": sin}
WRONG_ORDERS = {"of first order": arb(1), "of third order": arb(3), "of order 1.99": arb(1.99)}
SCHEDULES = (flow_matching, cosine)


@in_balls
def run(_task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """The orders of the reversed step, of the level and of the step noised back; normal data."""
    return [*experiments(), of_normal()], {}


def experiments(step: Step = ddim_step) -> tuple[Experiment, ...]:
    """The orders of what ``step`` changes in the law, on all data and schedules."""
    reversal, levels, back = [], [], []
    for name, data in DATA.items():
        for schedule in SCHEDULES:
            inputs = {"data": name, "schedule": schedule.__name__}
            now = schedule(ball(START))
            ends = [schedule(ball(START + h)) for h in STEPS]
            order = limit_of(orders([variation(step, data, now, end) for end in ends]))
            longer = limit_of(orders([variation(_longer(step), data, now, end) for end in ends]))
            wrong = {**WRONG_ORDERS, "of the order of a step a thousandth too long": longer}
            reversal.append(Case(inputs, order, ball(2), wrong))
            order = limit_of(orders([variation(_stay, data, now, end) for end in ends]))
            levels.append(Case(inputs, order, ball(1), {"of second order": arb(2), "of no order": arb(0)}))
        back += [
            _back_and_forth(step, data, {"data": name, "mean of": part}, part) for part in ("cos", "sin")
        ]
    return (
        equal(
            f"distance from 2 of the order of the change by a reversed DDIM step ({EXTRAPOLATED})", reversal
        ),
        equal(f"distance from 1 of the order of the change of the level itself ({EXTRAPOLATED})", levels),
        equal(f"distance from 2 of the order of the change by DDIM and noise back ({EXTRAPOLATED})", back),
    )


def variation(step: Step, data: Mixture, now: Level[arb], then: Level[arb]) -> arb:
    """Over cells, between the law after ``step`` and that of the level ``then``."""
    before, after = data.at(now), data.at(then)
    ends = [ball(z) for z in CELLS]
    came_from = [before.cumulative(z) for z in ends]
    goes_to = [after.cumulative(step(z, before.denoiser(z), now, then)) for z in ends]
    changes = [abs(p - q) for p, q in zip(_cells(came_from), _cells(goes_to), strict=True)]
    return total(changes) / 2


def _cells(below: Sequence[arb]) -> list[arb]:
    edges = [arb(0), *below, arb(1)]
    return [high - low for low, high in itertools.pairwise(edges)]


def _longer(step: Step) -> Step:
    def stepped(z: Any, x_hat: Any, now: Level[Any], then: Level[Any]) -> Any:
        moved = step(z, x_hat, now, then)
        return z + (moved - z) * ball(1.001)

    return stepped


def _stay(z: Any, _x_hat: Any, _now: Level[Any], _then: Level[Any]) -> Any:
    return z


def _back_and_forth(step: Step, data: Mixture, inputs: Any, part: str) -> Case:
    """DDIM from the level to a less noisy one and forward noise back, on the flow-matching schedule."""
    now = flow_matching(ball(START))
    law = data.at(now)
    errors, halved = [], []
    exact = _of_law(law, part)
    for h in STEPS_NOISED:
        low = flow_matching(ball(START - h))
        errors.append(_after(step, law, low, ball(1), part) - exact)
        halved.append(_after(step, law, low, ball(0.5), part) - exact)
    wrong = {**WRONG_ORDERS, "of the order with half the variance": limit_of(orders(halved))}
    return Case(inputs, limit_of(orders(errors)), ball(2), wrong)


def _of_law(law: Law, part: str) -> arb:
    """The mean of cos or sin of the state: that of each component, times the factor of its spread."""
    w, wave = ball(FREQUENCY), WAVES[part]
    found: arb = total(p.share * wave(w * p.mean) * exp(-(w**2) * p.variance / 2) for p in law.components)
    return found


def _after(step: Step, law: Law, low: Level[arb], share: arb, part: str) -> arb:
    """The same mean after the step and the noise, of whose variance a share is added."""
    signal = renoise(arb(1), arb(0), low, law.level)
    variance = renoise(arb(0), arb(1), low, law.level) ** 2 * share
    w, wave = ball(FREQUENCY), WAVES[part]
    of_step = law.expectation(lambda z: wave(w * signal * step(z, law.denoiser(z), law.level, low)), 1)
    damped: arb = of_step * exp(-(w**2) * variance / 2)
    return damped


@with_bits(256)  # of differences of what is nearly equal
def of_normal(step: Step = ddim_step) -> Experiment:
    r"""On N(0, c^2) the total variation per squared step tends to :math:`c^2 \varphi(1) / V^2`.

    That of a normal law from one whose variance is less by a share d is :math:`d\, \varphi(1)` in the first
    order, and the share is :math:`c^2 h^2 / V^2` on the flow-matching schedule, for both.
    """
    cases = []
    for width in WIDTHS:
        c, now = ball(width), flow_matching(ball(START))
        spread = now.alpha**2 * c**2 + now.sigma**2
        reversal, back = [], []
        for h in STEPS:
            high, low = flow_matching(ball(START + h)), flow_matching(ball(START - h))
            kept = step(arb(1), gaussian_denoiser(arb(1), now, 0, c), now, high) ** 2 * spread
            reversal.append(_between(kept, high.alpha**2 * c**2 + high.sigma**2) / ball(h) ** 2)
            cleaned = step(arb(1), gaussian_denoiser(arb(1), now, 0, c), now, low) ** 2 * spread
            signal, noise = (renoise(arb(z), arb(1 - z), low, now) for z in (1, 0))
            back.append(_between(signal**2 * cleaned + noise**2, spread) / ball(h) ** 2)
        claimed = c**2 * exp(-ball(0.5)) / (2 * arb.pi()).sqrt() / spread**2
        wrong = {"identical": arb(0), "half as far": claimed / 2, "per variance": claimed * spread}
        for name, found in (("reversed", reversal), ("noised back", back)):
            cases.append(Case({"step": name, "c": width}, limit_of(found), claimed, wrong))
    measure = "distance of the total variation on normal data, per squared step, from its limit"
    return equal(f"{measure} ({EXTRAPOLATED})", cases)


def _between(less: arb, more: arb) -> arb:
    """The total variation of two centred normal laws, whose densities are equal at -z and z."""
    z = ((more / less).log() * less * more / (more - less)).sqrt()
    within, wider = ((z / (2 * variance).sqrt()).erf() for variance in (less, more))
    return abs(within - wider)
