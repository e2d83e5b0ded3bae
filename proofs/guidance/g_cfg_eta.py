r"""Under guidance, how stochastic the sampler is changes what is sampled.

For normal conditional and unconditional data of variances v_c and v_u, V = alpha^2 v + sigma^2 has V' = 2 f
V + g^2, and the guided score is -K z with K = gamma / V_c + (1 - gamma) / V_u. The variance M of a sample
then obeys, read backwards in t, M' = (2 f + (1 + eta^2) g^2 K) M - eta^2 g^2. For eta = 0 it is solved by
M_0 = V_c^gamma V_u^(1 - gamma), so that noise of variance one ends as v_c^gamma v_u^(1 - gamma). For another
eta, the distance of M from M_0 is driven by eta^2 g^2 (K M_0 - 1), which has one sign: K M_0 is one only
where V_u = V_c, as its logarithm moves one way on either side, unless gamma is 0 or 1. So M_0 does not solve
the equation of another eta. Without guidance K M = 1 for every eta. The gap D = K M - 1 obeys D' = F (D + 1)
+ eta^2 g^2 K D, F = (log K M_0)'; read backwards it decays at the rate eta^2 g^2 K, driven by F. Where D is
zero at the end, M is 1 / K(0), the variance of the tilted density.

Not claimed: that D at the end tends to zero as eta grows (g-cfg-eta-limit); the variances for other eta in
closed form; data that are not normal.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, Rational, S, evaluate, log, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level
from equiv.proofs._calculus import at, rate
from equiv.proofs._rates import diffusion_squared, drift, total_rate
from equiv.proofs._symbols import now

CLAIM = Claim(
    id="g-cfg-eta",
    title="Under guidance, eta changes the marginals",
    statement=r"M' = \bigl(2 f + (1 + \eta^2) g^2 K\bigr) M - \eta^2 g^2, \quad"
    r" K = \frac\gamma{V_c} + \frac{1 - \gamma}{V_u}; \qquad \eta = 0:\ M = V_c^\gamma V_u^{1 - \gamma};"
    r" \qquad D = K M - 1:\ D' = F (D + 1) + \eta^2 g^2 K D,\ F = (\log K V_c^\gamma V_u^{1 - \gamma})'",
    source=Source(
        seed="000",
        section="Key Findings, in focus",
        equation="classifier-free guidance, with the SDE of seed 003",
    ),
    needs=("g-cfg-not-tilted",),
    cites=("Ito's formula, for the variance of a linear process",),
)

v_c, v_u, gamma, eta, y, m = symbols("v_c v_u gamma eta y M", positive=True)
apart = symbols("N", real=True)


def _diffused(variance: Any, level: Level[Any] = now) -> Any:
    return level.alpha**2 * variance + level.sigma**2


def _precision(level: Level[Any] = now) -> Any:
    """K, for which the guided score is -K z."""
    return gamma / _diffused(v_c, level) + (1 - gamma) / _diffused(v_u, level)


def _geometric(level: Level[Any] = now) -> Any:
    return _diffused(v_c, level) ** gamma * _diffused(v_u, level) ** (1 - gamma)


def _moves(variance: Any, precision: Any, stochasticity: Any) -> Any:
    """M' of the reverse equation, read backwards: the drift of z is (f + (1 + eta^2) / 2 g^2 K) z."""
    by_score = (1 + stochasticity**2) * diffusion_squared() * precision
    return (2 * drift() + by_score) * variance - stochasticity**2 * diffusion_squared()


def derivation() -> Derivation:
    return Derivation(
        chains=(*_deterministic(), *_stochastic(), *_meeting(), *_gap()),
        hypotheses=(Gt(_precision(), 0, evaluate=False), Gt(gamma * y + 1 - gamma, 0, evaluate=False)),
    )


def _deterministic() -> Iterable[Chain]:
    clean, noise_only = Level(S.One, S.Zero), Level(S.Zero, S.One)
    yield chain(
        "V of either data moves as the forward process does",
        total_rate(_diffused(v_c)),
        ("2 f V + g^2", 2 * drift() * _diffused(v_c) + diffusion_squared()),
    )
    yield chain(
        "eta = 0: V_c^gamma V_u^(1 - gamma) moves, relatively",
        total_rate(gamma * log(_diffused(v_c)) + (1 - gamma) * log(_diffused(v_u))),
        ("by V' = 2 f V + g^2", 2 * drift() + diffusion_squared() * _precision()),
        ("as the variance", _moves(m, _precision(), S.Zero) / m),
    )
    yield chain("It starts at one, without signal", _geometric(noise_only), ("1^gamma", S.One))
    yield chain("It ends, without noise, at", _geometric(clean), ("insert", v_c**gamma * v_u ** (1 - gamma)))
    yield chain(
        "With gamma = 3, v_c = 1/4 and v_u = 1", Rational(1, 4) ** 3 * S.One**-2, ("1/64", Rational(1, 64))
    )


