"""The expressions that elements hold, numbered, and what elementwise operators do with them.

See :mod:`equiv.lifting.memory` for what a cell is.
"""

import functools
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equiv.lifting.memory import NO_LANE, UNTRACKED, Cells, pack, unpack
from equiv.lifting.refusal import calling_line
from equiv.symbolic.expression import Expr, substitute, symbol, symbols

_CONSTANT, _FREE, _LANED = 0, 1, 2


class Elements:
    """Numbers expressions, and knows the value of every variable at the point that is run."""

    def __init__(self) -> None:
        self.origins: dict[Expr, str] = {}  # file:line that computed it
        self._table: list[Expr] = []
        self._numbers: dict[Expr, int] = {}
        self._kinds: dict[Expr, int] = {}
        self._lanes: dict[Expr, NDArray[np.float64]] = {}  # the values of a symbol, lane by lane
        self._values: dict[Expr, float] = {}  # of everything else that was named

    # --- variables ------------------------------------------------------------------------------------

    def name(self, e: Expr, value: float) -> None:
        """Say that ``e``, a symbol or a constant, has a value.

        Raises:
            ValueError: it has another.
        """
        if self._values.setdefault(e, value) != value or (e.op == "const" and e.param != value):
            raise ValueError(f"{e} cannot stand for {value!r}: it has another value")

    def lane(self, element: Expr, values: NDArray[Any]) -> Cells:
        """Cells of a new variable that has a value a lane.

        Raises:
            ValueError: it is not new.
        """
        if element in self._kinds:
            raise ValueError(f"there is a variable {element} already; use another name")
        self._lanes[element] = values.astype(np.float64).ravel()
        self._kinds[element] = _LANED
        lanes = np.arange(values.size).reshape(values.shape)
        return pack(np.full_like(lanes, self.code(element)), lanes)

    def is_lane(self, variable: Expr) -> bool:
        """Has it a value a lane?"""
        return variable in self._lanes

    def fresh(self, name: str) -> str:
        """``name``, or the first of ``name1``, ``name2`` ... that no variable has."""
        taken = {e.param.name for e in self._lanes}
        tries = (name if i == 0 else f"{name}{i}" for i in range(len(taken) + 1))
        return next(t for t in tries if t not in taken)

    @property
    def variables(self) -> list[Expr]:
        return [e for e in (*self._values, *self._lanes) if e.op == "symbol"]

    def value(self, variable: Expr) -> Fraction:
        """The value of a variable, in lane 0.

        Raises:
            KeyError: nothing has that name.
        """
        lanes = self._lanes.get(variable)
        return Fraction(self._values[variable] if lanes is None else float(lanes[0]))

    def values(self, variable: Expr) -> NDArray[np.float64]:
        """Its value in every lane."""
        return self._lanes[variable]

    # --- cells ----------------------------------------------------------------------------------------

    def cells(self, expressions: Sequence[Expr], shape: tuple[int, ...]) -> Cells:
        """Cells without a lane."""
        codes = np.array([self.code(e) for e in expressions], dtype=np.int64).reshape(shape)
        return pack(codes, np.full_like(codes, NO_LANE))

    def expressions(self, cells: Cells) -> list[Expr]:
        """The different expressions in tracked cells."""
        return [self._table[c] for c in set(unpack(cells)[0].ravel().tolist()) - {UNTRACKED}]

    def each(self, cells: Cells) -> list[Expr]:
        """The expression of each cell, which must be tracked."""
        return [self._table[c] for c in unpack(cells)[0].ravel().tolist()]

    def any_symbolic(self, cells: Cells) -> bool:
        return any(self._kind(e) for e in self.expressions(cells))

    def map(self, build: Callable[..., Expr], operands: Sequence[Cells]) -> Cells:
        """``build`` on the elements of operands that broadcast; equal combinations are built once."""
        spread = [unpack(c) for c in np.broadcast_arrays(*operands)]
        lane: Cells = functools.reduce(np.maximum, (lanes for _, lanes in spread))
        if any(((lanes != lane) & (lanes != NO_LANE)).any() for _, lanes in spread):
            return self.map(build, [self.indexed(c) for c in operands])
        keys = list(zip(*(codes.ravel().tolist() for codes, _ in spread), strict=True))
        made = {key: self._made(build(*(self._table[k] for k in key))) for key in dict.fromkeys(keys)}
        codes = np.array([made[key] for key in keys], dtype=np.int64).reshape(lane.shape)
        without = [c for c in made.values() if self._kind(self._table[c]) != _LANED]
        return pack(codes, np.where(np.isin(codes, without), NO_LANE, lane) if without else lane)

    def indexed(self, cells: Cells) -> Cells:
        """The same elements over indexed symbols, which need no lane."""
        codes, lanes = unpack(cells)
        if (lanes == NO_LANE).all():
            return cells
        pairs = list(zip(codes.ravel().tolist(), lanes.ravel().tolist(), strict=True))
        made = {pair: self._at_lane(*pair) for pair in dict.fromkeys(pairs)}
        codes = np.array([made[pair] for pair in pairs]).reshape(codes.shape)
        return pack(codes, np.full_like(codes, NO_LANE))

    def code(self, e: Expr) -> int:
        """The number of an expression."""
        found = self._numbers.get(e)
        if found is None:
            found = self._numbers[e] = len(self._table)
            self._table.append(e)
        return found

    def _made(self, e: Expr) -> int:
        if e.args and e not in self.origins:
            self.origins[e] = calling_line()
        return self.code(e)

    def _at_lane(self, code: int, lane: int) -> int:
        e = self._table[code]
        if lane == NO_LANE:
            return code
        renamed = {}
        for s in symbols(e):
            if s in self._lanes:
                renamed[s] = symbol(f"{s.param.name}[{lane}]", s.param.role)
                self._values[renamed[s]] = float(self._lanes[s][lane])
        return self.code(substitute(e, renamed))

    def _kind(self, e: Expr) -> int:
        found = self._kinds.get(e)
        if found is None:
            found = _FREE if e.op == "symbol" else max((self._kind(a) for a in e.args), default=_CONSTANT)
            self._kinds[e] = found
        return found
