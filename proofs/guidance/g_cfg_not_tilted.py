r"""The guided score is not that of the tilted distribution, diffused.

Guidance with weight gamma adds scores: gamma s_c + (1 - gamma) s_u. Without noise this is the score of
the tilted density p_c^gamma p_u^(1 - gamma), for any two densities, and at alpha = 0 all scores are that
of the noise. In between, for normal conditional and unconditional data of variances a and b, the guided
score -D z has a precision D which differs from that of the tilted density, diffused, by alpha^2 sigma^2
gamma (gamma - 1) (a - b)^2 over a product of positive terms: for no alpha, sigma > 0 do they agree unless
gamma is 0 or 1 or a = b. One counterexample refutes the identity in general; these are all normal pairs
of one mean.

Not claimed: how much samples differ; data for which the two happen to agree.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, Gt, S, log, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import now, z_t

CLAIM = Claim(
    id="g-cfg-not-tilted",
    title="Guidance is not the diffused tilt",
    statement=r"x_c \sim N(0, a),\ x_u \sim N(0, b): \qquad"
    r" D_{\text{guided}} - D_{\text{tilted}} = \frac{\alpha^2 \sigma^2\, \gamma (\gamma - 1) (a - b)^2}"
    r"{V_a V_b \left(\alpha^2 a b + \sigma^2 (\gamma b + (1 - \gamma) a)\right)}, \qquad"
    r" V_v = \alpha^2 v + \sigma^2",
    source=Source(seed="000", section="Key Findings, in focus", equation="classifier-free guidance"),
)

a, b, gamma = symbols("a b gamma", positive=True)
tilt = gamma * b + (1 - gamma) * a  # a b over it is the variance of the tilted density


def _diffused(variance: Any, level: Level[Any]) -> Any:
    return level.alpha**2 * variance + level.sigma**2


def _guided(level: Level[Any]) -> Any:
    return gamma / _diffused(a, level) + (1 - gamma) / _diffused(b, level)


def _tilted(level: Level[Any]) -> Any:
    return 1 / _diffused(1 / (gamma / a + (1 - gamma) / b), level)


def derivation() -> Derivation:
    p, q = (Function(name, positive=True)(z_t) for name in ("p_c", "p_u"))
    product = _diffused(a, now) * _diffused(b, now) * (now.alpha**2 * a * b + now.sigma**2 * tilt)
    noise_only, clean = Level(S.Zero, now.sigma), Level(now.alpha, S.Zero)
    return Derivation(
        chains=(
            chain(
                "Without noise, for any two densities: the score of the tilted density",
                rate(gamma * log(p) + (1 - gamma) * log(q), z_t),
                (
                    "the logarithm is linear in the exponents",
                    gamma * rate(log(p), z_t) + (1 - gamma) * rate(log(q), z_t),
                ),
            ),
            chain(
                "Without noise, for normal data", _guided(clean), ("the precisions add up", _tilted(clean))
            ),
            chain("Without signal", _guided(noise_only), ("gamma + 1 - gamma", 1 / now.sigma**2)),
            chain("Without signal, the tilt", _tilted(noise_only), ("the noise alone", 1 / now.sigma**2)),
            chain(
                "The variance of the tilted density",
                1 / (gamma / a + (1 - gamma) / b),
                ("over a common denominator", a * b / tilt),
            ),
            chain(
                "In between",
                _guided(now) - _tilted(now),
                (
                    "over a common denominator",
                    now.alpha**2 * now.sigma**2 * gamma * (gamma - 1) * (a - b) ** 2 / product,
                ),
            ),
        ),
        hypotheses=(Gt(tilt, 0, evaluate=False), Gt(gamma / a + (1 - gamma) / b, 0, evaluate=False)),
    )


def false_variants() -> Iterable[Variant]:
    proper = (Gt(tilt, 0, evaluate=False),)
    product = _diffused(a, now) * _diffused(b, now) * (now.alpha**2 * a * b + now.sigma**2 * tilt)
    yield Variant(
        name="the guided score is that of the tilt, diffused",
        left=_guided(now),
        right=_tilted(now),
        hypotheses=proper,
    )
    yield Variant(
        name="the guided score is that of the tilt of the variances",
        left=_guided(now),
        right=1 / _diffused(gamma * a + (1 - gamma) * b, now),
        hypotheses=(Gt(gamma * a + (1 - gamma) * b, 0, evaluate=False),),
    )
    yield Variant(
        name="the guided precision is the smaller one",
        left=_guided(now) - _tilted(now),
        right=now.alpha**2 * now.sigma**2 * gamma * (1 - gamma) * (a - b) ** 2 / product,
        hypotheses=proper,
    )
