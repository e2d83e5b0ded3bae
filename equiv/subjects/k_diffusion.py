"""The sampling functions of k-diffusion: run as released on a model that answers with symbols.

A model is called as model(x, sigma) and gives back the data prediction; noise is explicit in sigma.
"""

import functools
import importlib
import importlib.metadata
import inspect
from collections.abc import Mapping
from typing import Any

from equiv.lookup import Unknown, find
from equiv.subjects.absent import bare_package, stand_in
from equiv.subjects.run import Sampler
from equiv.subjects.subject import Subject

_OPTIONS = {"eta": ("1", "0", "0.5"), "s_churn": ("0", "1")}
_FUNCTIONS = (
    "sample_euler",
    "sample_euler_ancestral",
    "sample_heun",
    "sample_dpm_2",
    "sample_dpm_2_ancestral",
    "sample_dpmpp_2s_ancestral",
)


@functools.cache
def subject(name: str) -> Subject:
    """The record of ``k_diffusion.<function>``.

    Raises:
        Unknown: the function is not one that is read here, or k-diffusion is not installed.
    """
    every = {f"k_diffusion.{f}": f for f in _FUNCTIONS}
    function = _function(find("subject", name, every, see=", ".join(every)))
    accepted = inspect.signature(function).parameters
    return Subject(
        name=name,
        library="k_diffusion",
        version=importlib.metadata.version("k-diffusion"),
        family="function",
        time="falling, from noise to data",
        gauge="variance exploding",
        prediction_types=("x",),
        source=inspect.getsourcefile(inspect.unwrap(function)) or "",
        options={k: v for k, v in _OPTIONS.items() if k in accepted} | {"steps": ("3", "1")},
    )


def _function(name: str) -> Any:
    try:
        return getattr(_sampling(), name)
    except ImportError as error:
        raise Unknown(f"k_diffusion needs k-diffusion, which cannot be imported ({error})") from None


@functools.cache
def _sampling() -> Any:
    bare_package("k_diffusion")
    stand_in("torchvision", "torchvision.transforms", "torchvision.transforms.functional")
    return importlib.import_module("k_diffusion.sampling")


def sampler(subject: Subject, config: Mapping[str, str]) -> Sampler:
    """The function, with the options of a configuration."""
    function, options = _function(subject.name.partition(".")[2]), _given(config)
    return lambda model, x, sigmas: function(model, x, sigmas, disable=True, **options)


def _given(config: Mapping[str, str]) -> dict[str, float]:
    return {k: float(config[k]) for k in _OPTIONS if k in config}


def snippet(subject: Subject, config: Mapping[str, str]) -> str:
    """Python that runs the function on ``model``, ``x`` and ``sigmas``, and prints the sample."""
    name = subject.name.partition(".")[2]
    options = "".join(f", {k}={v!r}" for k, v in _given(config).items())
    return (
        f"from k_diffusion.sampling import {name}\n"
        f"print({name}(model, x, sigmas, disable=True{options}).flatten()[0].item())"
    )
