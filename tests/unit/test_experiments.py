"""The experiments decide what they should, and nothing when they cannot."""

import itertools
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
import sympy
import torch

from equiv.claim import literals
from equiv.evidence import Experiment, Outcome
from equiv.experiments import Header, ddim_is_euler, rescaled_schedules
from equiv.experiments.cases import mixture
from equiv.experiments.comparison import Sides, compare
from equiv.formulas.levels import Level, rescaled
from equiv.formulas.schedules import cosine, flow_matching
from equiv.formulas.steps import ddim_step
from equiv.result import Task
from equiv.rounding import Rounded, distance, exact
from equiv.verdict import Verdict, judge

MODULES = (ddim_is_euler, rescaled_schedules)


def task(dtype: str = "float32", seed: int = 0) -> Task:
    return Task(kind="experiment", id="x", dtype=dtype, seed=seed)


def on_cosine(**different: Any) -> Experiment:
    options: dict[str, Any] = {"schedule": cosine, "task": task(), **different}
    return ddim_is_euler.on_schedule(**options)


def at_half(**different: Any) -> Experiment:
    options: dict[str, Any] = {"p": Fraction(1, 2), "task": task(), **different}
    return rescaled_schedules.at_exponent(**options)


BOTH = pytest.mark.parametrize("measured", [on_cosine, at_half], ids=["ddim-is-euler", "scale-invariance"])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.EXPERIMENT.id)
def test_wide_types_support_the_claim_and_reject_every_variant(module: ModuleType, dtype: str) -> None:
    evidence, _ = module.run(task(dtype))
    assert judge(evidence) is Verdict.SUPPORTED
    assert all(e.cases > 5000 and e.rejected and not e.surviving_variants for e in evidence)


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.EXPERIMENT.id)
def test_bfloat16_says_which_variants_it_cannot_tell_apart(module: ModuleType) -> None:
    evidence, _ = module.run(task("bfloat16"))
    assert judge(evidence) is Verdict.INCONCLUSIVE
    assert all(e.worst <= e.bound and e.surviving_variants for e in evidence)


def turned(z_t: Any, x_hat: Any, now: Level[Any], then: Level[Any]) -> Any:
    """DDIM with the noise added in the other direction."""
    return then.alpha * x_hat - then.sigma * (z_t - now.alpha * x_hat) / now.sigma


def a_thousandth_off(z_t: Any, x_hat: Any, now: Level[Any], then: Level[Any]) -> Any:
    """DDIM with one coefficient slightly wrong."""
    return ddim_step(z_t, x_hat, now, Level(then.alpha * 1.001, then.sigma))


def half_the_noise(z_t: Any, x_hat: Any, now: Level[Any], then: Level[Any]) -> Any:
    """DDIM that arrives with too little noise."""
    return ddim_step(z_t, x_hat, now, Level(then.alpha, then.sigma / 2))


@BOTH
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("step", [turned, a_thousandth_off, half_the_noise], ids=lambda s: s.__name__)
def test_a_wrong_sampler_is_refuted(measured: Callable[..., Experiment], step: Any, dtype: str) -> None:
    evidence = measured(step=step, task=task(dtype))
    assert judge([evidence]) is Verdict.REFUTED
    assert evidence.witness is not None
    assert evidence.witness.inputs.keys() == {"t", "s", "z_t"}
    difference = abs(float(evidence.witness.expected) - float(evidence.witness.got))
    assert difference > float(evidence.witness.bound)


def nan_everywhere(z: Any, _level: Any) -> Any:
    return z * float("nan")


def nan_far_out(z: Any, level: Any) -> Any:
    """A network that breaks on a few states only."""
    x_hat = mixture(z, level)
    return Rounded(torch.where(z.value > 3, torch.nan, x_hat.value), x_hat.error)


def infinite(z: Any, _level: Any) -> Any:
    return z * float("inf")


@BOTH
@pytest.mark.parametrize("network", [nan_everywhere, nan_far_out, infinite], ids=lambda n: n.__name__)
def test_a_network_that_breaks_decides_nothing(measured: Callable[..., Experiment], network: Any) -> None:
    assert judge([measured(network=network)]) is Verdict.INCONCLUSIVE


