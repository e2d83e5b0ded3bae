r"""Which data the two variances of DDPM are right for.

Given z_t, the state z_s has the mean of DDPM with x_hat = E[x | z_t], and the variance of DDPM, "fixed
small", plus alpha_s^2 (1 - kappa^2)^2 Var(x | z_t), since x enters the posterior with the factor alpha_s
(1 - kappa^2). So fixed small is right for a point mass. For x ~ N(0, c^2) the variance is sigma_{t|s}^2
V_s / V_t with V = alpha^2 c^2 + sigma^2: the variance of the forward step, "fixed large", is right where
V_s = V_t, on a variance-preserving schedule for c = 1 alone. There Ho's mean (z - beta eps_hat / sigma_t)
/ sqrt(1 - beta) with beta = sigma_{t|s}^2 is the posterior's.

Not claimed: that the variance which is right is the closest in KL divergence; data other than these two;
which variance gives better samples after many steps.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import Level, kappa
from equiv.formulas.predictions import x_from_eps, x_from_score
from equiv.formulas.schedules import variance_preserving
from equiv.formulas.steps import ddpm_step, renoise
from equiv.proofs._symbols import eps_hat, less_noisy, now, score_hat, then, x_hat, z_t

CLAIM = Claim(
    id="t-ho-variances",
    title="What DDPM's variances are right for",
    statement=r"\operatorname{Var}(z_s | z_t) = \sigma_s^2 (1 - \kappa^2)"
    r" + \alpha_s^2 (1 - \kappa^2)^2 \operatorname{Var}(x | z_t); \qquad"
    r" x \sim N(0, c^2):\ \operatorname{Var}(z_s | z_t) = \sigma_{t|s}^2 \frac{V_s}{V_t}, \quad"
    r" V = \alpha^2 c^2 + \sigma^2",
    source=Source(
        seed="003", section="Diving deeper into samplers", equation="implied: the variance of DDPM"
    ),
    needs=("t-ddpm-double-ddim", "l-spectral"),
    cites=("tower property (law of total variance), for Var(z_s | z_t)",),
)

x = symbols("x", real=True)
c, spread = symbols("c v", positive=True)


def _variance(of_x: Any) -> Any:
    """Of z_s given z_t: that of the posterior given x, and that of its mean, which is linear in x."""
    factor = ddpm_step(0, S.One, 0, now, then)
    return ddpm_step(0, 0, 1, now, then) ** 2 + factor**2 * of_x


def _total(level: Level[Any]) -> Any:
    return level.alpha**2 * c**2 + level.sigma**2


def _left_over() -> Any:
    """Var(x | z_t) for x from N(0, c^2): the mean square of x - x_hat, x_hat linear in x and eps."""

    def x_left(of_x: Any, of_eps: Any) -> Any:
        return of_x - gaussian_denoiser(now.alpha * of_x + now.sigma * of_eps, now, S.Zero, c)

    return x_left(1, 0) ** 2 * c**2 + x_left(0, 1) ** 2


def derivation() -> Derivation:
    return Derivation(chains=(*_any_data(), *_gaussian(), *_ho()), hypotheses=(less_noisy(then, now),))


def _any_data() -> Iterable[Chain]:
    ratio = kappa(now, then)
    small = then.sigma**2 * (1 - ratio**2)
    yield chain(
        "How x enters the posterior's mean",
        ddpm_step(z_t, x, 0, now, then) - ddpm_step(z_t, x_hat, 0, now, then),
        ("linear", then.alpha * (1 - ratio**2) * (x - x_hat)),
    )
    yield chain("The posterior's variance", ddpm_step(0, 0, 1, now, then) ** 2, ("by kappa", small))
    yield chain(
        "The variance of z_s given z_t, where x has the variance v given z_t",
        _variance(spread),
        ("fixed small, and what x leaves open", small + then.alpha**2 * (1 - ratio**2) ** 2 * spread),
    )
    yield chain("For a point mass", _variance(0), ("fixed small", ddpm_step(0, 0, 1, now, then) ** 2))


def _gaussian() -> Iterable[Chain]:
    large = renoise(0, 1, then, now) ** 2
    yield chain(
        "What z_t leaves open of x from N(0, c^2)",
        _left_over(),
        ("insert the gain", c**2 * now.sigma**2 / _total(now)),
    )
    yield chain(
        "The variance of z_s given z_t",
        _variance(_left_over()),
        ("that of the forward step, times V_s / V_t", large * _total(then) / _total(now)),
    )
    yield chain(
        "Less that of the forward step",
        large * _total(then) / _total(now) - large,
        ("zero where V_s is V_t", large * (_total(then) - _total(now)) / _total(now)),
    )
    high, low = now.sigma**2, then.sigma**2
    yield chain(
        "V_s - V_t on a variance-preserving schedule, where V is (1 - sigma^2) c^2 + sigma^2",
        ((1 - low) * c**2 + low) - ((1 - high) * c**2 + high),
        ("vanishes for c = 1 alone", (c**2 - 1) * (high - low)),
    )


def _ho() -> Iterable[Chain]:
    high, low = variance_preserving(now), variance_preserving(then)
    beta = renoise(0, 1, low, high) ** 2
    yield chain(
        "1 - beta on a variance-preserving schedule",
        1 - beta,
        ("alpha_{t|s}^2", (high.alpha / low.alpha) ** 2),
    )
    yield chain(
        "Ho's mean, with sqrt(1 - beta) = alpha_{t|s}",
        (z_t - beta / high.sigma * eps_hat) * low.alpha / high.alpha,
        ("the posterior's mean", ddpm_step(z_t, x_from_eps(z_t, eps_hat, high), 0, high, low)),
    )
    yield chain(
        "The same by the score",
        (z_t + beta * score_hat) * low.alpha / high.alpha,
        ("the posterior's mean", ddpm_step(z_t, x_from_score(z_t, score_hat, high), 0, high, low)),
    )


def false_variants() -> Iterable[Variant]:
    falling = (less_noisy(then, now),)
    ratio = kappa(now, then)
    large = renoise(0, 1, then, now) ** 2
    for name, left, right in (
        (
            "the gap has (1 - kappa^2) without its square",
            _variance(spread),
            then.sigma**2 * (1 - ratio**2) + then.alpha**2 * (1 - ratio**2) * spread,
        ),
        (
            "the gap of a deterministic step",
            _variance(spread),
            then.sigma**2 * (1 - ratio**2) + then.alpha**2 * (1 - ratio) ** 2 * spread,
        ),
        ("fixed large is right for every c", _variance(_left_over()), large),
        ("fixed small is right for every c", _variance(_left_over()), ddpm_step(0, 0, 1, now, then) ** 2),
        (
            "fixed large is right in every gauge for c = 1",
            _variance(_left_over()).xreplace({c: S.One}),
            large,
        ),
    ):
        yield Variant(name=name, left=left, right=right, hypotheses=falling)
    yield Variant(
        name="Ho's mean with beta, not beta / sigma_t",
        left=(z_t - renoise(0, 1, then, now) ** 2 * eps_hat) * then.alpha / now.alpha,
        right=ddpm_step(z_t, x_from_eps(z_t, eps_hat, now), 0, now, then),
        hypotheses=falling,
    )
