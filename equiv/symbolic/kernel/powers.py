"""Roots, logarithms and exponentials, brought to atoms.

There is one root for each irreducible factor, and one exponential for each term of an exponent.
"""

import math
from fractions import Fraction
from typing import Any

from equiv.symbolic.kernel.quotients import ONE, ZERO, Factored, Quotient, generator_of, key, terms
from equiv.symbolic.kernel.steps import Steps
from equiv.symbolic.kernel.terms import Unexportable


class Powers:
    """The atoms of one script, made as they are needed."""

    def __init__(self, steps: Steps) -> None:
        self.steps, self.g = steps, steps.g
        self.atoms: dict[tuple[Any, ...], int] = {}
        self.roots: dict[int, tuple[Any, int]] = {}  # of what an atom is the root, and which

    def spelled(self, f: Factored) -> str:
        """The product with its constant in prime factors, for the logarithm of it."""
        above = [(str(p), n) for p, n in _primes(f.constant) if n > 0]
        below = [(str(p), -n) for p, n in _primes(f.constant) if n < 0]
        for p, n in f.powers:
            (above if n > 0 else below).append((f"({self.g.poly(p)})", abs(n)))
        upper, lower = (" * ".join(f"{t} ^ {n}" for t, n in side) or "1" for side in (above, below))
        return f"{upper} / ({lower})" if below else upper

    def log(self, f: Factored) -> Quotient:
        """The logarithm of a product: a sum of logarithms of its factors."""
        if f.constant <= 0:
            raise Unexportable("a logarithm of what is not shown to be positive")
        total = Quotient(ZERO, ONE)
        for p, n in (*((ONE * p, n) for p, n in _primes(f.constant)), *f.powers):
            total = self.g.add(total, self.g.scaled(self._log_of(p), Fraction(n)))
        return total

    def _log_of(self, p: Any) -> Quotient:
        index = generator_of(p)
        if index in self.steps.logs:
            return self.steps.logs[index]
        name = ("ln", key(p))
        if name not in self.atoms:
            self.steps.show_sign(p)
            values = [math.log(v) if v > 0 else math.nan for v in self.g.samples(p)]
            inner = self.g.poly(p)
            shown = f"ln ({inner})" if " " in inner else f"ln {inner}"
            self.atoms[name] = self.g.new(shown, values)
            self.steps.log_of[self.atoms[name]] = p
        return self.g.quotient(self.atoms[name])

    def to_power(self, f: Factored, exponent: Fraction) -> Quotient:
        """The product to a rational power; every factor is shown to be positive, or has an even power."""
        if f.constant < 0:
            raise Unexportable("a root of what is negative")
        whole = Quotient(ONE, ONE)
        for p, n in (*((ONE * p, n) for p, n in _primes(f.constant)), *f.powers):
            self.steps.show_sign(p)
            whole = self.g.multiply(whole, self._factor_to_power(p, n * exponent))
        return whole

    def _factor_to_power(self, p: Any, exponent: Fraction) -> Quotient:
        index = generator_of(p)
        if exponent.denominator == 1:
            base = Quotient(p, ONE)
            if self.g.sign(p) == 0 and not self.g.evident(p) and not p.is_constant() and exponent % 2:
                base = self.size(p)
            return self.g.power(base, int(exponent))
        if index in self.roots:
            base, degree = self.roots[index]
            return self._factor_to_power(base, exponent / degree)
        if index in self.steps.logs:
            return self.exponential(self.g.scaled(self.steps.logs[index], exponent))
        scale = self.steps.scale(f"root {key(p)}", exponent.denominator)
        return self.g.power(self._root(p, scale), int(exponent * scale))

    def root_of(self, n: int) -> Quotient:
        """The square root of a whole number."""
        return self._factor_to_power(ONE * n, Fraction(1, 2))

    def _root(self, p: Any, degree: int) -> Quotient:
        name = ("root", key(p), degree)
        if name not in self.atoms:
            self.steps.show_sign(p)
            values = [v ** (1 / degree) if v > 0 else math.nan for v in self.g.samples(p)]
            index, r = self.steps.atom("r", values, positive=True)
            self.steps.lines.append(
                f"destruct (root_atom {degree} ({self.g.poly(p)}))"
                f" as ({r} & {r}_positive & {r}_power & {r}_ln); [discriminate | sign |]."
                f" cbn [INR] in {r}_ln."
            )
            self.steps.relations.append((f"{r}_power", r))
            self.steps.log_facts.append(f"{r}_ln")
            self.g.relations[index] = (degree, p)
            self.roots[index] = (p, degree)
            self.atoms[name] = index
            self.steps.logs[index] = self.g.scaled(self._log_of(p), Fraction(1, degree))
        return self.g.quotient(self.atoms[name])

    def size(self, p: Any) -> Quotient:
        """The absolute value of a polynomial of which no sign is known."""
        name = ("size", key(p))
        if name not in self.atoms:
            index, m = self.steps.atom("m", [abs(v) for v in self.g.samples(p)])
            self.steps.lines.append(
                f"destruct (size_atom ({self.g.poly(p)})) as ({m} & {m}_nonnegative & {m}_power)."
            )
            self.steps.relations.append((f"{m}_power", m))
            self.g.relations[index] = (2, p**2)
            self.atoms[name] = index
        return self.g.quotient(self.atoms[name])

    def exponential(self, q: Quotient) -> Quotient:
        """Exp of a sum: exp of a logarithm is its argument, each other term is a power of one atom."""
        whole = Quotient(ONE, ONE)
        for term, c in terms(q):
            index = generator_of(term.num)
            if term.den == 1 and index is not None and index in self.steps.log_of:
                factor = self._factor_to_power(self.steps.log_of[index], c)
            else:
                scale = self.steps.scale(f"exp {key(term.num)} / {key(term.den)}", c.denominator)
                factor = self.g.power(self._exp_atom(term, scale), int(c * scale))
            whole = self.g.multiply(whole, factor)
        return whole

    def _exp_atom(self, term: Quotient, scale: int) -> Quotient:
        name = ("exp", key(term.num), key(term.den), scale)
        if name not in self.atoms:
            inner = self.g.make(term.num, term.den * scale)
            values = [math.exp(min(v, 300)) for v in self.g.sample(inner)]
            index, a = self.steps.atom("g", values, positive=True)
            self.steps.lines.append(
                f"destruct (exp_atom ({self.g.sum_text(inner)})) as ({a} & {a}_positive & {a}_ln)."
            )
            self.steps.log_facts.append(f"{a}_ln")
            self.steps.logs[index] = inner
            self.atoms[name] = index
        return self.g.quotient(self.atoms[name])


def _primes(c: Fraction) -> list[tuple[int, int]]:
    """The prime factors of a positive rational, with their exponents."""
    found: dict[int, int] = {}
    for n, turn in ((abs(c.numerator), 1), (c.denominator, -1)):
        rest, p = n, 2
        while rest > 1:
            if p * p > rest:
                p = rest
            while rest % p == 0:
                found[p] = found.get(p, 0) + turn
                rest //= p
            p += 1
    return [*found.items()]
