"""The bound on what rounding does to code that was read: it holds, is finite, and tells a wrong formula."""

import math
from collections.abc import Callable
from fractions import Fraction

import pytest
import torch

from equiv.lifting.reading import Given, Reading, read
from equiv.roundoff import Roundoff, roundoff
from equiv.symbolic import balls
from equiv.symbolic.expression import Expr

T = torch.Tensor
Code = Callable[..., T]
TYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
LEVELS = torch.tensor([0.75, 0.4375, 0.0625], dtype=torch.float32)


def reading(code: Code, dtype: torch.dtype, seed: int) -> Reading:
    chance = torch.Generator().manual_seed(seed)
    z, x = (torch.randn(2, 3, dtype=torch.float64, generator=chance).to(dtype) for _ in range(2))
    levels = LEVELS.to(torch.promote_types(dtype, torch.float32))  # as libraries keep them
    return read(code, {"z": Given(z), "x": Given(x, "network"), "s": Given(levels, "schedule")})


def found(code: Code, dtype: torch.dtype, seed: int = 0) -> tuple[Reading, Roundoff, float]:
    r = reading(code, dtype, seed)
    off = roundoff(r.element, r.tracer.point, r.tracer.computed, dtype)
    got = r.result.flatten()[0].item()
    return r, off, abs(float(off.exact - balls.exact(Fraction(got)))) if math.isfinite(got) else math.inf


def ddim(z: T, x: T, s: T) -> T:
    x_hat = (z - (1 - s[0]) ** 0.5 * x) / s[0] ** 0.5
    return s[1] ** 0.5 * x_hat + (1 - s[1]) ** 0.5 * x


def solver(z: T, x: T, s: T) -> T:
    h = torch.log(s[0] / s[1])
    return s[1] / s[0] * z - torch.expm1(-h) * x


CODE: dict[str, Code] = {
    "ddim": ddim,
    "solver": solver,
    "third": lambda z, x, s: z / 3 + x * 0.1,
    "cancellation": lambda z, x, s: (z + 100 * s[0]) - 100 * s[0],
    "clamp": lambda z, x, s: (z * s[0] * 3).clamp(-1, 1) + x.abs() * s[1],
    "waves": lambda z, x, s: torch.cos(s[0]) * z - torch.sin(s[0]) * x,
    "lerp": lambda z, x, s: torch.lerp(z, x, s[0]),
    "tanh": lambda z, x, s: torch.tanh(z * s[1]) + torch.sigmoid(x),
    "powers": lambda z, x, s: z**3 * s[0] ** 1.5,
    "upcast": lambda z, x, s: (z.float() * s[0] + x.float()).to(z.dtype),
    "exact": lambda z, x, s: 2 * z - z,
}


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("name", CODE)
def test_the_error_is_within_the_bound(name: str, dtype: torch.dtype) -> None:
    for seed in range(4):
        _, off, error = found(CODE[name], dtype, seed)
        assert error <= off.bound < 1.0 + 200 * (name == "cancellation")


@pytest.mark.parametrize("dtype", TYPES, ids=str)
def test_the_bound_is_of_the_size_of_the_roundings(dtype: torch.dtype) -> None:
    _, off, _ = found(ddim, dtype)
    unit = torch.finfo(dtype).eps / 2
    assert unit / 4 < off.bound < 200 * unit * (1 + abs(float(off.exact)))


def test_what_is_exact_loses_nothing() -> None:
    for dtype in TYPES:
        _, off, error = found(CODE["exact"], dtype)
        assert off.bound == error == 0 and off.most is None


def test_a_quotient_by_a_number_is_exact_only_by_powers_of_two() -> None:
    assert found(lambda z, x, s: z / 4, torch.float32)[1].bound == 0
    assert found(lambda z, x, s: (z - z + 6) / 3, torch.float32)[1].bound > 0


def test_a_root_at_zero_has_a_bound() -> None:
    def code(z: T, x: T, s: T) -> T:
        one = z * 0 + 1
        return (one - one * s[0] - (1 - s[0])).abs().sqrt() + z

    for dtype in TYPES:
        _, off, error = found(code, dtype)
        unit = torch.finfo(dtype).eps
        assert error <= off.bound < 8 * math.sqrt(unit)


def test_what_has_no_bound_is_said_to_have_none() -> None:
    _, off, _ = found(lambda z, x, s: torch.special.i0(z), torch.float32)
    assert off.bound == math.inf and off.most is None
    _, off, _ = found(lambda z, x, s: 1 / (z - z * s[0] / s[0]), torch.float32)
    assert off.bound == math.inf


def test_the_operation_that_loses_the_most_is_named() -> None:
    r, off, _ = found(CODE["cancellation"], torch.bfloat16)
    assert isinstance(off.most, Expr) and off.share > 0.3
    assert r.tracer.origins[off.most].startswith(__file__)
    assert "100" in str(off.most)


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize(
    "wrong",
    [
        lambda z, x, s: ddim(z, -x, s),
        lambda z, x, s: ddim(z, x, s.flip(0)),
        lambda z, x, s: ddim(z, x, s) * 1.1,
    ],
    ids=["sign", "levels", "scale"],
)
def test_another_formula_is_beyond_the_bound(wrong: Code, dtype: torch.dtype) -> None:
    r, off, _ = found(ddim, dtype)
    z, x = (m.tensor.double() for m in r.tracer.marked[:2])
    other = wrong(z, x, LEVELS.double()).flatten()[0].item()
    assert abs(float(off.exact) - other) > 2 * off.bound


def test_a_level_is_rounded_next_to_a_narrow_state_or_not() -> None:
    """``bfloat16 * float32 (0-d)`` may round the level first: the bound has room for both."""
    r, off, error = found(lambda z, x, s: z * (s[0] + 2**-12), torch.bfloat16)
    assert any(a.kind == "cast" for a in r.assumptions)
    assert error <= off.bound < 3 * 2**-8 * (1 + abs(float(off.exact)))
