r"""DDIM does not see a rescaling of the schedule; Euler's method for the probability-flow equation does.

The schedules of the seed post: flow matching times :math:`((1 - t)^2 + t^2)^{-p}`, which is variance
preserving at p = 1/2. From the same state, brought to each gauge, one DDIM step ends at the same place.

Not claimed: how far apart the other sampler ends.
"""

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.cases import Network, Steps, draw_steps, mixture
from equiv.experiments.comparison import Sides, compare
from equiv.formulas.levels import Level, rescaled
from equiv.formulas.schedules import flow_matching
from equiv.formulas.steps import ddim_step, probability_flow_euler_step
from equiv.number import N, constant
from equiv.result import Task
from equiv.rounding import Rounded, exact

EXPERIMENT = Header(
    id="x-scale-invariance",
    title="DDIM ends at the same place under every scaling of the schedule",
    claims=("f-scale-invariance",),
)

EXPONENTS = (Fraction(1, 4), Fraction(1, 2), Fraction(1))
DRAWN = (Fraction(0), Fraction(1, 4), Fraction(1, 2))
FIGURE_STEPS = 8
FIGURE_STARTS = 9

Path = list[tuple[float, Tensor]]


def run(task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """One comparison with the unscaled schedule for each exponent, and the picture."""
    return [at_exponent(p, task) for p in EXPONENTS], {"rescaled-trajectories": trajectories()}


def scale(t: N, p: Fraction) -> N:
    r"""The factor of the seed post, :math:`((1 - t)^2 + t^2)^{-p}`."""
    return ((1 - t) ** 2 + t**2) ** constant(t, -p)


def rates(t: N, p: Fraction) -> Level[N]:
    r"""The derivatives of the level, :math:`\dot c (1 - t) - c` and :math:`\dot c t + c` for the scale c."""
    slope = constant(t, -p) * (4 * t - 2) * scale(t, p + 1)
    return Level(alpha=slope * (1 - t) - scale(t, p), sigma=slope * t + scale(t, p))


def ddim(network: Network, z_t: N, t: N, s: N, p: Fraction) -> N:
    """One DDIM step on the rescaled schedule."""
    now, then = (rescaled(flow_matching(time), scale(time, p)) for time in (t, s))
    x_hat: N = network(z_t, now)
    return ddim_step(z_t, x_hat, now, then)


def probability_flow_euler(network: Network, z_t: N, t: N, s: N, p: Fraction) -> N:
    """One Euler step of the probability-flow equation of the rescaled schedule."""
    now = rescaled(flow_matching(t), scale(t, p))
    x_hat: N = network(z_t, now)
    return probability_flow_euler_step(z_t, x_hat, now, rates(t, p), t, s)


def at_exponent(
    p: Fraction,
    task: Task,
    network: Network = mixture,
    step: Callable[..., Any] = ddim_step,
    *,
    steps: Steps | None = None,
    asked: str = "",
) -> Experiment:
    """Compare ``step`` on the rescaled schedule with DDIM on the schedule itself."""
    steps = steps or draw_steps(flow_matching, task)
    z_t, t, s = (exact(values) for values in steps)
    # the claim holds for any scale, so those that were computed are taken as exact
    there, back = exact(scale(steps.t, p)), exact(scale(steps.s, p))
    plain, now, then = flow_matching(t), rescaled(flow_matching(t), there), rescaled(flow_matching(s), back)
    z_there = there * z_t

    def got(state: Rounded = z_there, fed: Rounded = z_there, told: Level[Rounded] = now) -> Any:
        return step(state, network(fed, told), now, then)

    variants = {
        "probability-flow Euler in place of DDIM": probability_flow_euler(network, z_there, t, s, p) / back,
        "the network told the level before scaling": got(told=plain) / back,
        "the network fed the state before scaling": got(fed=z_t) / back,
        "the state not scaled": got(state=z_t, fed=z_t) / back,
        "the result not scaled back": got(),
    }
    expected = ddim_step(z_t, network(z_t, plain), plain, flow_matching(s))
    return compare(
        f"distance of a DDIM step on the schedule scaled with p = {p} from one on the schedule itself{asked}",
        Sides(expected, got() / back),
        {name: Sides(expected, wrong) for name, wrong in variants.items()},
        valid=(steps.t > 0).expand_as(steps.z_t),
        inputs={"t": steps.t, "s": steps.s, "z_t": steps.z_t},
    )


def trajectories() -> dict[str, Any]:
    """The picture: a panel for each sampler and exponent, in float64, marked with the ends at p = 0."""
    panels, moves = [], []
    for sampler, step in (("DDIM", ddim), ("probability-flow Euler", probability_flow_euler)):
        paths = {p: _trajectory(step, p) for p in DRAWN}
        ends = {p: path[-1][1] for p, path in paths.items()}
        panels += [
            {"title": f"{sampler}, p = {p}", "series": _series(sampler, path, ends[DRAWN[0]])}
            for p, path in paths.items()
        ]
        moved = max((end - ends[DRAWN[0]]).abs().max().item() for end in ends.values())
        moves.append(f"The end points of {sampler} move by at most {moved:.2g}.")
    return {
        "panels": panels,
        "x": "t",
        "y": "state",
        "title": "One data set under three scalings of one schedule.",
        "caption": f"Flow matching times ((1 - t)² + t²)⁻ᵖ, {FIGURE_STEPS} steps from t = 1 to 0. "
        + " ".join(moves),
    }


def _trajectory(step: Callable[..., Any], p: Fraction) -> Path:
    times = torch.linspace(1, 0, FIGURE_STEPS + 1, dtype=torch.float64)
    z = torch.linspace(-2, 2, FIGURE_STARTS, dtype=torch.float64)
    path = [(1.0, z)]
    for t, s in itertools.pairwise(times):
        z = step(mixture, z, t, s, p)
        path.append((s.item(), z))
    return path


def _series(sampler: str, path: Path, ends: Tensor) -> list[dict[str, Any]]:
    lines = [[[t, z[i].item()] for t, z in path] for i in range(len(ends))]
    marks = [[[-0.06, end.item()], [0.0, end.item()]] for end in ends]
    return [{"label": sampler, "paths": lines}, {"label": "where it ends at p = 0", "paths": marks}]
