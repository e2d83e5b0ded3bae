r"""How much each v-prediction weighs in the sample, on the cosine schedule with uniform steps.

Every step of ``formulas`` is linear in the state and in v_hat. A prediction's weight is its factor in its own
step times the factors of the state in all later ones: these are read off the steps, in balls, from pure noise
to clean data, and held against closed forms, or against what they tend to.

Not claimed: how much a prediction matters, which depends on how the predictions are correlated.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from flint import arb

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.quadrature.balls import EXTRAPOLATED, Case, ball, equal, in_balls, limit_of
from equiv.formulas.levels import Level
from equiv.formulas.predictions import x_from_v
from equiv.formulas.schedules import cosine
from equiv.formulas.steps import churn_step, ddim_step, ddpm_step
from equiv.result import Task

EXPERIMENT = Header(
    id="x-contributions",
    title="What each prediction weighs in the sample, under churn of any amount",
    claims=("t-ddim-v-weights", "t-ddpm-v-weights", "t-churn-weights", "t-churn-weights-limit"),
    dtypes=(),
)

Step = Callable[[Any, Any, Level[Any], Level[Any]], Any]
STEPS = 100
FINE = tuple(64 * 2**k for k in range(5))
PLACES = (0.25, 0.5, 0.75)  # times in (0, 1)
CHURNS = (0, 0.5, 1, 2, 4)  # eta^2


class Weights(NamedTuple):
    """Of the start, and of each prediction, the noisiest first."""

    start: arb
    predictions: list[arb]


@in_balls
def run(_task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """The closed forms of DDIM and DDPM, what churn tends to, and the picture."""
    return [of_ddim(), of_ddpm(), *of_churn(), of_bound()], {"contributions": picture()}


def ddpm(z: Any, x_hat: Any, now: Level[Any], then: Level[Any]) -> Any:
    """The mean of DDPM's step."""
    return ddpm_step(z, x_hat, arb(0), now, then)


def churn(eta_squared: float) -> Step:
    """The mean of the churn step of rho = 1 + eta^2."""

    def step(z: Any, x_hat: Any, now: Level[Any], then: Level[Any]) -> Any:
        return churn_step(z, x_hat, arb(0), ball(1 + eta_squared), now, then)

    return step


def levels(steps: int) -> list[Level[arb]]:
    """From pure noise to clean data."""
    inside = [cosine(1 - arb(k) / steps) for k in range(1, steps)]
    return [Level(arb(0), arb(1)), *inside, Level(arb(1), arb(0))]


def weights(step: Step, steps: int) -> Weights:
    """Of every prediction in the sample, and of the start."""
    of_state, of_v = [], []
    for now, then in itertools.pairwise(levels(steps)):
        zero, one = arb(0), arb(1)
        of_state.append(step(one, x_from_v(one, zero, now), now, then))
        of_v.append(step(zero, x_from_v(zero, one, now), now, then))
    later, found = arb(1), []
    for a, b in zip(reversed(of_state), reversed(of_v), strict=True):
        found.append(later * b)
        later *= a
    return Weights(later, found[::-1])


def of_ddim(step: Step = ddim_step) -> Experiment:
    """Weights that fall by a cosine with each later step, and are equal in the limit only."""
    got, delta = weights(step, STEPS), arb.pi() / (2 * STEPS)
    cases = []
    for i, weight in enumerate(got.predictions):
        wrong = {
            "all equal": -delta.sin(),
            "all equal, to the arc": -delta,
            "falling by two cosines": -delta.sin() * delta.cos() ** (2 * (STEPS - 1 - i)),
            "falling the other way": -delta.sin() * delta.cos() ** i,
        }
        cases.append(Case({"step": i}, -delta.sin() * delta.cos() ** (STEPS - 1 - i), weight, wrong))
    cases.append(Case({"step": "start"}, delta.cos() ** STEPS, got.start, {"the start weighs 1": arb(1)}))
    return equal("distance of DDIM's weights from their closed form", cases)


def of_ddpm(step: Step = ddpm) -> Experiment:
    """Twice the sine of the angle in the middle, and DDIM's at the last step; the start weighs nothing."""
    got, delta = weights(step, STEPS), arb.pi() / (2 * STEPS)
    cases = []
    for i, weight in enumerate(got.predictions):
        t, s = (STEPS - i) * delta, (STEPS - 1 - i) * delta
        wrong = {
            "twice the cosine, at any step": -2 * t.cos() * delta,
            "as DDIM": -delta.sin() * delta.cos() ** (STEPS - 1 - i),
            "half of it": -(t + s).sin() / t.sin() * delta.sin() / 2,
            "of the angle before": -(t + s).sin() / s.sin() * delta.sin() if i < STEPS - 1 else arb(0),
        }
        cases.append(Case({"step": i}, -(t + s).sin() / t.sin() * delta.sin(), weight, wrong))
    cases.append(
        Case({"step": "start"}, arb(0), got.start, {"the start weighs as in DDIM": delta.cos() ** STEPS})
    )
    return equal("distance of DDPM's weights from their closed form", cases)


