r"""Losses are integrals over the log-SNR: schedules, predictions and gauges change their form alone.

The network is a sine, told the log-SNR in its phase, and far from right. Its error is in closed form at every
level: for normal noise the mean of eps f(z) is sigma times that of f'(z). Times are integrated over, for each
schedule, and log-SNRs.

Not claimed: how noisy a loss on samples of other data is.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from flint import arb

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.quadrature.balls import Case, ball, equal, in_balls, integral
from equiv.experiments.quadrature.data import DATA, MIXTURE, Law, Mixture, total
from equiv.formulas.levels import Level, log_snr
from equiv.formulas.schedules import cosine, flow_matching
from equiv.formulas.weightings import (
    cosine_rate,
    flow_matching_rate,
)
from equiv.number import cos, exp, log, sin, sqrt
from equiv.result import Task

EXPERIMENT = Header(
    id="x-losses",
    title="Losses are weightings over the log-SNR, whatever the schedule",
    claims=(
        "l-sign",
        "l-schedule-invariance",
        "l-gauge-invariance",
        "l-fm-equals-vcos",
        "l-optimal-importance",
        "l-monotone-elbo",
    ),
    dtypes=(),
)

LIMIT = 9  # of the log-SNR, on both sides
AMPLITUDE, FREQUENCY, PHASE, TOLD = 0.75, 1.25, 0.5, 0.125


class Schedule(NamedTuple):
    """A schedule, how fast its log-SNR falls, and its times from the largest log-SNR to the least."""

    at: Callable[[Any], Level[Any]]
    rate: Callable[[Any], Any]
    times: tuple[arb, arb]


def sigmoid(x: Any) -> Any:
    """Of a ball or of a complex one."""
    return 1 / (1 + exp(-x))


def uniform(t: Any) -> Level[Any]:
    """The variance-preserving schedule whose log-SNR falls evenly."""
    lambda_t = LIMIT * (1 - 2 * t)
    return Level(sqrt(sigmoid(lambda_t)), sqrt(sigmoid(-lambda_t)))


def schedules(limit: int = LIMIT) -> dict[str, Schedule]:
    """Each truncated to the same log-SNRs."""
    ratios = [exp(ball(-side * limit) / 2) for side in (1, -1)]  # sigma / alpha at the first and last time
    flow = tuple(r / (1 + r) for r in ratios)
    turned = tuple(r.atan() * 2 / arb.pi() for r in ratios)
    return {
        "flow matching": Schedule(flow_matching, flow_matching_rate, (flow[0], flow[1])),
        "cosine": Schedule(cosine, cosine_rate, (turned[0], turned[1])),
        "uniform": Schedule(uniform, lambda _t: ball(2 * LIMIT), (arb(0), arb(1))),
    }


@in_balls
def run(_task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """Schedules, both frameworks, the least losses and how they vary, and cut-offs."""
    return [of_schedules(), of_frameworks(), of_least_losses(), of_noise(), of_cuts()], {}


def _mean_wave(law: Law, w: Any, b: Any) -> tuple[Any, Any]:
    """The means of sin(w z + b) and cos(w z + b)."""
    damped = [(p.share * exp(-(w**2) * p.variance / 2), w * p.mean + b) for p in law.components]
    return total(d * sin(a) for d, a in damped), total(d * cos(a) for d, a in damped)


def error(level: Level[Any], told: Any, fed: Any = None) -> Any:
    """The mean square error in eps; the network is fed the state per ``fed``, its deviation without data."""
    norm = sqrt(level.alpha**2 + level.sigma**2) if fed is None else fed
    w, b = ball(FREQUENCY) / norm, ball(PHASE) + ball(TOLD) * told
    law, a = MIXTURE.at(level), ball(AMPLITUDE)
    _, of_square = _mean_wave(law, 2 * w, 2 * b)
    _, of_slope = _mean_wave(law, w, b)
    return a**2 * (1 - of_square) / 2 - 2 * a * level.sigma * w * of_slope + 1


def _weight(lambda_t: Any) -> Any:
    return sigmoid(2 - lambda_t)


def _on_path(lambda_t: Any) -> Any:
    level = Level(sqrt(sigmoid(lambda_t)), sqrt(sigmoid(-lambda_t)))
    return _weight(lambda_t) * error(level, lambda_t)


def _weighted(schedule: Schedule, t: Any) -> Any:
    level = schedule.at(t)
    lambda_t = log_snr(level)
    return _weight(lambda_t) * error(level, lambda_t)


def _told_the_time(schedule: Schedule, t: Any) -> Any:
    level = schedule.at(t)
    return _weight(log_snr(level)) * error(level, t) * schedule.rate(t)


def _in_its_gauge(schedule: Schedule, t: Any) -> Any:
    level = schedule.at(t)
    lambda_t = log_snr(level)
    return _weight(lambda_t) * error(level, lambda_t, fed=arb(1)) * schedule.rate(t)


def _loss(schedule: Schedule, t: Any) -> Any:
    return _weighted(schedule, t) * schedule.rate(t)


def of_schedules(loss: Callable[[Schedule, Any], Any] = _loss) -> Experiment:
    """One loss over times of three schedules and over log-SNRs."""
    expected, cases = integral(_on_path, -LIMIT, LIMIT), []
    for name, schedule in schedules().items():
        first, last = schedule.times
        shorter = schedules(LIMIT - 1)[name].times if name != "uniform" else (first, last / 2)

        def over(f: Any, times: tuple[arb, arb] = schedule.times, s: Schedule = schedule) -> arb:
            return integral(functools.partial(f, s), *times)

        got = over(loss)
        wrong = {
            "without the rate": over(_weighted),
            "with the rate of lambda itself": -got,
            "with other ends": over(loss, shorter),
            "the network told the time": over(_told_the_time),
        }
        if name == "flow matching":
            wrong["the network fed the state in the schedule's own gauge"] = over(_in_its_gauge)
        cases.append(Case({"schedule": name}, expected, got, wrong))
    return equal("distance of the loss over a schedule's times from that over log-SNRs", cases)


def _velocity_error(data: Mixture, t: Any) -> Any:
    """Of a sine in the flow's gauge: the mean of x f(z) is m f + alpha c^2 f', of each component."""
    law = data.at(flow_matching(t))
    w, b, a = ball(FREQUENCY), ball(PHASE), ball(AMPLITUDE)
    _, of_square = _mean_wave(law, 2 * w, 2 * b)
    with_u, of_u = [], [arb(1)]
    for p in law.components:
        sine, slope = _mean_wave(Law(law.level, (p,)), w, b)
        with_u.append(-p.of_data * sine + w * (law.level.sigma - p.gain * p.variance) * slope)
        of_u.append(p.share * (p.left + p.gain**2 * p.variance + p.of_data**2))
    return a**2 * (1 - of_square) / 2 - 2 * a * total(with_u) + total(of_u)


def _on_cosine(factor: Callable[[Level[Any]], Any], data: Mixture, t: Any) -> Any:
    """Of the same network on the cosine schedule: the factor of that of u, which is in the flow's gauge."""
    level = cosine(t)
    return factor(level) * _velocity_error(data, level.sigma / (level.alpha + level.sigma))


