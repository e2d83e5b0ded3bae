r"""The final sample as a sum over predictions of x or of eps.

In z / alpha a DDIM step adds (r_s - r_t) eps_hat, in z / sigma it adds (1/r_s - 1/r_t) x_hat, with r =
sigma / alpha; so from t = 1 to any level the steps sum up. In x the whole churn family has such a sum: z
/ (sigma r^(rho - 1)) gains (r_s^-rho - r_t^-rho) x_hat and, independent of all, sqrt(1 - kappa^(2 rho -
2)) r_s^(1 - rho) n, for rho > 1. By induction over steps: each line shows one of them, from a state that
is a sum already.

Not claimed: sums at the ends where alpha or sigma is zero, which exist as limits; that predictions do not
depend on one another, as they do.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, S, sqrt, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, kappa, noise_ratio
from equiv.formulas.predictions import x_from_eps
from equiv.formulas.steps import churn_step, ddim_step
from equiv.proofs._symbols import eps_hat, less_noisy, noise, now, then, x_hat

CLAIM = Claim(
    id="t-x-eps-weights",
    title="The weights of x- and of eps-predictions",
    statement=r"z_0 = \frac{\alpha_0}{\alpha_1} z_1 + \alpha_0 \sum_t \hat\epsilon_t (r_s - r_t)"
    r" = \frac{\sigma_0}{\sigma_1} z_1 + \sigma_0 \sum_t \hat x_t \left(\tfrac1{r_s} - \tfrac1{r_t}\right),"
    r" \qquad \text{churn}:\ \sigma_0 r_0^{\rho - 1} \sum_t \hat x_t (r_s^{-\rho} - r_t^{-\rho})",
    source=Source(
        seed="003",
        section="Diving deeper into samplers",
        equation="weights in x- and eps-predictions, after Lu et al.",
    ),
    needs=("f-three-rows", "t-churn-family"),
    cites=("induction over steps, for the sums",),
)

start, total = symbols("z_1 A", real=True)
first: Level[Any] = Level(*symbols("alpha_1 sigma_1", positive=True))
rho = symbols("rho", positive=True)


def _by_eps(level: Level[Any], gained: Any) -> Any:
    return level.alpha / first.alpha * start + level.alpha * gained


def _by_x(level: Level[Any], gained: Any) -> Any:
    return level.sigma / first.sigma * start + level.sigma * gained


def _scale(level: Level[Any]) -> Any:
    return level.sigma * noise_ratio(level) ** (rho - 1)


def _by_x_with_churn(level: Level[Any], gained: Any) -> Any:
    return _scale(level) / _scale(first) * start + _scale(level) * gained


def _per_x(level: Level[Any]) -> Any:
    return noise_ratio(level) ** -rho


def _ddim_in_eps() -> Any:
    z = _by_eps(now, total)
    return ddim_step(z, x_from_eps(z, eps_hat, now), now, then)


def derivation() -> Derivation:
    refreshed = sqrt(1 - kappa(now, then) ** (2 * (rho - 1))) * noise_ratio(then) ** (1 - rho) * noise
    return Derivation(
        chains=(
            chain("No steps, by eps", _by_eps(first, 0), ("alpha_1 / alpha_1", start)),
            chain(
                "One step more, by eps",
                _ddim_in_eps(),
                (
                    "z / alpha gains (r_s - r_t) eps_hat",
                    _by_eps(then, total + (noise_ratio(then) - noise_ratio(now)) * eps_hat),
                ),
            ),
            chain("No steps, by x", _by_x(first, 0), ("sigma_1 / sigma_1", start)),
            chain(
                "One step more, by x",
                ddim_step(_by_x(now, total), x_hat, now, then),
                (
                    "z / sigma gains (1/r_s - 1/r_t) x_hat",
                    _by_x(then, total + (1 / noise_ratio(then) - 1 / noise_ratio(now)) * x_hat),
                ),
            ),
            chain("No steps, by x with churn", _by_x_with_churn(first, 0), ("one", start)),
            chain(
                "One step more, by x with churn",
                churn_step(_by_x_with_churn(now, total), x_hat, noise, rho, now, then),
                (
                    "z / (sigma r^(rho - 1)) gains (r_s^-rho - r_t^-rho) x_hat, and noise",
                    _by_x_with_churn(then, total + (_per_x(then) - _per_x(now)) * x_hat + refreshed),
                ),
            ),
        ),
        hypotheses=(less_noisy(then, now), Gt(rho, 1, evaluate=False)),
    )


def false_variants() -> Iterable[Variant]:
    falling = (less_noisy(then, now), Gt(rho, 1, evaluate=False))
    r_t, r_s = noise_ratio(now), noise_ratio(then)
    churned = churn_step(_by_x_with_churn(now, total), x_hat, S.Zero, rho, now, then)
    for name, left, right in (
        (
            "eps by the change of sigma",
            _ddim_in_eps(),
            _by_eps(then, total + (then.sigma - now.sigma) * eps_hat),
        ),
        ("eps by the step turned", _ddim_in_eps(), _by_eps(then, total + (r_t - r_s) * eps_hat)),
        (
            "x by the change of alpha",
            ddim_step(_by_x(now, total), x_hat, now, then),
            _by_x(then, total + (then.alpha - now.alpha) * x_hat),
        ),
        (
            "churn by the weights of DDIM",
            churned,
            _by_x_with_churn(then, total + (1 / r_s - 1 / r_t) * x_hat),
        ),
        (
            "churn by r^(1 - rho)",
            churned,
            _by_x_with_churn(then, total + (r_s ** (1 - rho) - r_t ** (1 - rho)) * x_hat),
        ),
    ):
        yield Variant(name=name, left=left, right=right, hypotheses=falling)
