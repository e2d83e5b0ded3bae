r"""A sample's gradient is the same in every prediction, and in flow matching as in v and cosine.

A network of one kind is trained on the square error of another prediction, in the gauge of flow matching,
with the weight that makes up for it. And: flow matching (the error of u, uniform times on the straight path)
against the error of v (uniform times of the cosine schedule), with the same data, noise and log-SNR. The
density of the log-SNR differs, so that the gradients count :math:`dt_{\cos} / dt_{FM}` for one another, and
:math:`2 / \pi` stands between the objectives.

Per sample, and by every parameter of the layers; here at networks that are trained.

Not claimed: anything about optimisers that are not told the constant, or about the networks that come out.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.comparison import Sides, compare
from equiv.experiments.reference_networks import Asked, measured, stacked
from equiv.formulas.levels import Level, log_snr
from equiv.formulas.predictions import FROM_X, TO_X
from equiv.formulas.schedules import cosine, variance_preserving
from equiv.formulas.weightings import MSE_FACTOR, cosine_rate, flow_matching_rate
from equiv.number import N, pi, sqrt
from equiv.reference.denoisers import Denoisers
from equiv.reference.gradients import evaluate
from equiv.result import Task
from equiv.rounding import Rounded, exact

EXPERIMENT = Header(
    id="x-training-gradients",
    title="Trainings in matched predictions and weightings take the same steps",
    claims=("p-mse-table", "l-fm-equals-vcos", "l-schedule-invariance"),
    dtypes=("float64", "float32", "float16"),
    networks=("ring", "unequal"),
)

SAMPLES = 4  # for each network
KINDS = ("x", "eps", "v", "u")


class Sample(NamedTuple):
    """Data, noise and where on the cosine schedule, as exact numbers."""

    x: Any
    eps: Any
    t: Any


class Told(NamedTuple):
    """One side's way to ask a network: its state and level, and what it tells in place of the log-SNR."""

    z: Any
    level: Level[Any]
    log_snr: Any


