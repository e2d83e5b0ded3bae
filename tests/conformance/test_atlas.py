"""The map of samplers: who is grouped with whom, on what ground, at what cost, and how it is drawn."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from flint import arb

from equiv import atlas as drawing
from equiv.atlas import atlas, specifications
from equiv.groups import Atlas, Group
from equiv.report import chart, write
from equiv.result import decode
from equiv.subjects.subject import expand
from equiv.textbook import FORMULAS

NAMES = (
    "diffusers.DDIMScheduler",
    "diffusers.DDPMScheduler",
    "diffusers.FlowMatchEulerDiscreteScheduler",
    "diffusers.DPMSolverMultistepInverseScheduler",
    "k_diffusion.sample_euler",
    "k_diffusion.sample_dpmpp_2m",
    "k_diffusion.sample_lms",
    "k_diffusion.sample_dpm_adaptive",
    "smalldiffusion.samples",
)


@pytest.fixture(scope="module")
def found() -> Atlas:
    return atlas(NAMES)


def group(found: Atlas, spec: str) -> Group:
    (one,) = [g for g in found.groups if any(m.spec == spec for m in g.members)]
    return one


def test_samplers_of_three_libraries_are_one_and_have_their_formula(found: Atlas) -> None:
    ddim = group(found, "diffusers.DDIMScheduler")
    # options of a grid are no options of the step
    assert {m.spec.partition(",")[0] for m in ddim.members} == {
        "diffusers.DDIMScheduler",
        "diffusers.FlowMatchEulerDiscreteScheduler",
        "k_diffusion.sample_euler",
        "smalldiffusion.samples",
    }
    assert ddim.formulas[:2] == ("ddim", "flow-euler")
    assert ddim.kind == "one output a step, without noise"
    assert {m.gauge for m in ddim.members} == {"variance preserving", "variance exploding", "flow"}


def test_noise_memory_and_options_part_them(found: Atlas) -> None:
    ddpm = group(found, "diffusers.DDPMScheduler")
    assert {m.spec for m in ddpm.members} == {
        "diffusers.DDIMScheduler,eta=1",
        "diffusers.DDPMScheduler",
        "smalldiffusion.samples,mu=0.5",
    }
    assert ddpm.kind == "one output a step, with noise"
    assert "unip-2,b_h=bh2" in group(found, "k_diffusion.sample_dpmpp_2m").formulas
    assert group(found, "k_diffusion.sample_dpmpp_2m").kind == "outputs of several steps, without noise"
    assert group(found, "k_diffusion.sample_euler,s_churn=1").formulas == ("edm-churn,gamma=1/5",)


def test_what_clips_adapts_or_takes_numbers_is_outside_with_the_reason(found: Atlas) -> None:
    why = {s.spec: s.why for s in found.outside}
    assert "a clip" in why["diffusers.DDIMScheduler,clip_sample=True"]
    assert "depends on the state" in why["k_diffusion.sample_dpm_adaptive"]
    assert "known at its own levels alone: concretised value" in why["k_diffusion.sample_lms"]
    assert "do not fall" in why["diffusers.DPMSolverMultistepInverseScheduler,solver_order=1"]
    assert not any("site-packages" in text for text in why.values())
    placed = {m.spec for g in found.groups for m in g.members}
    assert not placed & set(why)


def test_every_sampler_is_somewhere_once(found: Atlas) -> None:
    placed = [m.spec for g in found.groups for m in g.members]
    placed += [s.spec for s in (*found.outside, *found.undecided)]
    assert sorted(placed) == sorted(specifications(expand(NAMES)))


def test_the_values_at_a_point_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all matrices alike at that point, still nobody is put where he is not proved to be."""
    monkeypatch.setattr(drawing, "numbers", lambda *_: [arb(1)])
    alike = atlas(("diffusers.DDIMScheduler", "diffusers.DDPMScheduler"))
    assert len(group(alike, "diffusers.DDIMScheduler").members) == 1
    assert len(group(alike, "diffusers.DDPMScheduler").members) == 2


def test_a_sampler_with_a_wrong_sign_joins_no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    from diffusers import FlowMatchEulerDiscreteScheduler as Flow

    from equiv.obligations import _lifted
    from equiv.samplers import read

    right = Flow.step
    monkeypatch.setattr(Flow, "step", lambda self, v, *rest, **named: right(self, -v, *rest, **named))
    for cache in (_lifted, read):
        cache.cache_clear()
    try:
        wrong = atlas(("diffusers.DDIMScheduler", "diffusers.FlowMatchEulerDiscreteScheduler"))
    finally:
        for cache in (_lifted, read):
            cache.cache_clear()
    assert group(wrong, "diffusers.FlowMatchEulerDiscreteScheduler").formulas == ()


def test_the_number_of_proofs_grows_with_samplers_and_not_with_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = itertools.count()
    prove = drawing.difference

    def counted(*given: object) -> object:
        next(asked)
        return prove(*given)

    monkeypatch.setattr(drawing, "difference", counted)
    atlas(NAMES)
    formulas = sum(len(list(itertools.product(*f.options.values()))) for f in FORMULAS.values())
    assert next(asked) <= formulas + len(list(specifications(expand(NAMES))))


# --- drawn ------------------------------------------------------------------------------------------------


def test_the_map_is_written_for_programs_browsers_and_slides(found: Atlas, tmp_path: Path) -> None:
    data, svg, png = chart.write(found, tmp_path)
    assert decode(data.read_bytes(), Atlas) == found
    text = svg.read_text()
    assert text.startswith("<svg") and "DDIM" in text and "sample_dpmpp_2m" in text and "sample_lms" in text
    assert png.read_bytes().startswith(b"\x89PNG") and png.stat().st_size > 10_000


def test_every_member_is_in_the_text_and_what_is_in_a_name_is_escaped(found: Atlas) -> None:
    text = "\n".join(chart.lines(found))
    assert all(spec in text for spec in specifications(expand(NAMES)))
    (first, *_) = found.groups
    odd = Atlas(levels=5, versions={}, groups=(renamed(first),), outside=(), undecided=())
    assert "<script>" not in chart.picture(odd)


def renamed(g: Group) -> Group:
    from msgspec.structs import replace

    return replace(g, says=("<script>",))


def test_the_report_shows_the_map_beside_it(found: Atlas, tmp_path: Path) -> None:
    chart.write(found, tmp_path)
    html = written(tmp_path)
    assert 'id="atlas"' in html and "<svg" in html and "smalldiffusion.samples,mu=0.5" in html
    assert 'id="atlas"' not in written(tmp_path / "none")


def written(out: Path) -> str:
    from equiv.result import Run

    run = Run(started="2026-01-01T00:00:00Z", versions={}, results=())
    return write(run, out)[1].read_text()


@pytest.fixture(autouse=True)
def quiet(recwarn: pytest.WarningsRecorder) -> Iterator[None]:
    yield
    recwarn.clear()
