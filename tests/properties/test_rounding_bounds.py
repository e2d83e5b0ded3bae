"""The bound holds for every formula built of the operations, against 300-bit ball arithmetic."""

from collections.abc import Callable
from typing import Any

import flint
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from equiv.formulas.denoisers import mixture_denoiser
from equiv.formulas.levels import Level
from equiv.formulas.predictions import u_from_x
from equiv.formulas.schedules import cosine, ddpm_linear, scaled_linear, sub_vp
from equiv.formulas.steps import ddim_eta_step, ddim_step
from equiv.number import constant, cos, exp, log, maximum, minimum, pi, sin, sqrt
from equiv.rounding import Rounded, exact

DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
UNARY: tuple[Callable[[Any], Any], ...] = (
    sqrt,
    exp,
    log,
    sin,
    cos,
    lambda x: -x,
    lambda x: x**2,
    lambda x: x**3,
    lambda x: x**-2,
    lambda x: 3 / x,
    lambda x: x / 3,
    lambda x: 1 - x,
    lambda x: pi(x) * x / 2,
)
BINARY: tuple[Callable[[Any, Any], Any], ...] = (
    lambda x, y: x + y,
    lambda x, y: x - y,
    lambda x, y: x * y,
    lambda x, y: x / y,
    maximum,
    minimum,
)
PROGRAMS = st.lists(
    st.tuples(st.integers(0, len(UNARY) + len(BINARY) - 1), st.integers(0, 30), st.integers(0, 30)),
    min_size=1,
    max_size=12,
)


def execute(program: list[tuple[int, int, int]], inputs: list[Any]) -> list[Any]:
    """Run straight-line code: each line applies one operation to values made before it."""
    made = list(inputs)
    for operation, i, j in program:
        x, y = made[i % len(made)], made[j % len(made)]
        if operation < len(UNARY):
            made.append(UNARY[operation](x))
        else:
            made.append(BINARY[operation - len(UNARY)](x, y))
    return made


def contains(result: Rounded, ball: flint.arb) -> bool:
    """Whether the exact value may lie within the bound; an unbounded result claims nothing."""
    error = result.error.double().item()
    if not torch.isfinite(result.error).all():
        return True
    return bool(
        abs(flint.arb(torch.as_tensor(result.value).double().item()) - ball).lower() <= flint.arb(error)
    )


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@settings(max_examples=150, deadline=None)
@given(program=PROGRAMS, inputs=st.lists(st.floats(-8, 8, width=16), min_size=1, max_size=3))
def test_the_exact_value_lies_within_the_bound(
    dtype: torch.dtype, program: list[tuple[int, int, int]], inputs: list[float]
) -> None:
    tensors = [torch.tensor([x], dtype=torch.float64).to(dtype) for x in inputs]
    rounded = execute(program, [exact(x) for x in tensors])
    with flint.ctx.workprec(300):
        balls = execute(program, [flint.arb(x.double().item()) for x in tensors])
        for result, ball in zip(rounded, balls, strict=True):
            assert contains(result, ball) or not ball.is_finite()


def whole_step(z: Any, alpha: Any, sigma: Any) -> list[Any]:
    now, then = Level(alpha, sigma), Level((alpha + 1) / 2, sigma / 2)
    x_hat = mixture_denoiser(z, now, (1, 2, 3), (-1.5, 0, 2.25), (0.5, 0.25, 1))
    return [x_hat, u_from_x(z, x_hat, now), ddim_step(z, x_hat, now, then)]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@settings(max_examples=60, deadline=None)
@given(
    x=st.floats(-2.5, 4.25, width=16),
    eps=st.floats(-2, 2, width=16),
    alpha=st.floats(0.125, 1, width=16),
    sigma=st.floats(0.125, 1, width=16),
)
def test_a_step_with_its_denoiser_is_bounded_and_finite(
    dtype: torch.dtype, x: float, eps: float, alpha: float, sigma: float
) -> None:
    z = alpha * x + sigma * eps
    tensors = [torch.tensor([v], dtype=torch.float64).to(dtype) for v in (z, alpha, sigma)]
    with flint.ctx.workprec(300):
        balls = whole_step(*(flint.arb(x.double().item()) for x in tensors))
        for result, ball in zip(whole_step(*map(exact, tensors)), balls, strict=True):
            assert torch.isfinite(result.error).all()
            assert contains(result, ball)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("schedule", [cosine, ddpm_linear, scaled_linear, sub_vp])
@settings(max_examples=40, deadline=None)
@given(t=st.floats(0, 1, width=32))
def test_a_schedule_is_bounded_and_finite(
    dtype: torch.dtype, schedule: Callable[[Any], Level[Any]], t: float
) -> None:
    time = torch.tensor([t], dtype=torch.float64).to(dtype)
    with flint.ctx.workprec(300):
        for result, ball in zip(
            schedule(exact(time)), schedule(flint.arb(time.double().item())), strict=True
        ):
            assert torch.isfinite(result.error).all()
            assert contains(result, ball)


def forgets_the_store(x: Rounded) -> Rounded:
    """A rounding analysis that charges one unit too few per operation: it must be caught."""
    return Rounded(x.value, x.error / 64)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_bound_that_is_too_small_is_caught(dtype: torch.dtype) -> None:
    x = torch.linspace(0.1, 4, 400, dtype=torch.float64).to(dtype)
    result = forgets_the_store(sin(exact(x)) / 3)
    with flint.ctx.workprec(300):
        held = [
            contains(Rounded(v, e), flint.arb(x_i).sin() / 3)
            for x_i, v, e in zip(x.double().tolist(), result.value, result.error, strict=True)
        ]
    assert not all(held)


def test_eta_steps_run_on_rounded_numbers() -> None:
    level = [exact(torch.tensor([v])) for v in (0.6, 0.8, 0.8, 0.6)]
    now, then = Level(level[0], level[1]), Level(level[2], level[3])
    z, x_hat, noise = (exact(torch.tensor([v])) for v in (1.0, 0.5, -0.25))
    step = ddim_eta_step(z, x_hat, noise, constant(z, 0.5), now, then)
    assert torch.isfinite(step.error).all()
