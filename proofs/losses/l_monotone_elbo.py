r"""A weighting that does not increase with the log-SNR is a mixture of weightings with one cut-off each.

With m(lambda) >= 0 the error of eps and K(lambda) half its integral up to lambda, the loss of weight one on
levels noisier than that (in the literature minus the evidence lower bound of data with noise of that level,
up to a constant, which is not shown here), half the integral of w m is w(lambda_max) K(lambda_max) plus
that of (-w') K: both grow alike with lambda_max and start at zero. So it is a mixture of the K with weights
that are not negative if w' <= 0. For the weightings of l-weight-table the derivatives are written as
products of signs plain to see. Falling: flow matching and v on the cosine schedule, InDI, x on the cosine
schedule, the cosine map, the sigmoid, and v on DDPM's schedule. Rising somewhere: eps on the cosine
schedule and min-SNR there (below 0 and log gamma), P2 with k > 0 (where lambda is low enough), EDM and
Stable Diffusion 3 (below what is shown), and eps on DDPM's schedule with its constants (near t = 1).

Not claimed: that K bounds a likelihood; that monotone weightings train better; the sign of w' elsewhere
where it changes.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, Integral, Lambda, Rational, S, cosh, exp, pi, symbols, tanh

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.weightings import flow_matching_weighting
from equiv.proofs._calculus import at, rate
from equiv.proofs._symbols import t

CLAIM = Claim(
    id="l-monotone-elbo",
    title="Falling weightings are mixtures of the loss of weight one, cut off",
    statement=r"\tfrac12 \int_{\lambda_{\min}}^{\lambda_{\max}} w\, m\, d\lambda"
    r" = w(\lambda_{\max}) K(\lambda_{\max}) + \int_{\lambda_{\min}}^{\lambda_{\max}} (-w')\, K\, d\lambda,"
    r" \qquad K(\lambda) = \tfrac12 \int_{\lambda_{\min}}^\lambda m",
    source=Source(
        seed="003", section="Training", equation="implied: Kingma and Gao, which the source follows"
    ),
    needs=("l-likelihood-weight", "l-weight-table"),
)

weight, error = Function("w", real=True), Function("m", positive=True)
lowest, top, level = symbols("lambda_min lambda_max ell", real=True)
lambda_t, b, mean = symbols("lambda b m", real=True)
s, k, power, beta, growth, y, sigma_data = symbols("s k p beta_0 D y sigma_d", positive=True)


def _bound(until: Any) -> Any:
    return Integral(error(level), (level, lowest, until)) / 2


def derivation() -> Derivation:
    return Derivation(chains=(*_mixture(), *_falling(), *_v_on_ddpm(), *_rising(), *_eps_on_ddpm()))


def _mixture() -> Iterable[Chain]:
    half = Integral(weight(level) * error(level), (level, lowest, top)) / 2
    mixed = weight(top) * _bound(top) + Integral(
        -rate(weight(level), level) * _bound(level), (level, lowest, top)
    )
    yield chain(
        "The mixture grows with the largest log-SNR",
        rate(mixed, top),
        ("w' K cancels", weight(top) * error(top) / 2),
        ("as the loss", rate(half, top)),
    )
    yield chain("The mixture over no log-SNRs", at(mixed, top, lowest), ("empty integrals", S.Zero))
    yield chain("The loss over no log-SNRs", at(half, top, lowest), ("an empty integral", S.Zero))


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + exp(-x))


def _falling() -> Iterable[Chain]:
    """The derivative is minus a product of positive things."""
    w = flow_matching_weighting(lambda_t)
    yield chain(
        "Flow matching, and v on the cosine schedule by 2 / pi", rate(w, lambda_t), ("-1/2 of it", -w / 2)
    )
    indi = exp(-lambda_t) / (8 * cosh(lambda_t / 4) ** 2)
    yield chain(
        "InDI",
        rate(indi, lambda_t),
        (
            "1 + tanh(lambda/4) / 2 is positive",
            -indi * (3 * exp(lambda_t / 4) + exp(-lambda_t / 4)) / (4 * cosh(lambda_t / 4)),
        ),
    )
    yield chain(
        "The sigmoid",
        rate(_sigmoid(b - lambda_t), lambda_t),
        ("minus a logistic density", -_sigmoid(b - lambda_t) * _sigmoid(lambda_t - b)),
    )
    ratio = exp(-lambda_t / 2)
    cubic, quartic = 3 + y**2, 1 + 4 * y + 2 * y**2 + y**4
    for name, factor, by_ratio, slope in (
        ("x on the cosine schedule", ratio**2, y**3 / (1 + y**2), y**2 * cubic / (1 + y**2) ** 2),
        ("The cosine map", (1 + ratio) ** 2, y * (1 + y) ** 2 / (1 + y**2), quartic / (1 + y**2) ** 2),
    ):
        yield chain(
            f"{name}, by the noise ratio y = exp(-lambda/2)",
            factor / cosh(lambda_t / 2) / 2,
            ("sech(lambda/2) is 2 y / (1 + y^2)", at(by_ratio, y, ratio)),
        )
        yield chain(f"{name}: grows with y, so falls with lambda", rate(by_ratio, y), ("positive", slope))


def _v_on_ddpm() -> Iterable[Chain]:
    """(1 + exp(-lambda)) / (-lambda'), by t, in which the log-SNR falls."""
    total, pace = beta * t + growth * t**2 / 2, beta + growth * t
    w = (exp(total) - 1) / pace
    u = t.func("u", positive=True)
    convex = total * exp(total) - exp(total) + 1
    yield chain(
        "v on DDPM's schedule: the factor 1 + exp(-lambda), which is exp(B), and the density of log-SNRs",
        exp(total) * ((1 - exp(-total)) / pace),
        ("multiply", w),
    )
    yield chain(
        "v on DDPM's schedule grows with t, so falls with lambda",
        rate(w, t),
        (
            "the quotient rule, with pace^2 = beta_0^2 + 2 D B",
            (exp(total) * (beta**2 + growth * total) + growth * convex) / pace**2,
        ),
    )
    of_total = u * exp(u) - exp(u) + 1
    yield chain(
        "Here B exp(B) - exp(B) + 1 is positive: it grows", rate(of_total, u), ("positive", u * exp(u))
    )
    yield chain("... from zero", at(of_total, u, 0), ("-1 + 1", S.Zero))


def _rising() -> Iterable[Chain]:
    """The relative derivative, of which the sign is plain to see at low log-SNRs."""
    secant = 1 / (2 * pi * cosh(lambda_t / 2))
    yield chain(
        "eps on the cosine schedule, and min-SNR below log gamma",
        _relative(secant),
        ("positive below 0", tanh(-lambda_t / 2) / 2),
    )
    yield chain(
        "P2",
        _relative(secant * (k + exp(lambda_t)) ** -power),
        (
            "tends to 1/2 at low log-SNRs",
            tanh(-lambda_t / 2) / 2 - power * exp(lambda_t) / (k + exp(lambda_t)),
        ),
    )
    normal = exp(-((lambda_t - mean) ** 2) / (2 * s**2))
    yield chain(
        "EDM",
        _relative(normal * (exp(-lambda_t) / sigma_data**2 + 1)),
        (
            "positive below mean - s^2",
            (mean - s**2 - lambda_t) / s**2 + sigma_data**2 / (exp(-lambda_t) + sigma_data**2),
        ),
    )
    yield chain(
        "Stable Diffusion 3",
        _relative(normal * (1 + exp(-lambda_t / 2)) ** 2),
        ("positive below mean - s^2", (mean - s**2 - lambda_t) / s**2 + 1 / (1 + exp(-lambda_t / 2))),
    )


def _relative(w: Any) -> Any:
    return rate(w, lambda_t) / w


def _eps_on_ddpm() -> Iterable[Chain]:
    """One over the rate, by t: (1 - exp(-B)) / B'. It falls at t = 1, where the log-SNR falls as well."""
    beta_0, slope = Rational(1, 10), Rational(199, 10)
    w = (1 - exp(-(beta_0 * t + slope * t**2 / 2))) / (beta_0 + slope * t)
    yield chain(
        "eps on DDPM's schedule, at t = 1: falls with t, so rises with lambda",
        at(rate(w, t), t, 1),
        (
            "exp(-10.05) times 1.05 is less than 0.04975",
            exp(-Rational(201, 20)) * Rational(4199, 4000) - Rational(199, 4000),
        ),
    )


def false_variants() -> Iterable[Variant]:
    functions = {weight: Lambda(t, exp(-t)), error: Lambda(t, exp(t))}
    half = Integral(weight(level) * error(level), (level, 0, 1)) / 2
    part = Integral(-rate(weight(level), level) * Integral(error(t), (t, 0, level)) / 2, (level, 0, 1))
    end = weight(S.One) * Integral(error(t), (t, 0, 1)) / 2
    for name, right in (
        ("without the bound at the largest log-SNR", part),
        ("with w' in place of -w'", end - part),
        ("with the whole error in the bounds", 2 * end + 2 * part),
    ):
        yield Variant(name=name, left=half, right=right, instance=functions)
    secant = 1 / (2 * pi * cosh(lambda_t / 2))
    yield Variant(
        name="eps on the cosine schedule falls everywhere: |w'| is -w'",
        left=abs(rate(secant, lambda_t)),
        right=-rate(secant, lambda_t),
    )
    yield Variant(
        name="InDI decays at the rate of flow matching",
        left=_relative(exp(-lambda_t) / cosh(lambda_t / 4) ** 2),
        right=-S.One / 2,
    )
