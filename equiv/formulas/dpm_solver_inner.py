r"""Steps of DPM-Solver with inner levels, the slope of the output integrated over the step.

One form for DPM-Solver, ++ and its stochastic variant: the integral of a polynomial against the weight with
which an output at the part u of the step counts, :math:`m_k = \int_0^1 a\, e^{-a (1 - u)} u^k du`. There a is
h for ++, -h for DPM-Solver (in eps_hat), 2 h for stochastic ++. To the step of order 1 the integral adds

.. math:: c\, \left(m_1 D_1 + m_2 D_2\right)

where :math:`D_1, D_2` are the coefficients of the polynomial in u, and c is the factor of the output.

Source: Lu et al. 2022, arXiv:2206.00927 (DPM-Solver) and arXiv:2211.01095 (++).
"""

from equiv.number import N, exp


def first_moment(a: N) -> N:
    r"""The weight of the slope; a must not be 0.

    .. math:: m_1 = 1 - \frac{1 - e^{-a}}a
    """
    return 1 - (1 - exp(-a)) / a


def second_moment(a: N) -> N:
    r"""The weight of the curvature; a must not be 0.

    .. math:: m_2 = 1 - \frac{2 m_1}a
    """
    return 1 - 2 * first_moment(a) / a


def slope_at_start(output: N, output_middle: N, output_late: N, r_middle: N, r_late: N) -> N:
    r"""The coefficient of u in the parabola through outputs at 0, ``r_middle`` and ``r_late``.

    .. math:: D_1 = \frac{r_l E_m - r_m E_l}{r_l - r_m}, \qquad
        E_m = \frac{\hat o_m - \hat o}{r_m}, \quad E_l = \frac{\hat o_l - \hat o}{r_l}
    """
    middle, late = (output_middle - output) / r_middle, (output_late - output) / r_late
    return (r_late * middle - r_middle * late) / (r_late - r_middle)


def curvature(output: N, output_middle: N, output_late: N, r_middle: N, r_late: N) -> N:
    r"""The coefficient of :math:`u^2` in that parabola.

    .. math:: D_2 = \frac{E_l - E_m}{r_l - r_m}
    """
    middle, late = (output_middle - output) / r_middle, (output_late - output) / r_late
    return (late - middle) / (r_late - r_middle)
