r"""The flow-matching schedule is made variance preserving by one over a root.

Scaled by 1 / sqrt((1 - t)^2 + t^2), the flow-matching level has alpha^2 + sigma^2 = 1, and the log-SNR it
had. The source leaves out the root; then alpha^2 + sigma^2 is 1 / ((1 - t)^2 + t^2), which is 2 at t =
1/2.

Not claimed: anything about samples. DDIM does not see the difference, since it does not depend on the
gauge.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Rational, S, sqrt

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, log_snr, rescaled
from equiv.formulas.schedules import flow_matching, variance_preserving
from equiv.proofs._symbols import inside, t

CLAIM = Claim(
    id="s-slider-vp",
    title="The scaling that makes flow matching variance preserving",
    statement=r"(\alpha_t, \sigma_t) = \frac{(1 - t,\ t)}{\sqrt{(1 - t)^2 + t^2}}"
    r" \implies \alpha_t^2 + \sigma_t^2 = 1",
    source=Source(seed="003", section="Sampling", equation="comment 2, the right end of the slider"),
    erratum="E1",
    as_written=r"(\alpha_t, \sigma_t) = \frac{(1 - t,\ t)}{(1 - t)^2 + t^2}"
    r" \implies \alpha_t^2 + \sigma_t^2 = 1",
)


def _squared_norm(level: Level[Any]) -> Any:
    return level.alpha**2 + level.sigma**2


def _scaled_by(scale: Any) -> Level[Any]:
    return rescaled(flow_matching(t), scale)


def derivation() -> Derivation:
    squares = (1 - t) ** 2 + t**2
    corrected, as_in_source = _scaled_by(1 / sqrt(squares)), _scaled_by(1 / squares)
    middle = rescaled(flow_matching(Rational(1, 2)), 1 / (Rational(1, 4) + Rational(1, 4)))
    return Derivation(
        chains=(
            chain(
                "The squares sum to one",
                _squared_norm(corrected),
                ("take out the scale", (1 / sqrt(squares)) ** 2 * squares),
                ("the square of the root", S.One),
            ),
            chain(
                "It is the variance-preserving level, in alpha",
                corrected.alpha,
                ("divided by its norm", variance_preserving(flow_matching(t)).alpha),
            ),
            chain(
                "It is the variance-preserving level, in sigma",
                corrected.sigma,
                ("divided by its norm", variance_preserving(flow_matching(t)).sigma),
            ),
            chain(
                "The log-SNR stays",
                log_snr(corrected),
                ("the scale cancels", log_snr(flow_matching(t))),
            ),
            chain(
                "Without the root",
                _squared_norm(as_in_source),
                ("take out the scale", (1 / squares) ** 2 * squares),
                ("one factor is left", 1 / squares),
            ),
            chain("Without the root, at t = 1/2", _squared_norm(middle), ("1 / (1/4 + 1/4)", S(2))),
        ),
        hypotheses=(inside(t),),
    )


def false_variants() -> Iterable[Variant]:
    squares = (1 - t) ** 2 + t**2
    for name, scale in (
        ("flow matching preserves the variance as it is", 1),
        ("the scale is the norm itself, not one over it", sqrt(squares)),
        ("the scale has the fourth root", 1 / sqrt(sqrt(squares))),
        ("the scale has the minus in the wrong place", 1 / sqrt(1 - 2 * t + t**2)),
    ):
        level = _scaled_by(scale)
        yield Variant(name=name, left=_squared_norm(level), right=S.One, hypotheses=(inside(t),))


def as_written() -> Iterable[Variant]:
    level = _scaled_by(1 / ((1 - t) ** 2 + t**2))
    yield Variant(
        name="the scale without the root", left=_squared_norm(level), right=S.One, hypotheses=(inside(t),)
    )
