r"""Denoising score matching is score matching plus a constant, and an error of the noise.

Given the state, the score of the kernel is -(z - alpha x) / sigma^2, and its mean over the posterior is the
score of the density. A network's score S is one number given the state, so its error against the kernel's
score is that against the score itself plus the variance alpha^2 / sigma^4 Var(x | z), which no network
changes. With S = -eps_hat / sigma it is the error of eps_hat over sigma^2. The error against the score,
times the density, is p (S^2 + 2 S') + p s^2 less the derivative of 2 p S, whose integral vanishes if p S
does at infinity: implicit score matching needs no score. Shown for one coordinate; norms, traces and
divergences are sums over coordinates.

Not claimed: networks for which p S does not vanish at infinity; that the losses are equal.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, Lambda, S, exp, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.predictions import eps_from_x, score_from_x
from equiv.proofs._calculus import rate
from equiv.proofs._densities import averaged, first, posterior, slope, variance, x, z
from equiv.proofs._symbols import eps_hat, now

CLAIM = Claim(
    id="w-dsm",
    title="Denoising score matching is score matching plus a constant",
    statement=r"E \lVert S - \nabla \log p(z|x) \rVert^2 = E \lVert S - \nabla \log p(z) \rVert^2"
    r" + \frac{\alpha^2}{\sigma^4} E\, \mathrm{tr\, Cov}(x|z) = \frac1{\sigma^2}"
    r" E \lVert \hat\epsilon - \epsilon \rVert^2, \qquad E \lVert S - \nabla \log p \rVert^2"
    r" = E[\lVert S \rVert^2 + 2 \nabla \cdot S] + E \lVert \nabla \log p \rVert^2"
    r" \text{ if } p S \to 0 \text{ at infinity}",
    source=Source(
        seed="000",
        section="Key Findings, in focus",
        equation="conditional and denoising score matching losses",
    ),
    needs=("d-posterior-mean", "d-tweedie-1"),
    cites=(
        "tower property, for the losses as means over states",
        "divergence theorem, for the integral of the divergence of p S",
    ),
)

score = symbols("S", real=True)
p, network = Function("p", positive=True)(z), Function("S", real=True)(z)
BELL = {p.func: Lambda(z, exp(-(z**2))), network.func: Lambda(z, z**2 + z)}


def _of_kernel() -> Any:
    """The score of the kernel."""
    return score_from_x(z, x, now)


def _error() -> Any:
    """The mean square error given the state, against the kernel's score."""
    return posterior((score - _of_kernel()) ** 2)


def derivation() -> Derivation:
    of_density = score_from_x(z, first, now)
    true = rate(p, z) / p
    return Derivation(
        chains=(
            chain("The score of the kernel", slope(S.One), ("a normal density", _of_kernel())),
            chain(
                "Its mean over the posterior",
                posterior(_of_kernel()),
                ("affine in x", of_density),
                ("the score of the density", averaged(slope(S.One)) / averaged(S.One)),
            ),
            chain(
                "The error given the state",
                _error(),
                (
                    "the mean and the variance of the target",
                    (score - of_density) ** 2 + posterior(_of_kernel() ** 2) - of_density**2,
                ),
                ("affine in x", (score - of_density) ** 2 + now.alpha**2 / now.sigma**4 * variance()),
            ),
            chain(
                "The error by the noise",
                (-eps_hat / now.sigma - _of_kernel()) ** 2,
                ("the score is -eps / sigma", (eps_hat - eps_from_x(z, x, now)) ** 2 / now.sigma**2),
            ),
            chain(
                "The error against the score, times the density",
                p * (network - true) ** 2,
                ("p s is p'", p * network**2 - 2 * network * rate(p, z) + p * true**2),
                (
                    "a product less its derivative",
                    p * (network**2 + 2 * rate(network, z)) + p * true**2 - rate(2 * p * network, z),
                ),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    of_density = (score - score_from_x(z, first, now)) ** 2
    for name, wrong in (
        ("the losses are equal", of_density),
        ("the constant alpha^2 / sigma^2", of_density + now.alpha**2 / now.sigma**2 * variance()),
        ("the constant 1 / sigma^4", of_density + variance() / now.sigma**4),
        ("the constant subtracted", of_density - now.alpha**2 / now.sigma**4 * variance()),
    ):
        yield Variant(name=name, left=_error(), right=wrong)
    yield Variant(
        name="the error of the noise, not divided",
        left=(-eps_hat / now.sigma - _of_kernel()) ** 2,
        right=(eps_hat - eps_from_x(z, x, now)) ** 2,
    )
    true = rate(p, z) / p
    for name, divergence in (
        ("the divergence once", rate(network, z)),
        ("the divergence subtracted", -2 * rate(network, z)),
    ):
        yield Variant(
            name=f"implicit score matching with {name}",
            left=p * (network - true) ** 2,
            right=p * (network**2 + divergence) + p * true**2 - rate(2 * p * network, z),
            instance=BELL,
        )
