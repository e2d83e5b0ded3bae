"""The two places where torch lets itself be watched."""

from typing import Any, Protocol

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode


class Watcher(Protocol):
    """What is told of calls."""

    def dispatch(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...
    def leaks(self, method: str, args: tuple[Any, ...]) -> None: ...
    def refuse(self, reason: str) -> None: ...


class Dispatch(TorchDispatchMode):
    """Sees every operator that reaches the dispatcher, and runs it as the watcher says."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._watcher = watcher

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self._watcher.dispatch(func, args, kwargs or {})


_NARROW = frozenset([torch.float32, torch.float16, torch.bfloat16])


class Doubled(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Runs everything in float64, not in what is narrower; what is written in place keeps its type."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        written = {a.name for a in func._schema.arguments if a.alias_info and a.alias_info.is_write}
        names = [a.name for a in func._schema.arguments]
        wide = [a if n in written else _widened(a) for n, a in zip(names, args, strict=False)]
        options = {n: a if n in written else _widened(a) for n, a in (kwargs or {}).items()}
        return func(*wide, **options)


def _widened(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_widened(v) for v in value]
    if isinstance(value, torch.Tensor):
        return value.double() if value.dtype in _NARROW else value
    return torch.float64 if isinstance(value, torch.dtype) and value in _NARROW else value


_LEAKS = frozenset([
    "numpy", "tolist", "tensor", "as_tensor", "asarray", "new_tensor", "data_ptr", "share_memory_",
    "__array__", "__dlpack__", "__deepcopy__", "__reduce_ex__",
    "untyped_storage", "storage", "_typed_storage",
    "apply_", "map_", "map2_", "__repr__", "new",
])  # fmt: skip


class Leaks(TorchFunctionMode):
    """Sees the methods by which values leave without an operator."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self._watcher = watcher

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        method = getattr(func, "__name__", "")
        if method in _LEAKS:
            self._watcher.leaks(method, args[1:] if method == "new" else args)
        elif method == "type":
            args = tuple(getattr(a, "stands_for", a) for a in args)
        return func(*args, **(kwargs or {}))
