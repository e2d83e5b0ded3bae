"""A whole run of a function of (model, x, levels), read call by call: what it asks, and what it returns.

The levels are listed as one number each, from noise to clean data: see :class:`Grid`. The model gives back
its prediction for the state that it is fed and the number that it is told.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple, cast

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from equiv.formulas.levels import Level
from equiv.lifting.assumption import Assumption
from equiv.lifting.branches import of_schedule
from equiv.lifting.draws import is_normal, mean_and_std
from equiv.lifting.plan import Call
from equiv.lifting.refusal import Unsupported
from equiv.lifting.rerun import SEED, Rerun, seeded
from equiv.lifting.tracer import Tracer
from equiv.number import sqrt
from equiv.subjects.subject import Gauge, Prediction, Subject
from equiv.symbolic.expression import Expr, Relation, const, symbol, symbols

LARGEST, RATIO = 7.25, 0.55
SHAPE = (2, 3, 5, 7)  # dimensions distinct and above one: no element can be mistaken for another
DTYPE = torch.float64
CALLS_PER_STEP = 4
ZERO, ONE = const(0), const(1)

Model = Callable[..., torch.Tensor]
Sampler = Callable[[Model, torch.Tensor, torch.Tensor], torch.Tensor]
"""Runs a library's function on a model, a starting state and the numbers of a grid."""


class Grid(NamedTuple):
    """How levels are listed: by sigma at alpha = 1; by the time of the straight path; or by alpha.

    ``rises`` says that a time is 0 at the noise and 1 at the data.
    """

    gauge: Gauge = "variance exploding"
    rises: bool = False

    @property
    def name(self) -> str:
        """Of what is listed."""
        return {"variance exploding": "sigma", "flow": "time", "variance preserving": "alpha"}[self.gauge]

    def values(self, steps: int) -> list[float]:
        """Numbers for so many steps, the last to clean data, so spaced that no two steps are alike."""
        shares = [RATIO ** (i + i * i / 8) for i in range(steps)]
        match self.gauge:
            case "variance exploding":
                return [LARGEST * share for share in shares] + [0.0]
            case "flow":
                times = [31 / 32 * share for share in shares]
                return [1 - t if self.rises else t for t in times] + [float(self.rises)]
        return [1 - 7 / 8 * share for share in shares] + [1.0]

    def level(self, listed: Expr) -> Level[Expr]:
        """The level that a number stands for."""
        match self.gauge:
            case "variance exploding":
                return Level(ONE, listed)
            case "flow":
                rest = const(1 - listed.param) if listed.op == "const" else 1 - listed
                return Level(listed, rest) if self.rises else Level(rest, listed)
        return Level(listed, ZERO if listed is ONE else sqrt(1 - listed * listed))

    def relations(self, listed: Sequence[Expr]) -> tuple[Relation, ...]:
        """The numbers fall or rise, within their bounds."""
        falls = not self.rises and self.gauge != "variance preserving"
        rising = [s for s in (reversed(listed) if falls else listed) if s.op != "const"]
        bounded = [] if self.gauge == "variance exploding" else [ONE]
        return tuple(Relation(low, "<", high) for low, high in itertools.pairwise([*rising, *bounded]))

    def told(self, level: Level[Expr]) -> Expr:
        """How a model is told a level."""
        return level.alpha if self.rises or self.gauge == "variance preserving" else level.sigma

    def levels(self, listed: Sequence[Expr]) -> list[Level[Expr]]:
        """Those listed, but for clean data at the end."""
        return [level for level in map(self.level, listed) if level.sigma is not ZERO]


def grid(subject: Subject, config: Mapping[str, str]) -> Grid:
    """How the levels of a subject are listed; what a configuration says of it stands."""
    gauges: dict[str, Gauge] = {"ve": "variance exploding", "vp": "variance preserving", "flow": "flow"}
    rises = config["time"] == "noise-at-0" if "time" in config else subject.time.startswith("rising")
    return Grid(gauges.get(config.get("gauge", ""), subject.gauge), rises)


