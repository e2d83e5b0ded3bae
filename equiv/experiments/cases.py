"""The inputs that experiments share: the data, its exact denoiser, and steps drawn at random from it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from equiv.formulas.denoisers import mixture_denoiser
from equiv.formulas.levels import Level
from equiv.number import N
from equiv.result import Task

Network = Callable[[Any, Level[Any]], Any]
"""What is sampled with: the data prediction for a state at a level."""
Schedule = Callable[[Any], Level[Any]]

WEIGHTS = (2, 1, 1)
MEANS = (-1.5, 0.5, 1.75)
STDS = (0.5, 0.75, 0.5)

STEP_COUNTS = (4, 16, 64)  # powers of two: the times are exact in every type
DRAWS = 64
DTYPES = {
    str(kind).partition(".")[2]: kind
    for kind in (torch.float64, torch.float32, torch.bfloat16, torch.float16)
}


class Steps(NamedTuple):
    """States and the steps to take from them: ``z_t`` has shape (draws, steps), the times (steps,).

    For networks ``z_t`` is (nets, steps, size) and the times are (steps, 1).
    """

    z_t: Tensor
    t: Tensor
    s: Tensor


def mixture(z: N, level: Level[N]) -> N:
    """The exact denoiser of the data."""
    return mixture_denoiser(z, level, WEIGHTS, MEANS, STDS)


def draw_steps(schedule: Schedule, task: Task) -> Steps:
    """Every step of the uniform grids from t = 1 to 0, each from states as they occur at its beginning.

    Raises:
        ValueError: the task names a type that is no floating-point type of torch.
    """
    dtype, device = place(task)
    draw = torch.Generator().manual_seed(task.seed)
    grids = [torch.linspace(1, 0, n + 1, dtype=torch.float64) for n in STEP_COUNTS]
    t, s = torch.cat([g[:-1] for g in grids]), torch.cat([g[1:] for g in grids])
    shape = (DRAWS, len(t))
    component = torch.multinomial(
        torch.tensor(WEIGHTS).double(), DRAWS * len(t), replacement=True, generator=draw
    )
    noise = torch.randn(2, *shape, dtype=torch.float64, generator=draw)
    data = (
        torch.tensor(MEANS).double()[component] + torch.tensor(STDS).double()[component] * noise[0].flatten()
    )
    level = schedule(t)
    z_t = level.alpha * data.reshape(shape) + level.sigma * noise[1]
    return Steps(*(values.to(device, dtype) for values in (z_t, t, s)))


def place(task: Task) -> tuple[torch.dtype, str]:
    """The type and the device of a task.

    Raises:
        ValueError: the task names a type that is no floating-point type of torch.
    """
    if task.dtype and task.dtype not in DTYPES:
        raise ValueError(f"an experiment needs one of {', '.join(DTYPES)}; got {task.dtype!r}")
    return DTYPES[task.dtype or "float64"], task.device or "cpu"
