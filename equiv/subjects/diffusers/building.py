"""Which schedulers there are, which configurations they have, and how one is built."""

import functools
import importlib.metadata
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from equiv.lookup import Unknown, find
from equiv.subjects.diffusers.classes import CLASSES, Family
from equiv.subjects.diffusers.listing import of_flow
from equiv.subjects.diffusers.outside import OUTSIDE
from equiv.subjects.subject import Subject

SHAPE = (2, 3, 5, 7)  # dimensions distinct and above one: no element can be mistaken for another
_SETTINGS = {
    "beta_schedule": ("linear", "scaled_linear", "squaredcos_cap_v2", "sigmoid", "laplace", "exp"),
    "rescale_betas_zero_snr": ("False", "True"),
    "shift": ("1.0", "3.0"),
}
_REAL = ("eta", "s_churn")  # options of step() that are no integers
_SWITCHES = dict.fromkeys(
    (
        "clip_sample",
        "thresholding",
        "use_karras_sigmas",
        "use_exponential_sigmas",
        "use_beta_sigmas",
        "use_flow_sigmas",
    ),
    ("False", "True"),
)
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
    seen = {"timestep_spacing": _SPACINGS, "prediction_type": family.predictions, **_SWITCHES}
    for option, values in seen.items():
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
        settings={
            option: _default_first(str(accepted[option].default), values)
            for option, values in _settings(made).items()
        },
        offers=tuple(_offers(made, family)),
    )


def _settings(made: Any) -> dict[str, tuple[str, ...]]:
    """The settings that the constructor takes; of a schedule's names, those that it knows."""
    found = {k: v for k, v in _SETTINGS.items() if k in inspect.signature(made).parameters}
    if "beta_schedule" in found:
        found["beta_schedule"] = tuple(name for name in found["beta_schedule"] if _has_schedule(made, name))
    return found


def _has_schedule(made: Any, name: str) -> bool:
    try:
        made(beta_schedule=name)
    except NotImplementedError:
        return False
    return True


def _offers(made: Any, family: Family) -> Iterator[str]:
    """What obligations may need of it."""
    taken = inspect.signature(made).parameters
    # one that goes from the data to the noise is told the level that it arrives at; and an ancestral step
    # to the middle goes to the next level itself, but for the rounding of a difference of squares
    falls = not made.__name__.endswith("InverseScheduler") and "sigmas_up" not in family.following
    if falls:
        yield "falling noise"
    if falls and "sigmas" in family.buffers:
        yield "sigmas"
    if falls and ("beta_schedule" in taken or (family.gauge == "flow" and made().timesteps is not None)):
        yield "training steps"
    yield from (name for name in ("beta_schedule", "rescale_betas_zero_snr") if name in taken)
    if "original_inference_steps" not in taken:
        yield "any number of steps"


def family_of(subject: Subject, config: Mapping[str, str]) -> Family:
    """What the class does not show of itself, in a configuration."""
    family = CLASSES[subject.name.partition(".")[2]]
    if config.get("use_flow_sigmas") == "True":
        return family._replace(gauge="flow", level=of_flow, bounded=True)
    return family


def build(subject: Subject, config: Mapping[str, str]) -> Any:
    """A scheduler of the class, ready for its first step."""
    family, steps = family_of(subject, config), int(config["steps"])
    scheduler = construct(subject, config)
    scheduler.set_timesteps(steps)
    family.calling.ready(scheduler, steps, torch.empty(SHAPE, dtype=family.dtype))
    return scheduler


def construct(subject: Subject, config: Mapping[str, str]) -> Any:
    """A scheduler of the class, as it trains."""
    return _class(subject.name)(**constructor_options(subject, config))


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
