r"""The map of the flow is symmetric for normal data and not in general, as an optimal one would be.

Given x, a state moves to it on a line, at constant velocity: optimal, to a single point. In one dimension
the flow is increasing (w-reflow), and of two pairs the increasing one has the smaller squared distance. For
normal data each principal coordinate is scaled by a positive factor, from noise to data by its deviation:
the map is symmetric and positive, so the gradient of a convex function.

But in two dimensions take data with the density N(x; 0, I) (1 + delta q(x)), 0 < delta < 1/64, for the
polynomial q = q_2 + q_4 below. On the variance-preserving path the density of the state is N(z; 0, I) h with
h = 1 + delta (w q_2 + w^2 q_4), w = alpha^2, and the flow is dz/dw = grad h / (2 w h). The origin does not
move; the derivative J of the map from noise (w = 0) to data (w = 1) there solves J' = A J with a symmetric A
that does not commute with itself at another w. Its coefficients by powers of delta solve J_1' = M and J_2' =
M J_1 - 8 w^2 M, and J_2 is not symmetric. So J is not symmetric for small delta, and the map is no gradient,
as an optimal map must be by Brenier's theorem. Other schedules have the same map.

Not claimed: that J is analytic in delta, as solutions of linear equations are; Brenier's theorem; that the
flow is far from optimal; anything about learned velocities.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, evaluate, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.predictions import eps_from_x
from equiv.proofs._calculus import at, integral, mean, rate
from equiv.proofs._densities import x, z
from equiv.proofs._rates import rates, total_rate
from equiv.proofs._symbols import inside, now, t

CLAIM = Claim(
    id="w-ot",
    title="The flow's map is symmetric for normal data, and not in general",
    statement=r"x \sim N(0, \Sigma):\ z_1 \mapsto z_0 = \Sigma^{1/2} z_1; \qquad"
    r" x \sim N(0, I)(1 + \delta q):\ J = \frac{\partial z_0}{\partial z_1}(0) = I + \delta J_1"
    r" + \delta^2 J_2 + \dots,\ (J_2)_{12} - (J_2)_{21} = 1",
    source=Source(
        seed="002", section="How Do They Compare?", equation="Underlying theory: Optimal transport"
    ),
    needs=("w-reflow", "o-continuity", "p-score-velocity", "s-gauge-equivalence"),
    erratum="E25",
    as_written=r"z_1 \mapsto z_0 \text{ is an optimal transport map, so } J = J^\top",
    cites=(
        "Brenier's theorem, for an optimal map being a gradient",
        "analyticity in a parameter of solutions of linear equations, for J in powers of delta",
    ),
)

c, alpha, delta, w, v = symbols("c alpha delta w v", positive=True)
x_1, x_2, e_1, e_2, to_x, to_z = symbols("x_1 x_2 e_1 e_2 T(x) T(z)", real=True)
slope_of_h, alpha_rate = symbols("h' alphadot", real=True)
COORDINATES = (x_1, x_2)
NORMAL = {0: S.One, 1: S.Zero, 2: S.One, 3: S.Zero, 4: S(3)}

NORM = x_1**2 + x_2**2
Q_2 = x_1**2 - x_2**2
Q_4 = x_1 * x_2 * NORM - 6 * x_1 * x_2 + NORM**2 - 8 * NORM + 8
H = 1 + delta * (w * Q_2 + w**2 * Q_4)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_where_it_is_optimal(), *_the_data(), *_the_flow(), *_asymmetry()),
        hypotheses=(inside(alpha),),
    )


def _where_it_is_optimal() -> Iterable[Chain]:
    yield chain("Given x, the velocity is constant", rate(rate((1 - t) * x + t * z)), ("a line", S.Zero))
    yield chain(
        "In one dimension, exchanging the partners of x and z",
        (x - to_z) ** 2 + (z - to_x) ** 2 - (x - to_x) ** 2 - (z - to_z) ** 2,
        ("costs what is positive for an increasing map", 2 * (z - x) * (to_z - to_x)),
    )
    spread = now.alpha**2 * c**2 + now.sigma**2
    x_hat = gaussian_denoiser(sqrt(spread) * z, now, S.Zero, c)
    yield chain(
        "Normal data: a principal coordinate, scaled by sqrt(V)",
        total_rate(sqrt(spread) * z),
        ("follows the flow", rates.alpha * x_hat + rates.sigma * eps_from_x(sqrt(spread) * z, x_hat, now)),
    )


def _the_data() -> Iterable[Chain]:
    squares = (NORM - 12) ** 2 / 2 + NORM * (x_1 + x_2) ** 2 / 2 + 3 * (x_1 - x_2) ** 2 + 2 * x_1**2
    yield chain("q is at least -64: the density is positive", Q_2 + Q_4 + 64, ("a sum of squares", squares))
    added = 1 - alpha**2
    yield chain(
        "Under normal data, (x, z) has the law of (z, x): h is the mean of 1 + delta q(alpha z + sigma e)",
        (z - alpha * x) ** 2 / added + x**2,
        ("the exponents agree", (x - alpha * z) ** 2 / added + z**2),
    )
    for name, q, power in (("q_2", Q_2, 2), ("q_4", Q_4, 4)):
        yield chain(f"The mean of {name} there", _noised(q), ("a Hermite polynomial", alpha**power * q))


def _noised(q: Any) -> Any:
    """The mean of q(alpha x + sigma e) over normal e, with sigma^2 = 1 - alpha^2."""
    sigma = sqrt(1 - alpha**2)
    with evaluate(True):
        there = q.subs({x_1: alpha * x_1 + sigma * e_1, x_2: alpha * x_2 + sigma * e_2}, simultaneous=True)
        return mean(mean(there, e_1, NORMAL), e_2, NORMAL)


def _the_flow() -> Iterable[Chain]:
    f = alpha_rate / alpha
    g_squared = -2 * alpha * alpha_rate - 2 * f * (1 - alpha**2)
    yield chain("Where the variance is preserved, g^2", g_squared, ("sigma^2 is 1 - alpha^2", -2 * f))
    h = symbols("h", positive=True)
    yield chain(
        "The velocity f z - g^2 s / 2, with the score s = -z + h' / h",
        f * z - g_squared / 2 * (-z + slope_of_h / h),
        ("z cancels", f * slope_of_h / h),
        ("by the rate of w = alpha^2", 2 * alpha * alpha_rate * slope_of_h / (2 * alpha**2 * h)),
    )
    for i in range(2):
        yield chain(
            f"The origin does not move: coordinate {i + 1}",
            _at_origin(rate(H, COORDINATES[i])),
            ("q has no linear terms", S.Zero),
        )
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
        field = _at_origin(rate(rate(H, COORDINATES[i]), COORDINATES[j])) / (2 * w * _at_origin(H))
        yield chain(
            f"The derivative of the field there, A_{i + 1}{j + 1}",
            field,
            ("delta times a matrix, over h", delta * _matrix(w)[i][j] / (1 + 8 * delta * w**2)),
        )


def _at_origin(e: Any) -> Any:
    return at(at(e, x_1, 0), x_2, 0)


def _matrix(time: Any) -> Any:
    return ((1 - 8 * time, -3 * time), (-3 * time, -1 - 8 * time))


def _second_order(i: int, j: int, until: Any = 1) -> Any:
    """J to second order in delta, off the diagonal: A is delta M - 8 w^2 delta^2 M, and J' = A J."""
    twice = sum(_matrix(w)[i][k] * integral(_matrix(v)[k][j], v, 0, w) for k in range(2))
    return integral(twice - 8 * w**2 * _matrix(w)[i][j], w, 0, until)


