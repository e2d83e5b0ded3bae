"""The weight of the loss is the one it names.

If this is refuted, the same objective in another prediction trains towards something else.
"""

from collections.abc import Mapping, Sequence

from equiv.evidence import Evidence
from equiv.obligations import Obligation
from equiv.obligations.diffusions import DOMAINS, identities
from equiv.obligations.identities import hold
from equiv.result import Task

OBLIGATION = Obligation(
    id="loss-weight", title="The weight of the loss is the one it names", families=("diffusion",)
)
SAYS = "as many times the error of the noise as the class says, for the prediction that it takes"


def owes(subject: str, config: Mapping[str, str]) -> bool:
    """Whether the class has one."""
    return OBLIGATION.id in identities(subject, config)


def check(task: Task) -> Sequence[Evidence]:
    """Decide it for any schedule."""
    return hold(task, SAYS, identities(task.subject, task.config)[OBLIGATION.id], DOMAINS)
