"""Whole samplers of the released libraries, compared at the three depths.

What each pair is was derived before it was run: in y = z/alpha a marginal-preserving step is y_s = k y_t +
(1 - k) x_hat + noise, with k = kappa = r_s/r_t for DDIM, kappa^2 for DDPM, sqrt(1 - eta^2 (1 - kappa^2))
kappa for DDIM with eta and for k-diffusion's ancestral step alike.
"""

import shutil
import sys
from pathlib import Path

import pytest

from equiv.compare import DEPTHS, compare, compared, side
from equiv.lookup import Unknown

DDIM, DDPM, EULER, ANCESTRAL, FLOW, DPM, UNIPC, HEUN = (
    f"diffusers.{name}Scheduler"
    for name in (
        "DDIM",
        "DDPM",
        "EulerDiscrete",
        "EulerAncestralDiscrete",
        "FlowMatchEulerDiscrete",
        "DPMSolverMultistep",
        "UniPCMultistep",
        "HeunDiscrete",
    )
)
SAME = [
    (DDIM, FLOW),
    (DDIM, EULER),
    (EULER, FLOW),
    (DDPM, ANCESTRAL),
    (DDIM, DDIM),
    ("k_diffusion.sample_euler", DDIM),
    (f"{DPM},solver_order=1", DDIM),
    ("k_diffusion.sample_euler_ancestral", DDPM),
    ("smalldiffusion.samples,mu=0", DDIM),
    ("smalldiffusion.samples,mu=0.5", "formulas.ddim-then-renoise,rho=2"),
    ("smalldiffusion.samples,mu=0.5", "k_diffusion.sample_euler_ancestral"),
    ("k_diffusion.sample_euler_ancestral,eta=0.5", "formulas.ddim-eta,eta=1/2"),
    ("formulas.churn,rho=3", "formulas.ddim-then-renoise,rho=3"),
    ("k_diffusion.sample_heun", HEUN),
    ("k_diffusion.sample_dpm_2", "diffusers.KDPM2DiscreteScheduler"),
    ("k_diffusion.sample_dpmpp_2m", DPM),
    ("diffusers.EDMDPMSolverMultistepScheduler", DPM),
    ("formulas.unip-2,b_h=bh2", "k_diffusion.sample_dpmpp_2m"),
    ("k_diffusion.sample_dpmpp_2m_sde", f"{DPM},algorithm_type=sde-dpmsolver++"),
    ("diffusers.LCMScheduler", "formulas.fresh-noise"),
    (UNIPC, "formulas.unipc-2,b_h=bh2"),
    ("diffusers.PNDMScheduler", "formulas.pndm"),
    ("k_diffusion.sample_euler,s_churn=1", "formulas.edm-churn,gamma=1/5"),
]
# the second step of a multistep method is the first that is not DDIM's; a second stage bends what follows it
DIFFERENT = [
    (DDIM, DDPM, "c[1]"),
    (ANCESTRAL, EULER, "c[1]"),
    (DDPM, FLOW, "c[1]"),
    (DDIM, f"{DDIM},eta=1", "c[1]"),
    ("formulas.churn,rho=3", "formulas.ddim-eta,eta=1/2", "c[1]"),
    ("k_diffusion.sample_euler,s_churn=1", "formulas.ddim-eta", "level told at call 0"),
    (DDIM, DPM, "H[2,0]"),
    (DPM, UNIPC, "H[2,0]"),
    ("formulas.unip-2,b_h=bh1", "k_diffusion.sample_dpmpp_2m", "H[2,0]"),
    ("formulas.unip-3", f"{DPM},solver_order=3", "H[3,0]"),
    ("diffusers.FlowMatchHeunDiscreteScheduler", HEUN, "H[2,0]"),
    ("k_diffusion.sample_dpmpp_2m_sde", "k_diffusion.sample_dpmpp_2m_sde,solver_type=heun", "H[2,0]"),
    ("smalldiffusion.samples,gam=2", DDIM, "H[2,0]"),
]


@pytest.mark.parametrize(("a", "b"), SAME)
def test_the_same_method_is_the_same_in_any_library(a: str, b: str) -> None:
    for depth in ("steps", "common-grid"):
        reading = compare(a, b, depth)
        assert reading.answer == "same", reading.text
        assert reading.exit_code == 0


