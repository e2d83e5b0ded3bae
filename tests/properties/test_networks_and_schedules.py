"""The equivalences hold over drawn schedules, levels, types, shapes and networks; what failed once is kept.

Everything is held against the bound of its own roundings: nothing here has a tolerance.
"""

from fractions import Fraction
from typing import Any

import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from equiv.formulas.levels import Level, kappa, rescaled
from equiv.formulas.predictions import FROM_X, TO_X
from equiv.formulas.schedules import (
    cosine,
    ddpm_linear,
    flow_matching,
    scaled_linear,
    sd3_shift,
    sub_vp,
    variance_preserving,
)
from equiv.formulas.steps import churn_step, ddim_eta_step, ddim_step, ddpm_step, flow_euler_step, renoise
from equiv.number import constant, sqrt
from equiv.reference.denoisers import Denoisers
from equiv.reference.networks import initial, mlp_layers, unet_layers
from equiv.rounding import Rounded, distance, exact

DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
SCHEDULES = (cosine, flow_matching, ddpm_linear, scaled_linear, sub_vp)
KINDS = ("x", "eps", "v", "u")

seeds = st.integers(0, 2**20)
times = st.tuples(st.integers(1, 63), st.integers(1, 63)).filter(lambda pair: pair[0] != pair[1])
shapes = st.tuples(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5))


def network(seed: int, shape: tuple[int, int, int], kind: str, dtype: torch.dtype) -> Denoisers:
    nets, _, size = shape
    parameters = initial(mlp_layers(size, 3 + seed % 5, 1 + seed % 3), [seed + i for i in range(nets)])
    return Denoisers("mlp", kind, parameters).to("cpu", dtype)


def levels(schedule: Any, pair: tuple[int, int], dtype: torch.dtype) -> tuple[Level[Any], Level[Any]]:
    """Of a step from the later time of two to the earlier one, as exact as they were computed."""
    t, s = (torch.tensor([[part / 64]], dtype=dtype) for part in (max(pair), min(pair)))
    now, then = (Level(*map(exact, schedule(time))) for time in (t, s))
    parts = (*now, *then)
    assume(all((part.value > 0).all() for part in parts))
    assume((then.sigma.value * now.alpha.value < then.alpha.value * now.sigma.value).all())
    return now, then


def normal(seed: int, shape: tuple[int, int, int], dtype: torch.dtype) -> Rounded:
    draw = torch.Generator().manual_seed(seed)
    return exact(torch.randn(shape, generator=draw, dtype=torch.float64).to(dtype))


def agree(left: Rounded, right: Rounded) -> bool:
    """Within the bound wherever there is one, which is everywhere in wide types."""
    difference, bound = distance(left, right)
    narrow = left.value.dtype in {torch.bfloat16, torch.float16}
    return bool(((difference <= bound) | (~bound.isfinite() & narrow)).all())


ANYWHERE = given(
    schedule=st.sampled_from(SCHEDULES),
    pair=times,
    shape=shapes,
    kind=st.sampled_from(KINDS),
    seed=seeds,
)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@settings(max_examples=25, deadline=None)
@ANYWHERE
@example(schedule=cosine, pair=(63, 1), shape=(1, 1, 1), kind="eps", seed=0)
def test_ddim_is_an_euler_step(
    dtype: torch.dtype, schedule: Any, pair: tuple[int, int], shape: Any, kind: str, seed: int
) -> None:
    now, then = levels(schedule, pair, dtype)
    z, asked = normal(seed, shape, dtype), network(seed, shape, kind, dtype)
    scale, after = now.alpha + now.sigma, then.alpha + then.sigma
    t, s = now.sigma / scale, then.sigma / after
    y, level = z / scale, flow_matching(t)
    x_hat = asked(y, level)
    flow = after * flow_euler_step(y, (y - x_hat) / t, t, s)
    assert agree(ddim_step(z, asked(z, now), now, then), flow)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@settings(max_examples=25, deadline=None)
