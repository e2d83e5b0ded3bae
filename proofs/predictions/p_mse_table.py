r"""The mean square error of every prediction is a factor times that of the noise.

At the same state z, a predicted pair (x_hat, eps_hat) and the true one (x, eps) both make up z, so that
alpha (x_hat - x) = -sigma (eps_hat - eps). With lambda the log-SNR,

    |x_hat - x|^2 = exp(-lambda) |eps_hat - eps|^2,
    |v_hat - v|^2 = alpha^2 (1 + exp(-lambda))^2 |eps_hat - eps|^2,
    |u_hat - u|^2 = (1 + exp(-lambda/2))^2 |eps_hat - eps|^2 = (1 + exp(lambda/2))^2 |x_hat - x|^2,

for every schedule; where it is variance preserving, the factor of v is 1 + exp(-lambda). Shown for one
coordinate; the squared norms are sums over coordinates.

Not claimed: that the losses are equally good to train with; the velocity of a general path.
"""

from collections.abc import Iterable
from typing import Any

from sympy import exp, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import log_snr
from equiv.formulas.predictions import score_from_x, u_from_x, v_from_x, x_from_eps
from equiv.formulas.schedules import variance_preserving
from equiv.formulas.weightings import mse_factor_score, mse_factor_u, mse_factor_v, mse_factor_x
from equiv.proofs._symbols import eps_hat, now, z_t

CLAIM = Claim(
    id="p-mse-table",
    title="Every mean square error is a weighting of that of the noise",
    statement=r"\lVert \delta x \rVert^2 = e^{-\lambda} \lVert \delta\epsilon \rVert^2, \quad"
    r" \lVert \delta v \rVert^2 = \alpha^2 (1 + e^{-\lambda})^2 \lVert \delta\epsilon \rVert^2, \quad"
    r" \lVert \delta u \rVert^2 = (1 + e^{-\lambda/2})^2 \lVert \delta\epsilon \rVert^2",
    source=Source(seed="003", section="Training", equation="table of network outputs, third column"),
    needs=("p-conversions",),
)

eps = symbols("epsilon", real=True)


def derivation() -> Derivation:
    lambda_t = log_snr(now)
    of_noise = (eps_hat - eps) ** 2
    return Derivation(
        chains=(
            chain(
                "The error of x",
                _error(None),
                ("both pairs make up z", (now.sigma / now.alpha * (eps - eps_hat)) ** 2),
                ("the factor of x", mse_factor_x(now) * of_noise),
                ("lambda is 2 log(alpha / sigma)", exp(-lambda_t) * of_noise),
            ),
            chain(
                "The error of v",
                _error(v_from_x),
                ("the factor of v", mse_factor_v(now) * of_noise),
                ("lambda is 2 log(alpha / sigma)", now.alpha**2 * (1 + exp(-lambda_t)) ** 2 * of_noise),
            ),
            chain(
                "The factor of v where the schedule is variance preserving",
                mse_factor_v(variance_preserving(now)),
                ("alpha^2 is 1 / (1 + sigma^2 / alpha^2)", 1 + (now.sigma / now.alpha) ** 2),
                ("lambda does not depend on the gauge", 1 + exp(-lambda_t)),
            ),
            chain(
                "The error of u",
                _error(u_from_x),
                ("the factor of u", mse_factor_u(now) * of_noise),
                ("lambda is 2 log(alpha / sigma)", (1 + exp(-lambda_t / 2)) ** 2 * of_noise),
                ("by the error of x", (1 + exp(lambda_t / 2)) ** 2 * _error(None)),
            ),
            chain(
                "The error of the score",
                _error(score_from_x),
                ("s is -eps / sigma", mse_factor_score(now) * of_noise),
            ),
        )
    )


def _error(prediction: Any) -> Any:
    """The square error of a prediction (x by default) made of the predicted and of the true noise at z_t."""
    x_hat, x = (x_from_eps(z_t, e, now) for e in (eps_hat, eps))
    if prediction is None:
        return (x_hat - x) ** 2
    return (prediction(z_t, x_hat, now) - prediction(z_t, x, now)) ** 2


def false_variants() -> Iterable[Variant]:
    lambda_t = log_snr(now)
    of_noise = (eps_hat - eps) ** 2
    yield Variant(
        name="the factor of u without its square",
        left=_error(u_from_x),
        right=(1 + exp(-lambda_t / 2)) * of_noise,
    )
    yield Variant(
        name="the factor of v without its square",
        left=_error(v_from_x),
        right=now.alpha**2 * (1 + exp(-lambda_t)) * of_noise,
    )
    yield Variant(name="the factor of x grows with lambda", left=_error(None), right=exp(lambda_t) * of_noise)
    yield Variant(
        name="the variance-preserving factor of v, at any level",
        left=_error(v_from_x),
        right=(1 + exp(-lambda_t)) * of_noise,
    )
    yield Variant(
        name="lambda is the log of alpha / sigma, without the square",
        left=_error(None),
        right=exp(-lambda_t / 2) * of_noise,
    )
    yield Variant(
        name="the error of u is the sum of the errors of x and eps",
        left=_error(u_from_x),
        right=_error(None) + of_noise,
    )
