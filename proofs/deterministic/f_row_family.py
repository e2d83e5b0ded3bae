r"""DDIM is an Euler step in every constant combination of x and eps, in one gauge; in v it is in none.

For constants a and b, N = a x_hat + b eps_hat has the row z~ = z / c with c = b alpha - a sigma and eta = (a
alpha + b sigma) / ((a^2 + b^2) c), wherever c is not zero at both levels: (alpha, sigma) / c moves along (a,
b). Up to a constant, eta is sigma / (b c) if b is not zero and alpha / (a c) if a is not. Conversely, a row
for N determines the gauge up to a constant factor: (b alpha - a sigma) / c does not depend on time. So v has
no row: with levels of radius R and angle phi, DDIM in v is a rotation by delta times R_s / R_t, so that a row
asks for (c / R)_s / (c / R)_t = cos(delta), in whichever gauge; but cos(a + b) is not cos(a) cos(b).

Not claimed: that no other output has a row; steps at whose ends c is zero.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Lt, Ne, cos, pi, sin, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level
from equiv.formulas.predictions import x_from_v
from equiv.formulas.steps import ddim_step
from equiv.proofs._symbols import eps_hat, now, then, v_hat, x_hat, z_t

CLAIM = Claim(
    id="f-row-family",
    title="A row for every constant combination, and none for v",
    statement=r"N = a \hat x + b \hat\epsilon:\quad \tilde z_s = \tilde z_t + N (\eta_s - \eta_t), \quad"
    r" \tilde z = \frac{z}{b \alpha - a \sigma},\quad"
    r" \eta = \frac{a \alpha + b \sigma}{(a^2 + b^2)(b \alpha - a \sigma)}"
    r" \text{ and, up to constants, no other}; \qquad"
    r" \hat v:\ \frac{z_s}{R_s} = \frac{\cos\delta\, z_t - \sin\delta\, \hat v}{R_t},"
    r"\quad \cos\varphi \cos\delta \ne \cos(\varphi + \delta)",
    source=Source(seed="003", section="Sampling", equation="implied: the table of reparametrisations"),
    needs=("p-conversions",),
)

a, b, c_t, c_s, eta_step = symbols("a b c_t c_s Delta\\eta", real=True)
phi, delta, r_t, r_s = symbols("phi delta R_t R_s", positive=True)


def _gauge(level: Level[Any]) -> Any:
    return b * level.alpha - a * level.sigma


def _state() -> Any:
    return now.alpha * x_hat + now.sigma * eps_hat


def derivation() -> Derivation:
    return Derivation(
        chains=(*_rows(), *_converse(), *_no_row_for_v()),
        hypotheses=(
            *(Ne(e, 0, evaluate=False) for e in (_gauge(now), _gauge(then), c_t, c_s)),
            Ne(sin(phi), 0, evaluate=False),
        ),
    )


def _eta(level: Level[Any]) -> Any:
    return (a * level.alpha + b * level.sigma) / ((a**2 + b**2) * _gauge(level))


def _rows() -> Iterable[Chain]:
    move = _eta(then) - _eta(now)
    yield chain(
        "The signal moves along a",
        then.alpha / _gauge(then) - now.alpha / _gauge(now),
        (
            "over a common denominator",
            a * (then.sigma * now.alpha - now.sigma * then.alpha) / (_gauge(then) * _gauge(now)),
        ),
        ("by the change of eta", a * move),
    )
    yield chain(
        "The noise moves along b",
        then.sigma / _gauge(then) - now.sigma / _gauge(now),
        (
            "over a common denominator",
            b * (then.sigma * now.alpha - now.sigma * then.alpha) / (_gauge(then) * _gauge(now)),
        ),
        ("by the change of eta", b * move),
    )
    yield chain(
        "The row of a x + b eps",
        ddim_step(_state(), x_hat, now, then) / _gauge(then),
        ("the step keeps the pair", (then.alpha * x_hat + then.sigma * eps_hat) / _gauge(then)),
        ("signal and noise move along (a, b)", _state() / _gauge(now) + (a * x_hat + b * eps_hat) * move),
    )


def _converse() -> Iterable[Chain]:
    """A row holds for all x and eps; comparing coefficients gives alpha_s / c_s and sigma_s / c_s."""
    alpha_s = c_s * (now.alpha / c_t + a * eta_step)
    sigma_s = c_s * (now.sigma / c_t + b * eta_step)
    yield chain(
        "The gauge of a row is b alpha - a sigma, up to a constant",
        _gauge(Level(alpha_s, sigma_s)) / c_s,
        ("the coefficients of x and eps in the row", b * (now.alpha / c_t) - a * (now.sigma / c_t)),
        ("what moves along (a, b) cancels", _gauge(now) / c_t),
    )


def _no_row_for_v() -> Iterable[Chain]:
    start, end = _angle(phi, r_t), _angle(phi - delta, r_s)
    yield chain(
        "DDIM in v is a rotation, in any gauge",
        ddim_step(z_t, x_from_v(z_t, v_hat, start), start, end) / r_s,
        (
            "x and eps from v",
            cos(phi - delta) * (cos(phi) * z_t - sin(phi) * v_hat) / r_t
            + sin(phi - delta) * (sin(phi) * z_t + cos(phi) * v_hat) / r_t,
        ),
        ("differences of angles", (cos(delta) * z_t - sin(delta) * v_hat) / r_t),
    )
    yield chain(
        "Two steps would ask of the gauge what no angles fulfil",
        cos(phi) * cos(delta) - cos(phi + delta),
        ("the cosine of a sum; positive for angles inside a quarter turn", sin(phi) * sin(delta)),
    )


def _angle(angle: Any, radius: Any = 1) -> Level[Any]:
    return Level(alpha=radius * cos(angle), sigma=radius * sin(angle))


def false_variants() -> Iterable[Variant]:
    output = a * x_hat + b * eps_hat
    turned = [a * level.alpha + b * level.sigma for level in (now, then)]
    yield Variant(
        name="the gauge with its coefficients exchanged",
        left=ddim_step(_state(), x_hat, now, then) / turned[1],
        right=_state() / turned[0] + output * (then.sigma / turned[1] - now.sigma / turned[0]) / b,
        hypotheses=tuple(Ne(e, 0, evaluate=False) for e in (b, *turned)),
    )
    yield Variant(
        name="eta is sigma / c, without the division by b",
        left=ddim_step(_state(), x_hat, now, then) / _gauge(then),
        right=_state() / _gauge(now) + output * (then.sigma / _gauge(then) - now.sigma / _gauge(now)),
        hypotheses=tuple(Ne(e, 0, evaluate=False) for e in (_gauge(now), _gauge(then))),
    )
    yield Variant(
        name="a row for v: two steps ask of the gauge what one does",
        left=cos(phi + delta),
        right=cos(phi) * cos(delta),
        hypotheses=(Lt(phi + delta, pi / 2, evaluate=False),),
    )
    start, end = _angle(phi), _angle(phi - delta)
    yield Variant(
        name="DDIM in v is an Euler step of length delta",
        left=ddim_step(z_t, x_from_v(z_t, v_hat, start), start, end),
        right=z_t - delta * v_hat,
        hypotheses=(Lt(phi, pi / 2, evaluate=False), Lt(delta, phi, evaluate=False)),
    )
    yield Variant(
        name="DDIM in v turns the other way",
        left=ddim_step(z_t, x_from_v(z_t, v_hat, start), start, end),
        right=cos(delta) * z_t + sin(delta) * v_hat,
        hypotheses=(Lt(phi, pi / 2, evaluate=False), Lt(delta, phi, evaluate=False)),
    )
