"""What cannot be seen in a class of diffusers: its gauge, where it lists its levels, which options it has."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple

import torch

from equiv.formulas.levels import Level
from equiv.subjects.diffusers import calling, listing
from equiv.subjects.diffusers.calling import Calling
from equiv.subjects.diffusers.listing import Listed, Row
from equiv.subjects.subject import ONE, Gauge, Prediction
from equiv.symbolic.expression import Expr, const

Options = Mapping[str, tuple[str, ...]]


class Family(NamedTuple):
    """``memory``: how many calls back a step may look; what it keeps in ``folded`` goes back to the start.

    ``together`` and ``refused``: see :class:`equiv.subjects.subject.Subject`.
    """

    gauge: Gauge
    predictions: tuple[str, ...]
    level: Callable[[Expr], Level[Expr]] = listing.of_exploding  # of an entry of its list
    bounded: bool = False  # entries of the list are below 1
    listed: Listed = listing.sigmas
    buffers: tuple[str, ...] = ("sigmas",)
    following: Mapping[str, Callable[[Mapping[str, Row]], Row]] = MappingProxyType({})  # from these
    calling: Calling = calling.PLAIN
    dtype: torch.dtype = torch.float32  # the widest state that step() does not narrow
    options: Options = MappingProxyType({})  # beside those that are seen; the default first
    call_options: Options = MappingProxyType({})  # of step()
    together: tuple[tuple[str, ...], ...] = ()
    refused: tuple[Mapping[str, str], ...] = ()
    steps: tuple[str, ...] = ("10", "13")
    calls: Callable[[int, Mapping[str, str]], int] = lambda steps, _config: steps
    beyond: int = 0  # how many times are listed after that of the last call
    memory: int = 0
    folded: tuple[str, ...] = ()
    unit: Expr = ONE  # see :class:`equiv.subjects.subject.Call`
    names: Mapping[str, Prediction] = MappingProxyType({})  # of predictions, where the class means others
    scales: bool = True  # it may scale what the network is fed
    given: str = ""  # what it is given in place of something of its own


_ALL = ("epsilon", "sample", "v_prediction")
_TIMES = Family(
    "variance preserving",
    _ALL,
    listing.of_product,
    bounded=True,
    listed=listing.times,
    buffers=("alphas_cumprod",),
    dtype=torch.float64,
    together=(("timestep_spacing", "steps"), ("prediction_type", "clip_sample")),
)
_GRID = (("timestep_spacing", "steps"), ("prediction_type",))
_EXPLODING = Family("variance exploding", _ALL, together=_GRID)
_FLOW_ONLY: tuple[Mapping[str, str], ...] = (  # a path that no other network is trained on, and its velocity
    {"prediction_type": "flow_prediction", "use_flow_sigmas": "False"},
    *({"prediction_type": p, "use_flow_sigmas": "True"} for p in _ALL),
)
_BOTH = ("use_flow_sigmas", "prediction_type", "solver_order")
_PRESERVING = Family(
    "variance preserving",
    (*_ALL, "flow_prediction"),
    listing.of_ratio,
    together=(*_GRID, _BOTH),
    refused=_FLOW_ONLY,
)
_UNCLIPPED = {"clip_sample": ("False",)}  # for classes that are said to clip, and do not
_FLOW = Family("flow", (), listing.of_flow, bounded=True, scales=False, together=(("steps",),))


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

_DDIM = _TIMES._replace(
    options={"set_alpha_to_one": ("True", "False")},
    call_options={"eta": ("0", "1", "0.5")},
    together=(("timestep_spacing", "steps"), ("prediction_type", "clip_sample", "eta")),
)
_DDPM = _TIMES._replace(
    options={"variance_type": ("fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log")}
)
_CHURN = {"s_churn": ("0", "2")}

CLASSES: dict[str, Family] = {
    "DDIMScheduler": _DDIM,
    "DDPMScheduler": _DDPM,
    "EulerDiscreteScheduler": _EXPLODING._replace(
        options={
            "interpolation_type": ("linear", "log_linear"),
            "timestep_type": ("discrete", "continuous"),
            "final_sigmas_type": ("zero", "sigma_min"),
        },
        call_options=_CHURN,
    ),
    "EulerAncestralDiscreteScheduler": _EXPLODING._replace(predictions=("epsilon", "v_prediction")),
    "FlowMatchEulerDiscreteScheduler": _FLOW._replace(
        options={
            "stochastic_sampling": ("False", "True"),
            "time_shift_type": ("exponential", "linear"),
        },
    ),
    "DPMSolverMultistepScheduler": _PRESERVING._replace(
        options={
            "algorithm_type": ("dpmsolver++", "dpmsolver", "sde-dpmsolver++", "sde-dpmsolver"),
            "solver_order": ("2", "1", "3"),
            "solver_type": ("midpoint", "heun"),
            "final_sigmas_type": ("zero", "sigma_min"),
            "euler_at_final": ("False", "True"),
            "lower_order_final": ("True", "False"),
            "use_lu_lambdas": ("False", "True"),
        },
        together=(
            ("algorithm_type", "solver_order", "solver_type", "final_sigmas_type"),
            ("algorithm_type", "prediction_type", "final_sigmas_type"),
            ("timestep_spacing", "steps"),
            _BOTH,
        ),
        refused=(
            *_FLOW_ONLY,
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
        together=(
            ("solver_order", "solver_type", "final_sigmas_type"),
            ("timestep_spacing", "steps"),
            _BOTH,
        ),
        steps=("10", "20"),
        memory=3,
        folded=("last_sample",),
    ),
    "PNDMScheduler": _TIMES._replace(
        predictions=("epsilon", "v_prediction"),
        options={"skip_prk_steps": ("False", "True"), "set_alpha_to_one": ("False", "True")},
        calls=_runge_kutta_first,
        memory=12,
        steps=("10", "20"),
    ),
    "KDPM2DiscreteScheduler": _EXPLODING._replace(
        predictions=("epsilon", "v_prediction"),
        listed=listing.midpoints,
        buffers=("sigmas", "sigmas_interpol"),
        calls=_stages,
        memory=1,
        steps=("5", "8"),
    ),
    "EDMEulerScheduler": _EDM._replace(
        options={"sigma_schedule": ("karras", "exponential"), "final_sigmas_type": ("zero", "sigma_min")},
        call_options=_CHURN,
    ),
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
            _BOTH,
        ),
        refused=(*_FLOW_ONLY, {"algorithm_type": "dpmsolver", "final_sigmas_type": "zero"}),
        steps=("10", "12", "14"),
        memory=2,
    ),
    "FlowMatchHeunDiscreteScheduler": _FLOW._replace(calls=_stages, memory=1, steps=("5", "8")),
    "LCMScheduler": _TIMES._replace(steps=("4", "8")),
    "TCDScheduler": _TIMES._replace(
        listed=listing.times_and_one_beyond,
        options=_UNCLIPPED,
        call_options={"eta": ("0.3", "0", "1")},
        together=(("timestep_spacing", "steps"), ("prediction_type", "eta")),
        steps=("4", "8"),
    ),
    "HeunDiscreteScheduler": _EXPLODING._replace(calls=_stages, memory=1, steps=("5", "8")),
    "DDIMParallelScheduler": _DDIM._replace(
        together=(
            ("timestep_spacing", "steps"),
            ("prediction_type", "clip_sample"),
            ("prediction_type", "eta"),
        )
    ),
    "DDPMParallelScheduler": _DDPM,
    "DDIMInverseScheduler": _TIMES._replace(
        listed=listing.rising_times,
        options={"timestep_spacing": ("leading", "trailing"), "set_alpha_to_one": ("True", "False")},
        together=(
            ("timestep_spacing", "steps", "set_alpha_to_one"),
            ("prediction_type", "set_alpha_to_one"),
            ("prediction_type", "clip_sample"),
        ),
    ),
    "DPMSolverMultistepInverseScheduler": _PRESERVING._replace(
        options={
            "algorithm_type": ("dpmsolver++", "dpmsolver"),
            "solver_order": ("2", "1", "3"),
            "solver_type": ("midpoint", "heun"),
        },
        together=(
            ("algorithm_type", "solver_order", "solver_type"),
            ("algorithm_type", "prediction_type"),
            ("timestep_spacing", "steps"),
            _BOTH,
        ),
        steps=("10", "20"),
        memory=2,
    ),
    "KDPM2AncestralDiscreteScheduler": _EXPLODING._replace(
        predictions=("epsilon", "v_prediction"),
        listed=listing.midpoints_before,
        buffers=("sigmas", "sigmas_interpol"),
        following={"sigmas_up": listing.ancestral_up, "sigmas_down": listing.ancestral_down},
        calls=_stages,
        memory=1,
        steps=("5", "8"),
    ),
    "DPMSolverSDEScheduler": _EXPLODING._replace(
        predictions=("epsilon", "v_prediction"),
        listed=listing.geometric_means,
        calling=calling.OWN_DRAWS,
        given=calling.INDEPENDENT,
        calls=_stages,
        memory=1,
        steps=("5", "8"),
    ),
    "CosineDPMSolverMultistepScheduler": _EDM._replace(
        predictions=("v_prediction", "epsilon"),
        calling=calling.OWN_DRAWS,
        given=calling.INDEPENDENT,
        unit=ONE,
        options={"solver_order": ("2", "1"), "solver_type": ("midpoint", "heun")},
        together=(("solver_order", "solver_type", "steps"),),
        steps=("10", "20"),
        memory=2,
    ),
    "CogVideoXDDIMScheduler": _TIMES._replace(options=_UNCLIPPED),
    "CogVideoXDPMScheduler": _TIMES._replace(
        calling=calling.WITH_LAST_X, options={**_UNCLIPPED, "set_alpha_to_one": ("True", "False")}, memory=1
    ),
    "FlowMatchLCMScheduler": _FLOW,
    "FlowMapEulerDiscreteScheduler": _FLOW._replace(dtype=torch.float64),
    "MiniMaxH3Scheduler": _FLOW._replace(
        following={"timesteps": listing.rest_of_sigma},
        names=MappingProxyType({"flow_prediction": "minus u"}),
        dtype=torch.float64,
        calls=lambda steps, _config: steps - 1,
    ),
    "IPNDMScheduler": _PRESERVING._replace(
        predictions=(),
        level=listing.of_sigma,
        bounded=True,
        listed=listing.betas,
        buffers=("betas",),
        following={"alphas": listing.alpha_of_beta},
        names=MappingProxyType({"flow_prediction": "v"}),
        memory=3,
        together=(),
    ),
    "ScoreSdeVeScheduler": _EXPLODING._replace(
        predictions=(),
        listed=listing.falling_sigmas,
        buffers=("discrete_sigmas",),
        calling=calling.PREDICTOR,
        names=MappingProxyType({"flow_prediction": "score"}),
        steps=("10", "13"),
    ),
    "DEISMultistepScheduler": _PRESERVING._replace(
        options={"solver_order": ("2", "1", "3")}, steps=("6", "15"), memory=2
    ),
    "LMSDiscreteScheduler": _EXPLODING._replace(
        call_options={"order": ("4", "1", "2", "3")}, steps=("4",), memory=3
    ),
}
