r"""Along the flow, the log-density falls by the divergence of the velocity.

Where a density p is carried by a velocity u, p' = -div(p u), its logarithm at a point that moves with u
changes at the rate -div u: coordinate by coordinate, the part of div(p u) in which p is differentiated is
undone by the motion. So it is for noisy data of any law and u = E[alpha' x + sigma' eps | z], whose
divergence is a multiple of the posterior variance and a function of time. The log-density at a sample
therefore gains, from a noisier level t to s, the integral of the divergence from s to t.

Not claimed: anything about a learned velocity, which carries a density of its own; levels without signal or
noise, and so the log-likelihood of clean data, which is a limit.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, S, log, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.predictions import eps_from_x
from equiv.proofs._calculus import rate
from equiv.proofs._densities import averaged, moved, posterior, slope, variance, velocity, z
from equiv.proofs._rates import falling, rates, total_rate
from equiv.proofs._symbols import now

CLAIM = Claim(
    id="o-likelihood",
    title="The log-density along the flow",
    statement=r"\frac{d}{dt} \log p_t(z_t) = -\nabla \cdot u_t(z_t), \qquad"
    r" \log p_s(z_s) = \log p_t(z_t) + \int_s^t \nabla \cdot u_r(z_r)\, dr",
    source=Source(
        seed="001", section="Flow Matching Mathematical Foundations", equation="the continuity equation"
    ),
    needs=("o-continuity",),
)

c = symbols("c", positive=True)


def derivation() -> Derivation:
    return Derivation(chains=(_any_density(), *_noisy_data(), *_normal_data()))


def _by_state(e: Any) -> Any:
    return rate(e, z)


def _any_density() -> Chain:
    p, u = Function("p", positive=True)(z), Function("u", real=True)(z)
    return chain(
        "Any density and field, one coordinate's part",
        (-_by_state(p * u) + u * _by_state(p)) / p,
        ("the product rule", -_by_state(u)),
    )


def _noisy_data() -> Iterable[Chain]:
    one = S.One
    # p u is the average of kernel times velocity; its quotient by p is differentiated
    divergence = (
        averaged(slope(velocity())) * averaged(one) - averaged(velocity()) * averaged(slope(one))
    ) / averaged(one) ** 2
    yield chain(
        "Noisy data of any law",
        (averaged(moved(one)) + posterior(velocity()) * averaged(slope(one))) / averaged(one),
        ("minus the divergence, by the quotient rule", -divergence),
    )
    yield chain(
        "The divergence",
        divergence,
        (
            "by the posterior variance",
            rates.sigma / now.sigma
            + (rates.alpha - now.alpha * rates.sigma / now.sigma) * now.alpha / now.sigma**2 * variance(),
        ),
    )


def _normal_spread() -> Any:
    return now.alpha**2 * c**2 + now.sigma**2


def _normal_velocity() -> Any:
    x_hat = gaussian_denoiser(z, now, S.Zero, c)
    return rates.alpha * x_hat + rates.sigma * eps_from_x(z, x_hat, now)


def _along(velocity_of: Any) -> Any:
    """The rate of the logarithm of N(z; 0, V) at a point that moves."""
    log_density = -(z**2) / (2 * _normal_spread()) - log(_normal_spread()) / 2
    return total_rate(log_density) + velocity_of * _by_state(log_density)


def _normal_data() -> Iterable[Chain]:
    growth = total_rate(_normal_spread()) / (2 * _normal_spread())
    yield chain("Normal data: the velocity", _normal_velocity(), ("V' / (2 V) of the state", growth * z))
    yield chain(
        "Normal data: the log-density along the flow",
        _along(growth * z),
        ("the exponent does not change", -growth),
    )


def false_variants() -> Iterable[Variant]:
    u = _normal_velocity()
    for name, left, right in (
        ("the divergence added", _along(u), _by_state(u)),
        ("half the divergence", _along(u), -_by_state(u) / 2),
        ("at a point that stands still", _along(S.Zero), -_by_state(u)),
        ("at a point that moves against the flow", _along(-u), -_by_state(u)),
        ("the density itself, not its logarithm, is constant", _along(u), S.Zero),
    ):
        yield Variant(name=f"normal data: {name}", left=left, right=right, hypotheses=(falling(),))
