"""One step equals the formula its class names, between the levels that the scheduler lists.

If this is refuted, the step uses another coefficient than its paper, or goes to another level than the one
the scheduler lists next: compare the entries of the schedule in the counterexample with ``timesteps``. A
counterexample without an output of the network is one whose network gives back what it is fed: there it is
the scaling of its input that is wrong.
"""

from collections.abc import Sequence

from equiv.evidence import Evidence
from equiv.obligations import Obligation
from equiv.obligations.conformance import Refused
from equiv.obligations.networks import network_level
from equiv.obligations.probed_steps import probe_steps
from equiv.obligations.specifications import specification
from equiv.obligations.steps import Owed, hold, inputs
from equiv.result import Task
from equiv.subjects.subject import LiftedStep
from equiv.symbolic.expression import substitute

OBLIGATION = Obligation(id="step-equals-formula", title="A step equals the formula its class names")


def check(task: Task) -> Sequence[Evidence]:
    """Decide it at every step of the configuration."""
    formula = specification(task.subject, task.config)

    def owed(step: LiftedStep) -> list[Owed]:
        right = formula.step(step)
        run = inputs(step, step.output, right)
        keeps = formula.kept(step)
        kept = [Owed(e, keeps[name], ()) for name, e in step.kept.items() if name in keeps]
        any_network = Owed(step.output, right, (run,))
        told, _ = network_level(step)
        if step.fed is told:
            return [any_network, *kept]
        # that the network is fed the state in its own gauge shows in what it would give back
        got, expected = (
            substitute(e, {step.network: fed}) for e, fed in ((step.output, step.fed), (right, told))
        )
        alone = {name: e for name, e in run.items() if name != "net"}
        return [any_network, Owed(got, expected, (alone,)), *kept]

    def probe(refused: Refused) -> list[Evidence]:
        return probe_steps(task, formula.says, formula.step, refused)

    return hold(task, formula.says, owed, probe)
