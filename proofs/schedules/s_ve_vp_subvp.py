r"""Variance exploding, variance preserving and sub-variance preserving processes.

With any function sigma: alpha = 1 has f = 0 and g^2 = (sigma^2)'. With any rate beta = B': alpha =
exp(-B/2) has f = -beta/2; there g^2 = beta makes sigma^2 = 1 - exp(-B), which preserves the variance, and
g^2 = beta (1 - exp(-2 B)) makes sigma = 1 - exp(-B). Conversely, the variance S of a process with that f and
g^2 solves S' = 2 f S + g^2: then its distance to the stated one, divided by alpha^2, does not change, so that
it is the stated one and exp(-B) times the variance at the start. The functions of time are symbols with rates
of their own, and all else follows by the chain rule.

Not claimed: anything about data; that a process with B_1 finite ends in a standard normal.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, exp, log, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import rate

CLAIM = Claim(
    id="s-ve-vp-subvp",
    title="Variance exploding, preserving and sub-preserving processes",
    statement=r"\mathrm{VE}:\ f = 0,\ g^2 = (\sigma^2)'; \qquad"
    r" \mathrm{VP}:\ f = -\tfrac\beta2,\ g^2 = \beta \iff \sigma^2 = 1 - e^{-B}; \qquad"
    r" \mathrm{sub\text{-}VP}:\ f = -\tfrac\beta2,\ g^2 = \beta (1 - e^{-2 B}) \iff \sigma = 1 - e^{-B}"
    r" \qquad (\alpha = e^{-B/2},\ B_0 = 0,\ \sigma_0 = 0)",
    source=Source(
        seed="003", section="SDE and ODE Perspective", equation="implied: the processes of Song et al."
    ),
    needs=("s-fg-from-alphasigma", "s-alphasigma-from-fg"),
    cites=("Ito's formula, for the equation of the variance of a linear process",),
)

B, beta, sigma, variance, start, share = symbols("B beta sigma S S_0 b", positive=True)
sigma_rate, variance_rate = symbols("sigmadot Sdot", real=True)
RATES = {B: beta, sigma: sigma_rate, variance: variance_rate}
SIGNAL, LEFT = exp(-B / 2), exp(-B)
OF_SUB_VP = beta * (1 - exp(-2 * B))  # its g^2


def _by_time(e: Any) -> Any:
    """The chain rule."""
    return sum((rate(e, of) * its_rate for of, its_rate in RATES.items() if e.has(of)), start=S.Zero)


def _diffusion_squared(signal: Any, noise: Any) -> Any:
    return 2 * signal * noise * _by_time(noise / signal)


def derivation() -> Derivation:
    return Derivation(chains=(*_drift(), *_diffusion(), *_only(), *_spreads()))


def _drift() -> Iterable[Chain]:
    yield chain(
        "f where alpha is exp(-b B / 2): VE has b = 0, the others b = 1",
        _by_time(log(exp(-share * B / 2))),
        ("the derivative of the exponent", -share * beta / 2),
    )


def _diffusion() -> Iterable[Chain]:
    yield chain("VE: g^2", _diffusion_squared(S.One, sigma), ("the rate of sigma^2", 2 * sigma * sigma_rate))
    yield chain(
        "VP: g^2 by the rate of the variance",
        _by_time(1 - LEFT) - 2 * (-beta / 2) * (1 - LEFT),
        ("differentiate", beta * LEFT + beta * (1 - LEFT)),
        ("exp(-B) cancels", beta),
    )
    yield chain(
        "sub-VP: g^2",
        _diffusion_squared(SIGNAL, 1 - LEFT),
        (
            "sigma / alpha is exp(B/2) - exp(-B/2)",
            2 * SIGNAL * (1 - LEFT) * (beta / 2) * (exp(B / 2) + exp(-B / 2)),
        ),
        ("(1 - exp(-B)) (1 + exp(-B))", OF_SUB_VP),
    )


def _only() -> Iterable[Chain]:
    for name, stated, diffusion_squared in (
        ("VP", 1 - LEFT, beta),
        ("sub-VP", (1 - LEFT) ** 2, OF_SUB_VP),
    ):
        yield chain(
            f"{name}: the distance to any other variance, divided by alpha^2",
            _by_time((variance - stated) / SIGNAL**2),
            (
                "S' less 2 f S + g^2, where f is -beta/2",
                (variance_rate - (-beta * variance + diffusion_squared)) / SIGNAL**2,
            ),
        )
        yield chain(
            f"{name}: with a start of S_0, at B = 0",
            _from(start, stated).subs(B, S.Zero),
            ("the stated one is zero there", start),
        )


def _from(at_start: Any, stated: Any) -> Any:
    return stated + LEFT * at_start


def _spreads() -> Iterable[Chain]:
    yield chain("VP: the variance is preserved", SIGNAL**2 + (1 - LEFT), ("alpha^2 is exp(-B)", S.One))
    yield chain(
        "sub-VP: the variance falls short of one",
        1 - SIGNAL**2 - (1 - LEFT) ** 2,
        ("by a product of two positive numbers", LEFT * (1 - LEFT)),
    )


def false_variants() -> Iterable[Variant]:
    of_variance = _by_time(1 - LEFT) + beta * (1 - LEFT)
    of_sub_vp = _diffusion_squared(SIGNAL, 1 - LEFT)
    for name, left, right in (
        ("sub-VP has the diffusion of VP", of_sub_vp, beta),
        ("sub-VP with exp(-B) for exp(-2 B)", of_sub_vp, beta * (1 - LEFT)),
        ("the diffusion of sub-VP makes the sigma of VP", of_variance, OF_SUB_VP),
        ("VP: g^2 is the rate of sigma^2", of_variance, _by_time(1 - LEFT)),
        ("VP: f is -beta", _by_time(log(SIGNAL)), -beta),
    ):
        yield Variant(name=name, left=left, right=right)
