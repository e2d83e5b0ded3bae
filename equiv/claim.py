"""What is claimed, and the shape of its proof.

A proof file holds one claim. Its header ``CLAIM`` is made of literals, so that it can be listed without
importing the file; symbols, derivation and false variants live in functions:

``derivation() -> Derivation``
    the statement, as chains of small equalities between sympy expressions;
``false_variants() -> Iterable[Variant]``
    equalities that look like the statement and are false; each must be refuted with a witness;
``as_written() -> Iterable[Variant]``
    for an erratum: the statement as the source has it, to be refuted.
"""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

import msgspec


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """Where a claim is made: the seed document and the place in it."""

    seed: str
    section: str
    equation: str = ""


class Theorem(msgspec.Struct, frozen=True, kw_only=True):
    """A theorem in Rocq: where it is proved, and what it says, word for word."""

    name: str  # ``File.theorem``, in ``File.v`` beside the claim
    statement: str
    says: str  # in words


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """The header of a proof file.

    ``statement`` is what is proved, in LaTeX. An erratum also has ``as_written``, the false statement of
    the source, and the name of its row in the table of errata. ``open`` says what of the statement is argued
    in the text and is not decided by the chains: then the claim is INCONCLUSIVE, whatever its chains show,
    unless Rocq accepts the ``theorems`` that settle it, and the ``counterexamples`` to what is like them.

    ``cites`` are the standard theorems that lead from the chains to the statement and that the machine did
    not check, each by its usual name and with what it is for. Algebra, the calculus of one variable (rates,
    primitives, growth by the sign of a rate), that the mean is linear and monotone, and Bayes' rule for
    densities are not cited; what is cited by the claims that it ``needs`` is theirs.
    """

    id: str
    title: str
    statement: str
    source: Source
    needs: tuple[str, ...] = ()
    erratum: str = ""
    as_written: str = ""
    open: str = ""
    cites: tuple[str, ...] = ()
    theorems: tuple[Theorem, ...] = ()
    counterexamples: tuple[Theorem, ...] = ()


class Line(msgspec.Struct, frozen=True):
    """One line of a chain: an expression, and why it equals the line above (unused on the first)."""

    expression: Any  # sympy.Expr
    why: str = ""


class Chain(msgspec.Struct, frozen=True):
    """``lines[0] = lines[1] = ...``, each equality small enough to be decided."""

    title: str
    lines: tuple[Line, ...]


class Derivation(msgspec.Struct, frozen=True, kw_only=True):
    """Chains that together say the statement, under hypotheses.

    Hypotheses are sympy relations (``Gt``, ``Lt``, ``Ge``, ``Le``, ``Ne``, ``Eq``) on top of the assumptions
    of the symbols. A symbol declared positive belongs to the schedule; one declared only real is a state,
    of which no sign may be assumed.
    """

    chains: tuple[Chain, ...]
    hypotheses: tuple[Any, ...] = ()


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """An equality that is false. ``instance`` gives concrete functions for undefined ones."""

    name: str
    left: Any
    right: Any
    hypotheses: tuple[Any, ...] = ()
    instance: Mapping[Any, Any] | None = None


class ProofFile(Protocol):
    """What a module under ``proofs/`` offers (an erratum also offers ``as_written``)."""

    CLAIM: Claim

    @staticmethod
    def derivation() -> Derivation: ...

    @staticmethod
    def false_variants() -> Iterable[Variant]: ...


def chain(title: str, first: Any, *rest: tuple[str, Any]) -> Chain:
    """``chain("title", a, ("why b", b), ("why c", c))`` says a = b = c."""
    return Chain(title, (Line(first), *(Line(expression, why) for why, expression in rest)))


def read_header(path: Path) -> Claim:
    """The claim of a proof file, read from its source without importing it.

    Raises:
        ValueError: the file has no literal ``CLAIM = Claim(...)``.
    """
    return msgspec.convert(literals(path, "CLAIM"), Claim)


def literals(path: Path, name: str) -> dict[str, Any]:
    """The keywords of ``name = Something(...)`` in a file, read without importing it.

    Raises:
        ValueError: the file has no such header or several, or it is not made of literals.
    """
    found = [
        node.value
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
    ]
    match found:
        case [ast.Call() as call]:
            return cast("dict[str, Any]", _literal(call))
    raise ValueError(f"{path} needs one header `{name} = ...(...)` made of literals; it has {len(found)}")


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Call):
        return {k.arg: _literal(k.value) for k in node.keywords}
    if isinstance(node, ast.Tuple):
        return tuple(map(_literal, node.elts))
    return ast.literal_eval(node)
