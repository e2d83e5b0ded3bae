r"""Which log-SNR resolves a component of the data: that of minus the log of its power.

Gaussian data splits into independent components. For one of power P (its variance), the least square
error of eps is sigmoid(lambda + log P), that of x is P sigmoid(-lambda - log P). Below lambda = -log P
the component is lost in noise, above it is known; at it, half of either is. The error of eps changes by a
logistic density centred there, so that the weight of a log-SNR is the weight of components of that power.

Not claimed: that images are Gaussian; which power an eye sees.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Rational, S, cosh, exp, log, sqrt, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import log_snr
from equiv.formulas.predictions import eps_from_x
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import now

CLAIM = Claim(
    id="l-spectral",
    title="A component is resolved at minus the log of its power",
    statement=r"x \sim N(0, P): \qquad E (\hat\epsilon - \epsilon)^2 = \frac1{1 + e^{-(\lambda + \log P)}},"
    r" \qquad E (\hat x - x)^2 = \frac P{1 + e^{\lambda + \log P}}",
    source=Source(seed="003", section="Training", equation="the balance of high and low frequencies"),
)

power = symbols("P", positive=True)
lambda_t = symbols("lambda", real=True)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + exp(-x))


def _denoised(x: Any, eps: Any) -> Any:
    """The best x_hat for a state made of x and eps; linear in both."""
    return gaussian_denoiser(now.alpha * x + now.sigma * eps, now, S.Zero, sqrt(power))


def _mean_square_of_eps_error() -> Any:
    """X and eps are independent, of mean zero and of variances P and one."""

    def error(x: Any, eps: Any) -> Any:
        return eps_from_x(now.alpha * x + now.sigma * eps, _denoised(x, eps), now) - eps

    return error(1, 0) ** 2 * power + error(0, 1) ** 2


def _mean_square_of_x_error() -> Any:
    return (_denoised(1, 0) - 1) ** 2 * power + _denoised(0, 1) ** 2


def derivation() -> Derivation:
    variance = now.alpha**2 * power + now.sigma**2
    of_level = log_snr(now) + log(power)
    return Derivation(
        chains=(
            chain(
                "The denoiser leaves an error that the state knows nothing of, by x",
                (_denoised(1, 0) - 1) * power * now.alpha + _denoised(0, 1) * now.sigma,
                ("its covariance with z", S.Zero),
            ),
            chain(
                "The error of eps",
                _mean_square_of_eps_error(),
                ("insert the gain alpha P / (alpha^2 P + sigma^2)", now.alpha**2 * power / variance),
                ("divide by alpha^2 P", _sigmoid(of_level)),
            ),
            chain(
                "The error of x",
                _mean_square_of_x_error(),
                ("insert the gain", power * now.sigma**2 / variance),
                ("divide by sigma^2", power * _sigmoid(-of_level)),
            ),
            chain("At lambda = -log P", _sigmoid(-log(power) + log(power)), ("half of it", Rational(1, 2))),
            chain(
                "The change of the error of eps with the log-SNR",
                rate(_sigmoid(lambda_t + log(power)), lambda_t),
                ("a logistic density about -log P", 1 / (4 * cosh((lambda_t + log(power)) / 2) ** 2)),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    for name, right in (
        ("resolved at +log P", _sigmoid(log_snr(now) - log(power))),
        ("lambda is half the log-SNR", _sigmoid(log_snr(now) / 2 + log(power))),
        ("P is a deviation, not a variance", _sigmoid(log_snr(now) + 2 * log(power))),
        ("the error of eps falls with the log-SNR", _sigmoid(-log_snr(now) - log(power))),
    ):
        yield Variant(name=name, left=_mean_square_of_eps_error(), right=right)
    yield Variant(
        name="the error of x is that of eps, turned",
        left=_mean_square_of_x_error(),
        right=_sigmoid(-log_snr(now) - log(power)),
    )