def _stochastic() -> Iterable[Chain]:
    pull = 2 * drift() + (1 + eta**2) * diffusion_squared() * _precision()
    yield chain(
        "Any eta: how far M lies from the M_0 of eta = 0, moves",
        _moves(m + apart, _precision(), eta) - _moves(m, _precision(), S.Zero),
        ("driven unless K M_0 = 1", pull * apart + eta**2 * diffusion_squared() * (_precision() * m - 1)),
    )
    yield chain(
        "Without guidance, V solves the equation for every eta",
        _moves(_diffused(v_c), 1 / _diffused(v_c), eta),
        ("K V is one", total_rate(_diffused(v_c))),
    )


def _meeting() -> Iterable[Chain]:
    """K M_0 as a function of y = V_u / V_c."""
    by_ratio = y**-gamma * (gamma * y + 1 - gamma)
    yield chain(
        "K M_0 by the ratio y of V_u to V_c",
        _precision() * _geometric(),
        (
            "take out V_c",
            (_diffused(v_u) / _diffused(v_c)) ** -gamma
            * (gamma * (_diffused(v_u) / _diffused(v_c)) + 1 - gamma),
        ),
    )
    yield chain("At y = 1", at(by_ratio, y, 1), ("gamma + 1 - gamma", S.One))
    yield chain(
        "Its logarithm, by y",
        rate(-gamma * log(y) + log(gamma * y + 1 - gamma), y),
        (
            "one sign below y = 1, the other above",
            gamma * (1 - gamma) * (y - 1) / (y * (gamma * y + 1 - gamma)),
        ),
    )


def _gap() -> Iterable[Chain]:
    precision, gap = _precision(), _precision() * m - 1
    forcing = total_rate(log(precision)) + 2 * drift() + diffusion_squared() * precision
    yield chain(
        "F: the relative change of K M_0",
        forcing,
        (
            "by that of M_0",
            total_rate(log(precision))
            + total_rate(gamma * log(_diffused(v_c)) + (1 - gamma) * log(_diffused(v_u))),
        ),
    )
    yield chain(
        "The gap D = K M - 1 moves",
        total_rate(precision) * m + precision * _moves(m, precision, eta),
        (
            "it decays backwards in t, driven by F",
            forcing * (gap + 1) + eta**2 * diffusion_squared() * precision * gap,
        ),
    )
    yield chain(
        "Where it ends, K",
        _precision(Level(S.One, S.Zero)),
        ("the tilted precision", gamma / v_c + (1 - gamma) / v_u),
    )
    with evaluate(True):
        tilted = (gamma / v_c + (1 - gamma) / v_u).subs({gamma: 3, v_c: Rational(1, 4), v_u: 1})
    yield chain("With gamma = 3, v_c = 1/4 and v_u = 1", 1 / tilted, ("1 / (12 - 2)", Rational(1, 10)))


def false_variants() -> Iterable[Variant]:
    guided = (Gt(_precision(), 0, evaluate=False),)
    yield Variant(
        name="M_0 solves the equation of every eta",
        left=_moves(_geometric(), _precision(), eta),
        right=_moves(_geometric(), _precision(), S.Zero),
        hypotheses=guided,
    )
    yield Variant(
        name="eta = 0 samples the tilted density",
        left=v_c**gamma * v_u ** (1 - gamma),
        right=1 / (gamma / v_c + (1 - gamma) / v_u),
        hypotheses=(Gt(gamma / v_c + (1 - gamma) / v_u, 0, evaluate=False),),
    )
    yield Variant(
        name="eta = 0: V moves with the arithmetic mean of the variances",
        left=total_rate(gamma * _diffused(v_c) + (1 - gamma) * _diffused(v_u)),
        right=_moves(gamma * _diffused(v_c) + (1 - gamma) * _diffused(v_u), _precision(), S.Zero),
        hypotheses=guided,
    )
    yield Variant(
        name="the equation read forwards: noise adds to M as t grows",
        left=_moves(_diffused(v_c), 1 / _diffused(v_c), eta) + 2 * eta**2 * diffusion_squared(),
        right=total_rate(_diffused(v_c)),
    )
