"""The sampling functions of k-diffusion: run as released on a model that answers with symbols.

A model is called as model(x, sigma) and gives back the data prediction; noise is explicit in sigma.
"""

import contextlib
import functools
import importlib
import importlib.metadata
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from equiv.lookup import Unknown, find
from equiv.subjects.absent import bare_package, stand_in
from equiv.subjects.run import Model, Sampler
from equiv.subjects.subject import Subject

Options = Mapping[str, tuple[str, ...]]
_CHURN: Options = {"s_churn": ("0", "1")}
_ETA: Options = {"eta": ("1", "0", "0.5")}
_SDE: Options = {"eta": ("1", "0")}  # what lies between is no published method
_FUNCTIONS: dict[str, Options] = {
    "sample_euler": _CHURN,
    "sample_euler_ancestral": _ETA,
    "sample_heun": _CHURN,
    "sample_dpm_2": _CHURN,
    "sample_dpm_2_ancestral": _ETA,
    "sample_dpmpp_2s_ancestral": _ETA,
    "sample_dpmpp_2m": {},
    "sample_dpmpp_2m_sde": {**_SDE, "solver_type": ("midpoint", "heun")},
    "sample_dpmpp_3m_sde": {**_SDE, "steps": ("4", "1")},  # its third step is the first of order 3
    "sample_dpmpp_sde": _SDE,
    "sample_lms": {"order": ("4", "2"), "steps": ("5", "1")},
    "sample_dpm_fast": {"eta": ("0", "1"), "steps": ("3", "4", "5")},
    "sample_dpm_adaptive": {"order": ("3", "2"), "steps": ("3",)},
}
_ENDS = ("sample_dpm_fast", "sample_dpm_adaptive")  # take the smallest and the largest sigma, not a list


def names() -> tuple[str, ...]:
    """The functions that are read."""
    return tuple(f"k_diffusion.{f}" for f in _FUNCTIONS)


@functools.cache
def subject(name: str) -> Subject:
    """The record of ``k_diffusion.<function>``.

    Raises:
        Unknown: the function is not one that is read here, or k-diffusion is not installed.
    """
    every = {f"k_diffusion.{f}": options for f, options in _FUNCTIONS.items()}
    options = find("subject", name, every, see=", ".join(every))
    function = _function(name.partition(".")[2])
    return Subject(
        name=name,
        library="k_diffusion",
        version=importlib.metadata.version("k-diffusion"),
        family="function",
        time="falling, from noise to data",
        gauge="variance exploding",
        prediction_types=("x",),
        source=inspect.getsourcefile(inspect.unwrap(function)) or "",
        options={"steps": ("3", "1"), **options},
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
    """The function, with the options of a configuration.

    Noise along a Brownian path, which some take by default, is given as independent draws.
    """
    name = subject.name.partition(".")[2]
    function, options = _function(name), _given(subject, config)
    draws = "noise_sampler" in inspect.signature(function).parameters

    def run(model: Model, x: torch.Tensor, sigmas: torch.Tensor) -> torch.Tensor:
        given = {"noise_sampler": lambda *_: torch.randn_like(x)} if draws else {}
        listed: tuple[Any, ...] = (sigmas,)
        if name in _ENDS:
            listed = (sigmas[-2].item(), sigmas[0].item())
        if name == "sample_dpm_fast":
            listed = (*listed, len(sigmas) - 1)
        with _default_dtype(x.dtype if name in _ENDS else torch.get_default_dtype()):
            result: torch.Tensor = function(model, x, *listed, disable=True, **given, **options)
        return result

    return run


@contextlib.contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    """Of the tensors that are made of Python's numbers."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _given(subject: Subject, config: Mapping[str, str]) -> dict[str, float | int | str]:
    kinds: dict[str, type] = {"solver_type": str, "order": int}
    return {k: kinds.get(k, float)(config[k]) for k in subject.options if k != "steps"}


def snippet(subject: Subject, config: Mapping[str, str]) -> str:
    """Python that runs the function on ``model``, ``x`` and ``sigmas``, and prints the sample."""
    name = subject.name.partition(".")[2]
    options = "".join(f", {k}={v!r}" for k, v in _given(subject, config).items())
    if "noise_sampler" in inspect.signature(_function(name)).parameters:
        options += ", noise_sampler=lambda *_: torch.randn_like(x)"
    listed = "sigmas[-2].item(), sigmas[0].item()" if name in _ENDS else "sigmas"
    listed += f", {config['steps']}" if name == "sample_dpm_fast" else ""
    return (
        f"from k_diffusion.sampling import {name}\n"
        + ("torch.set_default_dtype(x.dtype)\n" if name in _ENDS else "")
        + f"print({name}(model, x, {listed}, disable=True{options}).flatten()[0].item())"
    )
