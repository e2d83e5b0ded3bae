"""The formula that each class names, from its paper: what a step of it returns.

Defaults that clip are part of what a class names, so they are modelled here.
"""

from collections.abc import Callable, Mapping

from equiv.obligations.specifications import dpm_solver, multistep, one_step, singlestep, stages
from equiv.obligations.specifications.specification import CLIP_RANGE, Config, Specification

SPECIFICATIONS: Mapping[str, Callable[[Config], Specification]] = {
    "diffusers.DDIMScheduler": one_step.ddim,
    "diffusers.DDPMScheduler": one_step.ddpm,
    "diffusers.EulerDiscreteScheduler": one_step.euler,
    "diffusers.EulerAncestralDiscreteScheduler": one_step.ancestral,
    "diffusers.FlowMatchEulerDiscreteScheduler": one_step.flow_match_euler,
    "diffusers.DPMSolverMultistepScheduler": dpm_solver.multistep,
    "diffusers.UniPCMultistepScheduler": multistep.unipc_multistep,
    "diffusers.PNDMScheduler": multistep.pndm,
    "diffusers.DPMSolverSinglestepScheduler": singlestep.singlestep,
    "diffusers.EDMDPMSolverMultistepScheduler": dpm_solver.multistep,
    "diffusers.EDMEulerScheduler": one_step.euler,
    "diffusers.FlowMatchHeunDiscreteScheduler": stages.flow_heun,
    "diffusers.LCMScheduler": one_step.lcm,
    "diffusers.TCDScheduler": one_step.tcd,
    "diffusers.HeunDiscreteScheduler": stages.heun,
    "diffusers.KDPM2DiscreteScheduler": stages.midpoint,
    "diffusers.DDIMParallelScheduler": one_step.ddim,
    "diffusers.DDPMParallelScheduler": one_step.ddpm,
    "diffusers.DDIMInverseScheduler": one_step.ddim_inverse,
    "diffusers.DPMSolverMultistepInverseScheduler": dpm_solver.multistep,
    "diffusers.KDPM2AncestralDiscreteScheduler": stages.ancestral_midpoint,
    "diffusers.DPMSolverSDEScheduler": stages.ddpm_midpoint,
    "diffusers.CosineDPMSolverMultistepScheduler": dpm_solver.cosine,
    "diffusers.CogVideoXDDIMScheduler": one_step.ddim,
    "diffusers.CogVideoXDPMScheduler": dpm_solver.sde_2m,
    "diffusers.FlowMatchLCMScheduler": one_step.renoised,
    "diffusers.FlowMapEulerDiscreteScheduler": one_step.flow_euler,
    "diffusers.MiniMaxH3Scheduler": one_step.flow_euler,
    "diffusers.IPNDMScheduler": multistep.ipndm,
    "diffusers.DEISMultistepScheduler": dpm_solver.deis,
    "diffusers.LMSDiscreteScheduler": multistep.lms,
    "diffusers.ScoreSdeVeScheduler": one_step.score_sde_ve,
}


def specification(subject: str, config: Config) -> Specification:
    """What a class names in a configuration."""
    return SPECIFICATIONS[subject](config)


__all__ = ["CLIP_RANGE", "SPECIFICATIONS", "Specification", "specification"]
