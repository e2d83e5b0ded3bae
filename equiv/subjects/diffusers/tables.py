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
from equiv.subjects.diffusers.classes import Place
from equiv.subjects.subject import Gauge
from equiv.symbolic.expression import Expr, Relation, const, symbol

_PARTS = ("t", "s", "before", "earlier", "earliest", *(f"back_{k}" for k in range(4, 13)))
_STEMS = {"alphas_cumprod": "A", "sigmas": "sigma", "sigmas_interpol": "between"}
_ZERO, _ONE = const(0), const(1)


class Table:
    """The entries of buffers for a step whose levels are at ``places``: its own, the next, those before.

    Entries of one value are one symbol; 0 and 1 stay what they are, and what is no number has none.
    """

    def __init__(self, buffers: Mapping[str, torch.Tensor], places: Sequence[Place], gauge: Gauge) -> None:
        lists = ((name, buffer.tolist()) for name, buffer in buffers.items())
        values = {name: [v if math.isfinite(v) else None for v in row] for name, row in lists}
        known: dict[float, Expr] = {0.0: _ZERO, 1.0: _ONE}
        # a level that is listed twice has the first of its parts
        for (name, k), part in zip(dict.fromkeys(places), _PARTS, strict=False):
            if (value := values[name][k]) is not None:
                known.setdefault(value, _positive(f"{_STEMS[name]}_{part}"))
        for name, row in values.items():
            for k, value in enumerate(row):
                if value is not None:
                    known.setdefault(value, _positive(f"{_STEMS[name]}_{k}"))
        self.entries = {name: [None if v is None else known[v] for v in row] for name, row in values.items()}
        self.values = {e: Fraction(v) for v, e in known.items() if e.op == "symbol"}
        self._gauge = gauge
        self._bounded = gauge == "flow" or "alphas_cumprod" in buffers

    def level(self, place: Place | None) -> Level[Expr]:
        """The level at a place; None: the clean end, alpha 1 and sigma 0.

        Raises:
            Unsupported: there is no number at the place.
        """
        if place is None:
            return Level(_ONE, _ZERO)
        name, k = place
        e = self.entries[name][k]
        if e is None:
            raise Unsupported(f"the level listed at {name}[{k}] is no number")
        rest = const(1 - e.param) if e.op == "const" else 1 - e
        if name == "alphas_cumprod":
            return Level(*(x if x.op == "const" else sqrt(x) for x in (e, rest)))
        if self._gauge == "flow":
            return Level(rest, e)
        norm = _ONE if self._gauge == "variance exploding" or e is _ZERO else sqrt(1 + e * e)
        return Level(_ONE, e) if norm is _ONE else Level(1 / norm, e / norm)

    def domain(self, used: Sequence[Expr]) -> tuple[Relation, ...]:
        """0 < ... < 1 in the order of the schedule; no upper end where the noise has none."""
        rising = sorted(used, key=lambda e: self.values[e])
        chain = [_ZERO, *rising] + ([_ONE] if self._bounded else [])
        return tuple(Relation(a, "<", b) for a, b in itertools.pairwise(chain) if rising)

    def places(self, used: Sequence[Expr]) -> dict[Expr, str]:
        """The first entry that each symbol stands for."""
        found = ((e, self._entries_of(e)) for e in used)
        return {e: f"{places[0][0]}[{places[0][1]}]" for e, places in found if places}

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
                yield Assumption("hypothesis", " = ".join(f"{b}[{k}]" for b, k in places), None)

    def renamed(self, other: "Table") -> dict[Expr, Expr]:
        """What this table's symbols are called in another table of the same buffers."""
        pairs = (zip(row, other.entries[name], strict=True) for name, row in self.entries.items())
        return {
            old: new
            for old, new in itertools.chain(*pairs)
            if old is not None and new is not None and old.op == "symbol"
        }

    def _entries_of(self, e: Expr) -> list[Place]:
        return [(b, k) for b, row in self.entries.items() for k, entry in enumerate(row) if entry is e]


@functools.cache
def _positive(name: str) -> Expr:
    return symbol(name, "schedule", positive=True)
