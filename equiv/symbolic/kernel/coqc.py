"""Runs Rocq: which lemmas of a text it accepts, and what those rest on."""

import contextlib
import functools
import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import msgspec

THEORY = Path(__file__).parent / "theory"
LIBRARY = ("Enclosure.v", "Equiv.v", "Derivatives.v")
LIMIT = 120  # seconds of one step of one proof: far more than any needs, on a machine that is busy too
HEAD = (
    "From Equiv Require Import Derivatives Equiv Enclosure.\nOpen Scope R_scope.\n"
    f"Set Default Timeout {LIMIT}.\n\n"
)
ALLOWED = frozenset(
    {
        "ClassicalDedekindReals.sig_forall_dec",
        "ClassicalDedekindReals.sig_not_dec",
        "FunctionalExtensionality.functional_extensionality_dep",
        "Classical_Prop.classic",
    }
)


class Missing(Exception):
    """There is no Rocq, or not one that accepts the library of lemmas; the message says which."""


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a text: accepted, or the line of the first thing that was not, with Rocq's words."""

    accepted: bool
    said: str
    line: int = 0


def available() -> bool:
    """Is Rocq on the path?"""
    return shutil.which("coqc") is not None


@functools.cache
def version() -> str:
    """Such as ``8.16.1``."""
    program = shutil.which("coqc") or "coqc"
    said = subprocess.run([program, "--print-version"], capture_output=True, text=True, check=False).stdout
    return said.split()[0] if said else ""


def library(store: Path) -> Path:
    """The folder that holds the compiled lemmas and tactics, made unless it is there.

    Raises:
        Missing: there is no Rocq, or it does not accept them.
    """
    if not available():
        raise Missing("coqc is not installed; on Debian: apt-get install coq libcoq-coquelicot")
    sources = b"".join((THEORY / name).read_bytes() for name in LIBRARY)
    home = store.resolve() / hashlib.sha256(version().encode() + sources).hexdigest()[:16]
    if home.exists():
        return home
    store.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=store))
    try:
        for name in LIBRARY:
            shutil.copy(THEORY / name, folder)
            ran = _coqc(folder, name)
            if ran.returncode:
                raise Missing(f"Rocq {version()} does not accept {name} of our library: {_error(ran.stderr)}")
        with contextlib.suppress(OSError):  # another run has just made it
            folder.rename(home)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return home


def compiles(text: str, home: Path) -> Ran:
    """Does Rocq accept the text? Its answer is kept with the library, and so is what it compiled."""
    kept = home / f"{module(text)}.json"
    try:
        return msgspec.json.decode(kept.read_bytes(), type=Ran)
    except (OSError, msgspec.MsgspecError):
        pass
    with tempfile.TemporaryDirectory(dir=home) as folder:
        source = Path(folder, f"{module(text)}.v")
        source.write_text(text, encoding="utf-8")
        ran = _coqc(source.parent, source.name, home)
        if ran.returncode == 0:
            source.with_suffix(".vo").replace(home / f"{module(text)}.vo")
        place = re.search(r"^File .*?, line (\d+), characters", ran.stderr, re.MULTILINE)
        found = Ran(
            accepted=ran.returncode == 0,
            said=ran.stdout if ran.returncode == 0 else _error(ran.stderr),
            line=int(place[1]) if place else 0,
        )
        if found.accepted or (found.line and "Timeout" not in found.said):  # what came to an end by itself
            source.write_bytes(msgspec.json.encode(found))
            source.replace(kept)
    return found


def module(text: str) -> str:
    """The name under which a text is compiled."""
    return f"T{hashlib.sha256(text.encode()).hexdigest()[:24]}"


def rests_on(modules: Iterable[str], home: Path) -> frozenset[str]:
    """The axioms behind what these modules call ``everything``: one question for all, as it takes seconds."""
    names = sorted(set(modules))
    text = f"From Equiv Require {' '.join(names)}.\n" + "".join(
        f"Definition everything_{k} := {name}.everything.\n" for k, name in enumerate(names)
    )
    whole = ", ".join(f"everything_{k}" for k in range(len(names)))
    ran = compiles(f"{text}Definition everything := ({whole}).\nPrint Assumptions everything.\n", home)
    if not ran.accepted:
        return frozenset({f"something that Rocq does not say: {ran.said}"})
    return assumptions(ran.said)


def _coqc(folder: Path, name: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    places = ["-Q", str(home), "Equiv"] if home else []
    command = [shutil.which("coqc") or "coqc", "-q", "-noglob", *places, "-Q", ".", "Equiv", name]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _error(printed: str) -> str:
    """The words of the error, without the place."""
    found = re.search(r"^(?:Error|Timeout).*", printed, re.MULTILINE | re.DOTALL)
    return " ".join((found[0] if found else printed[-300:]).split())[:300]


def assumptions(printed: str) -> frozenset[str]:
    """The axioms in the output of ``Print Assumptions``."""
    return frozenset(
        re.findall(r"^([A-Za-z_][\w']*(?:\.[\w']+)*)(?=\s*(?::|\n\s+:))", printed, re.MULTILINE)
    ) - {"Axioms"}
