r"""How fast a variance-preserving process forgets its data.

For any data law of finite K_0 = KL(p_0 | N(0, 1)), the divergence K_B = KL(p_B | N(0, 1)) is at most exp(-B)
K_0, with B = int beta and alpha = exp(-B/2); a mean shift attains it. Let S = z - eps_hat / sigma, by
Tweedie's formula the derivative of log p(z) + z^2 / 2, and J = E S^2.

(1) In B the path through x and n has the velocity -(z - n / sigma) / 2, whose mean given z is u = -S / 2.
(2) K is the mean of z^2 / 2 less the entropy, and a constant. So for B > 0 (o-entropy-rate) K' = E[z u] -
E[eps_hat u] / sigma = E[S u] = -J / 2. (3) Seen from an earlier B, whose noise is n_b: given x and the later
noise n, n_b is normal around a multiple of n, the one that leaves nothing correlated with n. So S is alpha'
= alpha / alpha_b times the mean of the earlier S given the later state. (4) The square of a mean falls short
of the mean of the square by a variance, so that J falls at least by alpha'^2 = exp(-(B - b)). (5) K is at
most the mean over x of the divergence of N(alpha x, sigma^2), which goes to zero with alpha. (6) So K(B) is
the integral of J / 2 beyond B, at most J(B) / 2, and exp(B) K does not grow. (7) Nor does K exceed K_0, for
the density of p_B by that of the normal law is a mean of that of p_0, under a kernel that is symmetric with
respect to the normal law. Both (5) and (7) are tangents of y log y; and so is that the data have a second
moment: u f <= u log u - u + exp(f) for f = x^2 / 4.

Written for one coordinate; in more, squares are sums over coordinates.

Not claimed: anything for processes that do not preserve the variance (variance-exploding ones keep the mean
and grow); the discrete chain; data of infinite divergence, such as points, at B = 0.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Lt, S, exp, log, pi, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level
from equiv.formulas.predictions import eps_from_x, score_from_x
from equiv.proofs._calculus import mean, rate
from equiv.proofs._symbols import x_hat

CLAIM = Claim(
    id="s-init-and-mixing",
    title="How fast a variance-preserving process forgets its data",
    statement=r"\mathrm{KL}(p_t \,\|\, N(0, I)) \le e^{-B_t}\, \mathrm{KL}(p_0 \,\|\, N(0, I)), \qquad"
    r" p_0 = N(m, I):\ \mathrm{KL}(p_t \,\|\, N(0, I)) = \tfrac12 e^{-B_t} |m|^2"
    r" \qquad (\alpha_t = e^{-B_t/2},\ \sigma_t^2 = 1 - \alpha_t^2)",
    source=Source(
        seed="001",
        section="Diffusion Model Mathematical Foundations",
        equation="converges to a standard Gaussian",
    ),
    needs=("o-entropy-rate", "d-tweedie-1"),
    cites=(
        "tower property, for S seen from an earlier time",
        "jointly normal variables without correlation are independent, for n_b given n",
        "Fubini's theorem, for means under the symmetric kernel",
    ),
)

x, z, n, m, f = symbols("x z n m f", real=True)
early, fresh = symbols("n_b n_new", real=True)  # the noise at the earlier time, and what is added to it
B, c, y, k, p = symbols("B c y k p", positive=True)
alpha, earlier, kept = symbols("alpha alpha_b alpha_new", positive=True)
K, J = symbols("K J", positive=True)
NORMAL = {0: S.One, 1: S.Zero, 2: S.One}  # moments
SHRINKING = tuple(Lt(signal, 1, evaluate=False) for signal in (alpha, earlier, kept))


def _level(signal: Any) -> Level[Any]:
    return Level(alpha=signal, sigma=sqrt(1 - signal**2))


def _state(signal: Any, noise: Any) -> Any:
    return signal * x + sqrt(1 - signal**2) * noise


def _averaged(signal: Any, noise: Any) -> Any:
    """What has the mean S given the state: the state less noise / sigma."""
    return _state(signal, noise) - noise / sqrt(1 - signal**2)


def derivation() -> Derivation:
    parts = (*_falling(), *_earlier(), *_growing(), *_tangents(), *_kernel(), *_normal_data())
    return Derivation(chains=parts, hypotheses=SHRINKING)


def _slope() -> Any:
    """S, at a state z with the prediction x_hat."""
    return z - eps_from_x(z, x_hat, _level(alpha)) / _level(alpha).sigma


def _falling() -> Iterable[Chain]:
    signal = exp(-B / 2)
    yield chain(
        "(1) The velocity in B of the path through x and n",
        rate(_state(signal, n), B),
        (
            "differentiate",
            -signal / 2 * x + exp(-B) / (2 * sqrt(1 - exp(-B))) * n,
        ),
        ("half of what has the mean S, turned", -_averaged(signal, n) / 2),
    )
    yield chain(
        "(1) S is the derivative of log p + z^2 / 2",
        score_from_x(z, x_hat, _level(alpha)) + rate(z**2 / 2, z),
        ("Tweedie's formula", _slope()),
    )
    u = -_slope() / 2
    yield chain(
        "(2) The mean of z^2 / 2 less the entropy: its rate, at every z",
        z * u - eps_from_x(z, x_hat, _level(alpha)) * u / _level(alpha).sigma,
        ("S u", _slope() * u),
        ("u is -S / 2", -(_slope() ** 2) / 2),
    )


def _later() -> Any:
    """The later noise, by the earlier one and what is added."""
    parts = kept * sqrt(1 - earlier**2) * early + sqrt(1 - kept**2) * fresh
    return parts / sqrt(1 - (earlier * kept) ** 2)


def _earlier() -> Iterable[Chain]:
    signal = earlier * kept
    multiple = kept * sqrt(1 - earlier**2) / sqrt(1 - signal**2)
    yield chain(
        "(3) The later state, by the earlier one",
        kept * _state(earlier, early) + sqrt(1 - kept**2) * fresh,
        ("signals multiply", _state(signal, _later())),
    )
    yield chain(
        "(3) The later noise has variance one",
        mean(mean(_later() ** 2, early, NORMAL), fresh, NORMAL),
        ("the moments of the noises", S.One),
    )
    yield chain(
        "(3) The mean product of the earlier noise and the later",
        mean(mean(early * _later(), early, NORMAL), fresh, NORMAL),
        ("so that n_b less this multiple of n is independent of n", multiple),
    )
    yield chain(
        "(3) The mean of the earlier S, by the later noise",
        kept * _averaged(earlier, multiple * n),
        (
            "insert the multiple",
            signal * x - signal**2 * n / sqrt(1 - signal**2),
        ),
        ("the later S", _averaged(signal, n)),
    )
    average, square = symbols("s q", real=True)
    yield chain(
        "(4) The mean square about the mean",
        mean((n - average) ** 2, n, {0: S.One, 1: average, 2: square}),
        ("linear; not negative", square - average**2),
    )


def _of_point() -> Any:
    """The divergence of N(alpha x, sigma^2) from the standard normal law."""
    return mean(-(n**2) / 2 + _state(alpha, n) ** 2 / 2, n, NORMAL) - log(1 - alpha**2) / 2


def _growing() -> Iterable[Chain]:
    yield chain(
        "(5) From a point",
        _of_point(),
        ("the moments of the noise", alpha**2 * (x**2 - 1) / 2 - log(1 - alpha**2) / 2),
    )
    yield chain(
        "(6) The integral of exp(-b) from 0 to B: a primitive",
        rate(1 - exp(-B), B),
        ("which is below one", exp(-B)),
    )
    yield chain(
        "(6) The rate of exp(B) K",
        rate(exp(B), B) * K + exp(B) * (-J / 2),
        ("not positive, as K is at most J / 2", -exp(B) * (J / 2 - K)),
    )


def _phi(ratio: Any) -> Any:
    """Not negative, and zero at one."""
    return ratio * log(ratio) - ratio + 1


def _tangents() -> Iterable[Chain]:
    yield chain("phi changes at a rate with the sign of y - 1", rate(_phi(y), y), ("differentiate", log(y)))
    yield chain("phi at one, more one", _phi(S.One) + 1, ("which is its least value", S.One))
    yield chain(
        "(5) For every x: k averages to p",
        k * log(k / p),
        ("what averages to zero, and phi", (k - p) + p * _phi(k / p)),
    )
    yield chain(
        "(7) y log y above its tangent at c, the mean of y",
        y * log(y) - (c * log(c) + (log(c) + 1) * (y - c)),
        ("not negative", c * _phi(y / c)),
    )
    yield chain(
        "The data have a second moment: u log u - u + exp(f) - u f",
        y * log(y) - y + exp(f) - y * f,
        ("not negative", exp(f) * _phi(y / exp(f))),
    )
    yield chain(
        "exp(x^2 / 4) times the normal density",
        exp(-(x**2) / 2) / sqrt(2 * pi) * exp(x**2 / 4),
        ("sqrt 2 times that of variance 2", sqrt(2) * (exp(-(x**2) / 4) / sqrt(2 * pi * 2))),
    )


def _exponent(to: Any, start: Any) -> Any:
    return -((to - alpha * start) ** 2) / (2 * (1 - alpha**2))


def _kernel() -> Iterable[Chain]:
    yield chain(
        "(7) The exponents of the normal density and the kernel from x to z",
        -(x**2) / 2 + _exponent(z, x),
        ("over a common denominator", -(x**2 - 2 * alpha * x * z + z**2) / (2 * (1 - alpha**2))),
        ("symmetric", -(z**2) / 2 + _exponent(x, z)),
    )


def _divergence_of_normal(signal: Any) -> Any:
    """Of the state, for data from N(m, c^2), from the standard normal law."""
    variance = 1 + signal**2 * (c**2 - 1)
    return (variance - 1 - log(variance) + (signal * m) ** 2) / 2


def _normal_data() -> Iterable[Chain]:
    square = exp(-B)
    variance = 1 + square * (c**2 - 1)
    yield chain(
        "Normal data: the rate of the divergence",
        rate(_divergence_of_normal(exp(-B / 2)), B),
        ("differentiate", -(square * (c**2 - 1) * (1 - 1 / variance) + square * m**2) / 2),
        (
            "minus half the mean of S^2, where S is z - (z - alpha m) / V",
            -((1 - 1 / variance) ** 2 * variance + square * m**2) / 2,
        ),
    )
    yield chain(
        "A mean shift attains the bound",
        mean(-(n**2) / 2 + (exp(-B / 2) * m + n) ** 2 / 2, n, NORMAL),
        ("the moments of the noise, and alpha^2 is exp(-B)", exp(-B) * (m**2 / 2)),
    )


def false_variants() -> Iterable[Variant]:
    shifted = mean(-(n**2) / 2 + (exp(-B / 2) * m + n) ** 2 / 2, n, NORMAL)
    yield Variant(name="the divergence falls as exp(-2 B)", left=shifted, right=exp(-2 * B) * (m**2 / 2))
    yield Variant(name="the divergence falls as alpha", left=shifted, right=exp(-B / 2) * (m**2 / 2))
    normal = _divergence_of_normal(exp(-B / 2))
    yield Variant(
        name="normal data attain the bound as a mean shift does",
        left=normal,
        right=exp(-B) * _divergence_of_normal(S.One),
    )
    yield Variant(
        name="a variance-exploding process ends with unit variance",
        left=mean((c * n) ** 2, n, NORMAL) + 1,
        right=S.One,
    )
    yield Variant(
        name="the mean of the earlier S is the later, without the factor alpha'",
        left=_averaged(earlier, kept * sqrt(1 - earlier**2) / sqrt(1 - (earlier * kept) ** 2) * n),
        right=_averaged(earlier * kept, n),
        hypotheses=SHRINKING,
    )
    yield Variant(
        name="the earlier noise is the later one",
        left=kept * _averaged(earlier, n),
        right=_averaged(earlier * kept, n),
        hypotheses=SHRINKING,
    )
    yield Variant(
        name="the kernel is symmetric without the normal density",
        left=_exponent(z, x),
        right=_exponent(x, z),
        hypotheses=SHRINKING,
    )
