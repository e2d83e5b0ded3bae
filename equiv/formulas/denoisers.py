r"""The exact :math:`E[x | z]` of data whose denoiser has a closed form.

In one dimension: each element of a tensor is a sample of its own.
"""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from equiv.formulas.levels import Level
from equiv.number import N, constant, exp, maximum, sqrt


def gaussian_denoiser(z: N, level: Level[N], mean: Any, std: Any) -> N:
    r"""For data from :math:`N(m, c^2)`.

    .. math:: E[x | z] = m + \frac{\alpha c^2}{\alpha^2 c^2 + \sigma^2} (z - \alpha m)
    """
    m: N = constant(z, mean)
    variance: N = constant(z, std) ** 2
    gain = level.alpha * variance / (level.alpha**2 * variance + level.sigma**2)
    return m + gain * (z - level.alpha * m)


def mixture_denoiser(
    z: N, level: Level[N], weights: Sequence[Any], means: Sequence[Any], stds: Sequence[Any]
) -> N:
    r"""For data from a mixture of normals, with positive weights (they need not sum to one).

    .. math::
        E[x | z] = \frac{\sum_i p_i E_i[x | z]}{\sum_i p_i}, \qquad
        p_i = \frac{w_i}{\sqrt{V_i}} \exp\left(-\frac{(z - \alpha m_i)^2}{2 V_i}\right), \qquad
        V_i = \alpha^2 c_i^2 + \sigma^2
    """
    variances = [level.alpha**2 * constant(z, c) ** 2 + level.sigma**2 for c in stds]
    exponents = [
        -((z - level.alpha * constant(z, m)) ** 2) / (2 * v) for m, v in zip(means, variances, strict=True)
    ]
    # the largest exponent is taken out, or far from every mean all terms would underflow
    largest = reduce(maximum, exponents)
    masses = [
        constant(z, w) * exp(e - largest) / sqrt(v)
        for w, e, v in zip(weights, exponents, variances, strict=True)
    ]
    of_component = [gaussian_denoiser(z, level, m, c) for m, c in zip(means, stds, strict=True)]
    total = reduce(lambda a, b: a + b, masses)
    return reduce(lambda a, b: a + b, (p * x for p, x in zip(masses, of_component, strict=True))) / total
