"""The rates of a schedule are its derivatives.

If this is refuted, velocities made of these rates do not follow the path: look for a chain rule left out.
"""

from collections.abc import Mapping, Sequence

from equiv.evidence import Evidence
from equiv.obligations import Obligation
from equiv.obligations.identities import Identity, hold
from equiv.obligations.schedules import INSIDE, SCHEDULES, rates
from equiv.result import Task

OBLIGATION = Obligation(
    id="rates-are-derivatives", title="The rates of a schedule are its derivatives", families=("path",)
)
SAYS = "the rates of alpha and sigma are their derivatives by t"


def owes(subject: str, _: Mapping[str, str]) -> bool:
    """Whether it is a schedule that has them."""
    return subject in SCHEDULES


def check(task: Task) -> Sequence[Evidence]:
    """Decide it at any time inside (0, 1)."""
    alpha, sigma = rates(task.subject, task.config)
    owed = [Identity("the rate of alpha", alpha), Identity("the rate of sigma", sigma)]
    return hold(task, SAYS, owed, INSIDE)