def _v_on_flow(data: Mixture, t: Any) -> Any:
    return ((1 - t) ** 2 + t**2) ** 2 * _velocity_error(data, t)


def of_frameworks(velocity_error: Callable[..., Any] = _velocity_error) -> Experiment:
    """Flow matching and v on the cosine schedule, over all times, by the same network: 2 / pi apart."""
    cases = []
    factors: dict[str, Callable[[Level[Any]], Any]] = {
        "v": lambda level: 1 / (level.alpha + level.sigma) ** 2,
        "u on the cosine schedule": lambda level: 1,
        "eps on the cosine schedule": lambda level: (level.alpha / (level.alpha + level.sigma)) ** 2,
    }
    for name, data in DATA.items():
        flow = integral(functools.partial(velocity_error, data), 0, 1)
        turned = {n: integral(functools.partial(_on_cosine, f, data), 0, 1) for n, f in factors.items()}
        of_v = turned.pop("v")
        on_flow = integral(functools.partial(_v_on_flow, data), 0, 1)
        wrong = {**turned, "the same": flow, "v on the flow's schedule": on_flow}
        cases.append(Case({"data": name}, flow * 2 / arb.pi(), of_v, wrong))
    return equal("distance of the loss of v on the cosine schedule from 2 / pi of flow matching's", cases)