def prediction(subject: Subject, config: Mapping[str, str]) -> Prediction:
    """What the model gives back; a velocity is that of the function's own time."""
    named = config.get("prediction", subject.prediction_types[0])
    if named == "velocity":
        return "minus u" if grid(subject, config).rises else "u"
    return cast("Prediction", named)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Query:
    """One call of the model: the number it is told, the state it is fed, and what it answers."""

    told: Expr
    fed: Expr
    answer: Expr


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LiftedRun:
    """What a function computes, as expressions in the starting state, the answers and the noise drawn."""

    prediction: Prediction  # what the answers are
    grid: Grid
    state: Expr
    listed: tuple[Expr, ...]
    queries: tuple[Query, ...]
    output: Expr
    relations: tuple[Relation, ...]  # the order of what is listed
    assumptions: tuple[Assumption, ...]
    point: Mapping[Expr, Fraction]  # where the library was run
    got: tuple[float, ...]  # what it told and fed the model at each call, and returned
    origins: Mapping[Expr, str]  # file:line of the operation that computed an expression

    @property
    def answers(self) -> tuple[Expr, ...]:
        """What the model answered."""
        return tuple(q.answer for q in self.queries)

    @property
    def results(self) -> tuple[tuple[str, Expr], ...]:
        """All that a run gives, in the order of ``got``, by a name for people."""
        asked = [
            (f"{what} at call {k}", e)
            for k, q in enumerate(self.queries)
            for what, e in ((f"the {self.grid.name} told", q.told), ("the state fed", q.fed))
        ]
        return (*asked, ("the sample", self.output))

    @property
    def noises(self) -> tuple[Expr, ...]:
        """The draws that reach the model or the sample, in the order in which they first do."""
        used = symbols(*(e for _, e in self.results))
        return tuple(s for s in dict.fromkeys(used) if s.param.role == "noise")


def lift(
    sampler: Sampler, values: Sequence[float], prediction: Prediction, grid: Grid, *, seed: int = 0
) -> LiftedRun:
    """Read a run of a function on a model that answers with a new symbol at each call, and see that it is so.

    Args:
        sampler: the function, with its options.
        values: what is listed, from noise to clean data.
        prediction: what the model gives back.
        grid: what the values mean.
        seed: of the numbers it is run on.

    Raises:
        Unsupported: it does something that cannot be read, or calls the model too often.
    """
    generator = torch.Generator().manual_seed(seed)
    tracer = Tracer()
    x = torch.randn(SHAPE, dtype=DTYPE, generator=generator)
    given = torch.tensor(values, dtype=DTYPE)
    listed = [
        const(int(v)) if v in {0, 1} else symbol(f"{grid.name}_{i}", "schedule", positive=True)
        for i, v in enumerate(values)
    ]
    tracer.mark_as(given, listed)
    state = tracer.mark(x, "z")
    answers = [
        torch.randn(SHAPE, dtype=DTYPE, generator=generator) for _ in range(CALLS_PER_STEP * len(values))
    ]
    answered = [tracer.mark(a, f"{prediction.split()[-1]}_{k}", "network") for k, a in enumerate(answers)]
    rerun = Rerun(tracer, x, given, answers)
    with tracer:
        asked, sample = _seeded(sampler, SEED, x, given, answers)
        together = _joined(asked, sample)
    if (sample.shape, sample.dtype) != (x.shape, x.dtype):
        raise Unsupported(f"it gives {tuple(sample.shape)} {sample.dtype} for {tuple(x.shape)} {x.dtype}")
    for a in tracer.assumptions:
        if a.relation is not None:
            of_schedule(a.relation)
    starts = list(itertools.accumulate((t.numel() for t in (*asked, sample)), initial=0))
    ends = [start - 1 for start in starts[1:]]
    looked_at = [*starts[:-1], *ends]  # of elements that are computed alike
    assumed = rerun.hold(together, lambda *given: _joined(*_seeded(sampler, *given)), looked_at)
    told, fed = asked[::2], asked[1::2]
    return LiftedRun(
        prediction=prediction,
        grid=grid,
        state=state,
        listed=tuple(listed),
        queries=tuple(
            Query(told=tracer.element(t), fed=tracer.element(f), answer=a)
            for t, f, a in zip(told, fed, answered, strict=False)
        ),
        output=tracer.element(sample),
        relations=grid.relations(listed),
        assumptions=(*tracer.assumptions, *assumed),
        point=tracer.point,
        got=tuple(together[starts[:-1]].tolist()),
        origins=tracer.origins,
    )


