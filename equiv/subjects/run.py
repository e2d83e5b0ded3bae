"""A whole run of a function of (model, x, sigmas), read call by call: what it asks the model, and its result.

The state is in the variance-exploding gauge: alpha is 1 at every level, and sigma falls to 0. The model
gives back its prediction for the state that it is fed and the sigma that it is told.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from unittest import mock

import torch

from equiv.lifting.assumption import Assumption
from equiv.lifting.branches import of_schedule
from equiv.lifting.refusal import Unsupported
from equiv.lifting.rerun import SEED, Rerun
from equiv.lifting.tracer import Tracer
from equiv.subjects.subject import Prediction
from equiv.symbolic.expression import Expr, Relation, const, symbol, symbols

LARGEST, RATIO = 7.25, 0.55
SHAPE = (2, 3, 5, 7)  # dimensions distinct and above one: no element can be mistaken for another
DTYPE = torch.float64
CALLS_PER_STEP = 4

Model = Callable[..., torch.Tensor]
Sampler = Callable[[Model, torch.Tensor, torch.Tensor], torch.Tensor]
"""Runs a library's function on a model, a starting state and falling sigmas; draws by torch.randn_like."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Query:
    """One call of the model: the sigma it is told, the state it is fed, and what it answers."""

    told: Expr
    fed: Expr
    answer: Expr


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LiftedRun:
    """What a function computes, as expressions in the starting state, the answers and the noise drawn."""

    prediction: Prediction  # what the answers are
    state: Expr
    sigmas: tuple[Expr, ...]
    queries: tuple[Query, ...]
    output: Expr
    relations: tuple[Relation, ...]  # the sigmas fall
    assumptions: tuple[Assumption, ...]
    point: Mapping[Expr, Fraction]  # where the library was run
    got: tuple[float, ...]  # what it told and fed the model at each call, and returned
    origins: Mapping[Expr, str]  # file:line of the operation that computed an expression

    @property
    def results(self) -> tuple[tuple[str, Expr], ...]:
        """All that a run gives, in the order of ``got``, by a name for people."""
        asked = [
            (f"{what} at call {k}", e)
            for k, q in enumerate(self.queries)
            for what, e in (("the sigma told", q.told), ("the state fed", q.fed))
        ]
        return (*asked, ("the sample", self.output))

    @property
    def noises(self) -> tuple[Expr, ...]:
        """The draws that reach the model or the sample, in the order in which they first do."""
        used = symbols(*(e for _, e in self.results))
        return tuple(s for s in dict.fromkeys(used) if s.param.role == "noise")


def falling(steps: int) -> list[float]:
    """Sigmas for so many steps, the last to 0, so spaced that no two steps are alike in any measure."""
    return [LARGEST * RATIO ** (i + i * i / 8) for i in range(steps)] + [0.0]


def lift(sampler: Sampler, sigmas: Sequence[float], prediction: Prediction, *, seed: int = 0) -> LiftedRun:
    """Read a run of a function on a model that answers with a new symbol at each call, and see that it is so.

    Args:
        sampler: the function, with its options.
        sigmas: falling, positive but for the last, which is 0.
        prediction: what the model gives back.
        seed: of the numbers it is run on.

    Raises:
        Unsupported: it does something that cannot be read, or calls the model too often.
    """
    generator = torch.Generator().manual_seed(seed)
    tracer = Tracer()
    x = torch.randn(SHAPE, dtype=DTYPE, generator=generator)
    grid = torch.tensor(sigmas, dtype=DTYPE)
    levels = [
        const(0) if s == 0 else symbol(f"sigma_{i}", "schedule", positive=True) for i, s in enumerate(sigmas)
    ]
    tracer.mark_as(grid, levels)
    state = tracer.mark(x, "z")
    answers = [
        torch.randn(SHAPE, dtype=DTYPE, generator=generator) for _ in range(CALLS_PER_STEP * len(sigmas))
    ]
    answered = [tracer.mark(a, f"{prediction}_{k}", "network") for k, a in enumerate(answers)]
    rerun = Rerun(tracer, x, grid, answers)
    with tracer:
        asked, sample = _seeded(sampler, SEED, x, grid, answers)
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
    positive = [s for s in levels if s.op != "const"]
    return LiftedRun(
        prediction=prediction,
        state=state,
        sigmas=tuple(levels),
        queries=tuple(
            Query(told=tracer.element(t), fed=tracer.element(f), answer=a)
            for t, f, a in zip(told, fed, answered, strict=False)
        ),
        output=tracer.element(sample),
        relations=tuple(Relation(low, "<", high) for high, low in itertools.pairwise(positive)),
        assumptions=(*tracer.assumptions, *assumed),
        point=tracer.point,
        got=tuple(together[starts[:-1]].tolist()),
        origins=tracer.origins,
    )


def _seeded(
    sampler: Sampler, seed: int, x: torch.Tensor, sigmas: torch.Tensor, answers: Sequence[torch.Tensor]
) -> tuple[list[torch.Tensor], torch.Tensor]:
    """What the model is told and fed, call by call, and the sample; torch's generator is seeded."""
    asked: list[torch.Tensor] = []
    waiting = iter(answers)

    def model(fed: torch.Tensor, sigma: torch.Tensor, **_: Any) -> torch.Tensor:
        asked.extend((sigma.clone(), fed.clone()))  # the sampler may go on to write into them
        answer = next(waiting, None)
        if answer is None:
            raise Unsupported(f"more than {len(answers)} calls of the model in {len(sigmas) - 1} steps")
        return answer

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return asked, sampler(model, x, sigmas)


def _joined(asked: Sequence[torch.Tensor], sample: torch.Tensor) -> torch.Tensor:
    return torch.cat([t.flatten() for t in (*asked, sample)])


def run_alone(
    sampler: Sampler, sigmas: Sequence[float], state: float, answers: Sequence[float], noise: Sequence[float]
) -> list[float]:
    """What the library tells and feeds the model at each call, and returns, with nothing watching.

    Args:
        answers: what the model gives back, call by call; 0 beyond them.
        noise: what is drawn, draw by draw; 0 beyond them.
    """
    waiting, drawn = iter(answers), iter(noise)
    found: list[float] = []

    def model(x: torch.Tensor, sigma: torch.Tensor, **_: Any) -> torch.Tensor:
        found.extend((float(sigma.flatten()[0]), float(x.flatten()[0])))
        return torch.full_like(x, next(waiting, 0.0))

    x = torch.full(SHAPE, state, dtype=DTYPE)
    with mock.patch.object(torch, "randn_like", lambda t: torch.full_like(t, next(drawn, 0.0))):
        result = sampler(model, x, torch.tensor(sigmas, dtype=DTYPE))
    return [*found, float(result.flatten()[0])]
