r"""DDIM is exact where the data, the noise or u is predicted constant; not where v is.

Along a path of the probability flow alpha x_hat' + sigma eps_hat' = 0, so that for constants a and b the
output N = a x_hat + b eps_hat obeys sigma N' = (a sigma - b alpha) x_hat'. Where a sigma is not b alpha, a
constant N (x_hat, eps_hat, u_hat) makes x_hat constant, hence eps_hat and every other such output; then the
exact path is alpha x_hat + sigma eps_hat with the pair held fixed, and one DDIM step lands on it. A
constant v_hat is another thing: its exact path in the angle is the line z - delta v_hat, while DDIM turns.
The source speaks of the network output, whichever; it is right for the three of its table. Its "unlike the
Euler sampler of the probability flow" fails on affine schedules, where the two are the same.

Not claimed: that any network's output is constant.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Derivative, Function, Gt, Lambda, Lt, S, cos, evaluate, pi, sin, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level
from equiv.formulas.predictions import eps_from_x, x_from_v
from equiv.formulas.schedules import flow_matching
from equiv.formulas.steps import ddim_step, probability_flow_euler_step
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import eps_hat, inside, now, s, t, then, v_hat, x_hat, z_t

CLAIM = Claim(
    id="f-constant-output",
    title="DDIM is exact for a constant x, eps or u",
    statement=r"\hat x \text{ constant along the path} \iff \hat\epsilon \text{ constant}"
    r" \iff \hat u \text{ constant}"
    r" \implies z_s = \alpha_s \hat x + \sigma_s \hat\epsilon; \qquad"
    r" \hat v \text{ constant, on the cosine schedule by the angle } \delta:"
    r"\ z_s = z_t - \delta \hat v \ne \cos\delta\, z_t - \sin\delta\, \hat v",
    source=Source(seed="003", section="Sampling", equation="comment 1"),
    needs=("f-clairaut", "f-pf-euler-affine", "f-row-family"),
    erratum="E8",
    as_written=r"\text{network output constant} \implies z_s = \mathrm{DDIM}(z_t)"
    r" \qquad (\text{unlike the Euler sampler of the probability flow})",
)

alpha, sigma = Function("alpha", positive=True), Function("sigma", positive=True)
x_along, eps_along = Function("X", real=True), Function("E", real=True)
a, b = symbols("a b", real=True)
phi, delta = symbols("phi delta", positive=True)


def _on_the_path(e: Any) -> Any:
    """``e``, with the rate of eps_hat by that of x_hat."""
    with evaluate(True):
        return e.subs(Derivative(eps_along(t), t), -alpha(t) / sigma(t) * rate(x_along(t)))


def derivation() -> Derivation:
    return Derivation(
        chains=(*_constant_row(), *_exact(), *_constant_v()),
        hypotheses=(inside(t), Gt(sin(phi), 0, evaluate=False)),
    )


def _constant_row() -> Iterable[Chain]:
    change = a * rate(x_along(t)) + b * rate(eps_along(t))
    yield chain(
        "The rate of a constant combination of x and eps",
        rate(a * x_along(t) + b * eps_along(t)),
        ("linear", change),
    )
    yield chain(
        "Along the flow",
        sigma(t) * _on_the_path(change),
        ("eps' is -alpha / sigma x'", (a * sigma(t) - b * alpha(t)) * rate(x_along(t))),
    )
    yield chain(
        "If x is constant, so is eps",
        sigma(t) * _on_the_path(rate(eps_along(t))),
        ("as above", -alpha(t) * rate(x_along(t))),
    )


def _exact() -> Iterable[Chain]:
    yield chain(
        "With the pair held fixed, the path solves the probability flow",
        rate(alpha(t) * x_hat + sigma(t) * eps_hat),
        ("differentiate", rate(alpha(t)) * x_hat + rate(sigma(t)) * eps_hat),
    )
    yield chain(
        "and one DDIM step lands on it",
        ddim_step(now.alpha * x_hat + now.sigma * eps_hat, x_hat, now, then),
        ("eps is (z - alpha x) / sigma", then.alpha * x_hat + then.sigma * eps_hat),
    )
    flow = flow_matching(t)
    yield chain(
        "So does an Euler step of the probability flow, on an affine schedule",
        probability_flow_euler_step(z_t, x_hat, flow, Level(S.NegativeOne, S.One), t, s),
        ("the level is its own tangent", ddim_step(z_t, x_hat, flow, flow_matching(s))),
    )


def _angle(angle: Any) -> Level[Any]:
    return Level(cos(angle), sin(angle))


def _turn() -> Any:
    """DDIM in v, back by delta."""
    return ddim_step(z_t, x_from_v(z_t, v_hat, _angle(phi)), _angle(phi), _angle(phi - delta))


def _constant_v() -> Iterable[Chain]:
    x = x_from_v(z_t, v_hat, _angle(phi))
    yield chain(
        "The probability flow by the angle is v, so a constant v makes a straight path",
        rate(cos(phi), phi) * x + rate(sin(phi), phi) * eps_from_x(z_t, x, _angle(phi)),
        ("v is cos eps - sin x", v_hat),
    )
    yield chain(
        "DDIM minus that path",
        _turn() - (z_t - delta * v_hat),
        ("DDIM turns", (cos(delta) - 1) * z_t + (delta - sin(delta)) * v_hat),
    )


def false_variants() -> Iterable[Variant]:
    before = Lt(delta, phi, evaluate=False), Lt(phi, pi / 2, evaluate=False)
    yield Variant(
        name="a constant v of zero: the state stays",
        left=_turn().subs(v_hat, 0),
        right=z_t,
        hypotheses=before,
    )
    yield Variant(
        name="the state held fixed, in place of the pair",
        left=ddim_step(now.alpha * x_hat + now.sigma * eps_hat, x_hat, now, then),
        right=now.alpha * x_hat + now.sigma * eps_hat,
    )
    yield Variant(
        name="along the flow x and eps change alike",
        left=_on_the_path(rate(eps_along(t))),
        right=rate(x_along(t)),
        instance={alpha: Lambda(t, 1 - t), sigma: Lambda(t, t), x_along: Lambda(t, t)},
        hypotheses=(inside(t),),
    )


def as_written() -> Iterable[Variant]:
    yield Variant(
        name="the network output is a constant v",
        left=z_t - delta * v_hat,
        right=_turn(),
        hypotheses=(Lt(delta, phi, evaluate=False), Lt(phi, pi / 2, evaluate=False)),
    )
