r"""Which discretisation of the reverse process is DDIM and DDPM.

Solved exactly with x_hat held fixed over the step, the reverse equation with eta = 0 is DDIM and with eta
= 1 DDPM with its posterior variance: a churn step of rho = 1 + eta^2, known as SDE-DPM-Solver++ of order
1. Solved exactly with eps_hat held fixed instead (SDE-DPM-Solver of order 1), eta = 0 is DDIM again, but
eta = 1 is another sampler: its mean misses DDPM's by sigma_s (1 - kappa)^2 / kappa times eps_hat and its
variance exceeds it by sigma_s^2 (1 - kappa^2)^2 / kappa^2. An Euler-Maruyama step over one beta of a
variance-preserving process, with the score s, agrees with DDPM in mean and variance up to beta^2, the
means differing by beta^2 (3 z / 8 + s / 2) + O(beta^3); the reverse-diffusion predictor of Song et al. by
beta^2 (z / 4 + s / 2) + O(beta^3). The Taylor coefficients are shown; the difference is smooth in beta <
1. The source says that discretising recovers DDPM, without saying how.

Not claimed: anything about many steps; that x_hat is constant along a trajectory; DDPM with other
variances.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Lt, Rational, S, exp, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, kappa, log_snr, noise_ratio
from equiv.formulas.predictions import x_from_eps, x_from_score
from equiv.formulas.steps import churn_step, ddim_step, ddpm_step, renoise
from equiv.proofs._calculus import at, rate
from equiv.proofs._rates import diffusion_squared, drift, total_rate
from equiv.proofs._symbols import eps_hat, less_noisy, noise, now, score_hat, then, x_hat, z_t

CLAIM = Claim(
    id="t-eta1-discretization",
    title="DDPM discretises the reverse process with x_hat held fixed",
    statement=r"\hat x \text{ fixed}:\ \eta = 0 \text{ is DDIM},\ \eta = 1 \text{ is DDPM}; \qquad"
    r" \hat\epsilon \text{ fixed},\ \eta = 1:\ z_s = \mathrm{DDPM}"
    r" - \sigma_s \frac{(1 - \kappa)^2}\kappa \hat\epsilon \text{ in the mean}; \qquad"
    r" \text{Euler}:\ \mathrm{DDPM} - \beta^2 (\tfrac38 z + \tfrac12 s) + O(\beta^3)",
    source=Source(seed="003", section="SDE and ODE Perspective", equation="we recover DDIM and DDPM"),
    needs=("t-churn-family",),
    erratum="E10",
    as_written=r"\text{discretising the backward process recovers DDIM for } \eta_t = 0"
    r" \text{ and DDPM for } \eta_t = 1",
    cites=(
        "Taylor's theorem, for the order of the rests in beta",
        "a linear equation with normal noise has a normal law, for the exact step with eps_hat held fixed",
    ),
)

eta, beta, alpha_s = symbols("eta beta alpha_s", positive=True)
HALF_STEP = (log_snr(then) - log_snr(now)) / 2


def _with_eps_fixed(stochasticity: Any, n: Any) -> Any:
    """The reverse equation with eps_hat fixed, solved: z / alpha drifts with r, and diffuses with r^2."""
    r_t, r_s = noise_ratio(now), noise_ratio(then)
    moved = z_t / now.alpha + (1 + stochasticity**2) * (r_s - r_t) * eps_hat
    return then.alpha * (moved + stochasticity * sqrt(r_t**2 - r_s**2) * n)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_x_fixed(), *_eps_fixed(), *_one_beta(), *_taylor()),
        hypotheses=(less_noisy(then, now), Lt(beta, 1, evaluate=False), Lt(alpha_s, 1, evaluate=False)),
    )


def _x_fixed() -> Iterable[Chain]:
    """That the churn step is the solution, for any eta, is t-churn-family."""
    decay = exp(-HALF_STEP)
    solver = (
        then.sigma / now.sigma * decay * z_t
        + then.alpha * (1 - decay**2) * x_hat
        + then.sigma * sqrt(1 - decay**2) * noise
    )
    yield chain(
        "x_hat fixed, eta = 0",
        churn_step(z_t, x_hat, noise, S.One, now, then),
        ("DDIM", ddim_step(z_t, x_hat, now, then)),
    )
    yield chain(
        "x_hat fixed, eta = 1",
        churn_step(z_t, x_hat, noise, S(2), now, then),
        ("SDE-DPM-Solver++ of order 1", solver),
        ("DDPM", ddpm_step(z_t, x_hat, noise, now, then)),
    )


def _eps_fixed() -> Iterable[Chain]:
    by_score = (1 + eta**2) / 2 * diffusion_squared() * eps_hat / now.sigma  # the score is -eps_hat / sigma
    of_eps = ddpm_step(z_t, x_from_eps(z_t, eps_hat, now), 0, now, then)
    ratio = kappa(now, then)
    yield chain(
        "eps_hat fixed: the drift of z / alpha",
        (drift() * z_t + by_score - drift() * z_t) / now.alpha,
        ("g^2 / (alpha sigma) is 2 r'", (1 + eta**2) * total_rate(noise_ratio(now)) * eps_hat),
    )
    yield chain(
        "eps_hat fixed: the variance that z / alpha gains",
        eta**2 * diffusion_squared() / now.alpha**2,
        ("g^2 / alpha^2 is (r^2)'", eta**2 * total_rate(noise_ratio(now) ** 2)),
    )
    yield chain(
        "eps_hat fixed, eta = 0",
        _with_eps_fixed(S.Zero, noise),
        ("DDIM", ddim_step(z_t, x_from_eps(z_t, eps_hat, now), now, then)),
    )
    yield chain(
        "eps_hat fixed, eta = 1: the mean",
        _with_eps_fixed(S.One, 0),
        (
            "SDE-DPM-Solver of order 1",
            then.alpha / now.alpha * z_t - 2 * then.sigma * (exp(HALF_STEP) - 1) * eps_hat,
        ),
        ("DDPM, but for this", of_eps - then.sigma * (1 - ratio) ** 2 / ratio * eps_hat),
    )
    yield chain(
        "eps_hat fixed, eta = 1: the variance",
        (_with_eps_fixed(S.One, 1) - _with_eps_fixed(S.One, 0)) ** 2,
        ("by the step in log-SNR", then.sigma**2 * (exp(2 * HALF_STEP) - 1)),
        ("that of forward noise, scaled back", renoise(0, 1, then, now) ** 2 / (now.alpha / then.alpha) ** 2),
        (
            "DDPM's, but for this",
            ddpm_step(0, 0, 1, now, then) ** 2 + then.sigma**2 * (1 - ratio**2) ** 2 / ratio**2,
        ),
    )


def _levels() -> tuple[Level[Any], Level[Any]]:
    """One beta of a variance-preserving process."""
    alpha_t = alpha_s * sqrt(1 - beta)
    return Level(alpha_t, sqrt(1 - alpha_t**2)), Level(alpha_s, sqrt(1 - alpha_s**2))


def _ddpm_mean() -> Any:
    return (z_t + beta * score_hat) / sqrt(1 - beta)


def _euler_maruyama() -> Any:
    """With f = -beta / 2 and g^2 = beta, backwards over one unit of time."""
    return z_t + beta * z_t / 2 + beta * score_hat


def _reverse_diffusion() -> Any:
    return (2 - sqrt(1 - beta)) * z_t + beta * score_hat


def _one_beta() -> Iterable[Chain]:
    high, low = _levels()
    yield chain(
        "DDPM over one beta: the mean",
        ddpm_step(z_t, x_from_score(z_t, score_hat, high), 0, high, low),
        ("x_hat from the score", _ddpm_mean()),
    )
    yield chain(
        "DDPM over one beta: the variance",
        ddpm_step(0, 0, 1, high, low) ** 2,
        ("that of Euler-Maruyama, but for this", beta - beta**2 * alpha_s**2 / high.sigma**2),
    )


def _taylor() -> Iterable[Chain]:
    for name, step, second in (
        ("Euler-Maruyama", _euler_maruyama(), Rational(3, 8) * z_t + score_hat / 2),
        ("Reverse diffusion", _reverse_diffusion(), z_t / 4 + score_hat / 2),
    ):
        gap = _ddpm_mean() - step
        slope = rate(gap, beta)
        yield chain(f"{name}: what DDPM's mean has more, at beta = 0", at(gap, beta, 0), ("z - z", S.Zero))
        yield chain(f"{name}: ... its first derivative", at(slope, beta, 0), ("the drifts agree", S.Zero))
        yield chain(
            f"{name}: ... half its second",
            at(rate(slope, beta), beta, 0) / 2,
            ("the coefficient of beta^2", second),
        )


def false_variants() -> Iterable[Variant]:
    falling = (less_noisy(then, now),)
    small = (Lt(beta, 1, evaluate=False),)
    yield Variant(
        name="x_hat fixed, eta = 1, is DDPM with the variance of the forward step",
        left=churn_step(z_t, x_hat, noise, S(2), now, then),
        right=ddpm_step(z_t, x_hat, noise * now.sigma / then.sigma, now, then),
        hypotheses=falling,
    )
    yield Variant(
        name="the means of eps_hat fixed and of DDPM differ in the first order: (1 - kappa) eps_hat",
        left=_with_eps_fixed(S.One, 0),
        right=ddpm_step(z_t, x_from_eps(z_t, eps_hat, now), 0, now, then)
        - then.sigma * (1 - kappa(now, then)) * eps_hat,
        hypotheses=falling,
    )
    yield Variant(
        name="reverse diffusion is Euler-Maruyama",
        left=_reverse_diffusion(),
        right=_euler_maruyama(),
        hypotheses=small,
    )
    yield Variant(
        name="reverse diffusion is DDPM", left=_reverse_diffusion(), right=_ddpm_mean(), hypotheses=small
    )


def as_written() -> Iterable[Variant]:
    falling = (less_noisy(then, now),)
    yield Variant(
        name="by Euler-Maruyama, eta = 1 is DDPM",
        left=_euler_maruyama(),
        right=_ddpm_mean(),
        hypotheses=(Lt(beta, 1, evaluate=False),),
    )
    yield Variant(
        name="with eps_hat fixed, eta = 1 is DDPM",
        left=_with_eps_fixed(S.One, noise),
        right=ddpm_step(z_t, x_from_eps(z_t, eps_hat, now), noise, now, then),
        hypotheses=falling,
    )
    high, low = _levels()
    yield Variant(
        name="by Euler, eta = 0 is DDIM",
        left=z_t + beta * z_t / 2 + beta * score_hat / 2,
        right=ddim_step(z_t, x_from_score(z_t, score_hat, high), high, low),
        hypotheses=(Lt(beta, 1, evaluate=False), Lt(alpha_s, 1, evaluate=False)),
    )
