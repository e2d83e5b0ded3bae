r"""Matching the velocity of a path under uniform times weighs noise levels by g^2 / 4.

The velocity alpha' x + sigma' eps of any path has (sigma lambda' / 2)^2 times the square error of the
noise, which under uniform times is the weighting -sigma^2 lambda' / 4 = g^2 / 4. On the
variance-preserving path of angle phi (alpha = cos phi) that is phi'/2 times exp(-lambda/2), and where
alpha + sigma = 1 it is sigma'/2 times exp(-lambda/2): proportional to exp(-lambda/2) exactly if phi, or
sigma, is linear in t. So the cosine path has pi / 4 exp(-lambda/2), and the straight one 1 / 2
exp(-lambda/2).

Not claimed: paths on which the log-SNR does not fall; the loss of u = eps - x off the straight path.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Lt, S, cos, exp, pi, sin, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, log_snr
from equiv.formulas.predictions import x_from_eps
from equiv.formulas.weightings import flow_matching_weighting, mse_factor_u, weighting
from equiv.proofs._calculus import rate
from equiv.proofs._rates import diffusion_squared, fall, falling, rates
from equiv.proofs._symbols import eps_hat, inside, now, positive, s, t, z_t

CLAIM = Claim(
    id="l-velocity-weight",
    title="Velocity matching weighs by g^2 / 4",
    statement=r"\lVert \dot\alpha\, \delta x + \dot\sigma\, \delta\epsilon \rVert^2"
    r" = \left(\tfrac12 \sigma \dot\lambda\right)^2 \lVert \delta\epsilon \rVert^2, \qquad"
    r" w(\lambda_t) = -\tfrac14 \sigma_t^2 \dot\lambda_t = \tfrac14 g_t^2",
    source=Source(seed="003", section="SDE and ODE Perspective", equation="implied: u_t as the target"),
    needs=("p-mse-table", "s-fg-from-alphasigma"),
)

eps = symbols("epsilon", real=True)
phi, speed = symbols("phi v", positive=True)
angular = Level(cos(phi), sin(phi))
straight = Level(1 - now.sigma, now.sigma)


def derivation() -> Derivation:
    of_noise = (eps_hat - eps) ** 2
    return Derivation(
        chains=(
            chain(
                "The error of the velocity",
                _error(),
                (
                    "alpha delta x is -sigma delta eps",
                    (rates.sigma - rates.alpha * now.sigma / now.alpha) ** 2 * of_noise,
                ),
                ("lambda' is 2 alpha' / alpha - 2 sigma' / sigma", (now.sigma * fall() / 2) ** 2 * of_noise),
            ),
            chain(
                "The weighting",
                weighting((now.sigma * fall() / 2) ** 2, fall()),
                ("divided by -lambda'", now.sigma**2 * fall() / 4),
                ("g^2 is -sigma^2 lambda'", diffusion_squared() / 4),
            ),
            *_exponential(),
        ),
        hypotheses=(falling(), Lt(now.sigma, 1, evaluate=False), *positive(angular)),
    )


def _exponential() -> Iterable[Chain]:
    """On two paths: the weighting by the log-SNR, and by the speed at which the path is gone through."""
    yield chain(
        "On a variance-preserving path of angle phi",
        _weighting(angular, phi, speed),
        ("lambda is -2 log tan(phi)", speed / 2 * sin(phi) / cos(phi)),
        ("tan(phi) is exp(-lambda/2)", speed / 2 * exp(-log_snr(angular) / 2)),
    )
    yield chain(
        "On the cosine path, where phi' = pi / 2",
        _weighting(angular, phi, pi / 2),
        ("pi / 2 times that of flow matching", pi / 4 * exp(-log_snr(angular) / 2)),
    )
    yield chain(
        "On a path with alpha + sigma = 1",
        _weighting(straight, now.sigma, speed),
        ("lambda is 2 log((1 - sigma) / sigma)", speed / 2 * now.sigma / (1 - now.sigma)),
        ("sigma / alpha is exp(-lambda/2)", speed / 2 * exp(-log_snr(straight) / 2)),
    )
    yield chain(
        "On the straight path, where sigma' = 1",
        _weighting(straight, now.sigma, 1),
        ("the weighting of flow matching", flow_matching_weighting(log_snr(straight))),
    )


def _error() -> Any:
    """The square error of the velocity made of the predicted and of the true pair at z_t."""
    hat, true = (rates.alpha * x_from_eps(z_t, e, now) + rates.sigma * e for e in (eps_hat, eps))
    return (hat - true) ** 2


def _weighting(level: Level[Any], coordinate: Any, pace: Any) -> Any:
    """-sigma^2 lambda' / 4 on a path whose coordinate moves at ``pace``."""
    return -(level.sigma**2) * rate(log_snr(level), coordinate) * pace / 4


def false_variants() -> Iterable[Variant]:
    of_noise = (eps_hat - eps) ** 2
    yield Variant(
        name="the factor of u = eps - x",
        left=_error(),
        right=mse_factor_u(now) * of_noise,
        hypotheses=(falling(),),
    )
    yield Variant(
        name="the weighting is g^2 / 2",
        left=weighting((now.sigma * fall() / 2) ** 2, fall()),
        right=diffusion_squared() / 2,
        hypotheses=(falling(),),
    )
    yield Variant(
        name="the weighting is that of the score, one",
        left=weighting((now.sigma * fall() / 2) ** 2, fall()),
        right=S.One,
        hypotheses=(falling(),),
    )
    yield Variant(
        name="the cosine path weighs as the straight one",
        left=_weighting(angular, phi, pi / 2),
        right=flow_matching_weighting(log_snr(angular)),
        hypotheses=positive(angular),
    )
    yield Variant(
        name="the weighting is exponential on the variance-preserving path of sigma = t",
        left=_weighting(Level(sqrt(1 - t**2), t), t, 1) / exp(-log_snr(Level(sqrt(1 - t**2), t)) / 2),
        right=_weighting(Level(sqrt(1 - s**2), s), s, 1) / exp(-log_snr(Level(sqrt(1 - s**2), s)) / 2),
        hypotheses=(inside(t), inside(s)),
    )
