"""Whole samplers of the released diffusers, compared at the three depths."""

import pytest

from equiv.compare import DEPTHS, compare
from equiv.lookup import Unknown

DDIM, DDPM, EULER, ANCESTRAL, FLOW = (
    f"diffusers.{name}Scheduler"
    for name in ("DDIM", "DDPM", "EulerDiscrete", "EulerAncestralDiscrete", "FlowMatchEulerDiscrete")
)
SAME = [(DDIM, FLOW), (DDIM, EULER), (EULER, FLOW), (DDPM, ANCESTRAL), (DDIM, DDIM)]
DIFFERENT = [(DDIM, DDPM), (ANCESTRAL, EULER), (DDPM, FLOW)]


@pytest.mark.parametrize("depth", ["steps", "common-grid"])
@pytest.mark.parametrize(("a", "b"), SAME)
def test_the_same_method_in_another_gauge_is_the_same(a: str, b: str, depth: str) -> None:
    reading = compare(a, b, depth)
    assert reading.answer == "same", reading.text
    assert reading.exit_code == 0


@pytest.mark.parametrize("depth", ["steps", "common-grid"])
@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_a_stochastic_method_is_not_a_deterministic_one(a: str, b: str, depth: str) -> None:
    reading = compare(a, b, depth)
    assert reading.answer == "different", reading.text
    assert reading.exit_code == 1


def test_ddim_and_flow_euler_differ_by_default_at_the_starting_level() -> None:
    reading = compare(DDIM, FLOW, "samplers")
    assert reading.answer == "different"
    assert "first at the starting level: sigma/alpha is 60.8" in reading.text
    assert "infinite" in reading.text


def test_the_gauge_is_named_and_so_is_what_was_switched_off() -> None:
    text = compare(DDIM, FLOW, "steps").text
    assert "z -> z/(alpha + sigma)" in text
    assert "clip_sample=False" in text


def test_a_wrong_sign_in_a_step_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The flow scheduler with its velocity turned is another sampler at both depths."""
    from diffusers import FlowMatchEulerDiscreteScheduler as Flow

    from equiv.obligations import _lifted

    right = Flow.step
    monkeypatch.setattr(Flow, "step", lambda self, v, *rest, **named: right(self, -v, *rest, **named))
    _lifted.cache_clear()
    try:
        answers = {compare(DDIM, FLOW, depth).answer for depth in ("steps", "common-grid")}
    finally:
        _lifted.cache_clear()
    assert answers == {"different"}


def test_a_subject_that_does_not_exist_is_refused_with_the_nearest() -> None:
    with pytest.raises(Unknown, match="DDIMScheduler"):
        compare("diffusers.DDIMSchedular", FLOW, "steps")


def test_the_depths_are_those_of_the_command_line() -> None:
    from equiv.cli import commands

    assert tuple(DEPTHS) == commands.DEPTHS


def test_a_function_is_refused_in_one_line() -> None:
    with pytest.raises(Unknown, match=r"k_diffusion\.sample_euler is a function"):
        compare("k_diffusion.sample_euler", FLOW, "steps")
