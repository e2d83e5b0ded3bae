r"""The mean velocity given the state carries the density of the noisy data.

Given x, a state moves with velocity alpha' x + sigma' eps, where eps = (z - alpha x) / sigma, and the kernel
solves the continuity equation with it. Averaged over data of any law, so does p with u = E[alpha' x + sigma'
eps | z], because p u is the average of kernel times velocity (derivatives are taken inside the average, as
argued in proofs/_densities). In d dimensions the kernel is a product over coordinates, and one more factor
adds one more term. With the posterior means of x and eps, u is alpha' x_hat + sigma' eps_hat; for flow
matching it is eps_hat - x_hat.

Not claimed: that the equation has no other solution (w-exact-density); levels without signal or without
noise.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.predictions import eps_from_x
from equiv.proofs._densities import averaged, first, moved, posterior, slope, velocity, x, z
from equiv.proofs._rates import falling, rates
from equiv.proofs._symbols import now

CLAIM = Claim(
    id="o-continuity",
    title="The continuity equation of the mean velocity",
    statement=r"\partial_t p_t + \nabla \cdot (p_t u_t) = 0, \qquad"
    r" u_t(z) = E[\dot\alpha_t x + \dot\sigma_t \epsilon\, |\, z_t = z]"
    r" = \dot\alpha_t \hat x + \dot\sigma_t \hat\epsilon",
    source=Source(seed="003", section="SDE and ODE Perspective", equation="10, the velocity"),
    needs=("o-forward-fp",),
    cites=("dominated convergence, for derivatives under the mean over the data",),
)

others = symbols("q", positive=True)
rate_of_others = symbols("qdot", real=True)


def derivation() -> Derivation:
    return Derivation(chains=(_given_x(), _one_coordinate_more(), _average(), _mean_velocity()))


def _given_x() -> Chain:
    eps = eps_from_x(z, x, now)
    return chain(
        "Given x, per kernel",
        -slope(velocity()),
        ("the product rule", velocity() * eps / now.sigma - rates.sigma / now.sigma),
        ("the rate of the kernel", moved(S.One)),
    )


def _one_coordinate_more() -> Chain:
    """The density of the other coordinates, whose rate is their part of the divergence, times this kernel."""
    return chain(
        "One coordinate more",
        rate_of_others + others * moved(S.One),
        ("the others are constant in this one", rate_of_others - slope(others * velocity())),
    )


def _average() -> Chain:
    return chain(
        "The average over the data: p' + (p u)', where p u is the average of kernel times velocity",
        averaged(moved(S.One)) + averaged(slope(velocity())),
        ("each x solves the equation, which is linear", averaged(S.Zero)),
        ("nothing is left", S.Zero),
    )


def _mean_velocity() -> Chain:
    return chain(
        "The mean velocity",
        posterior(velocity()),
        ("it is linear in x", rates.alpha * first + rates.sigma * eps_from_x(z, first, now)),
    )


def false_variants() -> Iterable[Variant]:
    eps = eps_from_x(z, x, now)
    wrong: tuple[tuple[str, Any], ...] = (
        ("the velocity turned", -velocity()),
        ("signal and noise exchanged", rates.sigma * x + rates.alpha * eps),
        ("the noise without its rate", rates.alpha * x + eps),
        ("eps - x, on any schedule", eps - x),
        ("v, on any schedule", now.alpha * eps - now.sigma * x),
        ("the drift f z, as if no noise were added", rates.alpha / now.alpha * z),
    )
    for name, field in wrong:
        yield Variant(
            name=f"point-mass data: {name}", left=moved(S.One), right=-slope(field), hypotheses=(falling(),)
        )
