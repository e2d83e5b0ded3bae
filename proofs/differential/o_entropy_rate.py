r"""The entropy of a state grows at the mean product of its predicted noise and velocity, over sigma.

The state z = alpha x + sigma n, at a level whose rates are continuous, has a mean of -log p. Hold x and n,
and move the level: at the state that moves, -log p has the rate D = -p_t / p - (p_z / p) z'. By Bayes' rule
p_t / p is the posterior mean of the rate of the log-kernel, and p_z / p is -eps_hat / sigma (d-tweedie-1).
For every x the rate of the log-kernel averages to nothing over the noise, and given z the mean of z' is u.
So E D = E[eps_hat u] / sigma. Nothing is integrated by parts, and no term is left at infinity.

The derivative passes under the mean over x and n, since D lies between quadratic polynomials of x and n
whose coefficients are continuous in the level and its rates: with q the square of the noise of x at z,
eps_hat^2 <= E[q | z], and E[q | z] <= E q =: Q(z), because the kernel exp(-q / 2) falls where q grows (the
mean of a product of q and a falling function of q is at most the product of their means: twice the
difference is the mean over two independent data of a product that is never positive). Q is quadratic in z,
and D is made of the two and of z and z' by products, of which 2 |a b| <= a^2 + b^2. Likewise -log p exceeds
log(sigma sqrt(2 pi)) by at least 0 and at most Q / 2, the latter by a tangent of the exponential. The means
of such bounds are finite as the data have a second moment. Written for one coordinate; in more,
squares and products are sums over coordinates.

Not claimed: data without a second moment; levels without signal or noise; learned predictions.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, exp, log, pi, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.predictions import eps_from_x
from equiv.proofs._calculus import mean, rate
from equiv.proofs._densities import averaged, first, kernel, moved, posterior, slope, variance, velocity, x, z
from equiv.proofs._rates import rates, total_rate
from equiv.proofs._symbols import now

CLAIM = Claim(
    id="o-entropy-rate",
    title="How fast the entropy of a state grows",
    statement=r"-\frac{d}{dt} E \log p_t(z_t)"
    r" = \frac1{\sigma_t} E\left[ E[\epsilon | z_t] \cdot u_t(z_t) \right], \quad"
    r" u_t(z) = E[\dot\alpha_t x + \dot\sigma_t \epsilon | z_t = z],"
    r" \quad \text{for all data with } E |x|^2 < \infty"
    r" \quad (\alpha_t, \sigma_t > 0,\ \dot\alpha, \dot\sigma \text{ continuous})",
    source=Source(
        seed="001",
        section="Flow Matching Mathematical Foundations",
        equation="implied: how the probability density evolves",
    ),
    needs=("d-tweedie-1",),
    cites=(
        "dominated convergence, for the rate of the entropy",
        "tower property, for means over states of means given a state",
    ),
)

n, average = symbols("n m", real=True)
noise_1, noise_2 = symbols("q_1 q_2", real=True)
spread, c, y, g, k = symbols("s c y g k", positive=True)
NORMAL = {0: S.One, 1: S.Zero, 2: S.One}
DATA = {0: S.One, 1: average, 2: average**2 + spread**2}  # moments


def _noise(data: Any = x) -> Any:
    return eps_from_x(z, data, now)


def _of_kernel(noise: Any) -> Any:
    """The rate of the log-kernel, by x and its noise at z."""
    return rates.alpha / now.sigma * x * noise + rates.sigma / now.sigma * (noise**2 - 1)


def _moving() -> Any:
    """D: the rate of -log p at a state that moves with its data and its noise."""
    return -(averaged(moved(S.One)) + averaged(slope(S.One)) * velocity()) / averaged(S.One)


def _bound(state: Any) -> Any:
    """Q at a state."""
    return ((state - now.alpha * average) ** 2 + now.alpha**2 * spread**2) / now.sigma**2


def derivation() -> Derivation:
    return Derivation(
        chains=(*_rate(), *_normal_data(), *_of_the_rate(), *_of_the_noise(), *_of_the_density())
    )


def _rate() -> Iterable[Chain]:
    yield chain(
        "For every x, the rate of the log-kernel", moved(S.One), ("by the noise", _of_kernel(_noise()))
    )
    yield chain(
        "For every x, its mean over the noise, without the part of the kernel's constant",
        mean(_of_kernel(n), n, NORMAL) + rates.sigma / now.sigma,
        ("which is minus that part", rates.sigma / now.sigma),
    )
    eps_hat = _noise(first)
    u = rates.alpha * first + rates.sigma * eps_hat
    yield chain(
        "At a state that moves with its data and its noise",
        _moving(),
        ("Bayes' rule and Tweedie's", -posterior(_of_kernel(_noise())) + eps_hat / now.sigma * velocity()),
    )
    yield chain(
        "Given z, the mean of the last part",
        posterior(eps_hat / now.sigma * velocity()),
        ("linear in x", eps_hat * u / now.sigma),
    )


def _entropy_of_normal() -> Any:
    return log(2 * pi * (now.alpha**2 * c**2 + now.sigma**2)) / 2


def _product_for_normal(first_of: Any = lambda eps, _: eps, second_of: Any = lambda _, u: u) -> Any:
    """E[eps_hat u] for data from N(0, c^2), or of other functions of the two."""
    x_hat = gaussian_denoiser(z, now, S.Zero, c)
    eps_hat = eps_from_x(z, x_hat, now)
    u = rates.alpha * x_hat + rates.sigma * eps_hat
    return mean(
        first_of(eps_hat, u) * second_of(eps_hat, u),
        z,
        {0: S.One, 1: S.Zero, 2: now.alpha**2 * c**2 + now.sigma**2},
    )


def _normal_data() -> Iterable[Chain]:
    spread_rate = 2 * (now.alpha * rates.alpha * c**2 + now.sigma * rates.sigma)
    yield chain(
        "Normal data: log(2 pi e V) / 2",
        total_rate(_entropy_of_normal()),
        ("differentiate", spread_rate / (2 * (now.alpha**2 * c**2 + now.sigma**2))),
        ("eps_hat is sigma z / V and u is V' z / (2 V)", _product_for_normal() / now.sigma),
    )


def _of_the_rate() -> Iterable[Chain]:
    mean_square, eps_hat = posterior(_noise() ** 2), _noise(first)
    yield chain(
        "D, by z, its own rate, eps_hat and the mean square of the noise",
        _moving(),
        (
            "alpha x is z - sigma n",
            rates.sigma / now.sigma * (1 - mean_square)
            - rates.alpha / now.alpha * (z * eps_hat / now.sigma - mean_square)
            + eps_hat / now.sigma * velocity(),
        ),
    )
    yield chain(
        "The square of eps_hat is at most the mean square of the noise",
        mean_square - eps_hat**2,
        ("the variance of the noise", (now.alpha / now.sigma) ** 2 * variance()),
    )


def _phi(ratio: Any) -> Any:
    """Not negative, and zero at one."""
    return ratio - 1 - log(ratio)


def _of_the_noise() -> Iterable[Chain]:
    one, two = exp(-noise_1 / 2), exp(-noise_2 / 2)
    yield chain(
        "phi changes at a rate with the sign of y - 1", rate(_phi(y), y), ("differentiate", (y - 1) / y)
    )
    yield chain("phi at one, more one", _phi(S.One) + 1, ("which is its least value", S.One))
    yield chain(
        "Of two data: twice E[q k] less twice E[q] E[k], before the mean",
        (noise_1 * one + noise_2 * two) - (noise_1 * two + noise_2 * one),
        ("a product", (noise_1 - noise_2) * (one - two)),
        ("q is -2 log k; not positive", -2 * (one * _phi(two / one) + two * _phi(one / two))),
    )
    yield chain("Q", mean(_noise() ** 2, x, DATA), ("the moments of the data", _bound(z)))
    yield chain(
        "The mean of Q",
        mean(mean(_bound(now.alpha * x + now.sigma * n), n, NORMAL), x, DATA),
        ("the moments of data and noise", 1 + 2 * now.alpha**2 * spread**2 / now.sigma**2),
    )


def _of_the_density() -> Iterable[Chain]:
    constant = log(now.sigma * sqrt(2 * pi))
    yield chain(
        "For every x, minus the log-kernel",
        -log(kernel()),
        ("half of q and a constant", _noise() ** 2 / 2 + constant),
    )
    yield chain(
        "The kernel lies above its tangent at g, which averages to g if log g is the mean of log k",
        k,
        ("by the logarithm of k / g", g * (1 + log(k / g)) + g * _phi(k / g)),
    )


def false_variants() -> Iterable[Variant]:
    growth = total_rate(_entropy_of_normal())
    for name, wrong in (
        ("without sigma", _product_for_normal()),
        ("falls", -_product_for_normal() / now.sigma),
        ("half of it", _product_for_normal() / (2 * now.sigma)),
        ("the mean square of eps_hat", _product_for_normal(second_of=lambda eps, _: eps) / now.sigma),
    ):
        yield Variant(name=f"normal data: {name}", left=growth, right=wrong)
    yield Variant(
        name="the log-kernel at a state that stands still does not change on average",
        left=mean(_of_kernel(n) + rates.sigma / now.sigma, n, NORMAL),
        right=S.Zero,
    )
    yield Variant(
        name="the mean square of the noise at z is that of the noise",
        left=mean(_noise() ** 2, x, DATA),
        right=S.One,
    )
    one, two = exp(-noise_1 / 2), exp(-noise_2 / 2)
    yield Variant(
        name="of two data: the product is positive",
        left=(noise_1 - noise_2) * (one - two),
        right=2 * (one * _phi(two / one) + two * _phi(one / two)),
    )
