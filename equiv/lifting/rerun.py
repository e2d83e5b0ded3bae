"""Runs what was read again: on the same values with nothing watching, and on others.

The arguments and whatever holds state are copied before they are read. On the other values the schedule's
symbols are moved apart, in their order, everything else is drawn anew, and so is the noise.
"""

import contextlib
import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import torch

from equiv.lifting import replay
from equiv.lifting.assumption import Assumption
from equiv.lifting.draws import Draws
from equiv.lifting.refusal import Repeated, Unsupported
from equiv.lifting.tracer import Marked, Tracer
from equiv.symbolic.expression import Expr, Relation, symbol, symbols
from equiv.symbolic.witness import holds

Point = dict[Expr, Fraction]
Run = Callable[..., torch.Tensor]  # of a seed and copies of what was given
SEED, OTHER_SEED = 0, 1
_STRIDES = (2.0**-5, 2.0**-9, 0.0)  # how far a schedule is moved: the furthest that keeps the conditions
_FRESH = (1.0, 2.0**-7, 0.0)  # how much of everything else is drawn anew


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch's own generator is seeded, and afterwards as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


class Rerun:
    """Made when everything is marked, before the code is run on it."""

    def __init__(self, tracer: Tracer, *given: Any) -> None:
        self._tracer = tracer
        self._before = copy.deepcopy((given, [m.tensor for m in tracer.marked]))

    def hold(self, result: torch.Tensor, run: Run, places: Sequence[int] | None = None) -> list[Assumption]:
        """See that ``run`` computes what was read of ``result``. What stands in the way is an assumption.

        Args:
            run: called with a seed and copies of what was given.
            places: the elements that are compared; all of them by default.

        Raises:
            Unsupported: it computes something else.
        """
        wanted = list(range(result.numel()) if places is None else places)
        read = self._tracer.read_at(result, wanted)
        off = replay.precision(self._tracer.dtypes)

        def compare(got: torch.Tensor, point: Mapping[Expr, Fraction], where: str) -> bool:
            """Is it a number, and so said something?"""
            if (got.shape, got.dtype) != (result.shape, result.dtype):
                raise Unsupported(f"{where} the code returns {tuple(got.shape)} {got.dtype}")
            values = got.detach().flatten()[wanted].tolist()
            if against := replay.disagreement(read, values, point, off):
                raise Unsupported(f"a value left torch unseen: {where} {against}")
            return not any(map(math.isnan, values))

        here = self._tracer.point
        compare(result, here, "while it is read,")
        given, _ = self._copies()
        compare(run(SEED, *given), here, "run unread,")
        reasons = [] if replay.is_checked(read, here, off) else ["its value is not known well enough"]
        missing = "no other values meet its conditions"
        for given, point in self._elsewhere():
            with Draws() as draws:
                got = run(OTHER_SEED, *given)
            if compare(got, point | self._drawn(draws), "run on other values,"):
                break
            missing = "the code returns nan there, as when rounding takes the root of less than zero"
        else:
            reasons.append(missing)
        text = "the reading was not held against a run on other values: "
        return [Assumption("hypothesis", text + why, None) for why in reasons]

    def changes(self, run: Callable[..., torch.Tensor], change: Callable[..., None]) -> bool:
        """Does the code return something else where ``change`` was done to copies of what was given?"""
        plain, changed = self._copies()[0], self._copies()[0]
        change(*changed)
        return not torch.equal(run(SEED, *plain).nan_to_num(), run(SEED, *changed).nan_to_num())

    def _copies(self) -> tuple[tuple[Any, ...], list[Marked]]:
        given, tensors = copy.deepcopy(self._before)
        return given, [m._replace(tensor=t) for m, t in zip(self._tracer.marked, tensors, strict=True)]

    def _elsewhere(self) -> Iterator[tuple[tuple[Any, ...], Point]]:
        """Copies with other values, and the point that these are, where all that was assumed holds."""
        relations = [a.relation for a in self._tracer.assumptions if a.relation is not None]
        for stride in _STRIDES:
            for fresh in _FRESH:
                given, marked = self._copies()
                point = _moved(marked, stride, fresh, self._tracer)
                same = all(map(torch.equal, (m.tensor for m in marked), self._before[1]))
                if not same and all(self._holds(r, point) for r in relations):
                    yield given, point

    def _holds(self, relation: Relation, point: Point) -> bool:
        """What was read of values that are as they were holds as it did."""
        about = symbols(relation.left, relation.right)
        if any(s not in point for s in about):  # noise, which is drawn anew
            return False
        return all(point[s] == self._tracer.value(s) for s in about) or holds(relation, point)

    def _drawn(self, draws: Draws) -> Point:
        noises = self._tracer.noises
        before = [self._tracer.values(n) for n in noises]
        if [b.size for b in before] != [found.size for found in draws.found]:
            raise Unsupported("run on other values, the code draws other random numbers")
        for drawn, found in zip(before, draws.found, strict=True):
            if found.size and np.array_equal(found, drawn):
                raise Repeated("the numbers drawn do not depend on the generator that was given")
        return {
            symbol(f"{noise.param.name}[{k}]", "noise"): Fraction(v)
            for noise, found in zip(noises, draws.found, strict=True)
            for k, v in enumerate(found.tolist())
        }


def _moved(marked: Sequence[Marked], stride: float, fresh: float, tracer: Tracer) -> Point:
    """Change the tensors, and say which values their symbols have then."""
    chance, point = torch.Generator().manual_seed(2), Point()
    lanes, tables = ([m for m in marked if m.is_lane is wanted] for wanted in (True, False))
    for m in lanes:
        drawn = torch.randn(m.tensor.shape, dtype=torch.float64, generator=chance)
        m.tensor.copy_(drawn if fresh == 1 else m.tensor.double() + fresh * drawn)
        point |= dict(zip(m.expressions, map(Fraction, m.tensor.flatten().tolist()), strict=True))
    held = dict.fromkeys(e for m in tables for e in m.expressions)
    here = {s: float(tracer.value(s)) for s in symbols(*held)}
    levels = sorted(here, key=lambda s: abs(here[s]))  # so that those that differ keep their order
    coarsest = max((m.tensor.dtype for m in tables), key=lambda d: torch.finfo(d).eps, default=torch.float64)
    shares = [1 - stride * (len(levels) - k) / len(levels) for k in range(len(levels))]
    moved = torch.tensor([here[s] * share for s, share in zip(levels, shares, strict=True)], dtype=coarsest)
    values = moved.tolist() if stride else [here[s] for s in levels]
    point |= dict(zip(levels, map(Fraction, values), strict=True))
    for m in tables if stride else ():
        m.tensor.copy_(_values(m.expressions, point).view(m.tensor.shape))
    return point


def _values(expressions: Sequence[Expr], point: Point) -> torch.Tensor:
    exact = (
        point[e] if e.op == "symbol" else replay.value(e, point, replay.EXACT).mid() for e in expressions
    )
    return torch.tensor([float(v) for v in exact], dtype=torch.float64)
