"""A run of a function equals the method it names: what it asks the model at every call, and the sample.

If this is refuted, look at the first call at which the state or the sigma differs: the step before it has
another coefficient than its paper, or goes to another level than the sigmas given to the function.
"""

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from equiv.evidence import Condition, Conformance, Evidence, Failure, Witness
from equiv.lifting.refusal import Unsupported
from equiv.obligations import Obligation, lifted_run
from equiv.obligations.conformance import (
    DELIBERATE,
    beyond_rounding,
    condition,
    contradicted,
    raising,
    undecided,
)
from equiv.obligations.methods import METHODS, MISSING, asked
from equiv.result import Task
from equiv.subjects.run import SHAPE, LiftedRun, falling, run_alone
from equiv.subjects.subject import resolve, runner
from equiv.symbolic import balls
from equiv.symbolic.decision import Contradiction, Decision, Different, Domain, Equal, Undecided, decide
from equiv.symbolic.expression import Expr, const, postorder, substitute, symbol, text

OBLIGATION = Obligation(
    id="run-equals-method", title="A run equals the method its function names", families=("function",)
)
ROUNDING = 4 * 2.0**-53  # of each operation, in float64; four units cover torch's powers and exponentials


class Pair(NamedTuple):
    """What a run gives, and what the method gives in its place."""

    name: str
    got: Expr
    expected: Expr
    state: bool = False  # what the model is fed


def check(task: Task) -> Sequence[Evidence]:
    """Decide it for a configuration, at any falling sigmas."""
    says = METHODS[task.subject].says
    try:
        run = lifted_run(task.subject, task.config)
    except Unsupported as refusal:
        return [Failure(kind="unsupported", reason=str(refusal), where=refusal.where)]
    except DELIBERATE:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the library run alone decides
        return [_raising(task, says, error)]
    if misread := next(_misread(run), ""):
        return [undecided(says, misread)]
    conditions: dict[Condition, None] = {}
    for k, (pair, decision) in enumerate(_decided(run, _pairs(task, run))):
        if not isinstance(decision, Equal):
            return _against(task, says, run, k, pair, decision)
        conditions |= dict.fromkeys(decision.conditions)
    if not all(map(math.isfinite, run.got)):
        return [undecided(says, "it feeds the model, or returns, what is no number")]
    conditions |= dict.fromkeys(_taken(run))
    return [
        Conformance(method="lifting", steps=len(run.sigmas) - 1, expected=says, conditions=tuple(conditions))
    ]


def _raising(task: Task, says: str, error: Exception) -> Conformance:
    """What the library, run alone, raises as it did while it was read.

    Raises:
        Exception: it does not; it is the reading that fails.
    """
    sigmas = falling(int(task.config["steps"]))
    sampler = runner(task.subject).sampler(resolve(task.subject), task.config)
    try:
        run_alone(sampler, sigmas, 1.0, (), ())
    except type(error) as raised:
        inputs = {"compared": "the sample", "sigmas": ", ".join(map(repr, sigmas))}
        return raising(says, raised, len(sigmas) - 1, inputs, _snippet(task, sigmas, 1.0, (), ()))
    raise error


def _pairs(task: Task, run: LiftedRun) -> list[Pair]:
    """Everything that is owed, in the order of the run; if the calls are not as many, that alone."""
    queries, sample = asked(METHODS[task.subject], run, task.config)
    if len(queries) != len(run.queries):
        return [Pair("the number of calls", const(len(run.queries)), const(len(queries)))]
    expected = [e for z, level in queries for e in (level.sigma, z)]
    fed = [q.fed for q in run.queries]
    return [
        Pair(name, got, right, state=got in fed)
        for (name, got), right in zip(run.results, (*expected, sample), strict=True)
    ]


