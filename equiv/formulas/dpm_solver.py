r"""DPM-Solver and DPM-Solver++, orders 1 to 3, over several steps ("m") or within one ("s").

They integrate, exactly but for the network, z / alpha against sigma / alpha (DPM-Solver) or z / sigma against
alpha / sigma (++):

.. math::
    \frac{z_s}{\alpha_s} = \frac{z_t}{\alpha_t} + \int \hat\epsilon\, d\frac\sigma\alpha, \qquad
    \frac{z_s}{\sigma_s} = \frac{z_t}{\sigma_t} + \int \hat x\, d\frac\alpha\sigma

The output is taken as a polynomial in half the log-SNR, which gains h over the step, :math:`h_0, h_1` over
those before; :math:`r_i = h_i / h`. Levels from noisy to clean: ``earlier``, ``before``, ``now``, ``middle``,
``then``.

Source: Lu et al. 2022, arXiv:2206.00927 (DPM-Solver, steps "s") and arXiv:2211.01095 (++, 2s, 2m); "3m" and
the variant "heun" are in the code that accompanies them.
"""

from fractions import Fraction

from equiv.formulas.levels import Level
from equiv.number import N, constant, exp, log


def half_log_snr_gain(low: Level[N], high: Level[N]) -> N:
    r"""How much half the log-SNR gains from the level ``low`` to the less noisy ``high``.

    .. math:: h = \frac{\lambda_s - \lambda_t}2 = \log\frac{\alpha_s \sigma_t}{\sigma_s \alpha_t}
    """
    return log(high.alpha * low.sigma / (high.sigma * low.alpha))


def dpm_solver_1(z_t: N, eps_hat: N, now: Level[N], then: Level[N]) -> N:
    r"""The noise prediction is constant over the step.

    .. math:: z_s = \frac{\alpha_s}{\alpha_t} z_t - \sigma_s (e^h - 1)\, \hat\epsilon
    """
    return then.alpha / now.alpha * z_t - then.sigma * (exp(half_log_snr_gain(now, then)) - 1) * eps_hat


def dpm_solver_pp_1(z_t: N, x_hat: N, now: Level[N], then: Level[N]) -> N:
    r"""The data prediction is constant over the step.

    .. math:: z_s = \frac{\sigma_s}{\sigma_t} z_t - \alpha_s (e^{-h} - 1)\, \hat x
    """
    return then.sigma / now.sigma * z_t - then.alpha * (exp(-half_log_snr_gain(now, then)) - 1) * x_hat


def dpm_solver_2m(z_t: N, eps_hat: N, eps_before: N, before: Level[N], now: Level[N], then: Level[N]) -> N:
    r"""The slope, by the output before, taken over half the step ("midpoint").

    .. math::
        z_s = \frac{\alpha_s}{\alpha_t} z_t - \sigma_s (e^h - 1) \left(\hat\epsilon + \tfrac12 D\right),
        \quad D = (\hat\epsilon - \hat\epsilon_{\mathrm{before}}) / r_0
    """
    return dpm_solver_1(z_t, eps_hat + slope_of(eps_hat, eps_before, before, now, then) / 2, now, then)


def dpm_solver_pp_2m(z_t: N, x_hat: N, x_before: N, before: Level[N], now: Level[N], then: Level[N]) -> N:
    r"""The slope, by the output before, taken over half the step ("midpoint").

    .. math::
        z_s = \frac{\sigma_s}{\sigma_t} z_t - \alpha_s (e^{-h} - 1) \left(\hat x + \tfrac12 D\right),
        \quad D = (\hat x - \hat x_{\mathrm{before}}) / r_0
    """
    return dpm_solver_pp_1(z_t, x_hat + slope_of(x_hat, x_before, before, now, then) / 2, now, then)


