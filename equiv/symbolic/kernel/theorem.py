"""Theorems of which a chain of equalities is no proof, such as inductions: written in Rocq beside the claim.

The files of a folder are a theory of its name. What Rocq has compiled is kept under a digest of the text, of
all that it imports, and of Rocq's version.
"""

import contextlib
import fcntl
import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from equiv.claim import Claim, Theorem
from equiv.evidence import TheoremProof
from equiv.symbolic.kernel import coqc

SECONDS = 300  # for one file: far more than any needs
_REQUIRE = re.compile(r"^From\s+(\w+)\s+Require\s+(?:Import\s+|Export\s+)?([\w\s]+)\.\s*$", re.MULTILINE)
_OURSELVES = Path(__file__).read_text(encoding="utf-8")  # what compiles is part of what was compiled
_LIBRARY = {name.partition(".")[0] for name in coqc.ALLOWED}  # whose axioms are not to be mistaken
_HEADLINES = {"Axioms:", "Closed under the global context"}


class Refused(Exception):
    """The theorem is not accepted, and why."""


class _File(msgspec.Struct, frozen=True):
    """A file, its text, and the files that it imports."""

    path: Path
    text: str
    needs: "tuple[_File, ...]"

    @property
    def theory(self) -> str:
        return self.path.parent.name.title()

    @property
    def digest(self) -> str:
        parts = [_OURSELVES, self.path.name, self.text, *(file.digest for file in self.needs)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def digest(claim: Claim, folder: Path) -> str:
    """Of all that the theorems of a claim rest on, as far as it is there: files, and the version of Rocq."""
    try:
        files = [file.digest for file in _files(claim, folder)]
    except Refused as error:
        files = [str(error)]
    return " ".join([coqc.version() if coqc.available() else "", *files])


def check(claim: Claim, folder: Path, store: Path) -> TheoremProof | None:
    """Put the theorems of a claim and its counterexamples before Rocq, if the claim has any.

    Args:
        claim: says what the theorems of files in the folder say.
        folder: the claim's.
        store: where compiled files are kept.
    """
    if not claim.theorems:
        return None
    try:
        with _writable(store) as place:
            files, assumptions = _accepted(claim, folder, place)
    except Refused as error:
        return TheoremProof(theorems=claim.theorems, reason=str(error))
    return TheoremProof(
        theorems=claim.theorems,
        counterexamples=claim.counterexamples,
        files=files,
        assumptions=assumptions,
        version=coqc.version(),
    )


@contextlib.contextmanager
def _writable(store: Path) -> Iterator[Path]:
    """The store, or a place for this once if it cannot be written to."""
    with contextlib.ExitStack() as stack:
        try:
            store.mkdir(parents=True, exist_ok=True)
            stack.enter_context(tempfile.TemporaryFile(dir=store))
        except OSError:
            store = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        yield store.resolve()


def _accepted(claim: Claim, folder: Path, store: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files that were compiled, and the axioms that the theorems rest on.

    Raises:
        Refused: Rocq is not there, does not accept a file or a theorem, or an axiom is not allowed.
    """
    if not coqc.available():
        raise Refused("needs Rocq (coqc), which is not installed")
    if not claim.counterexamples:
        raise Refused("no counterexample is named beside the theorems, which then may say nothing")
    files = _in_order(_files(claim, folder))
    if taken := [file.path.name for file in files if file.path.stem in _LIBRARY]:
        raise Refused(f"{', '.join(taken)} has the name of a file of Rocq's library; rename it")
    try:
        homes = [_compiled(file, store) for file in files]
        said = _stated(claim, files, homes)
    except subprocess.TimeoutExpired as error:
        raise Refused(f"Rocq did not come to an end within {error.timeout:g} s") from error
    axioms = _axioms(said)
    if foreign := sorted(axioms - coqc.ALLOWED):
        raise Refused(f"the theorems rest on {', '.join(foreign)}")
    return tuple(file.path.name for file in files), tuple(sorted(axioms))


def _all(claim: Claim) -> tuple[Theorem, ...]:
    return (*claim.theorems, *claim.counterexamples)


def _files(claim: Claim, folder: Path) -> list[_File]:
    """The files that the theorems are in."""
    names = dict.fromkeys(theorem.name.partition(".")[0] for theorem in _all(claim))
    return [_read(folder / f"{name}.v") for name in names]


def _read(path: Path) -> _File:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Refused(f"there is no file {path.name} beside the claim") from None
    theory = path.parent.name.title()
    names = [name for found, names in _REQUIRE.findall(text) if found == theory for name in names.split()]
    return _File(path, text, tuple(_read(path.parent / f"{name}.v") for name in names))


def _in_order(files: Iterable[_File]) -> list[_File]:
    """The files and all that they import, each after what it imports."""
    found: dict[Path, _File] = {}
    for file in files:
        found |= {f.path: f for f in [*_in_order(file.needs), file] if f.path not in found}
    return list(found.values())


def _compiled(file: _File, store: Path) -> Path:
    """The folder that holds the compiled file."""
    home = _home(file, store)
    with home.with_name(f"{home.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # others may be compiling the same
        if not home.exists():
            with tempfile.TemporaryDirectory(dir=store) as place:
                folder = Path(place, "theory")
                folder.mkdir()
                (folder / file.path.name).write_text(file.text, encoding="utf-8")
                needs = [_home(f, store) for f in _in_order(file.needs)]
                _coqc(folder / file.path.name, file.theory, [folder, *needs])
                shutil.move(folder, home)
    return home


def _home(file: _File, store: Path) -> Path:
    return store / f"{file.digest[:24]}-{coqc.version()}"


def _stated(claim: Claim, files: list[_File], homes: list[Path]) -> str:
    """What Rocq prints of the axioms, once each theorem is stated as in the claim, and is the one named."""
    theory, modules = files[-1].theory, " ".join(file.path.stem for file in files)
    text = f"From Coq Require Reals.\nFrom {theory} Require {modules}.\n"
    # in a module, so that the axioms are printed with their full names
    text += f"Module Stated.\nImport Reals {modules}.\nOpen Scope R_scope.\n"
    for k, theorem in enumerate(_all(claim)):
        text += f"Theorem stated_{k} :\n  {theorem.statement}.\nProof. exact @{theory}.{theorem.name}. Qed.\n"
    together = ", ".join(f"Stated.stated_{k}" for k in range(len(_all(claim))))
    text += f"End Stated.\nDefinition together := ({together}).\nPrint Assumptions together.\n"
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "Stated.v")
        path.write_text(text, encoding="utf-8")
        return _coqc(path, theory, homes)


def _axioms(printed: str) -> frozenset[str]:
    """What ``Print Assumptions`` lists: whatever begins a line is one, unless it is a headline."""
    lines = {line for line in printed.splitlines() if line.strip() and not line[0].isspace()} - _HEADLINES
    return frozenset(line.partition(" : ")[0].strip() for line in lines)


def _coqc(path: Path, theory: str, homes: Iterable[Path]) -> str:
    places = [part for home in homes for part in ("-Q", str(home), theory)]
    ran = subprocess.run(
        [shutil.which("coqc") or "coqc", "-q", "-noglob", *places, path.name],
        cwd=path.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    if ran.returncode:
        error = ran.stderr[max(ran.stderr.find("Error"), 0) :]
        raise Refused(f"Rocq does not accept {path.name}: {' '.join(error.split())[:500]}")
    return ran.stdout
