"""The schedule of a scheduler as symbols: one a value, named by its part in the step that is read."""

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction

import torch

from equiv.formulas.levels import Level
from equiv.lifting.assumption import Assumption
from equiv.lifting.refusal import Unsupported
from equiv.number import sqrt
from equiv.subjects.diffusers.classes import Family
from equiv.subjects.diffusers.listing import ONE, ZERO, Place
from equiv.symbolic import balls
from equiv.symbolic.expression import Expr, Relation, symbol

BEFORE = ("before", "earlier", "earliest", *(f"back_{k}" for k in range(4, 13)))  # the latest call first
_STEMS = {
    "alphas_cumprod": "A",
    "sigmas": "sigma",
    "sigmas_interpol": "between",
    "betas": "sigma",
    "discrete_sigmas": "sigma",
}
_ROUNDING = 4 * 2.0**-24  # of each operation that makes an entry from others


class Table:
    """The entries of buffers for a step; ``places`` are those of its levels, by their part in it.

    Entries of one value are one symbol; 0 and 1 stay what they are, and what is no number has none. A buffer
    that follows from others holds expressions in them.
    """

    def __init__(
        self, buffers: Mapping[str, torch.Tensor], places: Mapping[str, Place | None], family: Family
    ) -> None:
        rows = {name: _numbers(buffers[name]) for name in family.buffers}
        known: dict[float, Expr] = {0.0: ZERO, 1.0: ONE}
        # a level that is listed twice has the first of its parts
        for part, place in places.items():
            ends = ((part, place.entry), (f"{part}_with", place.other)) if place else ()
            for named, k in ends:
                if place and k is not None and (value := rows[place.buffer][k]) is not None:
                    known.setdefault(value, _positive(f"{_STEMS[place.buffer]}_{named}"))
        for name, row in rows.items():
            for k, value in enumerate(row):
                if value is not None:
                    known.setdefault(value, _positive(f"{_STEMS[name]}_{k}"))
        self.values = {e: Fraction(v) for v, e in known.items() if e.op == "symbol"}
        listed = {name: [None if v is None else known[v] for v in row] for name, row in rows.items()}
        self.listed = listed
        self._family = family
        following = {name: make(listed) for name, make in family.following.items()}
        for name, expressions in following.items():
            self._check(name, _numbers(buffers[name]), expressions)
        self.entries = listed | following

    def _check(self, name: str, numbers: Sequence[float | None], expressions: Sequence[Expr | None]) -> None:
        for k, (number, e) in enumerate(zip(numbers, expressions, strict=True)):
            if e is None:
                continue
            ball = balls.evaluate(e, self.values, rounding=_ROUNDING)
            if number is None or not ball.contains(number):
                raise Unsupported(f"{name}[{k}] is {number!r}, and not what follows from the levels listed")

    def level(self, place: Place | None) -> Level[Expr]:
        """The level at a place; None: the clean end, alpha 1 and sigma 0.

        Raises:
            Unsupported: there is no number at the place.
        """
        if place is None:
            return Level(ONE, ZERO)
        parts = [self.listed[place.buffer][k] for k in (place.entry, place.other) if k is not None]
        found = [e for e in parts if e is not None]
        if len(found) < len(parts):
            raise Unsupported(f"the level listed at {place.buffer}[{place.entry}] is no number")
        return self._family.level(found[0] if len(found) == 1 else sqrt(found[0] * found[1]))

    def domain(self, used: Sequence[Expr]) -> tuple[Relation, ...]:
        """0 < ... < 1 in the order of the schedule; no upper end where the noise has none."""
        rising = sorted(used, key=lambda e: self.values[e])
        chain = [ZERO, *rising] + ([ONE] if self._family.bounded else [])
        return tuple(Relation(a, "<", b) for a, b in itertools.pairwise(chain) if rising)

    def places(self, used: Sequence[Expr]) -> dict[Expr, str]:
        """The first entry that each symbol stands for."""
        found = ((e, self._entries_of(e)) for e in used)
        return {e: str(places[0]) for e, places in found if places}

    def coincidences(
        self, used: Sequence[Expr], listed: Sequence[Place], reads: Callable[[Place], bool]
    ) -> Iterator[Assumption]:
        """Entries of one value are one symbol, so a step that reads another than is listed is not seen to.

        Args:
            used: the symbols of the step.
            listed: the places of its levels.
            reads: whether a step reads an entry, seen by running it where that entry alone is another.
        """
        for e in used:
            places = self._entries_of(e)
            if len(places) > 1 and any(reads(place) for place in places if place not in listed):
                yield Assumption("hypothesis", " = ".join(map(str, places)), None)

    def renamed(self, other: "Table") -> dict[Expr, Expr]:
        """What this table's symbols are called in another table of the same buffers."""
        pairs = (zip(row, other.listed[name], strict=True) for name, row in self.listed.items())
        return {
            old: new
            for old, new in itertools.chain(*pairs)
            if old is not None and new is not None and old.op == "symbol"
        }

    def _entries_of(self, e: Expr) -> list[Place]:
        rows = self.listed.items()
        return [Place(b, k) for b, row in rows for k, entry in enumerate(row) if entry is e]


def _numbers(buffer: torch.Tensor) -> list[float | None]:
    return [v if math.isfinite(v) else None for v in buffer.tolist()]


@functools.cache
def _positive(name: str) -> Expr:
    return symbol(name, "schedule", positive=True)
