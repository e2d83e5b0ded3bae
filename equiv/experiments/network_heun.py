r"""Heun's method depends on the prediction it is run in, exactly so much, with trained networks.

In the row of x, of the noise and of u the method is run as it stands: two slopes of that row's own output. In
:math:`z / \alpha` each is the DDIM step and a correction :math:`\tfrac12 \rho (r_s - r_t)
(\hat\epsilon^* - \hat\epsilon_t)` with :math:`\rho = r_s / r_t`, 1 and :math:`(1 + r_s) / (1 + r_t)`.

Not claimed: which of them is best. The second call is fed what rounding has made of the first: for U-Nets in
float32 the box of inputs is too wide for the bound to decide, and the verdict is INCONCLUSIVE.
"""

from collections.abc import Sequence
from typing import Any

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.comparison import Sides
from equiv.experiments.ddim_is_euler import SCHEDULES
from equiv.experiments.reference_networks import Asked, measured, of_rows, positive, stacked
from equiv.formulas.levels import Level
from equiv.formulas.predictions import FROM_X, eps_from_x
from equiv.number import N
from equiv.result import Task
from equiv.rounding import Rounded, exact

EXPERIMENT = Header(
    id="x-network-heun",
    title="Heun's method differs by prediction exactly as derived, with trained networks",
    claims=("f-heun-parametrization", "f-row-family"),
    dtypes=("float64", "float32", "bfloat16", "float16"),
    networks=("ring", "unequal", "digits"),
)

ROWS = ("x", "eps", "u")


def run(task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """One comparison for each schedule and prediction that networks were trained in."""
    return measured(task, SCHEDULES, lambda asked: [in_rows(asked)])


def in_rows(asked: Asked) -> Experiment:
    """Heun's method in three rows against the formula that tells them apart."""
    now, then = asked.levels()
    z_t = exact(asked.steps.z_t)
    got = [heun_in_row(kind, asked.networks, z_t, now, then) for kind in ROWS]
    here, there = now.sigma / now.alpha, then.sigma / then.alpha
    shares = [there / here, 1 + 0 * here, (1 + there) / (1 + here)]
    expected = corrected(asked, z_t, now, then, shares)

    def variant(*wrong: Any) -> Sides:
        return Sides(stacked(*corrected(asked, z_t, now, then, wrong)), stacked(*got))

    x, eps, u = shares
    return asked.compare(
        f"distance of Heun's method in three rows ({asked.schedule.__name__}) from its corrections of DDIM",
        of_rows(expected, got),
        {
            "the same in every row": variant(eps, eps, eps),
            "the rows of x and of the noise exchanged": variant(eps, x, u),
            "the rows of u and of x exchanged": variant(u, eps, x),
            "u halfway between x and the noise": variant(x, eps, (x + eps) / 2),
            "no correction": variant(0 * x, 0 * x, 0 * x),
            "the whole slope of the end": variant(2 * x, 2 * eps, 2 * u),
        },
        valid=positive(now, then),
    )


def corrected(
    asked: Asked, z_t: Rounded, now: Level[Rounded], then: Level[Rounded], shares: Sequence[Any]
) -> list[Rounded]:
    """The DDIM step, with the change of the noise over it added by each share."""
    eps_hat = eps_from_x(z_t, asked.networks(z_t, now), now)
    y_t, here, there = z_t / now.alpha, now.sigma / now.alpha, then.sigma / then.alpha
    end = then.alpha * (y_t + (there - here) * eps_hat)
    change = eps_from_x(end, asked.networks(end, then), then) - eps_hat
    return [then.alpha * (y_t + (there - here) * (eps_hat + share * change / 2)) for share in shares]


def heun_in_row(kind: str, networks: Any, z_t: N, now: Level[N], then: Level[N]) -> N:
    """The trapezoidal rule in the gauge and the time of a row, with its own output as slope."""

    def gauge(level: Level[N]) -> tuple[N, N]:
        scale = {"x": level.sigma, "eps": level.alpha, "u": level.alpha + level.sigma}[kind]
        return scale, (level.alpha if kind == "x" else level.sigma) / scale

    (before, t), (after, s) = gauge(now), gauge(then)
    slope = FROM_X[kind](z_t, networks(z_t, now), now)
    end = after * (z_t / before + (s - t) * slope)
    slope_there = FROM_X[kind](end, networks(end, then), then)
    stepped: N = after * (z_t / before + (s - t) * (slope + slope_there) / 2)
    return stepped
