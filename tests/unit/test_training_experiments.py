"""Training is equivalent where it is said to be, and the tests of laws decide what they should."""

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
import torch

from equiv.claim import literals
from equiv.evidence import Outcome
from equiv.experiments import (
    Header,
    false_alarms,
    network_laws,
    reference_networks,
    training_coupled,
    training_gradients,
    training_schedules,
)
from equiv.experiments.training_schedules import Moment
from equiv.formulas.levels import log_snr
from equiv.formulas.steps import ddpm_step
from equiv.reference import training
from equiv.reference.denoisers import Denoisers
from equiv.reference.gradients import backward, evaluate, order
from equiv.reference.networks import initial, mlp, mlp_layers
from equiv.reference.recipes import RECIPES, SCHEDULES
from equiv.result import Task
from equiv.rounding import Rounded, exact
from equiv.verdict import Verdict, judge

SMALL = msgspec.structs.replace(RECIPES["ring"], width=8, depth=2, seeds=(0, 1, 2))
MODULES = (false_alarms, network_laws, training_coupled, training_gradients, training_schedules)


def untrained(_name: str) -> dict[str, Denoisers]:
    return training.denoisers(SMALL, training.begin(SMALL).parameters)


@pytest.fixture(autouse=True)
def small_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (reference_networks, network_laws, training_schedules):
        monkeypatch.setattr(module, "load", untrained)
    monkeypatch.setattr(training_coupled, "RECIPES", {"ring": SMALL})


def task(dtype: str = "float32") -> Task:
    return Task(kind="experiment", id="x", dtype=dtype, config={"networks": "ring"})


@pytest.mark.parametrize("module", MODULES, ids=lambda m: m.EXPERIMENT.id)
def test_the_header_is_made_of_literals(module: ModuleType) -> None:
    assert module.__file__ is not None
    assert msgspec.convert(literals(Path(module.__file__), "EXPERIMENT"), Header) == module.EXPERIMENT


def gradient_inputs(dtype: torch.dtype = torch.float64) -> tuple[dict[str, torch.Tensor], list[torch.Tensor]]:
    parameters = {k: p.to(dtype) for k, p in initial(mlp_layers(2, 6, 2), [1, 2]).items()}
    draw = torch.Generator().manual_seed(0)
    shapes = ((2, 5, 2), (2, 5, 1), (2, 5, 2))
    return parameters, [torch.randn(s, generator=draw, dtype=torch.float64).to(dtype) for s in shapes]


def test_back_propagation_written_out_is_automatic_differentiation() -> None:
    parameters, (q, told, cotangent) = gradient_inputs()
    found = backward(parameters, q, told, cotangent)
    for net, case in itertools.product(range(2), range(5)):
        leaves = {k: p[net : net + 1].clone().requires_grad_() for k, p in parameters.items()}
        at = (net, slice(case, case + 1))
        output = mlp(leaves, q[at][None], told[at][None])
        (output * cotangent[at][None]).sum().backward()
        grads = [leaves[name].grad for name in order(parameters)]
        expected = torch.cat([g.flatten() for g in grads if g is not None])
        assert torch.allclose(found[net, case], expected, rtol=1e-12, atol=1e-13)


def test_the_bound_of_a_gradient_holds_around_what_goes_in() -> None:
    parameters, given = gradient_inputs()
    radius = 1e-5
    bound = evaluate(parameters, *(Rounded(x, torch.full_like(x, radius)) for x in given)).error
    alone = evaluate(parameters, *map(exact, given)).error
    moved = [
        (
            backward(parameters, *(x + s * 0.9999 * radius for x, s in zip(given, signs, strict=True)))
            - backward(parameters, *given)
        ).abs()
        for signs in itertools.product((-1, 1), repeat=3)
    ]
    assert all((m <= bound).all() for m in moved)
    assert any((m > alone).any() for m in moved)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_matched_trainings_take_the_same_steps(dtype: str) -> None:
    evidence, _ = training_gradients.run(task(dtype))
    assert judge(evidence) is Verdict.SUPPORTED
    assert all(e.cases > 1000 and len(e.rejected) >= 4 for e in evidence)


def test_a_weight_that_is_off_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = training_gradients.weight_of
    monkeypatch.setattr(
        training_gradients,
        "weight_of",
        lambda kind: (lambda level: 1.0001 * honest(kind)(level)) if kind == "u" else honest(kind),
    )
    evidence, _ = training_gradients.run(task("float64"))
    assert judge(evidence) is Verdict.REFUTED


