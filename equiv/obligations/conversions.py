"""A prediction turned into another means the same.

If this is refuted, a sampler that turns the model's output into another prediction samples something else.
"""

from collections.abc import Mapping, Sequence

from equiv.evidence import Evidence
from equiv.obligations import Obligation
from equiv.obligations.diffusions import DOMAINS, identities
from equiv.obligations.identities import hold
from equiv.obligations.schedules import INSIDE, PATHS, SCHEDULES, converted
from equiv.result import Task

OBLIGATION = Obligation(
    id="conversions",
    title="A prediction turned into another means the same",
    families=("path", "diffusion"),
)
SAYS = "at z = alpha x + sigma eps, each prediction turns into what the other is of the same x and eps"


def owes(subject: str, config: Mapping[str, str]) -> bool:
    """Whether it turns predictions into others."""
    if subject in PATHS:
        return False
    return subject in SCHEDULES or OBLIGATION.id in identities(subject, config)


def check(task: Task) -> Sequence[Evidence]:
    """Decide it at any time inside (0, 1), or after any step of any schedule."""
    if task.subject in SCHEDULES:
        return hold(task, SAYS, converted(task.subject, task.config), INSIDE)
    return hold(task, SAYS, identities(task.subject, task.config)[OBLIGATION.id], DOMAINS)
