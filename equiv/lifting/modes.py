"""The two places where torch lets itself be watched."""

from typing import Any, Protocol

from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode


class Watcher(Protocol):
    """What is told of calls."""

    def dispatch(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any: ...
    def leaks(self, method: str, args: tuple[Any, ...]) -> None: ...


class Dispatch(TorchDispatchMode):
    """Sees every operator that reaches the dispatcher, and runs it as the watcher says."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._watcher = watcher

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self._watcher.dispatch(func, args, kwargs or {})


_LEAKS = frozenset([
    "numpy", "tolist", "tensor", "as_tensor", "asarray", "new_tensor", "data_ptr", "share_memory_",
    "__array__", "__dlpack__", "__deepcopy__", "__reduce_ex__",
    "untyped_storage", "storage", "_typed_storage",
    "apply_", "map_", "map2_", "__repr__",
])  # fmt: skip


class Leaks(TorchFunctionMode):
    """Sees the methods by which values leave without an operator."""

    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self._watcher = watcher

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        method = getattr(func, "__name__", "")
        if method in _LEAKS:
            self._watcher.leaks(method, args)
        return func(*args, **(kwargs or {}))
