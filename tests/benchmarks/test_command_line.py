"""How long a user waits: every round is a process of its own.

A claim takes less than one second of a processor, but for: w-ot (1.8 s, sympy's integrals),
f-solvers-gauge-invariance (1.4 s, eleven solvers in one file), f-multistep-third-order (1.2 s), measured on a
machine that did other things besides; and those that rest on theorems, which Rocq compiles once.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

PYTHON = [sys.executable, "-P"]


def cold(benchmark: BenchmarkFixture, command: list[str], *, rounds: int, folder: Path) -> None:
    def run() -> None:
        subprocess.run(command, check=True, capture_output=True, cwd=folder)

    benchmark.pedantic(run, rounds=rounds)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["-c", "pass"], id="python itself"),
        pytest.param(["-c", "import equiv"], id="import equiv"),
        pytest.param(["-m", "equiv", "--help"], id="equiv --help"),
        pytest.param(["-m", "equiv", "list"], id="equiv list"),
    ],
)
@pytest.mark.benchmark(group="a process that loads no mathematics")
def test_start(benchmark: BenchmarkFixture, command: list[str], tmp_path: Path) -> None:
    cold(benchmark, PYTHON + command, rounds=5, folder=tmp_path)


@pytest.mark.benchmark(group="a process that proves")
@pytest.mark.parametrize("claims", [["f-three-rows"], []], ids=["one claim", "every claim"])
def test_prove(benchmark: BenchmarkFixture, claims: list[str], tmp_path: Path) -> None:
    cold(benchmark, [*PYTHON, "-m", "equiv", "prove", *claims], rounds=1, folder=tmp_path)


@pytest.mark.benchmark(group="a process that proves")
def test_prove_again(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    command = [*PYTHON, "-m", "equiv", "prove"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    cold(benchmark, command, rounds=3, folder=tmp_path)


@pytest.mark.slow
@pytest.mark.benchmark(group="everything")
def test_report(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    command = [*PYTHON, "-m", "equiv", "report", "--out", str(tmp_path / "report")]

    def run() -> int:
        return subprocess.run(command, check=False, capture_output=True, cwd=tmp_path).returncode

    assert benchmark.pedantic(run, rounds=1) == 0
    assert list((tmp_path / "report").glob("*.html"))
