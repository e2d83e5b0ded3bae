r"""Steps that call the network twice, in the gauge z / alpha, with the noise ratio r = sigma / alpha as time.

There the probability flow is :math:`dy / dr = \hat\epsilon`.

Source: Karras et al. 2022, arXiv:2206.00364 (Heun, Algorithm 1).
"""

from equiv.formulas.levels import Level, noise_ratio
from equiv.formulas.predictions import eps_from_x
from equiv.number import N


def heun_step(z_t: N, x_hat: N, z_then: N, x_then: N, now: Level[N], then: Level[N]) -> N:
    r"""The trapezoidal rule; ``x_then`` is the prediction for ``z_then``, the end of an Euler step.

    .. math:: \frac{z_s}{\alpha_s} = \frac{z_t}{\alpha_t}
        + \frac{r_s - r_t}2 (\hat\epsilon_t + \hat\epsilon_s)
    """
    slopes = eps_from_x(z_t, x_hat, now) + eps_from_x(z_then, x_then, then)
    return then.alpha * (z_t / now.alpha + (noise_ratio(then) - noise_ratio(now)) * slopes / 2)


def midpoint_step(z_t: N, z_middle: N, x_middle: N, middle: Level[N], now: Level[N], then: Level[N]) -> N:
    r"""The slope at ``middle``; ``x_middle`` is the prediction for ``z_middle``, the end of an Euler step.

    .. math:: \frac{z_s}{\alpha_s} = \frac{z_t}{\alpha_t} + (r_s - r_t)\, \hat\epsilon_{\mathrm{middle}}
    """
    slope = eps_from_x(z_middle, x_middle, middle)
    return then.alpha * (z_t / now.alpha + (noise_ratio(then) - noise_ratio(now)) * slope)
