"""What equiv.rounding assumes of torch, measured against exact arithmetic, and the edges of its bounds."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath  # type: ignore[import-untyped]
import pytest
import torch

from equiv import number
from equiv.rounding import Rounded, distance, exact, format_of

DTYPES = (torch.float64, torch.float32, torch.bfloat16, torch.float16)
EVERYWHERE, POSITIVE = "everywhere", "positive"

FACTS: dict[str, tuple[Callable[..., Any], Callable[..., Any], str]] = {
    "sqrt": (torch.sqrt, mpmath.sqrt, POSITIVE),
    "exp": (torch.exp, mpmath.exp, EVERYWHERE),
    "log": (torch.log, mpmath.log, POSITIVE),
    "sin": (torch.sin, mpmath.sin, EVERYWHERE),
    "cos": (torch.cos, mpmath.cos, EVERYWHERE),
    "square": (lambda x: x**2, lambda x: x**2, EVERYWHERE),
    "cube": (lambda x: x**3, lambda x: x**3, EVERYWHERE),
    "reciprocal": (lambda x: 1 / x, lambda x: 1 / x, POSITIVE),
    "quarter root": (lambda x: x**0.25, lambda x: mpmath.root(x, 4), POSITIVE),
    "root by power": (lambda x: x**0.5, mpmath.sqrt, POSITIVE),
    "reciprocal root": (lambda x: x**-0.5, lambda x: 1 / mpmath.sqrt(x), POSITIVE),
    "odd power": (lambda x: x**-1.7, lambda x: x ** mpmath.mpf(-1.7), POSITIVE),
    "scaled": (lambda x: x * 3.3, lambda x: x * mpmath.mpf(3.3), EVERYWHERE),
    "taken from a constant": (lambda x: 3.3 - x, lambda x: mpmath.mpf(3.3) - x, EVERYWHERE),
    "divided by a constant": (lambda x: x / 3.3, lambda x: x / mpmath.mpf(3.3), EVERYWHERE),
    "dividing a constant": (lambda x: 3.3 / x, lambda x: mpmath.mpf(3.3) / x, POSITIVE),
}


def on_rounded(name: str) -> Callable[[Rounded], Rounded]:
    """The fact's function for our type: the same code, or the one of equiv.number."""
    function: Callable[[Rounded], Rounded] = getattr(number, name, None) or FACTS[name][0]
    return function


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", FACTS)
@pytest.mark.parametrize("strided", [False, True], ids=["contiguous", "strided"])
def test_one_operation_stays_within_its_bound(name: str, dtype: torch.dtype, strided: bool) -> None:
    """Two kernels serve contiguous and strided memory; both are measured."""
    on_torch, exactly, where = FACTS[name]
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(1500, generator=draw, dtype=torch.float64) * 3
    x = (x.exp() if where == POSITIVE else x).to(dtype)
    x = x.repeat_interleave(2)[::2] if strided else x
    result = on_rounded(name)(exact(x))
    assert torch.equal(torch.as_tensor(on_torch(x)), result.value)
    with mpmath.workprec(200):
        for x_i, y_i, bound in zip(x.tolist(), result.value.tolist(), result.error.tolist(), strict=True):
            if math.isfinite(y_i):
                assert abs(mpmath.mpf(y_i) - exactly(mpmath.mpf(x_i))) <= bound, (x_i, y_i)
            else:
                assert not math.isfinite(bound)


def test_the_square_root_of_the_cpu_is_not_correctly_rounded_everywhere() -> None:
    """Why a square root counts two roundings. Where the kernel is better, the count is merely generous."""
    x = torch.rand(20_000, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 1000
    unit = format_of(torch.float64).working
    with mpmath.workprec(200):
        worst = max(
            abs(mpmath.mpf(r) / mpmath.sqrt(v) - 1) / unit
            for v, r in zip(x.tolist(), x.sqrt().tolist(), strict=True)
        )
    assert worst <= 2


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_constant_next_to_a_tensor_is_rounded_to_its_type(dtype: torch.dtype) -> None:
    shifted = exact(torch.zeros(1, dtype=dtype)) + 0.1
    off = abs(Fraction(shifted.value.double().item()) - Fraction(0.1))
    assert off <= Fraction(shifted.error.item())
    if dtype is not torch.float64:
        assert off > 0


def test_pi_and_fractions_carry_their_own_error() -> None:
    one = exact(torch.ones(1, dtype=torch.float64))
    assert 0 < number.pi(one).error.item() < 2.3e-16
    assert 0 < number.constant(one, Fraction(1, 3)).error.item() < 2e-17
    assert number.constant(one, Fraction(1, 4)).error.item() == 0


def test_the_root_of_what_may_be_zero_has_a_finite_bound() -> None:
    nearly = Rounded(torch.tensor([0.0, 1e-9]), torch.tensor([1e-8, 1e-8], dtype=torch.float64))
    root = number.sqrt(nearly)
    assert torch.isfinite(root.error).all()
    assert (root.error >= math.sqrt(1e-8)).all()


@pytest.mark.parametrize("value", [0.0, 1e-9])
def test_a_quotient_or_log_by_what_may_be_zero_has_none(value: float) -> None:
    nearly = Rounded(torch.tensor([value]), torch.tensor([1e-8], dtype=torch.float64))
    for result in (1 / nearly, number.log(nearly), nearly**-0.5):
        assert not torch.isfinite(result.error).any()


def test_overflow_has_no_finite_bound() -> None:
    large = exact(torch.tensor([60000.0], dtype=torch.float16))
    for result in (large + large, large * large, number.exp(large)):
        assert not torch.isfinite(result.error).any()


def test_nan_stays_nan() -> None:
    result = exact(torch.tensor([math.nan])) * 2 + 1
    assert result.error.isnan().all()
    assert not (torch.sub(*distance(result, result)) <= 0).any()


def test_underflow_is_paid_for() -> None:
    least = format_of(torch.float16).least
    product = exact(torch.tensor([least], dtype=torch.float16)) * 0.25
    assert product.value.item() == 0
    assert product.error.item() >= least / 4


def test_types_are_not_mixed() -> None:
    with pytest.raises(TypeError, match="one type"):
        exact(torch.ones(1)) + exact(torch.ones(1, dtype=torch.float64))


def test_a_bare_tensor_is_refused() -> None:
    with pytest.raises(TypeError, match=r"equiv\.rounding\.exact"):
        exact(torch.ones(1)) * torch.ones(1)


def test_an_integer_type_is_refused() -> None:
    with pytest.raises(TypeError, match=r"torch\.int64"):
        exact(torch.ones(1, dtype=torch.int64))


def test_flushed_subnormals_are_refused() -> None:
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot flush subnormal numbers")
    try:
        with pytest.raises(RuntimeError, match="gradual underflow"):
            exact(torch.ones(1))
    finally:
        torch.set_flush_denormal(False)
