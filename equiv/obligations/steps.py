"""Holds the steps of a configuration against what they owe; a witness is shown by the library itself."""

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple

from equiv.evidence import Condition, Conformance, Evidence, Failure, Outcome, Witness
from equiv.lifting.refusal import Repeated, Unsupported
from equiv.obligations import lifted
from equiv.obligations.conformance import (
    DELIBERATE,
    Refused,
    beyond_rounding,
    condition,
    contradicted,
    raising,
    undecided,
)
from equiv.result import Task
from equiv.subjects.subject import LiftedStep, adapter, resolve
from equiv.symbolic import balls, witness
from equiv.symbolic.decision import Contradiction, Decision, Different, Domain, Equal, Undecided, decide
from equiv.symbolic.expression import Expr, Relation, postorder, substitute, symbols

# every operation of a step rounds to float32 at worst, as its tables do, whatever the state is;
# four units cover torch's powers and exponentials
ROUNDING = 4 * 2.0**-24


class Owed(NamedTuple):
    """``got == expected`` is owed, where the relations hold.

    ``runs`` are the library's own inputs, in the symbols of the statement; ``got`` is what the library
    returns or, where there are several runs, the sum of their squares. Without a run, ``got`` is what the
    library keeps.
    """

    got: Expr
    expected: Expr
    runs: tuple[dict[str, Expr], ...]
    relations: tuple[Relation, ...] = ()
    hypotheses: Mapping[Expr, Fraction] = MappingProxyType({})


Probe = Callable[[Refused], list[Evidence]]


def _unread(refused: Refused) -> list[Evidence]:
    reason = f"{refused.reason}, at {refused.where}"
    return [Failure(kind="unsupported", reason=reason, where=refused.where)]


def hold(
    task: Task, says: str, owed: Callable[[LiftedStep], Sequence[Owed]], probe: Probe = _unread
) -> list[Evidence]:
    """Decide what is owed at every step; where it was not read whole and that is not enough, probe it."""
    try:
        steps = lifted(task.subject, task.config)
    except Repeated as refusal:
        return [Failure(kind="unsupported", reason=refusal.reason, where=refusal.where)]
    except Unsupported as refusal:
        return probe(Refused(refusal.reason, refusal.where))
    except DELIBERATE:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the library run alone decides
        return [_raising(task, says, error)]
    decided = _decide_all(task, says, steps, owed)
    taken = (a for step in steps for a in step.assumptions)
    left = next((a for a in taken if a.condition.kind == "concretised value"), None)
    if left is None or all(e.outcome is Outcome.HOLDS for e in decided):
        return decided
    return probe(Refused(f"{left.text} left torch", left.where))


def _decide_all(
    task: Task, says: str, steps: Sequence[LiftedStep], owed: Callable[[LiftedStep], Sequence[Owed]]
) -> list[Evidence]:
    """Steps that are the same statement are decided once.

    One refutation refutes: a step that is left undecided does not hide that a later one is wrong.
    """
    conditions: dict[Condition, None] = {}
    statements: dict[object, Sequence[Owed]] = {}
    decisions: dict[object, Decision] = {}
    open_: list[Evidence] = []
    for step in steps:
        if not _as_returned(step):
            open_.append(undecided(says, f"step {step.index} was misread: it returned {step.got!r}"))
        if step.key not in statements:
            statements[step.key] = owed(step)
        for k, statement in enumerate(statements[step.key]):
            if (step.key, k) not in decisions:
                decisions[step.key, k] = _decide(step, statement)
            decision = decisions[step.key, k]
            against = _against(task, says, step, statement, decision)
            if any(e.outcome is Outcome.FAILS for e in against):
                return against
            open_ += against
            conditions |= dict.fromkeys(decision.conditions if isinstance(decision, Equal) else ())
        conditions |= dict.fromkeys(condition(step.relations, a) for a in step.assumptions)
    if open_:
        return open_[:1]
    due = adapter(task.subject).calls(resolve(task.subject), task.config)
    if len(steps) != due:
        return [undecided(says, f"{due} calls of the network are due, {len(steps)} are listed")]
    shape = " x ".join(map(str, adapter(task.subject).SHAPE))
    run = (
        f"run with {task.config['steps']} steps on a state of shape {shape}; taken as they are: the levels "
        "listed, that the timesteps told to the network stand for them, that draws are independent"
    )
    counted = Condition(text=run, kind="step counts")
    return [Conformance(method="lifting", steps=len(steps), expected=says, conditions=(*conditions, counted))]


