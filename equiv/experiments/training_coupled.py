r"""Flow matching and v-prediction with a cosine schedule, from one start: the same descent, step by step.

Both see the same data, noise and log-SNR; the one takes times uniform on the straight path, the other weighs
its samples as those times are distributed on the cosine schedule, and its rate is :math:`\pi / 2` times as
large. Along the way of the first, both take the gradient at the same parameters. The picture shows how far
apart two descents are that go on by themselves: by rounding alone, and what a missing constant, or a network
that is told the time of its schedule in place of the log-SNR, makes of it.

Not claimed: a bound on whole descents.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from equiv.evidence import Evidence
from equiv.experiments import Header
from equiv.experiments.cases import place
from equiv.experiments.ddim_is_euler import SCHEDULES
from equiv.experiments.reference_networks import DEFAULT, Asked, draw_steps
from equiv.experiments.training_gradients import (
    Sample,
    derivative,
    flow_matching_and_v,
    of_flow_matching,
    on_cosine,
    share_of_time,
)
from equiv.reference.data import DATA
from equiv.reference.denoisers import Denoisers
from equiv.reference.gradients import backward, order
from equiv.reference.networks import Parameters
from equiv.reference.recipes import RECIPES
from equiv.reference.training import begin, denoisers
from equiv.result import Task

EXPERIMENT = Header(
    id="x-training-coupled",
    title="Flow matching and v with a cosine schedule train the same network, from one start",
    claims=("l-fm-equals-vcos", "s-gauge-equivalence"),
    dtypes=("float64", "float32"),
    networks=("ring",),
)

NETS, STEPS, BATCH, RATE = 3, 120, 32, 0.02
KINDS = (
    "v",
    "u",
)  # the plain error of u asks too much of the others, near noise or near data, for plain descent

Descent = Callable[[Denoisers, Sample], Tensor]
"""The mean gradient over a batch, each network's own."""


def run(task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """For each prediction a comparison at the start, on the way and at the end; the picture, for v."""
    dtype, device = place(task)
    recipe = RECIPES[task.config.get("networks", DEFAULT)]
    found: list[Evidence] = []
    figures: dict[str, Any] = {}
    for kind in KINDS:
        start = denoisers(recipe, begin(recipe).parameters)[kind][:NETS].to(device, dtype)
        way = descend(start, flow_matching, task)
        steps = draw_steps(SCHEDULES[0], task, NETS)
        for i in range(0, STEPS + 1, STEPS // 2):
            words = f", with {NETS} networks that predict {kind}, after {i} steps of gradient descent"
            asked = Asked(way[i], steps, torch.zeros_like(steps.z_t), SCHEDULES[0], words)
            found.append(flow_matching_and_v(asked))
        if kind == "v":
            figures = {"coupled-descents": picture(start, way, task)}
    return found, figures


def flow_matching(networks: Denoisers, sample: Sample) -> Tensor:
    """Of the plain error of u on the straight path."""
    return _mean(networks, of_flow_matching(networks, sample))


def v_with_cosine(networks: Denoisers, sample: Sample) -> Tensor:
    """Of the error of v, with the density of flow matching, at a larger rate."""
    return _v_with_cosine(networks, sample, math.pi / 2)


def without_the_constant(networks: Denoisers, sample: Sample) -> Tensor:
    """At the same rate."""
    return _v_with_cosine(networks, sample, 1)


def told_the_time(networks: Denoisers, sample: Sample) -> Tensor:
    """With the time of the cosine schedule in place of the log-SNR."""
    told = on_cosine(sample)._replace(log_snr=sample.t)
    share = share_of_time(sample.t) * math.pi / 2
    return _mean(networks, derivative(networks, told, sample, "v", lambda _level: share))


def descend(start: Denoisers, descent: Descent, task: Task) -> list[Denoisers]:
    """The networks before each step and after the last; all descents see the same samples."""
    data = DATA[task.config.get("networks", DEFAULT)]().trained_on
    draw, like = torch.Generator().manual_seed(task.seed), next(iter(start.parameters.values()))
    way = [start]
    for _ in range(STEPS):
        x = data[torch.randint(len(data), (NETS, BATCH), generator=draw)]
        eps = torch.randn(x.shape, generator=draw)
        t = 0.02 + 0.96 * torch.rand(BATCH, 1, generator=draw)
        batch = Sample(*(part.to(like) for part in (x, eps, t)))
        now = way[-1]
        way.append(Denoisers(now.architecture, now.kind, _moved(now.parameters, descent(now, batch))))
    return way


def picture(start: Denoisers, way: list[Denoisers], task: Task) -> dict[str, Any]:
    """How far other descents are from flow matching's, per length of its way, in powers of ten."""
    others = {
        "v with cosine": v_with_cosine,
        "without the constant": without_the_constant,
        "told the time, not the log-SNR": told_the_time,
    }
    series, ends = [], []
    for label, descent in others.items():
        path = descend(start, descent, task)
        points = [
            [float(i), math.log10(max(_distance(path[i], way[i]) / _distance(way[i], start), 1e-18))]
            for i in range(1, STEPS + 1)
        ]
        series.append({"label": label, "paths": [points]})
        ends.append(f"{label}: 10^{points[-1][1]:.1f}")
    return {
        "panels": [{"title": "distance from flow matching", "series": series}],
        "x": "step",
        "y": "log10 of distance per way",
        "title": "Two trainings from one start.",
        "caption": f"{NETS} networks that predict v, {task.dtype or 'float64'}; after {STEPS} steps "
        + ", ".join(ends) + ".",
    }  # fmt: skip


def _v_with_cosine(networks: Denoisers, sample: Sample, constant: float) -> Tensor:
    share = share_of_time(sample.t) * constant
    return _mean(networks, derivative(networks, on_cosine(sample), sample, "v", lambda _level: share))


def _mean(networks: Denoisers, seen: tuple[Any, Any, Any]) -> Tensor:
    gradient: Tensor = backward(networks.parameters, *seen)
    return gradient.mean(1)


def _moved(parameters: Parameters, gradient: Tensor) -> dict[str, Tensor]:
    moved, at = dict(parameters), 0
    for name in order(parameters):
        p = parameters[name]
        size = p[0].numel()
        moved[name] = p - RATE * gradient[:, at : at + size].reshape(p.shape)
        at += size
    return moved


def _distance(a: Denoisers, b: Denoisers) -> float:
    parts = [(a.parameters[name] - b.parameters[name]).double().square().sum() for name in a.parameters]
    return torch.stack(parts).sum().sqrt().item()
