"""Which schedulers there are, which configurations they have, and how one is built."""

import functools
import importlib.metadata
import inspect
from collections.abc import Mapping
from typing import Any

from equiv.lookup import Unknown, find
from equiv.subjects.diffusers.classes import CLASSES, Family
from equiv.subjects.subject import Subject

SHAPE = (2, 3, 5, 7)  # dimensions distinct and above one: no element can be mistaken for another
_SPACINGS = ("leading", "linspace", "trailing")


def names() -> tuple[str, ...]:
    """The schedulers that are read."""
    return tuple(f"diffusers.{c}" for c in CLASSES)


@functools.cache
def subject(name: str) -> Subject:
    """The record of ``diffusers.<class>``.

    Raises:
        Unknown: the class is not one that is read here, or diffusers is not installed.
    """
    every = {f"diffusers.{c}": family for c, family in CLASSES.items()}
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
        together=family.together,
        refused=tuple(map(dict, family.refused)),
    )


def family_of(subject: Subject) -> Family:
    """What the class does not show of itself."""
    return CLASSES[subject.name.partition(".")[2]]


def build(subject: Subject, config: Mapping[str, str]) -> Any:
    """A scheduler of the class, ready for its first step."""
    given = constructor_options(subject, config)
    scheduler = _class(subject.name)(**given)
    scheduler.set_timesteps(int(config["steps"]))
    return scheduler


def constructor_options(subject: Subject, config: Mapping[str, str]) -> dict[str, Any]:
    """What the constructor is given."""
    elsewhere = {"steps", *family_of(subject).call_options}
    return {k: _value(v) for k, v in config.items() if k not in elsewhere}


def call_options(subject: Subject, config: Mapping[str, str]) -> dict[str, Any]:
    """What ``step`` is given beside the output of the network, the time and the state."""
    named = family_of(subject).call_options
    return {k: float(v) if k == "eta" else _value(v) for k, v in config.items() if k in named}


def calls(subject: Subject, config: Mapping[str, str]) -> int:
    """How often the network is called."""
    return family_of(subject).calls(int(config["steps"]), config)


def _value(text: str) -> bool | int | str:
    return text == "True" if text in ("True", "False") else int(text) if text.isdecimal() else text


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
