r"""The one-step samplers that are exact on every point mass are the churn family.

Let z_s = a z_t + b x_hat + w, with w independent of z_t. For data at one point x, x_hat is x; the step
takes N(alpha_t x, sigma_t^2) to N(alpha_s x, sigma_s^2) for every x if and only if b = alpha_s - a alpha_t
and w is normal with the variance sigma_s^2 - a^2 sigma_t^2, which needs |a| <= sigma_s / sigma_t. (That w
is normal follows: the characteristic function of the target is that of a z_t, which has no zero, times that
of w.) For a > 0 this is the churn step with kappa^(rho - 1) = a sigma_t / sigma_s, a = 0 its limit of a
fresh draw, and -a the same with the sign of eps_hat turned. DDIM at every eta, DDPM, Euler ancestral and
the first-order SDE-DPM-Solver++ are members.

On other data, from the exact z_t and with x_hat = E[x | z_t], the mean is right and the covariance falls
short by b^2 E Cov(x | z_t): with x itself in place of x_hat the step would be exact, and what it leaves out
has no correlation with what it keeps. Here E[x | z_t] and Cov(x | z_t) at each z_t are symbols, and the
mean over z_t is linear; in several dimensions this holds along every direction. The largest a, which is
DDIM, is the only minimiser of b^2, so of the loss, wherever E Cov(x | z_t) is not zero; noise of the
variance b^2 E Cov(x | z_t) restores second moments where that covariance is isotropic.

Not claimed: that DDIM is the best sampler over several steps, or by another measure than the covariance.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Lt, S, exp, log, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.dpm_solver import half_log_snr_gain
from equiv.formulas.levels import kappa, noise_ratio
from equiv.formulas.predictions import eps_from_x
from equiv.formulas.steps import churn_step, ddim_eta_step, ddim_step, ddpm_step
from equiv.proofs._calculus import mean
from equiv.proofs._symbols import less_noisy, noise, now, then, x_hat, z_t

CLAIM = Claim(
    id="t-classification",
    title="One-step samplers exact on point masses are the churn family",
    statement=r"z_s = a z_t + b \hat x + w \text{ exact on every point mass}"
    r" \iff b = \alpha_s - a \alpha_t,\ w \sim N(0, \sigma_s^2 - a^2 \sigma_t^2); \qquad"
    r" a > 0:\ z_s = \mathrm{churn}_\rho,\ a = \frac{\sigma_s}{\sigma_t} \kappa^{\rho - 1}; \qquad"
    r" \mathrm{Cov}\, p_s - \mathrm{Cov}\, z_s = b^2\, E\, \mathrm{Cov}(x | z_t)",
    source=Source(
        seed="003", section="Diving deeper into samplers", equation="implied: every sampler discussed there"
    ),
    needs=("t-churn-family",),
    cites=(
        "uniqueness of characteristic functions, for the noise being normal",
        "tower property (law of total variance), for the covariance",
    ),
)

a, eta = symbols("a eta", positive=True)
x, b, m, w, omega, any_a = symbols("x b m w omega A", real=True)
added, spread = symbols("V_w C", real=True)
RANGE = Lt(a, then.sigma / now.sigma, evaluate=False)


def _b(kept: Any) -> Any:
    return then.alpha - kept * now.alpha


def _sampler(kept: Any, sign: int = 1) -> Any:
    variance = then.sigma**2 - kept**2 * now.sigma**2
    return sign * kept * z_t + _b(sign * kept) * x_hat + sqrt(variance) * noise


def derivation() -> Derivation:
    return Derivation(
        chains=(*_exact_on_point_masses(), *_churn(), *_members(), *_covariance()),
        hypotheses=(less_noisy(then, now), RANGE, Lt(eta, 1, evaluate=False)),
    )


def _exact_on_point_masses() -> Iterable[Chain]:
    target = then.sigma**2 - any_a**2 * now.sigma**2
    yield chain(
        "The mean on a point mass is right for every x if b is alpha_s - a alpha_t, and only then",
        any_a * (now.alpha * x) + b * x,
        ("add and take away alpha_s x", then.alpha * x + (b - _b(any_a)) * x),
    )
    yield chain(
        "The variance on a point mass",
        any_a**2 * now.sigma**2 + added,
        ("add and take away sigma_s^2", then.sigma**2 + (added - target)),
    )
    yield chain(
        "The law of w",
        exp(-(then.sigma**2) * omega**2 / 2) / exp(-(any_a**2) * now.sigma**2 * omega**2 / 2),
        ("the characteristic function of a normal", exp(-target * omega**2 / 2)),
    )
    yield chain(
        "The variance is that of something while |a| is at most sigma_s / sigma_t",
        target,
        (
            "a difference of squares",
            now.sigma**2 * (then.sigma / now.sigma - any_a) * (then.sigma / now.sigma + any_a),
        ),
    )


def _churn() -> Iterable[Chain]:
    kept = a * now.sigma / then.sigma
    rho = 1 + log(kept) / log(kappa(now, then))
    eps = eps_from_x(z_t, x_hat, now)
    by_kept = then.alpha * x_hat + then.sigma * (kept * eps + sqrt(1 - kept**2) * noise)
    yield chain(
        "For a > 0, the churn step",
        _sampler(a),
        ("z_t is alpha x + sigma eps", by_kept),
        ("kappa^(rho - 1) is a sigma_t / sigma_s", churn_step(z_t, x_hat, noise, rho, now, then)),
    )
    yield chain(
        "For -a, the sign of eps turned",
        _sampler(a, -1),
        (
            "z_t is alpha x + sigma eps",
            then.alpha * x_hat + then.sigma * (-kept * eps + sqrt(1 - kept**2) * noise),
        ),
    )
    yield chain(
        "For a = 0, a fresh draw",
        _sampler(S.Zero),
        ("nothing of z_t is left", then.alpha * x_hat + then.sigma * noise),
    )


def _members() -> Iterable[Chain]:
    ratio, total = kappa(now, then), then.sigma / now.sigma
    yield chain("DDIM: a is sigma_s / sigma_t", ddim_step(z_t, x_hat, now, then), ("", _sampler(total)))
    yield chain(
        "DDPM: kappa times that", ddpm_step(z_t, x_hat, noise, now, then), ("", _sampler(total * ratio))
    )
    yield chain(
        "DDIM with eta",
        ddim_eta_step(z_t, x_hat, noise, eta, now, then),
        (
            "tau^2 is eta^2 sigma_s^2 (1 - kappa^2)",
            _sampler(total * sqrt(1 - eta**2 * (1 - ratio**2))),
        ),
    )
    yield chain(
        "Euler ancestral, in the gauge z / alpha",
        then.alpha * _ancestral(z_t / now.alpha, noise_ratio(now), noise_ratio(then)),
        ("sigma_down is sigma_s^2 / sigma_t", _sampler(total * ratio)),
    )
    h = half_log_snr_gain(now, then)
    yield chain(
        "SDE-DPM-Solver++ of order 1",
        total * exp(-h) * z_t
        + then.alpha * (1 - exp(-2 * h)) * x_hat
        + then.sigma * sqrt(1 - exp(-2 * h)) * noise,
        ("exp(-h) is kappa", _sampler(total * ratio)),
    )


def _ancestral(y: Any, high: Any, low: Any) -> Any:
    """Down to low^2 / high, and up again: k-diffusion's step, in its own terms."""
    down = low**2 / high
    up = sqrt(low**2 * (high**2 - low**2) / high**2)
    return y + (y - x_hat) / high * (down - high) + up * noise


