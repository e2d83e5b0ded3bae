r"""DPM-Solver and DPM-Solver++ of order one are DDIM.

With h half the change of the log-SNR, alpha_s / alpha_t z - sigma_s (exp(h) - 1) eps_hat and sigma_s /
sigma_t z - alpha_s (exp(-h) - 1) x_hat are both the DDIM step, for any network, any schedule and either
direction.

Not claimed: orders two and three; the same with h the change of the log-SNR itself.
"""

from collections.abc import Iterable
from typing import Any

from sympy import exp

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import log_snr
from equiv.formulas.predictions import x_from_eps
from equiv.formulas.steps import ddim_step
from equiv.proofs._symbols import eps_hat, now, then, x_hat, z_t

CLAIM = Claim(
    id="f-dpm-solver-1",
    title="DPM-Solver of order one is DDIM",
    statement=r"\frac{\alpha_s}{\alpha_t} z - \sigma_s (e^h - 1) \hat\epsilon"
    r" = \frac{\sigma_s}{\sigma_t} z - \alpha_s (e^{-h} - 1) \hat x"
    r" = \alpha_s \hat x + \sigma_s \hat\epsilon,"
    r" \qquad h = \tfrac12 (\lambda_s - \lambda_t)",
    source=Source(seed="003", section="Sampling", equation="implied: DDIM in its reparametrisations"),
    needs=("f-three-rows",),
)


def _half_step() -> Any:
    return (log_snr(then) - log_snr(now)) / 2


def _in_noise(h: Any) -> Any:
    return then.alpha / now.alpha * z_t - then.sigma * (exp(h) - 1) * eps_hat


def _in_data(h: Any) -> Any:
    return then.sigma / now.sigma * z_t - then.alpha * (exp(-h) - 1) * x_hat


def derivation() -> Derivation:
    h = _half_step()
    ratio = then.alpha * now.sigma / (then.sigma * now.alpha)
    return Derivation(
        chains=(
            chain(
                "exp(h) is the quotient of the noise ratios",
                exp(h),
                ("lambda is 2 log(alpha / sigma)", ratio),
            ),
            chain(
                "In the noise",
                _in_noise(h),
                (
                    "sigma_s exp(h) is alpha_s sigma_t / alpha_t",
                    then.alpha * (z_t - now.sigma * eps_hat) / now.alpha + then.sigma * eps_hat,
                ),
                ("x from eps", ddim_step(z_t, x_from_eps(z_t, eps_hat, now), now, then)),
            ),
            chain(
                "In the data",
                _in_data(h),
                (
                    "alpha_s exp(-h) is sigma_s alpha_t / sigma_t",
                    then.alpha * x_hat + then.sigma * (z_t - now.alpha * x_hat) / now.sigma,
                ),
                ("eps from x", ddim_step(z_t, x_hat, now, then)),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    h = _half_step()
    in_noise, in_data = (
        ddim_step(z_t, x_from_eps(z_t, eps_hat, now), now, then),
        ddim_step(z_t, x_hat, now, then),
    )
    yield Variant(name="h is the change of the log-SNR, in the noise", left=_in_noise(2 * h), right=in_noise)
    yield Variant(name="h is the change of the log-SNR, in the data", left=_in_data(2 * h), right=in_data)
    yield Variant(name="h with its sign turned", left=_in_noise(-h), right=in_noise)
    yield Variant(
        name="exp(h) - 1 to first order",
        left=then.alpha / now.alpha * z_t - then.sigma * h * eps_hat,
        right=in_noise,
    )
