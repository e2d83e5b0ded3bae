r"""The best grid of DDIM for Gaussian data, at every number of steps.

For N(0, c^2), with angles of tan(theta) = sigma / (c alpha) and V = alpha^2 c^2 + sigma^2, a DDIM step
multiplies the state by sqrt(V_s / V_t) cos(theta_t - theta_s), where the exact flow has no cosine. So a grid
from alpha = 0 to sigma = 0 has the ratio of standard deviations prod cos(D_i), the D_i summing up to pi/2.
log cos lies below its tangent at delta = pi / 2N, by the integral of what has the sign of D - delta, from
delta to D. Over N steps the tangents add up to N log cos(delta), as the D_i - delta add up to zero: among
grids of N steps the product is largest, cos(pi / 2N)^N, where all are equal. That grid is uniform in theta:
the cosine grid with the log-SNR shifted by -2 log c. N log cos(pi / 2N) is -pi^2 / 8N up to N O(N^-4), by
Taylor's theorem, whose coefficients are decided.

Not claimed: other data, other samplers; grids that stop short of either end.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, S, cos, log, pi, sin, symbols, tan

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import Level, log_snr
from equiv.formulas.steps import ddim_step
from equiv.proofs._calculus import at, rate
from equiv.proofs._integrals import by_primitive
from equiv.proofs._symbols import positive, z_t

CLAIM = Claim(
    id="n-gaussian-grid",
    title="The best grid for Gaussian data",
    statement=r"\frac{\operatorname{std} z_0}{c} = \prod_i \cos \Delta\theta_i \le \cos^N \frac\pi{2N}, \quad"
    r" \log \cos \delta = -\tfrac12 \delta^2 + O(\delta^4), \qquad \tan\theta = \frac\sigma{c\, \alpha},"
    r" \quad \sum_i \Delta\theta_i = \frac\pi2",
    source=Source(
        seed="003", section="Sampling", equation="implied: the best integrator depends on the data"
    ),
    needs=("l-spectral",),
    cites=(
        "induction over steps, for the product of cosines and the sum of the tangents",
        "Taylor's theorem, for the order of the rest of log cos",
    ),
)

c, theta_t, theta_s, w_t, w_s = symbols("c theta_t theta_s w_t w_s", positive=True)
delta, step, v = symbols("delta D v", positive=True)
a, b = symbols("a b", real=True)


def _level(root: Any, angle: Any) -> Level[Any]:
    """The level of angle theta where V is the square of ``root``."""
    return Level(alpha=root * cos(angle) / c, sigma=root * sin(angle))


def _step(denoised_as: Any) -> Any:
    before, after = _level(w_t, theta_t), _level(w_s, theta_s)
    return ddim_step(z_t, gaussian_denoiser(z_t, before, S.Zero, denoised_as), before, after)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_one_step(), *_best(), *_rate()),
        hypotheses=(
            *positive(_level(w_t, theta_t)),
            Gt(sin(theta_t), 0, evaluate=False),
            Gt(cos(theta_t), 0, evaluate=False),
            *(Gt(cos(angle), 0, evaluate=False) for angle in (delta, step, v)),
        ),
    )


def _one_step() -> Iterable[Chain]:
    level = _level(w_t, theta_t)
    yield chain("V at an angle", level.alpha**2 * c**2 + level.sigma**2, ("cos^2 + sin^2 is one", w_t**2))
    yield chain(
        "One step",
        _step(c),
        ("the cosine of a difference", w_s / w_t * cos(theta_t - theta_s) * z_t),
    )
    yield chain(
        "The log-SNR at an angle",
        log_snr(level),
        ("tan(theta) is sigma / (c alpha)", log_snr(Level(cos(theta_t), sin(theta_t))) - 2 * log(c)),
    )


def _best() -> Iterable[Chain]:
    yield chain(
        "Two steps, made equal",
        cos((a + b) / 2) ** 2 - cos(a) * cos(b),
        ("the product of two cosines", (1 + cos(a + b)) / 2 - (cos(a + b) + cos(a - b)) / 2),
        ("not negative, and zero for equal steps alone", sin((a - b) / 2) ** 2),
    )
    yield from by_primitive(
        "What log cos lies below its tangent at delta by, an integral from delta to D",
        tan(v) - tan(delta),
        -log(cos(v)) - v * tan(delta),
        (v, delta, step),
        log(cos(delta)) - tan(delta) * (step - delta) - log(cos(step)),
    )
    yield chain(
        "What is integrated",
        tan(v) - tan(delta),
        ("has the sign of v - delta", sin(v - delta) / (cos(v) * cos(delta))),
    )


def _rate() -> Iterable[Chain]:
    curve = log(cos(delta))
    steps = pi / (2 * delta)
    slope = rate(curve, delta)
    yield chain("log cos at zero: its value", at(curve, delta, 0), ("log 1", S.Zero))
    yield chain("log cos at zero: its slope", at(slope, delta, 0), ("-tan 0", S.Zero))
    yield chain("log cos at zero: its curvature", at(rate(slope, delta), delta, 0), ("-1 / cos^2", -S.One))
    third = at(rate(rate(slope, delta), delta), delta, 0)
    yield chain("log cos at zero: its third derivative", third, ("an even function", S.Zero))
    yield chain(
        "So N log cos(delta), with delta = pi / 2N",
        steps * (-(delta**2) / 2),
        ("but for N O(delta^4)", -(pi**2) / (8 * steps)),
    )


def false_variants() -> Iterable[Variant]:
    acute = tuple(Gt(e, 0, evaluate=False) for e in (sin(theta_t), cos(theta_t)))
    yield Variant(
        name="a step is exact",
        left=_step(c),
        right=w_s / w_t * z_t,
        hypotheses=acute,
    )
    yield Variant(
        name="a step in the angle of another width",
        left=_step(2 * c),
        right=w_s / w_t * cos(theta_t - theta_s) * z_t,
        hypotheses=acute,
    )
    yield Variant(
        name="unequal steps lose nothing more",
        left=cos((a + b) / 2) ** 2,
        right=cos(a) * cos(b),
    )
    yield Variant(
        name="the shift is +2 log c",
        left=log_snr(_level(w_t, theta_t)),
        right=log_snr(Level(cos(theta_t), sin(theta_t))) + 2 * log(c),
        hypotheses=acute,
    )
    yield Variant(
        name="the loss of ten steps is pi^2 / 8N exactly", left=1 - cos(pi / 20) ** 10, right=pi**2 / 80
    )
