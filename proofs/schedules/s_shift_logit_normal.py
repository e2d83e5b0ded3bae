r"""Shifting logit-normal times, the mean of their logit, or the log-SNR, is the same.

Let t be logit-normal, so that log(t / (1 - t)) is N(m, s^2), on the flow-matching schedule. The timestep
shift by k adds log k to the logit: the density of t' is the logit-normal one of mean m + log k, and lambda
= -2 logit(t) is N(-2 m, 4 s^2), so that it is shifted by -2 log k. Resolution: from the mean over n pixels
of a constant image, the noise ratio appears divided by sqrt(n). It appears the same at n' pixels if it is
multiplied by k = sqrt(n' / n), which for d^2 and d'^2 pixels is the log-SNR shift 2 log(d / d').

Not claimed: that images are constant, or which shift trains best; the end points of time.
"""

from collections.abc import Iterable
from typing import Any

from sympy import exp, log, pi, sqrt, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import log_snr, noise_ratio
from equiv.formulas.schedules import flow_matching, sd3_shift
from equiv.formulas.weightings import flow_matching_rate
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import inside, t

CLAIM = Claim(
    id="s-shift-logit-normal",
    title="Shifts of time, of its logit and of the log-SNR are one",
    statement=r"t \sim \mathrm{LN}(m, s^2) \implies \frac{k t}{1 + (k - 1) t} \sim \mathrm{LN}(m + \log k,"
    r" s^2),"
    r" \qquad \lambda \sim N(-2 m, 4 s^2) \to N(-2 m - 2 \log k, 4 s^2), \qquad k = \sqrt{n' / n}",
    source=Source(seed="003", section="Training", equation="implied: the weighting of Stable Diffusion 3"),
    needs=("s-sd3-shift",),
    cites=("change of variables, for the density of the shifted time",),
)

k, std, n, more, d, larger = symbols("k s n n' d d'", positive=True)
m = symbols("m", real=True)


def _logit(time: Any) -> Any:
    return log(time / (1 - time))


def _normal(value: Any, centre: Any, width: Any) -> Any:
    return exp(-((value - centre) ** 2) / (2 * width**2)) / (width * sqrt(2 * pi))


def _logit_normal(time: Any, centre: Any) -> Any:
    """The density of a time whose logit is normal."""
    return _normal(_logit(time), centre, std) / (time * (1 - time))


def derivation() -> Derivation:
    shifted = sd3_shift(t, k)
    lambda_t = log_snr(flow_matching(t))
    return Derivation(
        chains=(
            chain(
                "The logit is shifted",
                _logit(shifted),
                ("t' / (1 - t') is k t / (1 - t)", log(k * t / (1 - t))),
                ("the logarithm of a product", _logit(t) + log(k)),
            ),
            chain(
                "The density of the shifted time",
                _logit_normal(shifted, m + log(k)) * rate(shifted),
                (
                    "t' (1 - t') is k t (1 - t) / (1 + (k - 1) t)^2, and t' grows at k / (1 + (k - 1) t)^2",
                    _normal(_logit(t) + log(k), m + log(k), std) / (t * (1 - t)),
                ),
                ("log k cancels", _logit_normal(t, m)),
            ),
            chain("The log-SNR is minus twice the logit", lambda_t, ("", -2 * _logit(t))),
            chain(
                "The density of the log-SNR",
                _logit_normal(t, m) / flow_matching_rate(t),
                ("it falls at 2 / (t (1 - t))", _normal(lambda_t, -2 * m, 2 * std)),
            ),
            chain(
                "The mean over more pixels appears as noisy at a larger noise ratio",
                sqrt(more / n) * noise_ratio(flow_matching(t)) / sqrt(more),
                ("k is sqrt(n' / n)", noise_ratio(flow_matching(t)) / sqrt(n)),
            ),
            chain(
                "The shift for a resolution",
                -2 * log(sqrt(larger**2 / d**2)),
                ("n is d^2", 2 * log(d / larger)),
            ),
        ),
        hypotheses=(inside(t),),
    )


def false_variants() -> Iterable[Variant]:
    shifted = sd3_shift(t, k)
    lambda_t = log_snr(flow_matching(t))
    for name, centre in (
        ("the mean is shifted by -log k", m - log(k)),
        ("the mean is shifted by 2 log k", m + 2 * log(k)),
        ("the mean is multiplied by k", m * k),
    ):
        yield Variant(
            name=name,
            left=_logit_normal(shifted, centre) * rate(shifted),
            right=_logit_normal(t, m),
            hypotheses=(inside(t),),
        )
    yield Variant(
        name="the density of the shifted time, without its rate",
        left=_logit_normal(shifted, m + log(k)),
        right=_logit_normal(t, m),
        hypotheses=(inside(t),),
    )
    yield Variant(
        name="the log-SNR has the variance s^2",
        left=_logit_normal(t, m) / flow_matching_rate(t),
        right=_normal(lambda_t, -2 * m, std),
        hypotheses=(inside(t),),
    )
    yield Variant(
        name="the shift for a resolution is the log of the ratio of pixels",
        left=-2 * log(sqrt(larger**2 / d**2)),
        right=2 * log(d**2 / larger**2),
    )
