"""The sampling function of smalldiffusion, run as released on a model that answers with symbols.

A model predicts the noise at an explicit sigma, and makes the draws.
"""

import functools
import importlib
import importlib.metadata
from collections.abc import Mapping
from typing import Any

import torch

from equiv.lookup import Unknown, find
from equiv.subjects.absent import bare_package, stand_in
from equiv.subjects.run import Model, Sampler
from equiv.subjects.subject import Subject


class _Network:
    """What smalldiffusion asks of a model."""

    def __init__(self, model: Model, x: torch.Tensor) -> None:
        self._model, self._x = model, x

    def eval(self) -> None:
        """There is nothing to switch."""

    def predict_eps_cfg(self, x: torch.Tensor, sigma: torch.Tensor, *_: Any) -> torch.Tensor:
        """One call, told sigma for every sample."""
        return self._model(x, sigma * x.new_ones([x.shape[0]]))

    def rand_input(self, _: int) -> torch.Tensor:
        """One draw."""
        return torch.randn_like(self._x)


def names() -> tuple[str, ...]:
    """The function that is read."""
    return ("smalldiffusion.samples",)


@functools.cache
def subject(name: str) -> Subject:
    """The record of ``smalldiffusion.samples``.

    Raises:
        Unknown: it is another name, or smalldiffusion is not installed.
    """
    find("subject", name, {"smalldiffusion.samples": ""}, see="smalldiffusion.samples")
    return Subject(
        name=name,
        library="smalldiffusion",
        version=importlib.metadata.version("smalldiffusion"),
        family="function",
        time="falling, from noise to data",
        gauge="variance exploding",
        prediction_types=("eps",),
        source=_module().__file__,
        options={"gam": ("1", "2"), "mu": ("0", "0.5"), "steps": ("3", "1")},
    )


@functools.cache
def _module() -> Any:
    try:
        bare_package("smalldiffusion")
        stand_in("torchvision")
        return importlib.import_module("smalldiffusion.diffusion")
    except ImportError as error:
        raise Unknown(f"smalldiffusion cannot be imported ({error}): pip install smalldiffusion") from None


def sampler(_: Subject, config: Mapping[str, str]) -> Sampler:
    """The function, with the options of a configuration; its last state is the sample."""

    def run(model: Model, x: torch.Tensor, sigmas: torch.Tensor) -> torch.Tensor:
        states = _module().samples(
            _Network(model, x), sigmas, gam=float(config["gam"]), mu=float(config["mu"]), xt=x
        )
        *_, last = states
        found: torch.Tensor = last
        return found

    return run


def snippet(_: Subject, config: Mapping[str, str]) -> str:
    """Python that runs the function on ``model``, ``x`` and ``sigmas``, and prints the sample."""
    return f"""from smalldiffusion import samples
class Network(torch.nn.Module):
    predict_eps_cfg = lambda self, x, sigma, *_: model(x, sigma)
    rand_input = lambda self, n: torch.randn_like(x)
*_, last = samples(Network(), sigmas, gam={config["gam"]}, mu={config["mu"]}, xt=x)
print(last.flatten()[0].item())"""
