r"""DDIM does not depend on the gauge, and neither do DDPM and the churn family.

If the levels of a schedule are multiplied by c_t and the state with them, and the denoiser sees the same
data, the step gives the state multiplied by c_s. This holds for DDIM, and also for DDPM with its
posterior variance and for every rho of the churn family (rho = 1 is DDIM). The Euler step of the
probability-flow equation does depend on the gauge, even where the scale is linear in time.

Not claimed: that a network is given its input in the right gauge; higher orders.
"""

from collections.abc import Iterable

from sympy import Gt, Ne, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, rescaled
from equiv.formulas.steps import churn_step, ddim_step, ddpm_step, probability_flow_euler_step
from equiv.proofs._symbols import less_noisy, noise, now, s, t, then, x_hat, z_t

CLAIM = Claim(
    id="f-scale-invariance",
    title="DDIM does not depend on the gauge",
    statement=r"\mathrm{DDIM}(c_t z_t, \hat x;\ c_t \alpha_t, c_t \sigma_t, c_s \alpha_s, c_s \sigma_s)"
    r" = c_s\, \mathrm{DDIM}(z_t, \hat x;\ \alpha_t, \sigma_t, \alpha_s, \sigma_s)",
    source=Source(seed="003", section="Sampling", equation="comment 2"),
)

c_t, c_s, rho = symbols("c_t c_s rho", positive=True)


def derivation() -> Derivation:
    scaled = rescaled(now, c_t), rescaled(then, c_s)
    eps = (z_t - now.alpha * x_hat) / now.sigma
    return Derivation(
        chains=(
            chain(
                "DDIM",
                ddim_step(c_t * z_t, x_hat, *scaled),
                ("c_t cancels in eps", c_s * then.alpha * x_hat + c_s * then.sigma * eps),
                ("take out c_s", c_s * ddim_step(z_t, x_hat, now, then)),
            ),
            chain(
                "DDPM, the mean and the noise",
                ddpm_step(c_t * z_t, x_hat, noise, *scaled),
                ("every coefficient scales by c_s", c_s * ddpm_step(z_t, x_hat, noise, now, then)),
            ),
            chain(
                "Churn, for every rho above 1",
                churn_step(c_t * z_t, x_hat, noise, rho, *scaled),
                ("kappa does not change", c_s * churn_step(z_t, x_hat, noise, rho, now, then)),
            ),
        ),
        hypotheses=(less_noisy(then, now), Gt(rho, 1, evaluate=False)),
    )


def false_variants() -> Iterable[Variant]:
    scaled = rescaled(now, c_t), rescaled(then, c_s)
    yield Variant(
        name="the result scales by the scale of the start",
        left=ddim_step(c_t * z_t, x_hat, *scaled),
        right=c_t * ddim_step(z_t, x_hat, now, then),
    )
    yield Variant(
        name="the prediction of x is scaled with the state",
        left=ddim_step(c_t * z_t, c_t * x_hat, *scaled),
        right=c_s * ddim_step(z_t, x_hat, now, then),
    )
    rates = Level(*symbols("alphadot sigmadot", real=True))
    c_dot = symbols("cdot", real=True)
    rates_scaled = Level(
        c_dot * now.alpha + c_t * rates.alpha,
        c_dot * now.sigma + c_t * rates.sigma,
    )
    yield Variant(
        name="the probability-flow Euler step does not depend on a scale that is linear in time",
        left=probability_flow_euler_step(c_t * z_t, x_hat, rescaled(now, c_t), rates_scaled, t, s),
        right=(c_t + (s - t) * c_dot) * probability_flow_euler_step(z_t, x_hat, now, rates, t, s),
        hypotheses=(Ne(c_dot, 0, evaluate=False),),
    )
    yield Variant(
        name="the noise of DDPM is not scaled",
        left=ddpm_step(c_t * z_t, x_hat, noise, *scaled),
        right=c_s * ddpm_step(z_t, x_hat, noise / c_s, now, then),
        hypotheses=(less_noisy(then, now),),
    )
