"""Samplers in a file of one's own that look like what they are not, and right ones that look strange."""

from pathlib import Path

import pytest

from equiv.compare import compare
from equiv.obligations import check, tasks
from equiv.verdict import Verdict, judge

LOOP = """
import torch
def sampler(model, x, sigmas):
    {before}
    for t, s in zip(sigmas[:-1], sigmas[1:]):
        {step}
    return x
"""
DDIM = "x = m + s / t * (x - m)"
DDPM = "x = m + (s / t) ** 2 * (x - m) + s * (1 - (s / t) ** 2) ** 0.5 * n"


def written(folder: Path, step: str, before: str = "pass") -> str:
    file = folder / "mine.py"
    file.write_text(LOOP.format(before=before, step=step))
    return f"{file}:sampler"


def verdicts(subject: str, only: str, **config: str) -> set[Verdict]:
    return {judge(check(task)) for task in tasks(subject, only=only, config=config)}


GIVEN_MORE = [
    "u, c = model(x, t, None), model(x, t, 'cat'); m = u + 3 * (c - u); " + DDIM,
    "m = model(x, t, x_self_cond=x); " + DDIM,
]
FED_OTHERWISE = [
    "m = model(x[:1], t).expand_as(x); " + DDIM,
    "m = model(x[:1], t); " + DDIM,
    "m = model(x.reshape(x.shape[0] * x.shape[1], -1), t).reshape(x.shape); " + DDIM,
]


@pytest.mark.parametrize("step", [*GIVEN_MORE, *FED_OTHERWISE])
def test_what_a_network_would_see_and_is_not_read_is_refused(step: str, tmp_path: Path) -> None:
    subject = written(tmp_path, step)
    assert compare(subject, "k_diffusion.sample_euler", "common-grid").answer == "undecided"
    assert verdicts(subject, "told-level") <= {Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE}


def test_noise_that_repeats_is_not_measured_with_other_noise(tmp_path: Path) -> None:
    step = "torch.manual_seed(0); n = torch.randn_like(x); m = model(x, t); " + DDPM
    config = {"as": "k_diffusion.sample_euler_ancestral"}
    assert verdicts(written(tmp_path, step), "run-equals-method", **config) == {Verdict.UNSUPPORTED}


def test_a_constant_is_seen_where_it_is_measured(tmp_path: Path) -> None:
    step = "m = model(x, t).numpy(); x = torch.from_numpy(m + float(s) / float(t) * (x.numpy() - m) + 5.0)"
    assert verdicts(written(tmp_path, step), "exact-on-point-mass") == {Verdict.REFUTED}


def test_a_model_that_is_never_asked_is_told_nothing(tmp_path: Path) -> None:
    assert verdicts(written(tmp_path, "x = s / t * x"), "told-level") == {Verdict.UNSUPPORTED}


@pytest.mark.parametrize(
    ("step", "before"),
    [
        ("m = model(x, t); x = m + s * n", "n = torch.randn_like(x)"),
        ("m = model(x, t); n, old = torch.randn_like(x), n; " + DDPM + " - 2 * s * old", "n = 0 * x"),
    ],
)
def test_noise_of_an_earlier_step_is_not_fresh(step: str, before: str, tmp_path: Path) -> None:
    for task in tasks(written(tmp_path, step, before), only="told-level"):
        assert not any("DDPM" in e.found or "rho" in e.found for e in check(task) if hasattr(e, "found"))


@pytest.mark.parametrize(
    "step",
    [
        "n = torch.randn(x.numel(), dtype=x.dtype).view_as(x); m = model(x, t); " + DDPM,
        "m = model(x, sigma=t); " + DDIM,
        "model.eval(); m = model(x, t); " + DDIM,
    ],
)
@pytest.mark.parametrize("obligation", ["told-level", "exact-on-point-mass", "run-is-finite"])
def test_what_is_right_is_not_accused(step: str, obligation: str, tmp_path: Path) -> None:
    assert Verdict.REFUTED not in verdicts(written(tmp_path, step), obligation)


def test_draws_made_at_once_are_not_taken_for_one(tmp_path: Path) -> None:
    before = "draws = iter(torch.randn(len(sigmas) - 1, *x.shape, dtype=x.dtype))"
    subject = written(tmp_path, "n = next(draws); m = model(x, t); " + DDPM, before)
    assert Verdict.REFUTED not in verdicts(subject, "told-level")
