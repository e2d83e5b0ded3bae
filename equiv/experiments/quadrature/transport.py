r"""The equations that carry the law of a state through time, at points of mixtures.

The density is known in closed form at every level, so its derivatives in time and state are power series of
balls: no difference quotients. Drift, diffusion and velocity are made from the level, its rates and the
denoiser. With uniform noise in place of normal noise the flow's equation stays, and the score is no longer
minus the mean noise over sigma.

Not claimed: that the equations have no other solution.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from flint import arb, arb_series

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.quadrature.balls import Case, ball, equal, in_balls
from equiv.experiments.quadrature.data import DATA, MIXTURE, Law, Mixture, total
from equiv.experiments.quadrature.exact_denoiser import bayes
from equiv.formulas.levels import Level
from equiv.formulas.predictions import eps_from_x, score_from_x
from equiv.formulas.schedules import cosine, ddpm_linear, flow_matching
from equiv.result import Task

EXPERIMENT = Header(
    id="x-transport",
    title="The equations of the flow and of the forward and reverse processes hold on mixtures",
    claims=(
        "o-forward-fp",
        "o-continuity",
        "o-reverse-family",
        "o-likelihood",
        "o-nongaussian-source",
        "w-marginalization",
        "w-exact-density",
    ),
    dtypes=(),
)

SETTINGS = tuple(
    (schedule, t, z)
    for schedule, t in ((flow_matching, 0.375), (cosine, 0.25), (ddpm_linear, 0.5))
    for z in (-1.75, 0.25, 1.5)
)
ETAS_SQUARED = (0, 0.25, 1, 4)


class Point(NamedTuple):
    """A state z at a level that moves at ``rates``; ``near`` is z as the start of a power series."""

    data: Mixture
    z: arb
    near: Any
    level: Level[arb]
    rates: Level[arb]
    later: Level[Any]

    @property
    def law(self) -> Law:
        """Of the state at this time."""
        return self.data.at(self.level)

    @property
    def drift(self) -> arb:
        """Of the forward process, per state."""
        return self.rates.alpha / self.level.alpha

    @property
    def diffusion(self) -> arb:
        """Of the forward process, squared."""
        return 2 * self.level.sigma * (self.rates.sigma - self.drift * self.level.sigma)


@in_balls
def run(_task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """Each equation at all points."""
    return [of_forward(), of_flow(), of_reverse(), of_density(), of_mean_velocity(), *of_uniform_noise()], {}


def _points() -> list[tuple[dict[str, Any], Point]]:
    found = []
    for name, data in DATA.items():
        for schedule, t, z in SETTINGS:
            later = schedule(arb_series([ball(t), 1], prec=2))
            level, rates = (Level(later.alpha[k], later.sigma[k]) for k in (0, 1))
            near = arb_series([ball(z), 1], prec=3)
            inputs = {"data": name, "schedule": schedule.__name__, "t": t, "z": z}
            found.append((inputs, Point(data, ball(z), near, level, rates, later)))
    return found


def _moves(p: Point) -> arb:
    """How fast the density at z changes in time."""
    found: arb = p.data.at(p.later).density(p.z)[1]
    return found


def velocity(p: Point, z: Any) -> Any:
    """The mean velocity at a state."""
    x_hat = p.law.denoiser(z)
    return p.rates.alpha * x_hat + p.rates.sigma * eps_from_x(z, x_hat, p.level)


def _score(p: Point) -> Any:
    return score_from_x(p.near, p.law.denoiser(p.near), p.level)


def _flows_in(field: Any, density: Any) -> Any:
    return -(field * density)[1]


def of_forward(drift: Callable[[Point], arb] = lambda p: p.drift) -> Experiment:
    """The forward equation of drift f z and diffusion g."""
    cases = []
    for inputs, p in _points():
        density = p.law.density(p.near)
        curved = 2 * density[2]
        moved = _flows_in(drift(p) * p.near, density)
        wrong = {
            "all of g^2": moved + p.diffusion * curved,
            "the diffusion turned": moved - p.diffusion * curved / 2,
            "without drift": p.diffusion * curved / 2,
            "g^2 of noise on unscaled data": moved + p.level.sigma * p.rates.sigma * curved,
        }
        cases.append(Case(inputs, _moves(p), moved + p.diffusion * curved / 2, wrong))
    return equal("distance of the rate of the density from the forward equation's", cases)


def of_flow(field: Callable[[Point, Any], Any] = velocity) -> Experiment:
    """The continuity equation of the mean velocity."""
    cases = []
    for inputs, p in _points():
        density, u = p.law.density(p.near), field(p, p.near)
        score = _score(p)
        wrong = {
            "the velocity turned": _flows_in(-u, density),
            "eps - x on any schedule": _flows_in(
                eps_from_x(p.near, p.law.denoiser(p.near), p.level) - p.law.denoiser(p.near), density
            ),
            "the score's half alone": _flows_in(-p.diffusion / 2 * score, density),
            "the score with its sign turned": _flows_in(p.drift * p.near + p.diffusion / 2 * score, density),
        }
        cases.append(Case(inputs, _moves(p), _flows_in(u, density), wrong))
    return equal("distance of the rate of the density from the continuity equation's", cases)


def of_reverse(field: Callable[[Point, Any], Any] = velocity) -> Experiment:
    """Read backwards, the equation of every eta, by drift and score, and by the velocity and score."""
    cases = []
    for inputs, p in _points():
        density, score, u = p.law.density(p.near), _score(p), field(p, p.near)
        curved = 2 * density[2]
        for e in ETAS_SQUARED:
            noise = e * p.diffusion
            forms = {
                "drift": p.drift * p.near - (1 + e) / 2 * p.diffusion * score,
                "velocity": u - noise / 2 * score,
            }
            less = p.drift * p.near - (1 - e) / 2 * p.diffusion * score
            wrong = {
                "read forwards": _flows_in(forms["drift"], density) + noise / 2 * curved,
                "(1 - eta^2) / 2 of the score": _flows_in(less, density) - noise / 2 * curved,
                "all of the score, for every eta": _flows_in(p.drift * p.near - p.diffusion * score, density)
                - noise / 2 * curved,
                "eps^2 for its half": _flows_in(u - noise * score, density) - noise / 2 * curved,
            }
            for form, b in forms.items():
                got = _flows_in(b, density) - noise / 2 * curved
                cases.append(Case({**inputs, "eta^2": e, "form": form}, _moves(p), got, wrong))
    return equal("distance of the rate of the density from the reverse equation's", cases)


def of_density(field: Callable[[Point, Any], Any] = velocity) -> Experiment:
    """Along the flow the log-density falls at the divergence of the velocity."""
    cases = []
    for inputs, p in _points():
        density, u = p.law.density(p.near), field(p, p.near)
        along = (_moves(p) + u[0] * density[1]) / density[0]
        wrong = {
            "it rises": u[1],
            "as the score": -_score(p)[1],
            "at a fixed state": -u[1] - u[0] * density[1],
        }
        cases.append(Case(inputs, along, -u[1], wrong))
    return equal("distance of the rate of the log-density along the flow from minus the divergence", cases)


def of_mean_velocity() -> Experiment:
    """What passes a point is the density times the mean of the conditional velocities, by Bayes' rule."""
    cases = []
    for inputs, p in _points():
        passes = -p.data.at(p.later).cumulative(p.z)[1]
        density, _, first, _ = bayes(p.data, p.z, p.level)
        eps = (p.z * density - p.level.alpha * first) / p.level.sigma  # times the density, as first is
        wrong = {
            "of the mean data": (p.rates.alpha - p.rates.sigma * p.level.alpha / p.level.sigma) * first,
            "eps - x": eps - first,
            "turned": -p.rates.alpha * first - p.rates.sigma * eps,
        }
        cases.append(Case(inputs, passes, p.rates.alpha * first + p.rates.sigma * eps, wrong))
    return equal("distance of the mass that passes a point from the mean of conditional velocities", cases)


