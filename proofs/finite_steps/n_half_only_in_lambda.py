r"""Renoising undoes half of a DDPM step's progress in log-SNR, and in no other unit.

The level s lies halfway, in log-SNR, between t and the level that DDIM reaches: the noise ratio at s is
the geometric mean. In the ratio itself s lies short of half the way, by (sqrt(r_t) - sqrt(r_r))^2 / 2; in
flow-matching time it is half the way only where sqrt(r_t r_r) = 1, that is at s = 1/2. Let a unit be a
twice differentiable function of the log-SNR with second derivative k. If s is half the way in it for all
pairs of levels, then k is zero: the mixed derivative of what half the way is missed by is k / 2, at s. So
the unit is affine in the log-SNR; and every such unit does.

Not claimed: units that are not twice differentiable; halves at single steps.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, Integral, S, exp, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, kappa, log_snr, noise_ratio
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import now, then

CLAIM = Claim(
    id="n-half-only-in-lambda",
    title="Half the progress, in log-SNR alone",
    statement=r"\psi(\lambda_s) = \tfrac12 (\psi(\lambda_t) + \psi(\lambda_r)) \text{ for all }"
    r" \lambda_s = \tfrac12 (\lambda_t + \lambda_r) \iff \psi'' = 0",
    source=Source(
        seed="003",
        section="Diving deeper into samplers",
        equation="renoising reverses exactly half the progress",
    ),
    needs=("t-ddpm-double-ddim",),
)

alpha_r, a, b = symbols("alpha_r a b", positive=True)
x, low, high, slope, start = symbols("x lambda_t lambda_r c_1 c_0", real=True)
u, v = symbols("u v", real=True)
curvature = Function("k", real=True)


def _unit(of: Any) -> Any:
    """Any unit with the second derivative k."""
    return Integral(Integral(curvature(u), (u, 0, v)), (v, 0, of)) + slope * of + start


def _missed(unit: Any) -> Any:
    return 2 * unit((low + high) / 2) - unit(low) - unit(high)


def derivation() -> Derivation:
    return Derivation(chains=(*_in_log_snr(), *_in_other_units(), *_in_any_unit()))


def _in_log_snr() -> Iterable[Chain]:
    reached = Level(alpha_r, alpha_r * noise_ratio(now) * kappa(now, then) ** 2)
    yield chain(
        "The level s, between t and the level that DDIM reaches",
        (log_snr(now) + log_snr(reached)) / 2,
        ("half the way", log_snr(then)),
    )
    yield chain(
        "Its noise ratio",
        sqrt(noise_ratio(now) * noise_ratio(reached)),
        ("the geometric mean", noise_ratio(then)),
    )


def _in_other_units() -> Iterable[Chain]:
    """With r_t = a^2 and r_r = b^2, so that r_s = a b."""
    yield chain(
        "In the noise ratio, half the way less where s is",
        (a**2 + b**2) / 2 - a * b,
        ("a square", (a - b) ** 2 / 2),
    )
    yield chain(
        "In flow-matching time, half the way less where s is",
        (a**2 / (1 + a**2) + b**2 / (1 + b**2)) / 2 - a * b / (1 + a * b),
        (
            "over a common denominator",
            (1 - a * b) * (a - b) ** 2 / (2 * (1 + a**2) * (1 + b**2) * (1 + a * b)),
        ),
    )


def _in_any_unit() -> Iterable[Chain]:
    yield chain(
        "The second derivative of a unit",
        rate(rate(_unit(x), x), x),
        ("k, whatever it is", curvature(x)),
    )
    yield chain(
        "What half the way is missed by, differentiated in both ends",
        rate(rate(_missed(_unit), low), high),
        ("only the middle depends on both", curvature((low + high) / 2) / 2),
    )
    yield chain(
        "An affine unit",
        _missed(lambda of: slope * of + start),
        ("nothing is missed", S.Zero),
    )


def false_variants() -> Iterable[Variant]:
    for name, unit in (
        ("half in the noise ratio", lambda of: exp(-of / 2)),
        ("half in flow-matching time", lambda of: 1 / (1 + exp(of / 2))),
        ("half in the signal-to-noise ratio", lambda of: exp(of)),
        ("half in the signal of a variance-preserving schedule", lambda of: 1 / sqrt(1 + exp(-of))),
    ):
        yield Variant(name=name, left=_missed(unit), right=S.Zero)
