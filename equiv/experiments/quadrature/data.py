r"""Data in one dimension whose law is known at every level: mixtures of normals, in balls."""

import functools
import operator
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any, NamedTuple, Self, TypeVar

from flint import arb, ctx

from equiv.experiments.quadrature.balls import ball, integral
from equiv.formulas.levels import Level
from equiv.number import constant, exp, log, sqrt

T = TypeVar("T")
REACH = 12  # standard deviations to integrate over; what lies beyond is bounded


class Component(NamedTuple):
    """A normal part of the law of a state: its share, mean and variance, and what a state says of the data.

    That is normal too, with the mean ``of_data + gain (z - mean)`` and the variance ``left``.
    """

    share: Any
    mean: Any
    variance: Any
    of_data: Any
    gain: Any
    left: Any
    peak: Any  # the most that it contributes to the density
    falls: Any  # -1 / (2 variance)

    def mass(self, z: Any) -> Any:
        """What the component contributes to the density."""
        return self.peak * exp((z - self.mean) ** 2 * self.falls)

    def denoised(self, z: Any) -> Any:
        """The mean of the data of this component at a state."""
        return self.of_data + self.gain * (z - self.mean)


class Law(NamedTuple):
    """The law of the state at one level; z may be complex where the formula is analytic."""

    level: Level[Any]
    components: tuple[Component, ...]

    @classmethod
    def of(cls, data: "Mixture", level: Level[Any]) -> Self:
        """The law of ``alpha x + sigma eps``."""
        whole, parts = sum(map(Fraction, data.weights)), []
        for weight, m, c in zip(data.weights, data.means, data.stds, strict=True):
            square = constant(level.alpha, Fraction(c) ** 2)
            variance = level.alpha**2 * square + level.sigma**2
            share = constant(level.alpha, Fraction(weight) / whole)
            parts.append(
                Component(
                    share=share,
                    mean=level.alpha * constant(level.alpha, m),
                    variance=variance,
                    of_data=constant(level.alpha, m),
                    gain=level.alpha * square / variance,
                    left=square * level.sigma**2 / variance,
                    peak=share / sqrt(2 * arb.pi() * variance),
                    falls=-1 / (2 * variance),
                )
            )
        return cls(level, tuple(parts))

    def density(self, z: Any) -> Any:
        """The density of the state."""
        return total(part.mass(z) for part in self.components)

    def denoiser(self, z: Any) -> Any:
        r"""The exact :math:`E[x | z]`, as in ``formulas``, with nothing taken out of the exponents.

        Balls do not underflow, and a maximum is no analytic function.
        """
        masses = [part.mass(z) for part in self.components]
        return _mean(masses, [part.denoised(z) for part in self.components])

    def posterior_variance(self, z: Any) -> Any:
        r""":math:`\operatorname{Var}(x | z)`, from the first two moments of each component."""
        masses = [part.mass(z) for part in self.components]
        means = [part.denoised(z) for part in self.components]
        seconds = [part.left + mean**2 for part, mean in zip(self.components, means, strict=True)]
        return _mean(masses, seconds) - _mean(masses, means) ** 2

    def cumulative(self, z: Any) -> Any:
        """The probability of a state below z."""
        return total(p.share * (1 + ((z - p.mean) / sqrt(2 * p.variance)).erf()) / 2 for p in self.components)

    def quantile(self, probability: arb) -> arb:
        """The state below which there is this much: halved between where it is certainly more and less."""
        low, high = ball(-64), ball(64)
        if not (self.cumulative(low) < probability < self.cumulative(high)):
            return arb("nan")
        while high - low > arb(2) ** (22 - ctx.prec):
            middle = ((low + high) / 2).mid()
            below = self.cumulative(middle)
            if below < probability:
                low = middle
            elif below > probability:
                high = middle
            else:
                break
        return low.union(high)

    @property
    def mean(self) -> Any:
        """The mean of the state."""
        return total(p.share * p.mean for p in self.components)

    @property
    def variance(self) -> Any:
        """The variance of the state."""
        return total(p.share * (p.variance + p.mean**2) for p in self.components) - self.mean**2

    @property
    def growth(self) -> Any:
        r"""A g for :meth:`expectation` of :math:`\hat x^2` and of :math:`\operatorname{Var}(x | z)`.

        :math:`|\hat x| \le A + B |z|` over all components, so its square is below
        :math:`2 \max(A, B)^2 (1 + z^2)`.
        """
        slopes = [abs(p.gain) for p in self.components]
        starts = [abs(p.of_data - p.gain * p.mean) for p in self.components]
        largest = functools.reduce(arb.max, [*slopes, *starts])
        return functools.reduce(arb.max, [p.left for p in self.components]) + 2 * largest**2

    @property
    def log_growth(self) -> arb:
        r"""A g for :meth:`expectation` of :math:`\log p`.

        With the peaks h it is at most :math:`\log \sum h`, and at least
        :math:`\log h_0 - (z^2 + m_0^2) / V_0`.
        """
        first = self.components[0]
        most: arb = abs(log(first.peak)) + abs(log(total(p.peak for p in self.components)))
        spread: arb = (first.mean * first.mean + 1) / first.variance
        return most + spread

    def expectation(self, of: Callable[[Any], Any], growth: Any) -> arb:
        r"""The mean of ``of(z)``, analytic in z, where :math:`|of(z)| \le g (1 + z^2)` for all real z.

        Beyond :math:`\ell` standard deviations the normal law has, on each side, less than
        :math:`\varphi(\ell) / \ell` of its mass and less than :math:`\varphi(\ell) (\ell + 1 / \ell)` of its
        second moment; and :math:`(m + s n)^2 \le 2 m^2 + 2 s^2 n^2`.
        """
        ends = (abs(p.mean) + REACH * sqrt(p.variance) for p in self.components)
        end = functools.reduce(arb.max, ends).upper()
        inside = integral(lambda z: of(z) * self.density(z), -end, end)
        peak = exp(-(ball(REACH) ** 2) / 2) / sqrt(2 * arb.pi())
        beyond = total(
            2 * p.share * ((1 + 2 * p.mean**2) / REACH + 2 * p.variance * (REACH + ball(1) / REACH))
            for p in self.components
        )
        return inside + arb(0, (ball(growth) * peak * beyond).upper())


class Mixture(NamedTuple):
    """Weights (which need not sum to one), means and standard deviations."""

    weights: tuple[Any, ...]
    means: tuple[Any, ...]
    stds: tuple[Any, ...]

    def at(self, level: Level[Any]) -> Law:
        """The law of the state at a level."""
        return Law.of(self, level)


def total(values: Iterable[T]) -> T:
    """The sum of at least one value."""
    return functools.reduce(operator.add, values)


def _mean(masses: list[Any], values: list[Any]) -> Any:
    return total(p * x for p, x in zip(masses, values, strict=True)) / total(masses)


HALF = Fraction(1, 2)
MIXTURE = Mixture((2, 1, 1), (-3 * HALF, HALF, Fraction(7, 4)), (HALF, Fraction(3, 4), HALF))
TWO_MODES = Mixture((1, 2), (-2, 5 * HALF / 2), (Fraction(1, 4), Fraction(1, 3)))
DATA = {"three components": MIXTURE, "two modes": TWO_MODES}
