"""Reads a function of tensors as expressions, and runs it again unread to see that they are what it computes.

It is run once on symbols, once more on the same values with nothing watching, and, with other values, other
noise and a schedule whose entries are distinct, a third time.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import torch
from numpy.typing import NDArray

from equiv.lifting import replay
from equiv.lifting.assumption import Assumption
from equiv.lifting.draws import Draws
from equiv.lifting.refusal import Unsupported
from equiv.lifting.tracer import Tracer
from equiv.symbolic.expression import Expr, Relation, Role, const, symbol, symbols
from equiv.symbolic.witness import holds

Code = Callable[..., torch.Tensor]
Point = dict[Expr, Fraction]
_STRIDES = (2.0**-5, 2.0**-9, 0.0)  # how far a schedule is moved, the furthest that keeps the conditions
_SEEDS = 0, 1  # of the run that is read, and of the one on other values


class Given(NamedTuple):
    """An argument of the code. Every entry of a schedule is a variable of its own, but for zeros and ones."""

    values: torch.Tensor
    role: Role = "state"


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a function of tensors computes; ``expressions`` has the shape of its result."""

    tracer: Tracer
    result: torch.Tensor
    expressions: NDArray[Any]
    assumptions: tuple[Assumption, ...]

    @property
    def element(self) -> Expr:
        """The one expression of all elements, each of its own: see :meth:`Tracer.element`."""
        return self.tracer.element(self.result)


def read(code: Code, given: Mapping[str, Given]) -> Reading:
    """Read what ``code`` computes of its keyword arguments, a tensor.

    Raises:
        Unsupported: it cannot be read, or it does not compute what was read.
    """
    tracer, tensors = Tracer(), {name: g.values.clone() for name, g in given.items()}
    entries = {name: _mark(tracer, name, g.role, tensors[name]) for name, g in given.items()}
    with _seeded(_SEEDS[0]):
        result = _traced(tracer, code, tensors)
    expressions = tracer.read(result)
    read_ = expressions.ravel().tolist()
    off = replay.precision(tracer.dtypes | {g.values.dtype for g in given.values()})

    def hold(got: torch.Tensor, point: Point, where: str) -> None:
        if tuple(got.shape) != expressions.shape or got.dtype != result.dtype:
            raise Unsupported(f"{where}, the code returns {tuple(got.shape)} {got.dtype}")
        if against := replay.disagreement(read_, got.detach().flatten().tolist(), point, off):
            raise Unsupported(f"{where}, {against}: a value leaves unseen")

    point = tracer.point
    hold(result, point, "while it is read")
    with _seeded(_SEEDS[0]):
        again = code(**{name: g.values.clone() for name, g in given.items()})
    hold(again, point, "run unread on the same values")
    unchecked = [] if replay.is_checked(read_, point, off) else ["its value is not known well enough"]
    other = next(_others(tracer, given, entries), None)
    if other is None:
        unchecked.append("no other values meet its conditions")
    else:
        values, elsewhere = other
        with _seeded(_SEEDS[1]), Draws() as draws:
            got = code(**values)
        hold(got, elsewhere | _drawn(tracer, draws), "run unread on other values")
    text = "the reading was not held against a run on other values: "
    said = [Assumption("hypothesis", text + why, None) for why in unchecked]
    return Reading(tracer, result, expressions, (*tracer.assumptions, *said))


def _traced(tracer: Tracer, code: Code, tensors: Mapping[str, torch.Tensor]) -> torch.Tensor:
    try:
        with tracer:
            result = code(**tensors)
    except Unsupported:
        raise
    except Exception as error:
        raise Unsupported(f"the code fails while it is read: {type(error).__name__}: {error}") from error
    if not isinstance(result, torch.Tensor):
        raise Unsupported(f"the code returns a {type(result).__name__}, not a tensor")
    return result


def _mark(tracer: Tracer, name: str, role: Role, tensor: torch.Tensor) -> list[Expr]:
    """The expressions of a tensor's elements; 0 and 1 in a schedule stay."""
    if role != "schedule":
        tracer.mark(tensor, name, role)
        return [symbol(f"{name}[{k}]", role) for k in range(tensor.numel())]
    entries = [
        const(int(v)) if v in {0, 1} else symbol(f"{name}_{k}", "schedule", positive=v > 0)
        for k, v in enumerate(tensor.flatten().tolist())
    ]
    tracer.mark_as(tensor, entries)
    return entries


def _others(
    tracer: Tracer, given: Mapping[str, Given], entries: Mapping[str, Sequence[Expr]]
) -> Iterator[tuple[dict[str, torch.Tensor], Point]]:
    """Other values of the arguments, and the point they are, where all that was assumed holds."""
    chance = torch.Generator().manual_seed(2)
    relations = [a.relation for a in tracer.assumptions if a.relation is not None]
    for stride in _STRIDES:
        for fresh in (1.0, 2.0**-7, 0.0):
            values = {name: _changed(g, stride, fresh, chance) for name, g in given.items()}
            if all(torch.equal(values[name], g.values) for name, g in given.items()):
                continue
            point = _point(values, entries)
            if all(_holds(r, point, tracer) for r in relations):
                yield values, point


def _changed(given: Given, stride: float, fresh: float, chance: torch.Generator) -> torch.Tensor:
    """A schedule with every entry but 0 and 1 moved by its own amount; other numbers drawn anew, or moved."""
    old = given.values.double()
    if given.role == "schedule":
        share = 1 - stride * torch.arange(1, old.numel() + 1).view(old.shape) / old.numel()
        return torch.where((old == 0) | (old == 1), old, old * share).to(given.values.dtype)
    drawn = torch.randn(old.shape, dtype=torch.float64, generator=chance)
    return (drawn if fresh == 1 else old + fresh * drawn).to(given.values.dtype)


def _point(values: Mapping[str, torch.Tensor], entries: Mapping[str, Sequence[Expr]]) -> Point:
    point: Point = {}
    for name, tensor in values.items():
        numbers = map(Fraction, tensor.flatten().tolist())
        point |= {e: v for e, v in zip(entries[name], numbers, strict=True) if e.op == "symbol"}
    return point


def _holds(relation: Relation, point: Point, tracer: Tracer) -> bool:
    """Does it hold there? What was read of values that are as they were holds as it did."""
    about = symbols(relation.left, relation.right)
    if any(s not in point for s in about):  # noise, which is drawn anew
        return False
    return all(point[s] == tracer.value(s) for s in about) or holds(relation, point)


def _drawn(tracer: Tracer, draws: Draws) -> Point:
    """The values of the noise symbols in another run, which must draw alike."""
    counts = [tracer.count(noise) for noise in tracer.noises]
    if counts != [found.size for found in draws.found]:
        raise Unsupported("run unread on other values, the code draws other random numbers")
    return {
        symbol(f"{noise.param.name}[{k}]", "noise"): Fraction(v)
        for noise, found in zip(tracer.noises, draws.found, strict=True)
        for k, v in enumerate(found.tolist())
    }


@contextlib.contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Torch's own generator seeded, and as it was afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


__all__ = ["Code", "Given", "Reading", "read"]
