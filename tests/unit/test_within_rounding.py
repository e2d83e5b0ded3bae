"""What a step does in a type is its formula but for rounding, or another formula, or cannot be told."""

from collections.abc import Callable, Iterator
from typing import Any

import diffusers
import pytest

from equiv import obligations
from equiv.evidence import Experiment
from equiv.lookup import Unknown
from equiv.result import Task
from equiv.running.selection import checks
from equiv.subjects import diffusers as adapter
from equiv.subjects.diffusers import building
from equiv.subjects.subject import configuration, resolve
from equiv.verdict import Verdict, judge

DDIM = "diffusers.DDIMScheduler"
ID = "within-rounding"


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    adapter.subject.cache_clear()
    yield
    adapter.subject.cache_clear()


def found(dtype: str, subject: str = DDIM, **given: str) -> Experiment:
    config = configuration(resolve(subject), {"steps": "10", **given})
    (task,) = obligations.tasks(subject, config=config, dtype=dtype)
    assert task == Task(kind="check", id=ID, subject=subject, config=config, dtype=dtype)
    (evidence,) = obligations.check(task)
    assert isinstance(evidence, Experiment)
    return evidence


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16", "float16"])
@pytest.mark.parametrize(
    "subject", [DDIM, "diffusers.HeunDiscreteScheduler", "diffusers.UniPCMultistepScheduler"]
)
def test_a_released_step_is_within_rounding(subject: str, dtype: str) -> None:
    evidence = found(dtype, subject)
    assert judge([evidence]) is Verdict.SUPPORTED
    assert 0 < evidence.worst <= 1 and evidence.cases >= 8 and len(evidence.rejected) == 3


def test_the_operation_that_loses_the_most_is_named_with_its_line() -> None:
    measure = found("bfloat16", clip_sample="False").measure
    assert "is lost in " in measure and "diffusers/schedulers/scheduling_ddim.py:" in measure


def changed(monkeypatch: pytest.MonkeyPatch, change: Callable[[Any], Any]) -> None:
    class Changed(diffusers.DDIMScheduler):  # type: ignore[misc]
        def step(self, *args: Any, **options: Any) -> Any:
            out = super().step(*args, **options)
            out.prev_sample = change(out.prev_sample)
            return out

    monkeypatch.setattr(building, "_class", lambda _name: Changed)


@pytest.mark.parametrize(
    ("factor", "dtype", "verdict"),
    [
        (1.0, "bfloat16", Verdict.SUPPORTED),
        (1.5, "bfloat16", Verdict.REFUTED),
        (1.0001, "bfloat16", Verdict.INCONCLUSIVE),  # another formula, but bfloat16 cannot show it
        (1.0001, "float32", Verdict.REFUTED),
        (1.5, "float32", Verdict.REFUTED),
    ],
)
def test_another_formula_is_told_from_rounding(
    factor: float, dtype: str, verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed(monkeypatch, lambda x: x * factor)
    evidence = found(dtype, clip_sample="False")
    assert judge([evidence]) is verdict, evidence
    if verdict is Verdict.REFUTED:
        assert evidence.witness is not None
        got, expected = float(evidence.witness.got), float(evidence.witness.expected)
        assert got == pytest.approx(factor * expected, rel=1e-2)


def test_rounding_that_the_code_does_on_its_own_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    changed(monkeypatch, lambda x: x.bfloat16().to(x.dtype))
    assert found("float32", clip_sample="False").worst <= 1


def test_nothing_else_is_asked_of_a_type() -> None:
    config = configuration(resolve(DDIM), {"steps": "10"})
    assert ID not in {t.id for t in obligations.tasks(DDIM, config=config)}
    assert {t.id for t in obligations.tasks(DDIM, config=config, dtype="bfloat16")} == {ID}


@pytest.mark.parametrize(
    ("subject", "only", "dtype", "said"),
    [
        (DDIM, ID, "", "add --dtype"),
        (DDIM, "step-equals-formula", "bfloat16", "leave out --dtype"),
        ("k_diffusion.sample_euler", None, "bfloat16", "only schedulers"),
    ],
)
def test_what_cannot_be_asked_is_said(subject: str, only: str | None, dtype: str, said: str) -> None:
    with pytest.raises(Unknown, match=said):
        checks([subject], only=only, dtype=dtype)
