"""The sampling functions of k-diffusion: run as released on a model that answers with symbols.

A model is called as model(x, sigma) and gives back the data prediction; noise is explicit in sigma.
"""

import functools
import importlib
import importlib.metadata
import inspect
from collections.abc import Mapping, Sequence
from typing import Any
from unittest import mock

import torch

from equiv.lookup import Unknown, find
from equiv.subjects.absent import bare_package, stand_in
from equiv.subjects.run import DTYPE, SHAPE, LiftedRun, Model, lift
from equiv.subjects.subject import Subject

__all__ = ["SHAPE", "lift_run", "run_alone", "snippet", "subject"]

LARGEST, RATIO = 7.25, 0.55  # of the falling sigmas before 0: no power or difference of them is another
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
        prediction_types=("sample",),
        source=inspect.getsourcefile(inspect.unwrap(function)) or "",
        options={k: v for k, v in _OPTIONS.items() if k in accepted} | {"steps": ("4", "2", "1")},
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


def lift_run(subject: Subject, config: Mapping[str, str]) -> LiftedRun:
    """Run the function once, and read it.

    Raises:
        Unsupported: it does something that cannot be read.
    """
    return lift(functools.partial(_sample, subject, config), _sigmas(config))


def _sigmas(config: Mapping[str, str]) -> list[float]:
    return [LARGEST * RATIO**i for i in range(int(config["steps"]))] + [0.0]


def _sample(
    subject: Subject, config: Mapping[str, str], model: Model, x: torch.Tensor, sigmas: torch.Tensor
) -> torch.Tensor:
    function = _function(subject.name.partition(".")[2])
    result: torch.Tensor = function(model, x, sigmas, disable=True, **_given(config))
    return result


def _given(config: Mapping[str, str]) -> dict[str, float]:
    return {k: float(config[k]) for k in _OPTIONS if k in config}


def run_alone(
    subject: Subject,
    config: Mapping[str, str],
    state: float,
    answers: Sequence[float],
    noise: Sequence[float],
) -> list[float]:
    """What the library tells and feeds the model at each call, and returns, with nothing watching.

    Args:
        answers: what the model gives back, call by call.
        noise: what is drawn, draw by draw; 0 beyond them.
    """
    waiting, drawn = iter(answers), iter(noise)
    found: list[float] = []

    def model(x: torch.Tensor, sigma: torch.Tensor, **_: Any) -> torch.Tensor:
        found.extend((float(sigma.flatten()[0]), float(x.flatten()[0])))
        return torch.full_like(x, next(waiting, 0.0))

    x = torch.full(SHAPE, state, dtype=DTYPE)
    with mock.patch.object(torch, "randn_like", lambda t: torch.full_like(t, next(drawn, 0.0))):
        result = _sample(subject, config, model, x, torch.tensor(_sigmas(config), dtype=DTYPE))
    return [*found, float(result.flatten()[0])]


def snippet(
    subject: Subject,
    config: Mapping[str, str],
    state: float,
    answers: Sequence[float],
    noise: Sequence[float],
) -> str:
    """Python that shows what :func:`run_alone` gives, with the library alone."""
    name = subject.name.partition(".")[2]
    options = "".join(f", {k}={v!r}" for k, v in _given(config).items())
    return f"""import torch
from k_diffusion.sampling import {name}
answers, noise = iter({list(answers)}), iter({list(noise)})
def model(x, sigma):
    print("told", sigma[0].item(), "fed", x.flatten()[0].item())
    return torch.full_like(x, next(answers, 0.0))
torch.randn_like = lambda x: torch.full_like(x, next(noise, 0.0))
x = torch.full((1, 1, 1, 1), {state!r}, dtype=torch.float64)
sigmas = torch.tensor({_sigmas(config)}, dtype=torch.float64)
print({name}(model, x, sigmas, disable=True{options}).item())"""