def dpm_solver_2m_heun(
    z_t: N, eps_hat: N, eps_before: N, before: Level[N], now: Level[N], then: Level[N]
) -> N:
    r"""The slope, by the output before, integrated over the step ("heun").

    .. math::
        z_s = \frac{\alpha_s}{\alpha_t} z_t - \sigma_s (e^h - 1)\, \hat\epsilon
            - \sigma_s \left(\frac{e^h - 1}h - 1\right) D
    """
    h = half_log_snr_gain(now, then)
    slope = slope_of(eps_hat, eps_before, before, now, then)
    return dpm_solver_1(z_t, eps_hat, now, then) - then.sigma * ((exp(h) - 1) / h - 1) * slope


def dpm_solver_pp_2m_heun(
    z_t: N, x_hat: N, x_before: N, before: Level[N], now: Level[N], then: Level[N]
) -> N:
    r"""The slope, by the output before, integrated over the step ("heun").

    .. math::
        z_s = \frac{\sigma_s}{\sigma_t} z_t - \alpha_s (e^{-h} - 1)\, \hat x
            + \alpha_s \left(\frac{e^{-h} - 1}h + 1\right) D
    """
    h = half_log_snr_gain(now, then)
    slope = slope_of(x_hat, x_before, before, now, then)
    return dpm_solver_pp_1(z_t, x_hat, now, then) + then.alpha * ((exp(-h) - 1) / h + 1) * slope


def dpm_solver_3m(
    z_t: N,
    eps_hat: N,
    eps_before: N,
    eps_earlier: N,
    earlier: Level[N],
    before: Level[N],
    now: Level[N],
    then: Level[N],
) -> N:
    r"""Slope and curvature, by two outputs before.

    .. math::
        z_s = \frac{\alpha_s}{\alpha_t} z_t - \sigma_s (e^h - 1)\, \hat\epsilon
            - \sigma_s \left(\frac{e^h - 1}h - 1\right) D_1
            - \sigma_s \left(\frac{e^h - 1 - h}{h^2} - \tfrac12\right) D_2

    where :math:`E_0, E_1` are the differences of outputs over :math:`r_0, r_1`, and
    :math:`D_1 = E_0 + r_0 D_2`, :math:`D_2 = (E_0 - E_1) / (r_0 + r_1)`.
    """
    h = half_log_snr_gain(now, then)
    half = constant(h, Fraction(1, 2))
    outputs, levels = (eps_hat, eps_before, eps_earlier), (earlier, before, now, then)
    slope, curvature = tangent_of(*outputs, *levels), curvature_of(*outputs, *levels)
    return (
        dpm_solver_1(z_t, eps_hat, now, then)
        - then.sigma * ((exp(h) - 1) / h - 1) * slope
        - then.sigma * ((exp(h) - 1 - h) / h**2 - half) * curvature
    )


def dpm_solver_pp_3m(
    z_t: N,
    x_hat: N,
    x_before: N,
    x_earlier: N,
    earlier: Level[N],
    before: Level[N],
    now: Level[N],
    then: Level[N],
) -> N:
    r"""Slope and curvature, by two outputs before.

    .. math::
        z_s = \frac{\sigma_s}{\sigma_t} z_t - \alpha_s (e^{-h} - 1)\, \hat x
            + \alpha_s \left(\frac{e^{-h} - 1}h + 1\right) D_1
            - \alpha_s \left(\frac{e^{-h} - 1 + h}{h^2} - \tfrac12\right) D_2

    where :math:`E_0, E_1` are the differences of outputs over :math:`r_0, r_1`, and
    :math:`D_1 = E_0 + r_0 D_2`, :math:`D_2 = (E_0 - E_1) / (r_0 + r_1)`.
    """
    h = half_log_snr_gain(now, then)
    half = constant(h, Fraction(1, 2))
    outputs, levels = (x_hat, x_before, x_earlier), (earlier, before, now, then)
    slope, curvature = tangent_of(*outputs, *levels), curvature_of(*outputs, *levels)
    return (
        dpm_solver_pp_1(z_t, x_hat, now, then)
        + then.alpha * ((exp(-h) - 1) / h + 1) * slope
        - then.alpha * ((exp(-h) - 1 + h) / h**2 - half) * curvature
    )


