"""The same denoiser in another prediction type gives the same sample.

If this is refuted, the class converts the network's output at another level than the one it believes its
state to have, or applies its formula to the raw output.
"""

from collections.abc import Sequence

from equiv.evidence import Evidence
from equiv.obligations import Obligation, lifted
from equiv.obligations.networks import output_for
from equiv.obligations.steps import Owed, hold, inputs
from equiv.result import Task
from equiv.subjects.subject import Call, LiftedStep, resolve
from equiv.symbolic.expression import Expr, substitute, symbol

OBLIGATION = Obligation(
    id="prediction-type",
    title="The prediction type makes no difference",
    several=("prediction_type",),
)


def check(task: Task) -> Sequence[Evidence]:
    """Both types are given the output that means the same x_hat; the results are to be equal."""
    default = resolve(task.subject).options["prediction_type"][0]
    reference = {**task.config, "prediction_type": default}

    def owed(step: LiftedStep) -> list[Owed]:
        twin = lifted(task.subject, reference)[step.index]
        got, expected = _of_x_hat(step), _of_x_hat(twin)
        outputs = {call.network: output_for(call, _x_hat(call)) for call in (step, *step.earlier)}
        run = {name: substitute(e, outputs) for name, e in inputs(step, step.output).items()}
        meant = {_x_hat(call): step.point[call.network] for call in (step, *step.earlier)}
        return [Owed(got, expected, (run,), hypotheses=meant)]

    return hold(task, f"the sample that prediction_type={default} gives for the same x_hat", owed)


def _x_hat(call: Call) -> Expr:
    """The data prediction of a call, as a variable."""
    return symbol(str(call.network.param).replace("net", "x_hat"), "network")


def _of_x_hat(step: LiftedStep) -> Expr:
    """The result of a step in terms of data predictions."""
    return substitute(
        step.unfolded(step.output),
        {call.network: output_for(call, _x_hat(call)) for call in (step, *step.earlier)},
    )
