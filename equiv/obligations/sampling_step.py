"""A sampling step is a draw of the posterior at the model's data prediction.

If this is refuted, look at how x_hat is held between its bounds, at the noise of the last step, and at eta.
"""

from collections.abc import Mapping, Sequence

from equiv.evidence import Evidence
from equiv.obligations import Obligation
from equiv.obligations.diffusions import DOMAINS, identities
from equiv.obligations.identities import hold
from equiv.result import Task

OBLIGATION = Obligation(
    id="sampling-step",
    title="A sampling step is a draw of the posterior at the model's data prediction",
    families=("diffusion",),
)
SAYS = "a draw of q(z_s given z_t and x_hat), x_hat between -1 and 1 where the class holds it; or DDIM's step"


def owes(subject: str, config: Mapping[str, str]) -> bool:
    """Whether the class has one."""
    return OBLIGATION.id in identities(subject, config)


def check(task: Task) -> Sequence[Evidence]:
    """Decide it for any schedule."""
    return hold(task, SAYS, identities(task.subject, task.config)[OBLIGATION.id], DOMAINS)
