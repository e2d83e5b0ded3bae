r"""On normal data, a DDIM step is the exact flow times a cosine.

For data N(m, c^2) let V = alpha^2 c^2 + sigma^2, the variance of the state, and theta the angle with tan
theta = sigma / (c alpha). The exact flow keeps (z - alpha m) / sqrt(V). A DDIM step multiplies it by
cos(theta_t - theta_s), on any schedule. So after a grid of steps, by induction, the standard deviation is
off by the product of the cosines of its angles, and the mean is exact.

Not claimed: other data; the best grid.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, Gt, Lt, S, cos, pi, sin, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import Level
from equiv.formulas.predictions import eps_from_x
from equiv.formulas.steps import ddim_step
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import now, t, then, z_t

CLAIM = Claim(
    id="f-gaussian-ddim",
    title="On normal data DDIM is the flow times a cosine",
    statement=r"x \sim N(m, c^2):\quad \frac{z_s - \alpha_s m}{\sqrt{V_s}} = \cos(\theta_t - \theta_s)"
    r" \frac{z_t - \alpha_t m}{\sqrt{V_t}} \quad (\mathrm{DDIM}), \qquad"
    r" \frac{z_s - \alpha_s m}{\sqrt{V_s}} = \frac{z_t - \alpha_t m}{\sqrt{V_t}} \quad (\text{exact}), \qquad"
    r" \tan\theta = \frac\sigma{c \alpha}",
    source=Source(seed="003", section="Sampling", equation="implied: the variance of the data distribution"),
    needs=("d-gmm-denoiser",),
    cites=("induction over steps, for the product of cosines",),
)

m, w = symbols("m w", real=True)
c, radius_t, radius_s, theta_t, theta_s = symbols("c R_t R_s theta_t theta_s", positive=True)
alpha, sigma = Function("alpha", positive=True), Function("sigma", positive=True)


def _spread(level: Level[Any]) -> Any:
    return level.alpha**2 * c**2 + level.sigma**2


def _polar(radius: Any, angle: Any) -> Level[Any]:
    """Every level is one of these: c alpha and sigma in polar coordinates."""
    return Level(radius * cos(angle) / c, radius * sin(angle))


def _step(z: Any, start: Level[Any], end: Level[Any]) -> Any:
    """DDIM with the exact denoiser."""
    return ddim_step(z, gaussian_denoiser(z, start, m, c), start, end)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_exact_flow(), *_ddim()),
        hypotheses=(Gt(sin(theta_t), 0, evaluate=False), Gt(cos(theta_t), 0, evaluate=False)),
    )


def _exact_flow() -> Iterable[Chain]:
    level = Level(alpha(t), sigma(t))
    path = alpha(t) * m + sqrt(_spread(level)) * w
    x = gaussian_denoiser(path, level, m, c)
    yield chain(
        "The exact flow keeps w = (z - alpha m) / sqrt(V)",
        rate(path),
        (
            "V' is 2 c^2 alpha alpha' + 2 sigma sigma'",
            rate(alpha(t)) * m
            + w * (c**2 * alpha(t) * rate(alpha(t)) + sigma(t) * rate(sigma(t))) / sqrt(_spread(level)),
        ),
        (
            "the probability flow of the denoiser",
            rate(alpha(t)) * x + rate(sigma(t)) * eps_from_x(path, x, level),
        ),
    )


def _ddim() -> Iterable[Chain]:
    overlap = (c**2 * now.alpha * then.alpha + now.sigma * then.sigma) / (
        _spread(now) * _spread(then)
    ) ** S.Half
    yield chain(
        "A DDIM step",
        _step(z_t, now, then) - then.alpha * m,
        (
            "x and eps by the denoiser",
            (c**2 * now.alpha * then.alpha + now.sigma * then.sigma) / _spread(now) * (z_t - now.alpha * m),
        ),
        (
            "a scalar product of (c alpha, sigma) at t and at s",
            sqrt(_spread(then)) * overlap * (z_t - now.alpha * m) / sqrt(_spread(now)),
        ),
    )
    start, end = _polar(radius_t, theta_t), _polar(radius_s, theta_s)
    yield chain("The radius is sqrt(V)", _spread(start), ("cos^2 + sin^2 is 1", radius_t**2))
    yield chain(
        "The same by the angles",
        (_step(z_t, start, end) - end.alpha * m) / radius_s,
        ("a difference of angles", cos(theta_t - theta_s) * (z_t - start.alpha * m) / radius_t),
    )


def false_variants() -> Iterable[Variant]:
    start, end = _polar(radius_t, theta_t), _polar(radius_s, theta_s)
    scaled = (_step(z_t, start, end) - end.alpha * m) / radius_s
    centred = (z_t - start.alpha * m) / radius_t
    angles = (Lt(theta_t, pi / 2, evaluate=False), Lt(theta_s, theta_t, evaluate=False))
    yield Variant(name="DDIM is the exact flow", left=scaled, right=centred, hypotheses=angles)
    yield Variant(
        name="the cosine of the sum of the angles",
        left=scaled,
        right=cos(theta_t + theta_s) * centred,
        hypotheses=angles,
    )
    yield Variant(
        name="the square of the cosine",
        left=scaled,
        right=cos(theta_t - theta_s) ** 2 * centred,
        hypotheses=angles,
    )
    plain = (
        Level(radius_t * cos(theta_t), radius_t * sin(theta_t)),
        Level(radius_s * cos(theta_s), radius_s * sin(theta_s)),
    )
    yield Variant(
        name="the angle without the width of the data",
        left=(_step(z_t, *plain) - plain[1].alpha * m) / sqrt(_spread(plain[1])),
        right=cos(theta_t - theta_s) * (z_t - plain[0].alpha * m) / sqrt(_spread(plain[0])),
        hypotheses=angles,
    )
