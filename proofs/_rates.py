r"""A level that moves: ``rates`` are the derivatives of ``now``, and all else follows by the chain rule.

They are symbols of their own, so that what holds of them holds of every differentiable schedule.
"""

from typing import Any

from sympy import Lt, symbols

from equiv.formulas.levels import Level, log_snr
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import now

rates: Level[Any] = Level(*symbols("alphadot_t sigmadot_t", real=True))


def total_rate(e: Any) -> Any:
    """The derivative in t of an expression in the fields of ``now``."""
    return sum(by * rate(e, field) for field, by in zip(now, rates, strict=True))


def falling() -> Any:
    r"""The hypothesis that the log-SNR falls: :math:`\dot\alpha \sigma < \alpha \dot\sigma`."""
    return Lt(rates.alpha * now.sigma, now.alpha * rates.sigma, evaluate=False)


def fall() -> Any:
    r"""How fast the log-SNR falls, :math:`-\dot\lambda`."""
    return -total_rate(log_snr(now))


def drift() -> Any:
    r"""The drift of the forward process, :math:`f = (\log \alpha)^\cdot`."""
    return rates.alpha / now.alpha


def diffusion_squared() -> Any:
    r"""The squared diffusion of the forward process, :math:`g^2 = (\sigma^2)^\cdot - 2 f \sigma^2`."""
    return total_rate(now.sigma**2) - 2 * drift() * now.sigma**2
