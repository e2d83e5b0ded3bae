r"""Variance exploding, variance preserving and sub-variance preserving processes.

With any function sigma: alpha = 1 has f = 0 and g^2 = (sigma^2)'. With any rate beta = B': alpha =
exp(-B/2) has f = -beta/2; there g^2 = beta makes sigma^2 = 1 - exp(-B), which preserves the variance, and
g^2 = beta (1 - exp(-2 B)) makes sigma = 1 - exp(-B). Where B starts at zero so do both sigmas. Conversely,
the variance S of a process with that f and g^2 solves S' = 2 f S + g^2: then its distance to the stated
one, divided by alpha^2, does not change, so that a process without noise at its start has no other.

Not claimed: anything about data; that a process with B_1 finite ends in a standard normal.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, Lambda, S, exp, log

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import t

CLAIM = Claim(
    id="s-ve-vp-subvp",
    title="Variance exploding, preserving and sub-preserving processes",
    statement=r"\mathrm{VE}:\ f = 0,\ g^2 = (\sigma^2)'; \qquad"
    r" \mathrm{VP}:\ f = -\tfrac\beta2,\ g^2 = \beta \iff \sigma^2 = 1 - e^{-B}; \qquad"
    r" \mathrm{sub\text{-}VP}:\ f = -\tfrac\beta2,\ g^2 = \beta (1 - e^{-2 B}) \iff \sigma = 1 - e^{-B}"
    r" \qquad (\alpha = e^{-B/2},\ B_0 = 0,\ \sigma_0 = 0)",
    source=Source(
        seed="003", section="SDE and ODE perspective", equation="implied: the processes of Song et al."
    ),
    needs=("s-fg-from-alphasigma", "s-alphasigma-from-fg"),
)

sigma, B = Function("sigma", positive=True), Function("B", positive=True)
variance_of_process = Function("S", positive=True)
RATE_ONE = {B: Lambda(t, t)}


def _drift(signal: Any) -> Any:
    return rate(log(signal))


def _diffusion_squared(signal: Any, variance: Any) -> Any:
    return signal**2 * rate(variance / signal**2)


def _signal(total: Any) -> Any:
    return exp(-total / 2)


def derivation() -> Derivation:
    beta, signal, left = rate(B(t)), _signal(B(t)), exp(-B(t))
    return Derivation(
        chains=(
            chain("VE: f", _drift(S.One), ("log 1 does not change", S.Zero)),
            chain("VE: g^2", _diffusion_squared(S.One, sigma(t) ** 2), ("alpha is 1", rate(sigma(t) ** 2))),
            chain("VP and sub-VP: f", _drift(signal), ("log alpha is -B/2", -beta / 2)),
            chain(
                "VP: g^2",
                _diffusion_squared(signal, 1 - left),
                ("sigma^2 / alpha^2 is exp(B) - 1", left * rate(exp(B(t)) - 1)),
                ("the exponentials cancel", beta),
            ),
            chain("VP: the variance is preserved", signal**2 + (1 - left), ("alpha^2 is exp(-B)", S.One)),
            _only("VP", 1 - left, beta),
            chain("VP: it starts without noise", 1 - exp(-S.Zero), ("exp(0) is 1", S.Zero)),
            chain(
                "sub-VP: g^2",
                _diffusion_squared(signal, (1 - left) ** 2),
                ("sigma^2 / alpha^2 is exp(B) (1 - exp(-B))^2", left * rate(exp(B(t)) - 2 + exp(-B(t)))),
                ("differentiate", left * (exp(B(t)) - exp(-B(t))) * beta),
                ("multiply out", beta * (1 - exp(-2 * B(t)))),
            ),
            _only("sub-VP", (1 - left) ** 2, beta * (1 - exp(-2 * B(t)))),
            chain("sub-VP: it starts without noise", (1 - exp(-S.Zero)) ** 2, ("exp(0) is 1", S.Zero)),
            chain(
                "sub-VP: the variance stays below one",
                1 - signal**2 - (1 - left) ** 2,
                ("a product of two positive numbers", left * (1 - left)),
            ),
        )
    )


def _only(name: str, stated: Any, diffusion_squared: Any) -> Chain:
    """The distance of two variances, divided by alpha^2: its rate is zero if S' = 2 f S + g^2."""
    signal, other = _signal(B(t)), variance_of_process(t)
    return chain(
        f"{name}: no other variance from the same start",
        rate((other - stated) / signal**2),
        (
            "S' less 2 f S + g^2, where f is -beta/2",
            (rate(other) - (-rate(B(t)) * other + diffusion_squared)) / signal**2,
        ),
    )


def false_variants() -> Iterable[Variant]:
    beta, left = rate(B(t)), exp(-B(t))
    for name, variance, right in (
        ("sub-VP has the diffusion of VP", (1 - left) ** 2, beta),
        ("sub-VP with exp(-B) for exp(-2 B)", (1 - left) ** 2, beta * (1 - left)),
        ("the diffusion of sub-VP makes the sigma of VP", 1 - left, beta * (1 - exp(-2 * B(t)))),
        ("VP: g^2 is the rate of sigma^2", 1 - left, rate(1 - left)),
    ):
        yield Variant(
            name=name, left=_diffusion_squared(_signal(B(t)), variance), right=right, instance=RATE_ONE
        )
