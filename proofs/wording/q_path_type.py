r"""Both frameworks sample with noise and without, from the same network.

The churn step of rho = 1 + eta^2 has noise of the variance sigma_s^2 (1 - kappa^(2 eta^2)). Without it, eta
= 0, it is DDIM, a deterministic sampler of diffusion, and on the schedule of flow matching the Euler step of
the flow. With it, eta > 0, it is a stochastic sampler of flow matching from the network's u; for eta = 1 it
is DDPM. The exact marginals solve the equation of each of the processes (o-reverse-family). So "stochastic"
against "deterministic" is a choice of eta.

Not claimed: that finite steps keep the marginals; that all eta are equally good.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, sqrt, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, kappa
from equiv.formulas.predictions import x_from_u
from equiv.formulas.schedules import flow_matching
from equiv.formulas.steps import churn_step, ddim_step, ddpm_step, flow_euler_step
from equiv.proofs._symbols import inside, less_noisy, noise, now, s, t, then, u_hat, x_hat, z_t

CLAIM = Claim(
    id="q-path-type",
    title="Stochastic or deterministic is a choice in both frameworks",
    statement=r"\mathrm{Var}[z_s | z_t] = \sigma_s^2 (1 - \kappa^{2 \eta^2}): \quad \eta = 0 \text{ is DDIM}"
    r"\text{ and the Euler flow},\ \eta = 1 \text{ is DDPM, for every schedule}",
    source=Source(seed="002", section="How Do They Compare?", equation="Path type"),
    needs=("t-churn-family", "f-ddim-is-fm", "o-reverse-family"),
    erratum="E23",
    as_written=r"\text{diffusion: } \mathrm{Var}[z_s | z_t] > 0, \qquad"
    r" \text{flow matching: } \mathrm{Var}[z_s | z_t] = 0",
)

eta = symbols("eta", positive=True)


def _noise(power: Any, high: Level[Any], low: Level[Any]) -> Any:
    """The standard deviation of the churn step."""
    return churn_step(S.Zero, S.Zero, S.One, power, high, low)


def derivation() -> Derivation:
    flow, data = (flow_matching(time) for time in (t, s))
    x_of_u = x_from_u(z_t, u_hat, flow)
    kept = kappa(now, then) ** (eta**2)
    return Derivation(
        chains=(
            chain(
                "Diffusion without noise",
                churn_step(z_t, x_hat, noise, S.One, now, then),
                ("eta is zero", ddim_step(z_t, x_hat, now, then)),
            ),
            chain(
                "Diffusion with noise",
                churn_step(z_t, x_hat, noise, S(2), now, then),
                ("eta is one", ddpm_step(z_t, x_hat, noise, now, then)),
            ),
            chain(
                "The variance of the noise",
                _noise(1 + eta**2, now, then) ** 2,
                ("what is not kept", then.sigma**2 * (1 - kappa(now, then) ** (2 * eta**2))),
            ),
            chain(
                "Flow matching without noise",
                churn_step(z_t, x_of_u, noise, S.One, flow, data),
                ("eta is zero", flow_euler_step(z_t, u_hat, t, s)),
            ),
            chain(
                "Any schedule, flow matching among them, with noise, from the network's u",
                churn_step(z_t, x_from_u(z_t, u_hat, now), noise, 1 + eta**2, now, then),
                (
                    "x_hat and eps_hat by u",
                    (then.alpha * (z_t - now.sigma * u_hat) + then.sigma * kept * (z_t + now.alpha * u_hat))
                    / (now.alpha + now.sigma)
                    + then.sigma * sqrt(1 - kept**2) * noise,
                ),
            ),
        ),
        hypotheses=(less_noisy(then, now), inside(t), inside(s)),
    )


def false_variants() -> Iterable[Variant]:
    falling = (less_noisy(then, now),)
    for name, wrong in (
        ("eta for its square", then.sigma**2 * (1 - kappa(now, then) ** (2 * eta))),
        ("eta^2 for twice that", then.sigma**2 * (1 - kappa(now, then) ** (eta**2))),
        ("the variance of the state", then.sigma**2),
    ):
        yield Variant(
            name=f"the variance of the noise: {name}",
            left=_noise(1 + eta**2, now, then) ** 2,
            right=wrong,
            hypotheses=falling,
        )
    yield Variant(
        name="DDPM is deterministic",
        left=ddpm_step(z_t, x_hat, noise, now, then),
        right=ddim_step(z_t, x_hat, now, then),
        hypotheses=falling,
    )


def as_written() -> Iterable[Variant]:
    flow, data = (flow_matching(time) for time in (t, s))
    yield Variant(
        name="diffusion is stochastic: DDIM has the noise of DDPM",
        left=_noise(S.One, now, then),
        right=_noise(S(2), now, then),
        hypotheses=(less_noisy(then, now),),
    )
    yield Variant(
        name="flow matching is deterministic: its sampler of any eta has no noise",
        left=_noise(1 + eta**2, flow, data),
        right=S.Zero,
        hypotheses=(inside(t), inside(s), less_noisy(data, flow)),
    )
