"""A claim as Rocq lemmas: one for each link of its chains, and one for each false variant."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import msgspec
import sympy

from equiv.claim import Chain, Claim, Variant
from equiv.symbolic.kernel import sampling
from equiv.symbolic.kernel.demands import defined
from equiv.symbolic.kernel.derivatives import calculus, is_needed, orders
from equiv.symbolic.kernel.ladders import at_numbers
from equiv.symbolic.kernel.reading import OPAQUE, Names
from equiv.symbolic.kernel.script import script
from equiv.symbolic.kernel.terms import (
    AND,
    Relation,
    Term,
    Unexportable,
    number,
    put,
    relation_text,
    text,
    variables,
)

_RELATIONS: dict[Any, Callable[[Any], tuple[str, Any, Any]]] = {
    sympy.StrictLessThan: lambda r: ("<", r.lhs, r.rhs),
    sympy.LessThan: lambda r: ("<=", r.lhs, r.rhs),
    sympy.StrictGreaterThan: lambda r: ("<", r.rhs, r.lhs),
    sympy.GreaterThan: lambda r: ("<=", r.rhs, r.lhs),
    sympy.Equality: lambda r: ("=", r.lhs, r.rhs),
    sympy.Unequality: lambda r: ("<>", r.lhs, r.rhs),
}


class Lemma(msgspec.Struct, frozen=True, kw_only=True):
    """A statement with its proof script. ``about`` says in words what it is, for people."""

    name: str
    about: str
    statement: str
    proof: tuple[str, ...]

    @property
    def text(self) -> str:
        body = "\n".join(f"  {line}" for line in self.proof)
        return f"(* {comment(self.about)} *)\nLemma {self.name} :\n{self.statement}\nProof.\n{body}\nQed.\n"


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be exported, and why."""

    name: str
    about: str
    reason: str


