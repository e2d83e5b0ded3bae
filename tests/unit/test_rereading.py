"""What was read is run again: right readings stand, wrong ones are seen."""

import copy
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
import torch
from operator_cases import CASES

from equiv.lifting import replay, rerun
from equiv.lifting.reading import Given, Reading, read
from equiv.lifting.refusal import Unsupported
from equiv.lifting.rerun import Rerun
from equiv.lifting.tracer import Tracer
from equiv.number import exp, log, sqrt
from equiv.symbolic.expression import Expr, const, literal, node, symbol

T = torch.Tensor
z, s = symbol("z"), symbol("s", "schedule", positive=True)
DOUBLE = replay.precision({torch.float64})


def given(dtype: torch.dtype = torch.float64) -> dict[str, Given]:
    chance = torch.Generator().manual_seed(0)
    return {k: Given((torch.rand(2, 3, generator=chance) * 1.75 + 0.25).to(dtype)) for k in "xyz"}


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("name", CASES)
def test_no_operator_is_taken_for_a_leak(name: str, dtype: torch.dtype) -> None:
    reading = read(lambda x, y, z: CASES[name](x, y, z), given(dtype))
    assert reading.expressions.shape == reading.result.shape


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize(
    "code",
    [lambda x, y, z: (x * 0.3 + y / z).sqrt(), lambda x, y, z: 1 - x * 1e-3 + torch.randn_like(y)],
    ids=["root", "noise"],
)
def test_nor_is_the_rounding_of_a_narrow_type(code: Callable[..., T], dtype: torch.dtype) -> None:
    assert not read(code, given(dtype)).assumptions


@pytest.mark.parametrize(
    ("e", "got"),
    [
        (z * 2, 3.0),
        (z * 2 + s, 3.5 + 1e-9),
        (sqrt(z), math.nan),
        (sqrt(z), math.inf),
        (z * literal(0.1), 0.1500001),
        (node("call", z, param=("floor",)), 2.0),
        (node("call", z, z, param=("lt",)), 1.0),
        (node("call", node("call", const(1), z, param=("lt",)), z, s, param=("where",)), 0.5),
    ],
    ids=str,
)
def test_another_value_is_a_disagreement(e: Expr, got: float) -> None:
    point = {z: Fraction(3, 2), s: Fraction(1, 2)}
    right = float(replay.value(e, point, replay.EXACT).mid())
    assert replay.disagreement([e], [right], point, DOUBLE) is None
    assert (replay.disagreement([e], [got], point, DOUBLE) is None) == (got == right)


@pytest.mark.parametrize(
    ("e", "value"),
    [
        (sqrt(const(1) - 1 / const(1)), 0.0),
        (1 - exp(log(const(1) - const(1)) - z), 1.0),
        (1 / (z - log(const(0))), 0.0),
    ],
    ids=["a root of nothing", "the clean end", "one over infinity"],
)
def test_the_ends_of_a_schedule_have_values(e: Expr, value: float) -> None:
    point = {z: Fraction(3, 2)}
    assert replay.is_checked([e], point, DOUBLE)
    assert replay.disagreement([e], [value], point, DOUBLE) is None
    assert replay.disagreement([e], [value + 1e-3], point, DOUBLE) is not None
    assert replay.disagreement([e], [math.nan], point, DOUBLE) is not None


def test_a_root_that_rounding_takes_below_zero_is_no_leak() -> None:
    nothing = sqrt(1 - s - (1 - s) * (z / z))
    point = {s: Fraction(1, 3), z: Fraction(1, 7)}
    assert replay.disagreement([nothing], [math.nan], point, DOUBLE) is None
    assert replay.disagreement([nothing], [1e-3], point, DOUBLE) is not None
    assert replay.disagreement([sqrt(s)], [math.nan], point, DOUBLE) is not None
    levels = Given(torch.tensor([1 / 3], dtype=torch.float64), "schedule")
    found = read(
        lambda x, levels: x + (levels[0] - levels[0] * (1 + 2**-52) + 1e-30).sqrt(),
        {"x": given()["x"], "levels": levels},
    )
    (said,) = found.assumptions
    assert "rounding takes the root" in said.text


