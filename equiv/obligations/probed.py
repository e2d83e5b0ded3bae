"""Measures what a run gives, as the coefficients of its inputs, where it cannot be read."""

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from msgspec.structs import replace

from equiv import probing
from equiv.evidence import Condition, Conformance, Evidence, Failure, Outcome, Witness
from equiv.formulas.levels import Level
from equiv.formulas.predictions import FROM_X
from equiv.obligations.conformance import Refused, undecided
from equiv.obligations.methods import MISSING, Method, asked
from equiv.obligations.runs import snippet
from equiv.probing import CLOSEST, Affine, Budget, NotAffine
from equiv.result import Task
from equiv.subjects.run import (
    SHAPE,
    Grid,
    Model,
    Responses,
    Sampler,
    answering,
    grid,
    prediction,
    responses,
)
from equiv.subjects.subject import Prediction, resolve, runner
from equiv.symbolic.expression import Expr, const, symbol

BUDGET = Budget(roundings=2**16, growth=2.0**8)  # of any sampler of a few steps; still far below a thousandth
Tensors = Mapping[str, torch.Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Probed:
    """A sampler, and the levels that it is probed at."""

    sampler: Sampler
    grid: Grid
    values: Sequence[float]
    prediction: Prediction

    def counted(self) -> Responses:
        """How many calls and draws a run makes."""
        zero = torch.zeros(SHAPE, dtype=torch.float64)
        return responses(self.sampler, self.values, zero, answering([]), [])


def _probed(task: Task) -> _Probed:
    subject = resolve(task.subject)
    listed = grid(subject, task.config)
    return _Probed(
        sampler=runner(task.subject).sampler(subject, task.config),
        grid=listed,
        values=listed.values(int(task.config["steps"])),
        prediction=prediction(subject, task.config),
    )


# --- against a method -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setting:
    prediction: Prediction
    grid: Grid
    state: Expr
    listed: Sequence[Expr]
    answers: Sequence[Expr]
    noises: Sequence[Expr]


def probe_method(task: Task, method: Method, refused: Refused) -> Evidence:
    """Hold the coefficients of the state, of each answer and of each draw against those of the method."""
    probed = _probed(task)
    counted = probed.counted()
    answers = [f"answer {k}" for k in range(counted.calls)]
    draws = [f"draw {k}" for k in range(counted.draws)]
    inputs = {name: symbol(name, "network") for name in ("state", *answers, *draws)}

    def run(given: Tensors) -> Responses:
        model = answering([given[name] for name in answers])
        noise = [given[name] for name in draws]
        return responses(probed.sampler, probed.values, given["state"], model, noise)

    try:
        found = _measured(run, list(inputs), len(counted.found))
    except NotAffine as why:
        return _unlike(refused, why)
    used = [name for name in draws if any(abs(a.slopes[name]) > a.error for a in found)]
    setting = _Setting(
        prediction=probed.prediction,
        grid=probed.grid,
        state=inputs["state"],
        listed=[const(Fraction(v)) for v in probed.values],
        answers=[inputs[name] for name in answers],
        noises=[inputs[name] for name in used],
    )
    expected = asked(method, setting, task.config)
    if len(expected.queries) != counted.calls:
        return _miscounted(task, method.says, probed, counted.calls, len(expected.queries))
    held = [
        probing.hold(affine, right, inputs, {MISSING: Fraction(1)}, method.says)
        for affine, right in zip(found, expected.results, strict=True)
    ]
    if against := next((h for h in held if h.outcome is not Outcome.HOLDS), None):
        return _shown(task, against, _result(held.index(against), len(held)), probed, (answers, draws))
    conditions = (refused.condition, *held[-1].conditions)
    steps = len(probed.values) - 1
    return Conformance(method="probing", steps=steps, expected=method.says, conditions=conditions)


def _measured(run: Callable[[Tensors], Responses], names: Sequence[str], results: int) -> list[Affine]:
    """The coefficients of all that a run gives. Every input is run twice, for all of it at once.

    Raises:
        NotAffine: something that a run gives has none.
    """
    runs: dict[bytes, list[Responses]] = {}

    def code(place: int, turn: Iterator[int], **given: Any) -> Any:
        found = runs.setdefault(b"".join(x.tobytes() for x in given.values()), [])
        again = next(turn) % 2
        if len(found) <= again:
            found.append(run({name: torch.from_numpy(x) for name, x in given.items()}))
        got = found[again].found
        if len(got) != results:
            raise NotAffine(f"the code calls the model {len(got) // 2} times, or {results // 2}")
        padded = got[place].reshape(*got[place].shape, *[1] * (len(SHAPE) - got[place].ndim))
        return padded.double().expand(SHAPE).numpy()

    every = (functools.partial(code, k, itertools.count()) for k in range(results))
    return [probing.probe(one, names, BUDGET, shape=SHAPE) for one in every]


def _unlike(refused: Refused, why: NotAffine) -> Failure:
    reason = f"{refused.reason}; and it is no affine function that could be measured: {why}"
    return Failure(kind="unsupported", reason=reason, where=refused.where)


def _miscounted(task: Task, says: str, probed: _Probed, got: int, expected: int) -> Conformance:
    return Conformance(
        method="probing",
        steps=len(probed.values) - 1,
        expected=says,
        witness=Witness(inputs={"compared": "the number of calls"}, expected=str(expected), got=str(got)),
        reproduced=True,
        snippet=snippet(task, probed.values, 0.0, (), ()),
    )


def _result(place: int, results: int) -> str:
    """What a run gives there, by a name for people."""
    what = "what is told" if place % 2 == 0 else "the state fed"
    return "the sample" if place == results - 1 else f"{what} at call {place // 2}"


def _shown(
    task: Task, held: Conformance, compared: str, probed: _Probed, names: tuple[Sequence[str], Sequence[str]]
) -> Conformance:
    """With a run of the library alone in which only that input is 1 whose coefficient is wrong."""
    if held.witness is None:
        return held
    answers, noise = ([float(held.witness.inputs.get(n, "0")) for n in group] for group in names)
    state = float(held.witness.inputs.get("state", "0"))
    given = {name: value for name, value in held.witness.inputs.items() if value != "0"}
    witness = replace(held.witness, inputs={"compared": compared, **given})
    return replace(held, witness=witness, snippet=snippet(task, probed.values, state, answers, noise))


# --- on data in one point -------------------------------------------------------------------------------


def probe_point_mass(task: Task, says: str, refused: Refused, *, of_sample: bool) -> Evidence:
    """Hold signal and noise against the levels told or, of the sample, against clean data."""
    probed = _probed(task)
    try:
        found = _on_point_mass(probed)
    except NotAffine as why:
        return _unlike(refused, why)
    wanted = [len(found) - 1] if of_sample else range(1, len(found) - 1, 2)
    for place in wanted:
        level = Level(1.0, 0.0) if of_sample else _told(probed.grid, found[place - 1].constant)
        name = "the sample" if of_sample else f"the state fed at call {place // 2}"
        parts = [
            (f"the signal in {name}", *_signal(found[place]), level.alpha),
            (f"the variance of {name}", *_variance(found[place]), level.sigma**2),
            (f"the constant in {name}", found[place].constant, found[place].error, 0.0),
        ]
        for what, got, error, expected in parts:
            if abs(got - expected) > error:
                return _against(task, says, probed, (what, got, expected, error))
            if expected * CLOSEST < 2 * error and expected:
                return undecided(says, f"{what} is too small to be told from a wrong one within {error:.1e}")
    conditions = (refused.condition, BUDGET.condition, _SAMPLED)
    steps = len(probed.values) - 1
    return Conformance(method="probing", steps=steps, expected=says, conditions=conditions)


_SAMPLED = Condition(text="affine and elementwise on random inputs", kind="hypothesis")
_NEAR, _NEARER, _FALL = 2.0**-5, 2.0**-6, 3.0  # as in point_mass, at levels that floats tell apart


def _on_point_mass(probed: _Probed) -> list[Affine]:
    counted = probed.counted()
    draws = [f"draw {k}" for k in range(counted.draws)]
    first = _told(probed.grid, probed.values[0])

    def run(given: Tensors) -> Responses:
        start = first.alpha * given["c"] + first.sigma * given["zeta"]
        noise = [given[name] for name in draws]
        return responses(probed.sampler, probed.values, start, _knowing(probed, given["c"]), noise)

    return _measured(run, ["c", "zeta", *draws], len(counted.found))


def _knowing(probed: _Probed, data: torch.Tensor) -> Model:
    """A model that knows the data, in its prediction."""
    kind, sign = probed.prediction.removeprefix("minus "), -1 if "minus" in probed.prediction else 1

    def model(fed: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        level = _told(probed.grid, float(told.flatten()[0]))
        answer: torch.Tensor = sign * FROM_X[kind](fed, data, level)
        return answer.clone()

    return model


def _told(listed: Grid, value: float) -> Level[float]:
    match listed.gauge:
        case "variance exploding":
            return Level(1.0, value)
        case "flow":
            return Level(value, 1 - value) if listed.rises else Level(1 - value, value)
    return Level(value, (1 - value * value) ** 0.5)


def _signal(found: Affine) -> tuple[float, float]:
    return found.slopes["c"], found.error


def _variance(found: Affine) -> tuple[float, float]:
    """With how far it may be off."""
    shares = [v for name, v in found.slopes.items() if name != "c"]
    return sum(v * v for v in shares), sum(2 * abs(v) * found.error + found.error**2 for v in shares)


def _against(task: Task, says: str, probed: _Probed, found: tuple[str, float, float, float]) -> Conformance:
    """It is wrong, unless it is so of every method that integrates the equation step by step."""
    what, got, expected, error = found
    near, nearer = (_defect(probed, share) for share in (_NEAR, _NEARER))
    if near > _FALL * nearer > 0:
        return undecided(
            says, f"{what} is off by what vanishes faster than the step; name its method with --as"
        )
    witness = Witness(
        inputs={"compared": what}, expected=f"{expected:.12g}", got=f"{got:.12g}", bound=f"{error:.1e}"
    )
    data = torch.ones(SHAPE, dtype=torch.float64)
    first = _told(probed.grid, probed.values[0])
    asked_, answers = _knowing(probed, data), list[float]()

    def noting(fed: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
        answers.append(float((answer := asked_(fed, told)).flatten()[0]))
        return answer

    responses(probed.sampler, probed.values, first.alpha * data, noting, [])
    return Conformance(
        method="probing",
        steps=len(probed.values) - 1,
        expected=says,
        witness=witness,
        reproduced=True,
        snippet="# data at 1, no noise\n" + snippet(task, probed.values, first.alpha, answers, ()),
    )


def _defect(probed: _Probed, share: float) -> float:
    """How far the states after the first are off, where the levels are that much closer to the first."""
    first, *others, last = probed.values
    closer = [first, *(first + (v - first) * share for v in others), last]
    again = _Probed(sampler=probed.sampler, grid=probed.grid, values=closer, prediction=probed.prediction)
    try:
        found = _on_point_mass(again)
    except NotAffine:
        return 0.0
    total = 0.0
    for place in range(3, len(found) - 1, 2):
        level = _told(probed.grid, found[place - 1].constant)
        total += abs(_signal(found[place])[0] - level.alpha)
        total += abs(_variance(found[place])[0] - level.sigma**2)
    return total
