r"""A DDPM step is a DDIM step of twice the length in log-SNR, followed by forward noise.

The posterior step from t to s equals DDIM to lambda_t + 2 (lambda_s - lambda_t), then the forward process
back to lambda_s, with the same noise; so the laws are equal for any network, any schedule in any gauge
and any finite step. The level in between need not belong to the schedule, and its alpha drops out. The
variance of the step is that of the posterior ("fixed small").

Not claimed: the variance "fixed large"; a step doubled in t or in sigma; anything about many steps.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, Rational, S, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, kappa, log_snr, noise_ratio
from equiv.formulas.predictions import eps_from_x
from equiv.formulas.schedules import flow_matching
from equiv.formulas.steps import ddim_step, ddpm_step, renoise
from equiv.proofs._symbols import inside, less_noisy, noise, now, s, t, then, x_hat, z_t

CLAIM = Claim(
    id="t-ddpm-double-ddim",
    title="DDPM is DDIM of twice the length, renoised",
    statement=r"\mathrm{DDPM}_{t \to s}(z_t, \hat x, n) ="
    r" \mathrm{renoise}_{r \to s}(\mathrm{DDIM}_{t \to r}(z_t, \hat x), n), \qquad"
    r" \lambda_r = \lambda_t + 2 (\lambda_s - \lambda_t)",
    source=Source(
        seed="003", section="Diving deeper into samplers", equation="DDPM is DDIM of 2 Delta lambda, renoised"
    ),
    needs=("d-forward-kernel", "p-conversions"),
)

alpha_r = symbols("alpha_r", positive=True)


def _beyond(factor: Any) -> Level[Any]:
    """The level at lambda_t + factor * (lambda_s - lambda_t), with any alpha."""
    return Level(alpha_r, alpha_r * noise_ratio(now) * kappa(now, then) ** factor)


def _renoised(between: Level[Any]) -> Any:
    return renoise(ddim_step(z_t, x_hat, now, between), noise, between, then)


def derivation() -> Derivation:
    ratio = kappa(now, then)
    eps = eps_from_x(z_t, x_hat, now)
    in_ratio = then.alpha * x_hat + then.sigma * (ratio * eps + sqrt(1 - ratio**2) * noise)
    return Derivation(
        chains=(
            *_posterior(),
            chain(
                "The level in between lies at twice the distance",
                log_snr(_beyond(2)),
                ("lambda is -2 log of the noise ratio", log_snr(now) + 2 * (log_snr(then) - log_snr(now))),
            ),
            chain(
                "DDPM by kappa",
                ddpm_step(z_t, x_hat, noise, now, then),
                ("z_t is alpha x + sigma eps, and sigma_{t|s}^2 is sigma_t^2 (1 - kappa^2)", in_ratio),
            ),
            chain(
                "DDIM and noise by kappa",
                _renoised(_beyond(2)),
                (
                    "alpha_r drops out",
                    then.alpha * (x_hat + noise_ratio(now) * ratio**2 * eps)
                    + sqrt(then.sigma**2 - (then.alpha * noise_ratio(now) * ratio**2) ** 2) * noise,
                ),
                ("alpha_s sigma_t / alpha_t is sigma_s / kappa", in_ratio),
            ),
            chain(
                "The two together",
                ddpm_step(z_t, x_hat, noise, now, then),
                ("both are the same in kappa", _renoised(_beyond(2))),
            ),
        ),
        hypotheses=(less_noisy(then, now),),
    )


def _posterior() -> Iterable[Chain]:
    """The step is Bayes' rule: precisions add up, and means are weighted by them."""
    decay = now.alpha / then.alpha
    added = now.sigma**2 - decay**2 * then.sigma**2
    variance = 1 / (1 / then.sigma**2 + decay**2 / added)
    mean = variance * (then.alpha * x_hat / then.sigma**2 + decay * z_t / added)
    yield chain("DDPM has the posterior's mean", ddpm_step(z_t, x_hat, 0, now, then), ("Bayes' rule", mean))
    yield chain(
        "DDPM has the posterior's variance", ddpm_step(0, 0, 1, now, then) ** 2, ("Bayes' rule", variance)
    )


def false_variants() -> Iterable[Variant]:
    falling = (less_noisy(then, now),)
    step = ddpm_step(z_t, x_hat, noise, now, then)
    for name, factor in (
        ("one and a half times the length", Rational(3, 2)),
        ("three times the length", S(3)),
        ("one and nine tenths of the length", Rational(19, 10)),
    ):
        yield Variant(name=name, left=step, right=_renoised(_beyond(factor)), hypotheses=falling)
    yield Variant(
        name="the length itself, with nothing to renoise",
        left=step,
        right=ddim_step(z_t, x_hat, now, then),
        hypotheses=falling,
    )
    yield Variant(
        name="the variance of the forward step (fixed large)",
        left=ddpm_step(z_t, x_hat, noise * now.sigma / then.sigma, now, then),
        right=_renoised(_beyond(2)),
        hypotheses=falling,
    )
    at_t, at_s, at_r = (flow_matching(time) for time in (t, s, 2 * s - t))
    yield Variant(
        name="the step doubled in time, on the flow-matching schedule",
        left=ddpm_step(z_t, x_hat, noise, at_t, at_s),
        right=renoise(ddim_step(z_t, x_hat, at_t, at_r), noise, at_r, at_s),
        hypotheses=(inside(t), Gt(t, s, evaluate=False), Gt(2 * s, t, evaluate=False)),
    )
