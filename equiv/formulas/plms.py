r"""PLMS, the linear multistep method of PNDM: a combination of noise predictions, and one transfer with it.

The combinations are those of Adams and Bashforth for equal steps; ``eps_hat`` is the latest output.

Source: Liu et al. 2022, arXiv:2202.09778.
"""

from equiv.formulas.levels import Level
from equiv.number import N


def adams_bashforth_2(eps_hat: N, eps_before: N) -> N:
    r"""The slope that extrapolates two outputs to the middle of the next step.

    .. math:: \tfrac12 (3 \hat\epsilon - \hat\epsilon_{\mathrm{before}})
    """
    return (3 * eps_hat - eps_before) / 2


def adams_bashforth_3(eps_hat: N, eps_before: N, eps_earlier: N) -> N:
    r"""The mean, over the next step, of the parabola through three outputs.

    .. math:: \tfrac1{12} (23 \hat\epsilon - 16 \hat\epsilon_{\mathrm{before}}
        + 5 \hat\epsilon_{\mathrm{earlier}})
    """
    return (23 * eps_hat - 16 * eps_before + 5 * eps_earlier) / 12


def adams_bashforth_4(eps_hat: N, eps_before: N, eps_earlier: N, eps_earliest: N) -> N:
    r"""The mean, over the next step, of the cubic through four outputs.

    .. math:: \tfrac1{24} (55 \hat\epsilon - 59 \hat\epsilon_{\mathrm{before}}
        + 37 \hat\epsilon_{\mathrm{earlier}} - 9 \hat\epsilon_{\mathrm{earliest}})
    """
    return (55 * eps_hat - 59 * eps_before + 37 * eps_earlier - 9 * eps_earliest) / 24


def pndm_transfer(z_t: N, eps_hat: N, now: Level[N], then: Level[N]) -> N:
    r"""The transfer to the next level, as PNDM writes it, for variance-preserving levels.

    .. math:: z_s = \frac{\alpha_s}{\alpha_t} z_t
        - \frac{\alpha_s^2 - \alpha_t^2}{\alpha_t (\alpha_t \sigma_s + \alpha_s \sigma_t)}\, \hat\epsilon
    """
    moved = then.alpha**2 - now.alpha**2
    return (
        then.alpha / now.alpha * z_t
        - moved / (now.alpha * (now.alpha * then.sigma + then.alpha * now.sigma)) * eps_hat
    )
