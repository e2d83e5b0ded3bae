"""A path, or its log-SNR, equals the formula it names.

If this is refuted, the schedule has another constant, or runs the other way in time, than its paper.
"""

from collections.abc import Mapping, Sequence

from equiv.evidence import Evidence
from equiv.obligations import Obligation
from equiv.obligations.diffusions import DOMAINS, identities
from equiv.obligations.identities import Identity, hold
from equiv.obligations.schedules import INSIDE, PATHS, SCHEDULES, level
from equiv.result import Task

OBLIGATION = Obligation(
    id="path-equals-formula",
    title="A path, or its log-SNR, equals the formula it names",
    families=("path", "diffusion"),
)
SAYS = "alpha and sigma, or the log-SNR, at t are those of the schedule that it names"


def owes(subject: str, config: Mapping[str, str]) -> bool:
    """Whether it has a schedule of a continuous time."""
    if subject in PATHS:
        return False
    return subject in SCHEDULES or OBLIGATION.id in identities(subject, config)


def check(task: Task) -> Sequence[Evidence]:
    """Decide it at any time inside (0, 1)."""
    if task.subject in SCHEDULES:
        alpha, sigma = level(task.subject, task.config)
        return hold(task, SAYS, [Identity("alpha", alpha), Identity("sigma", sigma)], INSIDE)
    return hold(task, SAYS, identities(task.subject, task.config)[OBLIGATION.id], DOMAINS)
