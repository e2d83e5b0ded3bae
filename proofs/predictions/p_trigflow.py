r"""TrigFlow is v-prediction of the data in units of its spread.

TrigFlow has the state cos(theta) x + sin(theta) z with z of the spread sigma_d of the data, the denoiser D
= cos(theta) x_theta - sin(theta) sigma_d F(x_theta / sigma_d) and the target sigma_d F = cos(theta) z -
sin(theta) x. In units of sigma_d this is the variance-preserving path through x / sigma_d and eps = z /
sigma_d, and F is its v: D / sigma_d is the x of v, the target is v, sigma_d F is the velocity along theta,
and a DDIM step is a rotation. At the noise ratio sigma = sigma_d tan(theta), the preconditioning of EDM is
c_skip = cos(theta)^2, c_out = sigma_d sin(theta), c_in = cos(theta) / sigma_d: it hands its network the
same input, and asks it for -F.

Not claimed: the time embedding and the losses of consistency models; that data have the spread sigma_d.
"""

from collections.abc import Iterable
from typing import Any

from sympy import cos, sin, sqrt, symbols, tan

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, noise_ratio
from equiv.formulas.predictions import eps_from_x, v_from_x, x_from_v
from equiv.formulas.steps import ddim_step
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import positive, z_t

CLAIM = Claim(
    id="p-trigflow",
    title="TrigFlow is v-prediction in units of the data's spread",
    statement=r"x_\theta = \cos\theta\, x + \sin\theta\, z,\ z \sim N(0, \sigma_d^2):\quad"
    r" \cos\theta\, x_\theta - \sin\theta\, \sigma_d F = \sigma_d\, \hat x(\tfrac{x_\theta}{\sigma_d}, v ="
    r" F),"
    r" \quad \sigma_d F = \dot x_\theta, \quad F = -F_{\mathrm{EDM}}, \quad \sigma = \sigma_d \tan\theta",
    source=Source(seed="003", section="Training", equation="implied: network outputs"),
    needs=("p-conversions",),
)

theta, phi, sigma_d = symbols("theta phi sigma_d", positive=True)
x, z, output = symbols("x z F", real=True)


def _level(angle: Any) -> Level[Any]:
    """The level in units of sigma_d."""
    return Level(alpha=cos(angle), sigma=sin(angle))


def _state(angle: Any) -> Any:
    return cos(angle) * x + sin(angle) * z


def _denoiser(state: Any) -> Any:
    return cos(theta) * state - sin(theta) * sigma_d * output


def _edm(state: Any, sigma: Any, raw: Any) -> Any:
    """EDM's denoiser, from its network's raw output."""
    skip = sigma_d**2 / (sigma**2 + sigma_d**2)
    out = sigma * sigma_d / sqrt(sigma**2 + sigma_d**2)
    return skip * state + out * raw


def derivation() -> Derivation:
    return Derivation(
        chains=(*_is_v_prediction(), *_along_theta(), *_edm_preconditioning()),
        hypotheses=(*positive(_level(theta)), *positive(_level(phi))),
    )


def _is_v_prediction() -> Iterable[Chain]:
    unit = _state(theta) / sigma_d
    yield chain(
        "The denoiser is the x of v",
        _denoiser(z_t),
        ("in units of sigma_d", sigma_d * (cos(theta) * (z_t / sigma_d) - sin(theta) * output)),
        (
            "squares of cosine and sine add up to one",
            sigma_d * x_from_v(z_t / sigma_d, output, _level(theta)),
        ),
    )
    yield chain(
        "The noise of the unit path",
        eps_from_x(unit, x / sigma_d, _level(theta)),
        ("x_theta is cos x + sin z", z / sigma_d),
    )
    yield chain(
        "The target is v",
        (cos(theta) * z - sin(theta) * x) / sigma_d,
        ("alpha eps - sigma x", v_from_x(unit, x / sigma_d, _level(theta))),
    )


def _along_theta() -> Iterable[Chain]:
    yield chain(
        "The target is the velocity along theta",
        rate(_state(theta), theta),
        ("differentiate", cos(theta) * z - sin(theta) * x),
    )
    yield chain(
        "A DDIM step is a rotation",
        sigma_d
        * ddim_step(
            z_t / sigma_d, x_from_v(z_t / sigma_d, output, _level(theta)), _level(theta), _level(phi)
        ),
        ("differences of angles", cos(theta - phi) * z_t - sin(theta - phi) * sigma_d * output),
    )


def _edm_preconditioning() -> Iterable[Chain]:
    sigma = sigma_d * sin(theta) / cos(theta)
    yield chain(
        "EDM's noise is the noise ratio",
        noise_ratio(Level(cos(theta), sigma_d * sin(theta))),
        ("sin over cos", sigma_d * tan(theta)),
    )
    yield chain(
        "EDM's network has the same input",
        _state(theta) / cos(theta) / sqrt(sigma**2 + sigma_d**2),
        ("sigma^2 + sigma_d^2 is sigma_d^2 / cos(theta)^2", _state(theta) / sigma_d),
    )
    yield chain(
        "EDM's denoiser with -F",
        _edm(z_t / cos(theta), sigma, -output),
        (
            "c_skip is cos^2, c_out is sigma_d sin",
            cos(theta) ** 2 * (z_t / cos(theta)) - sigma_d * sin(theta) * output,
        ),
        ("a cosine cancels", _denoiser(z_t)),
    )


def false_variants() -> Iterable[Variant]:
    angles = positive(_level(theta))
    sigma = sigma_d * sin(theta) / cos(theta)
    yield Variant(
        name="EDM's network is asked for F itself",
        left=_edm(z_t / cos(theta), sigma, output),
        right=_denoiser(z_t),
        hypotheses=angles,
    )
    yield Variant(
        name="EDM's noise is tan(theta), without the spread",
        left=_edm(z_t / cos(theta), sin(theta) / cos(theta), -output),
        right=_denoiser(z_t),
        hypotheses=angles,
    )
    yield Variant(
        name="F is v of the data itself",
        left=_denoiser(z_t),
        right=x_from_v(z_t, output, _level(theta)),
        hypotheses=angles,
    )
    yield Variant(
        name="F is the velocity along theta, without the spread",
        left=rate(_state(theta), theta),
        right=v_from_x(_state(theta) / sigma_d, x / sigma_d, _level(theta)),
        hypotheses=angles,
    )