def _raising(task: Task, says: str, error: Exception) -> Conformance:
    """The first step that, run alone, raises what was raised while the steps were read.

    Raises:
        Exception: none does; it is the reading that fails.
    """
    subject, library = resolve(task.subject), adapter(task.subject)
    inputs = {"z": 0.0, "net": 0.0, "n": 0.0}
    for step in range(library.calls(subject, task.config)):
        try:
            library.run_alone(subject, task.config, step, inputs)
        except type(error) as raised:
            snippet = library.snippet(subject, task.config, step, inputs)
            at = {"step": str(step), **{name: repr(value) for name, value in inputs.items()}}
            return raising(says, raised, step + 1, at, snippet)
    raise error


def _decide(step: LiftedStep, owed: Owed) -> Decision:
    taken = tuple(a.relation for a in step.assumptions if a.relation is not None)
    domain = Domain(*step.relations, *taken, *owed.relations, at={**step.point, **owed.hypotheses})
    return decide(owed.got, owed.expected, domain)


def _against(task: Task, says: str, step: LiftedStep, owed: Owed, decision: Decision) -> list[Evidence]:
    """What speaks against a statement at one of the steps that make it: nothing, if it holds there."""
    match decision:
        case Equal():
            outside = _outside(step, decision)
            why = f"step {step.index}: {outside} does not hold on the library's schedule"
            return [undecided(says, why)] if outside else []
        case Different():
            return [_refuted(task, says, step, owed)]
        case Contradiction():
            return contradicted(says, decision)
        case Undecided():
            against = None if math.isfinite(step.got) else _no_number(task, says, step, owed)
            return [against or undecided(says, f"step {step.index}: {decision.reason}")]


def _no_number(task: Task, says: str, step: LiftedStep, owed: Owed) -> Conformance | None:
    """The library gives no number where what is owed is one."""
    point = {**step.point, **owed.hypotheses}
    expected = balls.evaluate(step.unfolded(owed.expected), point)
    if not expected.is_finite() or len(owed.runs) != 1:
        return None
    (run,) = (_in_floats(step, run, point) for run in owed.runs)
    answer = adapter(task.subject).run_alone(resolve(task.subject), task.config, step.index, run)
    return Conformance(
        method="lifting",
        steps=step.index + 1,
        expected=says,
        witness=_witness(step, run, balls.show(expected), f"{answer:.12g}", "0"),
        reproduced=not math.isfinite(answer),
        where=step.origins.get(step.output, ""),
        snippet=adapter(task.subject).snippet(resolve(task.subject), task.config, step.index, run),
    )


def _witness(step: LiftedStep, run: Mapping[str, float], expected: str, got: str, bound: str) -> Witness:
    schedule = {f"{s.param} = {step.schedule[s]}": repr(float(step.point[s])) for s in step.schedule}
    at = {"step": str(step.index), "timestep": repr(step.timestep)}
    shown = {name: repr(value) for name, value in run.items()}
    return Witness(inputs={**at, **schedule, **shown}, expected=expected, got=got, bound=bound)


def _as_returned(step: LiftedStep) -> bool:
    """Is what the library returned a number, and what was read, within the rounding of the step?"""
    read = balls.evaluate(step.output, step.point, rounding=ROUNDING)
    return math.isfinite(step.got) and (bool(read.contains(step.got)) or not read.is_finite())


