r"""Guided sampling reaches the tilted variance as its noise grows, and how far it is short of it.

For normal conditional and unconditional data, g-cfg-eta has the gap D = K M - 1 of the sampled variance M, K
the guided precision: D' = F (D + 1) + eta^2 g^2 K D, F = (log K V_c^gamma V_u^(1 - gamma))'. Here F is g^2 K
times r = gamma (gamma - 1) h^2, with h = (y - 1) / (gamma y + 1 - gamma) and y = V_u / V_c. As h grows with y
from zero at y = 1, and y lies between 1 and y_0 = v_u / v_c, for gamma > 1 r lies between zero and its value
Q at y_0. Let the tilted variance be positive: then K is, at every level. Read backwards from the pure noise,
where D = 0 (in the limit of a start with ever less signal, where f has none), D cannot rise above zero, as
there it falls, nor fall below -Q / (eta^2 + Q), as there it rises. So at the end M is the tilted variance,
short of at most a share Q / (eta^2 + Q) of it: the limit as eta grows, for every such data and gamma.

Not claimed: guidance with gamma < 1, where D is positive; data that are not normal; eta that changes with t.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, Rational, S, log, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level
from equiv.proofs._calculus import rate
from equiv.proofs._rates import diffusion_squared, total_rate
from equiv.proofs._symbols import now

CLAIM = Claim(
    id="g-cfg-eta-limit",
    title="With growing noise, guidance reaches the tilted variance",
    statement=r"\gamma > 1,\ \tfrac\gamma{v_c} + \tfrac{1 - \gamma}{v_u} > 0:\quad"
    r" -\frac Q{\eta^2 + Q} \le K M - 1 \le 0, \qquad Q = \frac{\gamma (\gamma - 1)"
    r" (y_0 - 1)^2}{(\gamma y_0 + 1 - \gamma)^2},\ y_0 = \frac{v_u}{v_c}; \qquad \eta \to \infty:\ M_0 \to"
    r" \left(\frac\gamma{v_c} + \frac{1 - \gamma}{v_u}\right)^{-1}",
    source=Source(
        seed="000",
        section="Key Findings, in focus",
        equation="classifier-free guidance, with the SDE of seed 003",
    ),
    needs=("g-cfg-eta",),
    cites=("comparison theorem for differential equations, for the interval that D does not leave",),
)

v_c, v_u, gamma, eta, y, r, Q = symbols("v_c v_u gamma eta y r Q", positive=True)


def _diffused(variance: Any) -> Any:
    return now.alpha**2 * variance + now.sigma**2


def _precision(of_c: Any, of_u: Any) -> Any:
    """K, for two variances."""
    return gamma / of_c + (1 - gamma) / of_u


def _h(ratio: Any) -> Any:
    return (ratio - 1) / (gamma * ratio + 1 - gamma)


def _ratio() -> Any:
    return _diffused(v_u) / _diffused(v_c)


def _share() -> Any:
    """F per g^2 K."""
    log_geometric = gamma * log(_diffused(v_c)) + (1 - gamma) * log(_diffused(v_u))
    precision = _precision(_diffused(v_c), _diffused(v_u))
    return total_rate(log(precision) + log_geometric) / (diffusion_squared() * precision)


def _relative(gap: Any) -> Any:
    """D' per g^2 K, where F is r of it."""
    return r * (gap + 1) + eta**2 * gap


def derivation() -> Derivation:
    precision = _precision(_diffused(v_c), _diffused(v_u))
    return Derivation(
        chains=(*_forcing(), *_invariant(), *_ends()),
        hypotheses=(
            Gt(gamma, 1, evaluate=False),
            Gt(precision, 0, evaluate=False),
            Gt(_precision(v_c, v_u), 0, evaluate=False),
            Gt(gamma * y + 1 - gamma, 0, evaluate=False),
            Gt(diffusion_squared(), 0, evaluate=False),
        ),
    )


def _forcing() -> Iterable[Chain]:
    yield chain("F per g^2 K", _share(), ("by V' = 2 f V + g^2", gamma * (gamma - 1) * _h(_ratio()) ** 2))
    yield chain("h grows with y", rate(_h(y), y), ("positive", 1 / (gamma * y + 1 - gamma) ** 2))
    yield chain(
        "y lies beyond one",
        _ratio() - 1,
        ("on the side of v_u - v_c", now.alpha**2 * (v_u - v_c) / _diffused(v_c)),
    )
    yield chain(
        "and short of y_0",
        v_u / v_c - _ratio(),
        ("by what has the same sign", now.sigma**2 * (v_u - v_c) / (v_c * _diffused(v_c))),
    )


def _invariant() -> Iterable[Chain]:
    yield chain("D' per g^2 K, where D is zero", _relative(S.Zero), ("so backwards it falls", r))
    yield chain(
        "D' per g^2 K, where D is -Q / (eta^2 + Q)",
        _relative(-Q / (eta**2 + Q)),
        ("not positive as r is at most Q, so backwards it rises", -(eta**2) * (Q - r) / (eta**2 + Q)),
    )


def _ends() -> Iterable[Chain]:
    noise_only = now._replace(alpha=S.Zero, sigma=S.One)
    yield chain(
        "From pure noise, K M",
        _precision(_at(noise_only, v_c), _at(noise_only, v_u)) * S.One,
        ("gamma + 1 - gamma", S.One),
    )
    tilted = 1 / _precision(v_c, v_u)
    yield chain(
        "At the end, M where D is -Q / (eta^2 + Q)",
        (1 - Q / (eta**2 + Q)) * tilted,
        ("a share of the tilted variance", eta**2 / (eta**2 + Q) * tilted),
    )
    yield chain(
        "With gamma = 3, v_c = 1/4 and v_u = 1: Q",
        S(3) * (S(3) - 1) * ((S(4) - 1) / (3 * S(4) + 1 - 3)) ** 2,
        ("6 times 0.3^2", Rational(27, 50)),
    )


def _at(level: Level[Any], variance: Any) -> Any:
    return level.alpha**2 * variance + level.sigma**2


def false_variants() -> Iterable[Variant]:
    proper = (
        Gt(gamma, 1, evaluate=False),
        Gt(_precision(_diffused(v_c), _diffused(v_u)), 0, evaluate=False),
        Gt(diffusion_squared(), 0, evaluate=False),
    )
    square = _h(_ratio()) ** 2
    for name, wrong in (
        ("gamma^2", gamma**2 * square),
        ("turned", gamma * (1 - gamma) * square),
        ("without its square", gamma * (gamma - 1) * _h(_ratio())),
        ("zero: the gap stays closed", S.Zero),
    ):
        yield Variant(name=f"F per g^2 K is {name}", left=_share(), right=wrong, hypotheses=proper)
    yield Variant(
        name="the gap stays within Q / eta^2 exactly",
        left=_relative(-Q / eta**2),
        right=-(Q - r),
    )
