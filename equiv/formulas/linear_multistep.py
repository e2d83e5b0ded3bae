r"""Adams-Bashforth methods for steps of any length, in the gauge z / alpha with r = sigma / alpha as time.

There the probability flow is :math:`dy / dr = \hat\epsilon`. The polynomial through the latest noise
predictions is integrated over the step, in Newton's form: :math:`[r_0 \dots r_m]` are divided differences.
"""

from collections.abc import Sequence
from fractions import Fraction

from equiv.formulas.levels import Level, noise_ratio
from equiv.number import N, constant


def adams_bashforth_step(z_t: N, outputs: Sequence[N], levels: Sequence[Level[N]], then: Level[N]) -> N:
    r"""One step from ``levels[0]``; ``outputs`` are the noise predictions there and before, the latest first.

    .. math:: \frac{z_s}{\alpha_s} = \frac{z_t}{\alpha_t}
        + \sum_m [r_0 \dots r_m]\hat\epsilon \int_{r_0}^{r_s} \prod_{k < m} (r - r_k)\, dr
    """
    ratios = [noise_ratio(level) for level in levels[: len(outputs)]]
    y = z_t / levels[0].alpha
    for m, difference in enumerate(divided_differences(outputs, ratios)):
        y = y + difference * _integral(ratios[:m], ratios[0], noise_ratio(then))
    return then.alpha * y


def divided_differences(values: Sequence[N], at: Sequence[N]) -> list[N]:
    r"""Those of the first point, of the first two, and so on.

    .. math:: [r_i \dots r_j] = \frac{[r_{i+1} \dots r_j] - [r_i \dots r_{j-1}]}{r_j - r_i}
    """
    column, found = list(values), [values[0]]
    for m in range(1, len(values)):
        column = [(column[i + 1] - column[i]) / (at[i + m] - at[i]) for i in range(len(values) - m)]
        found.append(column[0])
    return found


def _integral(roots: Sequence[N], start: N, end: N) -> N:
    """Of the product of ``r - root``, expanded in powers of ``r - start``."""
    h = end - start
    powers = [constant(h, 1)]  # the coefficients, the constant first
    for root in roots:
        shift = start - root
        raised = [constant(h, 0), *powers]
        powers = [
            raised[k] + (shift * powers[k] if k < len(powers) else constant(h, 0)) for k in range(len(raised))
        ]
    total = powers[0] * h
    for k, c in enumerate(powers[1:], 2):
        total = total + c * h**k * constant(h, Fraction(1, k))
    return total
