"""Schedulers that cannot be read: their coefficients are measured, and wrong ones are found."""

from pathlib import Path

import pytest
from mutation import released
from test_mutants import prints

from equiv.obligations import check
from equiv.result import Task
from equiv.subjects.subject import configuration, resolve
from equiv.verdict import Verdict, judge

DEIS, LMS = "DEISMultistepScheduler", "LMSDiscreteScheduler"
SHORT = {DEIS: {"steps": "5", "solver_order": "3"}, LMS: {"steps": "3", "order": "2"}}


def task(name: str, obligation: str = "step-equals-formula", **given: str) -> Task:
    subject = f"diffusers.{name}"
    config = configuration(resolve(subject), {**SHORT[name], **given})
    return Task(kind="check", id=obligation, subject=subject, config=config)


@pytest.mark.parametrize("name", [DEIS, LMS])
def test_what_leaves_torch_is_measured_and_said_to_be(name: str) -> None:
    found = check(task(name, timestep_spacing="trailing"))
    assert judge(found) is Verdict.SUPPORTED
    said = [c.text for c in found[0].conditions]
    assert said[0].startswith("probed, as it was not read: ") and said[0].endswith(" left torch")
    assert any("roundings of float64" in text for text in said)


def test_what_is_not_measured_is_unsupported() -> None:
    found = check(task(LMS, "next-level-is-listed"))
    assert judge(found) is Verdict.UNSUPPORTED
    assert "_quadpack" in found[0].where


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (DEIS, "coef1 * m0 + coef2 * m1)", "coef2 * m0 + coef1 * m1)"),
        (DEIS, "+ coef3 * m2", "+ 1.01 * coef3 * m2"),
        (DEIS, "self.model_outputs[i] = self.model_outputs[i + 1]", "self.model_outputs[i] = model_output"),
        (LMS, "prev_sample = sample + sum(", "prev_sample = sample + 1.002 * sum("),
        (LMS, "sample = sample / ((sigma**2 + 1) ** 0.5)", "sample = sample / (sigma**2 + 1)"),
    ],
)
def test_a_wrong_coefficient_is_found_and_shown_by_the_library_alone(
    name: str, old: str, new: str, tmp_path: Path
) -> None:
    with released(name, old, new, tmp_path):
        (found,) = check(task(name))
        assert judge([found]) is Verdict.REFUTED
        (printed,) = prints(found.snippet)
    got, expected = float(found.witness.got), float(found.witness.expected.rpartition(" ")[2])
    assert abs(printed - got) < abs(printed - expected)


def test_a_step_that_is_not_affine_is_not_measured(tmp_path: Path) -> None:
    bent = "prev_sample = sample + sum("
    with released(LMS, bent, f"{bent.replace('sample + sum', 'sample + 1e-3 * sample**2 + sum')}", tmp_path):
        found = check(task(LMS))
    assert judge(found) is Verdict.UNSUPPORTED
    assert "probed instead: at z = " in found[0].reason
