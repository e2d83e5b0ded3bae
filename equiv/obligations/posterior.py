"""The posterior is the product of its two factors.

If this is refuted, sampling goes to another level, or leaves other noise, than the forward process has there.
"""

from collections.abc import Mapping, Sequence

from equiv.evidence import Evidence
from equiv.obligations import Obligation
from equiv.obligations.diffusions import DOMAINS, identities
from equiv.obligations.identities import hold
from equiv.result import Task

OBLIGATION = Obligation(
    id="posterior", title="The posterior is the product of its two factors", families=("diffusion",)
)
SAYS = "mean and variance of q(z_s given z_t and x), by the precisions of the step and of the state before"


def owes(subject: str, config: Mapping[str, str]) -> bool:
    """Whether the class has one."""
    return OBLIGATION.id in identities(subject, config)


def check(task: Task) -> Sequence[Evidence]:
    """Decide it for any schedule."""
    return hold(task, SAYS, identities(task.subject, task.config)[OBLIGATION.id], DOMAINS)
