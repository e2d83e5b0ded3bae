r"""How the error of whole deterministic samplers falls with the number of steps, on data of exact denoiser.

The exact flow of one dimension keeps quantiles, so where a trajectory should end is known to a ball: the
state at the last level with as much below it as the start has at the first. The order of a sampler is read
off errors at numbers of steps that double. As many steps of DDIM on a diffusion schedule as of Euler on flow
matching, at the same noise ratios, end at the same place; how many are needed is told by the order.

Not claimed: trained networks; ends at pure noise or clean data; which grid is best.
"""

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from flint import arb

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.quadrature.balls import (
    EXTRAPOLATED,
    Case,
    ball,
    below,
    equal,
    limit_of,
    orders,
    with_bits,
)
from equiv.experiments.quadrature.data import DATA, MIXTURE, Mixture
from equiv.formulas.denoisers import mixture_denoiser
from equiv.formulas.dpm_solver import dpm_solver_pp_1, dpm_solver_pp_2m
from equiv.formulas.levels import Level
from equiv.formulas.predictions import u_from_x
from equiv.formulas.samplers import heun, midpoint
from equiv.formulas.schedules import cosine, flow_matching
from equiv.formulas.steps import ddim_step, flow_euler_step
from equiv.result import Task

EXPERIMENT = Header(
    id="x-step-count",
    title="Error against the number of steps belongs to the sampler, not to the framework",
    claims=("n-step-count", "f-orders", "f-convergence"),
    dtypes=(),
)

Denoise = Callable[[Any, Level[Any]], Any]
Sampler = Callable[[arb, Sequence[Level[arb]], Denoise], arb]
Schedule = Callable[[Any], Level[Any]]
FIRST, LAST = 0.875, 0.125  # times
COUNTS = tuple(48 * 2**k for k in range(4))
STARTS = (-0.75, 0.5)  # in units of the noise at the start
precisely = with_bits(384)  # balls grow along a trajectory
SHOWN = (4, 8, 16, 32, 64, 128)


class Path(NamedTuple):
    """Where a trajectory starts, and where the exact flow takes it."""

    data: Mixture
    schedule: Schedule
    start: arb
    end: arb

    def error(self, sampler: Sampler, steps: int) -> arb:
        """How far from there ``sampler`` ends, per signal."""
        at = levels(self.schedule, steps)
        found = sampler(self.start, at, lambda z, level: mixture_denoiser(z, level, *self.data))
        return (found - self.end) / at[-1].alpha


def path(data: Mixture, schedule: Schedule, start: float) -> Path:
    """The exact flow of one trajectory."""
    first, last = (data.at(schedule(ball(t))) for t in (FIRST, LAST))
    state = ball(start) * first.level.sigma
    return Path(data, schedule, state, last.quantile(first.cumulative(state)))


def levels(schedule: Schedule, steps: int) -> list[Level[arb]]:
    """Uniform times of the schedule."""
    return [schedule(ball(FIRST) + ball(LAST - FIRST) * k / steps) for k in range(steps + 1)]


def in_steps(step: Callable[..., Any]) -> Sampler:
    """One step after the other."""

    def sampler(z: arb, at: Sequence[Level[arb]], denoise: Denoise) -> arb:
        for now, then in itertools.pairwise(at):
            z = step(z, denoise, now, then)
        return z

    return sampler


def two_outputs(z: arb, at: Sequence[Level[arb]], denoise: Denoise, step: Any = dpm_solver_pp_2m) -> arb:
    """DPM-Solver++(2M), whose first step is DDIM's."""
    before = denoise(z, at[0])
    z = dpm_solver_pp_1(z, before, at[0], at[1])
    for earlier, now, then in zip(at, at[1:], at[2:], strict=False):
        x_hat = denoise(z, now)
        z = step(z, x_hat, before, earlier, now, then)
        before = x_hat
    return z


def ddim(z: Any, denoise: Denoise, now: Level[Any], then: Level[Any]) -> Any:
    """In the form in which the output enters once, or balls would grow as if it were two."""
    return dpm_solver_pp_1(z, denoise(z, now), now, then)


def _swapped(z: Any, x_hat: Any, before: Any, *at: Level[Any]) -> Any:
    return dpm_solver_pp_2m(z, x_hat, x_hat + (x_hat - before), *at)


def _stale(z: Any, denoise: Denoise, now: Level[Any], then: Level[Any]) -> Any:
    """Heun whose second call is told the first level."""
    return heun(z, lambda y, _level: denoise(y, now), now, then)


def _short(z: Any, denoise: Denoise, now: Level[Any], then: Level[Any]) -> Any:
    """DDIM whose output is an eighth too small."""
    return ddim(z, lambda y, level: denoise(y, level) * ball(0.875), now, then)