def of_churn(step: Callable[[float], Step] = churn) -> tuple[Experiment, Experiment]:
    """What weights per step length tend to, and the quotient of an early and a late one."""
    places, early = [], []
    for eta_squared in CHURNS:
        fine = {n: weights(step(eta_squared), n) for n in FINE}
        e = ball(eta_squared)
        for t in PLACES:
            found = limit_of([_per_length(fine[n], t) for n in FINE])
            angle = arb.pi() * ball(t) / 2
            wrong = {
                "1 + eta times it": -(1 + e.sqrt()) * angle.cos() ** e,
                "to the power of eta": -(1 + e) * angle.cos() ** e.sqrt(),
                "equal": arb(-1),
                "of the angle's sine": -(1 + e) * angle.sin() ** e,
            }
            inputs = {"eta^2": eta_squared, "t": t}
            places.append(Case(inputs, found, -(1 + e) * angle.cos() ** e, wrong))
        shares = [_per_length(fine[n], PLACES[-1]) / _per_length(fine[n], PLACES[0]) for n in FINE]
        first, last = (arb.pi() * ball(t) / 2 for t in (PLACES[-1], PLACES[0]))
        claimed = (first.cos() / last.cos()) ** e
        wrong = {"as without churn": arb(1), "twice as far": claimed**2, "the other way": 1 / claimed}
        early.append(Case({"eta^2": eta_squared}, limit_of(shares), claimed, wrong))
    return (
        equal(f"distance of the weight per step length from what it tends to ({EXTRAPOLATED})", places),
        equal(f"distance of an early weight per late one from what it tends to ({EXTRAPOLATED})", early),
    )


def of_bound(step: Callable[[float], Step] = churn) -> Experiment:
    """A weight within what t-churn-weights-limit proves of its own step and of every later one."""
    cases = []
    for eta_squared in CHURNS:
        got, e = weights(step(eta_squared), FINE[-1]), ball(eta_squared)
        least = ball(max(1, eta_squared * max(1, eta_squared - 1)))
        for t in PLACES:
            first = round(t * FINE[-1])
            delta = arb.pi() / (2 * FINE[-1])
            high, low = first * delta, (first - 1) * delta
            spread = (least + e) * delta.sin() ** 2 / (low.cos() * high.sin())
            allowed = -((1 + e) * delta.sin() + arb(0, spread.upper()))
            for k in range(first - 1, 0, -1):
                high, low = k * delta, (k - 1) * delta
                spread = (abs(e - 1) / 2 + 2 * least) * delta**2 / low.cos() ** 2
                allowed *= (high.cos() / low.cos()) ** e + arb(0, spread.upper())
            weight = got.predictions[FINE[-1] - first]
            wrong = {
                "a tenth more": weight * ball(1.1),
                "of DDIM, whatever the churn": -delta.sin() * delta.cos() ** (first - 1),
                "of a prediction that adds": -weight,
            }
            cases.append(Case({"eta^2": eta_squared, "t": t}, allowed, weight, wrong))
    return equal("distance of a weight from the middle of what is proved of it", cases)


def _per_length(found: Weights, t: float) -> arb:
    steps = len(found.predictions)
    return found.predictions[round((1 - t) * steps)] * steps * 2 / arb.pi()


def picture() -> dict[str, Any]:
    """The weights over the time of the prediction, per step length: DDIM's are nearly flat at 1."""
    shown: Sequence[tuple[str, float]] = (
        ("DDIM (η = 0)", 0),
        ("η² = 1/2", 0.5),
        ("DDPM (η = 1)", 1),
        ("η² = 4", 4),
    )
    series = []
    for label, eta_squared in shown:
        found = weights(churn(eta_squared), STEPS).predictions
        path = [[1 - i / STEPS, -float(w.mid()) * STEPS * 2 / float(arb.pi())] for i, w in enumerate(found)]
        series.append({"label": label, "paths": [path]})
    return {
        "panels": [{"title": f"cosine schedule, {STEPS} steps", "series": series}],
        "x": "time t of the prediction",
        "y": "weight of v̂ per step length",
        "title": "Contribution of each prediction under churn",
        "caption": "The weight of each v-prediction in the sample; churn takes from the early ones.",
    }