def _seeded(
    sampler: Sampler, seed: int, x: torch.Tensor, listed: torch.Tensor, answers: Sequence[torch.Tensor]
) -> tuple[list[torch.Tensor], torch.Tensor]:
    """What the model is told and fed, call by call, and the sample; torch's generator is seeded."""
    asked: list[torch.Tensor] = []
    waiting = iter(answers)

    def model(fed: torch.Tensor, *given: Any, **named: Any) -> torch.Tensor:
        told = _told(fed, x, (*given, *named.values()))
        asked.extend((_tensor(told).clone(), fed.clone()))  # the sampler may go on to write into them
        answer = next(waiting, None)
        if answer is None:
            raise Unsupported(f"more than {len(answers)} calls of the model in {len(listed) - 1} steps")
        return answer

    with seeded(seed):
        return asked, sampler(_like_a_module(model), x, listed)


def _told(fed: torch.Tensor, state: torch.Tensor, given: Sequence[Any]) -> Any:
    """The number that the model is told, which with the state is all that it is given.

    Raises:
        Unsupported: it is given something else too, or a state of another shape: a network would see that.
    """
    others = [g for g in given[1:] if g is not None and not (isinstance(g, Mapping) and not g)]
    if not given or others:
        raise Unsupported(f"it gives the model {len(given)} things beside the state; a number is read")
    if fed.shape != state.shape:
        raise Unsupported(f"it feeds the model {tuple(fed.shape)} for a state of {tuple(state.shape)}")
    return given[0]


def _like_a_module(model: Model) -> Model:
    """The model, which may be told to evaluate, as networks are."""
    for name in ("eval", "train", "to"):
        setattr(model, name, lambda *_args, **_named: model)
    return model


def _tensor(told: Any) -> torch.Tensor:
    return told if isinstance(told, torch.Tensor) else torch.tensor(told, dtype=DTYPE)


def _joined(asked: Sequence[torch.Tensor], sample: torch.Tensor) -> torch.Tensor:
    return torch.cat([t.flatten() for t in (*asked, sample)])


class Drawing(TorchDispatchMode):
    """Normal draws are those given; 0 beyond them."""

    def __init__(self, noise: Sequence[torch.Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._noise, self.drawn = noise, 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        call = Call(func, args, kwargs or {})
        result = call.run()
        if call.plan.kind == "draw" and is_normal(call.plan):
            mean, std = mean_and_std(call)
            given = self._noise[self.drawn] if self.drawn < len(self._noise) else torch.zeros(())
            if given.dim() and given.shape != result.shape:
                raise Unsupported(
                    f"it draws {tuple(result.shape)} at once; draws of {tuple(given.shape)} are told apart"
                )
            result.copy_(mean + std * given)
            self.drawn += 1
        return result


class Responses(NamedTuple):
    """What the library told and fed the model at each call, and returned; and how often it drew noise."""

    found: list[torch.Tensor]
    draws: int

    @property
    def calls(self) -> int:
        """Of the model."""
        return len(self.found) // 2


def responses(
    sampler: Sampler,
    values: Sequence[float],
    state: torch.Tensor,
    model: Model,
    noise: Sequence[torch.Tensor],
) -> Responses:
    """A run of the library with nothing watching.

    Args:
        sampler: the function, with its options.
        values: what is listed.
        state: where it starts.
        model: called with the state and the number that it is told, both tensors.
        noise: what is drawn, draw by draw; 0 beyond them.
    """
    found: list[torch.Tensor] = []

    def asked(fed: torch.Tensor, *given: Any, **named: Any) -> torch.Tensor:
        told = _told(fed, state, (*given, *named.values()))
        found.extend((_tensor(told).clone(), fed.clone()))
        return model(*found[-1:-3:-1])

    with Drawing(noise) as drawing:
        result = sampler(_like_a_module(asked), state.clone(), torch.tensor(values, dtype=DTYPE))
    return Responses([*found, result], drawing.drawn)


def answering(answers: Sequence[torch.Tensor]) -> Model:
    """A model that gives back one after the other, whatever it is asked; 0 beyond them."""
    waiting = iter(answers)
    return lambda fed, _told: next(waiting, torch.zeros_like(fed)).clone()


def run_alone(
    sampler: Sampler, values: Sequence[float], state: float, answers: Sequence[float], noise: Sequence[float]
) -> list[float]:
    """What the library tells and feeds the model at each call, and returns, where all elements are alike."""

    def full(value: float) -> torch.Tensor:
        return torch.full(SHAPE, value, dtype=DTYPE)

    model = answering([*map(full, answers)])
    found = responses(sampler, values, full(state), model, [*map(full, noise)]).found
    return [float(t.flatten()[0]) for t in found]
