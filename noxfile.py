"""Tasks. All sessions share one environment, made when pyproject.toml or the constraints change."""

import datetime as dt
import hashlib
import os
import sys
from pathlib import Path

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "tests"]

PYPROJECT = nox.project.load_toml("pyproject.toml")
PROGRAMS = "Scripts" if os.name == "nt" else "bin"
CONSTRAINTS = ("constraints.txt", "constraints-subjects.txt")
SUBJECTS = ("diffusers", "accelerate", "einops", "torchdiffeq", "torchsde")
WITHOUT_DEPENDENCIES = (  # what they declare drags in another torchvision, or much that samplers do not need
    "denoising-diffusion-pytorch",
    "flow-matching",
    "k-diffusion",
    "smalldiffusion",
    "torchcfm",
    "torchdyn",
)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types, and which room may import which."""
    for command in (
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy"],
        ["lint-imports", "--no-logo"],
    ):
        run(session, *command)


@nox.session
def tests(session: nox.Session) -> None:
    """The tests; arguments go to pytest."""
    run(session, "pytest", "-n", "auto", "--benchmark-skip", *session.posargs)


@nox.session
def mutants(session: nox.Session) -> None:
    """Mutants of torch source against what running them says; `-- --pairs 100000` for more."""
    run(session, "python", "tests/mutants/campaign.py", *session.posargs)


@nox.session
def proofs(session: nox.Session) -> None:
    """Every claim."""
    run(session, "equiv", "prove")


@nox.session
def kernel(session: nox.Session) -> None:
    """Every claim, by the second kernel too; its files land in reports/local/kernel/."""
    run(session, "equiv", "prove", "--kernel", "--expect", "not-kernel-checked.toml")


@nox.session
def validate(session: nox.Session) -> None:
    """The libraries under test, against their known defects."""
    run(session, "equiv", "check", "all", "--expect", "expected-defects.toml")


@nox.session
def report(session: nox.Session) -> None:
    """The report with the map of samplers, under reports/local/."""
    run(session, "equiv", "atlas")
    run(session, "equiv", "report", "--kernel")


@nox.session
def experiments(session: nox.Session) -> None:
    """All experiments, on all networks, which are trained first; within half an hour on two processors."""
    run(session, "equiv", "train")
    run(session, "equiv", "experiment", "--full", "--time-limit", "900", *session.posargs)


@nox.session
def calibrate(session: nox.Session) -> None:
    """The statistical tests, on thousands of trials: how often they reject what is true, and what is not."""
    run(session, "equiv", "experiment", "x-false-alarms", "--time-limit", "900", *session.posargs)


@nox.session
def gpu(session: nox.Session) -> None:
    """All experiments on CUDA, on networks trained there; the report lands in reports/published/."""
    run(session, "equiv", "train", "--device", "cuda")
    out = Path("reports/published") / f"cuda-{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    out.mkdir(parents=True, exist_ok=True)
    results = str(out / "report.json")
    run(
        *(session, "equiv", "experiment", "--full", "--device", "cuda", "--jobs", "1"),
        *("--time-limit", "900", "--json", results, *session.posargs),
    )
    run(session, "equiv", "report", results, "--out", str(out))


@nox.session
def compiled(session: nox.Session) -> None:
    """What JAX and torch's own compiler make of samplers, probed; JAX lies beside the environment."""
    home = environment(session)
    beside = home.parent / "jax"
    named = ("jax", "jaxlib", "ml_dtypes", "opt_einsum")  # the rest of what it needs is there
    if not beside.exists():
        constraints = ("-c", "constraints-subjects.txt")
        pip = (str(home / PROGRAMS / "python"), "-m", "pip", "install", "--quiet", *constraints)
        session.run(*pip, "--no-deps", "--target", str(beside), *named, external=True)
    pytest = str(home / PROGRAMS / "pytest")
    session.run(pytest, "tests/compiled", *session.posargs, external=True, env={"PYTHONPATH": str(beside)})


@nox.session
def bench(session: nox.Session) -> None:
    """How long things take; `-- -m slow` times what takes minutes."""
    run(session, "pytest", "tests/benchmarks", "--benchmark-only", *session.posargs)


def run(session: nox.Session, *command: str) -> None:
    """Run a command of the shared environment."""
    program = environment(session) / PROGRAMS / command[0]
    session.run(str(program), *command[1:], external=True)


def environment(session: nox.Session) -> Path:
    """The environment that all sessions share."""
    home = Path(session.cache_dir).resolve() / "environment"
    sources = "".join(Path(f).read_text(encoding="utf-8") for f in ("pyproject.toml", *CONSTRAINTS))
    made_of = hashlib.sha256((sys.version + sources).encode()).hexdigest()
    stamp = home / "made-of"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == made_of:
        return home
    session.run(sys.executable, "-m", "virtualenv", "--quiet", "--clear", str(home), external=True)
    python = str(home / PROGRAMS / "python")
    needed = nox.project.dependency_groups(PYPROJECT, "lint", "test")
    constraints = [part for file in CONSTRAINTS for part in ("-c", file)]
    session.run(
        *(
            python,
            "-m",
            "pip",
            "install",
            "--quiet",
            *constraints,
            "-e",
            ".[experiments]",
            *needed,
            *SUBJECTS,
        ),
        external=True,
    )
    session.run(
        *(python, "-m", "pip", "install", "--quiet", *constraints, "--no-deps", *WITHOUT_DEPENDENCIES),
        external=True,
    )
    stamp.write_text(made_of, encoding="utf-8")
    return home
