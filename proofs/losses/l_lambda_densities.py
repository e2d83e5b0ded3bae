r"""Which log-SNRs a training time draws.

For a time with density p on a schedule whose log-SNR falls, the log-SNR has the density p / (-lambda').
Uniform times give the logistic law of scale 2 on the straight path, and the hyperbolic secant law on the
cosine schedule. If the log of the noise ratio is normal with mean m and deviation s, as EDM draws log
sigma and Stable Diffusion 3 draws logit t, the log-SNR is normal with mean -2 m and deviation 2 s: N(2.4,
2.4^2) for EDM's -1.2 and 1.2.

Not claimed: which density trains best; schedules cut off at a largest or least log-SNR.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Ne, Rational, cosh, evaluate, exp, log, pi, sin, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, log_snr, noise_ratio
from equiv.formulas.schedules import cosine, flow_matching, variance_exploding
from equiv.formulas.weightings import cosine_rate
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import inside, positive, t

CLAIM = Claim(
    id="l-lambda-densities",
    title="The log-SNRs that training times draw",
    statement=r"t \sim U(0, 1): \  p_{\mathrm{FM}}(\lambda) = \tfrac18 \operatorname{sech}^2 \tfrac\lambda4,"
    r"\quad p_{\cos}(\lambda) = \tfrac1{2\pi} \operatorname{sech} \tfrac\lambda2; \qquad"
    r" \log \tfrac\sigma\alpha \sim N(m, s^2):\quad \lambda \sim N(-2 m, 4 s^2)",
    source=Source(seed="003", section="Training", equation="implied: the plot of weighting functions"),
    cites=("change of variables, for the density of the log-SNR",),
)

m, level = symbols("m ell", real=True)
s, noise = symbols("s sigma", positive=True)


def _density(of_time: Any, schedule: Level[Any], time: Any = t) -> Any:
    return of_time / -rate(log_snr(schedule), time)


def _normal(x: Any, mean: Any, deviation: Any) -> Any:
    return exp(-((x - mean) ** 2) / (2 * deviation**2)) / (sqrt(2 * pi) * deviation)


def _logistic(x: Any) -> Any:
    """The distribution function of the logistic law of scale 2."""
    return 1 / (1 + exp(-x / 2))


def derivation() -> Derivation:
    return Derivation(
        chains=(*_uniform(), *_normal_in_the_log()),
        hypotheses=(inside(t), *positive(cosine(t)), Ne(sin(pi * t), 0, evaluate=False)),
    )


def _uniform() -> Iterable[Chain]:
    straight, circular = log_snr(flow_matching(t)), log_snr(cosine(t))
    yield chain(
        "Uniform times on the straight path",
        _density(1, flow_matching(t)),
        ("lambda is 2 log((1 - t) / t)", t * (1 - t) / 2),
        ("t is 1 / (1 + exp(lambda/2))", 1 / (8 * cosh(straight / 4) ** 2)),
    )
    yield chain(
        "It is the logistic density",
        rate(_logistic(level), level),
        ("differentiate", 1 / (8 * cosh(level / 4) ** 2)),
    )
    yield chain(
        "The share of times with a smaller log-SNR",
        1 - t,
        ("those after t; the logistic distribution", _logistic(straight)),
    )
    yield chain(
        "Uniform times on the cosine schedule",
        _density(1, cosine(t)),
        ("one over the rate", 1 / cosine_rate(t)),
        ("sin(pi t) is 1 / cosh(lambda/2)", 1 / (2 * pi * cosh(circular / 2))),
    )


def _normal_in_the_log() -> Iterable[Chain]:
    log_ratio = log(noise_ratio(variance_exploding(noise)))
    yield chain(
        "log sigma is normal, as in EDM",
        _density(_normal(log_ratio, m, s) / noise, variance_exploding(noise), noise),
        ("lambda is -2 log sigma", _normal(log_ratio, m, s) / 2),
        ("half of a normal", _normal(log_snr(variance_exploding(noise)), -2 * m, 2 * s)),
    )
    logit = log(t / (1 - t))
    yield chain(
        "logit t is normal on the straight path, as in Stable Diffusion 3",
        _density(_normal(logit, m, s) * rate(logit), flow_matching(t)),
        ("logit t is -lambda / 2", _normal(logit, m, s) / 2),
        ("half of a normal", _normal(log_snr(flow_matching(t)), -2 * m, 2 * s)),
    )
    with evaluate(True):
        edm = _normal(level, -2 * m, 2 * s).subs({m: -Rational(6, 5), s: Rational(6, 5)})
    yield chain(
        "With EDM's -1.2 and 1.2", edm, ("twice both", _normal(level, Rational(12, 5), Rational(12, 5)))
    )


def false_variants() -> Iterable[Variant]:
    straight, circular = log_snr(flow_matching(t)), log_snr(cosine(t))
    times = (inside(t),)
    for name, left, right in (
        (
            "the straight path: a secant, not its square",
            _density(1, flow_matching(t)),
            1 / (8 * cosh(straight / 4)),
        ),
        (
            "the straight path: a logistic law of scale 1",
            _density(1, flow_matching(t)),
            1 / (4 * cosh(straight / 2) ** 2),
        ),
        (
            "the cosine schedule: sech(lambda), not sech(lambda/2)",
            _density(1, cosine(t)),
            1 / (2 * pi * cosh(circular)),
        ),
        (
            "the cosine schedule draws as the straight path",
            _density(1, cosine(t)),
            1 / (8 * cosh(circular / 4) ** 2),
        ),
        ("the share of times with a larger log-SNR", t, _logistic(straight)),
    ):
        yield Variant(name=name, left=left, right=right, hypotheses=times)
    drawn = _density(_normal(log(noise), m, s) / noise, variance_exploding(noise), noise)
    lambda_t = log_snr(variance_exploding(noise))
    for name, mean, deviation in (
        ("the mean keeps its sign", 2 * m, 2 * s),
        ("the mean is not doubled", -m, 2 * s),
        ("the deviation is not doubled", -2 * m, s),
        ("the deviation is squared", -2 * m, 4 * s**2),
    ):
        yield Variant(name=name, left=drawn, right=_normal(lambda_t, mean, deviation))
