"""Classes that remember nothing from call to call."""

from fractions import Fraction

from equiv.formulas.consistency import out_weight, skip_weight
from equiv.formulas.levels import Level
from equiv.formulas.steps import (
    ddim_eta_step,
    ddim_step,
    ddpm_step,
    flow_euler_step,
    noise_ratio_euler_step,
    renoise,
    reverse_diffusion_step,
)
from equiv.number import maximum, sqrt
from equiv.obligations.networks import eps_hat, x_hat
from equiv.obligations.specifications.specification import Config, Specification, clipped_x_hat
from equiv.subjects.subject import Call, LiftedStep
from equiv.symbolic.expression import Expr, const, literal, symbols

LARGEST_CHURN = literal(2**0.5 - 1)  # of the factor by which sigma is raised before a step
LEAST_VARIANCE = literal(1e-20)  # keeps the logarithm of the DDPM variance finite


def ddim(config: Config) -> Specification:
    """DDIM; the data prediction is clipped, the noise prediction is not."""
    eta = const(Fraction(config.get("eta", "0")))

    def step(step: LiftedStep) -> Expr:
        moved = ddim_eta_step(step.state, x_hat(step), step.noise, eta, step.now, step.then)
        return moved + step.then.alpha * (clipped_x_hat(step, config) - x_hat(step))

    return Specification(
        "DDIM with eta: z_s = alpha_s x_hat + sqrt(sigma_s^2 - v) eps_hat + sqrt(v) n, "
        "v = eta^2 times the DDPM variance; clip_sample clips x_hat alone",
        step,
    )


def ddim_inverse(config: Config) -> Specification:
    """DDIM towards the noise; the network is asked at the level to which a step goes."""

    def step(step: LiftedStep) -> Expr:
        moved = noise_ratio_euler_step(step.state, eps_hat(step), step.now, step.then)
        return moved + step.then.alpha * (clipped_x_hat(step, config) - x_hat(step))

    return Specification(
        "DDIM to the noisier level listed: z_s / alpha_s = z_t / alpha_t + (r_s - r_t) eps_hat, r = "
        "sigma/alpha, with the output taken for one at the level of the state; clip_sample clips x_hat alone",
        step,
    )


def ddpm(config: Config) -> Specification:
    """DDPM, whose last step draws nothing."""
    large = config.get("variance_type", "fixed_small").startswith("fixed_large")

    def variance(step: LiftedStep) -> Expr:
        if step.timestep == 0:
            return const(0)
        if large:
            return 1 - (step.now.alpha / step.then.alpha) ** 2
        spread = ddpm_step(const(0), const(0), const(1), step.now, step.then)
        return maximum(spread * spread, LEAST_VARIANCE)

    def step(step: LiftedStep) -> Expr:
        silent = ddpm_step(step.state, clipped_x_hat(step, config), const(0), step.now, step.then)
        return silent if step.timestep == 0 else silent + sqrt(variance(step)) * step.noise

    said = "that of the forward step (fixed_large)" if large else "its own (fixed_small), kept above 1e-20"
    return Specification(
        f"DDPM: z_s from the posterior q(z_s | z_t, x_hat), its variance {said}; clip_sample clips x_hat",
        step,
        (lambda step, _missing: variance(step)) if large else _kept_up,
        own_variance=large,
    )


def _kept_up(step: LiftedStep, missing: Expr) -> Expr:
    return missing if step.timestep == 0 else maximum(missing, LEAST_VARIANCE)


def euler(config: Config) -> Specification:
    """Euler, where the noise explodes, after noise that ``s_churn`` asks for.

    The data prediction is that of the state that the network was fed: the one before the noise.
    """
    share = const(Fraction(config.get("s_churn", "0")) / int(config["steps"]))
    gamma = share if share.param < LARGEST_CHURN.param else LARGEST_CHURN

    def step(step: LiftedStep) -> Expr:
        if gamma.param == 0:
            return ddim_step(step.state, x_hat(step), step.now, step.then)
        raised = Level(step.now.alpha, step.now.sigma * (1 + gamma))
        return ddim_step(renoise(step.state, step.noise, step.now, raised), x_hat(step), raised, step.then)

    says = "Euler in y = z/alpha: y_s = y_t + (r_s - r_t) eps_hat, r = sigma/alpha"
    churned = ", from sigma raised by 1 + min(s_churn / N, sqrt(2) - 1) with noise"
    return Specification(says + churned * (gamma.param != 0), step)


def ancestral(_config: Config) -> Specification:
    """Euler ancestral, where the noise explodes."""
    return Specification(
        "Euler ancestral in y = z/alpha: the DDPM posterior step with alpha = 1",
        lambda step: ddpm_step(step.state, x_hat(step), step.noise, step.now, step.then),
    )


def velocity(call: Call) -> Expr:
    """The velocity of a flow, from data to noise, that the network's output means."""
    return -call.network if call.prediction == "minus u" else call.network


def flow_euler(_config: Config) -> Specification:
    """Euler along a flow."""
    return Specification(
        "flow Euler: z_s = z_t + (s - t) u_hat",
        lambda step: flow_euler_step(step.state, velocity(step), step.now.sigma, step.then.sigma),
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


def tcd(config: Config) -> Specification:
    """Trajectory consistency: DDIM beyond the next level, and noise back up to it."""

    def step(step: LiftedStep) -> Expr:
        (beyond,) = step.by
        reached = ddim_step(step.state, x_hat(step), step.now, beyond)
        silent = config["eta"] == "0" or beyond == step.then
        return reached if silent else renoise(reached, step.noise, beyond, step.then)

    return Specification(
        "TCD with eta: DDIM to the training step at the part 1 - eta of the next, then noise up to the next",
        step,
    )


def renoised(config: Config) -> Specification:
    """Fresh noise on the data prediction."""
    clean: Level[Expr] = Level(const(1), const(0))

    def step(step: LiftedStep) -> Expr:
        return renoise(clipped_x_hat(step, config), step.noise, clean, step.then)

    return Specification("fresh noise on the data prediction: z_s = alpha_s x_hat + sigma_s n", step)


def flow_match_euler(config: Config) -> Specification:
    """Euler along a flow, or fresh noise on the data prediction."""
    return renoised(config) if config.get("stochastic_sampling") == "True" else flow_euler(config)


def score_sde_ve(_config: Config) -> Specification:
    """The predictor of the variance-exploding equation."""

    def step(step: LiftedStep) -> Expr:
        return reverse_diffusion_step(step.state, step.network, step.noise, step.now, step.then)

    return Specification(
        "reverse diffusion: z_s = z_t + (sigma_t^2 - sigma_s^2) score + sqrt(sigma_t^2 - sigma_s^2) n",
        step,
        lambda step, _missing: step.now.sigma**2 - step.then.sigma**2,
        own_variance=True,
    )
