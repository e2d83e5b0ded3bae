"""Measures what a step gives, as the coefficients of its inputs, where it cannot be read."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from equiv import probing
from equiv.evidence import Condition, Conformance, Evidence, Failure, Outcome
from equiv.lifting.refusal import Unsupported
from equiv.obligations.conformance import Refused
from equiv.obligations.networks import network_level
from equiv.probing import Budget, NotAffine
from equiv.result import Task
from equiv.subjects.subject import LiftedStep, Measurable, adapter, resolve
from equiv.symbolic.expression import Expr, const, substitute, symbols

# of any step, whose numbers grow with sigma and 1 / alpha; still far below a thousandth of a coefficient
BUDGET = Budget(roundings=2**9, growth=2.0**9)

LEAST = 2.0**-24  # what is less of the result than a rounding in float32, as which steps are made


def probe_steps(
    task: Task, says: str, formula: Callable[[LiftedStep], Expr], refused: Refused
) -> list[Evidence]:
    """Hold the coefficients of every step against those of the formula.

    Also where the network gives back what it is fed, which shows what that is.
    """
    library, subject = adapter(task.subject), resolve(task.subject)
    if not isinstance(library, Measurable):
        return [Failure(kind="unsupported", reason=refused.reason, where=refused.where)]
    conditions: dict[Condition, None] = {refused.condition: None}
    try:
        steps = library.outlines(subject, task.config)
        for step in steps:
            names = library.inputs(subject, task.config, step.index)
            code, right = library.code(subject, task.config, step.index), formula(step)
            for among, expected in ((names, right), (["z"], _echoing(step, right))):
                held = _hold(code, among, expected, step, says)
                if held.outcome is not Outcome.HOLDS:
                    return [_shown(task, held, step, among)]
                conditions |= dict.fromkeys(held.conditions)
    except (NotAffine, Unsupported) as why:
        reason = f"{refused.reason}; probed instead: {why}"
        return [Failure(kind="unsupported", reason=reason, where=refused.where)]
    counted = Condition(
        text=f"at the levels of {task.config['steps']} steps; taken as they are: the levels listed, that the "
        "timesteps told to the network stand for them",
        kind="step counts",
    )
    found = Conformance(method="probing", steps=len(steps), expected=says, conditions=(*conditions, counted))
    return [found]


def _echoing(step: LiftedStep, right: Expr) -> Expr:
    """The formula where the network gives back what it is to be fed, and all other inputs are 0."""
    told, _ = network_level(step)
    others = [s for s in symbols(right) if s.param.role != "schedule" and s not in (step.state, step.network)]
    return substitute(right, {step.network: told, **dict.fromkeys(others, const(0))})


def _hold(
    code: Callable[..., Any], names: Sequence[str], right: Expr, step: LiftedStep, says: str
) -> Conformance:
    known = {s.param.name: s for s in symbols(right) if s.param.role != "schedule"}
    every = [*names, *(name for name in known if name not in names)]
    measured = probing.probe(probing.of_torch(code), names, BUDGET)
    missing = dict.fromkeys(set(every) - set(names), 0.0)
    found = measured._replace(slopes={**measured.slopes, **missing})
    inputs = {name: known.get(name, _named(step, name)) for name in every}
    return probing.hold(found, right, inputs, step.point, says, least=LEAST)


def _named(step: LiftedStep, name: str) -> Expr:
    """The input of that name, which the formula does not use."""
    every = (e for call in (step, *step.earlier) for e in (call.state, call.network, call.noise))
    return next(e for e in every if e.param.name == name)


def _shown(task: Task, held: Conformance, step: LiftedStep, names: Sequence[str]) -> Conformance:
    """With the step of the library alone in which only the input is 1 whose coefficient is wrong."""
    if held.witness is None:
        return replace(held, reason=f"step {step.index}: {held.reason}")
    subject, library = resolve(task.subject), adapter(task.subject)
    ones: Mapping[str, float] = {name: float(held.witness.inputs.get(name, "0")) for name in names}
    shown = {"step": str(step.index), "timestep": repr(step.timestep), **held.witness.inputs}
    return replace(
        held,
        witness=replace(held.witness, inputs=shown),
        snippet=library.snippet(subject, task.config, step.index, ones),
    )
