r"""Trains all networks of a recipe as one program.

Networks of one seed start alike (their parameters are drawn alike) and see the same data, noise and uniform
times, so that they differ by their prediction and their schedule alone. Every step draws from generators made
of the seed and the step, so that a training that was interrupted goes on as if it had not been.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from equiv.formulas.levels import Level, log_snr
from equiv.formulas.predictions import FROM_X
from equiv.formulas.schedules import variance_preserving
from equiv.formulas.weightings import MSE_FACTOR
from equiv.number import N, exp
from equiv.reference.data import DATA, Data
from equiv.reference.denoisers import Denoisers
from equiv.reference.networks import ARCHITECTURES, SCALE, Parameters, initial, mlp_layers, unet_layers
from equiv.reference.recipes import SCHEDULES, Recipe

Tensors = dict[str, Tensor]
BETA_1, BETA_2, TINY = 0.9, 0.99, 1e-8  # Adam's
REMEMBERED = 0.99  # of the running mean of the parameters


class State(NamedTuple):
    """Where a training is: all it needs to go on."""

    step: int
    parameters: Tensors
    mean: Tensors  # running means of the parameters: what is sampled with
    first: Tensors  # running means of the gradients
    second: Tensors  # and of their squares


class Batch(NamedTuple):
    """What a step trains on: data and noise ``(seeds, batch, size)``, uniforms ``(seeds, batch, 1)``."""

    x: Tensor
    eps: Tensor
    uniform: Tensor


class Example(NamedTuple):
    """States in the variance-preserving gauge, what networks are told of them, and what counts."""

    q: Tensor
    level: Level[Tensor]
    log_snr: Tensor
    weight: Tensor  # of the square error of the noise


def weighting(lambda_t: N) -> N:
    r"""The weighting that all networks share: of the square error of the noise, by the log-SNR.

    .. math:: w(\lambda) = \frac1{(1 + e^{\lambda - 3}) (e^{\lambda/2} + e^{-\lambda/2})}

    Bounded as a factor of every prediction's square error, on every schedule here.
    """
    return 1 / ((1 + exp(lambda_t - 3)) * (exp(lambda_t / 2) + exp(-lambda_t / 2)))


def begin(recipe: Recipe) -> State:
    """Before the first step."""
    size = DATA[recipe.data]().trained_on.shape[-1]
    layers = (
        mlp_layers(size, recipe.width, recipe.depth)
        if recipe.architecture == "mlp"
        else unet_layers(recipe.width)
    )
    parameters = initial(layers, [seed for _, _, seed in recipe.networks])
    nothing = {name: torch.zeros_like(p) for name, p in parameters.items()}
    return State(0, parameters, parameters, nothing, nothing)


def train(
    recipe: Recipe,
    state: State,
    *,
    device: str = "cpu",
    after: Callable[[State, Tensor], None] = lambda _state, _losses: None,
) -> State:
    """Go on to the last step; ``after`` is told the state and each network's loss after every step."""
    data = DATA[recipe.data]().trained_on
    state = State(state.step, *({k: p.to(device) for k, p in group.items()} for group in state[1:]))
    spans = {name: span(schedule) for name, schedule in SCHEDULES.items()}
    while state.step < recipe.steps:
        batch = draw(recipe, data, state.step)
        batch = Batch(*(part.to(device) for part in batch))
        losses, gradients = gradient(recipe, state.parameters, batch, spans)
        state = _adam(recipe, state, gradients)
        after(state, losses)
    return state


def draw(recipe: Recipe, data: Tensor, step: int) -> Batch:
    """The batch of a step; a seed's part depends on nothing but the seed and the step."""
    parts = []
    for seed in recipe.seeds:
        generator = torch.Generator().manual_seed(seed * 10**6 + step + 1)
        chosen = torch.randint(len(data), (recipe.batch,), generator=generator)
        x = data[chosen]
        eps = torch.randn(x.shape, generator=generator)
        # spread over the interval, each uniform by itself
        part = torch.arange(recipe.batch) / recipe.batch
        uniform = (part + torch.rand((), generator=generator)) % 1
        parts.append((x, eps, uniform[:, None]))
    return Batch(*(torch.stack(column) for column in zip(*parts, strict=True)))