def _covariance() -> Iterable[Chain]:
    """At each z_t, with E[x] = m and E[x^2] = m^2 + C there; E[w] = 0 and E[w^2] = V_w."""
    of_x, of_w = {0: S.One, 1: m, 2: m**2 + spread}, {0: S.One, 1: S.Zero, 2: added}
    exact, step = a * z_t + b * x + w, a * z_t + b * m + w
    yield chain(
        "The mean is that of the exact step",
        mean(mean(exact, w, of_w), x, of_x),
        ("E[x | z_t] is m", mean(step, w, of_w)),
    )
    yield chain(
        "The second moment falls short of that of the exact step",
        mean(mean(exact**2, w, of_w), x, of_x) - mean(step**2, w, of_w),
        ("the mixed terms cancel", b**2 * spread),
    )
    least = _b(then.sigma / now.sigma)
    yield chain(
        "The least b",
        least,
        ("alpha_t sigma_s / (alpha_s sigma_t) is kappa", then.alpha * (1 - kappa(now, then))),
    )
    yield chain(
        "Any other loses more: each factor is positive",
        _b(a) ** 2 - least**2,
        (
            "a difference of squares",
            now.alpha * (then.sigma / now.sigma - a) * (2 * least + now.alpha * (then.sigma / now.sigma - a)),
        ),
    )
    yield chain(
        "The churn step's b",
        _b(then.sigma / now.sigma * kappa(now, then) ** (1 + eta**2 - 1)),
        ("rho is 1 + eta^2", then.alpha * (1 - kappa(now, then) ** (1 + eta**2))),
    )
    restored = {0: S.One, 1: S.Zero, 2: added + b**2 * spread}
    yield chain(
        "Added noise of that variance restores the second moment",
        mean(step**2, w, restored),
        ("the shortfall cancels", mean(mean(exact**2, w, of_w), x, of_x)),
    )


def false_variants() -> Iterable[Variant]:
    falling = (less_noisy(then, now), RANGE)
    yield Variant(
        name="b is alpha_s (1 - a)",
        left=a * now.alpha + then.alpha * (1 - a),
        right=then.alpha,
        hypotheses=falling,
    )
    yield Variant(
        name="the variance is sigma_s^2 (1 - a^2)",
        left=a**2 * now.sigma**2 + then.sigma**2 * (1 - a**2),
        right=then.sigma**2,
        hypotheses=falling,
    )
    kept = a * now.sigma / then.sigma
    yield Variant(
        name="a is sigma_s / sigma_t kappa^rho",
        left=_sampler(a),
        right=churn_step(z_t, x_hat, noise, log(kept) / log(kappa(now, then)) + 2, now, then),
        hypotheses=falling,
    )
    yield Variant(
        name="DDPM with the variance fixed large is a member",
        left=ddpm_step(z_t, x_hat, noise * now.sigma / then.sigma, now, then),
        right=_sampler(then.sigma / now.sigma * kappa(now, then)),
        hypotheses=falling[:1],
    )
    yield Variant(
        name="SDE-DPM-Solver of order 1, with eps fixed, is a member",
        left=then.alpha / now.alpha * z_t
        - 2 * then.sigma * (1 / kappa(now, then) - 1) * eps_from_x(z_t, x_hat, now)
        + then.sigma * sqrt(1 / kappa(now, then) ** 2 - 1) * noise,
        right=_sampler(then.sigma / now.sigma * kappa(now, then)),
        hypotheses=falling[:1],
    )
    yield Variant(
        name="the loss is b times the conditional variance, without the square",
        left=b**2 * spread,
        right=b * spread,
    )
    yield Variant(
        name="the churn step loses alpha_s^2 (1 - kappa^(rho - 1))^2",
        left=_b(then.sigma / now.sigma * kappa(now, then) ** (eta**2)),
        right=then.alpha * (1 - kappa(now, then) ** (eta**2)),
        hypotheses=falling[:1],
    )
