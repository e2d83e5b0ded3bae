r"""The loss does not depend on the gauge, if the network sees the state unscaled.

Multiply a schedule and its states by any differentiable c_t > 0, and divide by c_t what the network is
given. The log-SNR and its rate stay; the network sees the same state at the same log-SNR, so its x_hat
stays, and with it the errors of x, of eps and of u, at every time and for every weighting of the log-SNR.
The errors of v and of the score do not: they are multiplied by c_t^2 and 1 / c_t^2, which a weighting has
to undo.

Not claimed: that a network trained on scaled states does as well; networks conditioned on sigma.
"""

from collections.abc import Iterable
from typing import Any

from sympy import symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, log_snr, rescaled
from equiv.formulas.predictions import FROM_X
from equiv.proofs._calculus import rate
from equiv.proofs._rates import total_rate
from equiv.proofs._symbols import now, x_hat

CLAIM = Claim(
    id="l-gauge-invariance",
    title="The loss does not depend on the gauge",
    statement=r"(\alpha_t, \sigma_t) \mapsto c_t (\alpha_t, \sigma_t),\quad z_t \mapsto c_t z_t,\quad"
    r" \hat x(z) \mapsto \hat x(z / c_t): \qquad"
    r" w(\lambda_t) \left(-\dot\lambda_t\right) \lVert \hat\epsilon - \epsilon \rVert^2"
    r" \ \text{ is unchanged}",
    source=Source(seed="003", section="Training", equation="the noise schedule, comment 2"),
    needs=("p-conversions",),
)

x, eps = symbols("x epsilon", real=True)
c = symbols("c", positive=True)
c_rate = symbols("cdot", real=True)


def _state(level: Level[Any]) -> Any:
    return level.alpha * x + level.sigma * eps


def _error(kind: str, level: Level[Any]) -> Any:
    """The square error of a prediction whose x_hat the network gives, at the state of a level."""
    convert = FROM_X[kind]
    return (convert(_state(level), x_hat, level) - convert(_state(level), x, level)) ** 2


def _rate_of_log_snr() -> Any:
    """The rate of the log-SNR of the scaled schedule, whose scale moves at ``c_rate``."""
    lambda_t = log_snr(rescaled(now, c))
    return total_rate(lambda_t) + rate(lambda_t, c) * c_rate


def derivation() -> Derivation:
    scaled = rescaled(now, c)
    unchanged = (
        chain(
            f"The error of {kind}",
            _error(kind, scaled),
            ("the scale cancels", _error(kind, now)),
        )
        for kind in ("eps", "u")
    )
    return Derivation(
        chains=(
            chain("What the network sees", _state(scaled) / c, ("the state itself", _state(now))),
            chain("The log-SNR", log_snr(scaled), ("c cancels", log_snr(now))),
            chain(
                "Its rate", _rate_of_log_snr(), ("c' enters alpha and sigma alike", total_rate(log_snr(now)))
            ),
            *unchanged,
            chain(
                "The loss at a time, but for the weight of the log-SNR",
                -_rate_of_log_snr() * _error("eps", scaled),
                ("both factors stay", -total_rate(log_snr(now)) * _error("eps", now)),
            ),
            chain("The error of v", _error("v", scaled), ("v is scaled", c**2 * _error("v", now))),
            chain(
                "The error of the score",
                _error("score", scaled),
                ("s is -eps / sigma", _error("score", now) / c**2),
            ),
        ),
    )


def false_variants() -> Iterable[Variant]:
    scaled, gain = rescaled(now, c), symbols("k", real=True)
    eps_of_linear = (
        FROM_X["eps"](z, gain * seen, level) - eps
        for z, seen, level in (
            (_state(scaled), _state(scaled), scaled),
            (_state(now), _state(now), now),
        )
    )
    left, right = eps_of_linear
    yield Variant(name="a network that sees the scaled state", left=left**2, right=right**2)
    yield Variant(name="the error of v stays", left=_error("v", scaled), right=_error("v", now))
    yield Variant(
        name="the error of the score stays", left=_error("score", scaled), right=_error("score", now)
    )
    yield Variant(
        name="the rate of sigma^2 in place of that of the log-SNR",
        left=c**2 * total_rate(now.sigma**2) + 2 * c * c_rate * now.sigma**2,
        right=total_rate(now.sigma**2),
    )
    yield Variant(
        name="only the signal is scaled",
        left=log_snr(Level(c * now.alpha, now.sigma)),
        right=log_snr(now),
    )