def gradient(
    recipe: Recipe, parameters: Parameters, batch: Batch, spans: dict[str, tuple[float, float]]
) -> tuple[Tensor, Tensors]:
    """Each network's loss, and its gradient; networks do not share parameters, so that one pass gives all."""
    leaves = {name: p.detach().requires_grad_() for name, p in parameters.items()}
    examples = {name: example(SCHEDULES[name], spans[name], batch) for name in recipe.schedules}
    nets = (len(recipe.kinds), len(recipe.schedules), len(recipe.seeds))

    def stacked(parts: list[Tensor]) -> Tensor:
        """Of each schedule, (seeds, batch, ...), for every kind."""
        every = torch.stack(parts).expand(len(recipe.kinds), *(-1,) * 4)
        return every.flatten(0, 2)

    q = stacked([e.q for e in examples.values()])
    told = stacked([e.log_snr for e in examples.values()])
    outputs = ARCHITECTURES[recipe.architecture](leaves, q, told)
    outputs = outputs.reshape(*nets, *outputs.shape[1:])
    losses = torch.stack([
        torch.stack([
            square_error(kind, outputs[i, j], batch.x, e) for j, e in enumerate(examples.values())
        ])
        for i, kind in enumerate(recipe.kinds)
    ]).mean((-1, -2)).flatten()  # fmt: skip
    gradients = torch.autograd.grad(losses.sum(), list(leaves.values()))
    return losses.detach(), dict(zip(leaves, gradients, strict=True))


def example(schedule: Callable[[Any], Level[Any]], times: tuple[float, float], batch: Batch) -> Example:
    """The states of a batch on a schedule, at times uniform on a span."""
    low, high = times
    t = low + (high - low) * batch.uniform
    tangent = torch.func.jvp(lambda t: log_snr(schedule(t)), (t,), (torch.ones_like(t),))
    lambda_t, slope = tangent[:2]
    level = variance_preserving(schedule(t))
    q = level.alpha * batch.x + level.sigma * batch.eps
    return Example(q, level, lambda_t, weighting(lambda_t) * (high - low) * -slope)


def square_error(kind: str, output: Tensor, x: Tensor, example: Example) -> Tensor:
    """The weighted square error of an output, entry by entry: in expectation the same for every kind."""
    target = FROM_X[kind](example.q, x, example.level)
    factor = MSE_FACTOR[kind](example.level)
    error: Tensor = example.weight / factor * (output - target) ** 2
    return error


def span(schedule: Callable[[Any], Level[Any]], limit: float = SCALE) -> tuple[float, float]:
    """The times at which the log-SNR is ``limit`` and ``-limit``, by bisection."""

    def time(wanted: float) -> float:
        low, high = 0.0, 1.0
        while high - low > math.ulp(high):
            middle = (low + high) / 2
            if middle in {low, high}:
                break
            if log_snr(schedule(middle)) > wanted:
                low = middle
            else:
                high = middle
        return high

    return time(limit), time(-limit)


def denoisers(recipe: Recipe, parameters: Parameters) -> dict[str, Denoisers]:
    """The networks of each kind: those of the first schedule first, of each its seeds."""
    each = len(recipe.schedules) * len(recipe.seeds)
    return {
        kind: Denoisers(
            recipe.architecture,
            kind,
            {name: p[i * each : (i + 1) * each] for name, p in parameters.items()},
        )
        for i, kind in enumerate(recipe.kinds)
    }


def _adam(recipe: Recipe, state: State, gradients: Tensors) -> State:
    step = state.step + 1
    rate = recipe.rate * min(1.0, step / 50) * (1 + math.cos(math.pi * state.step / recipe.steps)) / 2
    first = _towards(state.first, gradients, 1 - BETA_1)
    second = _towards(state.second, {k: g**2 for k, g in gradients.items()}, 1 - BETA_2)
    parameters = {
        k: p - rate * (first[k] / (1 - BETA_1**step)) / ((second[k] / (1 - BETA_2**step)).sqrt() + TINY)
        for k, p in state.parameters.items()
    }
    mean = _towards(state.mean, parameters, max(1 - REMEMBERED, 1 / (step + 1)))
    return State(step, parameters, mean, first, second)


def _towards(old: Parameters, new: Parameters, part: float) -> Tensors:
    return {name: torch.lerp(old[name], new[name], part) for name in old}


__all__ = ["Data", "State", "begin", "denoisers", "draw", "gradient", "train", "weighting"]
