"""Code that the suite has never seen, named by its place: what is right stands, what is wrong is found."""

import subprocess
import sys
from pathlib import Path

import pytest

from equiv.lookup import Unknown
from equiv.obligations import check, tasks
from equiv.obligations.runs import snippet
from equiv.result import Task
from equiv.verdict import Verdict, judge

RESEARCH = Path(__file__).parent.parent / "research"
RISING = {"time": "noise-at-0", "prediction": "velocity"}
PROVED, SUPPORTED, REFUTED = Verdict.PROVED, Verdict.SUPPORTED, Verdict.REFUTED
INCONCLUSIVE = Verdict.INCONCLUSIVE

# of three steps: what is told, and what becomes of data in one point
SAMPLERS = [
    ("edm_heun.py:sample", {}, PROVED, PROVED),
    ("edm_heun.py:told_too_late", {}, REFUTED, PROVED),
    ("renoising.py:stochastic", {}, PROVED, PROVED),
    ("renoising.py:noisier", {}, REFUTED, PROVED),
    ("renoising.py:halfway", {}, PROVED, PROVED),
    ("straight_paths.py:midpoint", RISING, PROVED, PROVED),
    ("straight_paths.py:late", RISING, REFUTED, INCONCLUSIVE),
    ("in_numpy.py:sample", {}, SUPPORTED, PROVED),
    ("in_numpy.py:forgetful", {}, REFUTED, PROVED),
    ("reverse_equation.py:euler_maruyama", {}, INCONCLUSIVE, PROVED),
    ("reverse_equation.py:half_the_drift", {}, REFUTED, REFUTED),
    ("reverse_equation.py:clipped", {}, INCONCLUSIVE, INCONCLUSIVE),
]


def owed(name: str, config: dict[str, str], only: str, steps: str = "3") -> Task:
    (task,) = tasks(f"{RESEARCH}/{name}", only=only, config={**config, "steps": steps})
    return task


@pytest.mark.parametrize(("name", "config", "told", "exact"), SAMPLERS, ids=[s[0] for s in SAMPLERS])
def test_a_sampler_known_only_by_its_file_is_judged(name, config, told, exact) -> None:
    assert judge(check(owed(name, config, "told-level"))) is told
    assert judge(check(owed(name, config, "exact-on-point-mass"))) is exact
    assert judge(check(owed(name, config, "run-is-finite"))) is SUPPORTED


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("renoising.py:stochastic", "each step is DDIM's with eta = 1/2"),
        ("renoising.py:halfway", "each step is of the churn family (rho = 3/2)"),
        ("renoising.py:fresh", "each step is a fresh draw at the next level (rho is infinite)"),
        ("reverse_equation.py:flow", "each step is DDIM's (rho = 1)"),
        ("edm_heun.py:sample", ""),
    ],
)
def test_a_step_is_recognised(name: str, says: str) -> None:
    (evidence,) = check(owed(name, {}, "told-level"))
    assert evidence.found == says


def test_an_option_of_the_code_is_an_option_of_the_check() -> None:
    (evidence,) = check(owed("renoising.py:stochastic", {"eta": "1"}, "told-level"))
    assert evidence.found == "each step is DDPM's (rho = 2)"


@pytest.mark.parametrize(
    ("name", "method", "config", "verdict"),
    [
        ("edm_heun.py:sample", "k_diffusion.sample_heun", {"churn": "0"}, PROVED),
        ("edm_heun.py:sample", "k_diffusion.sample_heun", {}, REFUTED),
        ("edm_heun.py:sample", "k_diffusion.sample_euler", {"churn": "0"}, REFUTED),
        ("in_numpy.py:sample", "k_diffusion.sample_dpmpp_2m", {}, SUPPORTED),
        ("in_numpy.py:doubled", "k_diffusion.sample_dpmpp_2m", {}, REFUTED),
        ("renoising.py:stochastic", "k_diffusion.sample_euler_ancestral", {"eta": "1"}, PROVED),
        ("renoising.py:noisier", "k_diffusion.sample_euler_ancestral", {"eta": "1"}, REFUTED),
    ],
)
def test_a_sampler_is_held_against_a_method_that_is_named(name, method, config, verdict) -> None:
    assert judge(check(owed(name, {**config, "as": method}, "run-equals-method"))) is verdict


@pytest.mark.parametrize(
    ("name", "only", "config"),
    [
        ("edm_heun.py:told_too_late", "told-level", {}),
        ("renoising.py:noisier", "told-level", {}),
        ("reverse_equation.py:half_the_drift", "exact-on-point-mass", {}),
        ("in_numpy.py:forgetful", "told-level", {}),
        ("in_numpy.py:doubled", "run-equals-method", {"as": "k_diffusion.sample_dpmpp_2m"}),
    ],
)
def test_a_counterexample_is_shown_by_the_code_alone(name: str, only: str, config: dict[str, str]) -> None:
    (evidence,) = check(owed(name, config, only))
    assert evidence.outcome.value == "fails"
    squares = "# got is the sum of their squares" in evidence.snippet
    runs = [run for run in evidence.snippet.split("\n\n") if not run.startswith("# got")]
    shown = [_numbers(run) for run in runs]
    places = zip(*shown, strict=True)
    found = [sum(v * v for v in values) if squares else values[0] for values in places]
    wanted = float(evidence.witness.got)
    assert any(v == pytest.approx(wanted, rel=1e-6) for v in found)


def _numbers(snippet: str) -> list[float]:
    """All that a snippet prints, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", snippet], capture_output=True, text=True, check=True)
    words = done.stdout.replace("told", "").replace("fed", "").split()
    return [float(word) for word in words]


@pytest.mark.parametrize(
    ("name", "config", "says"),
    [
        ("straight_paths.py:late", {}, "--time"),
        ("straight_paths.py:late", {"time": "noise-at-0"}, "--prediction"),
        ("renoising.py:nothing", {}, "has no 'nothing'"),
        ("missing.py:step", {}, "there is no such file"),
        ("renoising.py", {}, "FILE.py:NAME"),
        ("edm_heun.py:torch", {}, "a function, or what can be called, is needed"),
        ("edm_heun.py:sample", {"as": "k_diffusion.sample_hein"}, "k_diffusion.sample_heun"),
        ("edm_heun.py:sample", {"prediction": "w"}, "takes prediction in x, eps"),
        ("odd.py:of_four", {}, "(a, b, c, d)"),
        ("odd.py:Made", {}, "cannot be made without arguments"),
        ("broken.py:step", {}, "SyntaxError"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_message(
    name: str, config: dict[str, str], says: str, tmp_path: Path
) -> None:
    (tmp_path / "odd.py").write_text(
        "def of_four(a, b, c, d):\n    return a\nclass Made:\n    def __init__(self, size): ...\n"
    )
    (tmp_path / "broken.py").write_text("def step(:\n")
    place = tmp_path if name.startswith(("odd", "broken")) else RESEARCH
    with pytest.raises(Unknown) as error:
        tasks(f"{place}/{name}", config=config)
    assert says in str(error.value)


def test_an_option_of_another_kind_is_refused() -> None:
    with pytest.raises(Unknown, match="churn needs a float"):
        check(owed("edm_heun.py:sample", {"churn": "much"}, "told-level"))


def test_a_module_is_named_as_its_import(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(RESEARCH)
    (task,) = tasks("renoising:stochastic", only="told-level", config={"steps": "3"})
    assert judge(check(task)) is PROVED
    assert "import_module('renoising')" in snippet(task, [0.5, 1.0], 1.0, [0.0], [0.0])