@pytest.mark.parametrize(("a", "b", "entry"), DIFFERENT)
def test_another_method_is_told_by_its_first_other_coefficient(a: str, b: str, entry: str) -> None:
    for depth in ("steps", "common-grid"):
        reading = compare(a, b, depth)
        assert reading.answer == "different", reading.text
        assert reading.exit_code == 1
        assert f"first in {entry} " in reading.text or f"first in the {entry} " in reading.text
        assert " against " in reading.text


def test_another_number_of_calls_is_another_sampler() -> None:
    reading = compare(HEUN, DDIM, "common-grid")
    assert reading.answer == "different"
    assert "9 and 5" in reading.text


def test_ddim_and_flow_euler_differ_by_default_at_the_starting_level() -> None:
    reading = compare(DDIM, FLOW, "samplers")
    assert reading.answer == "different"
    assert "first at the starting level: sigma/alpha is 60.8" in reading.text
    assert "infinite" in reading.text


def test_what_takes_any_levels_has_no_grid_of_its_own() -> None:
    reading = compare("k_diffusion.sample_euler", DDIM, "samplers")
    assert reading.answer == "same"
    assert "k_diffusion.sample_euler takes the levels that it is given" in reading.text


def test_gauge_and_prediction_are_named_and_so_is_what_was_switched_off() -> None:
    text = compare(DDIM, FLOW, "steps").text
    assert "z -> z/(alpha + sigma)" in text
    assert "reading the network's flow for its epsilon" in text
    assert "clip_sample=False" in text
    assert "taken as they are: that what a network is told stands for the level listed" in text


def test_what_clips_is_outside_and_never_forced_in() -> None:
    reading = compare(f"{DDIM},clip_sample=True", FLOW, "common-grid")
    assert reading.answer == "undecided"
    assert reading.exit_code == 4
    assert "a clip of what depends on the inputs (" in reading.text


def test_what_has_no_value_at_the_clean_end_is_compared_before_it() -> None:
    solver = f"{DPM},algorithm_type=dpmsolver,solver_order=1,final_sigmas_type=sigma_min"
    assert compare(solver, DDIM, "steps").answer == "same"
    whole = compare(solver, DDIM, "common-grid")
    assert whole.answer == "undecided"
    assert "has no step to the clean end" in whole.text


def test_a_wrong_sign_in_a_step_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The flow scheduler with its velocity turned is another sampler at both depths."""
    from diffusers import FlowMatchEulerDiscreteScheduler as Flow

    from equiv.obligations import _lifted
    from equiv.samplers import read

    right = Flow.step
    monkeypatch.setattr(Flow, "step", lambda self, v, *rest, **named: right(self, -v, *rest, **named))
    for cache in (_lifted, read):
        cache.cache_clear()
    try:
        answers = {compare(DDIM, FLOW, depth).answer for depth in ("steps", "common-grid")}
    finally:
        for cache in (_lifted, read):
            cache.cache_clear()
    assert answers == {"different"}


def test_a_sampler_read_by_another_interpreter_is_the_same() -> None:
    here, there = side(DDPM), side(DDPM, sys.executable)
    for depth in DEPTHS:
        reading = compared(here, there, depth)
        assert reading.answer == "same", reading.text


def test_an_interpreter_that_cannot_read_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(Unknown, match="cannot read"):
        side(DDPM, str(tmp_path / "python"))
    with pytest.raises(Unknown, match="DDPMScheduler"):
        side("diffusers.DDPMSchedular", sys.executable)
    if false := shutil.which("false"):
        with pytest.raises(Unknown, match="cannot read"):
            side(DDPM, false)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("diffusers.DDIMSchedular", "DDIMScheduler"),
        ("formulas.churm", "formulas.churn"),
        ("formulas.churn,rh=2", "rho"),
        ("formulas.churn,rho=two", "rational rho"),
        ("formulas.unip-2,b_h=bh3", "bh2"),
        (f"{DDIM},eta=3", "eta"),
        (f"{DDIM},steps=3", "levels"),
        (f"{DDIM},eta", "KEY=VALUE"),
    ],
)
def test_what_does_not_exist_is_refused_with_the_nearest(spec: str, said: str) -> None:
    with pytest.raises(Unknown, match=said):
        compare(spec, FLOW, "steps")


def test_the_depths_are_those_of_the_command_line() -> None:
    from equiv.cli import commands

    assert tuple(DEPTHS) == commands.DEPTHS
