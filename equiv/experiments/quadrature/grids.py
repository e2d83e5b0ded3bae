r"""What a grid of levels loses of the deviation of normal data, at every number of steps and in the limit.

On data N(0, c^2) every step of ``formulas`` multiplies the state and adds noise, so the deviation after all
steps is a recursion, carried out in balls. DDIM's ratio to c is the product of the cosines of its angles; N
times the loss lies within the bound of n-grid-limit of half the integral of theta'^2. Of churn it tends to
half the integral of :math:`((1 + \eta^2) \cos^{\eta^2}\!\theta\ \theta')^2`.

Not claimed: the best grid of a finite number of stochastic steps; other data.
"""

import functools
import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from flint import arb

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.quadrature.balls import (
    EXTRAPOLATED,
    Case,
    ball,
    equal,
    in_balls,
    integral,
    limit_of,
    orders,
)
from equiv.experiments.quadrature.data import total
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.grids import karras_sigma
from equiv.formulas.levels import Level
from equiv.formulas.schedules import cosine, flow_matching
from equiv.formulas.steps import churn_step
from equiv.number import cos, pi, sin
from equiv.result import Task

EXPERIMENT = Header(
    id="x-grids",
    title="What a grid of levels loses on normal data, and which loses least",
    claims=(
        "f-gaussian-ddim",
        "n-gaussian-grid",
        "n-fm-vs-cosine-grid",
        "n-grid-limit",
        "n-stochastic-grid",
        "n-stochastic-limit",
        "n-churn-converges",
        "s-karras-grid",
    ),
    dtypes=(),
)

Step = Callable[..., Any]
Grid = Callable[[Any, arb], Level[Any]]
"""The level at a part u of the way from data to noise, for data of deviation c."""
WIDTHS = (0.25, 0.75, 1, 3)
COUNTS = (2, 5, 20, 100)
ROOTS = tuple(64 * 2**k for k in range(5))
FINE = tuple(32 * 2**k for k in range(5))
FINER = tuple(256 * 2**k for k in range(5))  # churn settles later, as log(N) / N


def flow_grid(u: Any, _c: arb) -> Level[Any]:
    """Uniform flow-matching times."""
    return flow_matching(u)


def cosine_grid(u: Any, _c: arb) -> Level[Any]:
    """Uniform cosine times."""
    return cosine(u)


def angle_grid(u: Any, c: arb) -> Level[Any]:
    """Uniform angles of the data, tan(theta) = sigma / (c alpha): the cosine grid at another log-SNR."""
    level = cosine(u)
    return Level(level.alpha, c * level.sigma)


def sine_grid(u: Any, c: arb) -> Level[Any]:
    """Uniform sines of those angles; u must be real."""
    return Level((1 - u**2).sqrt(), c * u)


GRIDS: dict[str, Grid] = {"flow matching": flow_grid, "cosine": cosine_grid, "angle": angle_grid}
TURN: dict[str, Callable[[Any, arb], Any]] = {
    # theta'(u), of tan(theta) = u / (c (1 - u)) and of tan(pi u / 2) / c
    "flow matching": lambda u, c: c / (c**2 * (1 - u) ** 2 + u**2),
    "cosine": lambda u, c: _quarter() * c / (c**2 * cos(_quarter() * u) ** 2 + sin(_quarter() * u) ** 2),
    "angle": lambda u, c: _quarter() + 0 * u,
}


def _quarter() -> arb:
    return pi(arb(0)) / 2


