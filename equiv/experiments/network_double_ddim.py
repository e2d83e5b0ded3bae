r"""A DDPM step is a DDIM step of twice the length in log-SNR with noise put back, with trained networks.

One side is the posterior with its "fixed small" variance, in the schedule's own gauge. The other works in
:math:`z / \alpha`, asks for itself, goes to :math:`\lambda_t + 2 (\lambda_s - \lambda_t)` and renoises. Both
add the same noise, so that equality in law becomes equality of paths.

Not claimed: that the noise of a library has this sign (the law does not depend on it), or other variances.
"""

from typing import Any

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.comparison import Sides
from equiv.experiments.ddim_is_euler import SCHEDULES
from equiv.experiments.reference_networks import Asked, apart, measured, positive
from equiv.formulas.levels import Level
from equiv.formulas.steps import ddim_step, ddpm_step, renoise
from equiv.number import constant, sqrt
from equiv.result import Task
from equiv.rounding import Rounded, exact

EXPERIMENT = Header(
    id="x-network-double-ddim",
    title="A DDPM step is a double DDIM step with noise put back, with trained networks",
    claims=("t-ddpm-double-ddim", "n-half-only-in-lambda"),
    dtypes=("float64", "float32", "bfloat16", "float16"),
    networks=("ring", "unequal", "digits"),
)


def run(task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """One comparison for each schedule and prediction."""
    return measured(task, SCHEDULES, lambda asked: [against_posterior(asked)])


def against_posterior(asked: Asked) -> Experiment:
    """The posterior draw against the double step, with one noise."""
    now, then = asked.levels()
    z_t, noise = exact(asked.steps.z_t), exact(asked.noise)
    x_hat = asked.networks(z_t, now)
    expected = ddpm_step(z_t, x_hat, noise, now, then)
    return asked.compare(
        f"distance of a DDPM step ({asked.schedule.__name__}) from a double DDIM step that is renoised",
        Sides(expected, farther_and_back(asked, z_t, noise, now, then, 2)),
        apart(false_variants(asked, z_t, noise, now, then), expected),
        valid=positive(now, then),
    )


def farther_and_back(
    asked: Asked,
    z_t: Rounded,
    noise: Rounded,
    now: Level[Rounded],
    then: Level[Rounded],
    length: Any,
    beyond: Rounded | None = None,
) -> Rounded:
    r"""DDIM to :math:`\lambda_t + \rho (\lambda_s - \lambda_t)`, or to the noise ratio ``beyond``, and back.

    In the gauge :math:`z / \alpha`, where a level is its noise ratio.
    """
    here, there = now.sigma / now.alpha, then.sigma / then.alpha
    one = constant(here, 1) + 0 * here
    end = here * (there / here) ** constant(here, length) if beyond is None else beyond
    x_hat = asked.networks(z_t / now.alpha, Level(one, here))
    reached = ddim_step(z_t / now.alpha, x_hat, Level(one, here), Level(one, end))
    return then.alpha * renoise(reached, noise, Level(one, end), Level(one, there))


def false_variants(
    asked: Asked, z_t: Rounded, noise: Rounded, now: Level[Rounded], then: Level[Rounded]
) -> dict[str, Rounded]:
    """Stochastic steps that are not DDPM's."""
    here, there = now.sigma / now.alpha, then.sigma / then.alpha
    t, s = here / (1 + here), there / (1 + there)  # the times of flow matching
    twice_in_time = 2 * s - t

    def longer(length: Any, beyond: Rounded | None = None) -> Rounded:
        return farther_and_back(asked, z_t, noise, now, then, length, beyond)

    large = sqrt(now.sigma**2 - (now.alpha / then.alpha) ** 2 * then.sigma**2)
    mean = ddpm_step(z_t, asked.networks(z_t, now), 0 * noise, now, then)
    return {
        "no longer than the step itself": longer(1),
        "half as long again": longer(1.5),
        "three times as long": longer(3),
        "twice as long in the time of flow matching": longer(2, twice_in_time / (1 - twice_in_time)),
        "twice as long in the noise ratio": longer(2, 2 * there - here),
        "the variance of the forward process": mean + large * noise,
        "no noise": mean,
        "the network told the next level": ddpm_step(z_t, asked.networks(z_t, then), noise, now, then),
    }
