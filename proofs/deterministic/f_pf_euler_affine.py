r"""Euler steps of the probability flow are DDIM steps exactly on schedules that are affine in time.

The Euler step in t and the DDIM step differ by (alpha_t + (s - t) alpha'_t - alpha_s) x_hat and the same
for sigma and eps_hat. So they are the same for every network and every step if alpha and sigma are affine
(flow matching; variance exploding with sigma = t), and only then: as functions of s, those coefficients
have the second derivatives -alpha'' and -sigma''. On the cosine schedule, with delta = pi (t - s) / 2, the
difference is (1 - cos delta) z_t - (delta - sin delta) v_hat exactly, of which the first term is delta^2 /
2 z_t = pi^2 h^2 / 8 z_t to leading order and the second of third order.

Not claimed: which of the two is nearer to the exact flow.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, Gt, S, cos, evaluate, pi, sin, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level
from equiv.formulas.predictions import x_from_v
from equiv.formulas.schedules import cosine, flow_matching, variance_exploding
from equiv.formulas.steps import ddim_step, probability_flow_euler_step
from equiv.proofs._calculus import at, rate
from equiv.proofs._rates import rates
from equiv.proofs._symbols import eps_hat, inside, now, s, t, then, v_hat, x_hat, z_t

CLAIM = Claim(
    id="f-pf-euler-affine",
    title="Euler of the probability flow is DDIM on affine schedules",
    statement=r"z_t + (s - t)(\dot\alpha_t \hat x + \dot\sigma_t \hat\epsilon)"
    r" = \alpha_s \hat x + \sigma_s \hat\epsilon"
    r"\ \ \forall\, \hat x, s, t \iff \ddot\alpha = \ddot\sigma = 0; \qquad"
    r" \cos:\ \mathrm{Euler} - \mathrm{DDIM} = (1 - \cos\delta) z_t - (\delta - \sin\delta) \hat v",
    source=Source(seed="003", section="Sampling", equation="comment 1, unlike the Euler sampler"),
    needs=("p-conversions",),
)

phi, delta = symbols("phi delta", positive=True)
alpha = Function("alpha", positive=True)


def _gap(start: Level[Any], slopes: Level[Any], end: Level[Any], before: Any, after: Any) -> Any:
    """Euler minus DDIM, for a pair of predictions."""
    z = start.alpha * x_hat + start.sigma * eps_hat
    euler = probability_flow_euler_step(z, x_hat, start, slopes, before, after)
    return euler - ddim_step(z, x_hat, start, end)


def _slopes(schedule: Any) -> Level[Any]:
    level = schedule(t)
    return Level(rate(level.alpha), rate(level.sigma))


def derivation() -> Derivation:
    return Derivation(
        chains=(*_affine(), *_cosine()), hypotheses=(inside(t), Gt(sin(phi), 0, evaluate=False))
    )


def _affine() -> Iterable[Chain]:
    yield chain(
        "Euler minus DDIM",
        _gap(now, rates, then, t, s),
        (
            "both keep the pair and change its weights",
            (now.alpha + (s - t) * rates.alpha - then.alpha) * x_hat
            + (now.sigma + (s - t) * rates.sigma - then.sigma) * eps_hat,
        ),
    )
    tangent = Level(now.alpha + (s - t) * rates.alpha, now.sigma + (s - t) * rates.sigma)
    yield chain(
        "On an affine schedule", _gap(now, rates, tangent, t, s), ("the level is its own tangent", S.Zero)
    )
    for name, schedule in (("flow-matching", flow_matching), ("variance-exploding", variance_exploding)):
        yield chain(
            f"On the {name} schedule",
            _gap(schedule(t), _slopes(schedule), schedule(s), t, s),
            ("affine in t", S.Zero),
        )
    with evaluate(True):
        coefficient = alpha(t) + (s - t) * rate(alpha(t)) - alpha(s)
    yield chain(
        "If the coefficient is zero for every s, so is its second derivative",
        rate(rate(coefficient, s), s),
        ("the tangent is affine in s", -rate(rate(alpha(s), s), s)),
    )


def _turned() -> Any:
    """Euler minus DDIM from the angle phi back by delta, where the rates by the angle are (-sin, cos)."""
    start, end = Level(cos(phi), sin(phi)), Level(cos(phi - delta), sin(phi - delta))
    x = x_from_v(z_t, v_hat, start)
    euler = probability_flow_euler_step(z_t, x, start, Level(-sin(phi), cos(phi)), phi, phi - delta)
    return euler - ddim_step(z_t, x, start, end)


def _cosine() -> Iterable[Chain]:
    slopes, wave = _slopes(cosine), cosine(t)
    yield chain(
        "The rates of cosine: alpha", slopes.alpha, ("by the angle, times pi/2", -pi / 2 * wave.sigma)
    )
    yield chain("The rates of cosine: sigma", slopes.sigma, ("by the angle, times pi/2", pi / 2 * wave.alpha))
    first, second = 1 - cos(delta), delta - sin(delta)
    yield chain(
        "The gap on the cosine schedule",
        _turned(),
        ("Euler moves along v, DDIM turns", (z_t - delta * v_hat) - (cos(delta) * z_t - sin(delta) * v_hat)),
        ("collect z and v", first * z_t - second * v_hat),
    )
    yield chain("The first term is not negative", first, ("half angles", 2 * sin(delta / 2) ** 2))
    yield chain("The second starts at zero", at(second, delta, 0), ("sin 0 is 0", S.Zero))
    yield chain("and grows as the first", rate(second, delta), ("differentiate", first))
    yield chain("The first, by its Taylor coefficients: none", at(first, delta, 0), ("cos 0 is 1", S.Zero))
    yield chain("none", at(rate(first, delta), delta, 0), ("sin 0 is 0", S.Zero))
    yield chain("and delta^2 / 2", at(rate(rate(first, delta), delta), delta, 0), ("cos 0 is 1", S.One))


def false_variants() -> Iterable[Variant]:
    yield Variant(
        name="Euler is DDIM on the cosine schedule",
        left=_gap(cosine(t), _slopes(cosine), cosine(s), t, s),
        right=S.Zero,
        hypotheses=(inside(t), inside(s)),
    )
    yield Variant(
        name="Euler is DDIM on the flow-matching schedule in the variance-preserving gauge",
        left=_gap(_normed(t), _slopes(_normed), _normed(s), t, s),
        right=S.Zero,
        hypotheses=(inside(t), inside(s)),
    )
    yield Variant(
        name="Euler is DDIM on the variance-exploding schedule with sigma = t^2",
        left=_gap(Level(S.One, t**2), Level(S.Zero, 2 * t), Level(S.One, s**2), t, s),
        right=S.Zero,
    )
    yield Variant(
        name="the gap on the cosine schedule is its first term", left=_turned(), right=(1 - cos(delta)) * z_t
    )
    yield Variant(
        name="the gap on the cosine schedule adds the second term",
        left=_turned(),
        right=(1 - cos(delta)) * z_t + (delta - sin(delta)) * v_hat,
    )


def _normed(time: Any) -> Level[Any]:
    norm = sqrt((1 - time) ** 2 + time**2)
    return Level((1 - time) / norm, time / norm)
