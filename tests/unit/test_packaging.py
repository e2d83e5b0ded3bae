"""What is built holds the theorems, whoever builds it."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THEOREMS = {
    p.relative_to(ROOT / "proofs").as_posix()
    for p in (ROOT / "proofs").rglob("*")
    if p.suffix in {".py", ".v"}
}


def build(source: Path, out: Path, *targets: str) -> None:
    options = [part for target in targets for part in ("-t", target)]
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(out), *options]
    subprocess.run(command, cwd=source, check=True, capture_output=True)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sdist and a wheel of the checkout, and in ``again/`` the wheel of that sdist."""
    out = tmp_path_factory.mktemp("dist")
    build(ROOT, out, "sdist", "wheel")
    with tarfile.open(next(out.glob("*.tar.gz"))) as sdist:
        sdist.extractall(out / "unpacked", filter="data")
    build(next((out / "unpacked").iterdir()), out / "again", "wheel")
    return out


@pytest.mark.parametrize("wheel", ["*.whl", "again/*.whl"])
def test_a_wheel_holds_the_theorems_and_what_the_report_is_drawn_with(built: Path, wheel: str) -> None:
    names = set(zipfile.ZipFile(next(built.glob(wheel))).namelist())
    assert THEOREMS
    assert {f"equiv/proofs/{name}" for name in THEOREMS} <= names
    others = {p.relative_to(ROOT).as_posix() for p in (ROOT / "equiv/report").iterdir() if p.is_file()}
    assert others | {"equiv/seeds.toml"} <= names
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"equiv"}


def test_a_source_distribution_holds_the_theorems_once(built: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = {name.split("/", 1)[1] for name in sdist.getnames()}
    assert {f"proofs/{name}" for name in THEOREMS} <= names
    assert not any(name.startswith("equiv/proofs/") for name in names)


def test_a_task_of_nox_checks_every_library_that_its_environment_has() -> None:
    from equiv.subjects.subject import ADAPTERS

    text = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    assert '"check", "all"' in text
    assert all(f'"{library.replace("_", "-")}"' in text for library in ADAPTERS)


def test_our_expected_defects_are_a_file_of_expected_defects() -> None:
    from equiv.running.expected import read

    assert read(ROOT / "expected-defects.toml")
