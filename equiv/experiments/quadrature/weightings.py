r"""Weightings over the log-SNR are what the losses they are named for say, and some are alike.

A loss draws a level, by a uniform time or by a law of its own, and takes a square error with a factor. Its
mean under a test function of the log-SNR is an integral over what it draws; the weighting of the table, times
that function, is integrated over log-SNRs.

Not claimed: that similar weightings train similar networks.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from flint import acb, arb

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.quadrature.balls import Case, ball, below, equal, in_balls, integral
from equiv.formulas.levels import Level, log_snr
from equiv.formulas.schedules import cosine, flow_matching, variance_exploding
from equiv.formulas.weightings import MSE_FACTOR, flow_matching_weighting, v_cosine_weighting
from equiv.number import exp, log, sqrt
from equiv.result import Task

EXPERIMENT = Header(
    id="x-weightings",
    title="Weightings over the log-SNR against the losses that they stand for",
    claims=("l-weight-table", "l-lambda-densities", "l-sd3-like-edm", "l-fm-equals-vcos"),
    dtypes=(),
)

LIMIT = 9  # of the log-SNR, on both sides
DATA_STD = 0.5  # in EDM


def normal(x: Any, mean: float, std: float) -> Any:
    """A density."""
    return exp(-(((x - ball(mean)) / ball(std)) ** 2) / 2) / (ball(std) * sqrt(2 * arb.pi()))


def sech(x: Any) -> Any:
    """The inverse of the hyperbolic cosine."""
    return 2 / (exp(x) + exp(-x))


def edm(x: Any, shift: Any = 0) -> Any:
    """EDM's weighting, or that of data whose log-SNR is shifted."""
    return normal(x - shift, 2.4, 2.4) * (1 + 4 * exp(-(x - shift)))


def sd3(x: Any) -> Any:
    """Stable Diffusion 3's weighting, for m = 0 and s = 1."""
    return normal(x, 0, 2) * (1 + exp(-x / 2)) ** 2


class Draw(NamedTuple):
    """How a loss draws its level: by a variable of some density, which a noise ratio is a value of."""

    level: Callable[[Any], Level[Any]]
    density: Callable[[Any], Any]
    variable: Callable[[arb], arb]  # of a noise ratio


def _uniform(_t: Any) -> Any:
    return arb(1)


FLOW = Draw(flow_matching, _uniform, lambda r: r / (1 + r))
COSINE = Draw(cosine, _uniform, lambda r: r.atan() * 2 / arb.pi())
LOGIT = Draw(lambda x: flow_matching(1 / (1 + exp(-x))), lambda x: normal(x, 0, 1), arb.log)
LOG_SIGMA = Draw(lambda x: variance_exploding(exp(x)), lambda x: normal(x, -1.2, 1.2), arb.log)


class Row(NamedTuple):
    """A loss: how it draws a level, its factor of the square error in eps, its weighting by the table."""

    draw: Draw
    factor: Callable[[Level[Any]], Any]
    weight: Callable[[Any], Any]


def _of_edm(level: Level[Any]) -> Any:
    """Of x, with the weight that undoes the scale of the network's output."""
    return (
        MSE_FACTOR["x"](level) * (level.sigma**2 + ball(DATA_STD) ** 2) / (level.sigma * ball(DATA_STD)) ** 2
    )


TABLE = {
    "FM": Row(FLOW, MSE_FACTOR["u"], flow_matching_weighting),
    "v + cosine": Row(COSINE, MSE_FACTOR["v"], v_cosine_weighting),
    "eps + cosine": Row(COSINE, MSE_FACTOR["eps"], lambda x: sech(x / 2) / (2 * arb.pi())),
    "InDI": Row(FLOW, MSE_FACTOR["x"], lambda x: exp(-x) * sech(x / 4) ** 2 / 8),
    "eps + FM": Row(FLOW, MSE_FACTOR["eps"], lambda x: sech(x / 4) ** 2 / 8),
    "SD3 cosmap": Row(
        COSINE, MSE_FACTOR["u"], lambda x: sech(x / 2) * (1 + exp(-x / 2)) ** 2 / (2 * arb.pi())
    ),
    "SD3": Row(LOGIT, MSE_FACTOR["u"], sd3),
    "EDM": Row(LOG_SIGMA, _of_edm, edm),
}


@in_balls
def run(_task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """The table, what is alike, and the picture."""
    return [of_table(), of_likeness()], {"weightings": picture()}


def of_table(table: dict[str, Row] = TABLE) -> Experiment:
    """Each loss against its weighting, and the weightings of the others."""
    by_weight = {n: integral(functools.partial(_weighed, row), -LIMIT, LIMIT) for n, row in table.items()}
    cases = []
    for name, row in table.items():
        low, high = (row.draw.variable(exp(ball(side * LIMIT) / 2)) for side in (-1, 1))
        wrong = {f"that of {n}": value for n, value in by_weight.items() if n != name}
        drawn = integral(functools.partial(_drawn, row), low, high)
        cases.append(Case({"loss": name}, drawn, by_weight[name], wrong))
    return equal("distance of a loss from the integral of its weighting", cases)


def _test_function(lambda_t: Any) -> Any:
    return exp(-((lambda_t - 1) ** 2) / 16)


def _drawn(row: Row, x: Any) -> Any:
    level = row.draw.level(x)
    return row.draw.density(x) * row.factor(level) * _test_function(log_snr(level))


def _weighed(row: Row, lambda_t: Any) -> Any:
    return row.weight(lambda_t) * _test_function(lambda_t)


def of_likeness() -> Experiment:
    """In total variation Stable Diffusion 3's weighting is nearer to EDM's than to others."""
    near, far = _apart(edm), _apart(lambda x: edm(x, 2 * log(ball(DATA_STD))))
    wrong = {f"to {name}": _apart(TABLE[name].weight) for name in ("eps + cosine", "v + cosine", "InDI")}
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
    shown = {"FM = v + cosine": "FM", "EDM": "EDM", "SD3": "SD3", "eps + cosine": "eps + cosine"}
    at = [k / 4 for k in range(-40, 33)]
    series = []
    for label, name in shown.items():
        weight = TABLE[name].weight
        path = [[x, float((log(weight(ball(x)) / weight(arb(0))) / log(arb(10))).mid())] for x in at]
        series.append({"label": label, "paths": [path]})
    return {
        "panels": [{"title": "square error of eps", "series": series}],
        "x": "log-SNR λ",
        "y": "log10 w(λ) / w(0)",
        "title": "Weighting functions over the log-SNR",
        "caption": "Flow matching is v-prediction on the cosine schedule; SD3 is close to EDM.",
    }
