"""The schedules, the paths and the solver of flow_matching: time is 0 at the noise and 1 at the data."""

import functools
import importlib
import importlib.metadata
import inspect
from collections.abc import Mapping
from typing import Any

import torch

from equiv.lookup import Unknown, find
from equiv.subjects.parts import Expression, Parts
from equiv.subjects.run import Model, Sampler
from equiv.subjects.subject import Subject

_SCHEDULES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "CondOTScheduler": {},
    "CosineScheduler": {},
    "LinearVPScheduler": {},
    "VPScheduler": {},
    "PolynomialConvexScheduler": {"n": ("2", "3")},
}
_METHODS = ("euler", "midpoint", "heun2", "heun3", "rk4")
_SOLVER = "flow_matching.ODESolver"


def names() -> tuple[str, ...]:
    """The schedules, each with its path, and the solver."""
    return (*(f"flow_matching.{name}" for name in _SCHEDULES), _SOLVER)


@functools.cache
def subject(name: str) -> Subject:
    """The record of a schedule or of the solver.

    Raises:
        Unknown: it is another name, or flow_matching is not installed.
    """
    every: dict[str, Mapping[str, tuple[str, ...]]] = {f"flow_matching.{k}": v for k, v in _SCHEDULES.items()}
    every[_SOLVER] = {"steps": ("3", "1"), "method": _METHODS}
    options = find("subject", name, every, see=", ".join(every))
    module = _module("solver.ode_solver" if name == _SOLVER else "path.scheduler.scheduler")
    return Subject(
        name=name,
        library="flow_matching",
        version=importlib.metadata.version("flow_matching"),
        family="function" if name == _SOLVER else "path",
        time="rising, from noise to data",
        gauge="flow",
        prediction_types=("velocity",),
        source=inspect.getsourcefile(module) or "",
        options=dict(options),
    )


def _module(name: str) -> Any:
    try:
        return importlib.import_module(f"flow_matching.{name}")
    except ImportError as error:
        raise Unknown(
            f"flow_matching cannot be imported ({error}): pip install --no-deps flow_matching"
        ) from None


def parts(subject: Subject, config: Mapping[str, str]) -> Parts:
    """A schedule, and the path made of it."""
    kind = subject.name.partition(".")[2]
    vp = kind == "VPScheduler"
    arguments = "beta_min, beta_max" if vp else ", ".join(f"{key}={value}" for key, value in config.items())
    rate = " beta_min beta_max" if vp else ""
    converted = {
        f"{to} from {of}": Expression(
            f"{given} z t{rate}", f"path.{method}({given_as}={given}, x_t=z, t=t[:, None, None, None])"
        )
        for (of, to), (method, given_as, given) in {
            ("x", "velocity"): ("target_to_velocity", "x_1", "x"),
            ("eps", "velocity"): ("epsilon_to_velocity", "epsilon", "eps"),
            ("velocity", "x"): ("velocity_to_target", "velocity", "u"),
            ("eps", "x"): ("epsilon_to_target", "epsilon", "eps"),
            ("velocity", "eps"): ("velocity_to_epsilon", "velocity", "u"),
            ("x", "eps"): ("target_to_epsilon", "x_1", "x"),
        }.items()
    }
    return Parts(
        "from flow_matching.path import AffineProbPath\n"
        f"from flow_matching.path.scheduler.scheduler import {kind}\n"
        f"schedule = {kind}({arguments})\npath = AffineProbPath(schedule)",
        {
            "alpha": Expression(f"t{rate}", "schedule(t).alpha_t"),
            "sigma": Expression(f"t{rate}", "schedule(t).sigma_t"),
            "the rate of alpha": Expression(f"t{rate}", "schedule(t).d_alpha_t"),
            "the rate of sigma": Expression(f"t{rate}", "schedule(t).d_sigma_t"),
            "t from snr": Expression(f"snr{rate}", "schedule.snr_inverse(snr)"),
            "z": Expression(f"x eps t{rate}", "path.sample(x_0=eps, x_1=x, t=t).x_t"),
            "velocity": Expression(f"x eps t{rate}", "path.sample(x_0=eps, x_1=x, t=t).dx_t"),
            **converted,
        },
    )


def sampler(_: Subject, config: Mapping[str, str]) -> Sampler:
    """The solver on a grid of times, by a method of fixed steps."""

    def run(model: Model, x: torch.Tensor, times: torch.Tensor) -> torch.Tensor:
        solver = _module("solver").ODESolver(velocity_model=lambda x, t: model(x, t))
        found: torch.Tensor = solver.sample(x, step_size=None, method=config["method"], time_grid=times)
        return found

    return run


def snippet(_: Subject, config: Mapping[str, str]) -> str:
    """Python that runs the solver on ``model``, ``x`` and ``times``, and prints the sample."""
    return (
        "from flow_matching.solver import ODESolver\n"
        "solver = ODESolver(velocity_model=lambda x, t: model(x, t))\n"
        f"sample = solver.sample(x, step_size=None, method={config['method']!r}, time_grid=times)\n"
        "print(sample.flatten()[0].item())"
    )
