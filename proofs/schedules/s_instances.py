r"""Log-SNR, drift and diffusion of the schedules in use.

Flow matching: lambda = 2 log((1 - t) / t), f = -1 / (1 - t), g^2 = 2 t / (1 - t), and lambda falls at the
rate 2 / (t (1 - t)) = 8 cosh(lambda/4)^2. Cosine: lambda = -2 log tan(pi t / 2), f = -(pi/2) tan(pi t / 2),
g^2 = pi tan(pi t / 2), rate 2 pi / sin(pi t) = 2 pi cosh(lambda/2). DDPM with the linear rate beta = beta_0
+ D t: lambda = -log(exp(B) - 1), f = -beta/2, g^2 = beta, rate sqrt(beta_0^2 + 2 D log(1 + exp(-lambda)))
(1 + exp(lambda)).

Not claimed: the end points, where the log-SNR is infinite; the discrete tables that libraries make of
these.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Ne, cos, cosh, exp, log, pi, sin, sqrt, symbols, tan

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, log_snr, noise_ratio
from equiv.formulas.schedules import cosine, ddpm_linear, flow_matching
from equiv.formulas.weightings import cosine_rate, flow_matching_rate
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import inside, positive, t

CLAIM = Claim(
    id="s-instances",
    title="Log-SNR, drift and diffusion of the schedules in use",
    statement=r"\mathrm{FM}:\ f = -\tfrac1{1 - t},\ g^2 = \tfrac{2 t}{1 - t},"
    r"\ -\dot\lambda = \tfrac2{t (1 - t)}"
    r" = 8 \cosh^2\tfrac\lambda4; \qquad"
    r" \cos:\ f = -\tfrac\pi2 \tan\tfrac{\pi t}2,\ g^2 = \pi \tan\tfrac{\pi t}2,\ -\dot\lambda ="
    r" \tfrac{2 \pi}{\sin \pi t} = 2 \pi \cosh\tfrac\lambda2; \qquad"
    r" \mathrm{DDPM}:\ f = -\tfrac\beta2,\ g^2 = \beta,\ -\dot\lambda ="
    r" \sqrt{\beta_0^2 + 2 D \log(1 + e^{-\lambda})}\, (1 + e^\lambda)",
    source=Source(seed="003", section="SDE and ODE Perspective", equation="implied: the formulas of f and g"),
    needs=("s-fg-from-alphasigma",),
)

beta_0, slope = symbols("beta_0 D", positive=True)


def _drift(level: Level[Any]) -> Any:
    return rate(log(level.alpha))


def _diffusion_squared(level: Level[Any]) -> Any:
    return 2 * level.alpha * level.sigma * rate(noise_ratio(level))


def _falls_at(level: Level[Any]) -> Any:
    return -rate(log_snr(level))


def derivation() -> Derivation:
    return Derivation(
        chains=(*_flow_matching(), *_cosine(), *_ddpm()),
        hypotheses=(inside(t), *positive(cosine(t)), Ne(sin(pi * t), 0, evaluate=False)),
    )


def _flow_matching() -> Iterable[Chain]:
    level = flow_matching(t)
    yield chain("Flow matching: f", _drift(level), ("differentiate log(1 - t)", -1 / (1 - t)))
    yield chain(
        "Flow matching: g^2", _diffusion_squared(level), ("(t / (1 - t))' is 1 / (1 - t)^2", 2 * t / (1 - t))
    )
    yield chain(
        "Flow matching: the rate",
        _falls_at(level),
        ("lambda is 2 log((1 - t) / t)", flow_matching_rate(t)),
        ("t is 1 / (1 + exp(lambda/2))", 8 * cosh(log_snr(level) / 4) ** 2),
    )


def _cosine() -> Iterable[Chain]:
    level, angle = cosine(t), pi * t / 2
    yield chain("Cosine: the log-SNR", log_snr(level), ("sine over cosine", -2 * log(tan(angle))))
    yield chain("Cosine: f", _drift(level), ("differentiate log cos", -pi / 2 * tan(angle)))
    yield chain(
        "Cosine: g^2",
        _diffusion_squared(level),
        ("tan' is 1 / cos^2", 2 * cos(angle) * sin(angle) * (pi / 2 / cos(angle) ** 2)),
        ("cancel a cosine", pi * tan(angle)),
    )
    yield chain(
        "Cosine: the rate",
        _falls_at(level),
        ("lambda is -2 log tan(pi t / 2)", cosine_rate(t)),
        ("sin(pi t) is 1 / cosh(lambda/2)", 2 * pi * cosh(log_snr(level) / 2)),
    )


def _ddpm() -> Iterable[Chain]:
    level = ddpm_linear(t, beta_0, beta_0 + slope)
    beta, total = beta_0 + slope * t, beta_0 * t + slope * t**2 / 2
    lambda_t = log_snr(level)
    yield chain("DDPM: the log-SNR", lambda_t, ("exp(-B) over 1 - exp(-B)", -log(exp(total) - 1)))
    yield chain("DDPM: f", _drift(level), ("log alpha is -B/2", -beta / 2))
    yield chain("DDPM: g^2", _diffusion_squared(level), ("sigma^2 / alpha^2 is exp(B) - 1", beta))
    yield chain(
        "DDPM: the rate beta, by the log-SNR",
        beta,
        ("complete the square", sqrt(beta_0**2 + 2 * slope * total)),
        ("B is log(1 + exp(-lambda))", sqrt(beta_0**2 + 2 * slope * log(1 + exp(-lambda_t)))),
    )
    yield chain(
        "DDPM: the rate of the log-SNR",
        rate(log(exp(total) - 1)),
        ("differentiate", beta * exp(total) / (exp(total) - 1)),
        ("exp(lambda) is 1 / (exp(B) - 1)", beta * (1 + exp(lambda_t))),
        ("beta by the log-SNR", sqrt(beta_0**2 + 2 * slope * log(1 + exp(-lambda_t))) * (1 + exp(lambda_t))),
    )


def false_variants() -> Iterable[Variant]:
    flow, ddpm = flow_matching(t), ddpm_linear(t, beta_0, beta_0 + slope)
    hypotheses = (inside(t),)
    yield Variant(
        name="flow matching: g^2 is the rate of sigma^2",
        left=_diffusion_squared(flow),
        right=2 * t,
        hypotheses=hypotheses,
    )
    yield Variant(
        name="flow matching: the rate is 8 cosh(lambda/2)^2",
        left=_falls_at(flow),
        right=8 * cosh(log_snr(flow) / 2) ** 2,
        hypotheses=hypotheses,
    )
    yield Variant(
        name="cosine: g^2 is pi/2 tan(pi t / 2)",
        left=_diffusion_squared(cosine(t)),
        right=pi / 2 * tan(pi * t / 2),
        hypotheses=hypotheses,
    )
    yield Variant(
        name="DDPM: the rate without D twice",
        left=_falls_at(ddpm),
        right=sqrt(beta_0**2 + slope * log(1 + exp(-log_snr(ddpm)))) * (1 + exp(log_snr(ddpm))),
        hypotheses=hypotheses,
    )
    yield Variant(
        name="DDPM: the rate with exp(-lambda)",
        left=_falls_at(ddpm),
        right=(beta_0 + slope * t) * (1 + exp(-log_snr(ddpm))),
        hypotheses=hypotheses,
    )