def test_what_has_no_known_value_is_not_said_to_be_checked() -> None:
    unknown = node("call", z, param=("i0",))
    assert replay.is_checked([z], {z: Fraction(1)}, DOUBLE)
    assert not replay.is_checked([unknown], {z: Fraction(1)}, DOUBLE)
    reading = read(lambda x: torch.i0(x), {"x": given()["x"]})
    assert "not known well enough" in reading.assumptions[0].text


def test_one_roundings_worth_is_no_disagreement_and_a_hundred_are() -> None:
    e, point = z / 3, {z: Fraction(1)}
    assert replay.disagreement([e], [math.nextafter(1 / 3, 1)], point, DOUBLE) is None
    assert replay.disagreement([e], [1 / 3 * (1 + 100 * 2**-53)], point, DOUBLE) is not None


def reading_of_levels(code: Callable[[T, T], T]) -> Reading:
    levels = Given(torch.tensor([0.75, 0.5, 0.5, 0.0, 1.0], dtype=torch.float64), "schedule")
    return read(code, {"x": given()["x"], "levels": levels})


def test_entries_of_one_value_are_told_apart() -> None:
    assert str(reading_of_levels(lambda x, levels: x * levels[2]).element) == "x*levels_2"


def test_zeros_and_ones_stay() -> None:
    assert str(reading_of_levels(lambda x, levels: x * levels[3] + levels[4]).element) == "x*0 + 1"


def test_a_value_that_left_keeps_the_schedule_where_it_is() -> None:
    reading = reading_of_levels(lambda x, levels: x * levels[0].item())
    assert [a.text for a in reading.assumptions] == ["levels_0 = 0.75"]


def test_a_branch_that_only_this_point_takes_is_said() -> None:
    reading = reading_of_levels(lambda x, levels: x * (2 if (x * levels[0].item() == x * 0.75).all() else 3))
    assert all(a.kind in {"branch", "concretised value"} for a in reading.assumptions)
    assert str(reading.element) == "x*2"


class Sampler:
    """A step that remembers the one before."""

    def __init__(self, *, leaks: bool) -> None:
        self.sigmas, self.last, self.leaks = (
            torch.tensor([0.8, 0.4]).double(),
            torch.ones(2, 3).double(),
            leaks,
        )
        self.seen = self.sigmas.numpy()  # of the same memory

    def __deepcopy__(self, memo: dict[int, Any]) -> "Sampler":
        made = Sampler(leaks=self.leaks)
        made.sigmas, made.last = copy.deepcopy((self.sigmas, self.last), memo)
        made.seen = made.sigmas.numpy()
        return made

    def step(self, x: T) -> T:
        weight = float(self.seen[0]) if self.leaks else self.sigmas[0]
        out = x * weight + self.last
        self.last = out
        return out


@pytest.mark.parametrize("leaks", [False, True])
def test_a_sampler_with_a_memory_is_copied_before_it_is_read(leaks: bool) -> None:
    sampler, tracer, x = Sampler(leaks=leaks), Tracer(), given()["x"].values
    tracer.mark_as(sampler.sigmas, [s, symbol("r", "schedule", positive=True)])
    tracer.mark(x, "z")
    tracer.mark(sampler.last, "last")
    again = Rerun(tracer, sampler, x)
    with tracer:
        result = sampler.step(x)

    def run(seed: int, sampler: Sampler, x: T) -> T:
        return sampler.step(x)

    if leaks:
        with pytest.raises(Unsupported, match="unseen"):
            again.hold(result, run)
    else:
        assert again.hold(result, run) == [] and again.hold(result, run, places=[0, 5]) == []
        assert str(tracer.element(result)) == "z*s + last"


def test_without_other_values_the_reading_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rerun, "_STRIDES", (0.0,))
    monkeypatch.setattr(rerun, "_FRESH", (0.0,))
    reading = read(lambda x: x * 2, {"x": given()["x"]})
    assert [a.kind for a in reading.assumptions] == ["hypothesis"]
    assert "no other values" in reading.assumptions[0].text


def test_the_types_that_were_run_are_named() -> None:
    tracer = Tracer()
    x = torch.ones(2, 3, dtype=torch.float64)
    tracer.mark(x, "x")
    with tracer:
        _ = x.float() * 2
    assert tracer.setting.text == "run on the CPU in float32 and float64"
    assert tracer.setting.condition.kind == "library setting"
