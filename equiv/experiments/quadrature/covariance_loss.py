r"""What a step from the exact law, with the exact denoiser, keeps of the mean and loses of the variance.

The variance after the step is an integral over the density of the state; what it loses, by the claim, is one
of the variance of the data given the state, and the two integrands share nothing but the density. A step is
read as its coefficients, from ``formulas``. A reversed DDIM step is one of negative length, rho = 1.

Not claimed: laws beyond their first two moments; steps from the law of a step before.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from flint import arb

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.quadrature.balls import Case, ball, equal, in_balls
from equiv.experiments.quadrature.data import DATA, Law
from equiv.formulas.levels import Level, kappa
from equiv.formulas.schedules import cosine, flow_matching
from equiv.formulas.steps import churn_step, ddim_step
from equiv.result import Task

EXPERIMENT = Header(
    id="x-covariance-loss",
    title="What a step of any churn loses of the variance",
    claims=("n-covariance-loss", "n-analytic-dpm", "t-reversed-ddim", "t-ho-variances", "t-classification"),
    dtypes=(),
)

Step = Callable[[Any, Any, Any, Any, Level[Any], Level[Any]], Any]
RHOS = (1, 1.5, 2, 3, 6.25)
SHARES = (1, 0.75, 0, -0.5)  # of the state's factor in DDIM, which is the largest
LENGTHS = ((cosine, 0.75, 0.5), (flow_matching, 0.5, 0.375), (flow_matching, 0.25, 0.125))


class Moments(NamedTuple):
    """Of the state and its denoiser: a state z, the denoiser x, the variance of the data that is left."""

    z: arb
    x: arb
    zz: arb
    zx: arb
    xx: arb
    left: arb


def moments(law: Law) -> Moments:
    """By quadrature, but for the state's own."""
    growth = law.growth + 1
    return Moments(
        z=law.mean,
        x=law.expectation(law.denoiser, growth),
        zz=law.variance + law.mean**2,
        zx=law.expectation(lambda z: z * law.denoiser(z), growth),
        xx=law.expectation(lambda z: law.denoiser(z) ** 2, growth),
        left=law.expectation(law.posterior_variance, growth),
    )


@in_balls
def run(_task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """For each schedule and data: every churn, and the reversed step."""
    return list(experiments()), {}


def experiments(step: Step = churn_step) -> tuple[Experiment, ...]:
    """The mean and the variance after ``step``, and what DDIM and DDPM reach."""
    means, losses, reversals, restored, classified = [], [], [], [], []
    for name, data in DATA.items():
        for schedule, t, s in LENGTHS:
            now, then = schedule(ball(t)), schedule(ball(s))
            of_state, law = moments(data.at(now)), data.at(then)
            inputs = {"data": name, "schedule": schedule.__name__, "t": t, "s": s}
            for rho in RHOS:
                mean, variance = after(step, of_state, ball(rho), now, then)
                at_rho = {**inputs, "rho": rho}
                means.append(Case(at_rho, law.mean, mean, {"the mean of the level before": of_state.z}))
                losses.append(_loss(at_rho, law.variance - variance, ball(rho), of_state.left, now, then))
                restored.append(
                    _restored(at_rho, law.variance, variance, ball(rho), of_state.left, now, then)
                )
            classified += _classified(inputs, of_state, law, now)
            noisier = schedule(ball(t + (t - s) / 2))
            _, variance = after(ddim, of_state, ball(1), now, noisier)
            lost = data.at(noisier).variance - variance
            reversals.append(_loss(inputs, lost, ball(1), of_state.left, now, noisier))
    return (
        equal("distance of the mean after a churn step from the level's", means),
        equal("distance of the variance that a churn step loses from the claimed", losses),
        equal("distance of the variance that a reversed DDIM step loses from the claimed", reversals),
        equal("distance of the variance from the level's, where what is lost is added as noise", restored),
        equal("distance of the variance that a step exact on points loses from the claimed", classified),
    )


def ddim(z: Any, x_hat: Any, _noise: Any, _rho: Any, now: Level[Any], then: Level[Any]) -> Any:
    """In the form of a churn step."""
    return ddim_step(z, x_hat, now, then)


def after(step: Step, m: Moments, rho: arb, now: Level[arb], then: Level[arb]) -> tuple[arb, arb]:
    """The mean and the variance after a step that is linear in the state, the denoiser and the noise."""
    of_z, of_x, of_noise = (
        step(arb(z), arb(x), arb(noise), rho, now, then) for z, x, noise in ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    )
    mean = of_z * m.z + of_x * m.x
    second = of_z**2 * m.zz + 2 * of_z * of_x * m.zx + of_x**2 * m.xx + of_noise**2
    return mean, second - mean**2


def _loss(inputs: Any, lost: arb, rho: arb, left: arb, now: Level[arb], then: Level[arb]) -> Case:
    kept, signal = kappa(now, then), then.alpha**2
    wrong = {
        "nothing is lost": arb(0),
        "the exponent rho - 1": signal * (1 - kept ** (rho - 1)) ** 2 * left,
        "without the square": signal * (1 - kept**rho) * left,
        "the square inside": signal * (1 - kept ** (2 * rho)) * left,
        "four times DDIM's, whatever rho": 4 * signal * (1 - kept) ** 2 * left,
        "the signal of the level before": now.alpha**2 * (1 - kept**rho) ** 2 * left,
    }
    claimed = signal * (1 - kept**rho) ** 2 * left
    return Case(inputs, lost, claimed, wrong)


def _classified(inputs: dict[str, Any], m: Moments, law: Law, now: Level[arb]) -> list[Case]:
    """Steps a z + b x_hat + noise, exact on every point of data: of a below DDIM's, 0 and negative too."""
    cases, then = [], law.level
    most = then.sigma / now.sigma
    for share in SHARES:
        a = ball(share) * most
        b, noise = then.alpha - a * now.alpha, then.sigma**2 - (a * now.sigma) ** 2
        mean = a * m.z + b * m.x
        lost = law.variance - (a * a * m.zz + 2 * a * b * m.zx + b * b * m.xx + noise - mean * mean)
        wrong = {"nothing": arb(0), "of the factor itself": b * m.left}
        if share != 1:
            wrong["as DDIM"] = (then.alpha - most * now.alpha) ** 2 * m.left
        cases.append(Case({**inputs, "share of DDIM's factor": share}, lost, b * b * m.left, wrong))
    return cases


def _restored(
    inputs: Any, level: arb, variance: arb, rho: arb, left: arb, now: Level[arb], then: Level[arb]
) -> Case:
    """Against the level's own variance; DDPM's larger variance is right for N(0, 1) alone."""
    noise = then.alpha**2 * (1 - kappa(now, then) ** rho) ** 2 * left
    larger = now.sigma**2 - (now.alpha / then.alpha) ** 2 * then.sigma**2
    smaller = then.sigma**2 * (1 - kappa(now, then) ** (2 * (rho - 1)))
    return Case(
        inputs,
        level,
        variance + noise,
        {
            "no noise is added": variance,
            "twice the noise is added": variance + 2 * noise,
            "the variance of the forward step": variance - smaller + larger,
        },
    )