def negative(t: torch.Tensor) -> Level[torch.Tensor]:
    return Level(-1 - t, -t)


def test_levels_outside_the_hypotheses_are_not_counted() -> None:
    evidence = on_cosine(schedule=negative)
    assert evidence.cases == 0
    assert judge([evidence]) is Verdict.INCONCLUSIVE


def test_a_bound_that_is_never_finite_leaves_no_case() -> None:
    one, unbounded = torch.ones(3), torch.full((3,), torch.inf, dtype=torch.float64)
    side = Rounded(one, unbounded)
    evidence = compare("", Sides(side, side), {}, valid=one > 0, inputs={})
    assert evidence.cases == 0
    assert "3 more cases" in evidence.measure
    assert evidence.outcome is Outcome.UNKNOWN


def test_no_variant_no_verdict() -> None:
    one = exact(torch.ones(3))
    evidence = compare("", Sides(one, one * 1), {}, valid=one.value > 0, inputs={})
    assert evidence.worst == 0
    assert evidence.outcome is Outcome.UNKNOWN


def test_the_seed_decides_the_cases() -> None:
    assert on_cosine(task=task(seed=1)) == on_cosine(task=task(seed=1))
    assert on_cosine(task=task(seed=1)).worst != on_cosine(task=task(seed=2)).worst


def test_an_unknown_type_is_one_clear_error() -> None:
    with pytest.raises(ValueError, match="float64, float32, bfloat16, float16; got 'int8'"):
        on_cosine(task=task("int8"))


def end_point(step: Callable[..., Any], p: Fraction) -> Rounded:
    """The end of a trajectory of the figure, with its bound."""
    times = torch.linspace(1, 0, rescaled_schedules.FIGURE_STEPS + 1, dtype=torch.float64)
    z: Any = exact(torch.linspace(-2, 2, rescaled_schedules.FIGURE_STARTS, dtype=torch.float64))
    for t, s in itertools.pairwise(times):
        z = step(mixture, z, exact(t), exact(s), p)
    return z  # type: ignore[no-any-return]


@pytest.mark.parametrize("p", rescaled_schedules.EXPONENTS, ids=str)
def test_whole_trajectories_end_together_for_ddim_and_apart_for_the_other(p: Fraction) -> None:
    difference, bound = distance(*(end_point(rescaled_schedules.ddim, q) for q in (Fraction(0), p)))
    assert (difference <= bound).all()
    other = rescaled_schedules.probability_flow_euler
    difference, bound = distance(*(end_point(other, q) for q in (Fraction(0), p)))
    assert (difference > bound).any()


def test_the_rates_are_the_derivatives_of_the_level() -> None:
    t = sympy.Symbol("t", positive=True)
    for p in rescaled_schedules.EXPONENTS:
        level = rescaled(flow_matching(t), rescaled_schedules.scale(t, p))
        for rate, part in zip(rescaled_schedules.rates(t, p), level, strict=True):
            assert sympy.simplify(rate - sympy.diff(part, t)) == 0


def test_the_figure_shows_every_panel_from_noise_to_data() -> None:
    figure = rescaled_schedules.trajectories()
    assert len(figure["panels"]) == 6
    for panel in figure["panels"]:
        paths = panel["series"][0]["paths"]
        assert len(paths) == rescaled_schedules.FIGURE_STARTS
        assert all(path[0][0] == 1 and path[-1][0] == 0 for path in paths)
    assert msgspec.json.decode(msgspec.json.encode(figure)) == figure


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.EXPERIMENT.id)
def test_the_header_is_made_of_literals(module: ModuleType) -> None:
    assert module.__file__ is not None
    assert msgspec.convert(literals(Path(module.__file__), "EXPERIMENT"), Header) == module.EXPERIMENT


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.EXPERIMENT.id)
def test_an_experiment_loads_neither_z3_nor_flint_nor_sympy(module: ModuleType) -> None:
    code = (
        f"import sys, {module.__name__} as m; from equiv.result import Task; "
        "m.run(Task(kind='experiment', id='x')); print(*{'z3', 'flint', 'sympy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