def test_another_constant_between_flow_matching_and_v_is_refuted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_gradients, "pi", lambda like: 0 * like + 3.1415)
    evidence, _ = training_gradients.run(task("float64"))
    assert judge(evidence) is Verdict.REFUTED


def test_two_descents_stay_together_and_false_ones_do_not() -> None:
    evidence, figures = training_coupled.run(task("float64"))
    assert judge(evidence) is Verdict.SUPPORTED
    assert len(evidence) == 6
    (panel,) = figures["coupled-descents"]["panels"]
    matched, *false = (series["paths"][0][-1][1] for series in panel["series"])
    assert matched < -10
    assert all(end > -2 for end in false)


def test_the_expected_loss_is_the_same_on_every_schedule() -> None:
    """False-alarm rate of this test: 24 intervals of level 1e-3, at a fixed seed."""
    evidence, _ = training_schedules.run(task())
    assert len(evidence) == 24
    assert all(e.worst <= e.bound for e in evidence)
    assert all("the falling rate left out" in e.rejected for e in evidence[::2])


def test_a_loss_that_depends_on_the_schedule_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = training_schedules.falling
    monkeypatch.setattr(training_schedules, "falling", lambda s, t: honest(s, t) * (1 - 0.3 * t))
    evidence, _ = training_schedules.run(task())
    assert judge(evidence) is Verdict.INCONCLUSIVE
    assert any(e.worst > e.bound for e in evidence)


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_bound_of_the_weight_is_a_bound_and_no_waste(name: str) -> None:
    schedule, times = SCHEDULES[name], training.span(SCHEDULES[name])
    t = torch.linspace(*times, 20001, dtype=torch.float64)
    reached = training.weighting(log_snr(schedule(t))) * training_schedules.falling(schedule, t)
    most = training_schedules.largest(name, times)
    assert reached.max() * (times[1] - times[0]) <= most
    assert reached.max() * (times[1] - times[0]) > 0.5 * most


@pytest.mark.parametrize("name", SCHEDULES)
def test_times_are_found_by_their_log_snr(name: str) -> None:
    lambda_t = torch.linspace(-8, 8, 33, dtype=torch.float64)
    found = training_schedules.inverse(SCHEDULES[name], lambda_t)
    assert torch.allclose(log_snr(SCHEDULES[name](found)), lambda_t, atol=1e-9)


def test_intervals_that_meet_hold_and_others_do_not() -> None:
    draw = torch.Generator().manual_seed(0)
    low, high = (Moment(torch.rand(5000, generator=draw) * width, 1.0) for width in (0.5, 1.0))
    same = Moment(torch.rand(5000, generator=draw) * 0.5, 1.0)
    assert training_schedules.compared("", low, same, {"wider": high}).outcome is Outcome.HOLDS
    assert training_schedules.compared("", low, high, {"wider": high}).outcome is Outcome.UNKNOWN
    assert training_schedules.compared("", low, same, {"same": same}).outcome is Outcome.UNKNOWN


def asked() -> network_laws.Asked:
    return network_laws.Asked(untrained("ring")["v"][:1], 2, 0, "")


def test_stochastic_samplers_of_one_law_are_not_told_apart() -> None:
    """False-alarm rate of this test: 2 in 1000, at a fixed seed."""
    found = network_laws.same_law(asked())
    assert found.worst <= found.bound


def large_variance(z: Any, x: Any, n: Any, now: Any, then: Any) -> Any:
    return ddpm_step(z, x, 2 * n, now, then)


@pytest.mark.parametrize("test", [network_laws.same_law, network_laws.not_told_apart])
def test_another_law_is_told_apart_and_refutes_nothing(test: Callable[..., Any]) -> None:
    found = test(asked(), large_variance)
    assert found.worst > found.bound
    assert found.outcome is Outcome.UNKNOWN


def test_rates_of_false_alarms_are_held_against_the_level(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(false_alarms, "TRIALS", dict.fromkeys(false_alarms.TRIALS, 400))
    evidence, _ = false_alarms.run(task("float64"))
    assert all(e.worst <= e.bound for e in evidence)
    too_often = false_alarms.calibrated("sequential", false_alarms.peeking, {}, 0)
    assert too_often.worst > too_often.bound
    assert too_often.outcome is Outcome.UNKNOWN
    assert not math.isnan(too_often.worst)
