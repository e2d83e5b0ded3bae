r"""Information grows with the log-SNR at half the least square error of eps.

Divided by alpha, the state is y = x + r eps with r^2 = v = exp(-lambda), and its density p(y) = E k(y -
x), k the normal density of variance v. (a) For each x the kernel solves the heat equation k_v = k_yy / 2,
and so does p, for any data: the kernel and its derivatives are bounded, so that they pass under the
expectation. (b) Hence the entropy of y grows in v at half of E (p_y / p)^2, but for the derivative of p_y
(log p + 1), which integrates to nothing. (c) For each x, k_y = -(eps / r) k, so that p_y / p = -E[eps |
y] / r = -eps_hat / r. (d) The square error of eps_hat is E eps^2 - E eps_hat^2 = 1 - E eps_hat^2. The
information is the entropy of y less that of r eps; together, dI/dlambda = (1 - E eps_hat^2) / 2. Shown
for one coordinate, the others held fixed; the sum over coordinates is the statement. For x ~ N(0, c^2)
the information is log(1 + c^2 exp(lambda)) / 2.

Not claimed: data without a second moment; sources that are not Gaussian.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, exp, log, pi, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import at, rate

CLAIM = Claim(
    id="l-immse",
    title="Information grows at half the error of the noise",
    open="that the entropy may be differentiated under its integral, and that the boundary term vanishes, is"
    " argued in the text; decided are the identities at every point, and the statement for normal data",
    statement=r"\frac{d}{d\lambda} I(x; z_\lambda)"
    r" = \tfrac12 E \lVert \epsilon - E[\epsilon | z_\lambda] \rVert^2,"
    r" \qquad x \sim N(0, c^2):\ I = \tfrac12 \log(1 + c^2 e^\lambda)",
    source=Source(seed="003", section="Training", equation="implied: the integral over lambda"),
    needs=("l-spectral",),
)

x, y, eps, lambda_t = symbols("x y epsilon lambda", real=True)
v, c = symbols("v c", positive=True)
fisher, square_of_prediction = symbols("J m_2", positive=True)
density = Function("p", positive=True)(y)


def _kernel(at_y: Any) -> Any:
    return exp(-((at_y - x) ** 2) / (2 * v)) / sqrt(2 * pi * v)


def derivation() -> Derivation:
    return Derivation(chains=(*_heat(), *_entropy(), *_score(), *_information(), *_gaussian()))


def _heat() -> Iterable[Chain]:
    kernel = _kernel(y)
    yield chain(
        "(a) For every x, the kernel solves the heat equation",
        rate(kernel, v),
        ("differentiate in v", kernel * ((y - x) ** 2 / v**2 - 1 / v) / 2),
        ("differentiate twice in y", rate(rate(kernel, y), y) / 2),
    )


def _entropy() -> Iterable[Chain]:
    """With p_v = p_yy / 2: -p log p grows by -(log p + 1) p_v."""
    first, second = rate(density, y), rate(rate(density, y), y)
    p = symbols("p", positive=True)
    yield chain(
        "(b) The integrand of the entropy, by p",
        rate(-p * log(p), p),
        ("the product rule", -(log(p) + 1)),
    )
    yield chain(
        "(b) Times p_yy / 2, it is half of p_y^2 / p, but for a derivative",
        -(log(density) + 1) * second / 2,
        ("the product rule, backwards", first**2 / (2 * density) - rate(first * (log(density) + 1), y) / 2),
    )


def _score() -> Iterable[Chain]:
    kernel = _kernel(y)
    yield chain(
        "(c) For every x, the derivative of the kernel",
        rate(kernel, y),
        ("differentiate", -(y - x) / v * kernel),
        ("y - x is r eps", -((y - x) / sqrt(v)) / sqrt(v) * kernel),
    )
    yield chain(
        "(c) So E (p_y / p)^2 for the prediction's mean square",
        (-1 / sqrt(v)) ** 2 * square_of_prediction,
        ("r^2 is v", square_of_prediction / v),
    )


def _information() -> Iterable[Chain]:
    mean, square = symbols("epsilonhat q", real=True)
    yield chain(
        "(d) For every y, the mean of (eps - eps_hat)^2 where eps has the mean eps_hat",
        square - 2 * mean * mean + mean**2,
        ("the mean of the square less the square of the mean", square - mean**2),
    )
    growth = fisher / 2 - rate(log(2 * pi * v) / 2, v)
    yield chain(
        "The information, by v: the entropy of y less that of r eps",
        growth,
        ("the entropy of a normal is log(2 pi e v) / 2", fisher / 2 - 1 / (2 * v)),
    )
    yield chain(
        "The information, by lambda",
        _by_log_snr(growth.subs(fisher, square_of_prediction / v)),
        ("J is E eps_hat^2 / v, and dv is -v dlambda", (1 - square_of_prediction) / 2),
    )


def _by_log_snr(by_v: Any) -> Any:
    """The derivative in lambda of what has this derivative in v = exp(-lambda)."""
    return at(by_v, v, exp(-lambda_t)) * rate(exp(-lambda_t), lambda_t)


def _gaussian() -> Iterable[Chain]:
    information = log(1 + c**2 * exp(lambda_t)) / 2
    yield chain(
        "Gaussian data",
        rate(information, lambda_t),
        ("half of sigmoid(lambda + log c^2), the error of eps", 1 / (1 + exp(-lambda_t - 2 * log(c))) / 2),
    )
    yield chain(
        "Gaussian data: entropy of y less entropy of r eps",
        log(2 * pi * (c**2 + exp(-lambda_t))) / 2 - log(2 * pi * exp(-lambda_t)) / 2,
        ("the logarithm of a quotient", information),
    )


def false_variants() -> Iterable[Variant]:
    information = log(1 + c**2 * exp(lambda_t)) / 2
    error = 1 / (1 + exp(-lambda_t) / c**2)
    yield Variant(name="the error itself, not half of it", left=rate(information, lambda_t), right=error)
    yield Variant(
        name="the error of x, not of eps", left=rate(information, lambda_t), right=error * exp(-lambda_t) / 2
    )
    yield Variant(name="by the log of alpha / sigma", left=2 * rate(information, lambda_t), right=error / 2)
    kernel = _kernel(y)
    yield Variant(
        name="the heat equation without its half", left=rate(kernel, v), right=rate(rate(kernel, y), y)
    )
    yield Variant(name="the score of the kernel is eps / r", left=rate(kernel, y), right=(y - x) / v * kernel)
