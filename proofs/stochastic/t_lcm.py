r"""LCM is the far end of the churn family, rho = infinity, with a data prediction of its own.

A latent consistency model replaces x_hat by D = c_skip z_t + c_out x_hat and draws the next state afresh,
alpha_s D + sigma_s n. The churn step with D in place of x_hat differs from that by sigma_s (k e + (sqrt(1 -
k^2) - 1) n), where e = (z_t - alpha_t D) / sigma_t, k = kappa^(rho - 1) = exp(-(rho - 1) Delta lambda / 2)
goes to 0 as rho grows, and 1 - sqrt(1 - k^2) = k^2 / (1 + sqrt(1 - k^2)) is at most k^2. Where D is the
data, the step has the right law. Where x_hat is the data it has not, unless c_skip = 0: the variance
exceeds sigma_s^2 by (alpha_s c_skip sigma_t)^2. So an LCM is to be judged by D, not by x_hat. At time 0, D
is the state itself.

Not claimed: that a trained D is the data, or the end of a trajectory; that noise is added in the last step.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, S, exp, sqrt, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import kappa, log_snr
from equiv.formulas.predictions import eps_from_x
from equiv.formulas.steps import churn_step, ddpm_step
from equiv.proofs._symbols import less_noisy, noise, now, then, x_hat, z_t

CLAIM = Claim(
    id="t-lcm",
    title="LCM is churn of rho = infinity, in its own data prediction",
    statement=r"z_s = \alpha_s D + \sigma_s n = \lim_{\rho \to \infty} \mathrm{churn}_\rho(z_t, D, n), \qquad"
    r" D = c_{\mathrm{skip}} z_t + c_{\mathrm{out}} \hat x",
    source=Source(
        seed="003", section="Diving deeper into samplers", equation="implied: the far end of churn"
    ),
    needs=("t-churn-family",),
)

rho, kept, sigma_d, c_skip = symbols("rho k sigma_d c_skip", positive=True)
x, c_out = symbols("x c_out", real=True)


def _skip(time: Any) -> Any:
    return sigma_d**2 / (time**2 + sigma_d**2)


def _out(time: Any) -> Any:
    return time / sqrt(time**2 + sigma_d**2)


def _own(z: Any, x: Any) -> Any:
    return c_skip * z + c_out * x


def _fresh(z: Any, x: Any) -> Any:
    return then.alpha * _own(z, x) + then.sigma * noise


def derivation() -> Derivation:
    own = _own(z_t, x_hat)
    decay = kappa(now, then) ** (rho - 1)
    return Derivation(
        chains=(
            chain(
                "The churn step with D, and the fresh draw",
                churn_step(z_t, own, noise, rho, now, then),
                (
                    "add and take away sigma_s n",
                    _fresh(z_t, x_hat)
                    + then.sigma * (decay * eps_from_x(z_t, own, now) + (sqrt(1 - decay**2) - 1) * noise),
                ),
            ),
            chain(
                "What is kept decays with rho",
                decay,
                ("kappa is exp(-Delta lambda / 2)", exp(-(rho - 1) * (log_snr(then) - log_snr(now)) / 2)),
            ),
            chain(
                "What the noise lacks is at most k^2",
                1 - sqrt(1 - kept**2),
                ("times and over the conjugate", kept**2 / (1 + sqrt(1 - kept**2))),
            ),
            chain(
                "On a point mass, in terms of x_hat, the mean",
                then.alpha * _own(now.alpha * x, x),
                ("the state is alpha_t x there", then.alpha * (c_skip * now.alpha + c_out) * x),
            ),
            chain(
                "On a point mass, in terms of x_hat, the variance",
                (then.alpha * _own(now.sigma, S.Zero)) ** 2 + then.sigma**2,
                (
                    "the noise of the state is let through",
                    then.sigma**2 + (then.alpha * c_skip * now.sigma) ** 2,
                ),
            ),
            chain("At time 0, c_skip", _skip(S.Zero), ("sigma_d^2 cancels", S.One)),
            chain("At time 0, c_out", _out(S.Zero), ("no time has passed", S.Zero)),
        ),
        hypotheses=(less_noisy(then, now), Gt(rho, 1, evaluate=False), Gt(1, kept, evaluate=False)),
    )


def false_variants() -> Iterable[Variant]:
    falling = (less_noisy(then, now),)
    yield Variant(
        name="the fresh draw is DDPM with D",
        left=_fresh(z_t, x_hat),
        right=ddpm_step(z_t, _own(z_t, x_hat), noise, now, then),
        hypotheses=falling,
    )
    yield Variant(
        name="the fresh draw is made with x_hat",
        left=_fresh(z_t, x_hat),
        right=then.alpha * x_hat + then.sigma * noise,
        hypotheses=falling,
    )
    yield Variant(
        name="on a point mass, in terms of x_hat, the variance is right",
        left=(then.alpha * _own(now.sigma, S.Zero)) ** 2 + then.sigma**2,
        right=then.sigma**2,
        hypotheses=falling,
    )
    yield Variant(
        name="what the noise lacks is k",
        left=1 - sqrt(1 - kept**2),
        right=kept,
        hypotheses=(Gt(1, kept, evaluate=False),),
    )
