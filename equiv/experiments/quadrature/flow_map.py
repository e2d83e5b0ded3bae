r"""The map of the flow in the plane: a symmetric root for normal data, and no gradient for a mixture.

The derivative J of where a state goes by where it starts obeys J' = (du/dz) J along its trajectory: Heun's
method in ever more steps, extrapolated. On normal data of covariance S it is the symmetric root of S. On a
mixture its determinant is what the density loses on the way, which is known at both ends; with the two
entries off the diagonal taken as equal it is not. An optimal map would be a gradient, with J symmetric.

Not claimed: how far from optimal the flow is.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from flint import arb, arb_mat

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.quadrature.balls import EXTRAPOLATED, Case, ball, equal, limit_of, with_bits
from equiv.formulas.schedules import flow_matching
from equiv.number import exp
from equiv.result import Task

EXPERIMENT = Header(
    id="x-flow-map",
    title="The flow's map is a symmetric root for normal data, and not symmetric in general",
    claims=("w-ot",),
    dtypes=(),
)

MEANS = ((-1, 0), (Fraction(3, 2), Fraction(1, 2)), (0, 2))
STD = Fraction(1, 2)
LAST = 0.125  # where the data's level is, of data with that much noise
STARTS = ((0.5, 0.25), (-0.25, 0.75))
COUNTS = tuple(16 * 2**k for k in range(5))
ROOT = arb_mat([[2, 1], [1, 1]])


class Slope(NamedTuple):
    """The velocity at a state, and its derivative."""

    value: arb_mat
    derivative: arb_mat


Field = Callable[[arb_mat, arb], Slope]


@with_bits(192)
def run(_task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """Normal data, and a mixture."""
    return [of_normal(), of_mixture()], {}


def one() -> arb_mat:
    """The identity."""
    return arb_mat([[1, 0], [0, 1]])


def normal_field(z: arb_mat, t: arb) -> Slope:
    """Of N(0, S): the velocity is (sigma - alpha S) (alpha^2 S + sigma^2)^-1 z."""
    level, square = flow_matching(t), ROOT * ROOT
    spread = square * level.alpha**2 + one() * level.sigma**2
    slope = (one() * level.sigma - square * level.alpha) * spread.inv()
    return Slope(slope * z, slope)


def mixture_field(z: arb_mat, t: arb) -> Slope:
    """Of round components with equal weights: the velocity is (z - x_hat) / t."""
    level = flow_matching(t)
    square = ball(STD) ** 2
    variance = level.alpha**2 * square + level.sigma**2
    offs = [z - arb_mat([[ball(m)] for m in mean]) * level.alpha for mean in MEANS]
    masses = [exp(-_square(off) / (2 * variance)) for off in offs]
    mass, gain = sum(masses, arb(0)), level.alpha * square / variance
    parts = [arb_mat([[ball(m)] for m in mean]) + off * gain for mean, off in zip(MEANS, offs, strict=True)]
    x_hat = _weighed(masses, parts) * (1 / mass)
    second = _weighed(masses, [part * part.transpose() for part in parts]) * (1 / mass)
    left = second - x_hat * x_hat.transpose() + one() * (square * level.sigma**2 / variance)
    slope = left * (level.alpha / level.sigma**2)  # of x_hat, by Tweedie's second formula
    return Slope((z - x_hat) * (1 / t), (one() - slope) * (1 / t))


def _square(z: arb_mat) -> arb:
    return z[0, 0] * z[0, 0] + z[1, 0] * z[1, 0]


def _weighed(masses: list[arb], values: list[arb_mat]) -> arb_mat:
    found = values[0] * masses[0]
    for mass, value in zip(masses[1:], values[1:], strict=True):
        found = found + value * mass
    return found


def density(z: arb_mat, t: arb) -> arb:
    """Of the mixture's state."""
    level = flow_matching(t)
    variance = level.alpha**2 * ball(STD) ** 2 + level.sigma**2
    offs = [z - arb_mat([[ball(m)] for m in mean]) * level.alpha for mean in MEANS]
    masses = [exp(-_square(off) / (2 * variance)) for off in offs]
    return sum(masses, arb(0)) / (len(MEANS) * 2 * arb.pi() * variance)


def flow(field: Field, z: arb_mat, last: float, steps: int) -> tuple[arb_mat, arb_mat]:
    """Where a state at t = 1 goes, and the derivative of that."""
    derivative, h = one(), (ball(last) - 1) / steps
    for k in range(steps):
        t = 1 + h * k
        here = field(z, t)
        there = field(z + here.value * h, t + h)
        first = here.derivative * derivative
        second = there.derivative * (derivative + first * h)
        z = z + (here.value + there.value) * (h / 2)
        derivative = derivative + (first + second) * (h / 2)
    return z, derivative


def of_normal(field: Field = normal_field) -> Experiment:
    """All entries of the derivative, at clean data."""
    start, square = arb_mat([[1], [1]]), ROOT * ROOT
    maps = [flow(field, start, 0, n)[1] for n in COUNTS]
    cholesky = arb_mat(
        [[square[0, 0].sqrt(), 0], [square[0, 1] / square[0, 0].sqrt(), 1 / square[0, 0].sqrt()]]
    )
    cases = []
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        wrong = {"the covariance": square[i, j], "its triangular root": cholesky[i, j]}
        cases.append(Case({"row": i, "column": j}, limit_of([m[i, j] for m in maps]), ROOT[i, j], wrong))
    return equal(f"distance of the flow's derivative from the symmetric root ({EXTRAPOLATED})", cases)


def of_mixture(field: Field = mixture_field) -> Experiment:
    """Determinants, with the derivative as it is and made symmetric."""
    cases = []
    for start in STARTS:
        state = arb_mat([[ball(x)] for x in start])
        ends = [flow(field, state, LAST, n) for n in COUNTS]
        end = arb_mat([[limit_of([z[i, 0] for z, _ in ends])] for i in (0, 1)])
        lost = density(state, arb(1)) / density(end, ball(LAST))

        def of(minor: Callable[[arb_mat], arb], maps: Any = ends) -> arb:
            return limit_of([minor(m) for _, m in maps])

        wrong = {
            "symmetric, as below": of(lambda m: m[0, 0] * m[1, 1] - m[1, 0] * m[1, 0]),
            "symmetric, as above": of(lambda m: m[0, 0] * m[1, 1] - m[0, 1] * m[0, 1]),
            "diagonal": of(lambda m: m[0, 0] * m[1, 1]),
        }
        claimed = of(lambda m: m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0])
        cases.append(Case({"start": start}, lost, claimed, wrong))
    return equal(f"distance of the determinant from what the density loses ({EXTRAPOLATED})", cases)