def _asymmetry() -> Iterable[Chain]:
    field = delta / (1 + 8 * delta * w**2)
    yield chain("A to first order in delta", at(rate(field, delta), delta, 0), ("M", S.One))
    yield chain(
        "A to second order in delta", at(rate(rate(field, delta), delta), delta, 0) / 2, ("M", -8 * w**2)
    )
    m, n = _matrix(w), _matrix(v)
    commutator = sum(m[0][k] * n[k][1] - n[0][k] * m[k][1] for k in range(2))
    yield chain("M does not commute with itself at v", commutator, ("the entry 12", 6 * (w - v)))
    for i, j in ((0, 1), (1, 0)):
        below = sum(_matrix(w)[i][k] * integral(_matrix(v)[k][j], v, 0, w) for k in range(2))
        yield chain(
            f"The coefficient of delta^2 in J_{i + 1}{j + 1} changes with w",
            rate(_second_order(i, j, until=w), w),
            ("M times that of delta, less 8 w^2 M", below - 8 * w**2 * _matrix(w)[i][j]),
        )
        yield chain("... from nothing", at(_second_order(i, j, until=w), w, 0), ("J is one there", S.Zero))
    yield chain(
        "J_12 - J_21 to second order in delta",
        _second_order(0, 1) - _second_order(1, 0),
        ("the integral of the commutator over v < w, which is one", integral(3 * w**2, w, 0, 1)),
    )


def false_variants() -> Iterable[Variant]:
    yield Variant(
        name="exchanging partners costs nothing",
        left=(x - to_z) ** 2 + (z - to_x) ** 2,
        right=(x - to_x) ** 2 + (z - to_z) ** 2,
    )
    added = 1 - alpha**2
    for name, q, wrong in (
        ("q_4 decays as q_2", Q_4, alpha**2 * Q_4),
        ("q_4 without its lower terms decays alike", NORM**2, alpha**4 * NORM**2),
    ):
        yield Variant(name=name, left=_noised(q), right=wrong, hypotheses=(inside(alpha),))
    yield Variant(
        name="data and noise may be exchanged off the variance-preserving path",
        left=(z - alpha * x) ** 2 / added**2 + x**2,
        right=(x - alpha * z) ** 2 / added**2 + z**2,
        hypotheses=(inside(alpha),),
    )
    x_hat = gaussian_denoiser(z, now, S.Zero, c)
    for name, wrong in (
        ("stands still but for the noise", rates.sigma / now.sigma * z),
        (
            "is scaled by alpha c + sigma",
            total_rate(now.alpha * c + now.sigma) / (now.alpha * c + now.sigma) * z,
        ),
    ):
        yield Variant(
            name=f"normal data: a principal coordinate {name}",
            left=rates.alpha * x_hat + rates.sigma * eps_from_x(z, x_hat, now),
            right=wrong,
        )


def as_written() -> Iterable[Variant]:
    yield Variant(
        name="the derivative of the map is symmetric to second order",
        left=_second_order(0, 1),
        right=_second_order(1, 0),
    )
