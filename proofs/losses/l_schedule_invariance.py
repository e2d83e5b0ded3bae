r"""The loss depends on the noise schedule only through the largest and the least log-SNR.

A network that sees the state per signal, z / alpha = x + exp(-lambda/2) eps, and the log-SNR makes an
error E that is a function of lambda alone, in whichever schedule. A second schedule with the same ends,
both falling, is the first one gone through at another pace: lambda(phi(t)) with phi growing from 0 to 1.
Up to any time T, its loss is that of the first up to phi(T): both grow alike and start at zero. With the
weight as a function of lambda and the factor -lambda', this holds for every network, however wrong.

Not claimed: networks conditioned on t itself, whose error is no function of lambda; equal variance of
estimates; schedules on which the log-SNR is not monotone.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, Integral, Lambda, S, exp, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import log_snr
from equiv.proofs._calculus import at, integral, rate
from equiv.proofs._symbols import now, t

CLAIM = Claim(
    id="l-schedule-invariance",
    title="The loss depends on the ends of the schedule alone",
    statement=r"\int_0^1 w(\lambda_t) (-\dot\lambda_t)\, E(\lambda_t)\, dt"
    r" = \int_0^1 w(\mu_t) (-\dot\mu_t)\, E(\mu_t)\, dt"
    r" = \int_{\lambda_{\min}}^{\lambda_{\max}} w(\lambda)\, E(\lambda)\, d\lambda"
    r" \qquad (\lambda_0 = \mu_0,\ \lambda_1 = \mu_1)",
    source=Source(seed="003", section="Training", equation="the noise schedule, comment 1"),
    needs=("l-sign",),
)

x, eps = symbols("x epsilon", real=True)
weight, error = Function("w", positive=True), Function("E", positive=True)
pace, phi = Function("v", positive=True), Function("phi", positive=True)
end, time, passed = t.func("T", positive=True), t.func("tau", positive=True), t.func("u", positive=True)
highest = symbols("lambda_max", real=True)
EVEN, SLOW, FAR = Lambda(t, 1 - 2 * t), Lambda(t, 1 - 2 * t**2), Lambda(t, 1 - 3 * t)


def _first(at_time: Any) -> Any:
    """A schedule whose log-SNR falls from its highest at any positive pace."""
    return highest - Integral(pace(passed), (passed, 0, at_time))


def _second(at_time: Any) -> Any:
    return _first(phi(at_time))


def _loss(schedule: Any, until: Any) -> Any:
    fall = -rate(schedule(time), time)
    return Integral(weight(schedule(time)) * fall * error(schedule(time)), (time, 0, until))


def derivation() -> Derivation:
    per_level = weight(_second(end)) * error(_second(end))
    return Derivation(
        chains=(
            chain(
                "What a network sees, per signal",
                (now.alpha * x + now.sigma * eps) / now.alpha,
                ("divide", x + now.sigma / now.alpha * eps),
                ("depends on the log-SNR alone", x + exp(-log_snr(now) / 2) * eps),
            ),
            chain(
                "The loss on the second schedule, up to T",
                rate(_loss(_second, end), end),
                ("grows at its pace, v(phi) phi'", per_level * pace(phi(end)) * rate(phi(end), end)),
                ("as that on the first, up to phi(T)", rate(_loss(_first, phi(end)), end)),
            ),
            chain(
                "On the second schedule, up to no time",
                at(_loss(_second, end), end, 0),
                ("an empty integral", S.Zero),
            ),
            chain(
                "On the first schedule, up to phi(0) = 0",
                at(_loss(_first, end), end, 0),
                ("an empty integral", S.Zero),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    first, second = Function("lambda", real=True), Function("mu", real=True)
    flat = {weight: Lambda(t, S.One), error: Lambda(t, t**2)}
    for name, (one, other), functions in (
        ("without the rate", (_mean(first, 1), _mean(second, 1)), {first: EVEN, second: SLOW}),
        ("with other ends", _losses(first, second), {first: EVEN, second: FAR}),
    ):
        yield Variant(name=name, left=one, right=other, instance=flat | functions)
    yield Variant(
        name="a network conditioned on t: its error at a level depends on the schedule",
        left=integral(-rate(EVEN(t)) * t, t, 0, 1),
        right=integral(-rate(SLOW(t)) * t, t, 0, 1),
    )
    yield Variant(
        name="the weight as a function of t, not of lambda",
        left=integral(-rate(EVEN(t)) * (1 - t), t, 0, 1),
        right=integral(-rate(SLOW(t)) * (1 - t), t, 0, 1),
    )


def _mean(schedule: Any, factor: Any) -> Any:
    return Integral(weight(schedule(time)) * factor * error(schedule(time)), (time, 0, 1))


def _losses(first: Any, second: Any) -> Any:
    return tuple(_mean(s, -rate(s(time), time)) for s in (first, second))
