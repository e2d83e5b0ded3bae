r"""What a network may predict, and how one prediction becomes another.

All conversions hold at any level, normalised or not, and for any network:
:math:`z_t = \alpha \hat x + \sigma \hat\epsilon` is how the other of the pair is defined.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from equiv.formulas.levels import Level
from equiv.number import N


def x_from_eps(z_t: N, eps_hat: N, level: Level[N]) -> N:
    r"""The data prediction of a noise prediction; ``level.alpha`` must not be 0.

    .. math:: \hat x = (z_t - \sigma \hat\epsilon) / \alpha
    """
    return (z_t - level.sigma * eps_hat) / level.alpha


def x_from_v(z_t: N, v_hat: N, level: Level[N]) -> N:
    r"""The data prediction of a prediction of :math:`v = \alpha \epsilon - \sigma x`.

    .. math:: \hat x = \frac{\alpha z_t - \sigma \hat v}{\alpha^2 + \sigma^2}
    """
    return (level.alpha * z_t - level.sigma * v_hat) / (level.alpha**2 + level.sigma**2)


def x_from_u(z_t: N, u_hat: N, level: Level[N]) -> N:
    r"""The data prediction of a prediction of :math:`u = \epsilon - x`.

    .. math:: \hat x = \frac{z_t - \sigma \hat u}{\alpha + \sigma}
    """
    return (z_t - level.sigma * u_hat) / (level.alpha + level.sigma)


def x_from_score(z_t: N, score_hat: N, level: Level[N]) -> N:
    r"""The data prediction of a score (Tweedie's formula); ``level.alpha`` must not be 0.

    .. math:: \hat x = (z_t + \sigma^2 \hat s) / \alpha
    """
    return (z_t + level.sigma**2 * score_hat) / level.alpha


def eps_from_x(z_t: N, x_hat: N, level: Level[N]) -> N:
    r"""The noise prediction of a data prediction; ``level.sigma`` must not be 0.

    .. math:: \hat\epsilon = (z_t - \alpha \hat x) / \sigma
    """
    return (z_t - level.alpha * x_hat) / level.sigma


def eps_from_v(z_t: N, v_hat: N, level: Level[N]) -> N:
    r"""The noise prediction of a v-prediction, at the clean end too.

    .. math:: \hat\epsilon = \frac{\sigma z_t + \alpha \hat v}{\alpha^2 + \sigma^2}
    """
    return (level.sigma * z_t + level.alpha * v_hat) / (level.alpha**2 + level.sigma**2)


def eps_from_u(z_t: N, u_hat: N, level: Level[N]) -> N:
    r"""The noise prediction of a velocity, at the clean end too.

    .. math:: \hat\epsilon = \frac{z_t + \alpha \hat u}{\alpha + \sigma}
    """
    return (z_t + level.alpha * u_hat) / (level.alpha + level.sigma)


def v_from_x(z_t: N, x_hat: N, level: Level[N]) -> N:
    r"""The v-prediction of a data prediction; ``level.sigma`` must not be 0.

    .. math:: \hat v = \alpha \hat\epsilon - \sigma \hat x
    """
    return level.alpha * eps_from_x(z_t, x_hat, level) - level.sigma * x_hat


def u_from_x(z_t: N, x_hat: N, level: Level[N]) -> N:
    r"""The velocity of the straight path through a data prediction; ``level.sigma`` must not be 0.

    .. math:: \hat u = \hat\epsilon - \hat x
    """
    return eps_from_x(z_t, x_hat, level) - x_hat


def score_from_x(z_t: N, x_hat: N, level: Level[N]) -> N:
    r"""The score of a data prediction; ``level.sigma`` must not be 0.

    .. math:: \hat s = -\hat\epsilon / \sigma
    """
    return -eps_from_x(z_t, x_hat, level) / level.sigma


def _unchanged(_z_t: Any, x_hat: Any, _level: Any) -> Any:
    return x_hat


TO_X: Mapping[str, Callable[[Any, Any, Any], Any]] = MappingProxyType(
    {"x": _unchanged, "eps": x_from_eps, "v": x_from_v, "u": x_from_u, "score": x_from_score}
)
"""``TO_X[kind](z_t, prediction, level)`` is the data prediction."""

FROM_X: Mapping[str, Callable[[Any, Any, Any], Any]] = MappingProxyType(
    {"x": _unchanged, "eps": eps_from_x, "v": v_from_x, "u": u_from_x, "score": score_from_x}
)
"""``FROM_X[kind](z_t, x_hat, level)`` is the prediction of that kind."""
