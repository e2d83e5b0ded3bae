r"""DDIM with trained networks does not see a rescaling of the schedule; what else changes does.

Not claimed: how far apart the false variants end.
"""

from typing import Any

from equiv.evidence import Evidence
from equiv.experiments import Header
from equiv.experiments.reference_networks import measured
from equiv.experiments.rescaled_schedules import EXPONENTS, at_exponent
from equiv.formulas.schedules import flow_matching
from equiv.result import Task

EXPERIMENT = Header(
    id="x-network-scale-invariance",
    title="DDIM ends at the same place under every scaling of the schedule, with trained networks",
    claims=("f-scale-invariance", "l-gauge-invariance"),
    dtypes=("float64", "float32", "bfloat16", "float16"),
    networks=("ring", "unequal", "digits"),
)


def run(task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """One comparison for each exponent and prediction."""
    return measured(
        task,
        (flow_matching,),
        lambda a: [at_exponent(p, task, a.networks, steps=a.steps, asked=a.words) for p in EXPONENTS],
    )
