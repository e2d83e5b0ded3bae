"""Runs Rocq: compiles files, finds the lemmas it does not accept, and reads what the others rest on."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from equiv.symbolic.kernel.export import Lemma

THEORY = Path(__file__).parent / "theory"
HEAD = "From Equiv Require Import Equiv Enclosure.\nOpen Scope R_scope.\nSet Default Timeout 30.\n\n"
ALLOWED = frozenset(
    {
        "ClassicalDedekindReals.sig_forall_dec",
        "ClassicalDedekindReals.sig_not_dec",
        "FunctionalExtensionality.functional_extensionality_dep",
        "Classical_Prop.classic",
    }
)
MINUTES = 20


class NotCompiled(Exception):
    """The library of lemmas was not accepted: a bug of ours, or another version of Rocq."""


def available() -> bool:
    """Is Rocq on the path?"""
    return shutil.which("coqc") is not None and shutil.which("coqtop") is not None


def _program(name: str) -> str:
    return shutil.which(name) or name


def version() -> str:
    """Such as ``8.16.1``."""
    said = subprocess.run(
        [_program("coqc"), "--print-version"], capture_output=True, text=True, check=False
    ).stdout
    return said.split()[0] if said else ""


def library(folder: Path) -> None:
    """Compile the lemmas and tactics into the folder, unless that has been done.

    Raises:
        NotCompiled: Rocq does not accept them.
    """
    for name in ("Enclosure.v", "Equiv.v"):
        source, target = (THEORY / name).read_bytes(), folder / name
        compiled = target.with_suffix(".vo")
        if compiled.exists() and target.exists() and target.read_bytes() == source:
            continue
        target.write_bytes(source)
        ran = _coqc(target)
        if ran.returncode:
            raise NotCompiled(f"{name} of the kernel's library: {ran.stderr.strip()}")


def compiles(file: Path) -> tuple[bool, str]:
    """Does Rocq accept the file, and what does it print?"""
    ran = _coqc(file)
    return ran.returncode == 0, ran.stdout if ran.returncode == 0 else ran.stderr


def _coqc(file: Path) -> subprocess.CompletedProcess[str]:
    command = [_program("coqc"), "-q", "-Q", ".", "Equiv", file.name]
    return subprocess.run(
        command, cwd=file.parent, capture_output=True, text=True, check=False, timeout=60 * MINUTES
    )


def refused(folder: Path, lemmas: Sequence[Lemma]) -> dict[str, str]:
    """The lemmas that Rocq does not accept, each tried by itself, with what it says."""
    tried = "".join(f"{lemma.text}Abort.\nLocate Term {lemma.name}.\n" for lemma in lemmas)
    ran = subprocess.run(
        [_program("coqtop"), "-q", "-quiet", "-Q", ".", "Equiv"],
        cwd=folder,
        input=f"{HEAD}{tried}",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60 * MINUTES,
    )
    found, said = {}, ran.stdout
    for lemma in lemmas:
        marker = re.search(
            rf"^.*(Constant Top\.{lemma.name}\b|No term of basename {lemma.name}\b).*$", said, re.MULTILINE
        )
        before, said = (said[: marker.start()], said[marker.end() :]) if marker else (said, "")
        if marker is None or "No term" in marker.group():
            found[lemma.name] = _first_error(before)
    return found


def _first_error(output: str) -> str:
    error = re.search(r"^(?:Error|Timeout).*?(?=\n\s*\n|\nToplevel|\Z)", output, re.MULTILINE | re.DOTALL)
    return " ".join(error.group().split())[:300] if error else "Rocq did not come to an end"


def assumptions(printed: str) -> frozenset[str]:
    """The axioms in the output of ``Print Assumptions``."""
    return frozenset(
        re.findall(r"^([A-Za-z_][\w']*(?:\.[\w']+)*)(?=\s*(?::|\n\s+:))", printed, re.MULTILINE)
    ) - {"Axioms"}
