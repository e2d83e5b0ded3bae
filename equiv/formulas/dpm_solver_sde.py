r"""DPM-Solver and DPM-Solver++ for the reverse stochastic equation, over several steps ("m").

Beside the probability flow, the reverse equation takes the prediction twice and adds noise. It is integrated
exactly but for the output of the network, which is a polynomial in half the log-SNR; ++ does so in x_hat,
where what it adds is what a state at the next level is missing. In eps_hat the noise that is taken up is not
seen by the prediction that is held, so that the variance is another (:func:`sde_dpm_solver_variance`).

Over the step half the log-SNR gains h, :math:`h_0, h_1` over those before; :math:`\kappa = e^{-h}`. Levels
from noisy to clean: ``earlier``, ``before``, ``now``, ``then``; ``noise`` is one standard normal draw.

Source: Lu et al. 2022, arXiv:2211.01095; "3m" and the variant "heun" are their integrals continued.
"""

from fractions import Fraction

from equiv.formulas.dpm_solver import curvature_of, half_log_snr_gain, slope_of, tangent_of
from equiv.formulas.levels import Level, kappa
from equiv.number import N, constant, sqrt


def sde_dpm_solver_pp_1(z_t: N, x_hat: N, noise: N, now: Level[N], then: Level[N]) -> N:
    r"""The data prediction is constant over the step.

    .. math:: z_s = \frac{\sigma_s}{\sigma_t} \kappa\, z_t + \alpha_s (1 - \kappa^2)\, \hat x
        + \sigma_s \sqrt{1 - \kappa^2}\, n
    """
    fresh = 1 - kappa(now, then) ** 2
    kept = then.sigma / now.sigma * kappa(now, then)
    return kept * z_t + then.alpha * fresh * x_hat + then.sigma * sqrt(fresh) * noise


def sde_dpm_solver_pp_2m(
    z_t: N, x_hat: N, x_before: N, noise: N, before: Level[N], now: Level[N], then: Level[N]
) -> N:
    r"""The slope, by the output before, taken over half the step ("midpoint").

    .. math:: \hat x \to \hat x + \frac h{2 h_0} (\hat x - \hat x_{\mathrm{before}})
    """
    middle = x_hat + slope_of(x_hat, x_before, before, now, then) / 2
    return sde_dpm_solver_pp_1(z_t, middle, noise, now, then)


def sde_dpm_solver_pp_2m_heun(
    z_t: N, x_hat: N, x_before: N, noise: N, before: Level[N], now: Level[N], then: Level[N]
) -> N:
    r"""The slope, by the output before, integrated over the step ("heun").

    .. math:: z_s = \mathrm{order\ 1} + \alpha_s m_1 D, \qquad
        m_1 = \int_0^1 2 h\, e^{-2 h (1 - u)} u\, du = 1 - \frac{1 - \kappa^2}{2 h}
    """
    first, _ = _moments(now, then)
    added = first * slope_of(x_hat, x_before, before, now, then)
    return sde_dpm_solver_pp_1(z_t, x_hat, noise, now, then) + then.alpha * added


def sde_dpm_solver_pp_3m(  # noqa: PLR0913  as many outputs and levels as its order asks for
    z_t: N,
    x_hat: N,
    x_before: N,
    x_earlier: N,
    noise: N,
    earlier: Level[N],
    before: Level[N],
    now: Level[N],
    then: Level[N],
) -> N:
    r"""Slope and half the curvature, as in DPM-Solver++(3M), by two outputs before.

    .. math:: z_s = \mathrm{order\ 1} + \alpha_s \left(m_1 D_1 + \tfrac12 m_2 D_2\right), \qquad
        m_2 = \int_0^1 2 h\, e^{-2 h (1 - u)} u^2\, du = 1 - \frac{m_1}h
    """
    first, second = _moments(now, then)
    outputs, levels = (x_hat, x_before, x_earlier), (earlier, before, now, then)
    half = constant(second, Fraction(1, 2))
    added = first * tangent_of(*outputs, *levels) + half * second * curvature_of(*outputs, *levels)
    return sde_dpm_solver_pp_1(z_t, x_hat, noise, now, then) + then.alpha * added


def sde_dpm_solver_variance(now: Level[N], then: Level[N]) -> N:
    r"""The variance that a step of SDE-DPM-Solver adds.

    .. math:: \sigma_s^2 (\kappa^{-2} - 1)
    """
    return then.sigma**2 * (1 / kappa(now, then) ** 2 - 1)


def sde_dpm_solver_1(z_t: N, eps_hat: N, noise: N, now: Level[N], then: Level[N]) -> N:
    r"""The noise prediction is constant over the step.

    .. math:: z_s = \frac{\alpha_s}{\alpha_t} z_t - 2 \sigma_s (\kappa^{-1} - 1)\, \hat\epsilon
        + \sigma_s \sqrt{\kappa^{-2} - 1}\, n
    """
    gained = 1 / kappa(now, then) - 1
    spread = sqrt(sde_dpm_solver_variance(now, then))
    return then.alpha / now.alpha * z_t - 2 * then.sigma * gained * eps_hat + spread * noise


def sde_dpm_solver_2m(
    z_t: N, eps_hat: N, eps_before: N, noise: N, before: Level[N], now: Level[N], then: Level[N]
) -> N:
    r"""The slope, by the output before, taken over half the step ("midpoint").

    .. math:: \hat\epsilon \to \hat\epsilon + \frac h{2 h_0} (\hat\epsilon - \hat\epsilon_{\mathrm{before}})
    """
    middle = eps_hat + slope_of(eps_hat, eps_before, before, now, then) / 2
    return sde_dpm_solver_1(z_t, middle, noise, now, then)


def sde_dpm_solver_2m_heun(
    z_t: N, eps_hat: N, eps_before: N, noise: N, before: Level[N], now: Level[N], then: Level[N]
) -> N:
    r"""The slope, by the output before, integrated over the step ("heun").

    .. math:: z_s = \mathrm{order\ 1} - 2 \sigma_s D \int_0^1 h\, e^{h (1 - u)} u\, du
    """
    mean = (1 / kappa(now, then) - 1) / half_log_snr_gain(now, then) - 1
    added = 2 * mean * slope_of(eps_hat, eps_before, before, now, then)
    return sde_dpm_solver_1(z_t, eps_hat, noise, now, then) - then.sigma * added


def _moments(now: Level[N], then: Level[N]) -> tuple[N, N]:
    h = half_log_snr_gain(now, then)
    first = 1 - (1 - kappa(now, then) ** 2) / (2 * h)
    return first, 1 - first / h
