r"""DEIS with polynomials in the logarithm of the noise ratio, orders 2 and 3 (order 1 is DDIM).

It integrates z / alpha over the noise ratio :math:`\rho = \sigma / \alpha`,

.. math:: \frac{z_s}{\alpha_s} = \frac{z_t}{\alpha_t} + \int_{\rho_t}^{\rho_s} \hat\epsilon\, d\rho,

with the output taken as the polynomial in :math:`\log\rho` through the outputs at this level and at those
before. Levels from noisy to clean: ``earlier``, ``before``, ``now``, ``then``.

Source: Zhang and Chen 2022, arXiv:2204.13902; the polynomials in :math:`\log\rho` are in the code that
accompanies it.
"""

from collections.abc import Sequence
from functools import reduce

from equiv.formulas.levels import Level, noise_ratio
from equiv.number import N, log


def deis_2(z_t: N, eps_hat: N, eps_before: N, before: Level[N], now: Level[N], then: Level[N]) -> N:
    r"""With one output before.

    .. math:: z_s = \alpha_s \left(\frac{z_t}{\alpha_t} + \sum_j \hat\epsilon_j \int_{\rho_t}^{\rho_s}
        \prod_{i \ne j} \frac{\log\rho - \log\rho_i}{\log\rho_j - \log\rho_i}\, d\rho\right)
    """
    return _step(z_t, (eps_hat, eps_before), (now, before), then)


def deis_3(
    z_t: N,
    eps_hat: N,
    eps_before: N,
    eps_earlier: N,
    earlier: Level[N],
    before: Level[N],
    now: Level[N],
    then: Level[N],
) -> N:
    r"""With two outputs before.

    .. math:: z_s = \alpha_s \left(\frac{z_t}{\alpha_t} + \sum_j \hat\epsilon_j \int_{\rho_t}^{\rho_s}
        \prod_{i \ne j} \frac{\log\rho - \log\rho_i}{\log\rho_j - \log\rho_i}\, d\rho\right)
    """
    return _step(z_t, (eps_hat, eps_before, eps_earlier), (now, before, earlier), then)


def _step(z_t: N, outputs: Sequence[N], levels: Sequence[Level[N]], then: Level[N]) -> N:
    ratios = [noise_ratio(level) for level in levels]
    start, end = ratios[0], noise_ratio(then)
    total = z_t / levels[0].alpha
    for j, output in enumerate(outputs):
        others = [*ratios[:j], *ratios[j + 1 :]]
        gain = _primitive(end, others) - _primitive(start, others)
        scale = reduce(lambda a, b: a * b, [log(ratios[j] / other) for other in others])
        total = total + output * gain / scale
    return then.alpha * total


def _primitive(ratio: N, others: Sequence[N]) -> N:
    r"""A primitive, in :math:`\rho`, of the product of one or two :math:`\log(\rho / \rho_i)`.

    .. math:: \int l_1 = \rho\, (l_1 - 1), \qquad \int l_1 l_2 = \rho\, (l_1 l_2 - l_1 - l_2 + 2)
    """
    if len(others) == 1:
        return ratio * (log(ratio / others[0]) - 1)
    first, second = (log(ratio / other) for other in others)
    return ratio * (first * second - first - second + 2)
