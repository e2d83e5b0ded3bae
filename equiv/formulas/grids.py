"""Grids: which noise levels a sampler visits, by the part u of the way from noise (0) to data (1)."""

from equiv.number import N


def karras_sigma(u: N, rho: N, sigma_min: N, sigma_max: N) -> N:
    r"""The noise per signal on the grid of EDM, equidistant in its root of order rho.

    .. math:: \sigma(u) = \left((1 - u)\, \sigma_{\max}^{1/\rho} + u\, \sigma_{\min}^{1/\rho}\right)^\rho

    Source: Karras et al. 2022, arXiv:2206.00364.
    """
    return ((1 - u) * sigma_max ** (1 / rho) + u * sigma_min ** (1 / rho)) ** rho
