r"""Weightings: every loss is an integral of the noise error against a function of the log-SNR.

.. math:: L = \int w(\lambda)\, E \lVert \hat\epsilon - \epsilon \rVert^2 \, d\lambda

A mean square error of another prediction is a factor times that of the noise, at the same state; drawing
the time uniformly contributes the rate :math:`-\dot\lambda`.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from equiv.formulas.levels import Level
from equiv.number import N, exp, pi, sin


def mse_factor_x(level: Level[N]) -> N:
    r"""Square error of x per square error of the noise.

    .. math:: \lVert \delta x \rVert^2 / \lVert \delta \epsilon \rVert^2 = (\sigma / \alpha)^2
    """
    return (level.sigma / level.alpha) ** 2


def mse_factor_v(level: Level[N]) -> N:
    r"""Square error of v per square error of the noise.

    .. math:: \lVert \delta v \rVert^2 / \lVert \delta \epsilon \rVert^2 = (\alpha + \sigma^2 / \alpha)^2
    """
    return (level.alpha + level.sigma**2 / level.alpha) ** 2


def mse_factor_u(level: Level[N]) -> N:
    r"""Square error of u per square error of the noise.

    .. math:: \lVert \delta u \rVert^2 / \lVert \delta \epsilon \rVert^2 = (1 + \sigma / \alpha)^2
    """
    return (1 + level.sigma / level.alpha) ** 2


def mse_factor_score(level: Level[N]) -> N:
    r"""Square error of the score per square error of the noise.

    .. math:: \lVert \delta s \rVert^2 / \lVert \delta \epsilon \rVert^2 = \sigma^{-2}
    """
    return 1 / level.sigma**2


def _one(_level: Any) -> int:
    return 1


MSE_FACTOR: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {"x": mse_factor_x, "eps": _one, "v": mse_factor_v, "u": mse_factor_u, "score": mse_factor_score}
)
"""``MSE_FACTOR[kind](level)``, by the names of :data:`equiv.formulas.predictions.TO_X`."""


def weighting(factor: N, rate: N) -> N:
    r"""The weighting of a mean square error for uniform times; ``rate`` is :math:`-\dot\lambda > 0`.

    .. math:: w = m / (-\dot\lambda)
    """
    return factor / rate


def flow_matching_rate(t: N) -> N:
    r"""How fast the log-SNR falls on the flow-matching schedule; t in (0, 1).

    .. math:: -\dot\lambda = \frac{2}{t (1 - t)}
    """
    return 2 / (t * (1 - t))


def cosine_rate(t: N) -> N:
    r"""How fast the log-SNR falls on the cosine schedule; t in (0, 1).

    .. math:: -\dot\lambda = \frac{2 \pi}{\sin \pi t}
    """
    return 2 * pi(t) / sin(pi(t) * t)


def flow_matching_weighting(lambda_t: N) -> N:
    r"""The weighting of flow matching: mean square error of u, uniform t, straight path.

    .. math:: w(\lambda) = \tfrac12 e^{-\lambda / 2}
    """
    return exp(-lambda_t / 2) / 2


def v_cosine_weighting(lambda_t: N) -> N:
    r"""The weighting of the mean square error of v, uniform t, cosine schedule.

    .. math:: w(\lambda) = \tfrac1\pi e^{-\lambda / 2}
    """
    return exp(-lambda_t / 2) / pi(lambda_t)
