"""Classes that call the network twice a step: the second call ends the step that the first began."""

from equiv.formulas.levels import kappa, rescaled
from equiv.formulas.stages import heun_step, midpoint_step
from equiv.formulas.steps import ddim_step, ddpm_step, flow_euler_step, renoise
from equiv.obligations.networks import x_hat
from equiv.obligations.specifications.specification import Config, Specification, clipped_x_hat
from equiv.subjects.subject import LiftedStep
from equiv.symbolic.expression import Expr


def heun(config: Config) -> Specification:
    """Heun, where the noise explodes; the last step is one of Euler."""

    def step(step: LiftedStep) -> Expr:
        here = clipped_x_hat(step, config)
        if step.index % 2 == 0:
            return ddim_step(step.state, here, step.now, step.then)
        start = step.earlier[0]
        there = clipped_x_hat(start, config)
        return heun_step(start.state, there, step.state, here, start.now, step.now)

    return Specification(
        "Heun in y = z/alpha: y_s = y_t + (r_s - r_t) (eps_hat_t + eps_hat_s)/2, r = sigma/alpha, eps_hat_s "
        "at the end of an Euler step, to which the first call of a step goes; to clean data, Euler",
        step,
    )


def midpoint(_config: Config) -> Specification:
    """DPM-Solver-2 as in the paper of EDM, where the noise explodes; the last step is one of Euler."""

    def step(step: LiftedStep) -> Expr:
        if step.index % 2 == 0:
            return ddim_step(step.state, x_hat(step), step.now, step.then)
        start = step.earlier[0]
        return midpoint_step(start.state, step.state, x_hat(step), step.now, start.now, step.then)

    return Specification(
        "midpoint in y = z/alpha: y_s = y_t + (r_s - r_t) eps_hat_m, r = sigma/alpha, eps_hat_m at the end "
        "of an Euler step to a level between; to clean data, Euler",
        step,
    )


def ancestral_midpoint(_config: Config) -> Specification:
    """The same to a level beyond the next, and noise back up to it; the last step is one of Euler."""

    def step(step: LiftedStep) -> Expr:
        if step.index % 2 == 0:
            return ddim_step(step.state, x_hat(step), step.now, step.then)
        start = step.earlier[0]
        down = rescaled(step.then, kappa(start.now, step.then))._replace(alpha=step.then.alpha)
        reached = midpoint_step(start.state, step.state, x_hat(step), step.now, start.now, down)
        return renoise(reached, step.noise, down, step.then)

    return Specification(
        "midpoint in y = z/alpha to sigma_s^2 / sigma_t, with eps_hat at the end of an Euler step to a level "
        "between, then noise up to sigma_s; to clean data, Euler",
        step,
    )


def ddpm_midpoint(_config: Config) -> Specification:
    """A DDPM step with the data prediction at the end of another; the last step is one of Euler."""

    def step(step: LiftedStep) -> Expr:
        start = step.earlier[0] if step.index % 2 else step
        if step.then.sigma.op == "const":
            return ddim_step(start.state, x_hat(step), start.now, step.then)
        return ddpm_step(start.state, x_hat(step), step.noise, start.now, step.then)

    return Specification(
        "a DDPM step with the data prediction at the end of another to the middle in log-SNR; to clean data, "
        "Euler",
        step,
    )


def flow_heun(_config: Config) -> Specification:
    """Heun along a flow; the last step is one of Euler."""

    def step(step: LiftedStep) -> Expr:
        if step.index % 2 == 0:
            return flow_euler_step(step.state, step.network, step.now.sigma, step.then.sigma)
        start = step.earlier[0]
        mean = (start.network + step.network) / 2
        return flow_euler_step(start.state, mean, start.now.sigma, step.now.sigma)

    return Specification(
        "Heun along the flow: z_s = z_t + (s - t) (u_hat_t + u_hat_s)/2, u_hat_s at the end of an Euler "
        "step, to which the first call of a step goes; to clean data, Euler",
        step,
    )
