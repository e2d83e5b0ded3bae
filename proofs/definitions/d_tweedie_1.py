r"""The score of the noisy data is the mean noise, with a minus and divided by sigma.

p_t(z) is the integral of the normal density of z around alpha x over the data law. For every x, the
derivative of that density in z is -(z - alpha x) / sigma^2 times itself; integrating, grad p_t / p_t is the
posterior mean of -(z - alpha x) / sigma^2, because the posterior weighs x by that density. It holds for any
data law, with or without a density: for sigma > 0 the normal density and its derivatives are bounded in x,
so the derivative passes under the integral. Written for one coordinate; the normal density is a product
over coordinates.

Not claimed: noise that is not normal, for which it is false; sigma = 0; how well a network learns it.
"""

from collections.abc import Iterable
from typing import Any

from sympy import cosh, exp, log, pi, sqrt, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.predictions import eps_from_x, score_from_x
from equiv.proofs._calculus import mean, rate
from equiv.proofs._symbols import now, x_hat, z_t

CLAIM = Claim(
    id="d-tweedie-1",
    title="The score is minus the mean noise over sigma",
    statement=r"\nabla \log p_t(z) = -\frac{E[\epsilon | z]}\sigma = -\frac{z - \alpha E[x | z]}{\sigma^2}",
    source=Source(seed="003", section="SDE and ODE Perspective", equation="9, the score"),
    needs=("p-conversions",),
    cites=("dominated convergence, for the derivative under the mean over the data",),
)

x, first = symbols("x M_1", real=True)
mass = symbols("M_0", positive=True)
UNDER_DENSITY = {0: mass, 1: first}  # the integrals of 1 and x against density and data law; M_0 is p_t(z)
GIVEN_Z = {0: 1, 1: x_hat}


def _likelihood() -> Any:
    return exp(-((z_t - now.alpha * x) ** 2) / (2 * now.sigma**2)) / sqrt(2 * pi * now.sigma**2)


def _pull() -> Any:
    """What the density is multiplied by when it is differentiated."""
    return -(z_t - now.alpha * x) / now.sigma**2


def derivation() -> Derivation:
    return Derivation(
        chains=(
            chain(
                "For every x, the derivative of the density",
                rate(_likelihood(), z_t),
                ("the chain rule", _pull() * _likelihood()),
            ),
            chain(
                "Integrated over the data: grad p_t / p_t",
                mean(_pull(), x, UNDER_DENSITY) / mass,
                ("linear in x", -(z_t - now.alpha * (first / mass)) / now.sigma**2),
                ("E[x | z] is M_1 / M_0", score_from_x(z_t, first / mass, now)),
            ),
            chain(
                "By the noise",
                mean(-eps_from_x(z_t, x, now) / now.sigma, x, GIVEN_Z),
                ("linear in x", -eps_from_x(z_t, x_hat, now) / now.sigma),
                ("by the data", -(z_t - now.alpha * x_hat) / now.sigma**2),
                ("the score by name", score_from_x(z_t, x_hat, now)),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    score = mean(_pull(), x, UNDER_DENSITY) / mass
    posterior = first / mass
    yield Variant(
        name="the score points along the noise",
        left=score,
        right=(z_t - now.alpha * posterior) / now.sigma**2,
    )
    yield Variant(name="the mean of x without alpha", left=score, right=-(z_t - posterior) / now.sigma**2)
    yield Variant(
        name="the score is minus the mean noise", left=score, right=-(z_t - now.alpha * posterior) / now.sigma
    )
    yield Variant(
        name="noise with a density that is not normal, 1 / cosh",
        left=rate(-log(cosh((z_t - now.alpha * x) / now.sigma)), z_t),
        right=_pull(),
    )