@ANYWHERE
@example(schedule=sub_vp, pair=(2, 1), shape=(2, 1, 1), kind="u", seed=1)
def test_a_gauge_is_no_difference(
    dtype: torch.dtype, schedule: Any, pair: tuple[int, int], shape: Any, kind: str, seed: int
) -> None:
    now, then = levels(schedule, pair, dtype)
    z, asked = normal(seed, shape, dtype), network(seed, shape, kind, dtype)
    up, down = (exact(torch.tensor([[c]], dtype=dtype)) for c in (3.0, 0.375))
    there = ddim_step(up * z, asked(up * z, rescaled(now, up)), rescaled(now, up), rescaled(then, down))
    assert agree(ddim_step(z, asked(z, now), now, then), there / down)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@settings(max_examples=25, deadline=None)
@ANYWHERE
@example(schedule=ddpm_linear, pair=(63, 62), shape=(1, 2, 2), kind="x", seed=7)
def test_stochastic_steps_are_one_family(
    dtype: torch.dtype, schedule: Any, pair: tuple[int, int], shape: Any, kind: str, seed: int
) -> None:
    now, then = levels(schedule, pair, dtype)
    z, noise = normal(seed, shape, dtype), normal(seed + 1, shape, dtype)
    x_hat = network(seed, shape, kind, dtype)(z, now)
    posterior = ddpm_step(z, x_hat, noise, now, then)
    assert agree(posterior, churn_step(z, x_hat, noise, constant(z, 2), now, then))
    assert agree(posterior, ddim_eta_step(z, x_hat, noise, constant(z, 1), now, then))
    beyond = Level(then.alpha, then.sigma * kappa(now, then))
    assert agree(posterior, renoise(ddim_step(z, x_hat, now, beyond), noise, beyond, then))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@settings(max_examples=25, deadline=None)
@given(
    schedule=st.sampled_from(SCHEDULES),
    pair=times,
    shape=shapes,
    path=st.lists(st.sampled_from(KINDS), min_size=1, max_size=5),
    seed=seeds,
)
@example(schedule=flow_matching, pair=(1, 2), shape=(1, 1, 1), path=["eps", "v", "u", "x"], seed=0)
def test_predictions_turn_into_one_another_and_back(
    dtype: torch.dtype, schedule: Any, pair: tuple[int, int], shape: Any, path: list[str], seed: int
) -> None:
    now, _ = levels(schedule, pair, dtype)
    z, x_hat = normal(seed, shape, dtype), normal(seed + 1, shape, dtype)
    turned = x_hat
    for kind in path:
        turned = TO_X[kind](z, FROM_X[kind](z, turned, now), now)
    assert agree(turned, x_hat)


@settings(max_examples=40, deadline=None)
@given(part=st.integers(1, 63), first=st.integers(1, 40), second=st.integers(1, 40))
@example(part=63, first=40, second=1)
def test_shifts_compose_as_products(part: int, first: int, second: int) -> None:
    t = exact(torch.tensor([part / 64], dtype=torch.float64))
    one, other = (constant(t, Fraction(k, 8)) for k in (first, second))
    together = constant(t, Fraction(first * second, 64))
    assert agree(sd3_shift(sd3_shift(t, one), other), sd3_shift(t, together))


@settings(max_examples=10, deadline=None)
@given(seed=seeds, kind=st.sampled_from(KINDS), pair=times)
@example(seed=0, kind="v", pair=(40, 20))
def test_pictures_are_no_exception(seed: int, kind: str, pair: tuple[int, int]) -> None:
    now, then = levels(cosine, pair, torch.float32)
    asked = Denoisers("unet", kind, initial(unet_layers(2), [seed]))
    z = normal(seed, (1, 1, 16), torch.float32)
    scale = sqrt(now.alpha**2 + now.sigma**2) * 2
    there = asked(z / scale, rescaled(variance_preserving(now), exact(torch.tensor([[0.5]]))))
    assert agree(ddim_step(z, asked(z, now), now, then), ddim_step(z, there, now, then))


def test_a_difference_above_the_bound_is_seen() -> None:
    """The judgement that all of the above rest on can fail."""
    one = exact(torch.ones(3))
    assert not agree(one, one * 1.001)
    assert not agree(one, exact(torch.full((3,), torch.nan)) * 0 + exact(torch.ones(3)) * torch.nan)
