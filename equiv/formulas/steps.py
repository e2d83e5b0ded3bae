r"""One step of a sampler, from the level ``now`` (time t) to the less noisy ``then`` (time s).

Every step takes the data prediction, so that it reads the same for every network. ``noise`` is one
standard normal draw of the state's shape.
"""

from equiv.formulas.levels import Level, kappa, noise_ratio
from equiv.formulas.predictions import eps_from_x
from equiv.number import N, sqrt


def ddim_step(z_t: N, x_hat: N, now: Level[N], then: Level[N]) -> N:
    r"""The deterministic DDIM step.

    .. math::
        z_s = \alpha_s \hat x + \sigma_s \hat\epsilon, \qquad
        \hat\epsilon = (z_t - \alpha_t \hat x) / \sigma_t
    """
    eps_hat = (z_t - now.alpha * x_hat) / now.sigma
    return then.alpha * x_hat + then.sigma * eps_hat


def ddim_eta_step(z_t: N, x_hat: N, noise: N, eta: N, now: Level[N], then: Level[N]) -> N:
    r"""The stochastic DDIM step of Song, Meng and Ermon, at any normalisation; 0 <= eta <= 1.

    .. math::
        z_s = \alpha_s \hat x + \sqrt{\sigma_s^2 - \tau^2}\, \hat\epsilon + \tau n, \qquad
        \tau = \eta \frac{\sigma_s}{\sigma_t} \sqrt{\sigma_t^2 - \frac{\alpha_t^2}{\alpha_s^2} \sigma_s^2}
    """
    tau = eta * then.sigma / now.sigma * sqrt(_added_variance(then, now))
    eps_hat = eps_from_x(z_t, x_hat, now)
    return then.alpha * x_hat + sqrt(then.sigma**2 - tau**2) * eps_hat + tau * noise


def noise_ratio_euler_step(z_t: N, eps_hat: N, now: Level[N], then: Level[N]) -> N:
    r"""One Euler step of :math:`z / \alpha` against :math:`\sigma / \alpha`: DDIM, from a clean level too.

    .. math:: \frac{z_s}{\alpha_s} = \frac{z_t}{\alpha_t} + (r_s - r_t)\, \hat\epsilon,
        \qquad r = \frac\sigma\alpha
    """
    return then.alpha * (z_t / now.alpha + (noise_ratio(then) - noise_ratio(now)) * eps_hat)


def reverse_diffusion_step(z_t: N, score_hat: N, noise: N, now: Level[N], then: Level[N]) -> N:
    r"""The discretised reverse process of noise on top of unscaled data (alpha = 1).

    .. math:: z_s = z_t + (\sigma_t^2 - \sigma_s^2)\, \hat s + \sqrt{\sigma_t^2 - \sigma_s^2}\, n

    Source: Song et al. 2021, arXiv:2011.13456 (predictor of the variance-exploding equation).
    """
    removed = now.sigma**2 - then.sigma**2
    return z_t + removed * score_hat + sqrt(removed) * noise


def flow_euler_step(z_t: N, u_hat: N, t: N, s: N) -> N:
    r"""One Euler step of a flow with velocity u.

    .. math:: z_s = z_t + (s - t) \hat u
    """
    return z_t + (s - t) * u_hat


def probability_flow_euler_step(z_t: N, x_hat: N, now: Level[N], rates: Level[N], t: N, s: N) -> N:
    r"""One Euler step, in t, of the probability-flow equation; ``rates`` holds the derivatives of the level.

    .. math:: z_s = z_t + (s - t) (\dot\alpha_t \hat x + \dot\sigma_t \hat\epsilon)
    """
    return z_t + (s - t) * (rates.alpha * x_hat + rates.sigma * eps_from_x(z_t, x_hat, now))


def ddpm_step(z_t: N, x_hat: N, noise: N, now: Level[N], then: Level[N]) -> N:
    r"""One draw of the posterior :math:`q(z_s | z_t, x = \hat x)`: DDPM with its "fixed small" variance.

    .. math::
        z_s = \frac{\alpha_{t|s} \sigma_s^2}{\sigma_t^2} z_t
            + \frac{\alpha_s \sigma_{t|s}^2}{\sigma_t^2} \hat x
            + \frac{\sigma_{t|s} \sigma_s}{\sigma_t} n, \qquad
        \alpha_{t|s} = \frac{\alpha_t}{\alpha_s}, \qquad
        \sigma_{t|s}^2 = \sigma_t^2 - \alpha_{t|s}^2 \sigma_s^2
    """
    variance = _added_variance(then, now)
    mean = (
        now.alpha / then.alpha * then.sigma**2 / now.sigma**2 * z_t
        + then.alpha * variance / now.sigma**2 * x_hat
    )
    return mean + sqrt(variance) * then.sigma / now.sigma * noise


def renoise(z: N, noise: N, now: Level[N], then: Level[N]) -> N:
    r"""One draw of the forward process, from ``now`` (time s) to the *noisier* ``then`` (time t).

    .. math::
        z_t = \alpha_{t|s} z_s + \sqrt{\sigma_t^2 - \alpha_{t|s}^2 \sigma_s^2}\, n, \qquad
        \alpha_{t|s} = \alpha_t / \alpha_s
    """
    return then.alpha / now.alpha * z + sqrt(_added_variance(now, then)) * noise


def churn_step(z_t: N, x_hat: N, noise: N, rho: N, now: Level[N], then: Level[N]) -> N:
    r"""The stochastic family from DDIM (:math:`\rho = 1`) over DDPM (2) to a fresh draw (infinity); rho >= 1.

    .. math::
        z_s = \alpha_s \hat x + \sigma_s \left(\kappa^{\rho - 1} \hat\epsilon
            + \sqrt{1 - \kappa^{2 (\rho - 1)}}\, n\right), \qquad
        \kappa = \frac{\sigma_s \alpha_t}{\alpha_s \sigma_t}
    """
    kept = kappa(now, then) ** (rho - 1)
    return then.alpha * x_hat + then.sigma * (kept * eps_from_x(z_t, x_hat, now) + sqrt(1 - kept**2) * noise)


def _added_variance(low: Level[N], high: Level[N]) -> N:
    r"""The variance of the forward process between two levels, :math:`\sigma_{t|s}^2`."""
    return high.sigma**2 - (high.alpha / low.alpha) ** 2 * low.sigma**2
