"""Holds a run of a function against what it owes; a witness is shown by the library itself.

A run is read. Where numbers of the schedule left torch on the way, and with them their rounding, or where it
cannot be read at all, it is probed: its coefficients are measured at the levels that are run.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple

from equiv.evidence import Condition, Conformance, Evidence, Failure, Outcome, Witness
from equiv.lifting.refusal import Repeated, Unsupported
from equiv.obligations import lifted_run
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
from equiv.subjects.run import SHAPE, LiftedRun, grid, run_alone
from equiv.subjects.subject import resolve, runner
from equiv.symbolic import balls
from equiv.symbolic.decision import Contradiction, Decision, Different, Domain, Equal, Undecided, decide
from equiv.symbolic.expression import Expr, const, postorder, substitute, symbol, symbols, text

ROUNDING = 4 * 2.0**-53  # of each operation, in float64; four units cover torch's powers and exponentials


class Owed(NamedTuple):
    """``got == expected`` is owed of what a run gives at ``place``.

    ``runs`` are the library's own inputs, in the symbols of the statement: what is not named is itself.
    ``got`` is what the library gives there or, if it ``squares``, the sum of the squares over the runs.
    """

    name: str
    place: int
    got: Expr
    expected: Expr
    runs: tuple[Mapping[Expr, Expr], ...] = (MappingProxyType({}),)
    squares: bool = False
    cut: bool = False  # once decided, it may stand for any number in what follows


Statements = Callable[[LiftedRun], Sequence[Owed]]
Probe = Callable[[Refused], Evidence]


def hold(task: Task, says: str, owed: Statements, probe: Probe) -> list[Evidence]:
    """Decide what a run owes; where it was not read whole and that is not enough, probe it."""
    try:
        run = lifted_run(task.subject, task.config)
    except Repeated as refusal:
        return [Failure(kind="unsupported", reason=refusal.reason, where=refusal.where)]
    except Unsupported as refusal:
        return [probe(Refused(refusal.reason, refusal.where))]
    except DELIBERATE:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the library run alone decides
        return [_raising(task, says, error)]
    decided = _decide_all(task, says, run, owed(run))
    left = next((a for a in run.assumptions if a.kind == "concretised value"), None)
    if left is None or all(e.outcome is Outcome.HOLDS for e in decided):
        return decided
    return [probe(Refused(f"{left.text} left torch", left.where))]


def _decide_all(task: Task, says: str, run: LiftedRun, owed: Sequence[Owed]) -> list[Evidence]:
    if misread := next(_misread(run), ""):
        return [undecided(says, misread)]
    conditions: dict[Condition, None] = {}
    for statement, decision in _decisions(run, owed):
        if not isinstance(decision, Equal):
            return _against(task, says, run, statement, decision)
        conditions |= dict.fromkeys(decision.conditions)
    if not all(map(math.isfinite, run.got)):
        return [undecided(says, "it feeds the model, or returns, what is no number")]
    conditions |= dict.fromkeys(_taken(run))
    steps = len(run.listed) - 1
    return [Conformance(method="lifting", steps=steps, expected=says, conditions=tuple(conditions))]


def _raising(task: Task, says: str, error: Exception) -> Conformance:
    """What the library, run alone, raises as it did while it was read.

    Raises:
        Exception: it does not; it is the reading that fails.
    """
    subject = resolve(task.subject)
    listed = grid(subject, task.config)
    values = listed.values(int(task.config["steps"]))
    try:
        run_alone(runner(task.subject).sampler(subject, task.config), values, 1.0, (), ())
    except type(error) as raised:
        inputs = {"compared": "the sample", f"{listed.name}s": ", ".join(map(repr, values))}
        return raising(says, raised, len(values) - 1, inputs, snippet(task, values, 1.0, (), ()))
    raise error


def _decisions(run: LiftedRun, owed: Sequence[Owed]) -> Iterator[tuple[Owed, Decision]]:
    """Each decided, with what was found equal before taken as any number: so expressions stay short.

    What holds for any number holds for the one it is; what does not is decided once more as it stands.
    """
    taken = [a.relation for a in run.assumptions if a.relation is not None]
    others = {s for o in owed for s in symbols(o.got, o.expected)}.difference(run.point)
    point = {**run.point, **dict.fromkeys(others, Fraction(1))}
    at, cuts = dict(point), list[tuple[Expr, Expr, Expr]]()
    for k, statement in enumerate(owed):
        got, expected = statement.got, statement.expected
        for left, right, any_number in cuts:
            got, expected = substitute(got, {left: any_number}), substitute(expected, {right: any_number})
        decision = decide(got, expected, Domain(*run.relations, *taken, at=at))
        if cuts and not isinstance(decision, Equal):
            whole = Domain(*run.relations, *taken, at=point)
            decision = decide(statement.got, statement.expected, whole)
        elif statement.cut and got.args and math.isfinite(run.got[statement.place]):
            cuts.append((got, expected, symbol(f"state_{k}")))
            at[cuts[-1][2]] = Fraction(run.got[statement.place])
        yield statement, decision


def _misread(run: LiftedRun) -> Iterator[str]:
    """Where the library gave something else than was read, beyond the rounding of its operations."""
    for (name, e), got in zip(run.results, run.got, strict=True):
        read = balls.evaluate(e, run.point, rounding=ROUNDING)
        if read.is_finite() and not read.contains(got):
            yield f"{name} was misread: it was {got!r}"


def _taken(run: LiftedRun) -> Iterator[Condition]:
    yield from (condition(run.relations, assumed) for assumed in run.assumptions)
    shape = " x ".join(map(str, SHAPE))
    yield Condition(
        text=f"run with {len(run.listed) - 1} steps to clean data on a state of shape {shape}, in float64; "
        "taken as it is: that draws are independent",
        kind="step counts",
    )


def _against(task: Task, says: str, run: LiftedRun, owed: Owed, decision: Decision) -> list[Evidence]:
    match decision:
        case Different():
            return [_refuted(task, says, run, owed)]
        case Contradiction():
            return contradicted(says, decision)
        case Undecided(reason=reason):
            return [undecided(says, f"{owed.name}: {reason}")]
    raise TypeError(decision)


def _refuted(task: Task, says: str, run: LiftedRun, owed: Owed) -> Conformance:
    """A witness on the levels that were run, shown by the library alone."""
    values = {s: const(run.point[s]) for s in run.listed if s.op != "const"}
    got, expected = (substitute(e, values) for e in (owed.got, owed.expected))
    point = beyond_rounding(got, expected, ROUNDING)
    if point is None:
        why = "the formulas differ, but at these levels not beyond the rounding of the run"
        return undecided(says, f"{owed.name}: {why}")
    subject, library = resolve(task.subject), runner(task.subject)
    sampler = library.sampler(subject, task.config)
    listed = run.grid.values(len(run.listed) - 1)
    given = [_inputs(run, inputs, point) for inputs in owed.runs]
    alone = [run_alone(sampler, listed, *numbers) for numbers in given]
    answers = [float(len(a) // 2) if owed.place < 0 else a[owed.place] for a in alone]
    answer = sum(a * a for a in answers) if owed.squares else answers[0]
    read = balls.evaluate(got, point, rounding=ROUNDING)
    return Conformance(
        method="lifting",
        steps=len(run.listed) - 1,
        expected=says,
        witness=Witness(
            inputs={"compared": owed.name, **_named(run, owed, point, given)},
            expected=balls.show(balls.evaluate(expected, point)),
            got=f"{answer:.12g}",
            bound=f"{float(read.rad()):.1e}",
        ),
        reproduced=bool(read.contains(answer)),
        where=_where(run, owed),
        snippet=_together([snippet(task, listed, *numbers) for numbers in given], owed),
    )


Inputs = tuple[float, list[float], list[float]]  # the state, the answers, the noise


def _inputs(run: LiftedRun, inputs: Mapping[Expr, Expr], point: Mapping[Expr, Fraction]) -> Inputs:
    values = {s: const(run.point[s]) for s in run.listed if s.op != "const"}

    def of(s: Expr) -> float:
        e = substitute(inputs.get(s, s), values)
        at = {v: point.get(v, Fraction(0)) for v in symbols(e)}
        return float(balls.evaluate(e, at, bits=64).mid())

    return of(run.state), [of(q.answer) for q in run.queries], [of(n) for n in run.noises]


def _named(
    run: LiftedRun, owed: Owed, point: Mapping[Expr, Fraction], given: Sequence[Inputs]
) -> dict[str, str]:
    """The inputs of the library that are not 0, and the values of what the statement alone knows."""
    state, answers, noise = next((g for g in given if any((g[0], *g[1], *g[2]))), given[0])
    own = [run.state, *(q.answer for q in run.queries), *run.noises]
    shown = {text(s): v for s, v in zip(own, (state, *answers, *noise), strict=True)}
    others = [s for s in symbols(owed.got, owed.expected) if s not in own and s in point]
    shown |= {text(s): float(point[s]) for s in others}
    return {name: repr(v) for name, v in shown.items() if v}


def _where(run: LiftedRun, owed: Owed) -> str:
    """Where the library computes what differs."""
    e = owed.got if owed.place < 0 else run.results[owed.place][1]
    return next((run.origins[part] for part in reversed(list(postorder(e))) if part in run.origins), "")


def _together(snippets: Sequence[str], owed: Owed) -> str:
    """What shows ``got``: what the library prints or, if it squares, the sum of the squares."""
    return "\n\n".join([*snippets, *(["# got is the sum of their squares"] if owed.squares else [])])


def snippet(
    task: Task, values: Sequence[float], state: float, answers: Sequence[float], noise: Sequence[float]
) -> str:
    """Python that shows the run, with the library alone."""
    subject = resolve(task.subject)
    name = f"{grid(subject, task.config).name}s"
    return f"""import torch
answers, noise = iter({list(answers)}), iter({list(noise)})
def model(x, {name[:-1]}, *_, **__):
    print("told", torch.as_tensor({name[:-1]}).flatten()[0].item(), "fed", x.flatten()[0].item())
    return torch.full_like(x, next(answers, 0.0))
torch.randn_like = torch.randn = lambda *_, **__: torch.full_like(x, next(noise, 0.0))
x = torch.full((1, 1, 1, 1), {state!r}, dtype=torch.float64)
{name} = torch.tensor({list(values)}, dtype=torch.float64)
{runner(task.subject).snippet(subject, task.config)}"""
