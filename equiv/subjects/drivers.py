"""The solvers of differential equations of torchdiffeq and torchdyn, given a velocity and a grid of times."""

import functools
import importlib
import importlib.metadata
import inspect
from collections.abc import Mapping
from typing import Any

import torch

from equiv.lookup import Unknown, find
from equiv.subjects.absent import bare_package, stand_in
from equiv.subjects.run import Model, Sampler
from equiv.subjects.subject import Subject

_METHODS: Mapping[str, tuple[str, ...]] = {
    "torchdiffeq.odeint": ("euler", "midpoint", "heun2", "heun3", "rk4"),
    "torchdyn.odeint": ("euler", "midpoint", "rk4"),
}


def names() -> tuple[str, ...]:
    """The solvers that are read."""
    return tuple(_METHODS)


@functools.cache
def subject(name: str) -> Subject:
    """The record of a solver.

    Raises:
        Unknown: it is another name, or its library is not installed.
    """
    methods = find("subject", name, _METHODS, see=", ".join(_METHODS))
    library = name.partition(".")[0]
    return Subject(
        name=name,
        library=library,
        version=importlib.metadata.version(library),
        family="function",
        time="rising, from noise to data",
        gauge="flow",
        prediction_types=("velocity",),
        source=inspect.getsourcefile(_odeint(library)) or "",
        options={"steps": ("3", "1"), "method": methods},
    )


def _odeint(library: str) -> Any:
    try:
        if library == "torchdiffeq":
            return importlib.import_module("torchdiffeq").odeint
        bare_package("torchdyn")
        bare_package("torchdyn.numerics")
        stand_in("torchcde")
        return importlib.import_module("torchdyn.numerics.odeint").odeint
    except ImportError as error:
        raise Unknown(f"{library} cannot be imported ({error}): pip install --no-deps {library}") from None


def sampler(subject: Subject, config: Mapping[str, str]) -> Sampler:
    """The solver, by a method of fixed steps."""
    odeint, method = _odeint(subject.library), config["method"]

    def run(model: Model, x: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        def velocity(t: torch.Tensor, z: torch.Tensor, **_: Any) -> torch.Tensor:
            return model(z, t)

        found: torch.Tensor
        if subject.library == "torchdiffeq":
            found = odeint(velocity, x, times, method=method)
        else:
            _, found = odeint(velocity, x, times, solver=method)
        return found[-1]

    return run


def snippet(subject: Subject, config: Mapping[str, str]) -> str:
    """Python that runs the solver on ``model``, ``x`` and ``times``, and prints the sample."""
    if subject.library == "torchdiffeq":
        called = f"odeint(velocity, x, times, method={config['method']!r})[-1]"
        place = "torchdiffeq"
    else:
        called = f"odeint(velocity, x, times, solver={config['method']!r})[1][-1]"
        place = "torchdyn.numerics.odeint"
    return (
        f"from {place} import odeint\nvelocity = lambda t, z, **_: model(z, t)\n"
        f"print({called}.flatten()[0].item())"
    )
