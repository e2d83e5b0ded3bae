r"""One family of stochastic samplers: DDIM by rho times the length, then forward noise.

DDIM to lambda_t + rho (lambda_s - lambda_t) followed by the forward process back to lambda_s equals the
churn step: it keeps kappa^(rho - 1) of the noise and refreshes the rest, for rho > 1; rho = 1 is DDIM, and
rho = 2 is DDPM with its posterior variance. With the prediction x_hat held fixed, the reverse equation with
stochasticity eta makes e = (z - alpha x_hat) / sigma an Ornstein-Uhlenbeck process in lambda, whose
transition is the churn step with rho = 1 + eta^2.

Decided of that process are its drift and noise, and the equations of the mean and variance of e; that a
linear equation has the normal law with these moments is not.

Not claimed: that x_hat is constant along a trajectory; that marginals are kept by a finite step.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, Gt, S, exp, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, kappa, log_snr, noise_ratio
from equiv.formulas.predictions import eps_from_x
from equiv.formulas.steps import churn_step, ddim_step, ddpm_step, renoise
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import less_noisy, noise, now, t, then, x_hat, z_t

CLAIM = Claim(
    id="t-churn-family",
    title="Churn: DDIM of rho times the length, renoised",
    statement=r"\mathrm{renoise}_{r \to s}(\mathrm{DDIM}_{t \to r}(z_t, \hat x), n) = \alpha_s \hat x"
    r" + \sigma_s \left(\kappa^{\rho - 1} \hat\epsilon + \sqrt{1 - \kappa^{2 (\rho - 1)}}\, n\right), \qquad"
    r" \lambda_r = \lambda_t + \rho (\lambda_s - \lambda_t), \quad \rho = 1 + \eta^2",
    source=Source(seed="003", section="Diving deeper into samplers", equation="the level of churn"),
    needs=("d-forward-kernel", "p-conversions"),
    cites=(
        "Ito's formula, for the reverse equation in the variable e",
        "a linear equation with normal noise has a normal law, for its transition",
    ),
)

alpha_r, rho, eta = symbols("alpha_r rho eta", positive=True)


def _beyond(factor: Any) -> Level[Any]:
    """The level at lambda_t + factor * (lambda_s - lambda_t), with any alpha."""
    return Level(alpha_r, alpha_r * noise_ratio(now) * kappa(now, then) ** factor)


def _renoised(between: Level[Any]) -> Any:
    return renoise(ddim_step(z_t, x_hat, now, between), noise, between, then)


def _transition(rate: Any) -> Any:
    """The step that keeps exp(-rate (lambda_s - lambda_t) / 2) of the noise."""
    kept = exp(-rate * (log_snr(then) - log_snr(now)) / 2)
    return then.alpha * x_hat + then.sigma * (kept * eps_from_x(z_t, x_hat, now) + sqrt(1 - kept**2) * noise)


def derivation() -> Derivation:
    step = churn_step(z_t, x_hat, noise, rho, now, then)
    return Derivation(
        chains=(
            chain(
                "The level in between lies at rho times the distance",
                log_snr(_beyond(rho)),
                ("lambda is -2 log of the noise ratio", log_snr(now) + rho * (log_snr(then) - log_snr(now))),
            ),
            chain(
                "DDIM and noise are the churn step",
                _renoised(_beyond(rho)),
                (
                    "alpha_r drops out",
                    then.alpha
                    * (x_hat + noise_ratio(now) * kappa(now, then) ** rho * eps_from_x(z_t, x_hat, now))
                    + sqrt(then.sigma**2 - (then.alpha * noise_ratio(now) * kappa(now, then) ** rho) ** 2)
                    * noise,
                ),
                ("alpha_s sigma_t / alpha_t is sigma_s / kappa", step),
            ),
            chain(
                "rho = 1 is DDIM",
                churn_step(z_t, x_hat, noise, S.One, now, then),
                ("all of the noise is kept", ddim_step(z_t, x_hat, now, then)),
            ),
            chain(
                "rho = 2 is DDPM",
                churn_step(z_t, x_hat, noise, S(2), now, then),
                ("kappa of the noise is kept", ddpm_step(z_t, x_hat, noise, now, then)),
            ),
            *_reverse_equation(),
            chain(
                "The transition of that process is the churn step of rho = 1 + eta^2",
                churn_step(z_t, x_hat, noise, 1 + eta**2, now, then),
                ("kappa is exp(-(lambda_s - lambda_t) / 2)", _transition(eta**2)),
            ),
        ),
        hypotheses=(less_noisy(then, now), Gt(rho, 1, evaluate=False)),
    )


def _reverse_equation() -> Iterable[Chain]:
    """The equation dz = (f z - (1 + eta^2)/2 g^2 s) dt + eta g dw, read backwards in t.

    There z = alpha x_hat + sigma e, and the score s is -e / sigma.
    """
    e, length = symbols("e ell", real=True)
    alpha, sigma = (Function(name, positive=True)(t) for name in ("alpha", "sigma"))
    f, growth = rate(alpha) / alpha, rate(log_snr(Level(alpha, sigma)))
    g_squared = -(sigma**2) * growth
    drift = f * (alpha * x_hat + sigma * e) + (1 + eta**2) / 2 * g_squared * e / sigma
    yield chain(
        "With x_hat fixed, the drift of e is that of an Ornstein-Uhlenbeck process in lambda",
        (drift - rate(alpha) * x_hat - rate(sigma) * e) / sigma,
        ("e is (z - alpha x_hat) / sigma", e * (f - rate(sigma) / sigma - (1 + eta**2) / 2 * growth)),
        ("f - sigma' / sigma is lambda' / 2", -(eta**2) / 2 * e * growth),
    )
    yield chain(
        "Its noise has the variance eta^2 per unit of lambda, which falls with t",
        eta**2 * g_squared / sigma**2,
        ("g^2 is -sigma^2 lambda'", -(eta**2) * growth),
    )
    kept = exp(-(eta**2) * length / 2)
    yield chain(
        "After a length ell in lambda, the mean of e",
        rate(kept, length),
        ("decays at half eta^2", -(eta**2) / 2 * kept),
    )
    yield chain(
        "After a length ell in lambda, the variance of e",
        rate(1 - kept**2, length),
        ("loses eta^2 of itself and gains eta^2", eta**2 - eta**2 * (1 - kept**2)),
    )


def false_variants() -> Iterable[Variant]:
    falling = (less_noisy(then, now), Gt(rho, 1, evaluate=False))
    step = churn_step(z_t, x_hat, noise, rho, now, then)
    yield Variant(
        name="DDIM one length further",
        left=_renoised(_beyond(1 + rho)),
        right=step,
        hypotheses=falling,
    )
    kept = kappa(now, then) ** (rho - 1)
    eps = eps_from_x(z_t, x_hat, now)
    yield Variant(
        name="the variances kept and refreshed, taken without their squares",
        left=_renoised(_beyond(rho)),
        right=then.alpha * x_hat + then.sigma * (kept * eps + sqrt(1 - kept) * noise),
        hypotheses=falling,
    )
    yield Variant(
        name="kappa^rho of the noise is kept",
        left=_renoised(_beyond(rho)),
        right=churn_step(z_t, x_hat, noise, rho + 1, now, then),
        hypotheses=falling,
    )
    yield Variant(
        name="rho is 1 + eta",
        left=churn_step(z_t, x_hat, noise, 1 + eta, now, then),
        right=_transition(eta**2),
        hypotheses=falling[:1],
    )
    yield Variant(
        name="rho = 1 is DDPM",
        left=churn_step(z_t, x_hat, noise, S.One, now, then),
        right=ddpm_step(z_t, x_hat, noise, now, then),
        hypotheses=falling[:1],
    )
