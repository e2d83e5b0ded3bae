"""What the diffusion classes compute, from their papers: for any rates of the noise, or any log-SNRs."""

from collections.abc import Callable, Mapping
from fractions import Fraction

from equiv.formulas.levels import Level
from equiv.formulas.predictions import TO_X
from equiv.formulas.steps import ddim_eta_step
from equiv.formulas.weightings import mse_factor_v, mse_factor_x
from equiv.number import clip, cos, exp, log, minimum, sqrt
from equiv.obligations.identities import Identity
from equiv.subjects.denoising_diffusion_pytorch import STEPS
from equiv.subjects.parts import step_of, variable
from equiv.symbolic.expression import PI, Expr, Relation, const, symbol

Config = Mapping[str, str]
X, EPS, Z, U, NET, AGAIN = (variable(name) for name in "x eps z u net again".split())
T, SIGMA, HIGH, LOW, DATA = (variable(name) for name in "t sigma high low sigma_data".split())
DRAWN, FRESH = symbol("n", "noise"), symbol("n1", "noise")
BETA = [step_of("beta", k) for k in range(STEPS)]
ONE = const(1)
RATES = tuple(r for b in BETA for r in (Relation(const(0), "<", b), Relation(b, "<", ONE)))
ORDERED = (Relation(HIGH, "<", LOW), Relation(const(0), "<", T), Relation(T, "<", ONE))
DOMAINS = (*RATES, *ORDERED)
_LIBRARY = "denoising_diffusion_pytorch"


def identities(subject: str, config: Config) -> Mapping[str, list[Identity]]:
    """All that is known of a class, by the obligation that asks for it; nothing of other code."""
    return _CLASSES[subject](config) if subject in _CLASSES else {}


# --- discrete -------------------------------------------------------------------------------------------


def _level(k: int) -> Level[Expr]:
    """After k + 1 steps of the forward process; clean data before the first."""
    kept: Expr = ONE
    for b in BETA[: k + 1]:
        kept = kept * (1 - b)
    return Level(sqrt(kept), sqrt(1 - kept)) if k >= 0 else Level(ONE, const(0))


def _posterior(x: Expr, z: Expr, k: int) -> tuple[Expr, Expr]:
    """Mean and variance of q(z_{k-1} | z_k, x): the product of two normal densities, by their precisions."""
    before, beta = _level(k - 1), BETA[k]
    if k == 0:
        return x, const(0)
    of_state, of_data = (1 - beta) / beta, 1 / before.sigma**2
    variance = 1 / (of_state + of_data)
    mean = variance * (of_state * z / sqrt(1 - beta) + of_data * before.alpha * x)
    return mean, variance


def _gaussian(config: Config) -> Mapping[str, list[Identity]]:
    k = int(config["step"])
    now = _level(k)
    state, v = now.alpha * X + now.sigma * EPS, now.alpha * EPS - now.sigma * X
    given = {Z: state, U: v}
    mean, variance = _posterior(X, Z, k)
    x_hat = clip(_x_hat(config, Z, NET, now), -1, 1)
    step, spread = _posterior(x_hat, Z, k)
    return {
        "forward-noising": [Identity("z", state)],
        "conversions": [
            Identity("x from eps", X, given),
            Identity("eps from x", EPS, given),
            Identity("v", v),
            Identity("x from v", X, given),
        ],
        "posterior": [
            Identity("the mean of the posterior", mean),
            Identity("the variance of the posterior", variance),
        ],
        "sampling-step": [
            Identity("a step", step + sqrt(spread) * DRAWN if k else step),
            Identity("a sample of DDIM", _ddim(config)),
        ],
        # it draws a state after the last step, of the first of two images alone
        "told-level": [Identity("the step that interpolate tells first", const(STEPS - 1))],
        "loss-weight": [Identity("the weight of the loss", _weight(config, now))],
    }


