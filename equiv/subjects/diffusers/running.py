"""Runs a scheduler, watched or alone, and writes the Python that does."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from unittest import mock

import torch

from equiv.subjects.diffusers.building import SHAPE, build, call_options, constructor_options, family_of
from equiv.subjects.diffusers.calling import takes_generator
from equiv.subjects.diffusers.classes import Family
from equiv.subjects.subject import Subject

Inputs = Mapping[str, float]
_INPUTS = ("z", "net", "n")


def run_step(
    family: Family,
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
    scale = getattr(scheduler, "scale_model_input", None)
    fed = scale(z, scheduler.timesteps[index]) if scale else z
    drawn = {"generator": generator} if takes_generator(scheduler) else {}
    return fed, family.calling.step(scheduler, index, fed if net is None else net, z, {**options, **drawn})


def run_alone(subject: Subject, config: Mapping[str, str], step: int, inputs: Inputs) -> float:
    """What the library returns for one element, on its own schedule, with nothing watching.

    Args:
        step: its index, from 0. The steps before it are run too, where a step remembers them.
        inputs: ``z`` the state, ``net`` the network's output, ``n`` the noise drawn, with ``_1`` those one
            call ago; what is left out is 0, but without ``net`` the network gives back what it is fed.
    """
    scheduler, family = build(subject, config), family_of(subject, config)
    options = call_options(subject, config)
    result = torch.zeros(())
    for index in range(0 if family.memory else step, step + 1):
        values = _at(step - index, inputs)
        z, net, n = (torch.full(SHAPE, v, dtype=family.dtype) for v in values)
        echo = index == step and "net" not in inputs
        with mock.patch.object(torch, "randn", always(n)):
            _, result = run_step(family, scheduler, index, None if echo else net, z, None, options)
    return float(result.flatten()[0].item())


def _at(back: int, inputs: Inputs) -> tuple[float, ...]:
    """State, output and noise of the call so many calls ago."""
    return tuple(inputs.get(f"{name}_{back}" if back else name, 0.0) for name in _INPUTS)


def always(noise: torch.Tensor) -> Callable[..., torch.Tensor]:
    """In the place of torch.randn: every draw is ``noise``."""
    return lambda *_args, **_options: noise


def snippet(subject: Subject, config: Mapping[str, str], step: int, inputs: Inputs) -> str:
    """Python that shows what :func:`run_alone` returns, with the library alone."""
    family = family_of(subject, config)
    body = _loop if family.memory else _single
    lines = body(family, step, inputs, _call(subject, config))
    return "\n".join(["import torch", made(subject, config), *lines])


def made(subject: Subject, config: Mapping[str, str]) -> str:
    """Python that makes the scheduler, ready for its first step."""
    name = subject.name.partition(".")[2]
    options = ", ".join(f"{k}={v!r}" for k, v in constructor_options(subject, config).items())
    ready = family_of(subject, config).calling.ready_text.replace("{steps}", config["steps"])
    lines = (
        f"from diffusers import {name}",
        f"scheduler = {name}({options})",
        f"scheduler.set_timesteps({config['steps']})",
        ready,
    )
    return "\n".join(filter(None, lines))


def _call(subject: Subject, config: Mapping[str, str]) -> str:
    named = "".join(f", {k}={v!r}" for k, v in call_options(subject, config).items())
    return family_of(subject, config).calling.text.replace("{options}", named)


def run_through(subject: Subject, config: Mapping[str, str]) -> Iterator[float]:
    """What each step of a whole run gives, from a state of ones, with outputs of 1/2 everywhere."""
    scheduler, family = build(subject, config), family_of(subject, config)
    options = call_options(subject, config)
    z, net = torch.ones(SHAPE, dtype=family.dtype), torch.full(SHAPE, 0.5, dtype=family.dtype)
    for i in range(len(scheduler.timesteps) - family.beyond):
        z = family.calling.step(scheduler, i, net, z, options)
        yield z.flatten()[0].item()


def through(subject: Subject, config: Mapping[str, str], step: int) -> str:
    """Python that shows what a step of :func:`run_through` gives; -1 is the last."""
    until = step + 1 or -family_of(subject, config).beyond or ""
    lines = (
        "z, net = torch.ones(1, 1, 1, 1), torch.full((1, 1, 1, 1), 0.5)",
        f"for i, t in enumerate(scheduler.timesteps[:{until}]):",
        f"    {_call(subject, config)}",
        "    z = result",
        "print(z.item())",
    )
    return "\n".join(lines)


def _single(family: Family, step: int, inputs: Inputs, call: str) -> Sequence[str]:
    fed = _fed(family)
    values = ", ".join(map(repr, _at(0, inputs)))
    return (
        f"z, net, n = ({_full(family)} for v in ({values}))",
        "torch.randn = lambda *args, **kwargs: n",
        f"i, t = {step}, scheduler.timesteps[{step}]",
        fed if "net" in inputs else f"net = {fed}",
        call,
        "print(result.item())",
    )


def _loop(family: Family, step: int, inputs: Inputs, call: str) -> Sequence[str]:
    calls = [_at(step - index, inputs) for index in range(step + 1)]
    zeros = next((k for k, values in enumerate(calls) if any(values)), step)
    last = ", ".join(map(repr, calls[zeros:]))
    echo = [] if "net" in inputs else [f"    net = fed if i == {step} else net"]
    return (
        f"calls = [(0.0, 0.0, 0.0)] * {zeros} + [{last}]  # state, output and noise of each",
        "for i, values in enumerate(calls):",
        f"    z, net, n = ({_full(family)} for v in values)",
        "    torch.randn = lambda *args, **kwargs: n",
        "    t = scheduler.timesteps[i]",
        f"    fed = {_fed(family)}",
        *echo,
        f"    {call}",
        "print(result.item())",
    )


def _fed(family: Family) -> str:
    return "scheduler.scale_model_input(z, t)" if family.scales else "z"


def _full(family: Family) -> str:
    return f"torch.full((1, 1, 1, 1), v, dtype={family.dtype})"
