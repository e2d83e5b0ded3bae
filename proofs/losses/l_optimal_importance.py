r"""Which density of log-SNRs estimates the loss with the least variance.

A draw of lambda with density p and of a per-sample loss l estimates the loss by w l / p. With q = w
sqrt(E l^2), its second moment exceeds Q^2, Q the integral of q, by the integral of (q - Q p)^2 / p, as
both p and q / Q integrate to one. So the least variance is Q^2 less the square of the loss, at p = q / Q
alone. On N(0, c^2), whose error is Gaussian (E l^2 = 3 (E l)^2), the squared coefficient of variation is
2 at the optimum; uniform times on the straight path give 12 / pi^2 + (3 / pi) (c + 1/c) - 1, v on the
cosine schedule (3/2) (c + 1/c) - 1. The losses themselves are pi c / 2 and c, per dimension.

Not claimed: the cost of a step of training; densities that change while training.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Rational, S, cos, pi, sin, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level
from equiv.formulas.weightings import mse_factor_u, mse_factor_v
from equiv.proofs._calculus import rate
from equiv.proofs._integrals import by_primitive
from equiv.proofs._symbols import now, positive, t

CLAIM = Claim(
    id="l-optimal-importance",
    title="The density of log-SNRs of least variance",
    statement=r"\int \frac{w^2 E \ell^2}{p}\, d\lambda - Q^2 = \int \frac{(q - Q p)^2}{p}\, d\lambda \ge 0,"
    r" \qquad q = w \sqrt{E \ell^2},\ Q = \int q\, d\lambda,\ \int p\, d\lambda = 1",
    source=Source(seed="003", section="Training", equation="the noise schedule, comment 3"),
    needs=("l-spectral", "p-mse-table"),
    cites=("tower property, for the moments of an estimate",),
)

q, total, p, second, w, mean, theta, c = symbols("q Q p M w m theta c", positive=True)
QUARTER = (theta, S.Zero, pi / 2)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_least(), *_straight_path(), *_cosine_schedule()),
        hypotheses=positive(Level(cos(theta), sin(theta))),
    )


def _least() -> Iterable[Chain]:
    yield chain(
        "At a log-SNR, the square is three terms",
        (q - total * p) ** 2 / p,
        ("multiply out", q**2 / p - 2 * total * q + total**2 * p),
    )
    yield chain(
        "Their integrals: the second moment M, the integral Q of q, and that of p, one",
        second - 2 * total * total + total**2 * 1,
        ("the second moment above Q^2", second - total**2),
    )
    yield chain("It vanishes at p = q / Q", (q - total * (q / total)) ** 2 / (q / total), ("q - q", S.Zero))


def _gaussian_error(level: Level[Any], factor: Any) -> Any:
    """The least square error of a prediction on N(0, c^2): its factor times that of eps."""
    return factor * level.alpha**2 * c**2 / (level.alpha**2 * c**2 + level.sigma**2)


def _straight_path() -> Iterable[Chain]:
    """In the angle theta of tan(theta) = t / (c (1 - t)), which runs through a quarter turn."""
    root = cos(theta) + c * sin(theta)
    level = Level(cos(theta) / root, c * sin(theta) / root)
    per_angle = rate(level.sigma, theta)
    error = _gaussian_error(level, mse_factor_u(level))
    yield chain("The straight path: alpha is 1 - t", level.alpha, ("t is sigma", 1 - level.sigma))
    yield chain("Its error, per angle", error * per_angle, ("c^2 / V, and dt / dtheta is V / c", c))
    yield chain("Its loss", c * (pi / 2), ("constant through a quarter turn", pi / 2 * c))
    yield chain("Its square error, per angle", error**2 * per_angle, ("once more c^2 / V", c * root**2))
    square = pi / 4 * c * (1 + c**2) + c**2
    primitive = c * _primitive_of_squares(1, c) + c**2 * sin(theta) ** 2
    yield from by_primitive("Its mean square", c * root**2, primitive, QUARTER, square)
    yield chain(
        "Its squared coefficient of variation",
        3 * square / (pi / 2 * c) ** 2 - 1,
        ("divide", 12 / pi**2 + 3 / pi * (c + 1 / c) - 1),
    )


def _cosine_schedule() -> Iterable[Chain]:
    """In the angle theta of tan(theta) = tan(phi) / c, with phi = pi t / 2."""
    root = cos(theta) ** 2 + c**2 * sin(theta) ** 2  # of this, cos(phi) and sin(phi) are over the root
    ratio = c * sin(theta) / cos(theta)  # tan(phi)
    per_angle = 2 / pi * rate(ratio, theta) / (1 + ratio**2)
    error = (1 + ratio**2) * c**2 / (c**2 + ratio**2)
    yield chain(
        "The cosine schedule: its error, where alpha^2 + sigma^2 = 1",
        _gaussian_error(now, mse_factor_v(now)) / (now.alpha**2 + now.sigma**2),
        (
            "by the noise ratio",
            (1 + (now.sigma / now.alpha) ** 2) * c**2 / (c**2 + (now.sigma / now.alpha) ** 2),
        ),
    )
    yield chain(
        "Its error, per angle", error * per_angle, ("c^2 / V, and dphi / dtheta is V / c", 2 / pi * c)
    )
    yield chain("Its loss", 2 / pi * c * (pi / 2), ("constant through a quarter turn", c))
    yield chain("Its square error, per angle", error**2 * per_angle, ("once more c^2 / V", 2 / pi * c * root))
    square = c * (1 + c**2) / 2
    primitive = 2 / pi * c * _primitive_of_squares(1, c)
    yield from by_primitive("Its mean square", 2 / pi * c * root, primitive, QUARTER, square)
    yield chain(
        "Its squared coefficient of variation",
        3 * square / c**2 - 1,
        ("divide", Rational(3, 2) * (c + 1 / c) - 1),
    )
    yield chain("At the optimum", 3 * c**2 / c**2 - 1, ("Q^2 is three times the square of the loss", S(2)))


def _primitive_of_squares(of_cos: Any, of_sin: Any) -> Any:
    """A primitive of the sum of the squares of a cos(theta) and b sin(theta)."""
    double = sin(theta) * cos(theta)
    return (of_cos**2 * (theta + double) + of_sin**2 * (theta - double)) / 2


def false_variants() -> Iterable[Variant]:
    spread = symbols("M_1", positive=True)  # the integral of w m
    yield Variant(
        name="p in proportion to the mean loss, whatever its spread",
        left=(q - total * (w * mean / spread)) ** 2 / (w * mean / spread),
        right=S.Zero,
    )
    yield Variant(name="p in proportion to q^2", left=(q - total * q**2) ** 2 / q**2, right=S.Zero)
    yield Variant(name="uniform in lambda", left=(q - total * t) ** 2 / t, right=S.Zero)
    yield Variant(
        name="both schedules have the same spread, as they have the same objective",
        left=12 / pi**2 + 3 / pi * (c + 1 / c) - 1,
        right=Rational(3, 2) * (c + 1 / c) - 1,
    )
    yield Variant(
        name="flow matching draws at the optimum for c = 1",
        left=12 / pi**2 + 6 / pi - 1,
        right=S(2),
    )
