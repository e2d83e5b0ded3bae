"""Which schedulers there are, which configurations they have, and how one is built."""

import functools
import importlib.metadata
import inspect
from collections.abc import Mapping
from typing import Any

import torch

from equiv.lookup import Unknown, find
from equiv.subjects.diffusers.classes import CLASSES, Family
from equiv.subjects.diffusers.listing import of_flow
from equiv.subjects.diffusers.outside import OUTSIDE
from equiv.subjects.subject import Subject

SHAPE = (2, 3, 5, 7)  # dimensions distinct and above one: no element can be mistaken for another
_REAL = ("eta", "s_churn")  # options of step() that are no integers
_SPACINGS = ("leading", "linspace", "trailing")


def names() -> tuple[str, ...]:
    """The schedulers that are read."""
    return tuple(f"diffusers.{c}" for c in CLASSES)


def outside() -> dict[str, str]:
    """The schedulers that are not, and why."""
    return {f"diffusers.{c}": reason for c, reason in OUTSIDE.items()}


@functools.cache
def subject(name: str) -> Subject:
    """The record of ``diffusers.<class>``.

    Raises:
        Unknown: the class is not one that is read here, or diffusers is not installed.
    """
    every = {f"diffusers.{c}": family for c, family in CLASSES.items()}
    if reason := outside().get(name):
        raise Unknown(f"{name} is not checked. {reason[0].upper()}{reason[1:]}")
    family = find("subject", name, every, see=", ".join(every))
    made = _class(name)
    accepted = inspect.signature(made.__init__).parameters
    options: dict[str, tuple[str, ...]] = {}
    for option, values in (
        ("timestep_spacing", _SPACINGS),
        ("prediction_type", family.predictions),
        ("clip_sample", ("True", "False")),
    ):
        if option in accepted and option not in family.options:
            options[option] = _default_first(str(accepted[option].default), values)
    options |= {**family.options, **family.call_options, "steps": family.steps}
    return Subject(
        name=name,
        library="diffusers",
        version=importlib.metadata.version("diffusers"),
        family="scheduler",
        time="falling, from noise to data",
        gauge=family.gauge,
        prediction_types=family.predictions or ("flow",),
        source=inspect.getsourcefile(made) or "",
        options=options,
        together=tuple(tuple(o for o in group if o in options) for group in family.together),
        refused=tuple(map(dict, family.refused)),
    )


def family_of(subject: Subject, config: Mapping[str, str]) -> Family:
    """What the class does not show of itself, in a configuration."""
    family = CLASSES[subject.name.partition(".")[2]]
    if config.get("use_flow_sigmas") == "True":
        return family._replace(gauge="flow", level=of_flow, bounded=True)
    return family


def build(subject: Subject, config: Mapping[str, str]) -> Any:
    """A scheduler of the class, ready for its first step."""
    given, family, steps = (
        constructor_options(subject, config),
        family_of(subject, config),
        int(config["steps"]),
    )
    scheduler = _class(subject.name)(**given)
    scheduler.set_timesteps(steps)
    family.calling.ready(scheduler, steps, torch.empty(SHAPE, dtype=family.dtype))
    return scheduler


def constructor_options(subject: Subject, config: Mapping[str, str]) -> dict[str, Any]:
    """What the constructor is given."""
    elsewhere = {"steps", *family_of(subject, config).call_options}
    return {k: _value(v) for k, v in config.items() if k not in elsewhere}


def call_options(subject: Subject, config: Mapping[str, str]) -> dict[str, Any]:
    """What ``step`` is given beside the output of the network, the time and the state."""
    named = family_of(subject, config).call_options
    return {k: float(v) if k in _REAL else _value(v) for k, v in config.items() if k in named}


def calls(subject: Subject, config: Mapping[str, str]) -> int:
    """How often the network is called."""
    return family_of(subject, config).calls(int(config["steps"]), config)


def _value(text: str) -> bool | int | float | str:
    if text in ("True", "False"):
        return text == "True"
    if text.isdecimal():
        return int(text)
    return float(text) if text.replace(".", "", 1).isdecimal() else text


def _class(name: str) -> Any:
    try:
        import diffusers
    except ImportError as error:
        raise Unknown(
            f"{name} needs diffusers, which cannot be imported ({error}): pip install diffusers"
        ) from None
    return getattr(diffusers, name.partition(".")[2])


def _default_first(default: str, values: tuple[str, ...]) -> tuple[str, ...]:
    return default, *(v for v in values if v != default)