def _least(kind: str, schedule: Callable[[Any], Level[Any]], c: arb, t: Any) -> Any:
    """The least square error on N(0, c^2), its factor's alpha cancelled against that of eps."""
    level = schedule(t)
    factors = {"u": level.alpha + level.sigma, "v": level.alpha**2 + level.sigma**2, "eps": level.alpha}
    return factors[kind] ** 2 * c**2 / (level.alpha**2 * c**2 + level.sigma**2)


def of_least_losses(least: Callable[..., Any] = _least) -> Experiment:
    """On normal data, where the variance left of x is known: pi c / 2 for u, and c for v on the cosine's."""
    cases = []
    for width in (0.25, 1, 3):
        c = ball(width)
        of_u, of_v, of_eps = (
            integral(functools.partial(least, kind, schedule, c), 0, 1)
            for kind, schedule in (("u", flow_matching), ("v", cosine), ("eps", cosine))
        )
        wrong = {"as of v": c, "half as much": arb.pi() / 4 * c}
        cases.append(Case({"loss": "u, flow matching", "c": width}, of_u, arb.pi() / 2 * c, wrong))
        wrong = {"as of flow matching": arb.pi() / 2 * c, "of eps": of_eps}
        cases.append(Case({"loss": "v, cosine", "c": width}, of_v, c, wrong))
    return equal("distance of the least loss on normal data from its closed form", cases)


def of_noise(least: Callable[..., Any] = _least) -> Experiment:
    """How a draw of one time varies about these losses, squared and per square of the mean.

    Errors are normal, so the mean square of a squared error is three times the square of its mean; the best
    density is in proportion to the error, and leaves that factor alone.
    """
    cases = []
    for width in (0.25, 1, 3):
        c = ball(width)
        both = c + 1 / c
        closed = {
            ("u", flow_matching): 12 / arb.pi() ** 2 + 3 / arb.pi() * both - 1,
            ("v", cosine): ball(1.5) * both - 1,
        }
        for (kind, schedule), claimed in closed.items():
            error = functools.partial(least, kind, schedule, c)
            mean, square = integral(error, 0, 1), integral(lambda t, e=error: e(t) ** 2, 0, 1)  # type: ignore[misc]
            wrong = {"as at the best density": arb(2), "as if errors were not random": (claimed + 1) / 3 - 1}
            cases.append(Case({"loss": kind, "c": width}, 3 * square / mean**2 - 1, claimed, wrong))
    return equal("distance of the squared variation of a drawn loss from its closed form", cases)


def of_cuts(weight: Callable[[Any], Any] = _weight) -> Experiment:
    """A falling weighting as a mixture of cut-offs, on normal data, where K is a difference of logarithms."""
    cases = []
    for power in (0.25, 4):

        def cut(at: Any, power: float = power) -> Any:
            return (log(1 + ball(power) * exp(at)) - log(1 + ball(power) * exp(ball(-LIMIT)))) / 2

        def error(at: Any, power: float = power) -> Any:
            return sigmoid(at + log(ball(power)))

        def falls(at: Any) -> Any:  # the derivative of the sigmoid
            return sigmoid(2 - at) * sigmoid(at - 2)

        whole = integral(lambda x, e=error: weight(x) * e(x), -LIMIT, LIMIT) / 2  # type: ignore[misc]
        mixed = integral(lambda x, k=cut: falls(x) * k(x), -LIMIT, LIMIT)  # type: ignore[misc]
        at_the_end = _weight(ball(LIMIT)) * cut(ball(LIMIT))
        wrong = {
            "without the last cut": mixed,
            "the last cut alone": at_the_end,
            "rising": at_the_end - mixed,
            "twice": 2 * (at_the_end + mixed),
        }
        cases.append(Case({"P": power}, whole, at_the_end + mixed, wrong))
    return equal("distance of a weighted loss from the mixture of losses cut off", cases)
