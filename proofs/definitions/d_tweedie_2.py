r"""The covariance of the data given the state is the derivative of the denoiser, and the Hessian of log p_t.

For every x the derivative of the normal density in z_j is -(z_j - alpha x_j) / sigma^2 times itself
(d-tweedie-1), so the integrals M_0, M_i, M_ij of 1, x_i, x_i x_j against it obey M_k' = -(z_j M_k - alpha
M_kj) / sigma^2. With x_hat_i = M_i / M_0, the quotient rule gives Cov(x_i, x_j | z) = (sigma^2 / alpha) d
x_hat_i / d z_j, and the second derivative of log p_t follows from its first. So the derivative of the
denoiser is symmetric and not negative. It holds for any data law with a second moment given z, which sigma
> 0 grants.

Not claimed: alpha = 0, where z says nothing of x; the derivative of a network, which need not be symmetric.
"""

from collections.abc import Iterable
from typing import Any

from sympy import symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import now

CLAIM = Claim(
    id="d-tweedie-2",
    title="The posterior covariance is the derivative of the denoiser",
    statement=r"\mathrm{Cov}(x | z) = \frac{\sigma^2}\alpha\, \partial_z E[x | z]"
    r" = \frac{\sigma^2}{\alpha^2} \left(I + \sigma^2 \nabla^2 \log p_t\right)",
    source=Source(
        seed="003", section="SDE and ODE Perspective", equation="implied: the score of the forward process"
    ),
    needs=("d-tweedie-1",),
    cites=("dominated convergence, for the derivatives under the mean over the data",),
)

mass = symbols("M_0", positive=True)
of_i, of_j, of_both, z_i, z_j, same = symbols("M_i M_j M_ij z_i z_j delta_ij", real=True)
SLOPES = {
    mass: -(z_j * mass - now.alpha * of_j) / now.sigma**2,
    of_i: -(z_j * of_i - now.alpha * of_both) / now.sigma**2,
    z_i: same,  # one if i is j, else zero
}


def _slope(e: Any) -> Any:
    """The derivative in z_j, by the chain rule through M_0, M_i and z_i."""
    return sum(rate(e, through) * by for through, by in SLOPES.items())


def _covariance() -> Any:
    return of_both / mass - (of_i / mass) * (of_j / mass)


def derivation() -> Derivation:
    denoiser = of_i / mass
    score = -(z_i - now.alpha * denoiser) / now.sigma**2
    hessian = _slope(score)
    return Derivation(
        chains=(
            chain(
                "The derivative of the denoiser",
                _slope(denoiser),
                (
                    "the quotient rule; the terms in z_j cancel",
                    now.alpha / now.sigma**2 * (of_both * mass - of_i * of_j) / mass**2,
                ),
                ("the covariance", now.alpha / now.sigma**2 * _covariance()),
            ),
            chain(
                "The covariance by the derivative of the denoiser",
                _covariance(),
                ("divide", now.sigma**2 / now.alpha * _slope(denoiser)),
            ),
            chain(
                "The covariance by the Hessian of log p_t",
                now.sigma**2 / now.alpha**2 * (same + now.sigma**2 * hessian),
                ("the derivative of the score", now.sigma**2 / now.alpha**2 * (now.alpha * _slope(denoiser))),
                ("as above", _covariance()),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    denoiser = of_i / mass
    hessian = _slope(-(z_i - now.alpha * denoiser) / now.sigma**2)
    yield Variant(
        name="the factor sigma^2 / alpha^2 for the denoiser",
        left=_covariance(),
        right=now.sigma**2 / now.alpha**2 * _slope(denoiser),
    )
    yield Variant(
        name="the factor sigma for the denoiser", left=_covariance(), right=now.sigma * _slope(denoiser)
    )
    yield Variant(
        name="the Hessian alone, without the identity",
        left=_covariance(),
        right=now.sigma**4 / now.alpha**2 * hessian,
    )
    yield Variant(
        name="the Hessian with a minus",
        left=_covariance(),
        right=now.sigma**2 / now.alpha**2 * (same - now.sigma**2 * hessian),
    )
    yield Variant(
        name="the second moment, not centred",
        left=of_both / mass,
        right=now.sigma**2 / now.alpha * _slope(denoiser),
    )