def _x_hat(config: Config, z: Expr, net: Expr, level: Level[Expr]) -> Expr:
    kind = {"pred_v": "v", "pred_noise": "eps", "pred_x0": "x"}[config["objective"]]
    found: Expr = TO_X[kind](z, net, level)
    return found


def _ddim(config: Config) -> Expr:
    """From the last level to the second, and then to the data; images lie between 0 and 1."""
    eta = const(Fraction(config["ddim_sampling_eta"]))
    first, second = _level(3), _level(1)
    x_hat = clip(_x_hat(config, DRAWN, NET, first), -1, 1)
    z = ddim_eta_step(DRAWN, x_hat, FRESH, eta, first, second)
    return (clip(_x_hat(config, z, AGAIN, second), -1, 1) + 1) / 2


def _weight(config: Config, level: Level[Expr]) -> Expr:
    """Of the error of what is predicted, so that the noise's would have min(snr, 5) / snr."""
    snr = (level.alpha / level.sigma) ** 2
    of_noise = minimum(snr, 5) / snr if config["min_snr_loss_weight"] == "True" else ONE
    factor = {"pred_v": mse_factor_v, "pred_x0": mse_factor_x}.get(config["objective"])
    return of_noise if factor is None else of_noise / factor(level)


# --- continuous -----------------------------------------------------------------------------------------


def _of_log_snr(log_snr: Expr) -> Level[Expr]:
    """Variance preserving."""
    snr = exp(log_snr)
    return Level(sqrt(snr / (1 + snr)), sqrt(1 / (1 + snr)))


def _continuous(kind: str, config: Config) -> Mapping[str, list[Identity]]:
    now, then = _of_log_snr(HIGH), _of_log_snr(LOW)
    x_hat: Expr = TO_X[kind](Z, NET, now)
    x_hat = clip(x_hat, -1, 1) if config["clip_sample_denoised"] == "True" else x_hat
    # the posterior, by the precisions of its two factors
    kept = now.alpha / then.alpha
    added = now.sigma**2 - kept**2 * then.sigma**2
    variance = 1 / (kept**2 / added + 1 / then.sigma**2)
    mean = variance * (kept / added * Z + then.alpha / then.sigma**2 * x_hat)
    return {
        "forward-noising": [Identity("z", now.alpha * X + now.sigma * EPS)],
        "path-equals-formula": [Identity("log_snr", _schedule(config))],
        "sampling-step": [Identity("a step", mean + sqrt(variance) * DRAWN)],
    }


def _schedule(config: Config) -> Expr:
    """The log-SNR at time t."""
    if config.get("noise_schedule") == "linear":
        kept = 1 / exp(const(Fraction(1, 10**4)) + 10 * T * T)
    else:
        offset = const(Fraction(8, 1000))
        kept = cos(PI / 2 * (T + offset) / (1 + offset)) ** 2
    return -log((1 - kept) / kept)


def _elucidated(_: Config) -> Mapping[str, list[Identity]]:
    """The state in units of its deviation; what the network gives back is v at that level, turned."""
    total = sqrt(SIGMA**2 + DATA**2)
    level = Level(DATA / total, SIGMA / total)
    x_hat = DATA * (level.alpha * (Z / total) + level.sigma * NET)
    return {
        "conversions": [
            Identity("x from the network", x_hat),
            Identity("what the network is fed", Z / total),
        ],
        "loss-weight": [Identity("the weight of the loss", 1 / (DATA * level.sigma) ** 2)],
    }


_CLASSES: Mapping[str, Callable[[Config], Mapping[str, list[Identity]]]] = {
    f"{_LIBRARY}.GaussianDiffusion": _gaussian,
    f"{_LIBRARY}.ContinuousTimeGaussianDiffusion": lambda config: _continuous("eps", config),
    f"{_LIBRARY}.VParamContinuousTimeGaussianDiffusion": lambda config: _continuous("v", config),
    f"{_LIBRARY}.ElucidatedDiffusion": _elucidated,
}
