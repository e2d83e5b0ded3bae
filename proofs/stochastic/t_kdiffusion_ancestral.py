r"""k-diffusion's ancestral Euler step is DDPM.

On levels (1, sigma), the step moves by Euler to sigma_down and adds noise of deviation sigma_up; at eta =
1 sigma_down = sigma_to^2 / sigma_from, which is twice as far in log-SNR, and the step equals DDPM with
its posterior variance. With eta below 1 it is the stochastic DDIM step with that eta. Every level of
another gauge has a state z / alpha for which this is so.

Not claimed: eta above 1, where sigma_up is cut off at sigma_to; the last step, to sigma = 0, which adds
no noise.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, Lt, S, exp, sqrt, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import log_snr
from equiv.formulas.schedules import variance_exploding
from equiv.formulas.steps import ddim_eta_step, ddpm_step
from equiv.proofs._symbols import less_noisy, noise, now, then, x_hat, z_t

CLAIM = Claim(
    id="t-kdiffusion-ancestral",
    title="The ancestral Euler step is DDPM",
    statement=r"\sigma_{\mathrm{down}} = \frac{\sigma_{\mathrm{to}}^2}{\sigma_{\mathrm{from}}} \iff"
    r" \lambda_{\mathrm{down}} = \lambda_{\mathrm{from}} + 2 \Delta\lambda, \qquad"
    r" \mathrm{ancestral}(y, \hat x, n) = \mathrm{DDPM}(y, \hat x, n) \quad (\alpha = 1)",
    source=Source(
        seed="003", section="Diving deeper into samplers", equation="implied: DDPM as a DDIM step and noise"
    ),
    needs=("t-ddim-eta", "t-ddpm-double-ddim"),
)

high, low, eta = symbols("sigma_from sigma_to eta", positive=True)


def _up(eta: Any) -> Any:
    return eta * sqrt(low**2 * (high**2 - low**2) / high**2)


def _down(eta: Any) -> Any:
    return sqrt(low**2 - _up(eta) ** 2)


def _ancestral(up: Any, down: Any) -> Any:
    """An Euler step to ``down`` along (z - x_hat) / sigma, then noise of deviation ``up``."""
    slope = (z_t - x_hat) / high
    return z_t + slope * (down - high) + up * noise


def derivation() -> Derivation:
    before, after = variance_exploding(high), variance_exploding(low)
    full = _ancestral(_up(S.One), _down(S.One))
    in_gauge = {high: now.sigma / now.alpha, low: then.sigma / then.alpha, z_t: z_t / now.alpha}
    return Derivation(
        chains=(
            chain(
                "The level in between, at eta = 1",
                _down(S.One),
                ("sigma_to^2 (1 - 1 + sigma_to^2 / sigma_from^2)", low**2 / high),
            ),
            chain(
                "It lies at twice the distance",
                log_snr(variance_exploding(_down(S.One))),
                ("lambda is -2 log sigma", log_snr(before) + 2 * (log_snr(after) - log_snr(before))),
            ),
            chain(
                "No other level does",
                exp(-(log_snr(before) + 2 * (log_snr(after) - log_snr(before))) / 2),
                ("sigma is exp(-lambda / 2)", low**2 / high),
            ),
            chain(
                "The step at eta = 1",
                full,
                ("DDPM", ddpm_step(z_t, x_hat, noise, before, after)),
            ),
            chain(
                "The step at any eta",
                _ancestral(_up(eta), _down(eta)),
                ("the stochastic DDIM step", ddim_eta_step(z_t, x_hat, noise, eta, before, after)),
            ),
            chain(
                "In another gauge",
                full.xreplace(in_gauge) * then.alpha,
                ("DDPM there", ddpm_step(z_t, x_hat, noise, now, then)),
            ),
        ),
        hypotheses=(Gt(high, low, evaluate=False), Lt(eta, 1, evaluate=False), less_noisy(then, now)),
    )


def false_variants() -> Iterable[Variant]:
    falling = (Gt(high, low, evaluate=False),)
    before, after = variance_exploding(high), variance_exploding(low)
    step = ddpm_step(z_t, x_hat, noise, before, after)
    up, down = _up(S.One), _down(S.One)
    yield Variant(
        name="Euler to sigma_to itself, with the noise on top",
        left=_ancestral(up, low),
        right=step,
        hypotheses=falling,
    )
    yield Variant(
        name="sigma_down so that the step is doubled in sigma",
        left=_ancestral(up, 2 * low - high),
        right=step,
        hypotheses=(*falling, Gt(2 * low, high, evaluate=False)),
    )
    yield Variant(name="half of the noise", left=_ancestral(up / 2, down), right=step, hypotheses=falling)
    yield Variant(
        name="any gauge, with its own sigma",
        left=_ancestral(up, down).xreplace({high: now.sigma, low: then.sigma}),
        right=ddpm_step(z_t, x_hat, noise, now, then),
        hypotheses=(less_noisy(then, now), Gt(now.sigma, then.sigma, evaluate=False)),
    )
