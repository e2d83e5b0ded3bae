"""Experiments on networks: any network will do for what holds for every network, so these are untrained."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
import torch

from equiv.claim import literals
from equiv.evidence import Failure
from equiv.experiments import (
    Header,
    network_churn,
    network_ddim_is_euler,
    network_double_ddim,
    network_heun,
    network_predictions,
    network_scale_invariance,
    reference_networks,
)
from equiv.experiments.reference_networks import Asked, each
from equiv.formulas import steps
from equiv.formulas.levels import Level
from equiv.lookup import Unknown
from equiv.reference import training
from equiv.reference.denoisers import Denoisers
from equiv.reference.recipes import RECIPES
from equiv.result import Task
from equiv.running import selection
from equiv.verdict import Verdict, judge

STEPS = (
    network_ddim_is_euler,
    network_scale_invariance,
    network_predictions,
    network_double_ddim,
    network_churn,
    network_heun,
)
SMALL = {
    "ring": msgspec.structs.replace(RECIPES["ring"], width=8, depth=2, seeds=(0, 1)),
    "digits": msgspec.structs.replace(RECIPES["digits"], width=2, schedules=("cosine",), seeds=(0,)),
}


def untrained(name: str) -> dict[str, Denoisers]:
    return training.denoisers(SMALL[name], training.begin(SMALL[name]).parameters)


@pytest.fixture(autouse=True)
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_networks, "load", untrained)


def task(dtype: str = "float32", networks: str = "ring", seed: int = 0) -> Task:
    return Task(kind="experiment", id="x", dtype=dtype, config={"networks": networks}, seed=seed)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("module", STEPS, ids=lambda m: m.EXPERIMENT.id)
def test_wide_types_support_the_claim_and_reject_every_variant(module: ModuleType, dtype: str) -> None:
    evidence, _ = module.run(task(dtype))
    assert judge(evidence) is Verdict.SUPPORTED
    assert all(e.cases > 100 and len(e.rejected) >= 5 and not e.surviving_variants for e in evidence)


@pytest.mark.parametrize("module", STEPS, ids=lambda m: m.EXPERIMENT.id)
def test_bfloat16_never_refutes_and_says_what_it_cannot_tell_apart(module: ModuleType) -> None:
    evidence, _ = module.run(task("bfloat16"))
    assert judge(evidence) in {Verdict.INCONCLUSIVE, Verdict.SUPPORTED}
    assert all(e.worst <= e.bound for e in evidence)


@pytest.mark.parametrize("module", [network_ddim_is_euler, network_heun], ids=lambda m: m.EXPERIMENT.id)
def test_pictures_are_measured_alike(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SCHEDULES", module.SCHEDULES[:1])
    evidence, _ = module.run(task("float32", "digits"))
    assert judge(evidence) is Verdict.SUPPORTED
    assert all(e.cases >= 64 for e in evidence)


WRONG: dict[ModuleType, tuple[str, Callable[..., Any]]] = {
    network_double_ddim: (
        "ddpm_step",
        lambda z, x, n, now, then: steps.ddpm_step(z, x, n, now, Level(then.alpha * 1.001, then.sigma)),
    ),
    network_churn: (
        "churn_step",
        lambda z, x, n, rho, now, then: steps.churn_step(z, x, n, rho * 1.01, now, then),
    ),
    network_predictions: (
        "ddim_step",
        lambda z, x, now, then: steps.ddim_step(z, x, now, Level(then.alpha, then.sigma * 1.001)),
    ),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("module", WRONG, ids=lambda m: m.EXPERIMENT.id)
def test_a_wrong_sampler_is_refuted(module: ModuleType, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, wrong = WRONG[module]
    monkeypatch.setattr(module, name, wrong)
    evidence, _ = module.run(task(dtype))
    assert judge(evidence) is Verdict.REFUTED
    assert all(e.witness is None or e.witness.inputs.keys() == {"t", "s", "z_t"} for e in evidence)


def test_a_network_asked_at_another_level_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each side asks for itself: a sampler that tells its network a level slightly off is seen."""
    asked = next(each(task("float64"), network_heun.SCHEDULES))

    class Late:
        kind = asked.networks.kind

        def __call__(self, z: Any, level: Level[Any]) -> Any:
            return asked.networks(z, Level(level.alpha, level.sigma * 1.001))

    honest = network_heun.heun_in_row
    monkeypatch.setattr(network_heun, "heun_in_row", lambda kind, _n, *rest: honest(kind, Late(), *rest))
    assert judge([network_heun.in_rows(asked)]) is Verdict.REFUTED


@pytest.mark.parametrize("module", STEPS, ids=lambda m: m.EXPERIMENT.id)
def test_a_network_that_breaks_decides_nothing(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Denoisers.raw
    monkeypatch.setattr(Denoisers, "raw", lambda self, q, told: honest(self, q, told) * float("nan"))
    assert judge(module.run(task())[0]) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("module", STEPS, ids=lambda m: m.EXPERIMENT.id)
def test_without_the_networks_the_reason_is_the_evidence(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> dict[str, Denoisers]:
        raise Unknown(f"train {name}")

    monkeypatch.setattr(reference_networks, "load", missing)
    evidence, _ = module.run(task())
    assert evidence == [Failure(kind="not installed", reason="train ring")]


def test_states_are_those_that_occur_and_the_last_step_goes_to_the_data() -> None:
    asked: Asked = next(each(task("float64"), network_heun.SCHEDULES))
    assert asked.steps.z_t.shape == (6, 22, 2)
    assert (asked.steps.s == 0).sum() == 2
    assert (asked.steps.s < asked.steps.t).all()
    assert not torch.equal(asked.steps.z_t[0], asked.steps.z_t[1])


@pytest.mark.parametrize("module", STEPS, ids=lambda m: m.EXPERIMENT.id)
def test_the_header_is_made_of_literals(module: ModuleType) -> None:
    assert module.__file__ is not None
    assert msgspec.convert(literals(Path(module.__file__), "EXPERIMENT"), Header) == module.EXPERIMENT
    assert set(module.EXPERIMENT.networks) <= set(RECIPES)


def test_the_default_leaves_out_what_takes_minutes() -> None:
    chosen, whole = selection.experiments(), selection.experiments(full=True)
    assert {t.config.get("networks", "ring") for t in chosen} == {"ring"}
    assert {t.config["networks"] for t in whole if t.config} == set(RECIPES)
    assert {t.name for t in chosen} < {t.name for t in whole}


def test_networks_are_chosen_by_name_and_the_reproduce_line_says_so() -> None:
    (one,) = selection.experiments(["x-network-heun"], dtype="float32", networks="digits")
    assert one.reproduce == (
        "equiv experiment x-network-heun --networks digits --dtype float32 --device cpu --seed 0"
    )
    with pytest.raises(Unknown, match="digits"):
        selection.experiments(["x-network-heun"], networks="digit")
    with pytest.raises(Unknown, match="none"):
        selection.experiments(["x-ddim-is-euler"], networks="digits")
