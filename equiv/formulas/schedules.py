r"""Schedules: the level :math:`(\alpha_t, \sigma_t)` at a time t in [0, 1], data at 0.

A rate :math:`\beta` is given per unit of t: a discrete schedule of T steps has
:math:`\beta_i \approx \beta(t_i) / T`.
"""

from fractions import Fraction
from typing import Any

from equiv.formulas.levels import Level
from equiv.number import N, constant, cos, exp, pi, sin, sqrt


def flow_matching(t: N) -> Level[N]:
    r"""The straight path from data to noise.

    .. math:: \alpha_t = 1 - t, \qquad \sigma_t = t
    """
    return Level(alpha=1 - t, sigma=t)


def cosine(t: N) -> Level[N]:
    r"""The variance-preserving cosine schedule, without the offset of Nichol and Dhariwal.

    .. math:: \alpha_t = \cos(\pi t / 2), \qquad \sigma_t = \sin(\pi t / 2)
    """
    return Level(alpha=cos(pi(t) * t / 2), sigma=sin(pi(t) * t / 2))


def ddpm_linear(t: N, beta_0: Any = Fraction(1, 10), beta_1: Any = 20) -> Level[N]:
    r"""The variance-preserving process whose rate is linear in t.

    The defaults are the continuous limit of 1000 steps from 1e-4 to 0.02.

    .. math::
        \alpha_t = e^{-B_t / 2}, \qquad \sigma_t = \sqrt{1 - e^{-B_t}}, \qquad
        B_t = \beta_0 t + (\beta_1 - \beta_0) t^2 / 2
    """
    return _variance_preserving_process(_linear_rate_integral(t, beta_0, beta_1))


def scaled_linear(t: N, beta_0: Any = Fraction(17, 20), beta_1: Any = 12) -> Level[N]:
    r"""The variance-preserving process whose root of the rate is linear in t.

    The defaults are the continuous limit of Stable Diffusion's 1000 steps, 0.00085 to 0.012.

    .. math::
        \alpha_t = e^{-B_t / 2}, \qquad \sigma_t = \sqrt{1 - e^{-B_t}}, \qquad
        B_t = b_0^2 t + b_0 (b_1 - b_0) t^2 + (b_1 - b_0)^2 t^3 / 3, \qquad b_i = \sqrt{\beta_i}
    """
    b_0, b_1 = sqrt(constant(t, beta_0)), sqrt(constant(t, beta_1))
    slope = b_1 - b_0
    return _variance_preserving_process(b_0**2 * t + b_0 * slope * t**2 + slope**2 * t**3 / 3)


def sub_vp(t: N, beta_0: Any = Fraction(1, 10), beta_1: Any = 20) -> Level[N]:
    r"""The sub-variance-preserving process of Song et al., with a rate linear in t.

    .. math::
        \alpha_t = e^{-B_t / 2}, \qquad \sigma_t = 1 - e^{-B_t}, \qquad
        B_t = \beta_0 t + (\beta_1 - \beta_0) t^2 / 2
    """
    integral = _linear_rate_integral(t, beta_0, beta_1)
    return Level(alpha=exp(-integral / 2), sigma=1 - exp(-integral))


def variance_exploding(sigma: N) -> Level[N]:
    r"""Noise on top of unscaled data, as in EDM; the time is the noise itself.

    .. math:: \alpha = 1, \qquad \sigma = \sigma
    """
    return Level(alpha=constant(sigma, 1), sigma=sigma)


def variance_preserving(level: Level[N]) -> Level[N]:
    r"""The level of the same noise ratio whose squares sum to one.

    .. math:: (\alpha, \sigma) \mapsto \frac{(\alpha, \sigma)}{\sqrt{\alpha^2 + \sigma^2}}
    """
    norm = sqrt(level.alpha**2 + level.sigma**2)
    return Level(alpha=level.alpha / norm, sigma=level.sigma / norm)


def sd3_shift(t: N, k: N) -> N:
    r"""The flow-matching time at which the noise ratio is k times that at t.

    .. math:: t' = \frac{k t}{1 + (k - 1) t}
    """
    return k * t / (1 + (k - 1) * t)


def _linear_rate_integral(t: N, beta_0: Any, beta_1: Any) -> N:
    first: N = constant(t, beta_0)
    last: N = constant(t, beta_1)
    return first * t + (last - first) * t**2 / 2


def _variance_preserving_process(integral: N) -> Level[N]:
    return Level(alpha=exp(-integral / 2), sigma=sqrt(1 - exp(-integral)))
