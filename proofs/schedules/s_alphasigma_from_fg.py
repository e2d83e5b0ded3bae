r"""The schedule of a diffusion process: drift and diffusion determine signal and noise.

A process with drift f_t z and diffusion g_t has alpha' = f alpha and (sigma^2)' = 2 f sigma^2 + g^2. From
alpha_0 = 1 and sigma_0 = 0 these have one solution, alpha = exp(int f) and sigma^2 = alpha^2 int g^2 /
alpha^2: the quotient of any alpha and the stated one does not change, sigma^2 / alpha^2 has the derivative
g^2 / alpha^2, and what is stated solves both equations. The source leaves out the factor alpha: what it
calls sigma is sigma / alpha, which changes the log-SNR.

Not claimed: other initial values; drifts that are not integrable (alpha_1 = 0 only as a limit).
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, Integral, Lambda, Rational, S, exp, sqrt

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import at, rate
from equiv.proofs._symbols import s, t

CLAIM = Claim(
    id="s-alphasigma-from-fg",
    title="The schedule of a diffusion process",
    statement=r"\alpha_t = e^{\int_0^t f}, \qquad"
    r" \sigma_t = \alpha_t \left(\int_0^t g_s^2\, e^{-2 \int_0^s f}\, ds\right)^{1/2}"
    r" \qquad (\alpha_0 = 1,\ \sigma_0 = 0)",
    source=Source(seed="003", section="SDE and ODE Perspective", equation="from diffusion to flow matching"),
    erratum="E2",
    as_written=r"\sigma_t = \left(\int_0^t g_s^2\, e^{-2 \int_0^s f}\, ds\right)^{1/2}",
    cites=("Ito's formula, for the equations of the mean and variance of a linear process",),
)

f, g = Function("f", real=True), Function("g", real=True)
CONSTANT_RATE = {f: Lambda(t, -Rational(1, 2)), g: Lambda(t, S.One)}
GROWING_RATE = {f: Lambda(t, -t), g: Lambda(t, sqrt(2 * t))}


def _drift_integral(time: Any) -> Any:
    u = s.func("u", positive=True)
    return Integral(f(u), (u, 0, time))


def _alpha(time: Any) -> Any:
    return exp(_drift_integral(time))


def _variance_per_signal(time: Any) -> Any:
    r"""The integral in both statements, :math:`\int g_s^2 e^{-2 \int_0^s f} ds`."""
    return Integral(g(s) ** 2 * exp(-2 * _drift_integral(s)), (s, 0, time))


def _grows(variance: Any) -> Any:
    r"""What the variance of the process grows by, :math:`2 f \sigma^2 + g^2`."""
    return 2 * f(t) * variance + g(t) ** 2


def derivation() -> Derivation:
    signal, variance = Function("alpha", positive=True)(t), Function("S", positive=True)(t)
    drift = rate(signal) / signal
    diffusion_squared = rate(variance) - 2 * drift * variance
    stated = _alpha(t) ** 2 * _variance_per_signal(t)
    return Derivation(
        chains=(
            chain(
                "Any solution: sigma^2 / alpha^2 is the integral of g^2 / alpha^2",
                rate(variance / signal**2),
                ("the quotient rule", (rate(variance) - 2 * variance * rate(signal) / signal) / signal**2),
                ("f is alpha' / alpha and g^2 is (sigma^2)' - 2 f sigma^2", diffusion_squared / signal**2),
            ),
            chain(
                "Any solution of alpha' = f alpha keeps its quotient to the stated alpha",
                rate(signal / _alpha(t)),
                ("the quotient rule", (rate(signal) - f(t) * signal) / _alpha(t)),
            ),
            chain(
                "The stated alpha solves alpha' = f alpha",
                rate(_alpha(t)),
                ("differentiate", f(t) * _alpha(t)),
            ),
            chain("The stated alpha starts at one", at(_alpha(t), t, 0), ("an empty integral", S.One)),
            chain(
                "The stated sigma^2 grows as it must",
                rate(stated),
                (
                    "the product rule",
                    2 * f(t) * _alpha(t) ** 2 * _variance_per_signal(t)
                    + _alpha(t) ** 2 * (g(t) ** 2 * exp(-2 * _drift_integral(t))),
                ),
                ("alpha^2 is exp(2 int f)", _grows(stated)),
            ),
            chain(
                "The stated sigma^2 starts at zero: it and alpha",
                at(_alpha(t) + stated, t, 0),
                ("empty integrals", S.One),
            ),
            chain(
                "What the source calls sigma^2 grows by g^2 / alpha^2 instead",
                rate(_variance_per_signal(t)),
                ("differentiate", g(t) ** 2 / _alpha(t) ** 2),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    for name, wrong in (
        ("alpha instead of its square", _alpha(t) * _variance_per_signal(t)),
        ("divided by alpha^2", _variance_per_signal(t) / _alpha(t) ** 2),
        (
            "the integrand grows where it should decay",
            _alpha(t) ** 2 * Integral(g(s) ** 2 * exp(2 * _drift_integral(s)), (s, 0, t)),
        ),
        ("the variance is the integral of g^2, as if f were zero", Integral(g(s) ** 2, (s, 0, t))),
    ):
        yield Variant(name=name, left=rate(wrong), right=_grows(wrong), instance=CONSTANT_RATE)
    yield Variant(
        name="alpha with half the drift",
        left=rate(exp(_drift_integral(t) / 2)),
        right=f(t) * exp(_drift_integral(t) / 2),
        instance=CONSTANT_RATE,
    )


def as_written() -> Iterable[Variant]:
    written = _variance_per_signal(t)
    for name, instance in (("the rate 1", CONSTANT_RATE), ("the rate 2 t", GROWING_RATE)):
        yield Variant(
            name=f"sigma^2 without the factor alpha^2, under {name}",
            left=rate(written),
            right=_grows(written),
            instance=instance,
        )
