r"""Information grows with the log-SNR at half the least square error of eps.

The information I(x; z) is the entropy of z less that of sigma eps, for data of any law with a second moment.
The former grows at the rate E[eps_hat u] / sigma (o-entropy-rate), the latter at sigma' / sigma. As alpha
x_hat is z - sigma eps_hat, the product eps_hat u is made of eps_hat z and eps_hat^2; by the tower property
eps_hat and eps have the same mean product with z, which is sigma. So with M = E eps_hat^2 the information
grows at the rate (alpha' / alpha - sigma' / sigma) (1 - M), that is lambda' / 2 times 1 - M; and 1 - M is
the error, E (eps - eps_hat)^2, again by the tower property. For x ~ N(0, c^2) the information is
log(1 + c^2 exp(lambda)) / 2.

Written for one coordinate; in more, squares and products are sums over coordinates.

Not claimed: data without a second moment; sources that are not Gaussian.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, exp, log, pi, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import log_snr
from equiv.formulas.predictions import x_from_eps
from equiv.proofs._calculus import mean, rate
from equiv.proofs._rates import rates, total_rate
from equiv.proofs._symbols import now

CLAIM = Claim(
    id="l-immse",
    title="Information grows at half the error of the noise",
    statement=r"\frac{d}{d\lambda} I(x; z_\lambda)"
    r" = \tfrac12 E \lVert \epsilon - E[\epsilon | z_\lambda] \rVert^2 \text{ for all data with }"
    r" E |x|^2 < \infty, \qquad x \sim N(0, c^2):\ I = \tfrac12 \log(1 + c^2 e^\lambda)",
    source=Source(seed="003", section="Training", equation="implied: the integral over lambda"),
    needs=("o-entropy-rate", "l-spectral"),
    cites=("tower property, for means over states of means given a state",),
)

x, n, lambda_t, eps_hat, z = symbols("x n lambda epsilonhat z", real=True)
c, prediction, M = symbols("c m_2 M", positive=True)
NORMAL = {0: S.One, 1: S.Zero, 2: S.One}
GIVEN_Z = {0: S.One, 1: eps_hat, 2: prediction}  # the moments of eps given z


def _entropy_rate(with_state: Any, mean_square: Any) -> Any:
    """E[eps_hat u] / sigma, by E[eps_hat z] and E[eps_hat^2]: it is linear in the two."""
    with_x = x_from_eps(with_state, mean_square, now)
    return (rates.alpha * with_x + rates.sigma * mean_square) / now.sigma


def _information_rate() -> Any:
    noise_entropy = log(2 * pi * now.sigma**2) / 2  # but for a constant
    return _entropy_rate(now.sigma, M) - total_rate(noise_entropy)


def derivation() -> Derivation:
    return Derivation(chains=(*_any_data(), *_error(), *_normal_data()))


def _any_data() -> Iterable[Chain]:
    u = rates.alpha * x_from_eps(z, eps_hat, now) + rates.sigma * eps_hat
    yield chain(
        "At every z: the velocity times eps_hat, over sigma",
        eps_hat * u / now.sigma,
        ("by eps_hat z and eps_hat^2", _entropy_rate(eps_hat * z, eps_hat**2)),
    )
    yield chain(
        "The mean of eps_hat z is that of eps z: for every x",
        mean(n * (now.alpha * x + now.sigma * n), n, NORMAL),
        ("the moments of the noise", now.sigma),
    )
    yield chain(
        "The rate of the information",
        _information_rate(),
        (
            "the means of eps_hat z and eps_hat^2",
            rates.alpha / now.alpha * (1 - M) + rates.sigma / now.sigma * M - rates.sigma / now.sigma,
        ),
        ("collect 1 - M", (rates.alpha / now.alpha - rates.sigma / now.sigma) * (1 - M)),
        ("half of the rate of the log-SNR", total_rate(log_snr(now)) / 2 * (1 - M)),
    )


def _error() -> Iterable[Chain]:
    yield chain(
        "At every z: the mean square of eps - eps_hat",
        mean((n - eps_hat) ** 2, n, GIVEN_Z),
        ("linear", prediction - eps_hat**2),
    )
    yield chain("Its mean over z", mean(n**2, n, NORMAL) - M, ("E eps^2 is one", 1 - M))


def _normal_data() -> Iterable[Chain]:
    information = log(1 + c**2 * exp(lambda_t)) / 2
    yield chain(
        "Normal data: the entropy of z less that of sigma eps",
        log(2 * pi * (now.alpha**2 * c**2 + now.sigma**2)) / 2 - log(2 * pi * now.sigma**2) / 2,
        ("the logarithm of a quotient", log(1 + c**2 * exp(log_snr(now))) / 2),
    )
    yield chain(
        "Normal data: the rate in lambda",
        rate(information, lambda_t),
        ("half of sigmoid(lambda + log c^2), the error of eps", 1 / (1 + exp(-lambda_t - 2 * log(c))) / 2),
    )


def false_variants() -> Iterable[Variant]:
    for name, wrong in (
        ("the error itself, not half of it", total_rate(log_snr(now)) * (1 - M)),
        ("the mean square of eps_hat, not of its error", total_rate(log_snr(now)) / 2 * M),
        ("the error of x, not of eps", total_rate(log_snr(now)) / 2 * (1 - M) * (now.sigma / now.alpha) ** 2),
    ):
        yield Variant(name=f"any data: {name}", left=_information_rate(), right=wrong)
    information = log(1 + c**2 * exp(lambda_t)) / 2
    error = 1 / (1 + exp(-lambda_t) / c**2)
    yield Variant(
        name="normal data: the error itself, not half of it", left=rate(information, lambda_t), right=error
    )
    yield Variant(
        name="normal data: by the log of alpha / sigma", left=2 * rate(information, lambda_t), right=error / 2
    )
