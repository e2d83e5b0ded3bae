"""The ways past the two places where torch lets itself be watched, closed while code is read.

Whoever switches the watching off, runs what nobody watches. Threads are watched like the one that starts
them. What is not closed is taken for granted of the code that is read: that it does not reach memory by an
address or an array that it kept from before, uses no thread or process that was there before, and kept none
of these names from torch under another.
"""

import contextlib
import functools
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import torch
from torch.utils import _python_dispatch as python_dispatch
from torch.utils import dlpack

from equiv.lifting.modes import Watcher
from equiv.lifting.refusal import is_torchs_or_ours

_SWITCHES = (
    (torch._C, "DisableTorchFunction"),
    (torch._C, "ExcludeDispatchKeyGuard"),
    (torch._C, "_DisablePythonDispatcher"),
    (torch._C, "_DisableTorchDispatch"),
    (torch._C, "_ExcludeDispatchKeyGuard"),
    (torch._C, "_pop_torch_dispatch_stack"),
    (torch._C, "_pop_torch_function_stack"),
    (torch._C, "_dispatch_tls_set_dispatch_key_excluded"),
    (python_dispatch, "_disable_current_modes"),
    (python_dispatch, "_pop_mode"),
    (python_dispatch, "_pop_mode_temporarily"),
    (torch.overrides, "_pop_mode"),
    (torch.overrides, "_pop_mode_temporarily"),
)
_UNSEEN = ((torch._C, "_to_dlpack"), (torch, "to_dlpack"), (dlpack, "to_dlpack"))
_CONSTRUCTORS = tuple(
    f"{kind}Tensor"
    for kind in ("BFloat16", "Bool", "Byte", "Char", "Double", "Float", "Half", "Int", "Long", "Short")
)


class _Constructor:
    """Stands for a type such as ``torch.FloatTensor``, which makes tensors of what it is given, unseen."""

    def __init__(self, original: Any, watcher: Watcher) -> None:
        self.stands_for, self._watcher = original, watcher

    def __instancecheck__(self, value: object) -> bool:
        return isinstance(value, self.stands_for)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stands_for, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self._watcher.leaks(self.stands_for.__name__, (*args, *kwargs.values()))
        return self.stands_for(*args, **kwargs)


@contextlib.contextmanager
def closed(watcher: Watcher, watched: Callable[[], contextlib.AbstractContextManager[Any]]) -> Iterator[None]:
    """Close them all.

    Args:
        watcher: is told what goes through.
        watched: watches the thread that enters it.
    """
    with contextlib.ExitStack() as stack:

        def put(owner: Any, name: str, new: Any) -> None:
            stack.enter_context(mock.patch.object(owner, name, new))

        for owner, name in _SWITCHES:
            put(owner, name, _switch(getattr(owner, name), name, watcher))
        for owner, name in _UNSEEN:
            put(owner, name, _unseen(getattr(owner, name), name, watcher))
        for name in _CONSTRUCTORS:
            put(torch, name, _Constructor(getattr(torch, name), watcher))
        # torch.Tensor itself: a class, so that only how it makes tensors can be replaced
        make = staticmethod(_unseen(torch.Tensor.__new__, "Tensor", watcher))
        stack.enter_context(mock.patch.object(torch.Tensor, "__new__", make, create=True))
        put(threading.Thread, "_bootstrap_inner", _thread(threading.Thread._bootstrap_inner, watched))  # type: ignore[attr-defined]
        yield


def _switch(original: Any, name: str, watcher: Watcher) -> Callable[..., Any]:
    @functools.wraps(original)
    def switch(*args: Any, **kwargs: Any) -> Any:
        if not is_torchs_or_ours(sys._getframe(1)):
            watcher.refuse(f"the code uses {name}, which keeps what it does from being read")
        return original(*args, **kwargs)

    return switch


def _unseen(original: Any, name: str, watcher: Watcher) -> Callable[..., Any]:
    @functools.wraps(original)
    def unseen(*args: Any, **kwargs: Any) -> Any:
        watcher.leaks(name, args)
        return original(*args, **kwargs)

    return unseen


def _thread(
    original: Any, watched: Callable[[], contextlib.AbstractContextManager[Any]]
) -> Callable[[threading.Thread], None]:
    def bootstrap(thread: threading.Thread) -> None:
        with watched():
            original(thread)

    return bootstrap
