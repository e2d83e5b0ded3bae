r"""The family from DDIM to DDPM and beyond: a longer DDIM step with noise put back, with trained networks.

One side is the closed form :math:`\alpha_s \hat x + \sigma_s (\kappa^{\rho - 1} \hat\epsilon +
\sqrt{1 - \kappa^{2 (\rho - 1)}}\, n)`, the frozen solution of the stochastic equation with
:math:`\eta^2 = \rho - 1`; the other goes to :math:`\lambda_t + \rho (\lambda_s - \lambda_t)` and renoises.

Not claimed: anything about stochastic solvers that do not freeze the data prediction.
"""

from fractions import Fraction
from typing import Any

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.comparison import Sides
from equiv.experiments.ddim_is_euler import SCHEDULES
from equiv.experiments.network_double_ddim import farther_and_back
from equiv.experiments.reference_networks import Asked, apart, measured, positive
from equiv.formulas.levels import kappa
from equiv.formulas.predictions import eps_from_x
from equiv.formulas.steps import churn_step
from equiv.number import constant
from equiv.result import Task
from equiv.rounding import exact

EXPERIMENT = Header(
    id="x-network-churn",
    title="Churn is a longer DDIM step with noise put back, with trained networks",
    claims=("t-churn-family", "t-ddim-eta"),
    dtypes=("float64", "float32", "bfloat16", "float16"),
    networks=("ring", "unequal", "digits"),
)

RHOS = (Fraction(5, 4), Fraction(3))


def run(task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """One comparison for each length, schedule and prediction."""
    return measured(task, SCHEDULES, lambda asked: [at_length(asked, rho) for rho in RHOS])


def at_length(asked: Asked, rho: Fraction) -> Experiment:
    """The closed form against the longer step, with one noise."""
    now, then = asked.levels()
    z_t, noise = exact(asked.steps.z_t), exact(asked.noise)
    x_hat = asked.networks(z_t, now)

    def closed(length: Any) -> Any:
        return churn_step(z_t, x_hat, noise, constant(z_t, length), now, then)

    kept = kappa(now, then) ** constant(z_t, rho - 1)
    eps_hat = eps_from_x(z_t, x_hat, now)
    variants = {
        "eta in place of its square": closed(1 + float(rho - 1) ** 0.5),
        "one more than the length": closed(rho + 1),
        "half of the log-SNR": closed((rho + 1) / 2),
        "noise that makes up linearly": then.alpha * x_hat
        + then.sigma * (kept * eps_hat + (1 - kept) * noise),
        "noise on top of all that is predicted": then.alpha * x_hat
        + then.sigma * (eps_hat + (1 - kept) * noise),
        "no noise": then.alpha * x_hat + then.sigma * kept * eps_hat,
    }
    got = farther_and_back(asked, z_t, noise, now, then, rho)
    return asked.compare(
        f"distance of churn with rho = {rho} ({asked.schedule.__name__}) from the longer step",
        Sides(closed(rho), got),
        apart(variants, got),
        valid=positive(now, then),
    )
