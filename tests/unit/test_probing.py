"""Coefficients found by running code: right where it is affine, refused where it is not."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler, PNDMScheduler

from equiv.evidence import Outcome
from equiv.formulas.levels import Level
from equiv.formulas.predictions import TO_X
from equiv.formulas.steps import ddim_step
from equiv.lifting.reading import Given, read
from equiv.probing import SHAPE, Affine, Budget, NotAffine, hold, of_torch, probe
from equiv.symbolic.expression import Expr, const, literal, symbol
from equiv.verdict import Verdict, judge

A = np.ndarray[Any, Any]
BUDGET = Budget(roundings=64, growth=64)
z, net = symbol("z"), symbol("net", "network")
NOW, THEN = (0.6, 0.8), (0.96, 0.28)


def probed(code: Callable[..., Any], names: tuple[str, ...] = ("z", "net")) -> Affine:
    return probe(code, names, BUDGET)


def numpy_ddim(z: A, net: A) -> A:
    """A deterministic step on the network's noise prediction, in numpy."""
    x = (z - NOW[1] * net) / NOW[0]
    return THEN[0] * x + THEN[1] * net


def expected() -> Expr:
    now, then = (Level(*map(literal, pair)) for pair in (NOW, THEN))
    return ddim_step(z, TO_X["eps"](z, net, now), now, then)


def test_an_affine_function_has_its_coefficients() -> None:
    found = probed(lambda z, net: 3 * z - net / 4 + 0.5)
    assert (found.constant, found.slopes) == (0.5, {"z": 3.0, "net": -0.25})


NOT_AFFINE: dict[str, Callable[[A, A], Any]] = {
    "square": lambda z, net: z * z,
    "product": lambda z, net: z * net,
    "clip": lambda z, net: np.clip(z, -1, 1),
    "clip far out": lambda z, net: np.clip(z, -2000, 2000) + net,
    "clip near 0": lambda z, net: np.where(np.abs(z) < 1e-4, 0, z),
    "absolute": lambda z, net: np.abs(z),
    "mean": lambda z, net: z - z.mean(),
    "roll": lambda z, net: np.roll(z, 1),
    "transposed": lambda z, net: z.T.reshape(SHAPE),
    "position": lambda z, net: z * np.arange(7.0),
    "one element": lambda z, net: z + (np.arange(210).reshape(SHAPE) == 5),
    "neighbours": lambda z, net: z + 1e-9 * np.roll(net, 1),
    "narrow": lambda z, net: z.astype(np.float32).astype(np.float64),
    "chance": lambda z, net: z + np.random.default_rng().normal(size=SHAPE),
    "a division": lambda z, net: z / (1 + net),
    "nan": lambda z, net: np.where(z == 0, np.nan, z),
    "another shape": lambda z, net: z[:1],
    "another type": lambda z, net: z.astype(np.float32),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("code", NOT_AFFINE.values(), ids=NOT_AFFINE)
def test_what_is_not_affine_is_refused(code: Callable[[A, A], Any]) -> None:
    with pytest.raises(NotAffine):
        probed(code)


def test_a_numpy_sampler_is_held_against_the_formula() -> None:
    found = hold(probed(numpy_ddim), expected(), {"z": z, "net": net}, {}, "DDIM")
    assert found.outcome is Outcome.HOLDS and judge([found]) is Verdict.SUPPORTED
    assert "64 roundings" in found.conditions[0].text


MUTANTS: dict[str, Callable[[A, A], Any]] = {
    "swapped levels": lambda z, net: NOW[0] * (z - THEN[1] * net) / THEN[0] + NOW[1] * net,
    "turned": lambda z, net: numpy_ddim(z, -net),
    "left out": lambda z, net: THEN[0] * (z - NOW[1] * net) / NOW[0],
    "a little off": lambda z, net: numpy_ddim(z, net) * (1 + 1e-9),
    "shifted": lambda z, net: numpy_ddim(z, net) + 1e-9,
}


@pytest.mark.parametrize("code", MUTANTS.values(), ids=MUTANTS)
def test_a_mutant_is_refuted(code: Callable[[A, A], Any]) -> None:
    found = hold(probed(code), expected(), {"z": z, "net": net}, {}, "DDIM")
    assert found.outcome is Outcome.FAILS and judge([found]) is Verdict.REFUTED


def test_a_bound_that_sees_nothing_decides_nothing() -> None:
    blind = probe(numpy_ddim, ("z", "net"), Budget(roundings=10**9, growth=1e6))
    found = hold(blind, expected(), {"z": z, "net": net}, {}, "DDIM")
    assert found.outcome is Outcome.UNKNOWN and "too small to be told" in found.reason


def test_a_formula_that_is_not_affine_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="must be affine"):
        hold(probed(numpy_ddim), z * z, {"z": z, "net": net}, {}, "")


SCHEDULERS: dict[str, Callable[[], Any]] = {
    "DDIM": lambda: DDIMScheduler(clip_sample=False),
    "DDIM sample": lambda: DDIMScheduler(clip_sample=False, prediction_type="sample"),
    "Euler": lambda: EulerDiscreteScheduler(prediction_type="v_prediction"),
    "DPM": lambda: DPMSolverMultistepScheduler(solver_order=1),
    "PNDM": lambda: PNDMScheduler(skip_prk_steps=True),
}


@pytest.mark.parametrize("make", SCHEDULERS.values(), ids=SCHEDULERS)
def test_probing_and_lifting_agree(make: Callable[[], Any]) -> None:
    def ready() -> Callable[..., torch.Tensor]:
        """A step of a scheduler whose tables are as the library makes them."""
        scheduler = make()
        scheduler.set_timesteps(7)
        return lambda z, net: scheduler.step(net, scheduler.timesteps[0], z).prev_sample

    chance = torch.Generator().manual_seed(1)
    numbers = [torch.randn(SHAPE, dtype=torch.float64, generator=chance) for _ in range(2)]
    given = {"z": Given(numbers[0]), "net": Given(numbers[1], "network")}
    lifted = read(lambda z, net: ready()(z, net), given).element
    found = probe(lambda z, net: of_torch(ready())(z=z, net=net), ("z", "net"), Budget(64, 2.0**10))
    held = hold(found, lifted, {"z": z, "net": net}, {}, "as lifted")
    assert held.outcome is Outcome.HOLDS, held
    wrong = hold(found, lifted * (1 + const(2) ** -30), {"z": z, "net": net}, {}, "as lifted")
    assert wrong.outcome is Outcome.FAILS


def test_compiled_code_is_probed() -> None:
    compiled = torch.compile(lambda z, net: 0.75 * z - 0.5 * net, backend="aot_eager")
    found = probed(lambda z, net: compiled(torch.from_numpy(z), torch.from_numpy(net)).numpy())
    held = hold(found, Fraction(3, 4) * z - Fraction(1, 2) * net, {"z": z, "net": net}, {}, "")
    assert held.outcome is Outcome.HOLDS


def test_narrow_torch_code_is_probed_in_float64() -> None:
    def narrow(z: torch.Tensor, net: torch.Tensor) -> torch.Tensor:
        return (z.float() * torch.tensor(0.1) - net.to(torch.bfloat16) / 3).half().double()

    found = probed(of_torch(narrow))
    assert abs(found.slopes["z"] - 0.1) <= found.error and abs(found.slopes["net"] + 1 / 3) <= found.error
    with pytest.raises(NotAffine):
        probed(lambda z, net: narrow(torch.from_numpy(z), torch.from_numpy(net)).numpy())
