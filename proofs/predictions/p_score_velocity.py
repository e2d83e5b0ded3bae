r"""The velocity of the probability flow is affine in the score.

The mean rate of the path given z, E[alpha' x + sigma' eps | z], is f z - g^2 score / 2, for any
differentiable schedule: that is, alpha'/alpha z + (sigma^2 alpha'/alpha - sigma sigma') score. Where the
log-SNR falls it can be solved for the score. On the flow-matching schedule x_hat = z - t u, eps_hat = z +
(1 - t) u, and the score is -(z + (1 - t) u) / t. Velocity and score are proportional only where f is zero.

Not claimed: that a network's velocity is that of any data; times at which alpha or sigma is zero.
"""

from collections.abc import Iterable
from typing import Any

from sympy import symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.predictions import eps_from_x, score_from_x, x_from_score, x_from_u
from equiv.formulas.schedules import flow_matching
from equiv.proofs._calculus import mean
from equiv.proofs._rates import diffusion_squared, drift, falling, rates
from equiv.proofs._symbols import inside, now, score_hat, t, u_hat, x_hat, z_t

CLAIM = Claim(
    id="p-score-velocity",
    title="The velocity is affine in the score",
    statement=r"E[\dot\alpha x + \dot\sigma \epsilon | z] = f z - \tfrac12 g^2 \nabla \log p"
    r" = \frac{\dot\alpha}\alpha z + \left(\sigma^2 \frac{\dot\alpha}\alpha - \sigma \dot\sigma\right)"
    r" \nabla\log p,"
    r" \qquad \nabla\log p = \frac{\alpha u - \dot\alpha z}{\sigma (\dot\alpha \sigma - \alpha \dot\sigma)}",
    source=Source(
        seed="002", section="The Deep Connection", equation="the score corresponds to the velocity"
    ),
    needs=("d-tweedie-1", "p-conversions", "s-fg-from-alphasigma"),
)

x = symbols("x", real=True)


def _velocity() -> Any:
    return rates.alpha * x_hat + rates.sigma * eps_from_x(z_t, x_hat, now)


def _by_score() -> Any:
    """The velocity of a predicted score."""
    x_of_score = x_from_score(z_t, score_hat, now)
    return rates.alpha * x_of_score + rates.sigma * eps_from_x(z_t, x_of_score, now)


def derivation() -> Derivation:
    sigma, alpha = now.sigma, now.alpha
    wronskian = rates.alpha * sigma - alpha * rates.sigma
    flow = flow_matching(t)
    x_of_u = x_from_u(z_t, u_hat, flow)
    return Derivation(
        chains=(
            chain(
                "The mean rate of the path",
                mean(rates.alpha * x + rates.sigma * eps_from_x(z_t, x, now), x, {0: 1, 1: x_hat}),
                ("the expectation is linear", _velocity()),
            ),
            chain(
                "By the score",
                _by_score(),
                (
                    "x and eps from the score",
                    rates.alpha / alpha * z_t
                    + (sigma**2 * rates.alpha / alpha - sigma * rates.sigma) * score_hat,
                ),
                (
                    "f is alpha'/alpha, g^2 is (sigma^2)' - 2 f sigma^2",
                    drift() * z_t - diffusion_squared() / 2 * score_hat,
                ),
            ),
            chain(
                "The score by the velocity",
                (alpha * _velocity() - rates.alpha * z_t) / (sigma * wronskian),
                (
                    "alpha u - alpha' z is -(alpha' sigma - alpha sigma') eps",
                    score_from_x(z_t, x_hat, now),
                ),
            ),
            chain("On the flow-matching schedule: x", x_of_u, ("alpha + sigma is 1", z_t - t * u_hat)),
            chain(
                "On the flow-matching schedule: eps",
                eps_from_x(z_t, x_of_u, flow),
                ("through x", z_t + (1 - t) * u_hat),
            ),
            chain(
                "On the flow-matching schedule: the score",
                score_from_x(z_t, x_of_u, flow),
                ("-eps / sigma", -(z_t + (1 - t) * u_hat) / t),
            ),
        ),
        hypotheses=(falling(), inside(t)),
    )


def false_variants() -> Iterable[Variant]:
    velocity, half = _by_score(), diffusion_squared() / 2
    yield Variant(name="the score pulls with a plus", left=velocity, right=drift() * z_t + half * score_hat)
    yield Variant(
        name="the whole of g^2, as in the reverse process",
        left=velocity,
        right=drift() * z_t - 2 * half * score_hat,
    )
    yield Variant(name="velocity and score are proportional", left=velocity, right=-half * score_hat)
    yield Variant(
        name="the score with its denominator turned",
        left=(now.alpha * _velocity() - rates.alpha * z_t)
        / (now.sigma * (now.alpha * rates.sigma - rates.alpha * now.sigma)),
        right=score_from_x(z_t, x_hat, now),
        hypotheses=(falling(),),
    )
    flow = flow_matching(t)
    yield Variant(
        name="on the flow-matching schedule: x is z + (1 - t) u",
        left=x_from_u(z_t, u_hat, flow),
        right=z_t + (1 - t) * u_hat,
        hypotheses=(inside(t),),
    )
