r"""Any data: the density of a state, and its derivatives, as averages over the data.

Given x, a state z has the density K = N(z; alpha x, sigma^2), the kernel. For data of any law the density of
the state is p(z) = E_x[K], and K times a polynomial in x averages to p times the posterior mean of the
polynomial, by Bayes' rule. Derivatives may be taken inside E_x: where alpha and sigma are positive, K times
a polynomial is bounded in x, uniformly for levels and states near the given ones. So nothing is asked of the
data but to be random.

Here K times something is written as that something, the *factor*; K' is K (log K)'.
"""

from functools import cache
from typing import Any

from sympy import evaluate, exp, log, pi, sqrt, symbols, sympify

from equiv.formulas.levels import Level
from equiv.proofs._calculus import mean, worked_out
from equiv.proofs._rates import rates, total_rate
from equiv.proofs._symbols import now

x, z = symbols("x z", real=True)
density = symbols("p", positive=True)
first, second, third = symbols("E[x|z] E[x^2|z] E[x^3|z]", real=True)
POSTERIOR = {0: sympify(1), 1: first, 2: second, 3: third}


def kernel(level: Level[Any] = now) -> Any:
    r"""The density of z given x, :math:`N(z; \alpha x, \sigma^2)`."""
    return exp(-((z - level.alpha * x) ** 2) / (2 * level.sigma**2)) / (level.sigma * sqrt(2 * pi))


@cache
def _logarithmic_derivatives() -> tuple[Any, Any]:
    """Those of the kernel in z and in t; without its constant."""
    with evaluate(True):
        log_kernel = -((z - now.alpha * x) ** 2) / (2 * now.sigma**2) - log(now.sigma)
        return log_kernel.diff(z), worked_out(total_rate(log_kernel))


@cache
def slope(factor: Any) -> Any:
    """The derivative in z of a factor times the kernel, again as a factor."""
    with evaluate(True):
        return sympify(factor).diff(z) + factor * _logarithmic_derivatives()[0]


@cache
def moved(factor: Any) -> Any:
    """The derivative in t of a factor times the kernel, again as a factor."""
    with evaluate(True):
        return worked_out(total_rate(factor)) + factor * _logarithmic_derivatives()[1]


def posterior(factor: Any) -> Any:
    """The expectation, given z, of a polynomial in x."""
    return mean(factor, x, POSTERIOR)


def averaged(factor: Any) -> Any:
    """The average over the data of a polynomial in x times the kernel."""
    return density * posterior(factor)


def variance() -> Any:
    """The variance of x given z."""
    return second - first**2


def velocity() -> Any:
    r"""The velocity of the path through x and z, :math:`\dot\alpha x + \dot\sigma \epsilon`."""
    return rates.alpha * x + rates.sigma * (z - now.alpha * x) / now.sigma
