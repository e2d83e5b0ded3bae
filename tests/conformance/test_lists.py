"""What schedulers list, as released and made wrong: schedules, grids, the level told, numbers to the end."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
import torch

from equiv.evidence import Conformance, Defect
from equiv.obligations import check, tasks
from equiv.obligations.network_is_told_its_level import between
from equiv.result import Task
from equiv.subjects import diffusers as adapter
from equiv.subjects.diffusers import building
from equiv.verdict import Verdict, judge

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)  # diffusers' own
DDIM, DDPM, EULER, FLOW, MULTISTEP = (
    f"diffusers.{name}Scheduler"
    for name in ("DDIM", "DDPM", "EulerDiscrete", "FlowMatchEulerDiscrete", "DPMSolverMultistep")
)
TOLD, FALLS, WHOLE, SCHEDULE, FINITE, NO_SIGNAL = (
    "network-is-told-its-level",
    "noise-falls",
    "every-step-is-the-training-grid",
    "schedule-equals-formula",
    "sample-is-finite",
    "sample-without-signal-is-finite",
)


def found(subject: str, only: str, **config: str) -> Conformance:
    """The evidence in the first configuration that has these values."""
    (evidence,) = check(tasks(subject, only=only, config=config)[0])
    assert isinstance(evidence, Conformance)
    return evidence


def printed(code: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


@pytest.mark.parametrize("subject", [DDIM, DDPM, EULER, MULTISTEP])
@pytest.mark.parametrize("obligation", [FALLS, SCHEDULE])
def test_what_is_listed_by_default_is_right(subject: str, obligation: str) -> None:
    config = {"rescale_betas_zero_snr": "False", "steps": "10"}
    evidence = found(subject, obligation, **config)
    assert judge([evidence]) is Verdict.PROVED
    assert evidence.steps >= 10


@pytest.mark.parametrize("spacing", ["leading", "linspace", "trailing"])
def test_euler_is_told_its_level_on_every_grid(spacing: str) -> None:
    evidence = found(EULER, TOLD, timestep_spacing=spacing, steps="13")
    assert (judge([evidence]), evidence.steps) == (Verdict.PROVED, 13)


@pytest.mark.parametrize(
    ("subject", "obligation", "config", "got"),
    [
        (FLOW, WHOLE, {"shift": "3.0"}, "999.66"),
        (MULTISTEP, WHOLE, {"timestep_spacing": "leading"}, "0 0.01"),
        (MULTISTEP, FINITE, {"timestep_spacing": "leading", "steps": "1000", "solver_order": "2"}, "nan"),
        (
            DDIM,
            FINITE,
            {"rescale_betas_zero_snr": "True", "timestep_spacing": "trailing", "steps": "2"},
            "inf",
        ),
        (DDPM, SCHEDULE, {"beta_schedule": "laplace", "rescale_betas_zero_snr": "False"}, "0."),
    ],
)
def test_a_known_defect_is_found_and_shown(subject: str, obligation: str, config: Any, got: str) -> None:
    evidence = found(subject, obligation, **config)
    assert judge([evidence]) is Verdict.REFUTED
    assert evidence.witness is not None
    assert "equiv" not in evidence.snippet
    assert printed(evidence.snippet) == evidence.witness.got
    assert got in evidence.witness.got


def test_a_level_set_by_hand_that_is_out_of_order_is_found() -> None:
    evidence = found(EULER, FALLS, rescale_betas_zero_snr="True", steps="10")
    assert evidence.witness is not None
    assert evidence.witness.inputs["training step"] == "999"
    below, above = eval(printed(evidence.snippet))
    assert not below < above


@pytest.mark.parametrize("name", ["DDIM", "DDPM", "LCM", "TCD"])
def test_a_prediction_of_noise_where_there_is_nothing_else_should_have_been_refused(name: str) -> None:
    subject = f"diffusers.{name}Scheduler"
    evidence = found(subject, NO_SIGNAL, prediction_type="epsilon")
    assert judge([evidence]) is Verdict.REFUTED
    assert evidence.defect is Defect.UNDOCUMENTED_CONFIGURATION
    assert judge([found(subject, NO_SIGNAL, prediction_type="v_prediction")]) is Verdict.SUPPORTED


def test_what_the_library_refuses_owes_no_numbers() -> None:
    evidence = found("diffusers.LCMScheduler", FINITE, steps="1000")
    assert judge([evidence]) is Verdict.SUPPORTED
    assert any(c.text.startswith("refused by the library: ValueError") for c in evidence.conditions)


def test_an_error_that_refuses_nothing_is_shown() -> None:
    evidence = found("diffusers.PNDMScheduler", FINITE, steps="1")
    assert (judge([evidence]), evidence.defect) == (Verdict.REFUTED, Defect.RAISES)
    ran = subprocess.run(
        [sys.executable, "-c", evidence.snippet], check=False, capture_output=True, text=True
    )
    assert ran.stderr.strip().endswith(evidence.witness.got.strip())


# --- made wrong -----------------------------------------------------------------------------------------


@pytest.fixture
def mutant(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Callable[[Any], None]], None]]:
    """Makes a class whose schedulers are changed when they are built, or given their steps."""

    def make(method: str, change: Callable[[Any], None]) -> None:
        made = building._class

        def replaced(name: str) -> Any:
            right = made(name)

            class Wrong(right):  # type: ignore[misc]
                pass

            def run(self: Any, *args: Any, **named: Any) -> None:
                getattr(right, method)(self, *args, **named)
                change(self)

            if method == "__init__":
                run.__signature__ = __import__("inspect").signature(right.__init__)  # type: ignore[attr-defined]
            setattr(Wrong, method, run)
            return Wrong

        monkeypatch.setattr(building, "_class", replaced)
        adapter.subject.cache_clear()

    yield make
    adapter.subject.cache_clear()


def shifted(scheduler: Any) -> None:
    scheduler.timesteps = scheduler.timesteps + 1


def halved(scheduler: Any) -> None:
    scheduler.sigmas = scheduler.sigmas / 2


def swapped(scheduler: Any) -> None:
    scheduler.sigmas[[2, 3]] = scheduler.sigmas[[3, 2]]


def duplicated(scheduler: Any) -> None:
    scheduler.sigmas[3] = scheduler.sigmas[2]


def no_number(scheduler: Any) -> None:
    scheduler.sigmas[4] = torch.nan


@pytest.mark.parametrize(
    ("obligation", "change"),
    [
        (TOLD, shifted),
        (TOLD, halved),
        (TOLD, swapped),
        (TOLD, no_number),
        (FALLS, swapped),
        (FALLS, duplicated),
        (FALLS, no_number),
        (WHOLE, halved),
        (WHOLE, duplicated),
        (FINITE, no_number),
    ],
)
def test_a_wrong_list_is_refuted(obligation: str, change: Any, mutant: Any) -> None:
    steps = {"steps": "20"} if obligation == FINITE else {}
    config = {"timestep_spacing": "linspace", **steps}
    assert judge([found(EULER, obligation, **config)]) in {Verdict.PROVED, Verdict.SUPPORTED}
    mutant("set_timesteps", change)
    assert judge([found(EULER, obligation, **config)]) is Verdict.REFUTED


def one_factor_less(scheduler: Any) -> None:
    scheduler.alphas_cumprod = torch.cat([torch.ones(1), scheduler.alphas_cumprod[:-1]])


def of_roots(scheduler: Any) -> None:
    scheduler.alphas_cumprod = scheduler.alphas_cumprod.sqrt()


def other_end(scheduler: Any) -> None:
    betas = torch.linspace(1e-4, 0.0201, 1000)
    scheduler.alphas_cumprod = torch.cumprod(1 - betas, 0)


def in_half_precision(scheduler: Any) -> None:
    scheduler.alphas_cumprod = torch.cumprod(1 - scheduler.betas.bfloat16(), 0).float()


@pytest.mark.parametrize("change", [one_factor_less, of_roots, other_end, in_half_precision])
@pytest.mark.parametrize("rescaled", ["False", "True"])
def test_a_wrong_schedule_is_refuted(change: Any, rescaled: str, mutant: Any) -> None:
    config = {"beta_schedule": "linear", "rescale_betas_zero_snr": rescaled}
    assert judge([found(DDIM, SCHEDULE, **config)]) is Verdict.PROVED
    mutant("__init__", change)
    assert judge([found(DDIM, SCHEDULE, **config)]) is Verdict.REFUTED


@pytest.mark.parametrize("name", ["scaled_linear", "squaredcos_cap_v2", "sigmoid"])
def test_one_schedule_is_not_taken_for_another(name: str, mutant: Any) -> None:
    config = {"beta_schedule": name, "rescale_betas_zero_snr": "False"}
    assert judge([found(DDPM, SCHEDULE, **config)]) is Verdict.PROVED
    mutant("__init__", other_end)
    assert judge([found(DDPM, SCHEDULE, **config)]) is Verdict.REFUTED


# --- configurations ---------------------------------------------------------------------------------------


def test_every_pair_of_values_is_in_some_configuration() -> None:
    made = [t.config for t in tasks(MULTISTEP, only=FINITE)]
    assert {c["clip_sample"] for c in [t.config for t in tasks(DDIM, only=FINITE)]} == {"False"}
    varied = {k: {c[k] for c in made} for k in made[0]}
    for a, b in combinations(varied, 2):
        pairs = {(c[a], c[b]) for c in made}
        missing = set(product(varied[a], varied[b])) - pairs
        assert missing <= {("dpmsolver", "zero"), ("sde-dpmsolver", "zero")}, (a, b)
    assert len(made) < 40


def test_the_reproduce_line_asks_for_the_same_task() -> None:
    for task in tasks(FLOW, only=WHOLE):
        assert tasks(FLOW, only=WHOLE, config=task.config) == [task]


def test_a_number_of_steps_that_an_obligation_is_not_about_asks_for_it_all_the_same() -> None:
    made: list[Task] = tasks(DDIM, only=FINITE, config={"steps": "7", "prediction_type": "sample"})
    assert made
    assert all(t.config["steps"] == "7" and t.config["prediction_type"] == "sample" for t in made)


def test_between_training_steps_any_interpolation_is_taken() -> None:
    curve = [(0.0, 0.01), (1.0, 0.04), (2.0, np.inf)]
    low, high = between(curve, 0.5)
    assert (low, high) == (pytest.approx(0.02), pytest.approx(0.025, rel=0.01))
    assert between(curve, -3.0) == (0.01, 0.01)
    assert between(curve, 1.5) == (0.04, np.inf)
