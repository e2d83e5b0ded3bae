r"""The weights of v that churn tends to as steps shrink, with bounds.

In angles, a churn step of rho = 1 + e from theta to phi = theta - delta multiplies the state by m and adds -L
times v_hat (t-churn-weights), where m = cos(delta) - (1 - kappa^e) sin(phi) sin(theta), L = sin(delta) + (1 -
kappa^e) sin(phi) cos(theta) and kappa = tan(phi) / tan(theta). Write a = 1 - cos(delta) and b = sin(delta)
tan(phi): then (1 - kappa) sin(phi) sin(theta) = b, and cos(theta) / cos(phi) = 1 - a - b.

A power is near its tangent: with x = 1 - kappa, 1 - kappa^e lies off e x by at most c x^2, c = max(1, e
max(1, e - 1)); for e <= 1 it is e x <= 1 - kappa^e <= e x + x^2, and for e >= 1 it is e x - e max(1, e - 1)
x^2 <= 1 - kappa^e <= e x. This is used for kappa, where x b <= delta^2 / cos(phi)^2, and for cos(theta) /
cos(phi), where x = a + b <= delta / cos(phi). So m lies off (cos(theta) / cos(phi))^e by at most (|e - 1| / 2
+ 2 c) delta^2 / cos(phi)^2, down to phi = 0. Over the steps from theta_0 < pi/2 to zero, none above h, the
product of the m is cos(theta_0)^e times a product of factors 1 + O(delta^2), whose logarithms add up to O(h).
And L lies off (1 + e) sin(delta) by at most (c + e) sin(delta)^2 / (cos(phi) sin(theta)). So the weight of
the prediction at theta in (0, pi/2), per step length, tends to (1 + e) cos(theta)^e, at the rate O(h): 1 +
eta^2 times cos^(eta^2).

Not claimed: the weight of predictions so late that theta is of the order of the step (t-ddpm-v-weights has
them for e = 1); schedules other than the cosine schedule.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, Lt, S, cos, sin, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, kappa
from equiv.proofs._calculus import rate

CLAIM = Claim(
    id="t-churn-weights-limit",
    title="The weights that churn tends to",
    statement=r"\left|m - \left(\frac{\cos\theta}{\cos\varphi}\right)^{\eta^2}\right| \le"
    r" \frac{A\, \delta^2}{\cos^2\varphi}, \quad |L - (1 + \eta^2) \sin\delta| \le \frac{(c + \eta^2)"
    r" \sin^2\delta}{\cos\varphi \sin\theta}: \qquad \frac{|h_\theta|}\delta = \frac L\delta"
    r" \prod_{\text{later}} m \to (1 + \eta^2) \cos^{\eta^2}\!\theta \quad (0 < \theta < \tfrac\pi2), \qquad"
    r" c = \max(1, \eta^2 \max(1, \eta^2 - 1)),\ A = \tfrac12 |\eta^2 - 1| + 2 c",
    source=Source(
        seed="003", section="Diving deeper into samplers", equation="churn diminishes early predictions"
    ),
    needs=("t-churn-weights",),
    cites=(
        "induction over steps, for the product of the multipliers",
        "a product of factors 1 + O(delta^2), over steps of one sum, tends to one with the longest step",
    ),
)

theta, phi, e, K, x, ratio, delta = symbols("theta phi e K x kappa delta", positive=True)


def _level(angle: Any) -> Level[Any]:
    return Level(cos(angle), sin(angle))


def _multiplier() -> Any:
    return cos(phi) * cos(theta) + K * sin(phi) * sin(theta)


def _loss() -> Any:
    return cos(phi) * sin(theta) - K * sin(phi) * cos(theta)


A, B = 1 - cos(theta - phi), sin(theta - phi) * sin(phi) / cos(phi)
KAPPA = kappa(_level(theta), _level(phi))


def derivation() -> Derivation:
    quarter = (Gt(of(angle), 0, evaluate=False) for of in (sin, cos) for angle in (theta, phi))
    return Derivation(
        chains=(*_in_a_and_b(), *_powers(), *_multipliers(), *_losses()),
        hypotheses=(*quarter, Lt(ratio, 1, evaluate=False)),
    )


def _in_a_and_b() -> Iterable[Chain]:
    yield chain(
        "(1 - kappa) sin(phi) sin(theta)",
        (1 - KAPPA) * sin(phi) * sin(theta),
        ("kappa is tan(phi) / tan(theta)", B),
    )
    yield chain("cos(theta) / cos(phi)", cos(theta) / cos(phi), ("by a and b", 1 - A - B))
    yield chain(
        "1 - kappa",
        1 - KAPPA,
        ("the sine of a difference", sin(theta - phi) / (cos(phi) * sin(theta))),
    )
    yield chain(
        "(1 - kappa) b, which is at most delta^2 / cos(phi)^2",
        (1 - KAPPA) * B,
        ("as sin(phi) is at most sin(theta)", (sin(theta - phi) / cos(phi)) ** 2 * sin(phi) / sin(theta)),
    )


def _powers() -> Iterable[Chain]:
    """Each of the four bounds is zero at kappa = 1, and falls to it."""
    gap = 1 - ratio**e - e * (1 - ratio)
    yield chain(
        "1 - kappa^e less e (1 - kappa): its rate",
        rate(gap, ratio),
        ("one sign for e below one, the other above", e * (1 - ratio ** (e - 1))),
    )
    yield chain(
        "e below one: what it is short of (1 - kappa) (1 - kappa^e), which is at most (1 - kappa)^2",
        (1 - ratio) * (1 - ratio**e) - gap,
        ("collect", e * (1 - ratio) - ratio + ratio ** (1 + e)),
    )
    yield chain(
        "... its rate",
        rate(e * (1 - ratio) - ratio + ratio ** (1 + e), ratio),
        ("negative", -(1 + e) * (1 - ratio**e)),
    )
    yield chain(
        "e above one: what e (1 - kappa) (1 - kappa^(e - 1)) has more than minus it",
        e * (1 - ratio) * (1 - ratio ** (e - 1)) + gap,
        ("collect", 1 - e * ratio ** (e - 1) + (e - 1) * ratio**e),
    )
    yield chain(
        "... its rate",
        rate(1 - e * ratio ** (e - 1) + (e - 1) * ratio**e, ratio),
        ("negative for e above one", -e * (e - 1) * ratio ** (e - 2) * (1 - ratio)),
    )
    yield chain("... where kappa is one", 1 - e * S.One + (e - 1) * S.One + e, ("zero, and e", e))


def _multipliers() -> Iterable[Chain]:
    yield chain(
        "m",
        _multiplier(),
        ("the cosine of a difference", 1 - A - (1 - K) * sin(phi) * sin(theta)),
    )
    first_order = 1 - e * (A + B)
    yield chain(
        "m less the tangent 1 - e (a + b) of the power",
        1 - A - (1 - K) * sin(phi) * sin(theta) - first_order,
        (
            "a, and how far 1 - kappa^e is off e (1 - kappa)",
            (e - 1) * A - (1 - K - e * (1 - KAPPA)) * sin(phi) * sin(theta),
        ),
    )
    yield chain("a is at most delta^2 / 2", 1 - cos(delta), ("half angles", 2 * sin(delta / 2) ** 2))
    yield chain(
        "a + b is at most delta / cos(phi): its product with cos(phi) grows with theta",
        rate(cos(phi) - cos(theta), theta),
        ("at most at the rate one", sin(theta)),
    )


def _losses() -> Iterable[Chain]:
    yield chain(
        "L less (1 + e) sin(delta)",
        _loss() - (1 + e) * sin(theta - phi),
        (
            "kappa sin(delta) is (1 - kappa) sin(phi) cos(theta)",
            (1 - K - e * (1 - KAPPA)) * sin(phi) * cos(theta) - e * (1 - KAPPA) * sin(theta - phi),
        ),
    )
    yield chain(
        "sin(phi) cos(theta), by which a share (1 - kappa)^2 is multiplied",
        (1 - KAPPA) ** 2 * sin(phi) * cos(theta),
        ("at most (1 - kappa) sin(delta)", (1 - KAPPA) * KAPPA * sin(theta - phi)),
    )


def false_variants() -> Iterable[Variant]:
    quarter = tuple(Gt(of(angle), 0, evaluate=False) for of in (sin, cos) for angle in (theta, phi))
    yield Variant(
        name="the power is its tangent",
        left=1 - ratio**e,
        right=e * (1 - ratio),
        hypotheses=(Lt(ratio, 1, evaluate=False),),
    )
    for name, left, right in (
        ("DDPM multiplies the state by 1 - a", _multiplier().subs(K, KAPPA), 1 - A),
        ("every churn multiplies the state by cos(theta) / cos(phi)", _multiplier(), cos(theta) / cos(phi)),
        ("DDPM weighs by 2 sin(delta)", _loss().subs(K, KAPPA), 2 * sin(theta - phi)),
        ("every churn weighs by sin(delta)", _loss(), sin(theta - phi)),
    ):
        yield Variant(name=name, left=left, right=right, hypotheses=quarter)
