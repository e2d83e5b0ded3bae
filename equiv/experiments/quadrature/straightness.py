r"""Which schedule has the straighter paths, by the width of normal data; and that mixtures curve them.

The exact flow of data N(0, c^2) is a scaling, :math:`z_t = \sqrt{V_t}\, n`, so the straightness S, the mean
square of the velocity about the chord, is an integral over time of :math:`(\sqrt V)'`. Flow matching and the
cosine schedule are equally straight at the ends of a window of widths. Of a mixture, a path of the flow keeps
its quantile; its velocity there is the mean of eps - x, which is not the chord's.

Not claimed: straightness by another measure, whose window is another; schedules in a different gauge.
"""

from collections.abc import Callable
from typing import Any

from flint import arb, arb_series

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.quadrature.balls import Case, ball, equal, in_balls, integral
from equiv.experiments.quadrature.data import DATA
from equiv.formulas.levels import Level
from equiv.formulas.predictions import u_from_x
from equiv.formulas.schedules import cosine, flow_matching
from equiv.number import cos, sin, sqrt
from equiv.result import Task

EXPERIMENT = Header(
    id="x-straightness",
    title="Straightness of the paths against the width of the data",
    claims=("f-straightness", "w-marginal-not-straight"),
    dtypes=(),
)

Schedule = Callable[[Any], Level[Any]]
WIDTHS = (0.125, 0.25, 0.5, 1, 2, 5, 10)
QUANTILES = (-1.5, -0.5, 0.25, 1)  # of paths of a mixture, by where they start


@in_balls
def run(_task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """The closed forms, the window, paths of a mixture, and the picture."""
    return [of_widths(), of_window(), of_mixtures()], {"straightness": picture()}


def flow_rates(_t: Any) -> Level[Any]:
    """The derivatives of the flow-matching level."""
    return Level(arb(-1), arb(1))


def cosine_rates(t: Any) -> Level[Any]:
    """The derivatives of the cosine level."""
    quarter = arb.pi() / 2
    return Level(-quarter * sin(quarter * t), quarter * cos(quarter * t))


FLOW, COSINE = (flow_matching, flow_rates), (cosine, cosine_rates)


def straightness(path: tuple[Schedule, Schedule], c: arb) -> arb:
    r"""The integral of :math:`((\sqrt V)' - (\sqrt{V_1} - \sqrt{V_0}))^2`, with V_0 = c^2 and V_1 = 1."""
    schedule, rates = path

    def off_the_chord(t: Any) -> Any:
        level, rate = schedule(t), rates(t)
        variance = level.alpha**2 * c**2 + level.sigma**2
        slope = (level.alpha * rate.alpha * c**2 + level.sigma * rate.sigma) / sqrt(variance)
        return (slope - (1 - c)) ** 2

    return integral(off_the_chord, 0, 1)


def claimed(c: arb) -> tuple[arb, arb]:
    """Of flow matching and of the cosine schedule, in closed form."""
    return c * (2 - arb.pi() / 2), (1 - c) ** 2 * (arb.pi() ** 2 / 8 - 1)


def of_widths(flow: Any = FLOW, vp: Any = COSINE) -> Experiment:
    """Both schedules against their closed forms."""
    cases = []
    for width in WIDTHS:
        c = ball(width)
        of_flow, of_cosine = claimed(c)
        wrong = {
            "straight": arb(0),
            "straight for wide data": of_flow / c**2,
            "of the squared width": of_flow * c,
        }
        cases.append(Case({"schedule": "flow matching", "c": width}, straightness(flow, c), of_flow, wrong))
        wrong = {
            "without the chord": arb.pi() ** 2 / 8 * (1 - c) ** 2,
            "of the width, not its square": abs(1 - c) * (arb.pi() ** 2 / 8 - 1),
        }
        cases.append(Case({"schedule": "cosine", "c": width}, straightness(vp, c), of_cosine, wrong))
    return equal("distance of the straightness of the paths from its closed form", cases)


def of_window(flow: Any = FLOW, vp: Any = COSINE) -> Experiment:
    """Where c + 1/c is 2 + (2 - pi/2) / (pi^2/8 - 1), on both sides of 1, the two are equally straight."""
    ends = 2 + (2 - arb.pi() / 2) / (arb.pi() ** 2 / 8 - 1)
    wide = (ends + (ends**2 - 4).sqrt()) / 2
    cases = []
    for side, c in (("wide", wide), ("narrow", 1 / wide)):
        further = {
            "a thousandth wider": c * ball(1.001),
            "a thousandth narrower": c * ball(0.999),
            "at 1": arb(1),
        }
        wrong = {name: straightness(vp, at) * c / at for name, at in further.items()}
        cases.append(Case({"side": side, "c": c.str(6)}, straightness(flow, c), straightness(vp, c), wrong))
    return equal(
        "distance of the cosine schedule's straightness from flow matching's at an end of the window", cases
    )


def of_mixtures() -> Experiment:
    """A path that keeps its quantile moves at the mean velocity, which is not the chord's."""
    cases = []
    start, middle, end = (flow_matching(ball(t)) for t in (0.875, 0.5, 0.125))
    for name, data in DATA.items():
        for z in QUANTILES:
            law, moving = data.at(middle), data.at(flow_matching(arb_series([ball(0.5), 1], prec=2)))
            state = ball(z)
            moves = -moving.cumulative(state)[1] / law.density(state)
            below = law.cumulative(state)
            first, last = (data.at(level).quantile(below) for level in (start, end))
            early = u_from_x(first, data.at(start).denoiser(first), start)
            wrong = {
                "that of the chord": (first - last) / (ball(0.875) - ball(0.125)),
                "that of the start of the path": early,
                "the score": -(state - middle.alpha * law.denoiser(state)) / middle.sigma**2,
            }
            velocity = u_from_x(state, law.denoiser(state), middle)
            cases.append(Case({"data": name, "z at t = 1/2": z}, moves, velocity, wrong))
    return equal(
        "distance of the mean of eps - x from the velocity of the path that keeps its quantile", cases
    )


def picture() -> dict[str, Any]:
    """Both closed forms over the width; the window is where the cosine schedule's is below."""
    widths = [2 ** (k / 8) for k in range(-24, 19)]
    values = [[float(s.mid()) for s in claimed(ball(c))] for c in widths]
    series = [
        {"label": label, "paths": [[[c, v[i]] for c, v in zip(widths, values, strict=True)]]}
        for i, label in enumerate(("flow matching", "cosine (VP)"))
    ]
    return {
        "panels": [{"title": "data N(0, c²)", "series": series}],
        "x": "width c of the data",
        "y": "mean square deviation from the chord",
        "title": "Straightness against data width",
        "caption": "The cosine schedule is straighter for c between 0.281 and 3.555, flow matching outside.",
    }
