r"""The conditional loss is the marginal loss plus the variance of its target, which no network changes.

Given the state, a network's velocity N is one number, and the target U is random: E(N - U)^2 is (N - u)^2
with the mean u = E[U | z], plus Var(U | z). So the losses, under any weight of time, differ by a constant,
and have the same gradient for every network; this uses only that U has two moments. For the path through x
and z, U is alpha' x + sigma' eps, and its variance is (alpha lambda' / 2)^2 times that of x given z; for
flow matching Var(x | z) / t^2. Shown for one coordinate; squared norms and traces are sums over coordinates.

Not claimed: that the losses are equal; that gradients of single samples agree, or have equal variance.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, Lambda, S, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import log_snr
from equiv.formulas.schedules import flow_matching
from equiv.proofs._calculus import mean, rate
from equiv.proofs._densities import posterior, variance, velocity, x, z
from equiv.proofs._rates import falling, rates, total_rate
from equiv.proofs._symbols import inside, now, t

CLAIM = Claim(
    id="w-cfm-equals-fm",
    title="Conditional flow matching is flow matching plus a constant",
    statement=r"E \lVert \hat u(z_t) - u_t(z_t | x) \rVert^2 = E \lVert \hat u(z_t) - u_t(z_t) \rVert^2"
    r" + E\, \mathrm{tr\, Cov}(u_t(z_t | x) \,|\, z_t), \qquad \mathrm{Cov}(u_t(z|x) | z)"
    r" = \left(\tfrac{\alpha \dot\lambda}2\right)^2 \mathrm{Cov}(x | z)",
    source=Source(seed="003", section="Training", equation="7, the conditional flow matching objective"),
    needs=("d-posterior-mean", "w-marginalization"),
    cites=("tower property, for the losses as means over states",),
)

parameter = symbols("theta", real=True)
network = Function("N", real=True)
target, of_target, square = symbols("U u E[U^2|z]", real=True)
TARGET = {0: S.One, 1: of_target, 2: square}
IDENTITY = {network: Lambda(parameter, parameter)}


def _conditional_loss(weight: Any) -> Any:
    return mean(weight * (network(parameter) - target) ** 2, target, TARGET)


def _marginal_loss(weight: Any) -> Any:
    return weight * (network(parameter) - of_target) ** 2


def derivation() -> Derivation:
    weight = symbols("w", positive=True)
    spread = posterior(velocity() ** 2) - posterior(velocity()) ** 2
    flow = flow_matching(t)
    on_flow = (z - x) / t
    return Derivation(
        chains=(
            chain(
                "The loss given the state",
                _conditional_loss(weight),
                ("complete the square", _marginal_loss(weight) + weight * (square - of_target**2)),
            ),
            chain(
                "Its gradient in any parameter of the network",
                rate(_conditional_loss(weight), parameter),
                ("the variance of the target does not depend on it", rate(_marginal_loss(weight), parameter)),
            ),
            chain(
                "The variance of the velocity",
                spread,
                ("affine in x", (rates.alpha - now.alpha * rates.sigma / now.sigma) ** 2 * variance()),
                ("the rate of the log-SNR", (now.alpha * total_rate(log_snr(now)) / 2) ** 2 * variance()),
            ),
            chain(
                "The velocity of flow matching",
                rate(flow.alpha) * x + rate(flow.sigma) * (z - flow.alpha * x) / flow.sigma,
                ("towards z, from x", on_flow),
            ),
            chain(
                "Its variance",
                posterior(on_flow**2) - posterior(on_flow) ** 2,
                ("that of x over t^2", variance() / t**2),
            ),
        ),
        hypotheses=(inside(t),),
    )


def false_variants() -> Iterable[Variant]:
    one = S.One
    spread = posterior(velocity() ** 2) - posterior(velocity()) ** 2
    yield Variant(
        name="the losses are equal", left=_conditional_loss(one), right=_marginal_loss(one), instance=IDENTITY
    )
    yield Variant(
        name="the losses differ by the mean square of the target",
        left=_conditional_loss(one),
        right=_marginal_loss(one) + square,
        instance=IDENTITY,
    )
    yield Variant(
        name="the gradient of every sample is that of the marginal loss",
        left=rate((network(parameter) - target) ** 2, parameter),
        right=rate(_marginal_loss(one), parameter),
        instance=IDENTITY,
    )
    for name, wrong in (
        ("the rate of the log-SNR without its half", (now.alpha * total_rate(log_snr(now))) ** 2),
        ("the rate of the log-SNR without alpha", (total_rate(log_snr(now)) / 2) ** 2),
        ("the rate of the log-SNR without the square", -now.alpha * total_rate(log_snr(now)) / 2),
    ):
        yield Variant(name=name, left=spread, right=wrong * variance(), hypotheses=(falling(),))
    on_flow = (z - x) / t
    yield Variant(
        name="flow matching: the variance over t",
        left=posterior(on_flow**2) - posterior(on_flow) ** 2,
        right=variance() / t,
        hypotheses=(inside(t),),
    )
