"""The steps of a scheduler as functions of arrays, for a scheduler that cannot be read."""

import copy
from collections.abc import Callable, Mapping
from typing import Any
from unittest import mock

import torch
from torch.utils._mode_utils import no_dispatch

from equiv.subjects.diffusers.building import SHAPE, build, call_options, family_of
from equiv.subjects.diffusers.reading import PREDICTIONS, input_of
from equiv.subjects.diffusers.running import always, run_step
from equiv.subjects.diffusers.tables import Table
from equiv.subjects.subject import Call, LiftedStep, Subject
from equiv.symbolic.expression import const, symbols

GUARD = 1  # further calls back than a step may look are measured too: they must have no part


def outlines(subject: Subject, config: Mapping[str, str]) -> list[LiftedStep]:
    """What is known of each step without reading it: its calls and its levels, which have their values."""
    family, scheduler = family_of(subject, config), build(subject, config)
    options = call_options(subject, config)
    buffers = {name: getattr(scheduler, name) for name in (*family.buffers, *family.following)}
    table = Table(buffers, {}, family)
    prediction = {**PREDICTIONS, **family.names}[config.get("prediction_type", "flow_prediction")]
    places = [family.listed(scheduler, i, options) for i in range(len(scheduler.timesteps) - family.beyond)]

    def call(i: int, back: int) -> dict[str, Any]:
        return {
            "timestep": scheduler.timesteps[i].item(),
            "prediction": prediction,
            "gauge": family.gauge,
            "unit": family.unit,
            "state": input_of("z", back),
            "network": input_of("net", back),
            "noise": input_of("n", back),
            "now": table.level(places[i].now),
        }

    def outline(i: int) -> LiftedStep:
        then, by = table.level(places[i].then), tuple(map(table.level, places[i].by))
        earlier = tuple(Call(**call(i - back, back)) for back in range(1, i + 1))
        used = symbols(*then, *(part for level in by for part in level))
        used += symbols(*(part for c in earlier for part in c.now), *table.level(places[i].now))
        return LiftedStep(
            **call(i, 0),
            index=i,
            output=const(0),
            fed=input_of("z", 0),
            then=then,
            by=by,
            earlier=earlier,
            memory=family.memory,
            relations=(),
            assumptions=(),
            point={s: table.values[s] for s in used},
            got=0.0,
            schedule=table.places(used),
            origins={},
        )

    return [outline(i) for i in range(len(places))]


def inputs(subject: Subject, config: Mapping[str, str], index: int) -> list[str]:
    """The names of the inputs of a step that are measured: those of its call and of the ones before."""
    family = family_of(subject, config)
    calls = range(min(index, family.memory + GUARD) + 1)
    kinds = ("z", "net", "n") if family.calling.draws else ("z", "net")
    return [f"{name}_{back}" if back else name for back in calls for name in kinds]


def code(subject: Subject, config: Mapping[str, str], index: int) -> Callable[..., torch.Tensor]:
    """The step, with those before it that it may remember, as a function of these inputs.

    Without ``net`` the network gives back what it is fed.
    """
    family, options = family_of(subject, config), call_options(subject, config)
    first = max(0, index - family.memory - GUARD)
    start = _run_up_to(first, subject, config)

    def run(**given: torch.Tensor) -> torch.Tensor:
        scheduler, like = _copied(start), next(iter(given.values()))
        result = like
        for i in range(first, index + 1):
            back = index - i
            z, net, n = (
                given.get(f"{k}_{back}" if back else k, torch.zeros_like(like)) for k in ("z", "net", "n")
            )
            echo = i == index and "net" not in given
            with mock.patch.object(torch, "randn", always(n)):
                _, result = run_step(family, scheduler, i, None if echo else net, z, None, options)
        return result

    return run


def _run_up_to(index: int, subject: Subject, config: Mapping[str, str]) -> Any:
    """A scheduler after so many calls at which everything was 0."""
    family, scheduler, zero = family_of(subject, config), build(subject, config), torch.zeros(SHAPE)
    with mock.patch.object(torch, "randn", always(zero)):
        for i in range(index):
            run_step(family, scheduler, i, zero, zero, None, call_options(subject, config))
    return scheduler


def _copied(scheduler: Any) -> Any:
    """As it is, also where everything is run in float64."""
    with no_dispatch():
        return copy.deepcopy(scheduler)
