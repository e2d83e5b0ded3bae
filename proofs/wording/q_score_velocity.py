r"""Score and velocity correspond by an affine map, a multiple only where alpha stands still.

The velocity of a prediction is f z - g^2 s / 2 (p-score-velocity). Where alpha does not change, as on
variance-exploding paths, it is -g^2 s / 2. Elsewhere no multiple will do: for data at one point x, and the
state alpha x, the score is zero and the velocity is alpha' x.

Not claimed: anything about a schedule that is only approximately variance-exploding.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.predictions import eps_from_x, score_from_x
from equiv.proofs._calculus import at
from equiv.proofs._densities import velocity, x, z
from equiv.proofs._rates import diffusion_squared, drift, falling, rates
from equiv.proofs._symbols import now, x_hat, z_t

CLAIM = Claim(
    id="q-score-velocity",
    title="The score is the velocity only up to an affine map",
    statement=r"u = f z - \tfrac12 g^2 \nabla \log p, \qquad"
    r" u \propto \nabla \log p \text{ for all data} \iff \dot\alpha = 0",
    source=Source(
        seed="002", section="The Deep Connection", equation="the score function corresponds to the velocity"
    ),
    needs=("p-score-velocity",),
    erratum="E26",
    as_written=r"u \propto \nabla \log p",
)


def _velocity() -> Any:
    return rates.alpha * x_hat + rates.sigma * eps_from_x(z_t, x_hat, now)


def derivation() -> Derivation:
    score = score_from_x(z_t, x_hat, now)
    return Derivation(
        chains=(
            chain(
                "The velocity, for any network",
                _velocity(),
                ("x_hat and eps_hat by the score", drift() * z_t - diffusion_squared() / 2 * score),
            ),
            chain(
                "Where alpha stands still",
                at(_velocity(), rates.alpha, 0),
                ("f is zero", -at(diffusion_squared(), rates.alpha, 0) / 2 * score),
            ),
            chain(
                "Data at one point x: the score of the state alpha x",
                score_from_x(now.alpha * x, x, now),
                ("no noise", S.Zero),
            ),
            chain(
                "Data at one point x: the velocity of the state alpha x",
                at(velocity(), z, now.alpha * x),
                ("not zero, unless alpha stands still", rates.alpha * x),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    score = score_from_x(z_t, x_hat, now)
    for name, wrong in (
        ("with all of g^2", drift() * z_t - diffusion_squared() * score),
        ("with the score turned", drift() * z_t + diffusion_squared() / 2 * score),
        ("with f of the other sign", -drift() * z_t - diffusion_squared() / 2 * score),
    ):
        yield Variant(name=f"the velocity {name}", left=_velocity(), right=wrong, hypotheses=(falling(),))


def as_written() -> Iterable[Variant]:
    score = score_from_x(z_t, x_hat, now)
    yield Variant(
        name="the velocity is -g^2 s / 2 on every schedule",
        left=_velocity(),
        right=-diffusion_squared() / 2 * score,
        hypotheses=(falling(),),
    )
    yield Variant(
        name="the velocity vanishes with the score",
        left=at(velocity(), z, now.alpha * x),
        right=score_from_x(now.alpha * x, x, now),
        hypotheses=(falling(),),
    )
