r"""The loss under uniform times is an integral over the log-SNR, if the rate is taken as positive.

The log-SNR falls with t, so that the mean over uniform t of w (-lambda') E is the integral of w E from
lambda_min to lambda_max: up to any time T, both grow at w (-lambda') E, and both start at zero. Where w
and the error E are not negative, the loss is not negative. The source has the factor lambda', which turns
the sign: minimising that maximises the error, and it contradicts the source's own integral from
lambda_min to lambda_max. E is the mean square error at the log-SNR lambda; because the log-SNR is
strictly monotone, whatever depends on t depends on lambda.

Not claimed: that E is the same for two schedules (l-schedule-invariance); the convergence of the integral
where the log-SNR is infinite at an end.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, Integral, Lambda, Rational, S, exp, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import at, rate
from equiv.proofs._integrals import by_primitive
from equiv.proofs._symbols import t

CLAIM = Claim(
    id="l-sign",
    title="The rate of the log-SNR enters the loss with a minus",
    statement=r"E_{t \sim U(0,1)}\left[w(\lambda_t) \left(-\frac{d\lambda}{dt}\right)"
    r" E \lVert \hat\epsilon - \epsilon \rVert^2\right]"
    r" = \int_{\lambda_{\min}}^{\lambda_{\max}} w(\lambda)\, E \lVert \hat\epsilon - \epsilon \rVert^2\,"
    r" d\lambda, \qquad \lambda_{\max} = \lambda_0,\ \lambda_{\min} = \lambda_1",
    source=Source(seed="003", section="Training", equation="6"),
    erratum="E3",
    as_written=r"E_{t \sim U(0,1)}\left[w(\lambda_t)\, \frac{d\lambda}{dt}\,"
    r" E \lVert \hat\epsilon - \epsilon \rVert^2\right]"
    r" = \int_{\lambda_{\min}}^{\lambda_{\max}} w(\lambda)\, E \lVert \hat\epsilon - \epsilon \rVert^2\,"
    r" d\lambda",
)

log_snr_at = Function("lambda", real=True)
weight, error = Function("w", positive=True), Function("E", positive=True)
end, time, level = t.func("T", positive=True), t.func("tau", positive=True), t.func("ell", real=True)
a, h, k = symbols("a h k", positive=True)
passed = symbols("u", real=True)
EXAMPLE = {log_snr_at: Lambda(t, 2 - t - t**2), weight: Lambda(t, S.One), error: Lambda(t, t)}


def _over_times(sign: Any, until: Any) -> Any:
    """The integral over uniform times up to ``until``; the mean over all times is that up to one."""
    fall = sign * rate(log_snr_at(time), time)
    return Integral(weight(log_snr_at(time)) * fall * error(log_snr_at(time)), (time, 0, until))


def _over_levels(low: Any, high: Any) -> Any:
    return Integral(weight(level) * error(level), (level, low, high))


def derivation() -> Derivation:
    per_level = weight(log_snr_at(end)) * error(log_snr_at(end))
    fall = -rate(log_snr_at(end), end)
    by_levels = _over_levels(log_snr_at(end), log_snr_at(0))
    return Derivation(
        chains=(
            chain(
                "The loss over the times up to T grows",
                rate(_over_times(-1, end), end),
                ("by its integrand", per_level * fall),
                ("as the integral over the levels passed so far", rate(by_levels, end)),
            ),
            chain("The loss over no times", at(_over_times(-1, end), end, 0), ("an empty integral", S.Zero)),
            chain("The loss over no levels", at(by_levels, end, 0), ("an empty integral", S.Zero)),
            chain(
                "With the rate as it is, the loss over the times up to T falls",
                rate(_over_times(1, end), end),
                ("by the same, negative, amount", -(per_level * fall)),
            ),
            chain(
                "With the rate as it is, the loss over no times",
                at(_over_times(1, end), end, 0),
                ("an empty integral", S.Zero),
            ),
            *_worked_out(),
        )
    )


def _worked_out() -> Iterable[Chain]:
    """The log-SNR h - k u at the time u, and w E = exp(-a lambda)."""
    value = exp(-a * h) * (exp(a * k) - 1) / a
    at_time = exp(-a * (h - k * passed))
    yield from by_primitive("An instance, over times", at_time * k, at_time / a, (passed, 0, 1), value)
    at_level = exp(-a * passed)
    yield from by_primitive("An instance, over levels", at_level, -at_level / a, (passed, h - k, h), value)


def false_variants() -> Iterable[Variant]:
    levels = _over_levels(log_snr_at(1), log_snr_at(0))
    turned = _over_levels(log_snr_at(0), log_snr_at(1))
    plain = Integral(weight(log_snr_at(time)) * error(log_snr_at(time)), (time, 0, 1))
    for name, left, right in (
        ("without the rate", plain, levels),
        ("half the rate, as if lambda were log(alpha / sigma)", _over_times(-Rational(1, 2), 1), levels),
        ("the ends of the integral exchanged", _over_times(-1, 1), turned),
    ):
        yield Variant(name=name, left=left, right=right, instance=EXAMPLE)


def as_written() -> Iterable[Variant]:
    yield Variant(
        name="the factor is the rate, which is negative",
        left=_over_times(1, 1),
        right=_over_levels(log_snr_at(1), log_snr_at(0)),
        instance=EXAMPLE,
    )
