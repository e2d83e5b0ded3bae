r"""What needs normal noise: the score, the stochastic processes and renoising, but not the flow.

Let eps have any twice differentiable density q > 0 with q, q' and e q'(e) bounded, independent of x. Given
x, z has the density K = q(e) / sigma with e = (z - alpha x) / sigma, which solves the continuity equation
with the velocity alpha' x + sigma' e; averaged over the data, p does with u = E[alpha' x + sigma' eps | z],
derivatives being taken inside the average (allowed by the bounds, not decided). DDIM and Euler steps of the
flow use no law at all (f-ddim-is-fm). But the score given x is (log q)'(e) / sigma, which is -e / sigma only
if q is the standard normal density, up to the constant that makes it a density: the derivative of q exp(e^2
/ 2) must vanish. And the Fokker-Planck equation of the forward process misses by -g^2 / 2 times the
derivative of e K / sigma + K', which vanishes for the same q alone.

Shown for one coordinate: in several, each is such a chain.

The false variants are of point-mass data and uniform noise, inside its support, where the score is zero.

Not claimed: the equation at points where q jumps, other than as a conservation of mass.
"""

from collections.abc import Callable, Iterable
from typing import Any

from sympy import Function, Rational, S, exp, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.predictions import eps_from_x
from equiv.formulas.steps import ddim_step, renoise
from equiv.proofs._calculus import rate
from equiv.proofs._densities import velocity, x, z
from equiv.proofs._rates import diffusion_squared, drift, falling, total_rate
from equiv.proofs._symbols import less_noisy, now, then

CLAIM = Claim(
    id="o-nongaussian-source",
    title="What needs normal noise",
    statement=r"\epsilon \sim q > 0,\ q, q', e q' \text{ bounded}: \quad"
    r" \partial_t p_t + \nabla \cdot (p_t u_t) = 0, \qquad"
    r" \nabla \log p_t = -\frac{E[\epsilon | z]}{\sigma_t} \text{ for all data} \iff q = N(0, I)",
    source=Source(
        seed="003", section="Diffusion Meets Flow Matching", equation="the source distribution is a Gaussian"
    ),
    needs=("o-continuity", "f-ddim-is-fm"),
    cites=("dominated convergence, for derivatives under the mean over the data",),
)

at_e = symbols("q", positive=True)  # q(e)
slope_at_e, bend_at_e, e, eps = symbols("q' q'' e epsilon", real=True)
TAILS = {at_e: slope_at_e, slope_at_e: bend_at_e}


def _by_state(factor: Any) -> Any:
    return rate(factor, z)


def _derivative(by: Callable[[Any], Any], factor: Any) -> Any:
    """The derivative of an expression in q(e) and q'(e), by the chain rule."""
    through_e = sum(rate(factor, q) * next_q for q, next_q in TAILS.items())
    return by(factor) + through_e * by(eps_from_x(z, x, now))


def _slope(factor: Any) -> Any:
    return _derivative(_by_state, factor)


def _moved(factor: Any) -> Any:
    return _derivative(total_rate, factor)


def _forward(k: Any) -> Any:
    """The right side of the Fokker-Planck equation of the forward process."""
    return -_slope(drift() * z * k) + diffusion_squared() / 2 * _slope(_slope(k))


def derivation() -> Derivation:
    return Derivation(chains=(*_what_holds(), *_what_needs_normal_noise()))


def _what_holds() -> Iterable[Chain]:
    k = at_e / now.sigma
    yield chain(
        "The continuity equation, given x",
        _moved(k),
        ("minus the divergence of kernel times velocity", -_slope(k * velocity())),
    )
    yield chain(
        "DDIM, from the pair that makes up the state",
        ddim_step(now.alpha * x + now.sigma * eps, x, now, then),
        ("the pair is kept, whatever its law", then.alpha * x + then.sigma * eps),
    )


def _what_needs_normal_noise() -> Iterable[Chain]:
    k, off = at_e / now.sigma, eps_from_x(z, x, now)
    q = Function("q", positive=True)(e)
    yield chain("The score, given x", _slope(k) / k, ("of q, scaled", slope_at_e / at_e / now.sigma))
    yield chain(
        "It is -e / sigma where q' + e q is zero",
        _slope(k) / k + off / now.sigma,
        ("over a common denominator", (slope_at_e + off * at_e) / (now.sigma * at_e)),
    )
    yield chain(
        "Then q is a constant times exp(-e^2 / 2)",
        rate(q * exp(e**2 / 2), e),
        ("which vanishes with q' + e q", (rate(q, e) + e * q) * exp(e**2 / 2)),
    )
    yield chain(
        "What the forward process misses",
        _moved(k) - _forward(k),
        (
            "the velocity is f z + g^2 e / (2 sigma)",
            -diffusion_squared() / 2 * _slope(off / now.sigma * k + _slope(k)),
        ),
        (
            "the derivative of q' + e q",
            -diffusion_squared() / 2 * (at_e + off * slope_at_e + bend_at_e) / now.sigma**3,
        ),
    )


def false_variants() -> Iterable[Variant]:
    uniform = {slope_at_e: S.Zero, bend_at_e: S.Zero}
    off = eps_from_x(z, x, now)
    yield Variant(name="Tweedie's formula for uniform noise", left=S.Zero, right=-off / now.sigma)
    k = at_e / now.sigma
    for name, wrong in (
        ("the forward process for uniform noise", _forward(k)),
        ("the velocity f z - g^2 s / 2 for uniform noise", -_slope(k * drift() * z)),
    ):
        yield Variant(
            name=name,
            left=_moved(k).subs(uniform),
            right=wrong.subs(uniform),
            hypotheses=(falling(),),
        )
    yield from _renoising()


def _renoising() -> Iterable[Variant]:
    """The fourth moment, 9/5 of the squared variance, is not kept by adding normal or uniform noise."""
    kept = renoise(then.sigma, S.Zero, then, now) ** 2
    added = renoise(S.Zero, S.One, then, now) ** 2
    for name, fourth in (("normal", S(3)), ("uniform", Rational(9, 5))):
        yield Variant(
            name=f"uniform noise, renoised by {name} noise, is uniform",
            left=Rational(9, 5) * kept**2 + 6 * kept * added + fourth * added**2,
            right=Rational(9, 5) * now.sigma**4,
            hypotheses=(less_noisy(then, now),),
        )
