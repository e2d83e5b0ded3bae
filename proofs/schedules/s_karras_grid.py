r"""The grid of EDM is a grid in the log-SNR: equidistant in exp(-lambda / (2 rho)).

With sigma the noise per signal on any schedule, the grid sigma(u) = ((1 - u) sigma_max^(1/rho) + u
sigma_min^(1/rho))^rho is equidistant in sigma^(1/rho) = exp(-lambda / (2 rho)). So lambda grows at 2 rho
(sigma_max^(1/rho) - sigma_min^(1/rho)) exp(lambda / (2 rho)): levels lie with a density proportional to
exp(-lambda / (2 rho)). rho = 1 is equidistant in sigma. As rho grows, the grid becomes equidistant in
lambda: with p = 1 / rho, -lambda p / 2 is f(p) = log((1 - u) sigma_max^p + u sigma_min^p), where f(0) = 0,
f'(0) = (1 - u) log sigma_max + u log sigma_min, and f'' = w (1 - w) log(sigma_max / sigma_min)^2 for a w in
(0, 1), which is at most a quarter of that square. By Taylor's theorem lambda lies below the equidistant
grid by at most log(sigma_max / sigma_min)^2 / (4 rho).

Not claimed: which rho is best; the last step of EDM, to sigma = 0.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Rational, S, exp, log, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.grids import karras_sigma
from equiv.formulas.levels import log_snr
from equiv.formulas.schedules import variance_exploding
from equiv.proofs._calculus import at, rate
from equiv.proofs._symbols import inside

CLAIM = Claim(
    id="s-karras-grid",
    title="The grid of EDM is a grid in the log-SNR",
    statement=r"e^{-\lambda / 2\rho} = (1 - u)\, \sigma_{\max}^{1/\rho} + u\, \sigma_{\min}^{1/\rho}, \qquad"
    r" p(\lambda) \propto e^{-\lambda / 2\rho}, \qquad"
    r" 0 \le \lambda_{\infty}(u) - \lambda_\rho(u) \le \frac{\log^2(\sigma_{\max} / \sigma_{\min})}{4 \rho}",
    source=Source(seed="003", section="Sampling", equation="implied: the sampling noise schedule"),
    cites=("Taylor's theorem, for the distance from the equidistant grid",),
)

u, rho, low, high, p = symbols("u rho sigma_min sigma_max p", positive=True)
a, b = symbols("a b", real=True)  # the logarithms of sigma_max and sigma_min


def _log_snr(order: Any) -> Any:
    return log_snr(variance_exploding(karras_sigma(u, order, low, high)))


def _root(order: Any) -> Any:
    return (1 - u) * high ** (1 / order) + u * low ** (1 / order)


def derivation() -> Derivation:
    return Derivation(chains=(*_by_log_snr(), *_limit()), hypotheses=(inside(u),))


def _by_log_snr() -> Iterable[Chain]:
    yield chain(
        "What is equidistant",
        exp(-_log_snr(rho) / (2 * rho)),
        ("lambda is -2 log sigma", karras_sigma(u, rho, low, high) ** (1 / rho)),
        ("the root of order rho", _root(rho)),
    )
    yield chain(
        "How fast lambda grows",
        rate(-2 * rho * log(_root(rho)), u),
        ("differentiate", 2 * rho * (high ** (1 / rho) - low ** (1 / rho)) / _root(rho)),
        (
            "the root is exp(-lambda / (2 rho))",
            2 * rho * (high ** (1 / rho) - low ** (1 / rho)) * exp(_log_snr(rho) / (2 * rho)),
        ),
    )
    yield chain("lambda by the root", _log_snr(rho), ("lambda is -2 log sigma", -2 * rho * log(_root(rho))))
    yield chain(
        "It starts at the noisy end", karras_sigma(S.Zero, rho, low, high), ("the root is undone", high)
    )
    yield chain("It ends at the clean end", karras_sigma(S.One, rho, low, high), ("the root is undone", low))
    yield chain(
        "rho = 1 is equidistant in sigma",
        karras_sigma(u, S.One, low, high),
        ("no root is taken", (1 - u) * high + u * low),
    )


def _limit() -> Iterable[Chain]:
    f = log((1 - u) * exp(p * a) + u * exp(p * b))
    w = u * exp(p * b) / ((1 - u) * exp(p * a) + u * exp(p * b))
    yield chain(
        "lambda by f, for p = 1 / rho",
        log_snr(variance_exploding(karras_sigma(u, 1 / p, exp(b), exp(a)))),
        ("powers of exponentials", -2 / p * f),
    )
    yield chain("f at 0", at(f, p, 0), ("1 - u + u", S.Zero))
    yield chain("f' at 0", at(rate(f, p), p, 0), ("the mean of the logarithms", (1 - u) * a + u * b))
    yield chain("f'' is a variance", rate(rate(f, p), p), ("differentiate twice", w * (1 - w) * (a - b) ** 2))
    yield chain(
        "It is at most a quarter", Rational(1, 4) - w * (1 - w), ("a square", (Rational(1, 2) - w) ** 2)
    )


def false_variants() -> Iterable[Variant]:
    inner = (inside(u),)
    yield Variant(
        name="exp(-lambda / rho) is equidistant",
        left=exp(-_log_snr(rho) / rho),
        right=_root(rho),
        hypotheses=inner,
    )
    yield Variant(
        name="rho = 1 is equidistant in lambda",
        left=_log_snr(S.One),
        right=-2 * ((1 - u) * log(high) + u * log(low)),
        hypotheses=inner,
    )
    yield Variant(
        name="levels are denser where lambda is large",
        left=rate(-2 * rho * log(_root(rho)), u),
        right=2 * rho * (high ** (1 / rho) - low ** (1 / rho)) * exp(-_log_snr(rho) / (2 * rho)),
        hypotheses=inner,
    )
    yield Variant(
        name="the noisy and the clean end exchanged",
        left=karras_sigma(u, rho, low, high),
        right=karras_sigma(u, rho, high, low),
        hypotheses=inner,
    )
