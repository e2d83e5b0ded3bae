"""How a class of diffusers is driven: what a user writes, and the same done here."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch

Options = Mapping[str, Any]


def _nothing(_scheduler: Any, _steps: int, _like: torch.Tensor) -> None:
    pass


class Calling(NamedTuple):
    """``step`` gives the next state; ``text`` is the Python that does so, with the options of step() in it.

    ``text`` is in terms of ``scheduler``, the state ``z``, the output ``net``, the time ``t`` and the number
    ``i`` of the call; it ends in ``result``. ``ready`` and ``ready_text`` come after set_timesteps().
    """

    step: Callable[[Any, int, torch.Tensor, torch.Tensor, Options], torch.Tensor]
    text: str
    ready: Callable[[Any, int, torch.Tensor], None] = _nothing
    ready_text: str = ""
    draws: bool = False  # it may draw, though step() takes no generator


def takes_generator(scheduler: Any) -> bool:
    """May the caller say where its draws come from?"""
    method = scheduler.step if hasattr(scheduler, "step") else scheduler.step_pred
    return "generator" in inspect.signature(method).parameters


def _plain(scheduler: Any, i: int, net: torch.Tensor, z: torch.Tensor, options: Options) -> torch.Tensor:
    result: torch.Tensor = scheduler.step(net, scheduler.timesteps[i], z, **options).prev_sample
    return result


PLAIN = Calling(_plain, "result = scheduler.step(net, t, z{options}).prev_sample")


def _with_last_x(
    scheduler: Any, i: int, net: torch.Tensor, z: torch.Tensor, options: Options
) -> torch.Tensor:
    """The caller keeps the data prediction; here it is kept with the rest."""
    times = scheduler.timesteps
    last, before = (scheduler.last_x, times[i - 1]) if i else (None, None)
    result: torch.Tensor
    result, scheduler.last_x = scheduler.step(net, last, times[i], before, z, **options)
    return result


WITH_LAST_X = Calling(
    _with_last_x,
    "result, last = scheduler.step(net, last if i else None, t, scheduler.timesteps[i - 1] if i else None, "
    "z{options})",
)


def _drawing(scheduler: Any, _steps: int, like: torch.Tensor) -> None:
    scheduler.noise_sampler = lambda *_levels: torch.randn(like.shape, dtype=like.dtype)


OWN_DRAWS = PLAIN._replace(
    ready=_drawing, ready_text="scheduler.noise_sampler = lambda *levels: torch.randn(1)"
)
INDEPENDENT = "independent normal draws, for those of its Brownian tree"


def _predictor(scheduler: Any, i: int, net: torch.Tensor, z: torch.Tensor, options: Options) -> torch.Tensor:
    result: torch.Tensor = scheduler.step_pred(net, scheduler.timesteps[i], z, **options).prev_sample
    return result


def _set_sigmas(scheduler: Any, steps: int, _like: torch.Tensor) -> None:
    scheduler.set_sigmas(steps)


PREDICTOR = Calling(
    _predictor,
    "result = scheduler.step_pred(net, t, z{options}).prev_sample",
    _set_sigmas,
    "scheduler.set_sigmas({steps})",
)