def dpm_solver_2s(z_t: N, eps_hat: N, eps_middle: N, middle: Level[N], now: Level[N], then: Level[N]) -> N:
    r"""From the output at :func:`dpm_solver_1` to a level ``middle``, at the part r of the way.

    .. math::
        z_s = \frac{\alpha_s}{\alpha_t} z_t - \sigma_s (e^h - 1) \left(\hat\epsilon
            + \frac{\hat\epsilon_{\mathrm{middle}} - \hat\epsilon}{2 r}\right)
    """
    part = half_log_snr_gain(now, middle) / half_log_snr_gain(now, then)
    return dpm_solver_1(z_t, eps_hat + (eps_middle - eps_hat) / (2 * part), now, then)


def dpm_solver_pp_2s(z_t: N, x_hat: N, x_middle: N, middle: Level[N], now: Level[N], then: Level[N]) -> N:
    r"""From the output at :func:`dpm_solver_pp_1` to a level ``middle``, at the part r of the way.

    .. math::
        z_s = \frac{\sigma_s}{\sigma_t} z_t - \alpha_s (e^{-h} - 1) \left(\hat x
            + \frac{\hat x_{\mathrm{middle}} - \hat x}{2 r}\right)
    """
    part = half_log_snr_gain(now, middle) / half_log_snr_gain(now, then)
    return dpm_solver_pp_1(z_t, x_hat + (x_middle - x_hat) / (2 * part), now, then)


def dpm_solver_3s(z_t: N, eps_hat: N, eps_middle: N, middle: Level[N], now: Level[N], then: Level[N]) -> N:
    r"""The step of order 3, and that to its second inner level, from an output at the part r of the way.

    .. math::
        z_s = \frac{\alpha_s}{\alpha_t} z_t - \sigma_s (e^h - 1)\, \hat\epsilon
            - \sigma_s \left(\frac{e^h - 1}h - 1\right)
            \frac{\hat\epsilon_{\mathrm{middle}} - \hat\epsilon}r
    """
    h = half_log_snr_gain(now, then)
    slope = (eps_middle - eps_hat) / (half_log_snr_gain(now, middle) / h)
    return dpm_solver_1(z_t, eps_hat, now, then) - then.sigma * ((exp(h) - 1) / h - 1) * slope


def slope_of(output: N, output_before: N, before: Level[N], now: Level[N], then: Level[N]) -> N:
    r"""The difference of the last two outputs, per step length.

    .. math:: E_0 = (\hat o - \hat o_{\mathrm{before}}) / r_0
    """
    return (output - output_before) / (half_log_snr_gain(before, now) / half_log_snr_gain(now, then))


def curvature_of(
    output: N,
    output_before: N,
    output_earlier: N,
    earlier: Level[N],
    before: Level[N],
    now: Level[N],
    then: Level[N],
) -> N:
    r"""The second difference of three outputs, per step length squared: half the second derivative.

    .. math:: D_2 = (E_0 - E_1) / (r_0 + r_1)
    """
    h = half_log_snr_gain(now, then)
    r_0, r_1 = half_log_snr_gain(before, now) / h, half_log_snr_gain(earlier, before) / h
    return ((output - output_before) / r_0 - (output_before - output_earlier) / r_1) / (r_0 + r_1)


def tangent_of(
    output: N,
    output_before: N,
    output_earlier: N,
    earlier: Level[N],
    before: Level[N],
    now: Level[N],
    then: Level[N],
) -> N:
    r"""The derivative, at this level, of the parabola through three outputs, per step length.

    .. math:: D_1 = E_0 + r_0 D_2
    """
    r_0 = half_log_snr_gain(before, now) / half_log_snr_gain(now, then)
    curvature = curvature_of(output, output_before, output_earlier, earlier, before, now, then)
    return slope_of(output, output_before, before, now, then) + r_0 * curvature
