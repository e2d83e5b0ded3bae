r"""Min-SNR-gamma, for every prediction.

The weight min(S, gamma) on the mean square error of x, with S = exp(lambda), is the weight min(1, gamma /
S) on that of eps, min(S, gamma) / (1 + sqrt(S))^2 on that of u, and min(S, gamma) / ((alpha^2 + sigma^2) (S
+ 1)) on that of v, which is min(S, gamma) / (S + 1) on a variance-preserving schedule. Under uniform times
on the cosine schedule the weighting is sech(lambda/2) min(1, gamma exp(-lambda)) / (2 pi). S and gamma are
any positive numbers, so both branches of the minimum are covered.

Not claimed: which gamma is best; that the weighting is monotone in lambda.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, Min, cosh, exp, pi, sqrt, symbols, sympify

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, log_snr
from equiv.formulas.predictions import u_from_x, v_from_x, x_from_eps
from equiv.formulas.schedules import variance_preserving
from equiv.formulas.weightings import mse_factor_x, weighting
from equiv.proofs._symbols import eps_hat, z_t

CLAIM = Claim(
    id="l-min-snr",
    title="Min-SNR for every prediction",
    statement=r"\min(S, \gamma) \lVert \delta x \rVert^2 = \min(1, \tfrac\gamma S) \lVert \delta\epsilon"
    r" \rVert^2"
    r" = \frac{\min(S, \gamma)}{S + 1} \lVert \delta v \rVert^2"
    r" = \frac{\min(S, \gamma)}{(1 + \sqrt S)^2} \lVert \delta u \rVert^2, \qquad S = e^\lambda"
    r" \quad (v:\ \alpha^2 + \sigma^2 = 1)",
    source=Source(seed="003", section="Training", equation="implied: the plot of weightings"),
    needs=("p-mse-table", "s-instances"),
)

S, gamma, eps = symbols("S gamma epsilon", real=True)
c = symbols("c", positive=True)
POSITIVE = (Gt(S, 0, evaluate=False), Gt(gamma, 0, evaluate=False))
LEVEL = Level(c * sqrt(S), c)  # any level: its signal-to-noise ratio is S


def _errors(level: Level[Any]) -> dict[str, Any]:
    """The square errors of all predictions made of two noises at the same state."""
    x_hat, x = (x_from_eps(z_t, e, level) for e in (eps_hat, eps))
    return {
        "eps": (eps_hat - eps) ** 2,
        "x": (x_hat - x) ** 2,
        "v": (v_from_x(z_t, x_hat, level) - v_from_x(z_t, x, level)) ** 2,
        "u": (u_from_x(z_t, x_hat, level) - u_from_x(z_t, x, level)) ** 2,
    }


def derivation() -> Derivation:
    return Derivation(
        chains=(*_predictions(), *_cosine()),
        hypotheses=POSITIVE,
    )


def _predictions() -> Iterable[Chain]:
    error, preserving = _errors(LEVEL), variance_preserving(LEVEL)
    yield chain("S is the signal-to-noise ratio", exp(log_snr(LEVEL)), ("", S))
    yield chain(
        "On the error of eps",
        Min(S, gamma) * error["x"],
        ("that of x is that of eps over S", Min(S, gamma) / S * error["eps"]),
        ("S is positive", Min(1, gamma / S) * error["eps"]),
    )
    yield chain(
        "On the error of u",
        Min(S, gamma) * error["x"],
        ("that of u is (1 + sqrt(S))^2 that of x", Min(S, gamma) / (1 + sqrt(S)) ** 2 * error["u"]),
    )
    yield chain(
        "On the error of v",
        Min(S, gamma) * error["x"],
        (
            "that of v is (alpha^2 + sigma^2) (S + 1) that of x",
            Min(S, gamma) / ((LEVEL.alpha**2 + LEVEL.sigma**2) * (S + 1)) * error["v"],
        ),
    )
    yield chain(
        "Where the schedule is variance preserving",
        sum(part**2 for part in preserving),
        ("divided by the norm", sympify(1)),
    )


def _cosine() -> Iterable[Chain]:
    lambda_t = log_snr(LEVEL)
    yield chain(
        "Under uniform times on the cosine schedule, whose rate is 2 pi cosh(lambda/2)",
        weighting(Min(S, gamma) * mse_factor_x(LEVEL), 2 * pi * cosh(lambda_t / 2)),
        ("the factor of x is 1 / S", Min(1, gamma / S) / (2 * pi * cosh(lambda_t / 2))),
        ("S is exp(lambda)", Min(1, gamma * exp(-lambda_t)) / (2 * pi * cosh(lambda_t / 2))),
    )


def false_variants() -> Iterable[Variant]:
    error, preserving = _errors(LEVEL), _errors(variance_preserving(LEVEL))
    yield Variant(
        name="the same weight on the error of eps",
        left=Min(S, gamma) * error["x"],
        right=Min(S, gamma) * error["eps"],
        hypotheses=POSITIVE,
    )
    yield Variant(
        name="on v it is min(S, gamma) / S",
        left=Min(S, gamma) * preserving["x"],
        right=Min(S, gamma) / S * preserving["v"],
        hypotheses=POSITIVE,
    )
    yield Variant(
        name="on v it is min(S, gamma) / (S + 1) at any level",
        left=Min(S, gamma) * error["x"],
        right=Min(S, gamma) / (S + 1) * error["v"],
        hypotheses=POSITIVE,
    )
    yield Variant(
        name="on u it is min(S, gamma) / (1 + S)",
        left=Min(S, gamma) * error["x"],
        right=Min(S, gamma) / (1 + S) * error["u"],
        hypotheses=POSITIVE,
    )
    yield Variant(
        name="on eps it is max(1, gamma / S)",
        left=Min(S, gamma) * error["x"],
        right=(1 + gamma / S - Min(1, gamma / S)) * error["eps"],
        hypotheses=POSITIVE,
    )
