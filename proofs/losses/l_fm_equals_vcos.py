r"""Flow matching and v-prediction on the cosine schedule weigh noise levels alike, up to a constant.

The mean square error of u under uniform times on the straight path has the weighting exp(-lambda/2) / 2;
that of v on the cosine schedule has exp(-lambda/2) / pi. They are proportional, by 2 / pi, at every
log-SNR. The source says that they are equal.

Not claimed: equal variance of the estimates, which depends on the density of lambda; weightings on part
of the range of lambda.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Ne, cosh, exp, pi, sin

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, log_snr
from equiv.formulas.schedules import cosine, flow_matching
from equiv.formulas.weightings import (
    MSE_FACTOR,
    cosine_rate,
    flow_matching_rate,
    flow_matching_weighting,
    mse_factor_u,
    mse_factor_v,
    v_cosine_weighting,
    weighting,
)
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import inside, now, positive, s, t

CLAIM = Claim(
    id="l-fm-equals-vcos",
    title="Flow matching weighs as v-prediction on the cosine schedule, up to 2/pi",
    statement=r"w_{\mathrm{FM}}(\lambda) = \tfrac12 e^{-\lambda/2}, \qquad"
    r" w_{v,\cos}(\lambda) = \tfrac1\pi e^{-\lambda/2} = \tfrac2\pi w_{\mathrm{FM}}(\lambda)",
    source=Source(seed="003", section="Training", equation="Flow matching weighting == v-MSE + cosine"),
    needs=("p-mse-table",),
    erratum="E6",
    as_written=r"w_{\mathrm{FM}}(\lambda) = w_{v,\cos}(\lambda)",
)


def _rate_of(level: Level[Any]) -> Any:
    """How fast the log-SNR of a level falls."""
    return -rate(log_snr(level))


def derivation() -> Derivation:
    return Derivation(
        chains=(
            *_flow_matching(),
            *_v_cosine(),
            chain(
                "The ratio, at every log-SNR",
                v_cosine_weighting(log_snr(now)) / flow_matching_weighting(log_snr(now)),
                ("the exponentials cancel", 2 / pi),
            ),
        ),
        hypotheses=(inside(t), *positive(cosine(t)), Ne(sin(pi * t), 0, evaluate=False)),
    )


def _flow_matching() -> Iterable[Chain]:
    level = flow_matching(t)
    lambda_t = log_snr(level)
    yield chain(
        "The rate of flow matching", _rate_of(level), ("lambda is 2 log((1 - t) / t)", flow_matching_rate(t))
    )
    yield chain(
        "The rate of flow matching by the log-SNR",
        flow_matching_rate(t),
        ("t is 1 / (1 + exp(lambda/2))", 8 * cosh(lambda_t / 4) ** 2),
    )
    yield chain(
        "The weighting of flow matching",
        weighting(mse_factor_u(level), _rate_of(level)),
        ("the factor of u and the rate", (1 + exp(-lambda_t / 2)) ** 2 / (8 * cosh(lambda_t / 4) ** 2)),
        ("(1 + exp(-x))^2 is 4 exp(-x) cosh(x/2)^2", flow_matching_weighting(lambda_t)),
    )


def _v_cosine() -> Iterable[Chain]:
    level = cosine(t)
    lambda_t = log_snr(level)
    yield chain(
        "The rate of the cosine schedule", _rate_of(level), ("lambda is -2 log tan(pi t / 2)", cosine_rate(t))
    )
    yield chain(
        "The rate of the cosine schedule by the log-SNR",
        cosine_rate(t),
        ("sin(pi t) is 1 / cosh(lambda/2)", 2 * pi * cosh(lambda_t / 2)),
    )
    yield chain(
        "The weighting of v on the cosine schedule",
        weighting(mse_factor_v(level), _rate_of(level)),
        ("the factor of v and the rate", (1 + exp(-lambda_t)) / (2 * pi * cosh(lambda_t / 2))),
        ("1 + exp(-x) is 2 exp(-x/2) cosh(x/2)", v_cosine_weighting(lambda_t)),
    )


def false_variants() -> Iterable[Variant]:
    times = (inside(t), inside(s))
    for kind in ("eps", "x", "u"):
        yield Variant(
            name=f"{kind} on the cosine schedule weighs as exp(-lambda/2), up to a constant",
            left=_share(kind, cosine, cosine_rate),
            right=exp((log_snr(cosine(s)) - log_snr(cosine(t))) / 2),
            hypotheses=times,
        )
    yield Variant(
        name="v on the flow-matching schedule weighs as exp(-lambda/2), up to a constant",
        left=_share("v", flow_matching, flow_matching_rate),
        right=exp((log_snr(flow_matching(s)) - log_snr(flow_matching(t))) / 2),
        hypotheses=times,
    )
    yield Variant(
        name="the ratio is pi / 2",
        left=v_cosine_weighting(log_snr(now)) / flow_matching_weighting(log_snr(now)),
        right=pi / 2,
    )
    yield Variant(
        name="both weigh as exp(-lambda)",
        left=flow_matching_weighting(log_snr(now)),
        right=exp(-log_snr(now)) / 2,
    )


def _share(kind: str, schedule: Any, rate: Any) -> Any:
    """The weighting at time t per weighting at time s, free of constants."""
    at_t, at_s = (weighting(MSE_FACTOR[kind](schedule(time)), rate(time)) for time in (t, s))
    return at_t / at_s


def as_written() -> Iterable[Variant]:
    yield Variant(
        name="the weightings are equal",
        left=flow_matching_weighting(log_snr(now)),
        right=v_cosine_weighting(log_snr(now)),
    )