class _Window(NamedTuple):
    """Of the data that uniform noise brings to a state: mass and first moment, per noise length."""

    mass: Any
    first: Any


def _window(prior: Law, z: Any, level: Level[Any]) -> _Window:
    """Uniform noise of variance one has the density 1 / (2 sqrt 3) on [-sqrt 3, sqrt 3]."""
    reach = arb(3).sqrt()
    low, high = (z - reach * level.sigma) / level.alpha, (z + reach * level.sigma) / level.alpha
    masses, firsts = [], []
    for part in prior.components:
        one = Law(prior.level, (part,))
        mass = one.cumulative(high) - one.cumulative(low)
        masses.append(mass)
        firsts.append(part.mean * mass - part.variance * (part.mass(high) - part.mass(low)))
    length = 2 * reach * level.sigma
    return _Window(total(masses) / length, total(firsts) / length)


def of_uniform_noise() -> tuple[Experiment, Experiment]:
    """The flow's equation with uniform noise, and that its score is not what normal noise would make it."""
    flows, scores = [], []
    prior = MIXTURE.at(Level(arb(1), arb(0)))
    for inputs, p in _points():
        if p.data is not MIXTURE:
            continue
        at, moving = _window(prior, p.near, p.level), _window(prior, p.z, p.later)
        eps = (p.near * at.mass - p.level.alpha * at.first) / p.level.sigma
        carried = p.rates.alpha * at.first + p.rates.sigma * eps
        tweedie = -eps[0] / p.level.sigma / at.mass[0]
        by_score = p.drift * p.near * at.mass - p.diffusion / 2 * arb_series(
            [at.mass[1], 2 * at.mass[2]], prec=2
        )
        wrong = {"turned": carried[1], "the velocity by the score": -by_score[1]}
        flows.append(Case(inputs, moving.mass[1], -carried[1], wrong))
        reach = arb(3).sqrt() * p.level.sigma
        ends = [prior.density((p.z + side * reach) / p.level.alpha) for side in (1, -1)]
        slope = (ends[0] - ends[1]) / (2 * reach * p.level.alpha)
        wrong = {"minus the mean noise over sigma": tweedie, "its opposite": -tweedie}
        scores.append(Case(inputs, slope / at.mass[0], at.mass[1] / at.mass[0], wrong))
    return (
        equal(
            "with uniform noise, distance of the rate of the density from the continuity equation's", flows
        ),
        equal("with uniform noise, distance of the slope of the log-density from that of its window", scores),
    )
