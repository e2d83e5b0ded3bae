"""Formulas on a solvable equation: exact where they are to be, of their order, and equal in special cases.

In half the log-SNR, tau, and the gauge z / sigma, the probability flow is dy/dtau = e^tau x_hat(tau). For an
x_hat that is a function of tau it has a closed form, to which a step of size h is held, as a series in h.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sympy
from sympy import Rational, diff, exp, integrate, series, simplify, sqrt, symbols

from equiv.formulas import deis, dpm_solver_inner, plms, runge_kutta, stages, unipc
from equiv.formulas import dpm_solver as dpm
from equiv.formulas import dpm_solver_sde as sde
from equiv.formulas.consistency import out_weight, skip_weight
from equiv.formulas.levels import Level
from equiv.formulas.steps import churn_step, ddim_step

h, tau = symbols("h tau", positive=True)
H_0, H_1 = Rational(4, 3), Rational(3, 4)  # of the steps before, in units of this one


def level(time: Any) -> Level[Any]:
    """At half the log-SNR ``time``, with a norm that is not one."""
    return Level(alpha=exp(time) * 2, sigma=sympy.Integer(2))


NOW, THEN, BEFORE, EARLIER, MIDDLE = map(level, (0, h, -H_0 * h, -(H_0 + H_1) * h, h / 3))
DATA = exp(tau / 2)  # x_hat along the path, no derivative of which vanishes
NOISE = exp(-tau / 3)  # eps_hat along the path


def of(path: Any, time: Any) -> Any:
    return path.subs(tau, time)


def data_error(step: Any) -> Any:
    """A step from 0, minus the solution: its leading power of h."""
    solution = integrate(DATA * exp(tau), (tau, 0, h))
    return leading(step / 2 - solution)


def noise_error(step: Any) -> Any:
    r"""The same in z / alpha, where dy/dtau = -e^-tau eps_hat."""
    solution = -integrate(NOISE * exp(-tau), (tau, 0, h))
    return leading(step / (2 * exp(h)) - solution)


def leading(error: Any) -> int:
    """The power of h with which an expression vanishes; 9 for more than 5."""
    found = series(error, h, 0, 6).removeO()
    powers = [int(p) for p in range(6) if simplify(found.coeff(h, p)) != 0]
    return powers[0] if powers else 9


def here(path: Any) -> tuple[Any, Any, Any]:
    return of(path, 0), of(path, -H_0 * h), of(path, -(H_0 + H_1) * h)


ZERO = sympy.Integer(0)
B_H = 1 - exp(-h)
ORDERS: dict[str, tuple[Callable[[], int], int]] = {
    "++ 1": (lambda: data_error(dpm.dpm_solver_pp_1(ZERO, here(DATA)[0], NOW, THEN)), 1),
    "++ 2m": (lambda: data_error(dpm.dpm_solver_pp_2m(ZERO, *here(DATA)[:2], BEFORE, NOW, THEN)), 2),
    "++ 2m heun": (
        lambda: data_error(dpm.dpm_solver_pp_2m_heun(ZERO, *here(DATA)[:2], BEFORE, NOW, THEN)),
        2,
    ),
    # 3m takes half of the curvature: its order is 2
    "++ 3m": (lambda: data_error(dpm.dpm_solver_pp_3m(ZERO, *here(DATA), EARLIER, BEFORE, NOW, THEN)), 2),
    "dpm 2m": (lambda: noise_error(dpm.dpm_solver_2m(ZERO, *here(NOISE)[:2], BEFORE, NOW, THEN)), 2),
    "dpm 3m": (lambda: noise_error(dpm.dpm_solver_3m(ZERO, *here(NOISE), EARLIER, BEFORE, NOW, THEN)), 2),
    "unip 2": (lambda: data_error(unipc.unip_2(ZERO, *here(DATA)[:2], B_H, BEFORE, NOW, THEN)), 2),
    "unip 2 bh1": (lambda: data_error(unipc.unip_2(ZERO, *here(DATA)[:2], h, BEFORE, NOW, THEN)), 2),
    "unip 3": (lambda: data_error(unipc.unip_3(ZERO, *here(DATA), EARLIER, BEFORE, NOW, THEN)), 3),
    "unic 1": (lambda: data_error(unipc.unic_1(ZERO, of(DATA, 0), of(DATA, h), B_H, NOW, THEN)), 2),
    "unic 2": (lambda: data_error(unipc.unic_2(ZERO, *here(DATA)[:2], of(DATA, h), BEFORE, NOW, THEN)), 3),
    "deis 2": (lambda: noise_error(deis.deis_2(ZERO, *here(NOISE)[:2], BEFORE, NOW, THEN)), 2),
    "++ 2s": (
        lambda: data_error(dpm.dpm_solver_pp_2s(ZERO, of(DATA, 0), of(DATA, h / 3), MIDDLE, NOW, THEN)),
        2,
    ),
}


@pytest.mark.parametrize("name", ORDERS)
def test_a_step_is_of_its_order(name: str) -> None:
    error, order = ORDERS[name]
    assert error() == order + 1


def wrong_steps() -> Iterator[tuple[str, int, int]]:
    start, before, _ = here(DATA)
    turned = dpm.dpm_solver_pp_2m(ZERO, start, 2 * start - before, BEFORE, NOW, THEN)
    yield "the slope turned", data_error(turned), 3
    whole = dpm.dpm_solver_pp_1(ZERO, start + dpm.slope_of(start, before, BEFORE, NOW, THEN), NOW, THEN)
    yield "the slope over the whole step", data_error(whole), 3
    even = dpm.dpm_solver_pp_1(ZERO, (3 * start - before) / 2, NOW, THEN)
    yield "as if steps were equal", data_error(even), 3
    mixed = unipc.unic_2(ZERO, start, before, of(DATA, h), NOW, BEFORE, THEN)
    yield "levels exchanged", data_error(mixed), 4


def test_wrong_steps_are_of_another_order() -> None:
    for name, found, right in wrong_steps():
        assert found < right, name


# --- what integrates exactly ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "power"), [(dpm_solver_inner.first_moment, 1), (dpm_solver_inner.second_moment, 2)]
)
def test_a_moment_is_its_integral(moment: Callable[[Any], Any], power: int) -> None:
    u = symbols("u", positive=True)
    weight = integrate(h * exp(-h * (1 - u)) * u**power, (u, 0, 1))
    assert simplify(moment(h) - weight) == 0
    assert simplify(moment(-h) - weight) != 0


def test_slope_and_curvature_are_those_of_the_parabola_through_three_outputs() -> None:
    a, b, c, r, s = symbols("a b c r s")
    outputs = [a + b * x + c * x**2 for x in (0, r, s)]
    assert simplify(dpm_solver_inner.slope_at_start(*outputs, r, s) - b) == 0
    assert simplify(dpm_solver_inner.curvature(*outputs, r, s) - c) == 0
    assert simplify(dpm_solver_inner.slope_at_start(*outputs, s, r) - b) != 0
    assert simplify(dpm_solver_inner.curvature(outputs[0], outputs[2], outputs[1], r, s) - c) != 0


def test_the_weights_of_runge_kutta_and_adams_bashforth_integrate_their_polynomials() -> None:
    def mean(power: int) -> Any:
        return integrate(tau**power, (tau, 0, 1))

    for power in range(4):
        stages_at = [sympy.S(t) ** power for t in (0, Rational(1, 2), Rational(1, 2), 1)]  # 0^0 = 1
        assert runge_kutta.runge_kutta_4(*stages_at) == mean(power)
        at = [sympy.S(-k) ** power for k in range(4)]
        assert plms.adams_bashforth_4(*at) == mean(power)
    assert runge_kutta.runge_kutta_4(0, 0, 1, Rational(1, 2)) != mean(1)


# --- two calls a step -----------------------------------------------------------------------------------


def test_heun_and_the_midpoint_are_of_order_2_on_a_linear_equation() -> None:
    r"""dy/dr = y: from 1 at r = 0, to 1 + h + h^2/2."""
    exploding = [Level(alpha=sympy.Integer(1), sigma=1 + t) for t in (0, h / 2, h)]

    def data_of(y: Any, at: Level[Any]) -> Any:
        return y - at.sigma * y  # eps_hat = y

    euler = ddim_step(sympy.Integer(1), data_of(1, exploding[0]), exploding[0], exploding[2])
    half = ddim_step(sympy.Integer(1), data_of(1, exploding[0]), exploding[0], exploding[1])
    heun = stages.heun_step(
        1, data_of(1, exploding[0]), euler, data_of(euler, exploding[2]), exploding[0], exploding[2]
    )
    middle = stages.midpoint_step(
        1, half, data_of(half, exploding[1]), exploding[1], exploding[0], exploding[2]
    )
    assert [leading(found - exp(h)) for found in (euler, heun, middle)] == [2, 3, 3]


# --- stochastic steps -----------------------------------------------------------------------------------

z, x, x_b, n = symbols("z x x_b n", real=True)


def test_sde_dpm_solver_pp_1_is_the_churn_family_at_2() -> None:
    difference = sde.sde_dpm_solver_pp_1(z, x, n, NOW, THEN) - churn_step(z, x, n, 2, NOW, THEN)
    assert simplify(difference) == 0
    assert simplify(sde.sde_dpm_solver_pp_1(z, x, n, NOW, THEN) - churn_step(z, x, n, 3, NOW, THEN)) != 0


@pytest.mark.parametrize(
    ("step", "order"),
    [
        (lambda: sde.sde_dpm_solver_pp_1(ZERO, here(DATA)[0], ZERO, NOW, THEN), 1),
        (lambda: sde.sde_dpm_solver_pp_2m(ZERO, *here(DATA)[:2], ZERO, BEFORE, NOW, THEN), 2),
        (lambda: sde.sde_dpm_solver_pp_2m_heun(ZERO, *here(DATA)[:2], ZERO, BEFORE, NOW, THEN), 2),
        # half of the curvature, as in ++(3m)
        (lambda: sde.sde_dpm_solver_pp_3m(ZERO, *here(DATA), ZERO, EARLIER, BEFORE, NOW, THEN), 2),
    ],
    ids=["1", "2m", "2m heun", "3m"],
)
def test_the_mean_of_a_stochastic_step_is_of_its_order(step: Callable[[], Any], order: int) -> None:
    r"""The mean of z e^tau / sigma grows by 2 e^(2 tau) x_hat."""
    solution = integrate(2 * DATA * exp(2 * tau), (tau, 0, h))
    assert leading(step() * exp(h) / 2 - solution) == order + 1


def test_the_curvature_with_its_sign_turned_is_of_order_1() -> None:
    """-1/2 for +1/2 in the weight of the curvature leaves a weight that does not vanish with h."""
    right = sde.sde_dpm_solver_pp_3m(ZERO, *here(DATA), ZERO, EARLIER, BEFORE, NOW, THEN)
    wrong = right - THEN.alpha * dpm.curvature_of(*here(DATA), EARLIER, BEFORE, NOW, THEN)
    solution = integrate(2 * DATA * exp(2 * tau), (tau, 0, h))
    assert leading(wrong * exp(h) / 2 - solution) == 2


def test_the_variance_of_sde_dpm_solver_is_that_of_its_own_noise() -> None:
    spread = diff(sde.sde_dpm_solver_1(z, x, n, NOW, THEN), n)
    assert simplify(spread**2 - sde.sde_dpm_solver_variance(NOW, THEN)) == 0
    for step in (sde.sde_dpm_solver_2m, sde.sde_dpm_solver_2m_heun):
        assert simplify(diff(step(z, x, x_b, n, BEFORE, NOW, THEN), n) - spread) == 0
    missing = THEN.sigma**2 * (1 - exp(-2 * h))
    assert simplify(sde.sde_dpm_solver_variance(NOW, THEN) - missing) != 0


def test_a_consistency_model_gives_back_its_input_at_time_0() -> None:
    b = symbols("b", positive=True)
    assert (skip_weight(ZERO, b), out_weight(ZERO, b)) == (1, 0)
    t = symbols("t", positive=True)
    assert simplify(skip_weight(t, b) * (t**2 + b**2) / b**2) == 1
    assert simplify(out_weight(t, b) - t / sqrt(t**2 + b**2)) == 0
