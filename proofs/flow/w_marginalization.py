r"""A velocity averaged over the posterior carries the density of a mixture.

Let a velocity v(z | x) carry a density k(z | x) for each x, along any path whatever: k' = -div(k v). Two
such paths, weighed by w_1 and w_2, have the density p = w_1 k_1 + w_2 k_2, and it is carried by the mean u
of the velocities under the posterior weights w_i k_i / p: p u is linear in the paths. Coordinate by
coordinate p' = -div(p u). A mixture and one more path are two paths again, so this is so for every finite
mixture. Scores average likewise.

Not claimed: data of any law, where the sum is an integral and k and its derivatives have to be bounded by
something integrable over the data (for normal kernels o-continuity has it); that there is a path for every
x; which velocity, of all that carry p, is meant.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import rate

CLAIM = Claim(
    id="w-marginalization",
    title="The marginal velocity",
    statement=r"\partial_t p_t(z|x_i) = -\nabla \cdot (p_t(z|x_i)\, u_t(z|x_i)),\ p_t = \sum_{i=1}^n w_i"
    r" p_t(\cdot|x_i) \implies \partial_t p_t = -\nabla \cdot (p_t u_t), \qquad"
    r" u_t(z) = E[u_t(z|x)\, |\, z_t = z]",
    source=Source(
        seed="000",
        section="Key Findings, in focus",
        equation="a conditional probability path and its vector field",
    ),
    cites=("induction over paths, from two to any number",),
)

w_1, w_2, k_1, k_2 = symbols("w_1 w_2 k_1 k_2", positive=True)
v_1, v_2 = symbols("v_1 v_2", real=True)
SLOPES = dict(zip((k_1, k_2, v_1, v_2), symbols("k_1' k_2' v_1' v_2'", real=True), strict=True))


def _by_state(e: Any) -> Any:
    """The derivative in one coordinate of the state, by the chain rule."""
    return sum((rate(e, of) * its_slope for of, its_slope in SLOPES.items() if e.has(of)), start=S.Zero)


def _density() -> Any:
    return w_1 * k_1 + w_2 * k_2


def _velocity() -> Any:
    """The mean of the velocities under the posterior."""
    return w_1 * k_1 / _density() * v_1 + w_2 * k_2 / _density() * v_2


def _rate() -> Any:
    """How fast the density changes: each path is carried by its velocity."""
    return w_1 * -_by_state(k_1 * v_1) + w_2 * -_by_state(k_2 * v_2)


def derivation() -> Derivation:
    u = _velocity()
    flux = w_1 * k_1 * v_1 + w_2 * k_2 * v_2
    return Derivation(
        chains=(
            chain("The density times the mean velocity", _density() * u, ("the density cancels", flux)),
            chain(
                "The mean velocity carries the density, one coordinate's part",
                -_by_state(_density() * u),
                ("the product is linear in the paths", -_by_state(flux)),
                ("each path's part", _rate()),
            ),
            chain(
                "The posterior weights sum to one",
                w_1 * k_1 / _density() + w_2 * k_2 / _density(),
                ("by the density", S.One),
            ),
            chain(
                "The score is the mean of the scores",
                _by_state(_density()) / _density(),
                (
                    "under the same weights",
                    w_1 * k_1 / _density() * (_by_state(k_1) / k_1)
                    + w_2 * k_2 / _density() * (_by_state(k_2) / k_2),
                ),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    p = _density()
    for name, wrong in (
        ("the mean under the weights of the data", (w_1 * v_1 + w_2 * v_2) / (w_1 + w_2)),
        ("the sum without the density", w_1 * k_1 * v_1 + w_2 * k_2 * v_2),
        ("the mean under the weights of the other path", (w_2 * k_2 * v_1 + w_1 * k_1 * v_2) / p),
        ("the likelihoods without the weights of the data", (k_1 * v_1 + k_2 * v_2) / (k_1 + k_2)),
    ):
        yield Variant(name=name, left=-_by_state(p * wrong), right=_rate())
    yield Variant(
        name="the log-density is the mean of the log-densities: its slope, under the weights of the data",
        left=_by_state(p) / p,
        right=(w_1 * _by_state(k_1) / k_1 + w_2 * _by_state(k_2) / k_2) / (w_1 + w_2),
    )
