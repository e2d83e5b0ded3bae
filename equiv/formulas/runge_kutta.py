r"""The start of PNDM: a Runge-Kutta step of order 4 in the noise prediction, with DDIM as transfer.

The outputs are those at the start, at two states in the middle, and at the end of the step.

Source: Liu et al. 2022, arXiv:2202.09778.
"""

from equiv.number import N


def runge_kutta_4(eps_hat: N, eps_middle: N, eps_again: N, eps_then: N) -> N:
    r"""The mean of the outputs over the step, by Simpson's rule.

    .. math:: \tfrac16 (\hat\epsilon + 2 \hat\epsilon_{\mathrm{middle}} + 2 \hat\epsilon_{\mathrm{again}}
        + \hat\epsilon_{\mathrm{then}})
    """
    return (eps_hat + 2 * eps_middle + 2 * eps_again + eps_then) / 6
