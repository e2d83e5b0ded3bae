r"""The first step from pure noise uses the mean of the data; the last returns the prediction.

At alpha = 0 the likelihood of z does not depend on x, so the posterior is the data law and E[x | z] = E[x];
the first DDIM step is then alpha_s E[x] + sigma_s / sigma_t z. At a last level without noise, DDIM, DDPM
with its posterior variance and the Euler step of flow matching return alpha_s x_hat, whatever the draw; so
does every churn step in the limit of sigma_s to zero.

Not claimed: what a network trained on eps predicts at alpha = 0, where its output says nothing of x.
"""

from collections.abc import Iterable

from sympy import Gt, S, exp, pi, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import Level, kappa
from equiv.formulas.predictions import eps_from_x, u_from_x
from equiv.formulas.schedules import flow_matching
from equiv.formulas.steps import churn_step, ddim_step, ddpm_step, flow_euler_step
from equiv.proofs._symbols import inside, less_noisy, noise, now, t, then, x_hat, z_t

CLAIM = Claim(
    id="f-first-last-step",
    title="The first and the last step",
    statement=r"\alpha_t = 0:\ E[x | z_t] = E[x],\quad z_s = \alpha_s E[x]"
    r" + \frac{\sigma_s}{\sigma_t} z_t; \qquad"
    r" \sigma_s = 0:\ z_s = \alpha_s \hat x",
    source=Source(seed="003", section="Overview", equation="2, at the two ends"),
    needs=("t-churn-family",),
)

x, m = symbols("x m", real=True)
sigma, std, rho = symbols("sigma s_x rho", positive=True)
NO_SIGNAL = Level(S.Zero, sigma)
CLEAN = Level(then.alpha, S.Zero)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_first(), *_last()),
        hypotheses=(inside(t), less_noisy(then, now), Gt(rho, 1, evaluate=False)),
    )


def _first() -> Iterable[Chain]:
    yield chain(
        "Without signal, the likelihood of every x is the same",
        exp(-((z_t - NO_SIGNAL.alpha * x) ** 2) / (2 * sigma**2)) / sqrt(2 * pi * sigma**2),
        ("alpha is zero", exp(-(z_t**2) / (2 * sigma**2)) / sqrt(2 * pi * sigma**2)),
    )
    yield chain(
        "An instance: normal data", gaussian_denoiser(z_t, NO_SIGNAL, m, std), ("the gain is zero", m)
    )
    yield chain(
        "The first DDIM step",
        ddim_step(z_t, m, NO_SIGNAL, then),
        ("eps is z / sigma", then.alpha * m + then.sigma / sigma * z_t),
    )


def _last() -> Iterable[Chain]:
    clean = then.alpha * x_hat
    yield chain("The last step of DDIM", ddim_step(z_t, x_hat, now, CLEAN), ("sigma_s is zero", clean))
    yield chain(
        "The last step of DDPM",
        ddpm_step(z_t, x_hat, noise, now, CLEAN),
        ("the posterior variance is zero", clean),
    )
    yield chain(
        "The last step of flow matching",
        flow_euler_step(z_t, u_from_x(z_t, x_hat, flow_matching(t)), t, S.Zero),
        ("z - t u", z_t - t * u_from_x(z_t, x_hat, flow_matching(t))),
        ("z - t eps is (1 - t) x", x_hat),
    )
    kept = kappa(now, then) ** (rho - 1)
    yield chain(
        "Churn leaves the data's part with sigma_s: kappa is below one, so what it multiplies stays bounded",
        churn_step(z_t, x_hat, noise, rho, now, then) - clean,
        ("by its formula", then.sigma * (kept * eps_from_x(z_t, x_hat, now) + sqrt(1 - kept**2) * noise)),
    )


def false_variants() -> Iterable[Variant]:
    yield Variant(
        name="the first step of DDIM keeps the state", left=ddim_step(z_t, m, NO_SIGNAL, then), right=z_t
    )
    yield Variant(
        name="the first step of DDIM is the last one's",
        left=ddim_step(z_t, m, NO_SIGNAL, then),
        right=then.alpha * m,
    )
    yield Variant(
        name="the denoiser without signal divides the state",
        left=gaussian_denoiser(z_t, NO_SIGNAL, m, std),
        right=z_t / sigma,
    )
    yield Variant(
        name="the last step of flow matching stops at the mean of state and prediction",
        left=flow_euler_step(z_t, u_from_x(z_t, x_hat, flow_matching(t)), t, t / 2),
        right=x_hat,
        hypotheses=(inside(t),),
    )
