"""Runs a scheduler, watched or alone, and writes the Python that does."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from unittest import mock

import torch

from equiv.subjects.diffusers.building import SHAPE, build, call_options, constructor_options, family_of
from equiv.subjects.subject import Subject

Inputs = Mapping[str, float]
_INPUTS = ("z", "net", "n")


def run_step(
    scheduler: Any,
    index: int,
    net: torch.Tensor | None,
    z: torch.Tensor,
    generator: torch.Generator | None,
    options: Mapping[str, Any],
) -> tuple[torch.Tensor, torch.Tensor]:
    """What the network is fed at that step, and what the step returns.

    Args:
        net: the network's output; None: it gives back what it is fed.
    """
    timestep = scheduler.timesteps[index]
    scale = getattr(scheduler, "scale_model_input", None)
    fed = scale(z, timestep) if scale else z
    seeded = "generator" in inspect.signature(scheduler.step).parameters
    drawn = {"generator": generator} if seeded else {}
    return fed, scheduler.step(fed if net is None else net, timestep, z, **drawn, **options).prev_sample


def run_alone(subject: Subject, config: Mapping[str, str], step: int, inputs: Inputs) -> float:
    """What the library returns for one element, on its own schedule, with nothing watching.

    Args:
        step: its index, from 0. The steps before it are run too, where a step remembers them.
        inputs: ``z`` the state, ``net`` the network's output, ``n`` the noise drawn, with ``_1`` those one
            call ago; what is left out is 0, but without ``net`` the network gives back what it is fed.
    """
    scheduler, family = build(subject, config), family_of(subject)
    result = torch.zeros(())
    for index in range(0 if family.memory else step, step + 1):
        values = _at(step - index, inputs)
        z, net, n = (torch.full(SHAPE, v, dtype=family.dtype) for v in values)
        echo = index == step and "net" not in inputs
        with mock.patch.object(torch, "randn", _always(n)):
            _, result = run_step(
                scheduler, index, None if echo else net, z, None, call_options(subject, config)
            )
    return float(result.flatten()[0].item())


def _at(back: int, inputs: Inputs) -> tuple[float, ...]:
    """State, output and noise of the call so many calls ago."""
    return tuple(inputs.get(f"{name}_{back}" if back else name, 0.0) for name in _INPUTS)


def _always(noise: torch.Tensor) -> Callable[..., torch.Tensor]:
    return lambda *_args, **_options: noise


def snippet(subject: Subject, config: Mapping[str, str], step: int, inputs: Inputs) -> str:
    """Python that shows what :func:`run_alone` returns, with the library alone."""
    name = subject.name.partition(".")[2]
    options = ", ".join(f"{k}={v!r}" for k, v in constructor_options(subject, config).items())
    named = "".join(f", {k}={v!r}" for k, v in call_options(subject, config).items())
    start = [
        "import torch",
        f"from diffusers import {name}",
        f"scheduler = {name}({options})",
        f"scheduler.set_timesteps({config['steps']})",
    ]
    body = _loop if family_of(subject).memory else _single
    return "\n".join([*start, *body(subject, step, inputs, f"net, t, z{named}")])


def _single(subject: Subject, step: int, inputs: Inputs, call: str) -> Sequence[str]:
    fed = _fed(subject)
    values = ", ".join(map(repr, _at(0, inputs)))
    return (
        f"z, net, n = ({_full(subject)} for v in ({values}))",
        "torch.randn = lambda *args, **kwargs: n",
        f"t = scheduler.timesteps[{step}]",
        fed if "net" in inputs else f"net = {fed}",
        f"print(scheduler.step({call}).prev_sample.item())",
    )


def _loop(subject: Subject, step: int, inputs: Inputs, call: str) -> Sequence[str]:
    calls = [_at(step - index, inputs) for index in range(step + 1)]
    zeros = next((k for k, values in enumerate(calls) if any(values)), step)
    last = ", ".join(map(repr, calls[zeros:]))
    echo = [] if "net" in inputs else [f"    net = fed if t_index == {step} else net"]
    return (
        f"calls = [(0.0, 0.0, 0.0)] * {zeros} + [{last}]  # state, output and noise of each",
        "for t_index, values in enumerate(calls):",
        f"    z, net, n = ({_full(subject)} for v in values)",
        "    torch.randn = lambda *args, **kwargs: n",
        "    t = scheduler.timesteps[t_index]",
        f"    fed = {_fed(subject)}",
        *echo,
        f"    result = scheduler.step({call}).prev_sample",
        "print(result.item())",
    )


def _fed(subject: Subject) -> str:
    return "scheduler.scale_model_input(z, t)" if subject.gauge != "flow" else "z"


def _full(subject: Subject) -> str:
    return f"torch.full((1, 1, 1, 1), v, dtype={family_of(subject).dtype})"
