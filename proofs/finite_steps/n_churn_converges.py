r"""On normal data churn of any amount is right up to the length of its steps, on every grid.

Data N(0, c^2), with tan(theta) = sigma / (c alpha), in the gauge where the state has the variance 1 at every
level. Let D be what the variance of the sampler falls short of that. A churn step of rho = 1 + e, from theta
to phi = theta - delta, makes of it m^2 D + L^2, with K = kappa^e the part of the noise that is kept
(n-stochastic-grid). Here m = cos(delta) - (1 - K) sin(phi) sin(theta), which lies in [0, 1], and L =
sin(delta) + (1 - K) sin(phi) cos(theta), where (1 - kappa) sin(phi) cos(theta) = kappa sin(delta). Since 1 -
kappa^e is at most the larger of 1 and e times 1 - kappa, L is at most M delta with M = 1 + max(1, e). So D
grows by at most M^2 delta^2 a step: over any grid of the quarter turn, it is at most M^2 sum(delta^2), and
M^2 (pi / 2) max(delta). So the sampler is of first order for every eta, and as DDIM shows, of no higher one
(n-gaussian-grid).

Not claimed: other data; that M is the least such constant.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, Lt, S, cos, sin, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, kappa
from equiv.proofs._calculus import rate

CLAIM = Claim(
    id="n-churn-converges",
    title="On normal data churn of any amount is of first order",
    statement=r"x \sim N(0, c^2),\ z_1 \sim p_1:\quad 0 \le 1 - \frac{\mathrm{Var}\, z_s}{V_s}"
    r" \le M^2 \sum_i \delta_i^2 \le \tfrac\pi2 M^2 \max_i \delta_i, \qquad M = 1 + \max(1, \eta^2),"
    r"\ \delta_i = \Delta\theta_i,\ \tan\theta = \frac\sigma{c\, \alpha}",
    source=Source(
        seed="003", section="SDE and ODE Perspective", equation="discretising the backward process"
    ),
    needs=("n-stochastic-grid", "n-gaussian-grid"),
    cites=("induction over steps, for the sum of the losses",),
)

theta, phi, delta, c, e, K, ratio = symbols("theta phi delta c e K kappa", positive=True)
short, bound, multiplier, loss, M = symbols("D B m L M", positive=True)


def _level(angle: Any) -> Level[Any]:
    """The level at which normal data of spread c have a state of variance 1."""
    return Level(alpha=cos(angle) / c, sigma=sin(angle))


def _multiplier() -> Any:
    return cos(phi) * cos(theta) + K * sin(phi) * sin(theta)


def _loss() -> Any:
    return cos(phi) * sin(theta) - K * sin(phi) * cos(theta)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_one_step(), *_kept(), *_many_steps()),
        hypotheses=(*_quarter(), Lt(K, 1, evaluate=False), Lt(ratio, 1, evaluate=False)),
    )


def _quarter() -> tuple[Any, ...]:
    return tuple(Gt(of(angle), 0, evaluate=False) for of in (sin, cos) for angle in (theta, phi))


def _one_step() -> Iterable[Chain]:
    kept = kappa(_level(theta), _level(phi))
    yield chain(
        "m falls short of one",
        1 - _multiplier(),
        (
            "by what is not negative",
            (1 - cos(theta - phi)) + (1 - K) * sin(phi) * sin(theta),
        ),
    )
    yield chain(
        "L",
        _loss(),
        ("the sine of a difference", sin(theta - phi) + (1 - K) * sin(phi) * cos(theta)),
    )
    yield chain(
        "The latter for e = 1",
        (1 - kept) * sin(phi) * cos(theta),
        ("kappa is tan(phi) / tan(theta)", kept * sin(theta - phi)),
    )


def _kept() -> Iterable[Chain]:
    yield chain(
        "For e above one: e (1 - kappa) less 1 - kappa^e falls to zero at kappa = 1",
        rate(e * (1 - ratio) - (1 - ratio**e), ratio),
        ("differentiate", -e * (1 - ratio ** (e - 1))),
    )
    yield chain("... where it is", e * (1 - S.One) - (1 - S.One**e) + e, ("zero, and e", e))
    yield chain(
        "For e below one: 1 - kappa less 1 - kappa^e",
        (1 - ratio) - (1 - ratio**e),
        ("not negative", ratio**e * (1 - ratio ** (1 - e))),
    )
    yield chain(
        "sin(delta) is at most delta: their distance from zero on grows",
        rate(delta - sin(delta), delta),
        ("differentiate; not negative", 1 - cos(delta)),
    )


def _many_steps() -> Iterable[Chain]:
    yield chain(
        "A bound B of D, and M^2 delta^2, less what the step makes of D",
        bound + M**2 * delta**2 - (multiplier**2 * short + loss**2),
        (
            "not negative",
            (1 - multiplier) * (1 + multiplier) * bound
            + multiplier**2 * (bound - short)
            + (M * delta - loss) * (M * delta + loss),
        ),
    )
    yield chain(
        "With the longest step B in place of one delta",
        bound * delta - delta**2,
        ("not negative; the deltas sum up to at most pi / 2", delta * (bound - delta)),
    )


def false_variants() -> Iterable[Variant]:
    places = (*_quarter(), Lt(K, 1, evaluate=False), Gt(sin(theta - phi), 0, evaluate=False))
    kept = kappa(_level(theta), _level(phi))
    for name, left, right in (
        ("L is the sine of the step for every churn", _loss(), sin(theta - phi)),
        ("m is the cosine of the step for every churn", _multiplier(), cos(theta - phi)),
        ("m and L are those of a rotation", _multiplier() ** 2 + _loss() ** 2, S.One),
        (
            "what DDPM adds to L is the sine of the step",
            (1 - kept) * sin(phi) * cos(theta),
            sin(theta - phi),
        ),
    ):
        yield Variant(name=name, left=left, right=right, hypotheses=places)
    yield Variant(
        name="1 - kappa^e is e (1 - kappa)",
        left=1 - ratio**e,
        right=e * (1 - ratio),
        hypotheses=(Lt(ratio, 1, evaluate=False),),
    )
