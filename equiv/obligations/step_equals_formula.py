"""One step equals the formula its class names, between the levels that the scheduler lists.

If this is refuted, the step uses another coefficient than its paper, or goes to another level than the one
the scheduler lists next: compare the entries of the schedule in the counterexample with ``timesteps``.
"""

from collections.abc import Sequence

from equiv.evidence import Evidence
from equiv.obligations import Obligation
from equiv.obligations.specifications import SPECIFICATIONS, noise
from equiv.obligations.steps import Owed, hold, x_hat
from equiv.result import Task
from equiv.subjects.subject import LiftedStep, resolve

OBLIGATION = Obligation(id="step-equals-formula", title="A step equals the formula its class names")


def check(task: Task) -> Sequence[Evidence]:
    """Decide it at every step of the configuration."""
    specification = SPECIFICATIONS[task.subject]
    gauge = resolve(task.subject).gauge

    def owed(step: LiftedStep) -> list[Owed]:
        right = specification.step(step, x_hat(step, gauge), task.config)
        return [Owed(step.output, right, ({"z": step.state, "net": step.network, "n": noise(step)},))]

    return hold(task, specification.says, owed)
