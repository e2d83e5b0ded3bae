"""Forward noising is alpha x + sigma eps, and its velocity what that becomes with time.

If this is refuted, a model is trained on other states, or towards another target, than the schedule says.
"""

from collections.abc import Mapping, Sequence

from equiv.evidence import Evidence
from equiv.obligations import Obligation
from equiv.obligations.diffusions import DOMAINS, identities
from equiv.obligations.identities import hold
from equiv.obligations.schedules import INSIDE, PATHS, SCHEDULES, path
from equiv.result import Task

OBLIGATION = Obligation(
    id="forward-noising", title="Forward noising is alpha x + sigma eps", families=("path", "diffusion")
)
SAYS = "z = alpha x + sigma eps, with noise of its own where a path has any; the velocity is its rate in t"


def owes(subject: str, config: Mapping[str, str]) -> bool:
    """Whether it has a forward process that is read."""
    return subject in SCHEDULES or subject in PATHS or OBLIGATION.id in identities(subject, config)


def check(task: Task) -> Sequence[Evidence]:
    """Decide it at any time inside (0, 1), or after any step of any schedule."""
    if task.subject in SCHEDULES or task.subject in PATHS:
        return hold(task, SAYS, path(task.subject, task.config), INSIDE)
    return hold(task, SAYS, identities(task.subject, task.config)[OBLIGATION.id], DOMAINS)
