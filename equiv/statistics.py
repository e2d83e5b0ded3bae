"""Statistical tests whose false-alarm level is exact or proved, for no approximation of any law.

A level is the largest probability of rejecting what is true. Permutation tests have it exactly, at any
sample size. Intervals for the mean of a bounded quantity have it by a concentration inequality. Sequential
tests have it at every sample size at once, so that a run may be extended and looked at as often as one likes.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Permuted(NamedTuple):
    """A two-sample test: how far apart, how far apart when shuffled, and the level of what was seen."""

    statistic: float
    threshold: float  # exceeded by the statistic with probability at most the level, were the laws equal
    p_value: float

    @property
    def rejects(self) -> bool:
        """Whether the laws differ, at the level of the threshold."""
        return self.statistic > self.threshold


class Interval(NamedTuple):
    """Where a mean lies."""

    low: float
    high: float

    def covers(self, value: float) -> bool:
        """Whether the interval has the value."""
        return self.low <= value <= self.high


def energy_distance(x: Tensor, y: Tensor) -> float:
    r"""The energy distance of two samples ``(n, d)`` and ``(m, d)``, as a statistic >= 0.

    .. math:: \mathcal E = 2 E \lVert X - Y \rVert - E \lVert X - X' \rVert - E \lVert Y - Y' \rVert
    """
    return _energy(_distances(x, y), _signs(x, y)[:, None]).item()


def two_samples(x: Tensor, y: Tensor, *, level: float, permutations: int = 199, seed: int = 0) -> Permuted:
    """Whether two samples have one law, by the energy distance and permutations.

    Were the laws equal, all orders of the pooled sample would be equally likely: the observed one is among
    the largest ``k`` of ``permutations + 1`` with probability at most ``k / (permutations + 1)``.

    Raises:
        ValueError: so few permutations can never reject at the level, or a sample is not finite.
    """
    allowed = math.floor(level * (permutations + 1) + 1e-9)
    if allowed < 1:
        raise ValueError(
            f"a test at level {level:g} needs at least {math.ceil(1 / level) - 1} permutations; "
            f"got {permutations}"
        )
    if not (torch.isfinite(x).all() and torch.isfinite(y).all()):
        raise ValueError("a two-sample test needs finite samples; some numbers are nan or infinite")
    distances = _distances(x, y)
    signs = _signs(x, y)
    draw = torch.Generator().manual_seed(seed)
    shuffled = torch.rand(permutations, len(signs), generator=draw, dtype=torch.float64).argsort(-1)
    columns = torch.cat([signs[None], signs[shuffled.to(signs.device)]]).T
    statistics = _energy(distances, columns)
    observed, others = statistics[0].item(), statistics[1:].sort(descending=True).values
    # a tie counts against rejecting
    reached = int((others >= observed * (1 - 1e-12)).sum())
    return Permuted(observed, others[allowed - 1].item(), (reached + 1) / (permutations + 1))


def _signs(x: Tensor, y: Tensor) -> Tensor:
    one = torch.ones((), dtype=torch.float64, device=x.device)
    return torch.cat([(one / len(x)).expand(len(x)), (-one / len(y)).expand(len(y))])


def _distances(x: Tensor, y: Tensor) -> Tensor:
    pooled = torch.cat([x, y]).double()
    return torch.cdist(pooled, pooled, compute_mode="donot_use_mm_for_euclid_dist")


def _energy(distances: Tensor, signs: Tensor) -> Tensor:
    """One number for each column of ``signs``; with weights that sum to zero it is never negative."""
    return -(signs * (distances @ signs)).sum(0)


def mean_interval(values: Tensor, low: float, high: float, *, level: float) -> Interval:
    r"""An interval for the mean of independent values in ``[low, high]``, wrong at most that often.

    .. math:: |\bar X - \mu| \le \sqrt{\frac{2 V \ln(4 / \delta)}{n}}
        + \frac{7 (b - a) \ln(4 / \delta)}{3 (n - 1)}

    with the sample variance V (the one with n - 1).

    Source: Maurer and Pontil 2009, arXiv:0907.3740, theorem 4, for both sides.

    Raises:
        ValueError: a value lies outside the range, or there are fewer than two.
    """
    values = values.double().flatten()
    inside = (values >= low) & (values <= high)
    if len(values) < 2 or not inside.all():
        first = values[~inside][:1].tolist() or [f"{len(values)} values"]
        raise ValueError(
            f"an interval for a mean needs two values or more in [{low:g}, {high:g}]; got {first[0]}"
        )
    n, slack = len(values), math.log(4 / level)
    room = math.sqrt(2 * values.var().item() * slack / n) + 7 * (high - low) * slack / (3 * (n - 1))
    mean = values.mean().item()
    return Interval(mean - room, mean + room)


def proportion(successes: int, trials: int, *, level: float) -> Interval:
    """Where a probability lies after so many independent trials.

    Source: Clopper and Pearson 1934; exact for every probability.
    """
    from scipy.stats import beta

    low = beta.ppf(level / 2, successes, trials - successes + 1) if successes else 0.0
    high = beta.ppf(1 - level / 2, successes + 1, trials - successes) if successes < trials else 1.0
    return Interval(float(low), float(high))


class Wealth:
    r"""A sequential test that two streams of pairs have one law; look at it whenever you like.

    Each pair (x, y) is bet on with a witness f in [-1, 1] and a stake in [0, 1/2], both chosen before it is
    seen: the wealth is multiplied by :math:`1 + s (f(x) - f(y)) / 2`. Were the laws equal, it would be a
    nonnegative martingale that starts at 1, and reach :math:`1 / \delta` with probability at most
    :math:`\delta`, ever (Ville's inequality). The stake is that of Cutkosky and Orabona's online Newton step.

    Source: Shekhar and Ramdas 2023, arXiv:2112.09162 (betting on two samples).
    """

    def __init__(self) -> None:
        self.log_wealth = 0.0
        self.log_largest = 0.0
        self._stake, self._curvature = 0.0, 1.0
        self._seen: list[tuple[Tensor, Tensor]] = []

    def see(self, x: Tensor, y: Tensor) -> None:
        """Bet on the next pairs, ``(n, d)`` each: all with what was learned from those before them."""
        witness = self._witness()
        for gain in ((witness(x) - witness(y)) / 2).tolist():
            self.log_wealth += math.log1p(self._stake * gain)
            self.log_largest = max(self.log_largest, self.log_wealth)
            slope = -gain / (1 + self._stake * gain)
            self._curvature += slope**2
            step = 2 / (2 - math.log(3)) * slope / self._curvature
            self._stake = min(max(self._stake - step, 0.0), 0.5)
        self._seen.append((x.double(), y.double()))

    def rejects(self, level: float) -> bool:
        """Whether the wealth has ever reached what it reaches with at most that probability."""
        return self.log_largest >= -math.log(level)

    def _witness(self) -> Callable[[Tensor], Tensor]:
        """Where the one law has more mass than the other, by what was seen; nothing at first."""
        if not self._seen:
            return lambda points: torch.zeros(len(points), dtype=torch.float64)
        x, y = (torch.cat(side) for side in zip(*self._seen, strict=True))

        def closer(points: Tensor) -> Tensor:
            points = points.double()
            return torch.cdist(points, y).mean(-1) - torch.cdist(points, x).mean(-1)

        scale = torch.cat([closer(x), closer(y)]).abs().max().clamp(min=1e-300)
        return lambda points: (closer(points) / scale).clamp(-1, 1)


__all__ = ["Interval", "Permuted", "Wealth", "energy_distance", "mean_interval", "proportion", "two_samples"]
