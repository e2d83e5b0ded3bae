"""Measures what a run gives, as the coefficients of its inputs, where it cannot be read."""

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import torch
from msgspec.structs import replace

from equiv import probing
from equiv.evidence import Conformance, Evidence, Failure, Outcome, Witness
from equiv.obligations.methods import MISSING, Method, asked
from equiv.obligations.runs import Refused, snippet
from equiv.probing import Affine, Budget, NotAffine
from equiv.result import Task
from equiv.subjects.run import SHAPE, Grid, Responses, Sampler, answering, grid, prediction, responses
from equiv.subjects.subject import Prediction, resolve, runner
from equiv.symbolic.expression import Expr, const, symbol

BUDGET = Budget(roundings=2**16, growth=2.0**8)  # of any sampler of a few steps; still far below a thousandth


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
    subject = resolve(task.subject)
    sampler = runner(task.subject).sampler(subject, task.config)
    listed = grid(subject, task.config)
    values = listed.values(int(task.config["steps"]))
    zero = torch.zeros(SHAPE, dtype=torch.float64)
    counted = responses(sampler, values, zero, answering([]), [])
    inputs = {name: symbol(name, "network") for name in _names(counted)}
    places = [const(Fraction(v)) for v in values]
    calls = [e for name, e in inputs.items() if name.startswith("answer")]
    try:
        found = _measured(sampler, values, counted)
    except NotAffine as why:
        reason = f"{refused.reason}; probed instead: {why}"
        return Failure(kind="unsupported", reason=reason, where=refused.where)
    used = [e for name, e in inputs.items() if name.startswith("draw") and _matters(found, name)]
    setting = _Setting(
        prediction=prediction(subject, task.config),
        grid=listed,
        state=inputs["state"],
        listed=places,
        answers=calls,
        noises=used,
    )
    expected = asked(method, setting, task.config)
    if len(expected.queries) != counted.calls:
        return _miscounted(task, method.says, values, counted.calls, len(expected.queries))
    point = {MISSING: Fraction(1)}
    for affine, right in zip(found, expected.results, strict=True):
        held = probing.hold(affine, right, inputs, point, method.says)
        if held.outcome is not Outcome.HOLDS:
            return _shown(task, held, values, inputs)
    conditions = (refused.condition, *held.conditions)
    return Conformance(method="probing", steps=len(values) - 1, expected=method.says, conditions=conditions)


def _names(counted: Responses) -> list[str]:
    answers = [f"answer {k}" for k in range(counted.calls)]
    return ["state", *answers, *(f"draw {k}" for k in range(counted.draws))]


def _measured(sampler: Sampler, values: Sequence[float], counted: Responses) -> list[Affine]:
    """The coefficients of all that a run gives. Every input is run twice, for all of it at once."""
    runs: dict[bytes, list[Responses]] = {}

    def code(place: int, turn: Iterator[int], **given: Any) -> Any:
        key, again = b"".join(x.tobytes() for x in given.values()), next(turn) % 2
        found = runs.setdefault(key, [])
        if len(found) <= again:
            inputs = {name: torch.from_numpy(x) for name, x in given.items()}
            answers = [x for name, x in inputs.items() if name.startswith("answer")]
            noise = [x for name, x in inputs.items() if name.startswith("draw")]
            found.append(responses(sampler, values, inputs["state"], answering(answers), noise))
        got = found[again].found[place]
        padded = got.reshape(*got.shape, *[1] * (len(SHAPE) - got.ndim))
        return padded.double().expand(SHAPE).numpy()

    names = _names(counted)
    every = (functools.partial(code, k, itertools.count()) for k in range(len(counted.found)))
    return [probing.probe(one, names, BUDGET, shape=SHAPE) for one in every]


def _matters(found: Sequence[Affine], name: str) -> bool:
    return any(abs(affine.slopes[name]) > affine.error for affine in found)


def _miscounted(task: Task, says: str, values: Sequence[float], got: int, expected: int) -> Conformance:
    return Conformance(
        method="probing",
        steps=len(values) - 1,
        expected=says,
        witness=Witness(inputs={"compared": "the number of calls"}, expected=str(expected), got=str(got)),
        reproduced=True,
        snippet=snippet(task, values, 0.0, (), ()),
    )


def _shown(task: Task, held: Conformance, values: Sequence[float], inputs: Mapping[str, Expr]) -> Conformance:
    """With a run of the library alone in which only the input is 1 whose coefficient is wrong."""
    if held.witness is None:
        return held
    ones = {name: float(held.witness.inputs.get(name, "0")) for name in inputs}
    answers = [v for name, v in ones.items() if name.startswith("answer")]
    noise = [v for name, v in ones.items() if name.startswith("draw")]
    return replace(held, snippet=snippet(task, values, ones["state"], answers, noise))
