r"""A DDIM step and an Euler step of flow matching with trained networks, each side asking for itself.

The two sides feed the networks states and log-SNRs that agree but for rounding; what becomes of that is
enclosed (:mod:`equiv.reference.enclosure`).

Not claimed: that the networks denoise well, or anything about whole trajectories.
"""

from typing import Any

from equiv.evidence import Evidence
from equiv.experiments import Header
from equiv.experiments.ddim_is_euler import SCHEDULES, on_schedule
from equiv.experiments.reference_networks import measured
from equiv.result import Task

EXPERIMENT = Header(
    id="x-network-ddim-is-euler",
    title="DDIM is Euler flow sampling, step by step, with trained networks",
    claims=("f-ddim-is-fm", "s-gauge-equivalence"),
    dtypes=("float64", "float32", "bfloat16", "float16"),
    networks=("ring", "unequal", "digits", "photographs"),
)


def run(task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """One comparison for each schedule and prediction."""
    return measured(
        task,
        SCHEDULES,
        lambda a: [on_schedule(a.schedule, task, a.networks, steps=a.steps, asked=a.words)],
    )
