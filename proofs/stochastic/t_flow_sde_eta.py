r"""Sampling a flow with noise a sqrt(t / (1 - t)) is sampling with constant stochasticity eta = a / sqrt(2).

On the flow-matching schedule g^2 = 2 t / (1 - t), so that the noise a sqrt(t / (1 - t)) is eta_t g_t with
eta^2 = a^2 / 2 at every t. The drift that goes with it, u + sigma_t^2 / (2 t) (z + (1 - t) u), is f z - (1
+ eta^2) / 2 g^2 s. With x_hat held fixed its exact step is the churn step of rho = 1 + a^2 / 2; a = sqrt(2)
is DDPM. The Euler-Maruyama step that is used in its place keeps the mean on a point mass, and has too large
a variance there, by a^2 (t - s)^2 / (1 - t) (1 + a^2 / (4 (1 - t))).

Not claimed: the end t = 1, where the noise is infinite; which a explores best.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, S, exp, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import kappa, log_snr, noise_ratio
from equiv.formulas.predictions import score_from_x, u_from_x, x_from_u
from equiv.formulas.schedules import flow_matching
from equiv.formulas.steps import churn_step, ddpm_step
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import inside, noise, s, t, u_hat, x_hat, z_t

CLAIM = Claim(
    id="t-flow-sde-eta",
    title="Flow sampling with noise a sqrt(t/(1-t)) has constant eta",
    statement=r"\sigma_t = a \sqrt{\tfrac t{1 - t}}:\quad"
    r" dz = \left(u + \tfrac{\sigma_t^2}{2 t} (z + (1 - t) u)\right) dt + \sigma_t\, d\bar w"
    r" = \left(f z - \tfrac{1 + \eta^2}2 g^2 \nabla \log p_t\right) dt + \eta g\, d\bar w, \qquad"
    r" \eta^2 = \tfrac{a^2}2, \quad \rho = 1 + \tfrac{a^2}2",
    source=Source(seed="003", section="SDE and ODE Perspective", equation="implied: the choice of eta_t"),
    needs=("t-churn-family", "s-fg-from-alphasigma"),
)

a = symbols("a", positive=True)
x, e = symbols("x epsilon", real=True)
NOW, THEN = flow_matching(t), flow_matching(s)
DESCENDING = (inside(t), inside(s), Gt(t, s, evaluate=False))


def _noise(scale: Any) -> Any:
    return scale * sqrt(t / (1 - t))


def _diffusion_squared() -> Any:
    return 2 * NOW.alpha * NOW.sigma * rate(noise_ratio(NOW))


def _flow_drift(z: Any, u: Any) -> Any:
    return u + _noise(a) ** 2 / (2 * t) * (z + (1 - t) * u)


def _diffusion_drift(eta_squared: Any) -> Any:
    score = score_from_x(z_t, x_from_u(z_t, u_hat, NOW), NOW)
    return -1 / (1 - t) * z_t - (1 + eta_squared) / 2 * (2 * t / (1 - t)) * score


def derivation() -> Derivation:
    return Derivation(chains=(*_process(), *_exact_step(), *_euler_maruyama()), hypotheses=DESCENDING)


def _process() -> Iterable[Chain]:
    yield chain("g^2", _diffusion_squared(), ("(t / (1 - t))' is 1 / (1 - t)^2", 2 * t / (1 - t)))
    yield chain("f", rate(NOW.alpha) / NOW.alpha, ("alpha is 1 - t", -1 / (1 - t)))
    yield chain("The noise", _noise(a) ** 2, ("half a^2 times g^2", a**2 / 2 * _diffusion_squared()))
    yield chain(
        "The drift",
        _flow_drift(z_t, u_hat),
        (
            "sigma^2 / (2 t) is eta^2 g^2 / (2 t), and the score is -(z + (1 - t) u) / t",
            _diffusion_drift(a**2 / 2),
        ),
    )


def _exact_step() -> Iterable[Chain]:
    yield chain(
        "What the churn step of rho = 1 + a^2 / 2 keeps of the noise",
        kappa(NOW, THEN) ** (1 + a**2 / 2 - 1),
        ("kappa is s (1 - t) / ((1 - s) t)", (s * (1 - t) / ((1 - s) * t)) ** (a**2 / 2)),
        ("decays with half eta^2 in lambda", exp(-(a**2) / 2 * (log_snr(THEN) - log_snr(NOW)) / 2)),
    )
    yield chain(
        "a = sqrt(2) is DDPM",
        churn_step(z_t, x_hat, noise, 1 + sqrt(S(2)) ** 2 / 2, NOW, THEN),
        ("rho is 2", ddpm_step(z_t, x_hat, noise, NOW, THEN)),
    )


def _euler_maruyama() -> Iterable[Chain]:
    z = (1 - t) * x + t * e
    of_noise = s - a**2 * (t - s) / (2 * (1 - t))
    yield chain(
        "Euler-Maruyama on a point mass, its noise apart",
        z + (s - t) * _flow_drift(z, u_from_x(z, x, NOW)),
        ("the data keep the right coefficient", (1 - s) * x + of_noise * e),
    )
    yield chain(
        "The variance of Euler-Maruyama on a point mass",
        of_noise**2 + _noise(a) ** 2 * (t - s),
        ("expand", s**2 + a**2 * (t - s) ** 2 / (1 - t) * (1 + a**2 / (4 * (1 - t)))),
    )


def false_variants() -> Iterable[Variant]:
    for name, eta_squared in (("eta is a", a**2), ("eta^2 is a / 2", a / 2)):
        yield Variant(
            name=f"{name}, by the noise",
            left=_noise(a) ** 2,
            right=eta_squared * _diffusion_squared(),
            hypotheses=(inside(t),),
        )
        yield Variant(
            name=f"{name}, by the drift",
            left=_flow_drift(z_t, u_hat),
            right=_diffusion_drift(eta_squared),
            hypotheses=(inside(t),),
        )
    yield Variant(
        name="the noise a sqrt(t) has a constant eta as well",
        left=(a * sqrt(t)) ** 2 / (2 * t / (1 - t)),
        right=(a * sqrt(s)) ** 2 / (2 * s / (1 - s)),
        hypotheses=DESCENDING,
    )
    z = z_t + (s - t) * _flow_drift(z_t, u_from_x(z_t, x_hat, NOW)) + _noise(a) * sqrt(t - s) * noise
    yield Variant(
        name="Euler-Maruyama is the churn step",
        left=z,
        right=churn_step(z_t, x_hat, noise, 1 + a**2 / 2, NOW, THEN),
        hypotheses=DESCENDING,
    )
