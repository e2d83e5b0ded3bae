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
from equiv.lifting.refusal import Unsupported
from equiv.lifting.tracer import Tracer
from equiv.subjects.subject import Prediction
from equiv.symbolic.expression import Expr, Relation, const, symbol, symbols

LARGEST, RATIO = 7.25, 0.55  # of the falling sigmas: no power or difference of them is another
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
    """Sigmas for so many steps, the last to 0."""
    return [LARGEST * RATIO**i for i in range(steps)] + [0.0]


def lift(sampler: Sampler, sigmas: Sequence[float], prediction: Prediction, *, seed: int = 0) -> LiftedRun:
    """Run a function once on a model that answers with a new symbol at each call, and read it.

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
    waiting = []
    for k in range(CALLS_PER_STEP * len(sigmas)):
        answer = torch.randn(SHAPE, dtype=DTYPE, generator=generator)
        waiting.append((answer, tracer.mark(answer, f"{prediction}_{k}", "network")))
    queries: list[Query] = []
    seen: list[torch.Tensor] = []

    def model(fed: torch.Tensor, sigma: torch.Tensor, **_: Any) -> torch.Tensor:
        if len(queries) == len(waiting):
            raise Unsupported(
                f"the model is called more than {len(waiting)} times in {len(sigmas) - 1} steps"
            )
        tensor, answer = waiting[len(queries)]
        queries.append(Query(told=tracer.element(sigma), fed=tracer.element(fed), answer=answer))
        seen.extend((sigma.clone(), fed.clone()))  # it may go on to write into them
        return tensor

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        with tracer:
            result = sampler(model, x, grid)
    if (result.shape, result.dtype) != (x.shape, x.dtype):
        raise Unsupported(f"it gives {tuple(result.shape)} {result.dtype} for {tuple(x.shape)} {x.dtype}")
    positive = [s for s in levels if s.op != "const"]
    return LiftedRun(
        prediction=prediction,
        state=state,
        sigmas=tuple(levels),
        queries=tuple(queries),
        output=tracer.element(result),
        relations=tuple(Relation(low, "<", high) for high, low in itertools.pairwise(positive)),
        assumptions=tuple(tracer.assumptions),
        point=tracer.point,
        got=tuple(float(t.flatten()[0]) for t in (*seen, result)),
        origins=tracer.origins,
    )


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