def _outside(step: LiftedStep, proved: Equal) -> str:
    """A relation that the proof rests on and that the library's own values of this step break."""
    own = [r for r in (*step.relations, *proved.assumed) if set(symbols(r.left, r.right)) <= set(step.point)]
    return next((str(r) for r in own if not witness.holds(r, step.point)), "")


def _refuted(task: Task, says: str, step: LiftedStep, owed: Owed) -> Conformance:
    """A witness on the library's own schedule, shown by the library alone."""
    got, expected = (step.on_this_schedule(step.unfolded(e)) for e in (owed.got, owed.expected))
    if not owed.runs:
        return undecided(says, f"step {step.index} keeps something else than the formula does")
    point = beyond_rounding(got, expected, ROUNDING, owed.relations)
    if point is None:
        why = "the formulas differ, but on the library's schedule not beyond the rounding of the step"
        return undecided(says, f"step {step.index}: {why}")
    wanted = symbols(*(e for run in owed.runs for e in run.values()))
    point = dict.fromkeys(wanted, Fraction(0)) | point
    runs = [_in_floats(step, run, point) for run in owed.runs]
    subject, library = resolve(task.subject), adapter(task.subject)
    answers = [library.run_alone(subject, task.config, step.index, run) for run in runs]
    answer = answers[0] if len(answers) == 1 else sum(a * a for a in answers)
    read = balls.evaluate(got, point, rounding=ROUNDING)
    given = next((run for run in runs if any(run.values())), runs[0])
    return Conformance(
        method="lifting",
        steps=step.index + 1,
        expected=says,
        witness=_witness(
            step,
            given,
            balls.show(balls.evaluate(expected, point)),
            f"{answer:.12g}",
            f"{float(read.rad()):.1e}",
        ),
        # the library may not leave the ball that was read: then it is the reading that is wrong
        reproduced=bool(read.contains(answer)),
        where=_where(step, owed),
        snippet=_snippet([library.snippet(subject, task.config, step.index, run) for run in runs]),
    )


def _snippet(runs: Sequence[str]) -> str:
    """What shows ``got``: what the library prints or, after several runs, the sum of the squares."""
    return runs[0] if len(runs) == 1 else "\n\n".join([*runs, "# got is the sum of their squares"])


def _in_floats(step: LiftedStep, run: dict[str, Expr], point: dict[Expr, Fraction]) -> dict[str, float]:
    """A run's inputs as numbers, on the library's own schedule."""
    return {k: float(balls.evaluate(step.on_this_schedule(e), point, bits=64).mid()) for k, e in run.items()}


def _where(step: LiftedStep, owed: Owed) -> str:
    """Where the library first uses a schedule value that the formula does not have, else where it ends."""
    right = set(symbols(owed.expected, *step.now, *step.then))
    strangers = [s for s in symbols(step.output) if s.param.role == "schedule" and s not in right]
    for e in postorder(step.output):
        if e in step.origins and any(s in symbols(e) for s in strangers):
            return step.origins[e]
    return step.origins.get(step.output, "")


def replaced(step: LiftedStep, state: Expr, output: Expr) -> Expr:
    """The step's result for another state and network output."""
    return at_inputs(step, {step.network: output}, {step.state: state})


def at_inputs(step: LiftedStep, outputs: dict[Expr, Expr], states: dict[Expr, Expr]) -> Expr:
    """The step's result for other states and outputs of the network, which may depend on the states."""
    return substitute(substitute(step.output, outputs), states)


def inputs(step: LiftedStep, *used: Expr) -> dict[str, Expr]:
    """The inputs of this call and of those before that are used, by their names."""
    before = [e for call in step.earlier for e in (call.state, call.network, call.noise)]
    found = set(symbols(*map(step.unfolded, used)))
    own = {"z": step.state, "net": step.network, "n": step.noise}
    return own | {e.param.name: e for e in before if e in found}
