r"""A deterministic DDIM step is an Euler step of flow matching.

On the flow-matching schedule the two steps are the same, for any network and any finite step. On any
other schedule they are the same after the state is divided by alpha + sigma and the flow is given the
time sigma / (alpha + sigma).

Not claimed: the size of the Euler error; that equal times on two schedules correspond; stochastic samplers.
"""

from collections.abc import Iterable
from typing import Any

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level
from equiv.formulas.predictions import x_from_u
from equiv.formulas.schedules import cosine, flow_matching
from equiv.formulas.steps import ddim_step, flow_euler_step
from equiv.proofs._symbols import eps_hat, inside, now, s, t, then, u_hat, x_hat, z_t

CLAIM = Claim(
    id="f-ddim-is-fm",
    title="DDIM is Euler flow sampling",
    statement=r"\alpha_s \hat x + \sigma_s \hat\epsilon = z_t + (s - t)\, \hat u"
    r" \quad (\alpha_t = 1 - t,\ \sigma_t = t), \qquad"
    r" \frac{z_s}{\alpha_s + \sigma_s} = \frac{z_t}{\alpha_t + \sigma_t}"
    r" + \left(\frac{\sigma_s}{\alpha_s + \sigma_s} - \frac{\sigma_t}{\alpha_t + \sigma_t}\right) \hat u",
    source=Source(seed="003", section="Sampling", equation="DDIM sampler == flow matching sampler (Euler)"),
    needs=("p-conversions",),
)


def _flow_time(level: Level[Any]) -> Any:
    return level.sigma / (level.alpha + level.sigma)


def _in_flow_gauge(z: Any, level: Level[Any]) -> Any:
    return z / (level.alpha + level.sigma)


def derivation() -> Derivation:
    z = (1 - t) * x_hat + t * eps_hat
    return Derivation(
        chains=(
            chain(
                "On the flow-matching schedule, from the pair that makes up the state",
                ddim_step(z, x_hat, flow_matching(t), flow_matching(s)),
                ("the step keeps the pair and changes its weights", (1 - s) * x_hat + s * eps_hat),
                ("u is eps - x", flow_euler_step(z, eps_hat - x_hat, t, s)),
            ),
            chain(
                "On the flow-matching schedule, from the network's u",
                ddim_step(z_t, x_from_u(z_t, u_hat, flow_matching(t)), flow_matching(t), flow_matching(s)),
                (
                    "x is (z - sigma u) / (alpha + sigma)",
                    (1 - s) * (z_t - t * u_hat) + s * (z_t + (1 - t) * u_hat),
                ),
                ("collect z and u", flow_euler_step(z_t, u_hat, t, s)),
            ),
            chain(
                "On any schedule, after a change of gauge and of time",
                _in_flow_gauge(ddim_step(z_t, x_from_u(z_t, u_hat, now), now, then), then),
                (
                    "x is (z - sigma u) / (alpha + sigma), eps is (z + alpha u) / (alpha + sigma)",
                    flow_euler_step(_in_flow_gauge(z_t, now), u_hat, _flow_time(now), _flow_time(then)),
                ),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    z = (1 - t) * x_hat + t * eps_hat
    on_flow = ddim_step(z, x_hat, flow_matching(t), flow_matching(s))
    yield Variant(
        name="the velocity with its sign turned",
        left=on_flow,
        right=flow_euler_step(z, x_hat - eps_hat, t, s),
    )
    yield Variant(
        name="the step with its sign turned", left=on_flow, right=flow_euler_step(z, eps_hat - x_hat, s, t)
    )
    yield Variant(
        name="equal times on the cosine schedule and in the flow",
        left=_in_flow_gauge(ddim_step(z_t, x_from_u(z_t, u_hat, cosine(t)), cosine(t), cosine(s)), cosine(s)),
        right=flow_euler_step(_in_flow_gauge(z_t, cosine(t)), u_hat, t, s),
        hypotheses=(inside(t), inside(s)),
    )
    yield Variant(
        name="any schedule, with its time but without its gauge",
        left=ddim_step(z_t, x_from_u(z_t, u_hat, now), now, then),
        right=flow_euler_step(z_t, u_hat, _flow_time(now), _flow_time(then)),
    )
    yield Variant(
        name="any schedule, with sigma itself as the time",
        left=_in_flow_gauge(ddim_step(z_t, x_from_u(z_t, u_hat, now), now, then), then),
        right=flow_euler_step(_in_flow_gauge(z_t, now), u_hat, now.sigma, then.sigma),
    )
