r"""The weightings in use, as functions of the log-SNR.

A loss draws times with some density and weighs a mean square error; its weighting of the noise error is the
factor of that error times the density of log-SNRs. Each is computed from its schedule, as a function of t,
and shown to be the named function of the log-SNR at t, so that the functions are equal on the log-SNRs that
the schedule runs through: all of them, but for DDPM, whose last is finite.

Not claimed: the constants, of which a loss is free; schedules cut off at the ends; which weighting is
best.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Min, Ne, Rational, S, cosh, exp, log, pi, sin, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, log_snr
from equiv.formulas.schedules import cosine, ddpm_linear, flow_matching, variance_exploding
from equiv.formulas.weightings import mse_factor_u, mse_factor_x
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import inside, now, positive, t

CLAIM = Claim(
    id="l-weight-table",
    title="The weightings in use",
    statement=r"w_{\epsilon, \cos} = \frac{\operatorname{sech} \frac\lambda2}{2 \pi}, \quad"
    r" w_{\epsilon, \mathrm{linear}} = \frac1{(1 + e^\lambda)"
    r" \sqrt{\beta_0^2 + 2 (\beta_1 - \beta_0) \log(1 + e^{-\lambda})}}, \quad"
    r" w_{\mathrm{InDI}} = \tfrac18 e^{-\lambda} \operatorname{sech}^2 \tfrac\lambda4, \quad"
    r" w_{\mathrm{EDM}} = N(\lambda; 2.4, 2.4^2) (1 + 4 e^{-\lambda}), \quad"
    r" w_{\mathrm{SD3}} = N(\lambda; -2 m, 4 s^2) (1 + e^{-\lambda/2})^2, \quad"
    r" w_{\mathrm{cosmap}} = \frac{\operatorname{sech} \frac\lambda2}{2 \pi} (1 + e^{-\lambda/2})^2",
    source=Source(seed="003", section="Training", equation="the plot of weighting functions"),
    needs=("l-lambda-densities", "p-mse-table"),
)

m, gamma, shift = symbols("m gamma b", real=True)
s, sigma, sigma_data, k, power, beta, growth = symbols("s sigma sigma_d k p beta_0 D", positive=True)


def _density(schedule: Level[Any], time: Any = t) -> Any:
    """The density of log-SNRs for uniform times: one over the rate at which the log-SNR falls."""
    return 1 / -rate(log_snr(schedule), time)


def _normal(x: Any, mean: Any, deviation: Any) -> Any:
    return exp(-((x - mean) ** 2) / (2 * deviation**2)) / (sqrt(2 * pi) * deviation)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_on_the_cosine(), *_on_the_straight_path(), *_ddpm(), *_edm(), *_sigmoid()),
        hypotheses=(inside(t), *positive(cosine(t)), Ne(sin(pi * t), 0, evaluate=False)),
    )


def _sech(x: Any) -> Any:
    return 1 / cosh(x)


def _on_the_cosine() -> Iterable[Chain]:
    lambda_t, level = log_snr(cosine(t)), log_snr(now)
    yield chain(
        "eps, as in iDDPM",
        _density(cosine(t)),
        ("sin(pi t) is sech(lambda/2)", _sech(lambda_t / 2) / (2 * pi)),
    )
    yield chain(
        "min-SNR, the error of x by min(SNR, gamma), has this times that",
        Min(exp(level), gamma) * mse_factor_x(now),
        ("the factor of x is 1 / SNR", Min(exp(level), gamma) / exp(level)),
        ("divide inside the minimum", Min(1, gamma * exp(-level))),
    )
    yield chain(
        "P2, the error of eps by 1 / (k + SNR)^p, has this times that",
        (k + (now.alpha / now.sigma) ** 2) ** -power,
        ("the SNR is exp(lambda)", (k + exp(level)) ** -power),
    )


def _on_the_straight_path() -> Iterable[Chain]:
    level = flow_matching(t)
    lambda_t = log_snr(level)
    of_u = (1 + exp(-lambda_t / 2)) ** 2
    yield chain(
        "x, as in InDI",
        mse_factor_x(level) * _density(level),
        ("the factor of x, and the logistic density", exp(-lambda_t) / (8 * cosh(lambda_t / 4) ** 2)),
    )
    logit = log(t / (1 - t))
    yield chain(
        "u at a time whose logit is normal, as in Stable Diffusion 3",
        mse_factor_u(level) * (_normal(logit, m, s) * rate(logit)) * _density(level),
        ("the factor of u, and the normal density", _normal(lambda_t, -2 * m, 2 * s) * of_u),
    )
    cosmap = 2 / (pi - 2 * pi * t + 2 * pi * t**2)
    yield chain(
        "u at a time drawn by the cosine map of Stable Diffusion 3",
        mse_factor_u(level) * cosmap * _density(level),
        ("t (1 - t) / (t^2 + (1 - t)^2) is sech(lambda/2) / 2", _sech(lambda_t / 2) / (2 * pi) * of_u),
    )
    angle = cosine(t)
    straight_time = angle.sigma / (angle.alpha + angle.sigma)
    yield chain(
        "The cosine map draws the straight time of a uniform cosine time",
        rate(straight_time) * 2 / (pi - 2 * pi * straight_time + 2 * pi * straight_time**2),
        ("the density at the image, times the derivative", S.One),
    )


def _ddpm() -> Iterable[Chain]:
    lambda_t = log_snr(ddpm_linear(t, beta, beta + growth))
    total = beta * t + growth * t**2 / 2
    by_total = -log(exp(total) - 1)
    yield chain(
        "The log-SNR of DDPM's schedule of linear rate, D = beta_1 - beta_0",
        lambda_t,
        ("alpha is exp(-B/2)", by_total),
    )
    yield chain(
        "eps on that schedule",
        1 / -rate(by_total),
        ("differentiate", (1 - exp(-total)) / (beta + growth * t)),
        ("(beta_0 + D t)^2 is beta_0^2 + 2 D B", (1 - exp(-total)) / sqrt(beta**2 + 2 * growth * total)),
    )
    yield chain(
        "The same by the log-SNR: B is log(1 + exp(-lambda))",
        (1 - exp(-total)) / sqrt(beta**2 + 2 * growth * total),
        (
            "exp(-B) is 1 / (1 + exp(-lambda))",
            1 / (sqrt(beta**2 + 2 * growth * log(1 + exp(-lambda_t))) * (1 + exp(lambda_t))),
        ),
    )


def _edm() -> Iterable[Chain]:
    level = variance_exploding(sigma)
    lambda_t = log_snr(level)
    drawn = _normal(log(sigma), m, s) / sigma  # log sigma is normal
    yield chain(
        "x by 1 / sigma^2 + 1 / sigma_d^2, as in EDM",
        mse_factor_x(level)
        * ((sigma**2 + sigma_data**2) / (sigma * sigma_data) ** 2)
        * drawn
        * _density(level, sigma),
        (
            "the factor of x is sigma^2, and the density is normal",
            _normal(lambda_t, -2 * m, 2 * s) * (1 + exp(-lambda_t) / sigma_data**2),
        ),
    )
    half = Rational(1, 2)
    yield chain(
        "With EDM's sigma_d = 1/2",
        1 + exp(-lambda_t) / half**2,
        ("four times", 4 * (exp(-lambda_t) + Rational(1, 4))),
    )


def _sigmoid() -> Iterable[Chain]:
    level = log_snr(now)
    yield chain(
        "The sigmoid weighting of eps, as a weighting of x",
        mse_factor_x(now) ** -1 / (1 + exp(-(shift - level))),
        ("1 / the factor of x is exp(lambda)", exp(level) / (1 + exp(level - shift))),
        ("take out exp(b)", exp(shift) / (1 + exp(shift - level))),
    )


def false_variants() -> Iterable[Variant]:
    times = (inside(t),)
    circle, straight = cosine(t), flow_matching(t)
    lambda_c = log_snr(circle)
    ddpm = ddpm_linear(t, beta, beta + growth)
    lambda_d = log_snr(ddpm)
    for name, left, right in (
        ("eps on the cosine schedule: sech^2", _density(circle), _sech(lambda_c / 2) ** 2 / (2 * pi)),
        ("InDI without the factor of x", mse_factor_x(straight) * _density(straight), _density(straight)),
        (
            "DDPM with 1 + exp(-lambda)",
            _density(ddpm),
            1 / (sqrt(beta**2 + 2 * growth * log(1 + exp(-lambda_d))) * (1 + exp(-lambda_d))),
        ),
        (
            "DDPM with a constant rate",
            _density(ddpm),
            1 / (beta * (1 + exp(lambda_d))),
        ),
        (
            "min-SNR of x as if it were of eps",
            Min(exp(lambda_c), gamma) * mse_factor_x(circle) * _density(circle),
            _sech(lambda_c / 2) / (2 * pi) * Min(exp(lambda_c), gamma),
        ),
        (
            "the cosine map is uniform",
            2 / (pi - 2 * pi * t + 2 * pi * t**2),
            S.One,
        ),
    ):
        yield Variant(name=name, left=left, right=right, hypotheses=times)
    level = variance_exploding(sigma)
    lambda_e = log_snr(level)
    yield Variant(
        name="EDM with exp(-lambda) + sigma_d^2 undivided",
        left=mse_factor_x(level) * (sigma**2 + sigma_data**2) / (sigma * sigma_data) ** 2,
        right=exp(-lambda_e) + sigma_data**2,
    )
    yield Variant(
        name="the sigmoid of eps is that of x, at the same b",
        left=exp(log_snr(now)) / (1 + exp(log_snr(now) - shift)),
        right=1 / (1 + exp(shift - log_snr(now))),
    )
