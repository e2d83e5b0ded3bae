r"""On the cosine schedule, DDIM weighs its v-predictions nearly alike.

In angles, a step by delta takes z to cos(delta) z - sin(delta) v_hat, so a prediction followed by k steps
has the weight -sin(delta) cos(delta)^k in the final sample, and the starting noise cos(delta)^N, for N
steps of delta = pi / (2N): by induction, one step at a time. The weights are not equal, as the source has
it: the first is cos(delta)^(N - 1) times the last, which is 0.98786 for N = 100. Its logarithm is (N - 1) log
cos(delta), and log cos(delta) is -delta^2 / 2 + O(delta^4) by Taylor's theorem, whose coefficients are
decided: -pi^2 / (8N) in the first order.

Not claimed: other schedules, or grids that are not uniform in the angle; that predictions do not depend
on one another.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, S, cos, exp, log, pi, sin, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level
from equiv.formulas.predictions import x_from_v
from equiv.formulas.steps import ddim_step
from equiv.proofs._calculus import at, rate
from equiv.proofs._symbols import v_hat, z_t

CLAIM = Claim(
    id="t-ddim-v-weights",
    title="DDIM's weights of v, equal only in the limit",
    statement=r"z_0 = \cos^N\!\delta\; z_1 - \sin\delta \sum_k \cos^k\!\delta\; \hat v_{(k)},"
    r" \quad k \text{ later steps}, \quad \delta = \frac\pi{2N}, \qquad"
    r" \log \frac{h_{\text{first}}}{h_{\text{last}}} = (N - 1) \log \cos\delta, \quad"
    r" \log \cos\delta = -\tfrac12 \delta^2 + O(\delta^4)",
    source=Source(
        seed="003", section="Diving deeper into samplers", equation="equal weighting of v-predictions"
    ),
    needs=("f-row-family",),
    erratum="E4",
    as_written=r"h_t = h_s \text{ for all } s, t",
    cites=(
        "induction over steps, for the weights",
        "Taylor's theorem, for the order of the rest of log cos",
    ),
)

phi, delta, k, m = symbols("phi delta k m", positive=True)
start, earlier = symbols("z_1 v_k", real=True)


def _angle(angle: Any) -> Level[Any]:
    return Level(alpha=cos(angle), sigma=sin(angle))


def _weight(later_steps: Any) -> Any:
    return -sin(delta) * cos(delta) ** later_steps


def _step(z: Any) -> Any:
    """DDIM by delta from the angle phi, with v_hat."""
    before, after = _angle(phi), _angle(phi - delta)
    return ddim_step(z, x_from_v(z, v_hat, before), before, after)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_sum(), *_spread()),
        hypotheses=tuple(Gt(e, 0, evaluate=False) for e in (sin(phi), sin(delta), cos(delta))),
    )


def _sum() -> Iterable[Chain]:
    yield chain("One step", _step(z_t), ("a rotation", cos(delta) * z_t - sin(delta) * v_hat))
    yield chain(
        "One step more, after m steps, of which the k last came after the prediction v_k",
        _step(cos(delta) ** m * start + _weight(k) * earlier),
        (
            "one cosine more, and a new prediction with no later steps",
            cos(delta) ** (m + 1) * start + _weight(k + 1) * earlier + _weight(0) * v_hat,
        ),
    )


def _spread() -> Iterable[Chain]:
    steps = pi / (2 * delta)
    yield chain(
        "The first weight by the last, for N = pi / (2 delta) steps",
        _weight(steps - 1) / _weight(0),
        ("N - 1 steps come later", cos(delta) ** (steps - 1)),
        ("a power", exp((steps - 1) * log(cos(delta)))),
    )
    curve = log(cos(delta))
    for name, order, value in (
        ("value", 0, S.Zero),
        ("slope", 1, S.Zero),
        ("curvature", 2, -S.One),
        ("next", 3, S.Zero),
    ):
        yield chain(
            f"log cos(delta) at zero: its {name}", at(_derivative(curve, order), delta, 0), ("insert", value)
        )
    yield chain(
        "So the logarithm of that ratio, but for O(delta^3)",
        (steps - 1) * (-(delta**2) / 2),
        ("pi delta / 4 is pi^2 / (8N)", -(pi**2) / (8 * steps) + delta**2 / 2),
    )


def _derivative(e: Any, order: int) -> Any:
    for _ in range(order):
        e = rate(e, delta)
    return e


def false_variants() -> Iterable[Variant]:
    acute = (Gt(sin(phi), 0, evaluate=False), Gt(cos(delta), 0, evaluate=False))
    yield Variant(
        name="an Euler step: the weight is delta",
        left=_step(z_t),
        right=cos(delta) * z_t - delta * v_hat,
        hypotheses=acute,
    )
    yield Variant(
        name="the starting noise keeps its weight",
        left=_step(start),
        right=start - sin(delta) * v_hat,
        hypotheses=acute,
    )
    yield Variant(
        name="the weight grows with the number of later steps",
        left=_step(_weight(k) * earlier),
        right=_weight(k - 1) * earlier + _weight(0) * v_hat,
        hypotheses=acute,
    )
    yield Variant(
        name="the spread is pi^2 / (4N) in the first order: log cos has twice the curvature",
        left=at(rate(rate(log(cos(delta)), delta), delta), delta, 0),
        right=S(-2),
    )


def as_written() -> Iterable[Variant]:
    step = pi / 200
    yield Variant(
        name="the first of a hundred predictions weighs as the last",
        left=-sin(step) * cos(step) ** 99,
        right=-sin(step),
    )
