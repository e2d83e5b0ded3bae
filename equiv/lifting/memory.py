"""The shadow of a storage: for each of its elements, which expression it holds.

A cell packs the number of an expression with a lane. The expression of a tensor's elements is written
once, over symbols without an index; the lane says which element of the marked tensors those symbols
stand for. An element with no such symbol has no lane.
"""

import bisect
import ctypes
import functools
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from equiv.lifting.refusal import Unsupported, WrittenBehind

Cells = NDArray[np.int64]
UNTRACKED = -1  # concrete: the value is in memory and nowhere else
NO_LANE = -1
_LANE_BITS = 32

_NUMPY: dict[torch.dtype, type[np.generic]] = {
    torch.float64: np.float64,
    torch.float32: np.float32,
    torch.float16: np.float16,
    torch.bfloat16: np.uint16,
    torch.int64: np.int64,
    torch.int32: np.int32,
    torch.int16: np.int16,
    torch.int8: np.int8,
    torch.uint8: np.uint8,
    torch.bool: np.bool_,
}


def pack(codes: Cells, lanes: Cells) -> Cells:
    """Codes must be 0 or more, lanes -1 or more and below 2**32 - 1."""
    return (codes << _LANE_BITS) | (lanes + 1)


def unpack(cells: Cells) -> tuple[Cells, Cells]:
    """Codes and lanes; an untracked cell has code -1."""
    return cells >> _LANE_BITS, (cells & (2**_LANE_BITS - 1)) - 1


@functools.lru_cache(maxsize=4096)
def _positions(offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Cells:
    """Where in its storage each element of a tensor lies."""
    positions = np.full(shape, offset, dtype=np.int64)
    for axis, stride in enumerate(strides):
        steps = np.arange(shape[axis]) * stride
        positions = positions + steps.reshape(-1, *[1] * (len(shape) - axis - 1))
    return positions


class Shadow:
    """What a storage holds. The storage is kept alive, so that no other can take its address."""

    def __init__(self, storage: torch.UntypedStorage, dtype: torch.dtype) -> None:
        if dtype not in _NUMPY or storage.device.type != "cpu":
            raise Unsupported(f"cannot read {dtype} on {storage.device}; use real numbers on the CPU")
        self.storage, self.dtype, self.start = storage, dtype, storage.data_ptr()
        self.shared = False  # with another storage, in part
        n = storage.nbytes() // dtype.itemsize
        raw: Any = (ctypes.c_char * storage.nbytes()).from_address(storage.data_ptr()) if n else b""
        self.memory: NDArray[Any] = np.frombuffer(raw, dtype=_NUMPY[dtype])
        self._bits = self.memory.view(f"u{dtype.itemsize}")
        self._seen = self._bits.copy()
        self._cells = np.full(n, UNTRACKED, dtype=np.int64)

    def read(self, tensor: torch.Tensor, operator: str) -> Cells:
        """The cells of a tensor.

        Raises:
            WrittenBehind: a tracked element no longer has the value it was recorded with.
        """
        at = self._window(tensor)
        cells = self._cells[at]
        changed = (self._bits[at] != self._seen[at]) & (cells != UNTRACKED)
        if np.any(changed):
            raise WrittenBehind(f"memory read by {operator} was changed by other means than torch")
        return np.asarray(cells)

    def write(self, tensor: torch.Tensor, cells: Cells | int) -> None:
        at = self._window(tensor)
        if self.shared and np.any(np.not_equal(cells, UNTRACKED)):
            raise Unsupported("memory that is part of two storages")
        self._cells[at] = cells
        self._seen[at] = self._bits[at]

    def values(self, tensor: torch.Tensor) -> NDArray[Any]:
        """What memory holds; exact, as bfloat16 is widened to float32."""
        found = np.asarray(self.memory[self._window(tensor)])
        if self.dtype is torch.bfloat16:
            return np.asarray(found.astype(np.uint32) << 16).view(np.float32)
        return found

    @property
    def end(self) -> int:
        return self.start + self.memory.nbytes

    @property
    def is_tracked(self) -> bool:
        return bool(np.any(self._cells != UNTRACKED))

    def _window(self, tensor: torch.Tensor) -> Cells:
        if tensor.dtype != self.dtype:
            raise Unsupported(f"memory of {self.dtype} is read as {tensor.dtype}")
        if self.storage.nbytes() != self.memory.nbytes or self.storage.data_ptr() != self.start:
            raise Unsupported("a storage was resized or moved")
        return _positions(tensor.storage_offset(), tuple(tensor.shape), tensor.stride())


class Memory:
    """The shadows of all storages that were read or written. Two storages of the same memory share one."""

    def __init__(self) -> None:
        self._shadows: dict[int, Shadow] = {}
        self._aliases: list[torch.UntypedStorage] = []  # kept alive, as their shadow is found by them
        self._starts: list[int] = []
        self._at: dict[int, Shadow] = {}

    @property
    def dtypes(self) -> set[torch.dtype]:
        """Every type that was met."""
        return {shadow.dtype for shadow in self._shadows.values()}

    def known(self, tensor: torch.Tensor) -> Shadow | None:
        """The shadow of its storage, if it has one.

        Raises:
            Unsupported: a part of what is tracked is also this storage.
        """
        storage = tensor.untyped_storage()
        found = self._shadows.get(storage._cdata)
        if found is None and storage.nbytes() and storage.device.type == "cpu":
            found = self._at.get(storage.data_ptr())
            if found is not None and found.end == storage.data_ptr() + storage.nbytes():
                self._shadows[storage._cdata] = found
                self._aliases.append(storage)
                return found
            if any(shadow.is_tracked for shadow in self._overlapping(storage)):
                raise Unsupported("memory that is part of two storages")
            return None
        return found

    def of(self, tensor: torch.Tensor) -> Shadow:
        """The shadow of its storage, made if there is none."""
        found = self.known(tensor)
        if found is None:
            storage = tensor.untyped_storage()
            found = self._shadows[storage._cdata] = Shadow(storage, tensor.dtype)
            for other in self._overlapping(storage):
                found.shared = other.shared = True
            if found.start:
                bisect.insort(self._starts, found.start)
                self._at[found.start] = found
        return found

    def same_storage(self, a: torch.Tensor, b: torch.Tensor) -> bool:
        return bool(a.untyped_storage()._cdata == b.untyped_storage()._cdata)

    def _overlapping(self, storage: torch.UntypedStorage) -> list[Shadow]:
        """The shadows of other storages that hold a part of the same memory."""
        start, end = storage.data_ptr(), storage.data_ptr() + storage.nbytes()
        before = bisect.bisect_left(self._starts, start)
        near = self._starts[max(before - 1, 0) : bisect.bisect_left(self._starts, end)]
        return [self._at[s] for s in near if self._at[s].end > start]
