"""The same denoiser in another prediction type gives the same sample.

If this is refuted, the class converts the network's output at another level than the one it believes its
state to have, or applies its formula to the raw output.
"""

from collections.abc import Sequence

from equiv.evidence import Evidence
from equiv.obligations import Obligation, lifted
from equiv.obligations.specifications import noise
from equiv.obligations.steps import Owed, hold, output_for, replaced
from equiv.result import Task
from equiv.subjects.subject import LiftedStep, resolve
from equiv.symbolic.expression import symbol

OBLIGATION = Obligation(
    id="prediction-type",
    title="The prediction type makes no difference",
    several=("prediction_type",),
)


def check(task: Task) -> Sequence[Evidence]:
    """Both types are given the output that means the same x_hat; the results are to be equal."""
    subject = resolve(task.subject)
    default = subject.options["prediction_type"][0]
    reference = {**task.config, "prediction_type": default}
    x_hat = symbol("x_hat", "network")

    def owed(step: LiftedStep) -> list[Owed]:
        twin = lifted(task.subject, reference)[step.index]
        own, other = (output_for(s, subject.gauge, x_hat) for s in (step, twin))
        got, expected = replaced(step, step.state, own), replaced(twin, twin.state, other)
        run = {"z": step.state, "net": own, "n": noise(step)}
        return [Owed(got, expected, (run,), hypotheses={x_hat: step.point[step.network]})]

    return hold(task, f"the sample that prediction_type={default} gives for the same x_hat", owed)
