r"""A level: how much signal and how much noise a state carries.

The model is stated once: at time t, :math:`z_t = \alpha_t x + \sigma_t \epsilon` with standard normal noise,
and t = 0 at the data. A step goes from the level ``now`` to the less noisy level ``then``.
"""

from typing import Generic, NamedTuple

from equiv.number import N, log


class Level(NamedTuple, Generic[N]):
    r"""The pair :math:`(\alpha, \sigma)` at one time; neither need be normalised."""

    alpha: N
    sigma: N


def log_snr(level: Level[N]) -> N:
    r"""The log signal-to-noise ratio, which falls as t grows; both fields must be positive.

    .. math:: \lambda = 2 \log \frac{\alpha}{\sigma}
    """
    return 2 * log(level.alpha / level.sigma)


def noise_ratio(level: Level[N]) -> N:
    r"""How much noise there is per signal; ``level.alpha`` must not be 0.

    .. math:: r = \frac{\sigma}{\alpha}
    """
    return level.sigma / level.alpha


def kappa(now: Level[N], then: Level[N]) -> N:
    r"""The factor by which a step reduces the noise ratio: in (0, 1) for a step towards the data.

    .. math::
        \kappa = \frac{\sigma_s \alpha_t}{\alpha_s \sigma_t} = \frac{r_s}{r_t}
            = e^{-(\lambda_s - \lambda_t) / 2}
    """
    return then.sigma * now.alpha / (then.alpha * now.sigma)


def rescaled(level: Level[N], scale: N) -> Level[N]:
    r"""The level of the state :math:`c z_t`: the same noise ratio in another gauge.

    .. math:: (\alpha, \sigma) \mapsto (c \alpha, c \sigma)
    """
    return Level(alpha=scale * level.alpha, sigma=scale * level.sigma)
