"""What cannot be seen in a class of diffusers: its gauge, where it lists its levels, which options it has.

A place is an entry of a buffer: its name and an index. The clean end, alpha 1 and sigma 0, has no place.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any, NamedTuple

import torch

from equiv.subjects.subject import ONE, Gauge, Prediction
from equiv.symbolic.expression import Expr, const

Place = tuple[str, int]
Places = tuple[Place, Place | None]  # of the level of a call, and of the one that it leads to
Options = Mapping[str, tuple[str, ...]]


def _listed_sigmas(_scheduler: Any, i: int) -> Places:
    return ("sigmas", i), ("sigmas", i + 1)


def _listed_times(scheduler: Any, i: int) -> Places:
    times = scheduler.timesteps.tolist()
    if i + 1 < len(times):
        return ("alphas_cumprod", times[i]), ("alphas_cumprod", times[i + 1])
    end = None if getattr(scheduler.config, "set_alpha_to_one", True) else ("alphas_cumprod", 0)
    return ("alphas_cumprod", times[i]), end


def _listed_times_to_0(scheduler: Any, i: int) -> Places:
    """The last step goes to training step 0."""
    place, following = _listed_times(scheduler, i)
    return place, following or ("alphas_cumprod", 0)


def _midpoints(_scheduler: Any, i: int) -> Places:
    """Every second call is at a level between two of the list."""
    own, between = ("sigmas", i), "sigmas_interpol"
    return ((between, i), own) if i % 2 else (own, (between, i + 1))


class Family(NamedTuple):
    """``memory``: how many calls back a step may look; what it keeps in ``folded`` goes back to the start.

    ``together``: see :class:`equiv.subjects.subject.Subject`.
    """

    gauge: Gauge
    predictions: tuple[str, ...]
    listed: Callable[[Any, int], Places] = _listed_sigmas
    buffers: tuple[str, ...] = ("sigmas",)
    dtype: torch.dtype = torch.float32  # the widest state that step() does not narrow
    options: Options = MappingProxyType({})  # beside those that are seen; the default first
    call_options: Options = MappingProxyType({})  # of step()
    together: tuple[tuple[str, ...], ...] = ()
    refused: tuple[Mapping[str, str], ...] = ()
    steps: tuple[str, ...] = ("10", "13")
    calls: Callable[[int, Mapping[str, str]], int] = lambda steps, _config: steps
    memory: int = 0
    folded: tuple[str, ...] = ()
    unit: Expr = ONE  # see :class:`equiv.subjects.subject.Call`
    names: Mapping[str, Prediction] = MappingProxyType({})  # of predictions, where the class means others


_ALL = ("epsilon", "sample", "v_prediction")
_TIMES = Family("variance preserving", _ALL, _listed_times, ("alphas_cumprod",), torch.float64)
_EXPLODING = Family("variance exploding", _ALL)
_PRESERVING = Family("variance preserving", _ALL)


def _stages(steps: int, _config: Mapping[str, str]) -> int:
    """Two calls a step, but one for the last."""
    return 2 * steps - 1


def _runge_kutta_first(steps: int, config: Mapping[str, str]) -> int:
    """Four calls in each of the first three steps, or two in the first."""
    return steps + (9 if config["skip_prk_steps"] == "False" else 1)


_EDM = _EXPLODING._replace(
    predictions=("epsilon", "v_prediction"),
    names=MappingProxyType({"epsilon": "minus v"}),  # what the network of EDM gives
    unit=const(Fraction(1, 2)),
)

CLASSES: dict[str, Family] = {
    "DDIMScheduler": _TIMES._replace(call_options={"eta": ("0", "1")}),
    "DDPMScheduler": _TIMES,
    "EulerDiscreteScheduler": _EXPLODING,
    "EulerAncestralDiscreteScheduler": _EXPLODING._replace(predictions=("epsilon", "v_prediction")),
    "FlowMatchEulerDiscreteScheduler": Family("flow", ()),
    "DPMSolverMultistepScheduler": _PRESERVING._replace(
        options={
            "algorithm_type": ("dpmsolver++", "dpmsolver", "sde-dpmsolver++", "sde-dpmsolver"),
            "solver_order": ("2", "1", "3"),
            "solver_type": ("midpoint", "heun"),
            "final_sigmas_type": ("zero", "sigma_min"),
        },
        together=(
            ("algorithm_type", "solver_order", "solver_type", "final_sigmas_type"),
            ("algorithm_type", "prediction_type", "final_sigmas_type"),
            ("timestep_spacing", "steps"),
        ),
        refused=(
            {"algorithm_type": "dpmsolver", "final_sigmas_type": "zero"},
            {"algorithm_type": "sde-dpmsolver", "final_sigmas_type": "zero"},
        ),
        steps=("10", "20"),
        memory=2,
    ),
    "UniPCMultistepScheduler": _PRESERVING._replace(
        options={
            "solver_order": ("2", "1", "3"),
            "solver_type": ("bh2", "bh1"),
            "final_sigmas_type": ("zero", "sigma_min"),
        },
        together=(("solver_order", "solver_type", "final_sigmas_type"), ("timestep_spacing", "steps")),
        steps=("10", "20"),
        memory=3,
        folded=("last_sample",),
    ),
    "PNDMScheduler": _TIMES._replace(
        predictions=("epsilon", "v_prediction"),
        options={"skip_prk_steps": ("False", "True")},
        calls=_runge_kutta_first,
        memory=12,
        steps=("10", "20"),
    ),
    "KDPM2DiscreteScheduler": _EXPLODING._replace(
        predictions=("epsilon", "v_prediction"),
        listed=_midpoints,
        buffers=("sigmas", "sigmas_interpol"),
        calls=_stages,
        memory=1,
        steps=("5", "8"),
    ),
    "EDMEulerScheduler": _EDM,
    "EDMDPMSolverMultistepScheduler": _EDM._replace(
        options={
            "algorithm_type": ("dpmsolver++", "sde-dpmsolver++"),
            "solver_order": ("2", "1", "3"),
            "solver_type": ("midpoint", "heun"),
            "final_sigmas_type": ("zero", "sigma_min"),
        },
        together=(("algorithm_type", "solver_order", "solver_type"), ("final_sigmas_type", "steps")),
        steps=("10", "20"),
        memory=2,
    ),
    "DPMSolverSinglestepScheduler": _PRESERVING._replace(
        options={
            "algorithm_type": ("dpmsolver++", "dpmsolver", "sde-dpmsolver++"),
            "solver_order": ("2", "1", "3"),
            "solver_type": ("midpoint", "heun"),
            "final_sigmas_type": ("zero", "sigma_min"),
        },
        together=(
            ("algorithm_type", "solver_order", "solver_type", "final_sigmas_type"),
            ("algorithm_type", "prediction_type", "final_sigmas_type"),
        ),
        refused=({"algorithm_type": "dpmsolver", "final_sigmas_type": "zero"},),
        steps=("10", "12", "14"),
        memory=2,
    ),
    "FlowMatchHeunDiscreteScheduler": Family("flow", (), calls=_stages, memory=1, steps=("5", "8")),
    "LCMScheduler": _TIMES._replace(steps=("4", "8")),
    "TCDScheduler": _TIMES._replace(
        listed=_listed_times_to_0,
        options={"clip_sample": ("False",)},  # it is said to clip, and does not
        call_options={"eta": ("0",)},
        steps=("4", "8"),
    ),
    "HeunDiscreteScheduler": _EXPLODING._replace(calls=_stages, memory=1, steps=("5", "8")),
}
