"""One step equals the formula its class names, between the levels that the scheduler lists.

If this is refuted, the step uses another coefficient than its paper, or goes to another level than the one
the scheduler lists next: compare the entries of the schedule in the counterexample with ``timesteps``. A
counterexample without an output of the network is one whose network gives back what it is fed: there it is
the scaling of its input that is wrong.
"""

from collections.abc import Sequence

from equiv.evidence import Evidence
from equiv.obligations import Obligation
from equiv.obligations.specifications import SPECIFICATIONS, noise
from equiv.obligations.steps import Owed, hold, network_level, x_hat
from equiv.result import Task
from equiv.subjects.subject import LiftedStep, resolve
from equiv.symbolic.expression import substitute

OBLIGATION = Obligation(id="step-equals-formula", title="A step equals the formula its class names")


def check(task: Task) -> Sequence[Evidence]:
    """Decide it at every step of the configuration."""
    specification = SPECIFICATIONS[task.subject]
    gauge = resolve(task.subject).gauge

    def owed(step: LiftedStep) -> list[Owed]:
        right = specification.step(step, x_hat(step, gauge), task.config)
        run = {"z": step.state, "n": noise(step)}
        any_network = Owed(step.output, right, ({**run, "net": step.network},))
        told, _ = network_level(step, gauge)
        if step.fed is told:
            return [any_network]
        # that the network is fed the state in its own gauge shows in what it would give back
        got, expected = (
            substitute(e, {step.network: fed}) for e, fed in ((step.output, step.fed), (right, told))
        )
        return [any_network, Owed(got, expected, (run,))]

    return hold(task, specification.says, owed)
