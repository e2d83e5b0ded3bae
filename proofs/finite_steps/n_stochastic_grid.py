r"""The leading loss of a stochastic sampler on normal data is least where int cos(theta)^(eta^2) is uniform.

Data N(0, c^2), with tan(theta) = sigma / (c alpha), in the gauge where the state has the variance 1 at
every level (no step depends on the gauge); z_t has the variance 1 + d_t. A churn step of rho = 1 + eta^2
keeps the part K = kappa^(eta^2) of the noise and gives d_s = m^2 d_t - L^2 with m = cos(theta_s)
cos(theta_t) + K sin(theta_s) sin(theta_t) and L = cos(theta_s) sin(theta_t) - K sin(theta_s) cos(theta_t),
exactly. With theta_s = theta_t - delta and C = cos(theta)^(eta^2), L = (1 + eta^2) delta + O(delta^2) and m
C_s / C_t = 1 + O(delta^2). So in the leading order C^2 d falls by (1 + eta^2)^2 C^2 delta^2 in a step, and
over a grid theta(u), u = i / N, by the integral of (1 + eta^2)^2 (C theta')^2 over u, per N.

By Cauchy and Schwarz this integral is least where C theta' is constant: uniform theta for DDIM (eta = 0),
uniform sin(theta) for DDPM (eta = 1). Over all of (0, pi/2), half of it is then pi^2 / 8 for DDIM and 2 for
DDPM. For DDPM the sum is exact on every grid: m = cos(theta_t) / cos(theta_s), and with x = sin(theta) and
the whole range, d = -sum (x_t - x_s)^2 (1 + x_s / x_t)^2. With x_i = i / N that is -sum_i (2 - 1/i)^2 / N^2
= -(4 N - 4 H_N + H_N^(2)) / N^2, with H_N and H_N^(2) the sums of 1/i and 1/i^2.

Not claimed: that N (1 - std / c) tends to half the integral over the whole range (n-stochastic-limit); what
it tends to on a grid that stops short; the best grid of a finite number of steps; other data.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, Lt, Rational, S, cos, log, pi, sin, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import Level, kappa
from equiv.formulas.predictions import eps_from_x
from equiv.proofs._calculus import at, integral, mean, rate
from equiv.proofs._symbols import noise, z_t

CLAIM = Claim(
    id="n-stochastic-grid",
    title="The grid of least leading loss for a stochastic sampler",
    statement=r"x \sim N(0, c^2): \quad d_s = m^2 d_t - L^2, \quad \theta_s = \theta_t - \delta:\ "
    r" L = (1 + \eta^2) \delta + O(\delta^2),\ m\, C_s / C_t = 1 + O(\delta^2),"
    r" C = \cos^{\eta^2}\!\theta; \qquad \int_0^1 (C \theta')^2 du"
    r" \ge \Bigl(\int_0^1 C \theta'\, du\Bigr)^2; \qquad \eta = 1:\ "
    r" \cos^2\!\theta_s\, d_s = \cos^2\!\theta_t\, d_t - (x_t - x_s)^2 (1 + x_s / x_t)^2,\ x = \sin\theta",
    source=Source(seed="003", section="Diving deeper into samplers", equation="implied: the level of churn"),
    needs=("t-churn-family", "f-scale-invariance", "d-gmm-denoiser"),
    cites=(
        "Cauchy-Schwarz inequality, for the least integral",
        "Taylor's theorem, for the orders of the rests in delta",
    ),
)

theta, phi, delta, c, eta, K, d, f = symbols("theta phi delta c eta K d f", positive=True)
square, average, index, count = symbols("q F i N", positive=True)


def _level(angle: Any) -> Level[Any]:
    """The level at which normal data of spread c have a state of variance 1."""
    return Level(alpha=cos(angle) / c, sigma=sin(angle))


def _kept(high: Any, low: Any) -> Any:
    """The part of the noise that the churn step keeps, kappa^(eta^2)."""
    return (sin(low) * cos(high) / (cos(low) * sin(high))) ** (eta**2)


def _multiplier(high: Any, low: Any, kept: Any) -> Any:
    return cos(low) * cos(high) + kept * sin(low) * sin(high)


def _loss(high: Any, low: Any, kept: Any) -> Any:
    return cos(low) * sin(high) - kept * sin(low) * cos(high)


def _weight(angle: Any) -> Any:
    return cos(angle) ** (eta**2)


def _positive_angles() -> Any:
    return tuple(Gt(part, 0, evaluate=False) for angle in (theta, phi) for part in (cos(angle), sin(angle)))


def derivation() -> Derivation:
    return Derivation(
        chains=(*_one_step(), *_small_steps(), *_best(), *_ddpm()),
        hypotheses=(*_positive_angles(), Lt(K, 1, evaluate=False), Gt(index, 1, evaluate=False)),
    )


def _one_step() -> Iterable[Chain]:
    now, then = _level(theta), _level(phi)
    x_hat = gaussian_denoiser(z_t, now, S.Zero, c)
    m = _multiplier(theta, phi, K)
    yield chain(
        "A state of variance 1", now.alpha**2 * c**2 + now.sigma**2, ("squares of cosine and sine", S.One)
    )
    yield chain(
        "One step, with what it keeps of the noise",
        then.alpha * x_hat + then.sigma * (K * eps_from_x(z_t, x_hat, now) + sqrt(1 - K**2) * noise),
        (
            "x_hat is c cos(theta) z, eps_hat is sin(theta) z",
            m * z_t + sin(phi) * sqrt(1 - K**2) * noise,
        ),
    )
    yield chain("What it keeps", kappa(now, then) ** (eta**2), ("kappa is tan over tan", _kept(theta, phi)))
    yield chain(
        "The variance after the step",
        m**2 * (1 + d) + sin(phi) ** 2 * (1 - K**2),
        ("the loss is a square", 1 + m**2 * d - _loss(theta, phi, K) ** 2),
    )


def _small_steps() -> Iterable[Chain]:
    """As phi falls from theta."""
    kept = _kept(theta, phi)
    loss, carried = _loss(theta, phi, kept), _multiplier(theta, phi, kept)
    tangent = sin(theta) / cos(theta)
    yield chain("No step, no loss", at(loss, phi, theta), ("nothing moves", S.Zero))
    yield chain(
        "The loss of a small step", -at(rate(loss, phi), phi, theta), ("differentiate at 0", 1 + eta**2)
    )
    yield chain("No step carries all", at(carried, phi, theta), ("nothing moves", S.One))
    yield chain(
        "How m begins to fall",
        -at(rate(carried, phi), phi, theta),
        ("kappa falls at 1 / (sin cos)", -(eta**2) * tangent),
    )
    yield chain(
        "How log C begins to grow",
        -at(rate(log(_weight(phi)), phi), phi, theta),
        ("by as much, so that m C_s / C_t stays", eta**2 * tangent),
    )


def _best() -> Iterable[Chain]:
    yield chain(
        "Cauchy-Schwarz: the mean of (C theta')^2 exceeds the square of its mean by a variance",
        mean((f - average) ** 2, f, {0: S.One, 1: average, 2: square}),
        ("the mean of f is F", square - average**2),
    )
    quarter = pi / 2
    yield chain(
        "DDIM, over the whole range",
        Rational(1, 2) * integral(S.One, theta, 0, quarter) ** 2,
        ("theta is uniform", pi**2 / 8),
    )
    yield chain(
        "DDPM, over the whole range",
        Rational(4, 2) * integral(cos(theta), theta, 0, quarter) ** 2,
        ("sin(theta) is uniform", S(2)),
    )


def _ddpm() -> Iterable[Chain]:
    kept = sin(phi) * cos(theta) / (cos(phi) * sin(theta))
    high, low = sin(theta), sin(phi)
    yield chain(
        "DDPM carries exactly in proportion to cos^2",
        _multiplier(theta, phi, kept),
        ("eta is 1", cos(theta) * (cos(phi) ** 2 + sin(phi) ** 2) / cos(phi)),
        ("squares of cosine and sine", cos(theta) / cos(phi)),
    )
    yield chain(
        "DDPM's loss, times cos^2",
        (cos(phi) * _loss(theta, phi, kept)) ** 2,
        (
            "sin^2 theta cos^2 phi - sin^2 phi cos^2 theta is a difference of squares",
            ((high**2 - low**2) / high) ** 2,
        ),
        ("(x_t - x_s) (1 + x_s / x_t)", (high - low) ** 2 * (1 + low / high) ** 2),
    )
    x_t, x_s = index / count, (index - 1) / count
    yield chain(
        "Its terms where sin(theta) is uniform",
        (x_t - x_s) ** 2 * (1 + x_s / x_t) ** 2,
        ("x_i is i / N", (2 - 1 / index) ** 2 / count**2),
        ("expand: summed over i, 4 N - 4 H_N + H_N^(2)", (4 - 4 / index + 1 / index**2) / count**2),
    )


def false_variants() -> Iterable[Variant]:
    m, loss = _multiplier(theta, phi, K), _loss(theta, phi, K)
    hypotheses = (*_positive_angles(), Lt(K, 1, evaluate=False))
    yield Variant(
        name="the variance loses L, without the square",
        left=m**2 * (1 + d) + sin(phi) ** 2 * (1 - K**2),
        right=1 + m**2 * d - loss,
        hypotheses=hypotheses,
    )
    kept = _kept(theta, theta - delta)
    for name, slope in (("1 + eta", 1 + eta), ("eta^2", eta**2)):
        yield Variant(
            name=f"the loss of a small step is {name}",
            left=at(rate(_loss(theta, theta - delta, kept), delta), delta, 0),
            right=slope,
            hypotheses=_positive_angles()[:2],
        )
    yield Variant(
        name="m begins to fall by eta",
        left=at(rate(_multiplier(theta, theta - delta, kept), delta), delta, 0),
        right=-eta * sin(theta) / cos(theta),
        hypotheses=_positive_angles()[:2],
    )
    yield Variant(
        name="DDPM's best grid has the constant of DDIM's",
        left=Rational(4, 2) * integral(cos(theta), theta, 0, pi / 2) ** 2,
        right=pi**2 / 8,
    )