EULER, HEUN = in_steps(ddim), in_steps(heun)
SAMPLERS: dict[str, tuple[Sampler, int]] = {
    "DDIM": (EULER, 1),
    "Heun": (HEUN, 2),
    "midpoint": (in_steps(midpoint), 2),
    "DPM-Solver++(2M)": (two_outputs, 2),
}
WRONG: dict[str, dict[str, Sampler]] = {
    "DDIM": {"of the order of DDIM with an output too small": in_steps(_short)},
    "Heun": {"of the order of Heun told one level twice": in_steps(_stale)},
    "midpoint": {"of the order of DDIM": EULER},
    "DPM-Solver++(2M)": {"of the order with its slope turned": functools.partial(two_outputs, step=_swapped)},
}


@precisely
def run(_task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """Orders, the same steps in both frameworks, how many are needed, and the picture."""
    return [of_orders(), of_frameworks(), of_counts()], {"step-count": picture()}


def of_orders(samplers: dict[str, tuple[Sampler, int]] = SAMPLERS) -> Experiment:
    """Each sampler on trajectories of both data, on a schedule of either framework."""
    cases = []
    for (name, data), schedule, start in zip(DATA.items(), (flow_matching, cosine), STARTS, strict=True):
        along = path(data, schedule, start)
        for sampler, (takes, order) in samplers.items():
            wrong = {f"of order {q}": ball(q) for q in (order - 0.25, order + 0.25, order + 1)}
            for what, stepped in WRONG[sampler].items():
                wrong[what] = limit_of(orders([along.error(stepped, n) for n in COUNTS]))
            found = limit_of(orders([along.error(takes, n) for n in COUNTS]))
            inputs = {"data": name, "schedule": schedule.__name__, "start": start, "sampler": sampler}
            cases.append(Case(inputs, found, ball(order), wrong))
    return equal(f"distance of the observed order from the sampler's ({EXTRAPOLATED})", cases)


def of_frameworks(step: Callable[..., Any] = ddim_step) -> Experiment:
    """N steps of DDIM on the cosine schedule, and of Euler in the flow's gauge and time."""
    cases = []
    for start, steps in itertools.product(STARTS, (5, 20)):
        at = levels(cosine, steps)
        z = ball(start)
        y = z / (at[0].alpha + at[0].sigma)
        uniform = flow = y
        times = [level.sigma / (level.alpha + level.sigma) for level in at]
        evenly = [times[0] + (times[-1] - times[0]) * k / steps for k in range(steps + 1)]
        for now, then in itertools.pairwise(at):
            z = step(z, mixture_denoiser(z, now, *MIXTURE), now, then)
        for t, s in itertools.pairwise(times):
            flow = _flow_step(flow, t, s)
        for t, s in itertools.pairwise(evenly):
            uniform = _flow_step(uniform, t, s)
        scale = at[-1].alpha + at[-1].sigma
        wrong = {"uniform times of its own": uniform * scale, "not scaled back": flow}
        cases.append(Case({"start": start, "steps": steps}, z, flow * scale, wrong))
    return equal("distance of the end of Euler flow sampling from that of DDIM on the cosine schedule", cases)


def _flow_step(y: arb, t: arb, s: arb) -> arb:
    level = flow_matching(t)
    return flow_euler_step(y, u_from_x(y, mixture_denoiser(y, level, *MIXTURE), level), t, s)


def of_counts() -> Experiment:
    """A hundred steps or fewer of a diffusion sampler do better than a thousand Euler steps of the flow."""
    cases = []
    for start in STARTS:
        flow, diffusion = (path(MIXTURE, schedule, start) for schedule in (flow_matching, cosine))
        limit = abs(flow.error(EULER, 1000))
        wrong = {
            "DDIM with as few": abs(diffusion.error(EULER, 100)),
            "Euler flow sampling with as few": abs(flow.error(EULER, 100)),
            "Heun with four": abs(diffusion.error(HEUN, 4)),
        }
        cases.append(Case({"start": start}, limit, abs(diffusion.error(HEUN, 100)), wrong))
    return below(
        "what 100 steps of Heun on the cosine schedule err less than 1000 of Euler flow sampling", cases
    )


def picture() -> dict[str, Any]:
    """Errors over numbers of steps, both as logarithms: the slopes are the orders."""
    series = []
    for label, schedule, sampler in (
        ("Euler, flow matching", flow_matching, EULER),
        ("DDIM, cosine", cosine, EULER),
        ("Heun, flow matching", flow_matching, HEUN),
        ("Heun, cosine", cosine, HEUN),
    ):
        along = path(MIXTURE, schedule, STARTS[0])
        errors = [abs(along.error(sampler, n)) for n in SHOWN]
        points = [
            [float(arb(n).log().mid()) / LOG_10, float(e.log().mid()) / LOG_10]
            for n, e in zip(SHOWN, errors, strict=True)
        ]
        series.append({"label": label, "paths": [points]})
    return {
        "panels": [{"title": "a mixture of three normals", "series": series}],
        "x": "log10 of the number of steps",
        "y": "log10 of the error",
        "title": "Error against the number of steps",
        "caption": "The slope is the sampler's order; diffusion and flow matching share it.",
    }


LOG_10 = 2.302585092994046
