"""Schedulers of diffusers with one place changed: none is proved where it is wrong.

What is right all the same is proved: a sampler that carries too little noise still takes a point to the
level listed next.
"""

import contextlib
import io
import math
from pathlib import Path

import pytest
import scheduler_mutants as mutants
import torch
from mutation import released
from scheduler_mutants import Mutant

from equiv.evidence import Conformance
from equiv.obligations import check
from equiv.result import Task
from equiv.subjects import diffusers as adapter
from equiv.subjects.subject import configuration, resolve
from equiv.verdict import Verdict, judge

# diffusers' own
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

MUTANTS = [
    pytest.param(f"{name}Scheduler", mutant, id=f"{name}: {mutant.name}")
    for name, among in (
        ("DDIM", mutants.DDIM),
        ("DDPM", mutants.DDPM),
        ("EulerDiscrete", mutants.EULER),
        ("EulerAncestralDiscrete", mutants.ANCESTRAL),
        ("FlowMatchEulerDiscrete", mutants.FLOW),
        ("DPMSolverMultistep", mutants.DPM_MULTISTEP),
        ("HeunDiscrete", mutants.HEUN),
        ("UniPCMultistep", mutants.UNIPC),
        ("PNDM", mutants.PLMS),
        ("KDPM2Discrete", mutants.MIDPOINT),
        ("DDIMInverse", mutants.INVERSE),
        ("KDPM2AncestralDiscrete", mutants.ANCESTRAL_MIDPOINT),
        ("DPMSolverSDE", mutants.DPM_SDE),
        ("CogVideoXDPM", mutants.COGVIDEOX),
        ("TCD", mutants.TCD),
        ("FlowMatchLCM", mutants.FLOW_LCM),
        ("ScoreSdeVe", mutants.SCORE_VE),
    )
    for mutant in among
]
PLAIN = {"timestep_spacing": "leading", "clip_sample": "False", "steps": "3", "skip_prk_steps": "True"}
STEPS = {"DPMSolverMultistep": "5", "UniPCMultistep": "5", "PNDM": "6"}  # until their memory is full


def configured(subject: str, mutant: Mutant) -> dict[str, str]:
    found = resolve(subject)
    steps = {"steps": STEPS.get(subject.removeprefix("diffusers.").removesuffix("Scheduler"), "3")}
    given = {k: v for k, v in {**PLAIN, **steps, **mutant.config}.items() if k in found.options}
    return configuration(found, given)


@pytest.mark.parametrize(("name", "mutant"), MUTANTS)
def test_a_mutant_is_not_proved_where_it_is_wrong(name: str, mutant: Mutant, tmp_path: Path) -> None:
    subject = f"diffusers.{name}"
    config = configured(subject, mutant)
    owed = dict(zip(("step-equals-formula", "next-level-is-listed"), mutant.verdicts, strict=True))
    if config.get("prediction_type", "epsilon") != "epsilon":
        owed["prediction-type"] = Verdict.REFUTED
    with released(name, mutant.old, mutant.new, tmp_path) as path:
        found = {id_: check(Task(kind="check", id=id_, subject=subject, config=config)) for id_ in owed}
        printed = {id_: prints(e[0].snippet) for id_, e in found.items() if isinstance(e[0], Conformance)}
    verdicts = {id_: judge(evidence) for id_, evidence in found.items()}
    assert verdicts == owed, found
    for id_, (evidence,) in found.items():
        if verdicts[id_] is Verdict.REFUTED:
            assert shows(printed[id_]) == evidence.witness.got
            assert evidence.where.rpartition(":")[0] == str(path)
    if verdicts["step-equals-formula"] is Verdict.REFUTED:
        assert_expected_is_what_the_released_class_gives(subject, config, found["step-equals-formula"][0])


def prints(snippet: str) -> list[float]:
    """What it prints, with the mutant in the place of the released class."""
    drawn, out = torch.randn, io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            exec(snippet, {})
    finally:
        torch.randn = drawn
    return [float(line) for line in out.getvalue().split()]


def shows(values: list[float]) -> str:
    return f"{values[0] if len(values) == 1 else sum(v * v for v in values):.12g}"


def assert_expected_is_what_the_released_class_gives(
    subject: str, config: dict[str, str], evidence: Conformance
) -> None:
    """The formula is ours; the class it is about says whether it is the right one."""
    shown = evidence.witness.inputs
    inputs = {k: float(v) for k, v in shown.items() if k.partition("_")[0] in ("z", "net", "n")}
    right = adapter.run_alone(resolve(subject), config, int(shown["step"]), inputs)
    got, expected = float(evidence.witness.got), float(evidence.witness.expected)
    assert math.isfinite(right)
    assert not abs(got - expected) <= abs(right - expected)  # so that nan is no better than anything


def test_a_mutation_that_changes_nothing_is_proved(tmp_path: Path) -> None:
    with released("DDIMScheduler", mutants.STRIDE, f"{mutants.STRIDE} + 0", tmp_path):
        subject = "diffusers.DDIMScheduler"
        config = configured(subject, mutants.DDIM[0])
        for id_ in ("step-equals-formula", "next-level-is-listed"):
            assert judge(check(Task(kind="check", id=id_, subject=subject, config=config))) is Verdict.PROVED


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [("no such text", "", "has it 0 times"), ("sample", "", "must have"), (mutants.MOVE, "=", "no Python")],
)
def test_a_mutation_that_cannot_be_made_is_an_error(old: str, new: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said), released("DDIMScheduler", old, new, tmp_path):
        pass
