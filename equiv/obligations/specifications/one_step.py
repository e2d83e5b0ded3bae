"""Classes that remember nothing from call to call."""

from fractions import Fraction

from equiv.formulas.consistency import out_weight, skip_weight
from equiv.formulas.steps import ddim_eta_step, ddim_step, ddpm_step, flow_euler_step
from equiv.number import maximum, sqrt
from equiv.obligations.networks import x_hat
from equiv.obligations.specifications.specification import Config, Specification, clipped_x_hat
from equiv.subjects.subject import Call, LiftedStep
from equiv.symbolic.expression import Expr, const, literal, symbols

LEAST_VARIANCE = literal(1e-20)  # keeps the logarithm of the DDPM variance finite


def ddim(config: Config) -> Specification:
    """DDIM; the data prediction is clipped, the noise prediction is not."""
    eta = const(int(config["eta"]))

    def step(step: LiftedStep) -> Expr:
        moved = ddim_eta_step(step.state, x_hat(step), step.noise, eta, step.now, step.then)
        return moved + step.then.alpha * (clipped_x_hat(step, config) - x_hat(step))

    return Specification(
        "DDIM with eta: z_s = alpha_s x_hat + sqrt(sigma_s^2 - v) eps_hat + sqrt(v) n, "
        "v = eta^2 times the DDPM variance; clip_sample clips x_hat alone",
        step,
    )


def ddpm(config: Config) -> Specification:
    """DDPM, whose last step draws nothing."""

    def step(step: LiftedStep) -> Expr:
        silent = ddpm_step(step.state, clipped_x_hat(step, config), const(0), step.now, step.then)
        spread = ddpm_step(const(0), const(0), const(1), step.now, step.then)
        if step.timestep == 0:
            return silent
        return silent + sqrt(maximum(spread * spread, LEAST_VARIANCE)) * step.noise

    return Specification(
        "DDPM: z_s from the posterior q(z_s | z_t, x_hat), its variance (fixed_small) kept above 1e-20; "
        "clip_sample clips x_hat",
        step,
        lambda step, missing: missing if step.timestep == 0 else maximum(missing, LEAST_VARIANCE),
    )


def euler(_config: Config) -> Specification:
    """Euler, where the noise explodes."""
    return Specification(
        "Euler in y = z/alpha: y_s = y_t + (r_s - r_t) eps_hat, r = sigma/alpha",
        lambda step: ddim_step(step.state, x_hat(step), step.now, step.then),
    )


def ancestral(_config: Config) -> Specification:
    """Euler ancestral, where the noise explodes."""
    return Specification(
        "Euler ancestral in y = z/alpha: the DDPM posterior step with alpha = 1",
        lambda step: ddpm_step(step.state, x_hat(step), step.noise, step.now, step.then),
    )


def flow_euler(_config: Config) -> Specification:
    """Euler along a flow."""
    return Specification(
        "flow Euler: z_s = z_t + (s - t) u_hat",
        lambda step: flow_euler_step(step.state, step.network, step.now.sigma, step.then.sigma),
    )


BOUNDARY = Fraction(
    1, 20
)  # sigma_data / timestep_scaling: at time 0 a consistency model gives back its input


def lcm(config: Config) -> Specification:
    """The latent consistency model: its own data prediction, then fresh noise."""

    def step(step: LiftedStep) -> Expr:
        skip, out = _weights(step)
        x = skip * step.state + out * clipped_x_hat(step, config)
        return x if not symbols(*step.then) else step.then.alpha * x + step.then.sigma * step.noise

    def x_hat_for(call: Call, x: Expr) -> Expr:
        skip, out = _weights(call)
        return (x - skip * call.state) / out

    return Specification(
        "LCM: z_s = alpha_s x + sigma_s n with x = c_skip z_t + c_out x_hat, c_skip = b^2/(t^2 + b^2), c_out "
        "= t/sqrt(t^2 + b^2), b = 1/20 training steps",
        step,
        own_x=x_hat_for,
    )


def _weights(call: Call) -> tuple[Expr, Expr]:
    t, b = const(int(call.timestep)), const(BOUNDARY)
    return skip_weight(t, b), out_weight(t, b)


def tcd(_config: Config) -> Specification:
    """Trajectory consistency without noise, which is DDIM."""
    return Specification(
        "TCD with eta = 0: z_s = alpha_s x_hat + sigma_s eps_hat",
        lambda step: ddim_step(step.state, x_hat(step), step.now, step.then),
    )
