r"""The stochastic DDIM of Song, Meng and Ermon is the churn family under another name.

Its step with parameter eta_D adds the variance eta_D^2 sigma_s^2 (1 - kappa^2), in every gauge; eta_D = 0
is DDIM and eta_D = 1 is DDPM with its posterior variance. It is the churn step, the transition of the
reverse equation with stochasticity eta, where eta_D^2 = (1 - exp(-eta^2 D)) / (1 - exp(-D)), D the step
in log-SNR. The two squares agree at 0 and 1, where they cross no more, as the first is concave in eta^2;
for short steps they agree up to eta^2 (1 - eta^2) D / 2.

Not claimed: that one eta_D on all steps is one eta, unless all steps have one length.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, S, exp, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import kappa, log_snr
from equiv.formulas.steps import churn_step, ddim_eta_step, ddim_step, ddpm_step
from equiv.proofs._calculus import at, rate
from equiv.proofs._symbols import less_noisy, noise, now, then, x_hat, z_t

CLAIM = Claim(
    id="t-ddim-eta",
    title="Stochastic DDIM is churn",
    statement=r"\tau^2 = \eta_D^2\, \sigma_s^2 (1 - \kappa^2), \qquad"
    r" \mathrm{DDIM}_{\eta_D} = \mathrm{churn}_{1 + \eta^2} \iff"
    r" \eta_D^2 = \frac{1 - e^{-\eta^2 \Delta\lambda}}{1 - e^{-\Delta\lambda}}",
    source=Source(seed="003", section="Diving deeper into samplers", equation="implied: stochastic samplers"),
    needs=("t-churn-family",),
)

eta, eta_d, step = symbols("eta eta_D Delta", positive=True)


def _of_churn(square: Any) -> Any:
    """eta_D for a given eta^2."""
    return sqrt((1 - kappa(now, then) ** (2 * square)) / (1 - kappa(now, then) ** 2))


def _square(square: Any) -> Any:
    """eta_D^2 by eta^2 and the step in log-SNR."""
    return (1 - exp(-square * step)) / (1 - exp(-step))


def derivation() -> Derivation:
    return Derivation(
        chains=(*_steps(), *_map()),
        hypotheses=(
            less_noisy(then, now),
            Gt(1 - exp(-(log_snr(then) - log_snr(now))), 0, evaluate=False),  # which says the same
            Gt(1, eta_d, evaluate=False),
        ),
    )


def _steps() -> Iterable[Chain]:
    length = log_snr(then) - log_snr(now)
    yield chain(
        "The variance added",
        ddim_eta_step(0, 0, 1, eta_d, now, then) ** 2,
        ("sigma_t^2 less what is left of sigma_s^2", eta_d**2 * then.sigma**2 * (1 - kappa(now, then) ** 2)),
    )
    yield chain(
        "eta_D = 0 is DDIM",
        ddim_eta_step(z_t, x_hat, noise, S.Zero, now, then),
        ("nothing is added", ddim_step(z_t, x_hat, now, then)),
    )
    yield chain(
        "eta_D = 1 is DDPM",
        ddim_eta_step(z_t, x_hat, noise, S.One, now, then),
        ("kappa of the noise is kept", ddpm_step(z_t, x_hat, noise, now, then)),
    )
    yield chain(
        "The step is the churn step",
        ddim_eta_step(z_t, x_hat, noise, _of_churn(eta**2), now, then),
        ("kappa^(eta^2) of the noise is kept", churn_step(z_t, x_hat, noise, 1 + eta**2, now, then)),
    )
    yield chain(
        "No other eta_D has the variance of that churn step",
        churn_step(0, 0, 1, 1 + eta**2, now, then) ** 2 - ddim_eta_step(0, 0, 1, eta_d, now, then) ** 2,
        (
            "a positive multiple of how far the squares are apart",
            then.sigma**2 * (1 - kappa(now, then) ** 2) * (_of_churn(eta**2) ** 2 - eta_d**2),
        ),
    )
    yield chain(
        "eta_D by the step in log-SNR",
        _of_churn(eta**2) ** 2,
        ("kappa is exp(-Delta/2)", at(_square(eta**2), step, length)),
    )


def _map() -> Iterable[Chain]:
    above = 1 - exp(-(eta**2) * step) - eta**2 * (1 - exp(-step))
    q = symbols("q", positive=True)
    yield chain("eta_D^2 at eta^2 = 0", at(_square(q), q, 0), ("nothing", S.Zero))
    yield chain("eta_D^2 at eta^2 = 1", at(_square(q), q, 1), ("all", S.One))
    yield chain(
        "eta_D^2 as a function of q = eta^2 is concave",
        rate(rate(_square(q), q), q),
        ("differentiate twice; negative", -(step**2) * exp(-q * step) / (1 - exp(-step))),
    )
    yield chain(
        "eta_D^2 less eta^2",
        _square(eta**2) - eta**2,
        ("over a common denominator", above / (1 - exp(-step))),
    )
    yield chain("For short steps, its denominator vanishes", at(1 - exp(-step), step, 0), ("1 - 1", S.Zero))
    yield chain("... at the rate", at(rate(1 - exp(-step), step), step, 0), ("one", S.One))
    yield chain("... and its numerator", at(above, step, 0), ("1 - 1", S.Zero))
    yield chain("... with its first derivative", at(rate(above, step), step, 0), ("eta^2 - eta^2", S.Zero))
    yield chain(
        "... at half its second derivative",
        at(rate(rate(above, step), step), step, 0) / 2,
        ("so that the quotient is this times Delta, and O(Delta^2)", eta**2 * (1 - eta**2) / 2),
    )


def false_variants() -> Iterable[Variant]:
    falling = (less_noisy(then, now),)
    left = ddim_eta_step(z_t, x_hat, noise, eta_d, now, then)
    capped = (*falling, Gt(1, eta_d, evaluate=False))
    yield Variant(
        name="eta_D is eta",
        left=left,
        right=churn_step(z_t, x_hat, noise, 1 + eta_d**2, now, then),
        hypotheses=capped,
    )
    yield Variant(
        name="rho is 1 + eta_D",
        left=left,
        right=churn_step(z_t, x_hat, noise, 1 + eta_d, now, then),
        hypotheses=capped,
    )
    yield Variant(
        name="the variance added has eta_D without its square",
        left=ddim_eta_step(0, 0, 1, eta_d, now, then) ** 2,
        right=eta_d * then.sigma**2 * (1 - kappa(now, then) ** 2),
        hypotheses=capped,
    )
    yield Variant(
        name="the variance added is a share of the forward variance",
        left=ddim_eta_step(0, 0, 1, eta_d, now, then) ** 2,
        right=eta_d**2 * now.sigma**2 * (1 - kappa(now, then) ** 2),
        hypotheses=capped,
    )
    yield Variant(
        name="the map with half the log-SNR", left=_square(eta**2), right=at(_square(eta**2), step, step / 2)
    )