def run(task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """Two comparisons for each prediction that networks were trained in."""
    return measured(task, (cosine,), lambda a: [in_other_predictions(a), flow_matching_and_v(a)])


def samples(asked: Asked) -> Sample:
    """For each network, spread over the schedule."""
    like = asked.steps.z_t
    draw = torch.Generator().manual_seed(1)
    x, eps = torch.randn(
        2, asked.networks.count, SAMPLES, like.shape[-1], dtype=torch.float64, generator=draw
    ).to(like)
    t = (torch.arange(SAMPLES, dtype=torch.float64)[:, None] + 0.5) / SAMPLES
    return Sample(exact(x), exact(eps), exact((0.05 + 0.9 * t).to(like)))


def in_other_predictions(asked: Asked) -> Experiment:
    """The weighted error of the network's own prediction against that of each other."""
    sample = samples(asked)
    level = Level(*map(exact, cosine(sample.t.value)))
    own = gradient(
        asked, in_gauge(sample, level), sample, asked.networks.kind, weight_of(asked.networks.kind)
    )
    flow = Level(level.alpha / (level.alpha + level.sigma), level.sigma / (level.alpha + level.sigma))
    there = in_gauge(sample, flow)
    others = [kind for kind in KINDS if kind != asked.networks.kind]

    def variant(weight: Callable[[str], Callable[[Level[Any]], Any]]) -> Rounded:
        return stacked(*(gradient(asked, there, sample, kind, weight(kind)) for kind in others))

    expected = stacked(*[own] * len(others))
    return compared(
        asked,
        "distance of a sample's gradient for the own prediction from that for each other",
        Sides(expected, variant(weight_of)),
        {
            "no weights": variant(lambda _kind: lambda level: 1 + 0 * level.alpha),
            "the root of the weight": variant(lambda kind: lambda level: sqrt(weight_of(kind)(level))),
            "the weight turned round": variant(lambda kind: lambda level: 1 / weight_of(kind)(level)),
            "the weight of v for all": variant(lambda _kind: weight_of("v")),
        },
        sample,
    )


def flow_matching_and_v(asked: Asked) -> Experiment:
    """A gradient of flow matching against one of v and cosine, at the same data, noise and log-SNR."""
    sample = samples(asked)
    t, networks = sample.t, asked.networks
    turned, share = on_cosine(sample), share_of_time(t)

    def of_cosine(kind: str, factor: Rounded, told: Told = turned) -> Rounded:
        return evaluate(networks.parameters, *derivative(networks, told, sample, kind, lambda _: factor))

    constant = share * pi(share) / 2
    ours = evaluate(networks.parameters, *of_flow_matching(networks, sample))
    variants = {
        "no constant": of_cosine("v", share),
        "the constant turned round": of_cosine("v", share * 2 / pi(share)),
        "the same density of the log-SNR": of_cosine("v", 1 + 0 * share),
        "the noise in place of v": of_cosine("eps", constant),
        "the data in place of v": of_cosine("x", constant),
        "u in place of v": of_cosine("u", constant),
        "the schedule's own time told, not the log-SNR": of_cosine("v", constant, turned._replace(log_snr=t)),
        "the same time, not the same log-SNR": of_cosine("v", constant, in_gauge(sample, Level(1 - t, t))),
    }
    return compared(
        asked,
        "distance of a sample's gradient in flow matching from pi / 2 of that for v with a cosine schedule",
        Sides(ours, of_cosine("v", constant)),
        variants,
        sample,
    )


def compared(
    asked: Asked, measure: str, claimed: Sides, variants: Mapping[str, Rounded], sample: Sample
) -> Experiment:
    """The evidence, where every entry of every gradient is a case."""
    return compare(
        measure + asked.words,
        claimed,
        {name: Sides(claimed.expected, wrong) for name, wrong in variants.items()},
        valid=torch.ones_like(claimed.got.value, dtype=torch.bool),
        inputs={"t": sample.t.value, "x": sample.x.value[..., :1], "eps": sample.eps.value[..., :1]},
    )


def on_cosine(sample: Sample) -> Told:
    """A sample on the cosine schedule."""
    return in_gauge(sample, cosine(sample.t))


def of_flow_matching(networks: Denoisers, sample: Sample) -> tuple[Any, Any, Any]:
    """The plain error of u on the straight path, at the log-SNR that a sample has on the cosine."""
    level = cosine(sample.t)
    time = level.sigma / (level.alpha + level.sigma)
    told = in_gauge(sample, Level(1 - time, time))
    return derivative(networks, told, sample, "u", lambda _level: 1 + 0 * time)


def share_of_time(t: N) -> N:
    """How much of the time of the cosine schedule passes in that of flow matching, at one log-SNR."""
    level = cosine(t)
    return flow_matching_rate(level.sigma / (level.alpha + level.sigma)) / cosine_rate(t)


def in_gauge(sample: Sample, level: Level[Any]) -> Told:
    """A sample at a level."""
    return Told(level.alpha * sample.x + level.sigma * sample.eps, level, log_snr(level))


def weight_of(kind: str) -> Callable[[Level[Any]], Any]:
    """What a square error of that kind counts, so that all count like the error of the noise."""
    factor = MSE_FACTOR[kind]
    return lambda level: 1 / (factor(level) + 0 * level.alpha)


def gradient(
    asked: Asked, told: Told, sample: Sample, kind: str, weight: Callable[[Level[Any]], Any]
) -> Rounded:
    """The gradient of ``weight`` times the square error of a ``kind``, at the variance-preserving level."""
    networks = asked.networks
    return evaluate(networks.parameters, *derivative(networks, told, sample, kind, weight))


def derivative(
    networks: Denoisers, told: Told, sample: Sample, kind: str, weight: Callable[[Level[Any]], Any]
) -> tuple[Any, Any, Any]:
    """What the network sees and is told, and the derivative of the loss by its output."""
    level = variance_preserving(told.level)
    q = told.z / sqrt(told.level.alpha**2 + told.level.sigma**2)
    raw = networks.raw(q, told.log_snr)
    output = FROM_X[kind](q, TO_X[networks.kind](q, raw, level), level)
    # how much the prediction of that kind moves with the output
    moved = FROM_X[kind](0 * q, TO_X[networks.kind](0 * q, 1 + 0 * q, level), level)
    return q, spread(told.log_snr, q), 2 * weight(level) * (output - target(kind, sample, level)) * moved


def spread(log_snr: Any, q: Any) -> Any:
    """One number for each case."""
    if isinstance(q, Rounded):
        shape = (*q.value.shape[:-1], 1)
        return Rounded(log_snr.value.expand(shape), log_snr.error.expand(shape))
    return log_snr.expand(*q.shape[:-1], 1)


def target(kind: str, sample: Sample, level: Level[N]) -> N:
    """What a prediction is to be, from data and noise."""
    x, eps = sample.x, sample.eps
    of: dict[str, Any] = {"x": x, "eps": eps, "v": level.alpha * eps - level.sigma * x, "u": eps - x}
    found: N = of[kind]
    return found
