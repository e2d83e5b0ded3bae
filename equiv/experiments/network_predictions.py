r"""One network in four outputs: a step taken in any prediction ends at the same place.

The output of a network of one kind is turned into each other prediction, and the step is taken in the row of
that prediction: x in :math:`z / \sigma`, noise in :math:`z / \alpha`, u in :math:`z / (\alpha + \sigma)`, and
v as a rotation in the variance-preserving gauge. None of these mentions the data prediction of the others.

Not claimed: the last step to the data, where the row of x is a limit; training in another prediction.
"""

from typing import Any

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.ddim_is_euler import SCHEDULES
from equiv.experiments.reference_networks import Asked, measured, of_rows, positive
from equiv.formulas.levels import Level
from equiv.formulas.predictions import FROM_X, TO_X, eps_from_x, u_from_x, x_from_eps, x_from_u
from equiv.formulas.schedules import variance_preserving
from equiv.formulas.steps import ddim_step
from equiv.number import N, sqrt
from equiv.result import Task
from equiv.rounding import Rounded, exact

EXPERIMENT = Header(
    id="x-network-predictions",
    title="A trained network in another prediction gives the same step",
    claims=("p-conversions", "f-three-rows", "p-v-u"),
    dtypes=("float64", "float32", "bfloat16", "float16"),
    networks=("ring", "unequal", "digits"),
)

KINDS = ("x", "eps", "v", "u")


def run(task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """One comparison for each schedule and prediction that networks were trained in."""
    return measured(task, SCHEDULES, lambda asked: [in_every_row(asked)])


def in_every_row(asked: Asked) -> Experiment:
    """The step by the data prediction against the steps in the four rows."""
    now, then = asked.levels()
    z_t, scale = exact(asked.steps.z_t), now.alpha + now.sigma
    flow = Level(now.alpha / scale, now.sigma / scale)
    raw, q, there = asked.networks.outputs(z_t / scale, flow)
    x_hat = TO_X[asked.networks.kind](q, raw, there)
    outputs = {kind: raw if kind == asked.networks.kind else FROM_X[kind](q, x_hat, there) for kind in KINDS}
    expected = ddim_step(z_t, asked.networks(z_t, now), now, then)
    got = [row(kind, z_t, outputs[kind], now, then) for kind in KINDS]
    return asked.compare(
        f"distance of a step in the data prediction ({asked.schedule.__name__}) from one in every prediction",
        of_rows([expected] * len(KINDS), got),
        {
            name: of_rows([expected] * len(KINDS), [ddim_step(z_t, wrong, now, then)] * len(KINDS))
            for name, wrong in false_variants(outputs, z_t, now, then).items()
        },
        valid=positive(now, then),
    )


def row(kind: str, z_t: N, output: N, now: Level[N], then: Level[N]) -> N:
    """The DDIM step in the gauge in which it is Euler's for that prediction; for v, a rotation."""
    match kind:
        case "x":
            return then.sigma * (z_t / now.sigma + (then.alpha / then.sigma - now.alpha / now.sigma) * output)
        case "eps":
            return then.alpha * (z_t / now.alpha + (then.sigma / then.alpha - now.sigma / now.alpha) * output)
        case "u":
            before, after = now.alpha + now.sigma, then.alpha + then.sigma
            return after * (z_t / before + (then.sigma / after - now.sigma / before) * output)
        case _:
            a, b = variance_preserving(now), variance_preserving(then)
            kept, turned = a.alpha * b.alpha + a.sigma * b.sigma, a.sigma * b.alpha - a.alpha * b.sigma
            before, after = (sqrt(level.alpha**2 + level.sigma**2) for level in (now, then))
            return after * (kept * (z_t / before) - turned * output)


def false_variants(
    outputs: dict[str, Rounded], z_t: Rounded, now: Level[Rounded], then: Level[Rounded]
) -> dict[str, Rounded]:
    """Data predictions that look like the network's and are not."""
    scale = now.alpha + now.sigma
    of_preserving = now.alpha / scale * (z_t / scale) - now.sigma / scale * outputs["v"]
    return {
        "v turned back, in the flow's gauge, by the formula of variance-preserving levels": of_preserving,
        "v taken for u": x_from_u(z_t, outputs["v"], now),
        "u turned round": x_from_u(z_t, -outputs["u"], now),
        "u not divided by its scale": z_t - now.sigma * outputs["u"],
        "the noise taken for the data": outputs["eps"],
        "the noise taken away at the next level": x_from_eps(z_t, outputs["eps"], then),
        "the noise of twice the data": x_from_eps(z_t, eps_from_x(z_t, 2 * outputs["x"], now), now),
        "u of twice the data": x_from_u(z_t, u_from_x(z_t, 2 * outputs["x"], now), now),
    }
