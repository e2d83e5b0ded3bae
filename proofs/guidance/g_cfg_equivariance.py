r"""Guidance does not depend on what the network predicts.

Classifier-free guidance extrapolates from the unconditional prediction through the conditional one: w
times the one, 1 - w times the other. All conversions between predictions of x, eps, v, u and the score
are affine at a given state, and weights that sum to one pass through affine maps; so does every step that
is affine in x_hat. Guided DDIM, DDPM and churn are therefore the same for all predictions, and equal the
same combination of unguided steps, with the same noise. Two conventions agree by w = 1 + w'.

Not claimed: weights whose sum is not one; x_hat that is clipped or thresholded in between; that guidance
samples from a tilted distribution (it does not: g-cfg-not-tilted).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sympy import Gt, Max, Min, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.predictions import FROM_X, TO_X
from equiv.formulas.steps import churn_step, ddim_step, ddpm_step
from equiv.proofs._symbols import less_noisy, noise, now, then, z_t

CLAIM = Claim(
    id="g-cfg-equivariance",
    title="Guidance commutes with conversions and with steps",
    statement=r"P(w \hat x_c + (1 - w) \hat x_\varnothing) = w P(\hat x_c) + (1 - w) P(\hat x_\varnothing)"
    r" \text{ for } P = \hat\epsilon, \hat v, \hat u, \hat s, \mathrm{DDIM}, \mathrm{DDPM}; \qquad"
    r" (1 + w') \hat\epsilon_c - w' \hat\epsilon_\varnothing"
    r" = w \hat\epsilon_c + (1 - w) \hat\epsilon_\varnothing,\ w = 1 + w'",
    source=Source(seed="000", section="Key Findings, in focus", equation="classifier-free guidance"),
    needs=("p-conversions",),
)

w, extra, x_c, x_u = symbols("w w' xhat_c xhat_u", real=True)
rho = symbols("rho", positive=True)


STEPS: Mapping[str, Callable[[Any], Any]] = {
    "DDIM": lambda x: ddim_step(z_t, x, now, then),
    "DDPM": lambda x: ddpm_step(z_t, x, noise, now, then),
    "churn": lambda x: churn_step(z_t, x, noise, rho, now, then),
}


def _guided(conditional: Any, unconditional: Any) -> Any:
    return w * conditional + (1 - w) * unconditional


def _converted(kind: str, x: Any) -> Any:
    return FROM_X[kind](z_t, x, now)


def derivation() -> Derivation:
    kinds = [kind for kind in FROM_X if kind != "x"]
    there = (
        chain(
            f"{kind} of the guided x",
            _converted(kind, _guided(x_c, x_u)),
            ("affine, with weights that sum to one", _guided(_converted(kind, x_c), _converted(kind, x_u))),
        )
        for kind in kinds
    )
    back = (
        chain(
            f"x of the guided {kind}",
            TO_X[kind](z_t, _guided(x_c, x_u), now),
            ("affine, with weights that sum to one", _guided(*(TO_X[kind](z_t, p, now) for p in (x_c, x_u)))),
        )
        for kind in kinds
    )
    steps = (
        chain(
            f"The guided step of {name}",
            step(_guided(x_c, x_u)),
            ("affine in x_hat, with the same noise", _guided(step(x_c), step(x_u))),
        )
        for name, step in STEPS.items()
    )
    conventions = chain(
        "The other convention",
        (1 + extra) * _converted("eps", x_c) - extra * _converted("eps", x_u),
        ("w = 1 + w'", (1 + extra) * _converted("eps", x_c) + (1 - (1 + extra)) * _converted("eps", x_u)),
    )
    return Derivation(
        chains=(*there, *back, *steps, conventions),
        hypotheses=(less_noisy(then, now), Gt(rho, 1, evaluate=False)),
    )


def false_variants() -> Iterable[Variant]:
    yield Variant(
        name="added, not extrapolated: the weights sum to 1 + w",
        left=_converted("eps", x_u + w * x_c),
        right=_converted("eps", x_u) + w * _converted("eps", x_c),
    )
    yield Variant(
        name="weights that sum to zero",
        left=_converted("eps", w * x_c - w * x_u),
        right=w * _converted("eps", x_c) - w * _converted("eps", x_u),
    )
    yield Variant(
        name="x clipped to [-1, 1] before and after",
        left=_clipped(_guided(x_c, x_u)),
        right=_guided(_clipped(x_c), _clipped(x_u)),
    )
    yield Variant(
        name="both conventions have the same w",
        left=(1 + w) * x_c - w * x_u,
        right=_guided(x_c, x_u),
    )


def _clipped(x: Any) -> Any:
    return Max(Min(x, 1), -1)
