r"""Losses are integrals over the log-SNR: schedules, predictions and gauges change their form alone.

The network is a sine, told the log-SNR in its phase, and far from right. Its error is in closed form at every
level: for normal noise the mean of eps f(z) is sigma times that of f'(z). Times are integrated over, for each
schedule, and log-SNRs. Weightings are held against the losses that they come from, under one test function.

Not claimed: how noisy a loss on samples of other data is; that similar weightings train similar networks.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from flint import acb, arb

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.quadrature.balls import Case, ball, below, equal, in_balls, integral
from equiv.experiments.quadrature.data import DATA, MIXTURE, Law, Mixture, total
from equiv.formulas.levels import Level, log_snr
from equiv.formulas.schedules import cosine, flow_matching
from equiv.formulas.weightings import (
    MSE_FACTOR,
    cosine_rate,
    flow_matching_rate,
    flow_matching_weighting,
    v_cosine_weighting,
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
        "l-weight-table",
        "l-lambda-densities",
        "l-sd3-like-edm",
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
    """Schedules, both frameworks, the table of weightings, and the picture."""
    return [
        of_schedules(),
        of_frameworks(),
        of_least_losses(),
        of_noise(),
        of_cuts(),
        of_table(),
        of_likeness(),
    ], {"weightings": picture()}


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


class Row(NamedTuple):
    """A loss: its prediction, the schedule whose uniform times it takes, and its weighting by the table."""

    kind: str
    schedule: str
    weight: Callable[[Any], Any]


def sech(x: Any) -> Any:
    """The inverse of the hyperbolic cosine."""
    return 2 / (exp(x) + exp(-x))


TABLE = {
    "FM": Row("u", "flow matching", flow_matching_weighting),
    "v + cosine": Row("v", "cosine", v_cosine_weighting),
    "eps + cosine": Row("eps", "cosine", lambda x: sech(x / 2) / (2 * arb.pi())),
    "InDI": Row("x", "flow matching", lambda x: exp(-x) * sech(x / 4) ** 2 / 8),
    "eps + FM": Row("eps", "flow matching", lambda x: sech(x / 4) ** 2 / 8),  # the density of log-SNRs
    "u + cosine (cosmap)": Row(
        "u", "cosine", lambda x: sech(x / 2) * (1 + exp(-x / 2)) ** 2 / (2 * arb.pi())
    ),
}


def of_table(table: dict[str, Row] = TABLE) -> Experiment:
    """The mean over uniform times of the factor, and the integral of the weighting, under a test function."""
    cases = []
    for name, row in table.items():
        schedule = schedules()[row.schedule]
        expected = integral(functools.partial(_tested_in_time, row, schedule), *schedule.times)
        got = {n: integral(functools.partial(_tested, r), -LIMIT, LIMIT) for n, r in table.items()}
        wrong = {f"that of {n}": value for n, value in got.items() if n != name}
        cases.append(Case({"loss": name}, expected, got[name], wrong))
    return equal("distance of a loss over times from that of its weighting", cases)


def _test_function(lambda_t: Any) -> Any:
    return exp(-((lambda_t - 1) ** 2) / 16)


def _tested_in_time(row: Row, schedule: Schedule, t: Any) -> Any:
    level = schedule.at(t)
    return MSE_FACTOR[row.kind](level) * _test_function(log_snr(level))


def _tested(row: Row, lambda_t: Any) -> Any:
    return row.weight(lambda_t) * _test_function(lambda_t)


def _normal(x: Any, mean: float, std: float) -> Any:
    return exp(-(((x - ball(mean)) / ball(std)) ** 2) / 2) / (ball(std) * sqrt(2 * arb.pi()))


def edm(x: Any, shift: Any = 0) -> Any:
    """EDM's weighting: log sigma from N(-1.2, 1.2^2), data of deviation 1/2."""
    return _normal(x - shift, 2.4, 2.4) * (1 + 4 * exp(-(x - shift)))


def sd3(x: Any) -> Any:
    """Stable Diffusion 3's: u, with the logit of the time from N(0, 1)."""
    return _normal(x, 0, 2) * (1 + exp(-x / 2)) ** 2


def of_likeness() -> Experiment:
    """In total variation Stable Diffusion 3's weighting is nearer to EDM's than to others."""
    near, far = _apart(edm), _apart(lambda x: edm(x, 2 * log(arb(0.5))))
    controls = ("eps + cosine", "v + cosine", "InDI")
    wrong = {f"to {name}": _apart(TABLE[name].weight) for name in controls}
    measure = "the distance from SD3's weighting to EDM's at data of deviation 1, less that to EDM's"
    return below(measure, [Case({"log-SNR": f"within {LIMIT}"}, far, near, wrong)])


def _apart(weight: Callable[[Any], Any]) -> arb:
    """The total variation between a weighting and SD3's, both normalised."""
    masses = [integral(w, -LIMIT, LIMIT) for w in (weight, sd3)]

    def difference(x: acb, analytic: bool) -> acb:  # noqa: FBT001 - as flint calls it
        return acb(weight(x) / masses[0] - sd3(x) / masses[1]).real_abs(analytic=analytic)

    found = acb.integral(difference, acb(-LIMIT), acb(LIMIT), rel_tol=2.0**-20, abs_tol=2.0**-20)
    return found.real / 2


def picture() -> dict[str, Any]:
    """The weightings over the log-SNR, as logarithms, each relative to its value at 0."""
    shown: dict[str, Callable[[Any], Any]] = {
        "FM = v + cosine": flow_matching_weighting,
        "EDM": edm,
        "SD3": sd3,
        "eps + cosine": TABLE["eps + cosine"].weight,
    }
    at = [k / 4 for k in range(-40, 33)]
    series = [
        {
            "label": label,
            "paths": [[[x, float((log(w(ball(x)) / w(arb(0))) / log(arb(10))).mid())] for x in at]],
        }
        for label, w in shown.items()
    ]
    return {
        "panels": [{"title": "square error of eps", "series": series}],
        "x": "log-SNR λ",
        "y": "log10 w(λ) / w(0)",
        "title": "Weighting functions over the log-SNR",
        "caption": "Flow matching is v-prediction on the cosine schedule; SD3 is close to EDM.",
    }
