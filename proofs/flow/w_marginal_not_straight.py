r"""The flow that is learned is not straight: its acceleration is the spread of the velocities that meet.

On a schedule affine in t, such as flow matching, the path given x has no acceleration. The mean velocity u
carries p, and p times its acceleration along the flow is minus the derivative of p Var(U | z), where U =
alpha' x + sigma' eps: momentum is kept path by path, and what the mean leaves out is the flux of the spread.
For normal data z_t = sqrt(V) e, with V = (1 - t)^2 c^2 + t^2, and the acceleration is c^2 / V^(3/2) e. The
source says that the network learns the velocity that produces the straight lines.

Data of every law but a point mass bend at every time: were the acceleration zero for all z, p Var(U | z)
would be one number, and as its integral E Var(U | z) is finite, zero. But Var(U | z) is a positive multiple
of Var(x | z), which is positive where the data are not at one point, as the kernel is positive.

Not claimed: several dimensions, where the spread is a matrix; how much the trajectories bend; data without a
second moment.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, S, evaluate, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import rate
from equiv.proofs._densities import averaged, density, moved, posterior, slope, variance, velocity, z
from equiv.proofs._rates import rates, total_rate
from equiv.proofs._symbols import inside, now, t

CLAIM = Claim(
    id="w-marginal-not-straight",
    title="Marginal trajectories bend",
    statement=r"\dot z_t = u_t(z_t) = E[\epsilon - x \,|\, z_t]: \qquad"
    r" p_t\, \ddot z_t = -\partial_z \left(p_t \mathrm{Var}(\epsilon - x \,|\, z)\right) = 0"
    r"\ \forall z \iff x \text{ is one point} \quad (x \in \mathbb R,\ E x^2 < \infty), \qquad"
    r" x \sim N(0, c^2):\ \ddot z_t = \frac{c^2}{V_t^2} z_t,\ V_t = (1 - t)^2 c^2 + t^2",
    source=Source(
        seed="002", section="Flow Matching: The Direct Path", equation="straight-line trajectories"
    ),
    needs=("o-continuity", "w-marginalization", "w-cfm-equals-fm"),
    erratum="E24",
    as_written=r"\dot z_t = u_t(z_t) = E[\epsilon - x \,|\, z_t]: \qquad \ddot z_t = 0",
    cites=(
        "dominated convergence, for derivatives under the mean over the data",
        "tower property, for E Var(U | z) being finite",
    ),
)

c = symbols("c", positive=True)
e = symbols("e", real=True)


def derivation() -> Derivation:
    return Derivation(chains=(*_momentum(), *_normal_data()), hypotheses=(inside(t),))


def _momentum() -> Iterable[Chain]:
    """The rates are constants for ``moved`` and ``slope``: the schedule is affine."""
    u, one = velocity(), S.One
    with evaluate(True):
        bend = total_rate(u) + u * u.diff(z)
    yield chain("Given x, the path does not bend", bend, ("the schedule is affine", S.Zero))
    yield chain("Given x, momentum is kept, per kernel", moved(u), ("it is carried along", -slope(u**2)))
    p, w = Function("p", positive=True)(t, z), Function("u", real=True)(t, z)
    yield chain(
        "A density times the acceleration along its flow",
        p * (rate(w) + w * rate(w, z)),
        (
            "the rate of momentum, less what the continuity equation says is zero",
            rate(p * w) + rate(p * w**2, z) - w * (rate(p) + rate(p * w, z)),
        ),
    )
    # the derivative of p u^2, where p u is an average
    of_mean = (
        2 * averaged(u) * averaged(slope(u)) / density - averaged(u) ** 2 * averaged(slope(one)) / density**2
    )
    yield chain(
        "Noisy data of any law: the rate of momentum",
        averaged(moved(u)) + of_mean,
        ("momentum is kept for every x", -averaged(slope(u**2)) + of_mean),
    )
    yield chain(
        "The mean square of the velocity, less the square of the mean, times the density",
        averaged(u**2) - averaged(u) ** 2 / density,
        ("the variance, by the posterior", density * (posterior(u**2) - posterior(u) ** 2)),
    )
    wronskian = rates.sigma * now.alpha - rates.alpha * now.sigma  # positive where the log-SNR falls
    yield chain(
        "The variance of the velocity, given the state",
        posterior(u**2) - posterior(u) ** 2,
        ("a multiple of that of x", (wronskian / now.sigma) ** 2 * variance()),
    )


def _spread() -> Any:
    return (1 - t) ** 2 * c**2 + t**2


def _normal_data() -> Iterable[Chain]:
    spread = _spread()
    bend = c**2 / (sqrt(spread) * spread) * e
    yield chain(
        "Normal data: a trajectory follows V' / (2 V) of the state",
        rate(sqrt(spread) * e),
        ("the chain rule", rate(spread) / (2 * spread) * (sqrt(spread) * e)),
    )
    yield chain(
        "Normal data: its acceleration",
        rate(rate(sqrt(spread) * e)),
        ("V V'' / 2 - V'^2 / 4 is c^2", bend),
    )
    # given z, eps - x has the variance c^2 / V
    log_density = -(z**2) / (2 * spread)
    yield chain(
        "Normal data: minus the derivative of p Var(U | z), over p",
        (-rate(log_density, z) * c**2 / spread).subs(z, sqrt(spread) * e),
        ("the same", bend),
    )


def false_variants() -> Iterable[Variant]:
    u = velocity()
    spread = _spread()
    yield Variant(name="momentum is carried backwards", left=moved(u), right=slope(u**2))
    yield Variant(name="momentum is carried once", left=moved(u), right=-slope(u))
    yield Variant(
        name="normal data of the width of the noise do not bend",
        left=rate(rate(sqrt(spread.subs(c, 1)))),
        right=S.Zero,
        hypotheses=(inside(t),),
    )
    yield Variant(
        name="normal data bend alike for every width",
        left=rate(rate(sqrt(spread))),
        right=1 / (sqrt(spread) * spread),
        hypotheses=(inside(t),),
    )


def as_written() -> Iterable[Variant]:
    yield Variant(
        name="normal data: trajectories are straight",
        left=rate(rate(sqrt(_spread()) * e)),
        right=S.Zero,
        hypotheses=(inside(t),),
    )
    yield Variant(
        name="normal data: trajectories keep the line from noise to data",
        left=sqrt(_spread()) * e,
        right=(1 - t) * c * e + t * e,
        hypotheses=(inside(t),),
    )
