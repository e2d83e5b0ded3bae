r"""The preconditioning of EDM follows from unit variances and least amplification.

The network sees c_in (x + n) and its raw target is F = (x - c_skip (x + n)) / c_out, with data of mean zero
and variance s_d^2 and independent noise of variance sigma^2. A unit input variance gives c_in; a unit
target variance gives c_out as a function of c_skip, and the square of c_out is least at one c_skip. There
the target is uncorrelated with the input, and the loss weight 1 / c_out^2 makes the raw error count once.
c_noise = log(sigma) / 4 is -lambda / 8.

Not claimed: that the target is independent of the input; that these choices train best.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, log, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import log_snr
from equiv.formulas.schedules import variance_exploding
from equiv.proofs._calculus import mean

CLAIM = Claim(
    id="p-edm-precond",
    title="The preconditioning of EDM",
    statement=r"c_{\mathrm{in}} = \frac1{\sqrt{\sigma^2 + \sigma_d^2}},\quad"
    r" c_{\mathrm{skip}} = \frac{\sigma_d^2}{\sigma^2 + \sigma_d^2},\quad"
    r" c_{\mathrm{out}} = \frac{\sigma \sigma_d}{\sqrt{\sigma^2 + \sigma_d^2}},\quad"
    r" c_{\mathrm{noise}} = \tfrac14 \ln \sigma = -\tfrac18 \lambda",
    source=Source(seed="003", section="Training", equation="implied: the EDM weighting"),
)

x, n, skip = symbols("x n c_skip", real=True)
sigma, s_d, out = symbols("sigma s_d c_out", positive=True)
TOTAL = sigma**2 + s_d**2


def _mean(e: Any) -> Any:
    """Over centred data and independent centred noise; covariances of linear functions need no more."""
    over_noise = mean(e, n, {0: S.One, 1: S.Zero, 2: sigma**2})
    return mean(over_noise, x, {0: S.One, 1: S.Zero, 2: s_d**2})


def _target(keep: Any, scale: Any) -> Any:
    return (x - keep * (x + n)) / scale


def derivation() -> Derivation:
    return Derivation(chains=(*_variances(), *_at_the_optimum()))


def _variances() -> Iterable[Chain]:
    best = s_d**2 / TOTAL
    yield chain(
        "The variance of the network's input",
        _mean((1 / sqrt(TOTAL) * (x + n)) ** 2),
        ("data and noise are independent", (1 / sqrt(TOTAL)) ** 2 * TOTAL),
        ("one", S.One),
    )
    yield chain(
        "The variance of the raw target, times c_out^2",
        out**2 * _mean(_target(skip, out) ** 2),
        ("data and noise are independent", (1 - skip) ** 2 * s_d**2 + skip**2 * sigma**2),
        ("complete the square: least at c_skip", sigma**2 * s_d**2 / TOTAL + TOTAL * (skip - best) ** 2),
    )


def _at_the_optimum() -> Iterable[Chain]:
    best, scale = s_d**2 / TOTAL, sigma * s_d / sqrt(TOTAL)
    target = _target(best, scale)
    yield chain("The variance of the raw target", _mean(target**2), ("c_out^2 is that least value", S.One))
    yield chain(
        "The target is uncorrelated with the input",
        _mean((x - best * (x + n)) * (x + n)),
        ("independent", s_d**2 - best * TOTAL),
        ("c_skip is the regression coefficient", S.Zero),
    )
    yield chain("The loss weight", TOTAL / (sigma * s_d) ** 2 * scale**2, ("1 / c_out^2", S.One))
    yield chain(
        "The noise label",
        log(sigma) / 4,
        ("lambda is -2 log sigma", -log_snr(variance_exploding(sigma)) / 8),
    )


def false_variants() -> Iterable[Variant]:
    variance = out**2 * _mean(_target(skip, out) ** 2)
    best, scale = s_d**2 / TOTAL, sigma * s_d / sqrt(TOTAL)
    yield Variant(
        name="least at sigma^2 / (sigma^2 + s_d^2)",
        left=variance,
        right=sigma**2 * s_d**2 / TOTAL + TOTAL * (skip - sigma**2 / TOTAL) ** 2,
    )
    yield Variant(
        name="c_out without the data's spread",
        left=_mean(_target(best, sigma / sqrt(TOTAL)) ** 2),
        right=S.One,
    )
    yield Variant(
        name="c_in with standard deviations added", left=_mean(((x + n) / (sigma + s_d)) ** 2), right=S.One
    )
    yield Variant(
        name="without a skip the target is uncorrelated with the input", left=_mean(x * (x + n)), right=S.Zero
    )
    yield Variant(
        name="the loss weight is 1 / c_out", left=sqrt(TOTAL) / (sigma * s_d) * scale**2, right=S.One
    )
    yield Variant(
        name="the noise label is lambda / 8",
        left=log(sigma) / 4,
        right=log_snr(variance_exploding(sigma)) / 8,
    )