def left_out(x: Skipped) -> str:
    """What the file says of something that it does not hold."""
    return f"(* {comment(x.about)}\n   {x.name} is not kernel-checked: {comment(x.reason)} *)\n"


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One equality of a chain, read."""

    name: str
    about: str
    left: Term
    right: Term
    hypotheses: tuple[Relation, ...]
    positive: tuple[str, ...]
    opaque: Mapping[str, str]
    functions: Mapping[str, bool] = {}


def links(claim: str, chains: Iterable[Chain], hypotheses: Sequence[Any]) -> list[Link | Skipped]:
    """Each link of each chain, as a term, or why it has none."""
    found: list[Link | Skipped] = []
    for i, chain in enumerate(chains, start=1):
        for j, (above, below) in enumerate(zip(chain.lines, chain.lines[1:], strict=False), start=1):
            name, about = f"{identifier(claim)}_{i}_{j}", f"{chain.title}: {below.why}"
            found.append(read_link(name, about, above.expression, below.expression, hypotheses))
    return found


def read_link(name: str, about: str, left: Any, right: Any, hypotheses: Sequence[Any]) -> Link | Skipped:
    """An equality under hypotheses, read for Rocq."""
    names = Names(calculus if is_needed(left, right, *hypotheses) else None)
    try:
        sides = names.read(left), names.read(right)
        assumed = tuple(_relation(h, names) for h in hypotheses)
    except Unexportable as why:
        return Skipped(name=name, about=about, reason=str(why))
    opaque = {n: str(e) for e, n in names.of.items() if isinstance(e, OPAQUE)}
    return Link(
        name=name,
        about=about,
        left=sides[0],
        right=sides[1],
        hypotheses=assumed,
        positive=tuple(names.positive),
        opaque=opaque,
        functions=names.functions,
    )


def _relation(h: Any, names: Names) -> Relation:
    if h.func not in _RELATIONS:
        raise Unexportable(f"the hypothesis {h!r} is no relation")
    sign, a, b = _RELATIONS[h.func](h)
    return sign, names.read(a), names.read(b)


def equality(link: Link) -> Lemma | Skipped:
    """Under the hypotheses, both sides are defined and equal."""
    names = _variables(link)
    points = sampling.few(sampling.points(names, link.positive, link.hypotheses))
    if not points:
        return Skipped(
            name=link.name, about=link.about, reason="no point was found at which the hypotheses hold"
        )
    try:
        steps = script(link.left, link.right, link.hypotheses, _positive(link), points)
    except (Unexportable, AttributeError) as why:
        return Skipped(name=link.name, about=link.about, reason=str(why))
    positive = [n for n in names if n in link.positive]
    about_functions = _smooth(link)
    premises = [*about_functions.values(), *(f"0 < {n}" for n in positive)]
    premises += [relation_text(h) for h in link.hypotheses]
    introduced = [
        *link.functions,
        *names,
        *about_functions,
        *(f"{n}_positive" for n in positive),
        *(f"H{k}" for k in range(1, 1 + len(link.hypotheses))),
    ]
    demands = [str(d) for d in dict.fromkeys([*defined(link.left), *defined(link.right)])]
    equal = f"{text(link.left)}\n    = {text(link.right)}"
    conclusion = f"({AND.join(demands)})\n   {AND}{equal}" if demands else equal
    statement = "\n".join(
        ([f"  forall {' '.join(link.functions)} : R -> R,"] if link.functions else [])
        + ([f"  forall {' '.join(names)} : R,"] if names else [])
        + ([f"  {' -> '.join(premises)} ->"] if premises else [])
        + [f"    {conclusion}."]
    )
    first = [f"intros {' '.join(introduced)}."] if introduced else []
    return Lemma(name=link.name, about=_about(link), statement=statement, proof=(*first, *steps))


def difference(link: Link) -> Lemma | Skipped:
    """There is a point at which the hypotheses hold, both sides are defined, and they differ."""
    names = _variables(link)
    point = sampling.apart(link.left, link.right, sampling.points(names, link.positive, link.hypotheses))
    if point is None:
        return Skipped(
            name=link.name, about=link.about, reason="no point was found that tells the sides apart"
        )
    if opaque := [shown for n, shown in link.opaque.items() if n in names]:
        return Skipped(name=link.name, about=link.about, reason=f"{opaque[0]} has no value in Rocq")
    demands = [str(d) for d in dict.fromkeys([*defined(link.left), *defined(link.right)])]
    met = _met(link, names)
    apart = f"{text(link.left)}\n    <> {text(link.right)}"
    whole = "\n    /\\ ".join([*([AND.join([*met, *demands])] if met or demands else []), apart])
    statement = (f"  exists {' '.join(names)} : R,\n" if names else "") + f"    {whole}."
    return Lemma(name=link.name, about=_about(link), statement=statement, proof=_witness(link, names, point))


def domain(claim: str, hypotheses: Sequence[Any]) -> Lemma | Skipped | None:
    """There is a point at which the hypotheses hold; without hypotheses nothing needs to be said."""
    if not hypotheses:
        return None
    name, about = f"{identifier(claim)}_domain", "The hypotheses can be met"
    link = read_link(name, about, sympy.Integer(0), sympy.Integer(0), hypotheses)
    if isinstance(link, Skipped):
        return link
    names = _variables(link)
    for point in sampling.points(names, link.positive, link.hypotheses):
        demands = [str(d) for h in link.hypotheses for side in h[1:] for d in defined(side)]
        met = [*_met(link, names), *dict.fromkeys(demands)]
        statement = f"  exists {' '.join(names)} : R,\n    {AND.join(met)}."
        return Lemma(name=name, about=_about(link), statement=statement, proof=_witness(link, names, point))
    return Skipped(name=name, about=about, reason="no point was found at which the hypotheses hold")


def _witness(link: Link, names: Sequence[str], point: Mapping[str, Fraction]) -> tuple[str, ...]:
    """The point, and that it is one."""
    chosen = [f"exists {', '.join(f'({text(number(point[n]))})' for n in names)}."] if names else []
    there = {n: number(point[n]) for n in names}
    return *chosen, *at_numbers(*(put(t, there) for t in _terms(link))), "witness."


def _met(link: Link, names: Sequence[str]) -> list[str]:
    """The assumptions, as Rocq reads them."""
    return [f"0 < {n}" for n in names if n in link.positive] + [relation_text(h) for h in link.hypotheses]


def variants(claim: str, found: Iterable[Variant], prefix: str) -> list[Link | Skipped]:
    """False statements, read; undefined functions are replaced by those of the instance."""
    read: list[Link | Skipped] = []
    for k, variant in enumerate(found, start=1):
        left, right = variant.left, variant.right
        if variant.instance:
            with sympy.evaluate(True):
                left, right = (_instantiated(side, variant.instance) for side in (left, right))
        with sympy.evaluate(True):
            left, right = (_worked_out(side) for side in (left, right))
        name = f"{identifier(claim)}_{prefix}_{k}"
        read.append(read_link(name, f"FALSE: {variant.name}", left, right, variant.hypotheses))
    return read


def _worked_out(side: Any) -> Any:
    """At a point that tells the sides apart, a derivative is a number."""
    return side.doit(integrals=False) if is_needed(side) else side


def _instantiated(side: Any, instance: Mapping[Any, Any]) -> Any:
    for function, concrete in instance.items():
        side = side.replace(function, concrete)
    return side.doit()


def _positive(link: Link) -> list[str]:
    """The symbols and the functions that are."""
    return [*link.positive, *(f for f, positive in link.functions.items() if positive)]


def _smooth(link: Link) -> dict[str, str]:
    """What is taken of the functions that are not defined, by name: signs, and the derivatives in use."""
    signs = {
        f"{f}_positive": f"(forall x : R, 0 < {f} x)" for f, positive in link.functions.items() if positive
    }
    derivatives = {
        f"{f}_smooth_{n}": f"(forall x : R, ex_derive_n {f} {n} x)"
        for f, highest in orders(*_terms(link)).items()
        for n in range(1, highest + 1)
    }
    return signs | derivatives


def _terms(link: Link) -> list[Term]:
    return [link.left, link.right, *(side for h in link.hypotheses for side in h[1:])]


def _variables(link: Link) -> list[str]:
    return list(dict.fromkeys(v for t in _terms(link) for v in variables(t)))


def _about(link: Link) -> str:
    used = set(_variables(link))
    notes = [f"{n} is {shown}" for n, shown in link.opaque.items() if n in used]
    return f"{link.about}{'; any real number is taken for: ' + ', '.join(notes) if notes else ''}"


def title(claim: Claim) -> str:
    """What a file begins with."""
    head = f"{claim.title} ({claim.id})"
    source = ", ".join(part for part in (claim.source.section, claim.source.equation) if part)
    written = f"\n\n   As written it is false: {comment(claim.as_written)}" if claim.as_written else ""
    return (
        f"(* {comment(head)}\n\n   {comment(claim.statement)}{written}\n\n"
        f"   Source: seed {comment(claim.source.seed)}, {comment(source)}.\n"
        "   Checked by: coqc -Q . Equiv Enclosure.v Equiv.v Derivatives.v, and then this file. *)\n\n"
    )


def comment(words: str) -> str:
    """The words, so that they can stand in a comment of Rocq."""
    # a comment must not end early, and quotes open a string in Rocq's comments
    return words.replace("*)", "* )").replace("(*", "( *").replace('"', "''")


def identifier(claim: str) -> str:
    """The id of a claim as a name in Rocq."""
    return claim.replace("-", "_")
