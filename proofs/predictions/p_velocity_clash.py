r"""Two velocities share a name: eps - x, and the rate of the path.

The rate of the path alpha' x + sigma' eps has the square error (sigma lambda' / 2)^2 |eps_hat - eps|^2, for
any differentiable schedule. It is u = eps - x if alpha' = -1 and sigma' = 1, that is on the flow-matching
schedule, and a multiple h' of it on any schedule alpha = 1 - h, sigma = h. On the cosine schedule it is
(pi/2) v. The source calls both u; the factor (1 + exp(-lambda/2))^2 of its table is that of eps - x.

Not claimed: which of the two a network is trained on elsewhere; times at which alpha is zero.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, exp, pi

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, log_snr
from equiv.formulas.predictions import x_from_eps
from equiv.formulas.schedules import cosine, flow_matching
from equiv.proofs._calculus import rate
from equiv.proofs._rates import fall, rates
from equiv.proofs._symbols import eps_hat, noise, now, t, x_hat, z_t

CLAIM = Claim(
    id="p-velocity-clash",
    title="Two velocities share a name",
    statement=r"\lVert \delta(\dot\alpha x + \dot\sigma \epsilon) \rVert^2"
    r" = \left(\tfrac12 \sigma \dot\lambda\right)^2 \lVert \delta\epsilon \rVert^2, \qquad"
    r" \dot\alpha x + \dot\sigma \epsilon = \epsilon - x \iff \dot\alpha = -1,\ \dot\sigma = 1, \qquad"
    r" \cos:\ \dot\alpha x + \dot\sigma \epsilon = \tfrac\pi2 v",
    source=Source(
        seed="003", section="SDE and ODE Perspective", equation="u_t, against the table of outputs"
    ),
    needs=("p-conversions",),
    erratum="E12",
    as_written=r"u_t = \dot\alpha_t x + \dot\sigma_t \epsilon = \epsilon - x, \quad"
    r" \lVert \delta u \rVert^2 = (1 + e^{-\lambda/2})^2 \lVert \delta\epsilon \rVert^2",
)

h = Function("h", real=True)


def _velocity(x: Any, eps: Any, of: Level[Any] = rates) -> Any:
    return of.alpha * x + of.sigma * eps


def _rates_of(level: Level[Any]) -> Level[Any]:
    return Level(rate(level.alpha), rate(level.sigma))


def _error() -> Any:
    """The square error of the velocity made of the predicted noise, at the same state."""
    predicted, true = (_velocity(x_from_eps(z_t, eps, now), eps) for eps in (eps_hat, noise))
    return (predicted - true) ** 2


def derivation() -> Derivation:
    of_noise = (eps_hat - noise) ** 2
    wave = cosine(t)
    return Derivation(
        chains=(
            chain(
                "The error of the rate of the path",
                _error(),
                (
                    "at the same state, alpha dx is -sigma deps",
                    (rates.sigma - rates.alpha * now.sigma / now.alpha) ** 2 * of_noise,
                ),
                ("lambda' is 2 (alpha'/alpha - sigma'/sigma)", (now.sigma * fall() / 2) ** 2 * of_noise),
            ),
            chain(
                "It differs from eps - x in both coefficients",
                _velocity(x_hat, eps_hat) - (eps_hat - x_hat),
                ("collect x and eps", (rates.alpha + 1) * x_hat + (rates.sigma - 1) * eps_hat),
            ),
            chain(
                "On the flow-matching schedule",
                _velocity(x_hat, eps_hat, _rates_of(flow_matching(t))),
                ("alpha' is -1, sigma' is 1", eps_hat - x_hat),
            ),
            chain(
                "With another clock",
                _velocity(x_hat, eps_hat, _rates_of(flow_matching(h(t)))),
                ("the chain rule", rate(h(t)) * (eps_hat - x_hat)),
            ),
            chain(
                "On the cosine schedule",
                _velocity(x_hat, eps_hat, _rates_of(wave)),
                (
                    "alpha' is -pi/2 sigma, sigma' is pi/2 alpha",
                    pi / 2 * (wave.alpha * eps_hat - wave.sigma * x_hat),
                ),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    of_noise = (eps_hat - noise) ** 2
    yield Variant(
        name="the error without the half", left=_error(), right=(now.sigma * fall()) ** 2 * of_noise
    )
    yield Variant(name="the error without the square", left=_error(), right=now.sigma * fall() / 2 * of_noise)
    yield Variant(
        name="the error with alpha for sigma", left=_error(), right=(now.alpha * fall() / 2) ** 2 * of_noise
    )
    wave = cosine(t)
    yield Variant(
        name="on the cosine schedule it is v",
        left=_velocity(x_hat, eps_hat, _rates_of(wave)),
        right=wave.alpha * eps_hat - wave.sigma * x_hat,
    )


def as_written() -> Iterable[Variant]:
    yield Variant(name="on any schedule", left=_velocity(x_hat, eps_hat), right=eps_hat - x_hat)
    yield Variant(
        name="on the cosine schedule",
        left=_velocity(x_hat, eps_hat, _rates_of(cosine(t))),
        right=eps_hat - x_hat,
    )
    yield Variant(
        name="the factor of the table",
        left=_error(),
        right=(1 + exp(-log_snr(now) / 2)) ** 2 * (eps_hat - noise) ** 2,
    )