@in_balls
def run(_task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """The product, the limits of DDIM and of churn, and the picture."""
    return [of_products(), of_ddim(), of_bound(), of_churn(), of_churn_bound(), *of_karras()], {
        "grids": picture()
    }


def ratio(grid: Grid, steps: int, c: arb, rho: arb, step: Step = churn_step) -> arb:
    """The deviation after all steps, from that of the noise, per that of the data."""
    inside = [grid(arb(steps - k) / steps, c) for k in range(1, steps)]
    variance = arb(1)
    for now, then in itertools.pairwise([Level(arb(0), arb(1)), *inside, Level(arb(1), arb(0))]):
        x_hat = gaussian_denoiser(arb(1), now, 0, c)
        keeps = step(arb(1), x_hat, arb(0), rho, now, then)
        adds = step(arb(0), arb(0), arb(1), rho, now, then)
        variance = keeps**2 * variance + adds**2
    return variance.sqrt() / c


def angles(grid: Grid, steps: int, c: arb) -> list[arb]:
    """Those between levels, all from clean data to pure noise."""
    inside = [grid(arb(k) / steps, c) for k in range(1, steps)]
    found = [(level.sigma / (c * level.alpha)).atan() for level in inside]
    return [high - low for low, high in itertools.pairwise([arb(0), *found, _quarter()])]


def of_products(step: Step = churn_step) -> Experiment:
    """After N steps of DDIM, the ratio is the product of cosines, which equal angles make largest."""
    cases = []
    for (name, grid), width, steps in itertools.product(GRIDS.items(), WIDTHS, COUNTS):
        c, claimed = ball(width), arb(1)
        for angle in angles(grid, steps, c):
            claimed *= angle.cos()
        best = (_quarter() / steps).cos() ** steps
        wrong = {
            "nothing is lost": arb(1),
            "as on the cosine grid for all data": ratio(cosine_grid, steps, c, arb(1)),
        }
        if name != "angle":
            wrong["as on the best grid"] = best
        inputs = {"grid": name, "c": width, "steps": steps}
        cases.append(Case(inputs, claimed, ratio(grid, steps, c, arb(1), step), wrong))
        if name == "angle":
            equal_angles = {"as after one step less": (_quarter() / (steps - 1)).cos() ** (steps - 1)}
            cases.append(Case({**inputs, "form": "power"}, best, claimed, equal_angles))
    return equal("distance of the deviation that N steps of DDIM keep from the product of cosines", cases)


def claimed_limit(name: str, c: arb) -> arb:
    """Of N times the loss of DDIM, in closed form."""
    both = c + 1 / c
    closed = {
        "flow matching": (1 + arb.pi() / 4 * both) / 2,
        "cosine": arb.pi() ** 2 / 16 * both,
        "angle": arb.pi() ** 2 / 8,
    }
    return closed[name]


def of_ddim(step: Step = churn_step) -> Experiment:
    """N times the loss of DDIM, extrapolated, against closed forms; and these against the integrals."""
    cases = []
    for (name, grid), width in itertools.product(GRIDS.items(), WIDTHS):
        c = ball(width)
        found = limit_of([n * (1 - ratio(grid, n, c, arb(1), step)) for n in FINE])
        limit = claimed_limit(name, c)
        wrong = {
            "the other constant": arb.pi() ** 2 / 16 + limit / 2,
            "twice as much": 2 * limit,
            "nothing": arb(0),
        }
        cases.append(Case({"grid": name, "c": width}, found, limit, wrong))
        half = integral(functools.partial(_squared_turn, name, c), 0, 1) / 2
        cases.append(
            Case({"grid": name, "c": width, "form": "integral"}, half, limit, {"twice as much": 2 * limit})
        )
    wide = 8 / (arb.pi() * (arb.pi() - 2))
    c = (wide + (wide**2 - 4).sqrt()) / 2
    for side, end in (("wide", c), ("narrow", 1 / c)):
        flow, vp = (claimed_limit(name, end) for name in ("flow matching", "cosine"))
        wrong = {"a thousandth wider": claimed_limit("cosine", end * ball(1.001)), "at 1": arb.pi() ** 2 / 8}
        cases.append(Case({"end of the window": side, "c": end.str(6)}, flow, vp, wrong))
    return equal(f"distance of N times what DDIM loses from its limit ({EXTRAPOLATED})", cases)


def of_bound(step: Step = churn_step) -> Experiment:
    r"""N times the loss of DDIM on uniform flow-matching times, within what n-grid-limit proves of it.

    There theta' is c / q with :math:`q = c^2 (1 - u)^2 + u^2 \ge c^2 / (1 + c^2)`, and theta'' is at most
    :math:`2 c \max(1, c^2) / q^2`.
    """
    cases = []
    for width, n in itertools.product(WIDTHS, FINE[-2:]):
        c = ball(width)
        turn = (1 + c**2) / c
        bend = 2 * max(1, width**2) * (1 + c**2) ** 2 / c**3
        largest = functools.reduce(arb.max, angles(flow_grid, n, c))
        k = largest.tan() / largest
        half = claimed_limit("flow matching", c)
        above = (k * turn / n) ** 2 / 6 * half
        below = ((bend / n) ** 2 + (half + above) ** 2 / n) / 2
        allowed = (half - below).union(half + above)
        got = n * (1 - ratio(flow_grid, n, c, arb(1), step))
        wrong = {
            "as uniform angles": n * (1 - (_quarter() / n).cos() ** n),
            "half as much": got / 2,
            "a tenth more": got * ball(1.1),
        }
        cases.append(Case({"c": width, "steps": n}, allowed, got, wrong))
    return equal("distance of N times what DDIM loses from the middle of what is proved of it", cases)


def _squared_turn(name: str, c: arb, u: Any) -> Any:
    return TURN[name](u, c) ** 2


def of_churn(step: Step = churn_step) -> Experiment:
    """N times the loss of churn, extrapolated, against the integral; least for DDPM on uniform sines."""
    cases = []
    for eta_squared, (name, grid) in itertools.product((1, 2), {**GRIDS, "sine": sine_grid}.items()):
        c, e = ball(0.75), eta_squared
        found = limit_of([n * (1 - ratio(grid, n, c, ball(1 + e), step)) for n in FINER])
        half = _of_churn_in_the_limit(name, c, e)
        wrong = {"as DDIM": half / (1 + e) ** 2, "1 + eta": half * (1 + ball(e).sqrt()) ** 2 / (1 + e) ** 2}
        if e == 1:
            del wrong["1 + eta"]
            if name != "sine":
                wrong["as on the best grid"] = arb(2)
        cases.append(Case({"grid": name, "eta^2": e}, found, half, wrong))
    return equal(f"distance of N times what churn loses from its limit ({EXTRAPOLATED})", cases)


def of_churn_bound(step: Step = churn_step) -> Experiment:
    """The share of the variance that churn loses is above 0, and below what n-churn-converges proves."""
    cases = []
    for e, (name, grid), steps in itertools.product((0, 1, 2), GRIDS.items(), (32, 256)):
        c, most = ball(0.75), 1 + max(1, e)
        allowed = arb(0).union(most**2 * total(angle**2 for angle in angles(grid, steps, c)))
        lost = 1 - ratio(grid, steps, c, ball(1 + e), step) ** 2
        wrong = {"gained": -lost, "of half the order in the step": lost.sqrt()}
        cases.append(Case({"grid": name, "eta^2": e, "steps": steps}, allowed, lost, wrong))
    return equal("distance of what churn loses of the variance from the middle of its bounds", cases)


def of_karras(sigma: Callable[..., Any] = karras_sigma) -> tuple[Experiment, Experiment]:
    """The grid of EDM is below even log-SNRs, by at most its bound, and tends to them as 1 / rho."""
    least, most = ball(Fraction(1, 500)), ball(80)
    bounds, limits = [], []
    for u in (0.25, 0.5, 0.75):
        even = -2 * ((1 - ball(u)) * most.log() + ball(u) * least.log())
        short = [even + 2 * sigma(ball(u), ball(rho), least, most).log() for rho in ROOTS]
        for rho, by in zip(ROOTS, short, strict=True):
            allowed = arb(0).union((most / least).log() ** 2 / (4 * rho))
            wrong = {"above it": -by, "even in sigma": even + 2 * sigma(ball(u), arb(1), least, most).log()}
            bounds.append(Case({"u": u, "rho": rho}, allowed, by, wrong))
        wrong = {"of second order": arb(2), "of order 1/2": ball(0.5)}
        limits.append(Case({"u": u}, limit_of(orders(short)), arb(1), wrong))
    return (
        equal(
            "distance of what the grid of EDM is short of even log-SNRs from the middle of its bounds", bounds
        ),
        equal(f"distance from 1 of the order in 1 / rho of what it is short ({EXTRAPOLATED})", limits),
    )


def _of_churn_in_the_limit(name: str, c: arb, e: int) -> arb:
    """By quadrature over u, but over the sine itself where that is uniform."""
    if name == "sine":  # cos^2e theta'^2 du = cos^(2 e - 2) d sin
        return integral(lambda u: (1 - u**2) ** (e - 1), 0, 1) * (1 + e) ** 2 / 2

    def rest(u: Any) -> Any:
        level = GRIDS[name](u, c)
        squared = (c * level.alpha) ** 2 / ((c * level.alpha) ** 2 + level.sigma**2)  # cos(theta)^2
        return squared**e * TURN[name](u, c) ** 2

    return integral(rest, 0, 1) * (1 + e) ** 2 / 2


def picture() -> dict[str, Any]:
    """What 32 steps lose, over the width of the data."""
    widths = {k / 4: ball(2 ** (k / 4)) for k in range(-12, 13)}
    samplers = (
        ("DDIM", 1, ("flow matching", "cosine", "angle")),
        ("DDPM", 2, ("flow matching", "cosine", "sine")),
    )
    panels = []
    for sampler, rho, names in samplers:
        series = []
        for name in names:
            grid = {**GRIDS, "sine": sine_grid}[name]
            path = [[at, 32 * (1 - float(ratio(grid, 32, c, ball(rho)).mid()))] for at, c in widths.items()]
            series.append({"label": LABELS[name], "paths": [path]})
        panels.append({"title": f"{sampler}, 32 steps", "series": series})
    return {
        "panels": panels,
        "x": "log2 of the width c of the data",
        "y": "32 (1 - std/c)",
        "title": "What a grid loses of the deviation of normal data",
        "caption": "The best grid is fitted to the data: equal angles for DDIM, equal sines for DDPM.",
    }


LABELS = {
    "flow matching": "uniform flow time",
    "cosine": "uniform cosine time",
    "angle": "fitted to the data",
    "sine": "fitted to the data",
}
