"""The steps of a proof script as they are written: what is known so far, and how to use it."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from equiv.symbolic.kernel import signs
from equiv.symbolic.kernel.quotients import Generators, Quotient, key
from equiv.symbolic.kernel.terms import Derived, Term, integer, parts, text

LARGE = 400  # of all parts, counted as often as they are written
UNFOLDED = ("tan", "tanh", "sinh", "cosh")


class Steps:
    """The lines of a script, and what they have shown by name.

    ``scales`` says how finely an exponent or an angle must be divided, by what it multiplies.
    """

    def __init__(self, points: Sequence[Mapping[str, Fraction]], scales: dict[str, int]) -> None:
        self.points, self.scales = points, scales
        self.g = Generators()
        self.lines: list[str] = []
        self.facts: list[tuple[str, Term, str]] = []  # equalities to rewrite by: name, left side, right side
        self.log_facts: list[str] = []  # logarithms of atoms
        self.relations: list[tuple[str, str]] = []  # powers of atoms that are something else: name, atom
        self.known: dict[str, Any] = {}  # polynomials that have been shown to be positive
        self.nonzero: set[str] = set()  # polynomials that have been shown not to be zero
        self.logs: dict[int, Quotient] = {}  # of atoms whose logarithm is something else
        self.log_of: dict[int, Any] = {}  # the polynomial whose logarithm a generator is

    def claim(self, prefix: str, statement: str, proof: str) -> str:
        """Assert something under the next name of that prefix."""
        name = f"{prefix}{1 + sum(line.count(f'assert ({prefix}') for line in self.lines)}"
        self.lines.append(f"assert ({name} : {statement}) by ({proof}).")
        return name

    def fact(self, e: Term, shown: str, proof: str) -> None:
        """Assert what a term is, for rewriting."""
        if text(e) != shown:
            self.facts.append((self.claim("F", f"{text(e)} = {shown}", proof), e, shown))

    def algebra(self, *terms: Term, logs: bool = False, extra: str = "") -> str:
        """Closes an equality of fractions in these terms, once what is known of their parts is put in."""
        inside = {p for t in terms for p in parts(t)}
        used = [(name, shown) for name, e, shown in self.facts if logs or e in inside]
        rewriting = rewrite(name for name, _ in reversed(used))
        if logs:
            rewriting += f"ln_split; {rewriting}{rewrite(reversed(self.log_facts))}"
        about = _words(" ".join([extra, *map(text, terms), *(shown for _, shown in used)]))
        modulo = [name for name, atom in self.relations if atom in about]
        # first, and the outer ones before the inner, while nothing has changed inside what is differentiated
        derived = [name for name, e, _ in self.facts if isinstance(e.param, Derived)]
        rewriting = rewrite(reversed(derived)) + rewriting
        return f"{rewriting}field{'[' + ' '.join(modulo) + ']' if modulo else ''}; nonzero"

    def show_sign(self, p: Any) -> None:
        """Show that a polynomial is positive, if it seems so and is not plain to see."""
        signs.show(self, p)

    def is_positive(self, p: Any) -> bool:
        """Is it plain to see, or shown?"""
        return key(p) in self.known or self.g.evident(p)

    def positive(self, p: Any, proof: str) -> None:
        """Assert that a polynomial is positive."""
        self.known[key(p)] = p
        self.claim("P", f"0 < {self.g.poly(p)}", proof)

    def atom(self, prefix: str, values: Sequence[float], *, positive: bool = False) -> tuple[int, str]:
        """A new real number that stands for a function of others; its index and its name."""
        taken, k = set(self.g.texts), 1
        while f"{prefix}_{k}" in taken:
            k += 1
        return self.g.new(f"{prefix}_{k}", values, positive=positive), f"{prefix}_{k}"

    def scale(self, name: str, denominator: int) -> int:
        """How finely something must be divided, now that this denominator has been met."""
        self.scales[name] = math.lcm(self.scales.get(name, 1), denominator)
        return self.scales[name]


def rewrite(names: Iterable[str]) -> str:
    """Rewriting by these, where they apply."""
    rules = ", ".join(f"?{name}" for name in names)
    return f"rewrite {rules}; " if rules else ""


def _words(shown: str) -> set[str]:
    return set(re.findall(r"[\w']+", shown))


def stages(*whole: Term) -> set[Term]:
    """What to bring to lowest terms before what it stands in, where all at once would be too much."""
    sizes: dict[Term, int] = {}
    for e in whole:
        for part in parts(e):
            sizes[part] = 1 + sum(sizes[a] for a in part.args)
    if sum(sizes[e] for e in whole) < LARGE:
        return set()
    return {part for part, size in sizes.items() if part.op in "+-/" and size > LARGE // 20}


def unfolded(e: Term) -> Term:
    """Hyperbolic functions and the tangent, as Rocq defines them."""
    (a,) = e.args
    plus, minus = Term("exp", (a,)), Term("exp", (Term("neg", (a,)),))
    match e.op:
        case "cosh":
            return Term("/", (Term("+", (plus, minus)), integer(2)))
        case "sinh":
            return Term("/", (Term("-", (plus, minus)), integer(2)))
        case "tanh":
            return Term("/", (Term("sinh", e.args), Term("cosh", e.args)))
    return Term("/", (Term("sin", e.args), Term("cos", e.args)))


def by_size(e: Term) -> Term:
    """The larger or the smaller of two, as half their sum and half their distance."""
    a, b = e.args
    size = Term("Rabs", (Term("-", (a, b)),))
    total = Term("+" if e.op == "Rmax" else "-", (Term("+", (a, b)), size))
    return Term("/", (total, integer(2)))
