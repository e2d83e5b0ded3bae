r"""The density of the noisy data solves the Fokker-Planck equation of the forward process.

For data of any law, and any differentiable schedule with positive alpha and sigma. Given x, the kernel
solves the equation, which is linear; its average over the data therefore solves it too, as derivatives may be
taken inside the average (argued in proofs/_densities, not decided). In d dimensions the
kernel is a product over coordinates, and one more factor adds one more term to both sides.

Not claimed: that the equation has no other solution; levels without signal or without noise.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import rate
from equiv.proofs._densities import averaged, kernel, moved, slope, x, z
from equiv.proofs._rates import diffusion_squared, drift, falling, rates, total_rate
from equiv.proofs._symbols import now

CLAIM = Claim(
    id="o-forward-fp",
    title="The Fokker-Planck equation of the forward process",
    statement=r"\partial_t p_t = -\nabla \cdot (f_t z\, p_t) + \tfrac12 g_t^2\, \Delta p_t, \qquad"
    r" p_t(z) = E_x\, N(z; \alpha_t x, \sigma_t^2 I)",
    source=Source(seed="003", section="SDE and ODE Perspective", equation="8, the forward process"),
    needs=("s-fg-from-alphasigma",),
    cites=("dominated convergence, for derivatives under the mean over the data",),
)

others = symbols("q", positive=True)
rate_of_others = symbols("qdot", real=True)


def derivation() -> Derivation:
    return Derivation(chains=(*_kernel(), _equation(), _one_coordinate_more(), _average()))


def _right_side(factor: Any) -> Any:
    """-(f z p)' + g^2 p'' / 2, of a factor times the kernel."""
    return -slope(drift() * z * factor) + diffusion_squared() / 2 * slope(slope(factor))


def _kernel() -> Iterable[Chain]:
    """What ``slope`` and ``moved`` say, of the kernel in full."""
    k = kernel()
    yield chain("The kernel by the state", rate(k, z), ("its logarithmic derivative", k * slope(S.One)))
    yield chain("The kernel by time", total_rate(k), ("its logarithmic derivative", k * moved(S.One)))


def _equation() -> Chain:
    off = z - now.alpha * x
    spread = off**2 / now.sigma**4 - 1 / now.sigma**2
    return chain(
        "Given x, per kernel",
        _right_side(S.One),
        (
            "drift and spread",
            drift() * (z * off / now.sigma**2 - 1) + diffusion_squared() / 2 * spread,
        ),
        (
            "g^2 is (sigma^2)' - 2 f sigma^2",
            drift() * now.alpha * x * off / now.sigma**2 + now.sigma * rates.sigma * spread,
        ),
        ("alpha' is f alpha: the rate of the kernel", moved(S.One)),
    )


def _one_coordinate_more() -> Chain:
    """The density of the other coordinates, whose rate is their part of the right side, times this kernel."""
    return chain(
        "One coordinate more",
        rate_of_others + others * moved(S.One),
        ("the others are constant in this one", rate_of_others + _right_side(others)),
    )


def _average() -> Chain:
    return chain(
        "The average over the data",
        averaged(moved(S.One)),
        (
            "the equation is linear; p, p' and p'' are averages",
            -drift() * (averaged(S.One) + z * averaged(slope(S.One)))
            + diffusion_squared() / 2 * averaged(slope(slope(S.One))),
        ),
    )


def false_variants() -> Iterable[Variant]:
    f, half, spread = drift(), diffusion_squared() / 2, slope(slope(S.One))
    for name, right in (
        ("g^2 without its half", -slope(f * z) + 2 * half * spread),
        ("the drift turned", slope(f * z) + half * spread),
        ("the diffusion turned", -slope(f * z) - half * spread),
        ("no drift", half * spread),
        ("g^2 is the rate of sigma^2", -slope(f * z) + total_rate(now.sigma**2) / 2 * spread),
        ("the drift outside the derivative", -f * z * slope(S.One) + half * spread),
    ):
        yield Variant(
            name=f"point-mass data: {name}", left=moved(S.One), right=right, hypotheses=(falling(),)
        )
