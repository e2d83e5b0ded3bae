"""The obligations on the released diffusers: what is right is proved, and its known defect is refuted."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import torch

from equiv.evidence import Conformance, Defect
from equiv.obligations import check, tasks
from equiv.subjects.diffusers import building
from equiv.subjects.subject import configuration, resolve
from equiv.verdict import Verdict, judge

pytestmark = [
    pytest.mark.skipif(
        metadata.version("diffusers") != "0.42.1",
        reason="what is proved and refuted here is diffusers 0.42.1",
    ),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # diffusers' own
]

DDIM, DDPM, EULER, ANCESTRAL, FLOW = (
    f"diffusers.{name}Scheduler"
    for name in ("DDIM", "DDPM", "EulerDiscrete", "EulerAncestralDiscrete", "FlowMatchEulerDiscrete")
)
TIMES = (
    "run with {} steps on a state of shape 2 x 3 x 5 x 7; taken as they are: the levels listed, "
    "that the timesteps told to the network stand for them, that draws are independent"
)
ABOVE_THE_FLOOR = "0 < (1 - A_s)/(1 - A_t)*(1 - A_t/A_s) - 1e-20"

RIGHT = [
    (DDIM, {"timestep_spacing": "leading", "prediction_type": "epsilon", "clip_sample": "True", "eta": "0"}),
    (DDIM, {"timestep_spacing": "leading", "prediction_type": "sample", "clip_sample": "True", "eta": "1"}),
    (
        DDIM,
        {
            "timestep_spacing": "trailing",
            "prediction_type": "v_prediction",
            "clip_sample": "False",
            "eta": "1",
        },
    ),
    (DDPM, {"timestep_spacing": "leading", "prediction_type": "epsilon", "clip_sample": "True"}),
    (
        DDPM,
        {
            "timestep_spacing": "linspace",
            "prediction_type": "v_prediction",
            "clip_sample": "False",
            "steps": "13",
        },
    ),
    (EULER, {"timestep_spacing": "linspace", "prediction_type": "epsilon"}),
    (EULER, {"timestep_spacing": "trailing", "prediction_type": "sample", "steps": "13"}),
    (ANCESTRAL, {"timestep_spacing": "leading", "prediction_type": "v_prediction"}),
    (FLOW, {}),
    (FLOW, {"steps": "13"}),
]
STEPWISE = ("step-equals-formula", "prediction-type", "next-level-is-listed")
STRIDE = {"timestep_spacing": "linspace", "prediction_type": "epsilon", "clip_sample": "True", "eta": "0"}


def described(part: object) -> str:
    return " ".join(part.values()) if isinstance(part, dict) else str(part).partition(".")[2]


@pytest.mark.parametrize(("subject", "config"), RIGHT, ids=described)
def test_what_is_right_is_proved_under_the_conditions_it_needs(subject: str, config: dict[str, str]) -> None:
    steps = config.get("steps", "10")
    needed = {TIMES.format(steps)} | ({ABOVE_THE_FLOOR} if subject == DDPM else set())
    asked = configuration(resolve(subject), {"steps": steps, **config})
    owed = [task for id_ in STEPWISE for task in tasks(subject, only=id_, config=asked)]
    assert len(owed) == 2 + ("prediction_type" in config and config["prediction_type"] != "epsilon")
    for task in owed:
        (found,) = check(task)
        assert judge([found]) is Verdict.PROVED, (task.name, found.reason)
        assert found.steps == int(steps)
        assert {
            c.text for c in found.conditions if not c.discharged and c.kind != "library setting"
        } == needed


def refuted(obligation: str, config: dict[str, str]) -> Conformance:
    (task,) = tasks(DDIM, only=obligation, config={"steps": "10", **config})
    (found,) = check(task)
    assert isinstance(found, Conformance)
    assert judge([found]) is Verdict.REFUTED
    assert found.reproduced
    return found


@pytest.mark.parametrize("obligation", ["step-equals-formula", "next-level-is-listed"])
def test_a_fixed_stride_in_place_of_the_list_is_refuted(obligation: str) -> None:
    found = refuted(obligation, STRIDE)
    inputs = found.witness.inputs
    assert (inputs["step"], inputs["timestep"]) == ("0", "999")
    assert {"A_899 = alphas_cumprod[899]", "A_s = alphas_cumprod[888]"} <= set(inputs)
    path, _, line = found.where.rpartition(":")
    assert Path(path).name == "scheduling_ddim.py"
    assert "alpha_prod_t_prev" in Path(path).read_text(encoding="utf-8").splitlines()[int(line) - 1]


def test_the_snippet_shows_the_witness_with_the_library_alone() -> None:
    found = refuted("step-equals-formula", STRIDE)
    assert "equiv" not in found.snippet
    ran = subprocess.run(
        [sys.executable, "-c", found.snippet], capture_output=True, text=True, check=True, timeout=60
    )
    assert f"{float(ran.stdout):.12g}" == found.witness.got
    assert abs(float(found.witness.got) - float(found.witness.expected)) > 1e4 * float(found.witness.bound)


def test_only_where_the_stride_is_not_the_list_is_it_refuted() -> None:
    trailing = {**STRIDE, "timestep_spacing": "trailing"}
    assert refuted("next-level-is-listed", {**trailing, "steps": "13"}).witness.inputs["step"] == "0"
    (task,) = tasks(DDIM, only="next-level-is-listed", config={"steps": "10", **trailing})
    assert judge(check(task)) is Verdict.PROVED


def test_what_cannot_be_read_is_unsupported(monkeypatch: pytest.MonkeyPatch) -> None:
    import diffusers

    class Transforms(diffusers.DDIMScheduler):
        def step(self, net: torch.Tensor, *args: object, **named: object) -> object:
            return super().step(torch.fft.fft(net).real, *args, **named)

    monkeypatch.setattr(building, "_class", lambda _name: Transforms)
    (task,) = tasks(DDIM, only="step-equals-formula", config={**STRIDE, "steps": "7"})
    evidence = check(task)
    assert judge(evidence) is Verdict.UNSUPPORTED
    assert Path(evidence[0].where.rpartition(":")[0]).name == Path(__file__).name


THIRD_ORDER = {"algorithm_type": "sde-dpmsolver", "solver_order": "3", "final_sigmas_type": "sigma_min"}


@pytest.mark.parametrize("obligation", ["step-equals-formula", "next-level-is-listed"])
def test_an_error_that_refuses_nothing_is_a_defect_and_shown(obligation: str) -> None:
    task = tasks("diffusers.DPMSolverMultistepScheduler", only=obligation, config=THIRD_ORDER)[0]
    (found,) = check(task)
    assert judge([found]) is Verdict.REFUTED
    assert (found.defect, found.witness.inputs["step"]) == (Defect.RAISES, "2")
    assert found.where.rpartition(":")[0].endswith("scheduling_dpmsolver_multistep.py")
    ran = subprocess.run(
        [sys.executable, "-c", found.snippet], check=False, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 1
    assert ran.stderr.strip().endswith(found.witness.got)


@pytest.mark.parametrize("error", [ValueError("not this prediction type"), NotImplementedError()])
def test_what_the_library_refuses_is_no_defect(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    import diffusers

    class Refuses(diffusers.DDIMScheduler):
        def step(self, *_args: object, **_named: object) -> object:
            raise error

    monkeypatch.setattr(building, "_class", lambda _name: Refuses)
    (task,) = tasks(DDIM, only="step-equals-formula", config={**STRIDE, "steps": "9"})
    with pytest.raises(type(error)):
        check(task)


def test_an_error_of_the_reading_alone_is_no_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    import diffusers

    class Watches(diffusers.DDIMScheduler):
        def step(self, *args: object, **named: object) -> object:
            if torch.utils._python_dispatch._get_current_dispatch_mode() is not None:
                raise RuntimeError("watched")
            return super().step(*args, **named)

    monkeypatch.setattr(building, "_class", lambda _name: Watches)
    (task,) = tasks(DDIM, only="step-equals-formula", config={**STRIDE, "steps": "8"})
    with pytest.raises(RuntimeError, match="watched"):
        check(task)


@pytest.mark.parametrize(
    ("subject", "wrong"),
    [
        (EULER, {"s_churn": "2"}),
        ("diffusers.EDMEulerScheduler", {"s_churn": "2"}),
        (DDPM, {"variance_type": "fixed_large_log"}),
        ("diffusers.IPNDMScheduler", {}),
    ],
    ids=described,
)
def test_what_is_wrong_is_shown_by_the_library_alone(subject: str, wrong: dict[str, str]) -> None:
    config = configuration(resolve(subject), {**wrong, "steps": "3"})
    owed = ("step-equals-formula", "next-level-is-listed")
    for task in (t for id_ in owed for t in tasks(subject, only=id_, config=config)):
        (found,) = check(task)
        assert judge([found]) is Verdict.REFUTED
        runs = [
            subprocess.run(
                [sys.executable, "-c", part], capture_output=True, text=True, check=True, timeout=60
            )
            for part in found.snippet.split("\n\n")
            if not part.startswith("#")
        ]
        printed = [float(run.stdout) for run in runs]
        shown = printed[0] if len(printed) == 1 else sum(v * v for v in printed)
        assert f"{shown:.12g}" == found.witness.got
