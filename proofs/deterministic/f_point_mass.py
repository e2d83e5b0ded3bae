r"""For a single point of data one DDIM step is exact; the path is straight only on affine schedules.

A perfectly confident prediction x_hat = x_0 leaves eps_hat constant along the probability flow, so the path
is alpha x_0 + sigma eps and one DDIM step lands on it, on every schedule. The path itself has the
acceleration alpha'' x_0 + sigma'' eps: none on the flow-matching and the variance-exploding schedule,
-(pi/2)^2 times the state on the cosine schedule. "A straight line has no integration error" speaks of Euler
steps in the gauge in which the line is straight: there alone does the state move at a constant rate.

Not claimed: anything about data that is not a point.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, Lambda, S, pi, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.schedules import cosine, flow_matching, variance_exploding
from equiv.formulas.steps import ddim_step, flow_euler_step
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import eps_hat, inside, now, s, t, then

CLAIM = Claim(
    id="f-point-mass",
    title="For a point of data one step is exact",
    statement=r"\hat x = x_0 \implies \mathrm{DDIM}(z_t) = \alpha_s x_0 + \sigma_s \epsilon = z_s, \qquad"
    r" \ddot z = \ddot\alpha x_0 + \ddot\sigma \epsilon,\quad \mathrm{FM}:\ \ddot z = 0,"
    r"\quad \cos:\ \ddot z = -\tfrac{\pi^2}4 z",
    source=Source(seed="003", section="Sampling", equation="why flow matching is said to be straight"),
    needs=("f-clairaut", "f-constant-output", "f-pf-euler-affine"),
)

x_0 = symbols("x_0", real=True)
alpha, sigma = Function("alpha", positive=True), Function("sigma", positive=True)


def _path(schedule: Any, time: Any = t) -> Any:
    level = schedule(time)
    return level.alpha * x_0 + level.sigma * eps_hat


def _acceleration(path: Any) -> Any:
    return rate(rate(path))


def derivation() -> Derivation:
    any_path = alpha(t) * x_0 + sigma(t) * eps_hat
    state = now.alpha * x_0 + now.sigma * eps_hat
    return Derivation(
        chains=(
            chain(
                "The path solves the probability flow of the confident prediction",
                rate(any_path),
                (
                    "eps_hat is (z - alpha x_0) / sigma",
                    rate(alpha(t)) * x_0 + rate(sigma(t)) * (any_path - alpha(t) * x_0) / sigma(t),
                ),
            ),
            chain(
                "One DDIM step lands on it",
                ddim_step(state, x_0, now, then),
                ("eps_hat is eps", then.alpha * x_0 + then.sigma * eps_hat),
            ),
            chain(
                "The acceleration of the path",
                _acceleration(any_path),
                ("differentiate twice", rate(rate(alpha(t))) * x_0 + rate(rate(sigma(t))) * eps_hat),
            ),
            chain("On the flow-matching schedule", _acceleration(_path(flow_matching)), ("affine", S.Zero)),
            chain(
                "On the variance-exploding schedule",
                _acceleration(_path(variance_exploding)),
                ("affine", S.Zero),
            ),
            chain(
                "On the cosine schedule",
                _acceleration(_path(cosine)),
                ("the second derivatives of cosine and sine", -((pi / 2) ** 2) * _path(cosine)),
            ),
            chain(
                "An Euler step on the flow-matching schedule is exact",
                flow_euler_step(_path(flow_matching), rate(_path(flow_matching)), t, s),
                ("the line", _path(flow_matching, s)),
            ),
        ),
        hypotheses=(inside(t),),
    )


def false_variants() -> Iterable[Variant]:
    yield Variant(
        name="the path is straight on the cosine schedule",
        left=_acceleration(_path(cosine)),
        right=S.Zero,
        hypotheses=(inside(t),),
    )
    yield Variant(
        name="an Euler step on the cosine schedule is exact",
        left=flow_euler_step(_path(cosine), rate(_path(cosine)), t, s),
        right=_path(cosine, s),
        hypotheses=(inside(t), inside(s)),
    )
    yield Variant(
        name="the path is straight on every schedule",
        left=_acceleration(alpha(t) * x_0 + sigma(t) * eps_hat),
        right=S.Zero,
        instance={alpha: Lambda(t, 1 - t), sigma: Lambda(t, t**2)},
        hypotheses=(inside(t),),
    )
    yield Variant(
        name="one step is exact for a prediction that is not the point",
        left=ddim_step(now.alpha * x_0 + now.sigma * eps_hat, 2 * x_0, now, then),
        right=then.alpha * x_0 + then.sigma * eps_hat,
    )