def _decided(run: LiftedRun, pairs: Sequence[Pair]) -> Iterator[tuple[Pair, Decision]]:
    """Each pair decided, with what was found equal before taken as any number: so expressions stay short.

    What holds for any number holds for the one it is; what does not is decided once more as it stands.
    """
    taken = [a.relation for a in run.assumptions if a.relation is not None]
    point = {**run.point, MISSING: Fraction(1)}
    at, cuts = dict(point), list[tuple[Expr, Expr, Expr]]()
    for k, pair in enumerate(pairs):
        got, expected = pair.got, pair.expected
        for left, right, any_number in cuts:
            got, expected = substitute(got, {left: any_number}), substitute(expected, {right: any_number})
        decision = decide(got, expected, Domain(*run.relations, *taken, at=at))
        if cuts and not isinstance(decision, Equal):
            decision = decide(pair.got, pair.expected, Domain(*run.relations, *taken, at=point))
        elif pair.state and got.args and math.isfinite(run.got[k]):
            cuts.append((got, expected, symbol(f"state_{k}")))
            at[cuts[-1][2]] = Fraction(run.got[k])
        yield pair, decision


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
        text=f"run with {len(run.sigmas) - 1} steps to sigma = 0 on a state of shape {shape}, in float64; "
        "taken as it is: that draws are independent",
        kind="step counts",
    )


def _against(task: Task, says: str, run: LiftedRun, k: int, pair: Pair, decision: Decision) -> list[Evidence]:
    match decision:
        case Different():
            return [_refuted(task, says, run, k, pair)]
        case Contradiction():
            return contradicted(says, decision)
        case Undecided(reason=reason):
            return [undecided(says, f"{pair.name}: {reason}")]
    raise TypeError(decision)


def _refuted(task: Task, says: str, run: LiftedRun, k: int, pair: Pair) -> Conformance:
    """A witness on the sigmas that were run, shown by the library alone."""
    values = {s: const(run.point[s]) for s in run.sigmas if s.op != "const"}
    got, expected = (substitute(e, values) for e in (pair.got, pair.expected))
    point = beyond_rounding(got, expected, ROUNDING)
    if point is None:
        why = "the formulas differ, but at these sigmas not beyond the rounding of the run"
        return undecided(says, f"{pair.name}: {why}")
    state, answers, noise = _inputs(run, point)
    subject, library = resolve(task.subject), runner(task.subject)
    sigmas = falling(len(run.sigmas) - 1)
    alone = run_alone(library.sampler(subject, task.config), sigmas, state, answers, noise)
    counted = pair.name == "the number of calls"
    answer = float(len(alone) // 2) if counted else alone[k]
    read = balls.evaluate(got, point, rounding=ROUNDING)
    named = [run.state, *(q.answer for q in run.queries), *run.noises]
    inputs = {text(s): v for s, v in zip(named, (state, *answers, *noise), strict=True)}
    inputs[text(MISSING)] = float(point.get(MISSING, 0))
    return Conformance(
        method="lifting",
        steps=len(run.sigmas) - 1,
        expected=says,
        witness=Witness(
            inputs={"compared": pair.name, **{name: repr(v) for name, v in inputs.items() if v}},
            expected=balls.show(balls.evaluate(expected, point)),
            got=f"{answer:.12g}",
            bound=f"{float(read.rad()):.1e}",
        ),
        reproduced=bool(read.contains(answer)),
        where=_where(run, pair),
        snippet=_snippet(task, sigmas, state, answers, noise),
    )


def _snippet(
    task: Task, sigmas: Sequence[float], state: float, answers: Sequence[float], noise: Sequence[float]
) -> str:
    """Python that shows the run, with the library alone."""
    return f"""import torch
answers, noise = iter({list(answers)}), iter({list(noise)})
def model(x, sigma):
    print("told", sigma.flatten()[0].item(), "fed", x.flatten()[0].item())
    return torch.full_like(x, next(answers, 0.0))
torch.randn_like = lambda x: torch.full_like(x, next(noise, 0.0))
x = torch.full((1, 1, 1, 1), {state!r}, dtype=torch.float64)
sigmas = torch.tensor({list(sigmas)}, dtype=torch.float64)
{runner(task.subject).snippet(resolve(task.subject), task.config)}"""


def _inputs(run: LiftedRun, point: dict[Expr, Fraction]) -> tuple[float, list[float], list[float]]:
    def of(symbol: Expr) -> float:
        return float(point.get(symbol, 0))

    return of(run.state), [of(q.answer) for q in run.queries], [of(n) for n in run.noises]


def _where(run: LiftedRun, pair: Pair) -> str:
    """Where the library computes what differs."""
    return next((run.origins[e] for e in reversed(list(postorder(pair.got))) if e in run.origins), "")
