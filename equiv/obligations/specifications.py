"""The formula that each class names, from its paper: what a step of it returns.

Defaults that clip are part of what a class names, so they are modelled here.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from equiv.formulas.steps import ddim_eta_step, ddim_step, ddpm_step, flow_euler_step
from equiv.lifting.refusal import Unsupported
from equiv.number import clip, maximum, sqrt
from equiv.subjects.subject import LiftedStep
from equiv.symbolic.expression import Expr, const, literal, symbols

Config = Mapping[str, str]
CLIP_RANGE = 1  # of x_hat, where a class clips
LEAST_VARIANCE = literal(1e-20)  # keeps the logarithm of the DDPM variance finite


class Specification(NamedTuple):
    """``says`` is the formula in words; ``step`` gives the result from the data prediction.

    ``least_variance`` is the floor under the variance of the noise that a class names as its own.
    """

    says: str
    step: Callable[[LiftedStep, Expr, Config], Expr]
    least_variance: Expr | None = None


def noise(step: LiftedStep) -> Expr:
    """The noise that a formula has, whether the step drew it or not.

    Raises:
        Unsupported: the step drew several; the formulas here have one.
    """
    drawn = [s for s in symbols(step.output) if s.param.role == "noise"]
    if len(drawn) > 1:
        raise Unsupported(f"step {step.index} draws {len(drawn)} noises; the formulas here have one")
    return step.noise


def _clipped(x_hat: Expr, config: Config) -> Expr:
    return clip(x_hat, -CLIP_RANGE, CLIP_RANGE) if config.get("clip_sample") == "True" else x_hat


def _ddim(step: LiftedStep, x_hat: Expr, config: Config) -> Expr:
    # the data prediction is clipped, the noise prediction is not
    moved = ddim_eta_step(step.state, x_hat, noise(step), const(int(config["eta"])), step.now, step.then)
    return moved + step.then.alpha * (_clipped(x_hat, config) - x_hat)


def _ancestral(step: LiftedStep, x_hat: Expr, config: Config) -> Expr:
    return ddpm_step(step.state, _clipped(x_hat, config), noise(step), step.now, step.then)


def _ddpm(step: LiftedStep, x_hat: Expr, config: Config) -> Expr:
    silent = ddpm_step(step.state, _clipped(x_hat, config), const(0), step.now, step.then)
    spread = ddpm_step(const(0), const(0), const(1), step.now, step.then)
    if step.timestep == 0:  # the paper's last step draws nothing
        return silent
    return silent + sqrt(maximum(spread * spread, LEAST_VARIANCE)) * noise(step)


def _euler(step: LiftedStep, x_hat: Expr, _config: Config) -> Expr:
    return ddim_step(step.state, x_hat, step.now, step.then)


def _flow(step: LiftedStep, _x_hat: Expr, _config: Config) -> Expr:
    return flow_euler_step(step.state, step.network, step.now.sigma, step.then.sigma)


SPECIFICATIONS: Mapping[str, Specification] = {
    "diffusers.DDIMScheduler": Specification(
        "DDIM with eta: z_s = alpha_s x_hat + sqrt(sigma_s^2 - v) eps_hat + sqrt(v) n, "
        "v = eta^2 times the DDPM variance; clip_sample clips x_hat alone",
        _ddim,
    ),
    "diffusers.DDPMScheduler": Specification(
        "DDPM: z_s from the posterior q(z_s | z_t, x_hat), its variance (fixed_small) kept above 1e-20; "
        "clip_sample clips x_hat",
        _ddpm,
        LEAST_VARIANCE,
    ),
    "diffusers.EulerDiscreteScheduler": Specification(
        "Euler in y = z/alpha: y_s = y_t + (r_s - r_t) eps_hat, r = sigma/alpha", _euler
    ),
    "diffusers.EulerAncestralDiscreteScheduler": Specification(
        "Euler ancestral in y = z/alpha: the DDPM posterior step with alpha = 1", _ancestral
    ),
    "diffusers.FlowMatchEulerDiscreteScheduler": Specification(
        "flow Euler: z_s = z_t + (s - t) u_hat", _flow
    ),
}
