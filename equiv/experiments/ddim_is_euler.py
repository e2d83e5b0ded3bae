r"""A DDIM step and an Euler step of flow matching, each from the same state, on data whose denoiser is exact.

Each side brings the state to its own gauge, calls the denoiser for itself and steps between its own times;
the flow's times are :math:`\sigma / (\alpha + \sigma)` of the schedule's levels.

Not claimed: anything about networks other than this one, or about whole trajectories.
"""

from collections.abc import Callable
from typing import Any

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.cases import Network, Schedule, Steps, draw_steps, mixture
from equiv.experiments.comparison import Sides, compare
from equiv.formulas.levels import Level
from equiv.formulas.predictions import u_from_x, v_from_x
from equiv.formulas.schedules import cosine, ddpm_linear, flow_matching, sub_vp
from equiv.formulas.steps import ddim_step, flow_euler_step
from equiv.number import N
from equiv.result import Task
from equiv.rounding import Rounded, exact

EXPERIMENT = Header(
    id="x-ddim-is-euler",
    title="DDIM is Euler flow sampling, step by step",
    claims=("f-ddim-is-fm", "s-gauge-equivalence"),
)

SCHEDULES: tuple[Schedule, ...] = (cosine, ddpm_linear, sub_vp)
Step = Callable[[Any, Any, Level[Any], Level[Any]], Any]


def run(task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """One comparison for each schedule."""
    return [on_schedule(schedule, task) for schedule in SCHEDULES], {}


def on_schedule(
    schedule: Schedule,
    task: Task,
    network: Network = mixture,
    step: Step = ddim_step,
    *,
    steps: Steps | None = None,
    asked: str = "",
) -> Experiment:
    """Compare ``step`` with Euler flow sampling; the levels must be positive, but the last noise may be 0."""
    steps = steps or draw_steps(schedule, task)
    # the claim holds for any levels, so those that were computed are taken as exact
    now, then = (Level(*map(exact, schedule(times))) for times in (steps.t, steps.s))
    z_t, t, s = (exact(values) for values in steps)
    expected = step(z_t, network(z_t, now), now, then)
    positive = (
        (now.alpha.value > 0) & (now.sigma.value > 0) & (then.alpha.value > 0) & (then.sigma.value >= 0)
    )
    return compare(
        f"distance of a DDIM step ({schedule.__name__}) from the Euler flow step{asked}",
        Sides(expected, flow_euler(network, z_t, now, then)),
        {name: Sides(expected, got) for name, got in false_variants(network, z_t, now, then, (t, s)).items()},
        valid=positive.expand_as(steps.z_t),
        inputs={"t": steps.t, "s": steps.s, "z_t": steps.z_t},
    )


def flow_euler(
    network: Network,
    z_t: N,
    now: Level[N],
    then: Level[N],
    *,
    times: tuple[N, N] | None = None,
    fed: N | None = None,
    told: Level[N] | None = None,
    velocity: Callable[[N, N, Level[N]], N] = u_from_x,
) -> N:
    """The Euler flow step between two levels of another schedule, given and returned in its gauge.

    What stands after the star is for false variants, which go wrong in one place each.
    """
    scale_t, scale_s = now.alpha + now.sigma, then.alpha + then.sigma
    t, s = times or (now.sigma / scale_t, then.sigma / scale_s)
    y_t = z_t / scale_t
    level = flow_matching(t)
    x_hat = network(y_t if fed is None else fed, told or level)
    return scale_s * flow_euler_step(y_t, velocity(y_t, x_hat, level), t, s)


def false_variants(
    network: Network, z_t: Rounded, now: Level[Rounded], then: Level[Rounded], times: tuple[Rounded, Rounded]
) -> dict[str, Rounded]:
    """Steps that look like the Euler flow step and are not."""

    def variant(**wrong: Any) -> Rounded:
        return flow_euler(network, z_t, now, then, **wrong)

    next_time = then.sigma / (then.alpha + then.sigma)
    return {
        "the velocity with its sign turned": variant(velocity=lambda y, x, at: -u_from_x(y, x, at)),
        "the velocity not divided by the time": variant(velocity=lambda y, x, _at: y - x),
        "v in place of u": variant(velocity=v_from_x),
        "uniform t on both sides": variant(times=times),
        "the network's input not rescaled": variant(fed=z_t),
        "the network told the schedule's level": variant(told=now),
        "the network told the next level": variant(told=flow_matching(next_time)),
        "the result left in the flow's gauge": variant() / (then.alpha + then.sigma),
    }
