"""The shadow of a storage: for each of its elements, which expression it holds.

A cell packs the number of an expression with a lane. The expression of a tensor's elements is written
once, over symbols without an index; the lane says which element of the marked tensors those symbols
stand for. An element with no such symbol has no lane.
"""

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
        self.storage, self.dtype = storage, dtype
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
        self._cells[at] = cells
        self._seen[at] = self._bits[at]

    def values(self, tensor: torch.Tensor) -> NDArray[Any]:
        """What memory holds; exact, as bfloat16 is widened to float32."""
        found = np.asarray(self.memory[self._window(tensor)])
        if self.dtype is torch.bfloat16:
            return np.asarray(found.astype(np.uint32) << 16).view(np.float32)
        return found

    def _window(self, tensor: torch.Tensor) -> Cells:
        if tensor.dtype != self.dtype:
            raise Unsupported(f"memory of {self.dtype} is read as {tensor.dtype}")
        if self.storage.nbytes() != self.memory.nbytes:
            raise Unsupported("a storage was resized")
        return _positions(tensor.storage_offset(), tuple(tensor.shape), tensor.stride())


class Memory:
    """The shadows of all storages that were read or written."""

    def __init__(self) -> None:
        self._shadows: dict[int, Shadow] = {}

    def known(self, tensor: torch.Tensor) -> Shadow | None:
        return self._shadows.get(tensor.untyped_storage()._cdata)

    def of(self, tensor: torch.Tensor) -> Shadow:
        storage = tensor.untyped_storage()
        found = self._shadows.get(storage._cdata)
        if found is None:
            found = self._shadows[storage._cdata] = Shadow(storage, tensor.dtype)
        return found

    def same_storage(self, a: torch.Tensor, b: torch.Tensor) -> bool:
        return bool(a.untyped_storage()._cdata == b.untyped_storage()._cdata)
