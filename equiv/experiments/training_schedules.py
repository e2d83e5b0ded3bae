r"""The expected loss does not depend on the training schedule; what a sample makes of it does, as derived.

With a weight that belongs to the log-SNR, the loss under uniform times of a schedule is the mean of
:math:`w(\lambda) \ell / p(\lambda)` for that schedule's density p of the log-SNR. Its mean is the integral of
:math:`w E \ell`, whatever p; its second moment is that of :math:`w^2 E \ell^2 / p`, so that the spread of an
estimate follows from the per-sample losses alone. Both are compared with draws uniform in the log-SNR.

The loss is the square error of the noise, cut off at a constant: the statement holds for every loss, and a
bounded one has intervals for its mean whose level is proved. A side is right if the two intervals meet.

Not claimed: that a training with another schedule ends at the same network. A rejection, which happens with
the probability stated, refutes nothing, for want of a concrete input; the verdict is then INCONCLUSIVE.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from equiv.evidence import Evidence, Experiment, Failure
from equiv.experiments import Header
from equiv.experiments.cases import place
from equiv.experiments.reference_networks import DEFAULT
from equiv.formulas.levels import Level, log_snr
from equiv.formulas.predictions import TO_X, eps_from_x
from equiv.formulas.schedules import variance_preserving
from equiv.lookup import Unknown
from equiv.reference.data import DATA
from equiv.reference.denoisers import Denoisers
from equiv.reference.networks import SCALE
from equiv.reference.recipes import RECIPES, SCHEDULES
from equiv.reference.storage import load
from equiv.reference.training import span, weighting
from equiv.result import Task
from equiv.statistics import Interval, mean_interval

EXPERIMENT = Header(
    id="x-training-schedules",
    title="The expected loss of a trained network does not depend on the training schedule",
    claims=("l-schedule-invariance", "l-optimal-importance"),
    dtypes=("float32",),
    networks=("ring", "unequal"),
)

LEVEL = 0.001  # of each interval
DRAWS = 60_000
MOST = 4.0  # at which a sample's loss is cut off


class Drawn(NamedTuple):
    """Losses of one network at times of a schedule, uniform over an interval."""

    loss: Tensor
    lambda_t: Tensor
    pace: Tensor  # 1 / p: how fast the log-SNR falls, times the length of the interval


class Moment(NamedTuple):
    """A quantity of bounded range whose mean is claimed to be known."""

    values: Tensor
    largest: float

    def interval(self) -> Interval:
        return mean_interval(self.values, 0.0, self.largest, level=LEVEL)


def run(task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """The mean and the second moment for each prediction and schedule, with the network of the first seed."""
    dtype, device = place(task)
    recipe = RECIPES[task.config.get("networks", DEFAULT)]
    try:
        networks = {kind: nets[:1].to(device, dtype) for kind, nets in load(recipe.name).items()}
    except Unknown as error:
        return [Failure(kind="not installed", reason=str(error))], {}
    found: list[Evidence] = []
    for kind, network in networks.items():
        even = draw(network, even_in_log_snr, (0.0, 1.0), recipe.data, task.seed)
        for name in recipe.schedules:
            words = f"{name}, with a network that predicts {kind} ({recipe.name})"
            found += on_schedule(network, name, even, (recipe.data, task.seed + 1, words))
    return found, {}


def on_schedule(
    network: Denoisers, name: str, even: Drawn, where: tuple[str, int, str]
) -> tuple[Experiment, Experiment]:
    """The mean and the second moment under a schedule against those that even draws predict."""
    data, seed, words = where
    schedule, times = SCHEDULES[name], span(SCHEDULES[name])
    ours = draw(network, schedule, times, data, seed)
    shorter = draw(network, schedule, span(schedule, SCALE / 4), data, seed)
    raw_time = draw(network, schedule, times, data, seed, told=lambda t, _lambda_t: t)
    weight = weighting(even.lambda_t)
    # the density of the schedule at the log-SNR of the even draws, by the falling rate there
    times_there = inverse(schedule, even.lambda_t)
    pace_there = (times[1] - times[0]) * falling(schedule, times_there)
    most, wide = (
        largest(name, times),
        2 * SCALE * 0.5,
    )  # of the weight per density; of the weight, at most 1/2
    mean = Moment(wide_mean(even), wide * MOST)
    moment = Moment(2 * SCALE * weight**2 * pace_there * even.loss**2, wide * most * MOST**2)
    alike = Moment(ours.pace * weighting(ours.lambda_t) * ours.loss, most * MOST)
    return (
        compared(
            f"distance of the mean loss on the schedule {words} from the integral over the log-SNR",
            mean,
            alike,
            {
                "the falling rate left out": Moment(weighting(ours.lambda_t) * ours.loss, MOST),
                "a quarter of the range": Moment(
                    shorter.pace * weighting(shorter.lambda_t) * shorter.loss, most * MOST
                ),
                "the network told the time": Moment(
                    raw_time.pace * weighting(raw_time.lambda_t) * raw_time.loss, most * MOST
                ),
            },
        ),
        compared(
            f"distance of the second moment of the loss on the schedule {words} from what even draws predict",
            moment,
            Moment(alike.values**2, (most * MOST) ** 2),
            {
                "the weight once": Moment(
                    ours.pace * weighting(ours.lambda_t) * ours.loss**2, most * MOST**2
                ),
                "the square of the mean": Moment(alike.values[::2] * alike.values[1::2], (most * MOST) ** 2),
            },
        ),
    )


def compared(measure: str, expected: Moment, got: Moment, variants: dict[str, Moment]) -> Experiment:
    """Whether two intervals meet: the distance of their middles, in units of their half widths together."""
    one = expected.interval()

    def apart(moment: Moment) -> float:
        other = moment.interval()
        middles = abs(one.low + one.high - other.low - other.high)
        return middles / (one.high - one.low + other.high - other.low)

    ratios = {name: apart(variant) for name, variant in variants.items()}
    return Experiment(
        worst=apart(got),
        bound=1.0,
        cases=len(expected.values) + len(got.values),
        rejected=tuple(name for name, ratio in ratios.items() if ratio > 1),
        surviving_variants=tuple(name for name, ratio in ratios.items() if not ratio > 1),
        measure=f"{measure}, in units of the half widths of both intervals, each of level {LEVEL:g} "
        f"(together {(one.high - one.low) / (one.high + one.low):.1%} of the value for the prediction)",
    )


def wide_mean(even: Drawn) -> Tensor:
    """The loss of draws that are even in the log-SNR, weighted."""
    return 2 * SCALE * weighting(even.lambda_t) * even.loss


def draw(
    network: Denoisers,
    schedule: Callable[[Any], Level[Any]],
    times: tuple[float, float],
    data: str,
    seed: int,
    told: Callable[[Tensor, Tensor], Tensor] = lambda _t, lambda_t: lambda_t,
) -> Drawn:
    """Independent draws of data, noise and a uniform time, and what the network makes of them."""
    generator, like = torch.Generator().manual_seed(seed), next(iter(network.parameters.values()))
    samples = DATA[data]().held_out
    x = samples[torch.randint(len(samples), (DRAWS,), generator=generator)].to(like)
    eps = torch.randn(x.shape, generator=generator).to(like)
    t = times[0] + (times[1] - times[0]) * torch.rand(DRAWS, 1, generator=generator, dtype=torch.float64)
    level = variance_preserving(schedule(t))
    lambda_t, seen = log_snr(schedule(t)), Level(*(part.to(like) for part in level))
    q = seen.alpha * x + seen.sigma * eps
    with torch.no_grad():
        raw = network.raw(q[None], told(t, lambda_t).to(like)[None])[0]
    eps_hat = eps_from_x(q, TO_X[network.kind](q, raw, seen), seen)
    loss = ((eps_hat - eps) ** 2).mean(-1, keepdim=True).double().cpu().clamp(max=MOST)
    return Drawn(loss, lambda_t, (times[1] - times[0]) * falling(schedule, t))


def even_in_log_snr(t: Any) -> Level[Any]:
    """The variance-preserving schedule on which the log-SNR falls evenly over the range of training."""
    lambda_t = SCALE * (1 - 2 * t)
    return variance_preserving(Level(torch.ones_like(lambda_t), torch.exp(-lambda_t / 2)))


def falling(schedule: Callable[[Any], Level[Any]], t: Tensor) -> Tensor:
    """How fast the log-SNR falls."""
    found: Tensor = -torch.func.jvp(lambda t: log_snr(schedule(t)), (t,), (torch.ones_like(t),))[1]
    return found


def inverse(schedule: Callable[[Any], Level[Any]], lambda_t: Tensor) -> Tensor:
    """The times at which the log-SNR is so large, by bisection."""
    low, high = torch.zeros_like(lambda_t), torch.ones_like(lambda_t)
    for _ in range(60):
        middle = (low + high) / 2
        above = log_snr(schedule(middle)) > lambda_t
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    return (low + high) / 2


def largest(name: str, times: tuple[float, float]) -> float:
    r"""A bound on the weight times the falling rate times the length of the interval of times.

    The weight is :math:`1 / ((1 + e^{\lambda - 3})\, 2 \cosh(\lambda / 2))`. The cosine schedule falls at
    :math:`2 \pi \cosh(\lambda / 2)`: at most :math:`\pi` is left. Flow matching falls at
    :math:`4 (1 + \cosh(\lambda / 2))`: at most 4. The linear one falls at
    :math:`\sqrt{\beta_0^2 + 2 D \log(1 + e^{-\lambda})} (1 + e^\lambda)`: what is left is that root, which
    falls as the log-SNR grows, times :math:`e^{\lambda / 2} / (1 + e^{\lambda - 3})`, which grows up to 3 and
    falls after it; bounded piece by piece.
    """
    length = times[1] - times[0]
    if name == "cosine":
        return math.pi * length
    if name == "flow-matching":
        return 4 * length

    def piece(low: float, high: float) -> float:
        root = math.sqrt(0.1**2 + 2 * 19.9 * math.log1p(math.exp(-low)))
        peak = min(max(low, 3.0), high)
        return root * math.exp(peak / 2) / (1 + math.exp(peak - 3))

    cuts = [SCALE * (i / 100 - 1) for i in range(201)]
    return 1.0001 * length * max(map(piece, cuts[:-1], cuts[1:]))
