r"""Stochastic interpolants from a normal source, and rectified flow, are Gaussian paths.

Let I = b x + a x_0 + gamma z, with the data x, a source x_0 and a latent z, both standard normal, all
independent, and a, b and gamma functions of time. Then I is b x + sigma eps, with sigma^2 = a^2 + gamma^2
and eps standard normal and independent of x: its law at every time is that of the Gaussian path. Given I,
x_0 and z are, in the mean, a / sigma and gamma / sigma times the noise, because what is left of them has no
correlation with it. So the velocity E[I' | I] is b' x_hat + sigma' eps_hat, that of the path; the score
-E[z | I] / gamma is -eps_hat / sigma; and in a time that runs to the data, the drift velocity + epsilon
score with the noise sqrt(2 epsilon) is the reverse process of noise sqrt(2 epsilon). Rectified flow is a =
1 - tau, b = tau, gamma = 0: flow matching with t = 1 - tau, the velocity x - x_0 = -u, and the same Euler
step.

Not claimed: sources that depend on the data (couplings), or that are not normal: then the path is not
Gaussian.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, Lambda, S, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level
from equiv.formulas.predictions import score_from_x, u_from_x
from equiv.formulas.schedules import flow_matching
from equiv.formulas.steps import flow_euler_step
from equiv.proofs._calculus import mean, rate
from equiv.proofs._symbols import eps_hat, inside, t, u_hat, x_hat, z_t

CLAIM = Claim(
    id="w-stochastic-interpolant",
    title="Interpolants from a normal source are Gaussian paths",
    statement=r"I = b x + a x_0 + \gamma z = b x + \sigma \epsilon,\ \sigma^2 = a^2 + \gamma^2:\quad"
    r" E[\dot I | I] = \dot b \hat x + \dot\sigma \hat\epsilon, \quad"
    r" -\tfrac1\gamma E[z | I] = -\tfrac1\sigma \hat\epsilon; \qquad \text{rectified flow: } t = 1 - \tau",
    source=Source(
        seed="003", section="SDE and ODE Perspective", equation="10, a case of stochastic interpolation"
    ),
    cites=(
        "independent normal variables have a normal sum",
        "jointly normal variables without correlation are independent, for the means given I",
    ),
)

x, x_0, z = symbols("x x_0 z", real=True)
g_sde, tau, end = symbols("epsilon tau tau'", positive=True)
a, b, gamma = (Function(name, positive=True)(t) for name in ("a", "b", "gamma"))
SIGMA = sqrt(a**2 + gamma**2)
LEVEL = Level(alpha=b, sigma=SIGMA)
NORMAL = {0: S.One, 1: S.Zero, 2: S.One}
INSTANCE = {a.func: Lambda(t, 2 - t), b.func: Lambda(t, t), gamma.func: Lambda(t, 1 + t)}


def _over_noises(e: Any) -> Any:
    """The expectation over x_0 and z."""
    return mean(mean(e, x_0, NORMAL), z, NORMAL)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_law(), *_conditional_means(), *_fields(), *_rectified_flow()),
        hypotheses=(inside(tau), inside(end)),
    )


def _law() -> Iterable[Chain]:
    yield chain(
        "The variance of what is not data",
        _over_noises((a * x_0 + gamma * z) ** 2),
        ("x_0 and z are independent", a**2 + gamma**2),
        ("by name", LEVEL.sigma**2),
    )


def _conditional_means() -> Iterable[Chain]:
    eps = (a * x_0 + gamma * z) / SIGMA
    for name, part, weight in (("x_0", x_0, a), ("z", z, gamma)):
        yield chain(
            f"What is left of {name} beside the noise has no correlation with it",
            _over_noises((part - weight / SIGMA * eps) * eps),
            ("a^2 + gamma^2 is sigma^2", S.Zero),
        )


def _fields() -> Iterable[Chain]:
    yield chain(
        "The velocity",
        rate(a) * (a / SIGMA * eps_hat) + rate(b) * x_hat + rate(gamma) * (gamma / SIGMA * eps_hat),
        ("half the rate of sigma^2 is sigma sigma'", rate(LEVEL.alpha) * x_hat + rate(LEVEL.sigma) * eps_hat),
    )
    yield chain(
        "The score",
        -(gamma / SIGMA * eps_hat) / gamma,
        ("gamma cancels", score_from_x(b * x_hat + SIGMA * eps_hat, x_hat, LEVEL)),
    )
    velocity, score = symbols("v s", real=True)
    yield chain(
        "In a time that runs to the data, velocity and drift change sign",
        velocity + g_sde * score,
        ("the velocity of the other time is -v", -(-velocity - sqrt(2 * g_sde) ** 2 / 2 * score)),
    )


def _rectified_flow() -> Iterable[Chain]:
    at = flow_matching(1 - tau)
    straight = tau * x + (1 - tau) * x_0
    yield chain("Rectified flow", at.alpha * x + at.sigma * x_0, ("in the other time", straight))
    yield chain(
        "Its velocity",
        rate(straight, tau),
        ("differentiate", x - x_0),
        ("u is eps - x", -u_from_x(straight, x, at)),
    )
    yield chain(
        "Its Euler step",
        z_t + (end - tau) * (-u_hat),
        ("the step of the other time", flow_euler_step(z_t, u_hat, 1 - tau, 1 - end)),
    )


def false_variants() -> Iterable[Variant]:
    eps = (a * x_0 + gamma * z) / SIGMA
    yield Variant(
        name="the noises add up without their squares",
        left=_over_noises((a * x_0 + gamma * z) ** 2),
        right=(a + gamma) ** 2,
        instance=INSTANCE,
    )
    yield Variant(
        name="given I, x_0 is the noise",
        left=_over_noises((x_0 - eps) * eps),
        right=S.Zero,
        instance=INSTANCE,
    )
    yield Variant(
        name="the velocity without the rate of gamma",
        left=rate(a) * (a / SIGMA * eps_hat) + rate(b) * x_hat,
        right=rate(LEVEL.alpha) * x_hat + rate(LEVEL.sigma) * eps_hat,
        instance=INSTANCE,
    )
    yield Variant(
        name="the score is -E[z | I] / sigma",
        left=-(gamma / SIGMA * eps_hat) / SIGMA,
        right=score_from_x(b * x_hat + SIGMA * eps_hat, x_hat, LEVEL),
        instance=INSTANCE,
    )
    yield Variant(
        name="rectified flow steps along u in its own time",
        left=z_t + (end - tau) * u_hat,
        right=flow_euler_step(z_t, u_hat, 1 - tau, 1 - end),
    )
