r"""What one step of any churn loses of the covariance.

Started from the exact law of z_t, with the exact denoiser x_hat = E[x | z_t], the churn step of rho keeps
the mean of the level s and falls short of its covariance by alpha_s^2 (1 - kappa^rho)^2 E Cov(x | z_t),
for any data. With the true x in place of x_hat the step is exact: signal alpha_s x and independent noise
of variance sigma_s^2. Its factor of x is alpha_s (1 - kappa^rho); x and x_hat have the same mean and the
same covariance with z, and Cov x is Cov x_hat + E Cov(x | z), by the tower property. Shown for the
variance in an arbitrary direction, which determines the covariance. DDIM is rho = 1, DDPM rho = 2, which
loses (1 + kappa)^2 times as much, four times for short steps.

Not claimed: the law beyond its first two moments; steps that start from the law of a previous step.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, S, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import kappa
from equiv.formulas.steps import churn_step, ddim_step, ddpm_step
from equiv.proofs._calculus import at
from equiv.proofs._symbols import less_noisy, noise, now, then, x_hat, z_t

CLAIM = Claim(
    id="n-covariance-loss",
    title="What a step loses of the covariance",
    statement=r"z_t \sim p_t,\ \hat x = E[x | z_t]: \qquad"
    r" \operatorname{Cov} p_s - \operatorname{Cov} \mathrm{churn}_\rho(z_t)"
    r" = \alpha_s^2 (1 - \kappa^\rho)^2\, E \operatorname{Cov}(x | z_t)",
    source=Source(
        seed="003", section="Diving deeper into samplers", equation="implied: what a finite step keeps"
    ),
    needs=("t-churn-family",),
    cites=("tower property (law of total variance), for the covariance of x",),
)

rho, ratio = symbols("rho kappa", positive=True)
mean, of_z, shared, of_x_hat, left_open = symbols("mu w q p e", real=True)


def _factor_of_z() -> Any:
    return then.sigma / now.sigma * kappa(now, then) ** (rho - 1)


def _factor_of_x() -> Any:
    return then.alpha * (1 - kappa(now, then) ** rho)


def _variance(of_data: Any) -> Any:
    """Of a z + b y + noise: z has the variance w and the covariance q with y, whose variance is given."""
    a, b = _factor_of_z(), _factor_of_x()
    added = then.sigma**2 * (1 - kappa(now, then) ** (2 * (rho - 1)))
    return a**2 * of_z + 2 * a * b * shared + b**2 * of_data + added


def derivation() -> Derivation:
    return Derivation(
        chains=(*_exact_with_x(), *_loss(), *_samplers()),
        hypotheses=(less_noisy(then, now), Gt(rho, 1, evaluate=False)),
    )


def _exact_with_x() -> Iterable[Chain]:
    refreshed = then.sigma * sqrt(1 - kappa(now, then) ** (2 * (rho - 1)))
    yield chain(
        "The step, by the state, x_hat and noise",
        churn_step(z_t, x_hat, noise, rho, now, then),
        ("collect", _factor_of_z() * z_t + _factor_of_x() * x_hat + refreshed * noise),
    )
    yield chain(
        "With the true x: the signal",
        _factor_of_z() * now.alpha + _factor_of_x(),
        ("kappa sigma_t / alpha_t is sigma_s / alpha_s", then.alpha),
    )
    yield chain(
        "With the true x: the variance of the noise",
        (_factor_of_z() * now.sigma) ** 2 + refreshed**2,
        ("what is kept and what is refreshed", then.sigma**2),
    )


def _loss() -> Iterable[Chain]:
    yield chain(
        "The mean, where E x_hat = E x",
        _factor_of_z() * (now.alpha * mean) + _factor_of_x() * mean,
        ("the level's", then.alpha * mean),
    )
    yield chain(
        "The variance with x, which is the level's, less that with x_hat",
        _variance(of_x_hat + left_open) - _variance(of_x_hat),
        ("what is shared with z cancels", _factor_of_x() ** 2 * left_open),
        ("by its factor", then.alpha**2 * (1 - kappa(now, then) ** rho) ** 2 * left_open),
    )


def _samplers() -> Iterable[Chain]:
    yield chain(
        "DDIM's factor of x_hat",
        ddim_step(z_t, x_hat, now, then) - ddim_step(z_t, S.Zero, now, then),
        ("rho = 1", then.alpha * (1 - kappa(now, then)) * x_hat),
    )
    yield chain(
        "DDPM's factor of x_hat",
        ddpm_step(z_t, x_hat, noise, now, then) - ddpm_step(z_t, S.Zero, noise, now, then),
        ("rho = 2", then.alpha * (1 - kappa(now, then) ** 2) * x_hat),
    )
    yield chain(
        "DDPM's loss by DDIM's",
        (1 - kappa(now, then) ** 2) ** 2 / (1 - kappa(now, then)) ** 2,
        ("the difference of squares", (1 + kappa(now, then)) ** 2),
    )
    yield chain("For short steps", at((1 + ratio) ** 2, ratio, 1), ("four times", S(4)))


def false_variants() -> Iterable[Variant]:
    falling = (less_noisy(then, now), Gt(rho, 1, evaluate=False))
    lost = _variance(of_x_hat + left_open) - _variance(of_x_hat)
    for name, right in (
        ("the exponent is rho - 1", then.alpha**2 * (1 - kappa(now, then) ** (rho - 1)) ** 2 * left_open),
        ("without the square", then.alpha**2 * (1 - kappa(now, then) ** rho) * left_open),
        ("the square inside", then.alpha**2 * (1 - kappa(now, then) ** (2 * rho)) * left_open),
        ("nothing is lost", S.Zero),
    ):
        yield Variant(name=name, left=lost, right=right, hypotheses=falling)
    yield Variant(
        name="DDPM always loses four times as much as DDIM",
        left=(1 - kappa(now, then) ** 2) ** 2,
        right=4 * (1 - kappa(now, then)) ** 2,
        hypotheses=falling[:1],
    )
