"""The algebraic normal form: quotients of integer polynomials in generators, with the relations between them.

A generator is a symbol, a real root of a positive irreducible polynomial, a logarithm, an exponential, the
cosine or sine of a base angle, an absolute value, a named constant, or an uninterpreted operator applied to
canonical arguments. Every rewrite is an identity wherever both of its sides are defined, so a zero
numerator means equal wherever the recorded conditions hold. A numerator that is not zero decides nothing.
"""

import math
from fractions import Fraction
from typing import Any, NamedTuple

from flint import Ordering, fmpz_mpoly, fmpz_mpoly_ctx

from equiv.symbolic.conditions import Conditions, Undecidable, Undefined
from equiv.symbolic.expression import Expr, const

MOST_TERMS = 100_000  # before like ones are added; above that it takes minutes


class Element(NamedTuple):
    """A numerator over a denominator."""

    num: fmpz_mpoly
    den: fmpz_mpoly


class Generator(NamedTuple):
    """``value`` is what the generator stands for; ``log`` its logarithm, where that is known."""

    value: Expr
    positive: bool
    log: Element | None = None


class Field:
    """The field that grows as expressions are brought into it.

    New generators stand highest in the lexicographic order, so that dividing by ``g**n - f`` replaces
    powers of ``g`` by older generators.
    """

    def __init__(self, conditions: Conditions) -> None:
        self.conditions = conditions
        self.generators: list[Generator] = []
        self._context = _context(32)
        self._rules: dict[int, tuple[int, fmpz_mpoly]] = {}  # generator -> (n, f) for g**n = f
        self._newest_first: list[int] = []  # the generators that have a rule
        self.refined = False  # has a generator been replaced by a power of a newer one?
        self.one = self.number(1)
        self.zero = self.number(0)

    # --- elements -------------------------------------------------------------------------------------

    def number(self, value: Fraction | int) -> Element:
        value = Fraction(value)
        return Element(self._context.constant(value.numerator), self._context.constant(value.denominator))

    def generator(self, value: Expr, *, positive: bool, log: Element | None = None) -> int:
        """A new generator, by its index."""
        self.generators.append(Generator(value, positive, log))
        if len(self.generators) > self._context.nvars():
            self._context = _context(2 * self._context.nvars())
        return len(self.generators) - 1

    def relate(self, index: int, power: int, equals: fmpz_mpoly) -> None:
        """From now on ``g**power`` is ``equals``."""
        self.refined = self.refined or power == 1
        self._rules[index] = (power, equals)
        self._newest_first = sorted(self._rules, reverse=True)

    def polynomial(self, index: int) -> fmpz_mpoly:
        generator: fmpz_mpoly = self._context.gen(self._context.nvars() - 1 - index)
        return generator

    def element(self, index: int, power: int = 1) -> Element:
        g = self.polynomial(index)
        if power < 0:
            return Element(self._context.constant(1), g**-power)
        return Element(g**power, self._context.constant(1))

    def of_polynomial(self, p: fmpz_mpoly) -> Element:
        return Element(self.current(p), self._context.constant(1))

    # --- arithmetic -----------------------------------------------------------------------------------

    def add(self, a: Element, b: Element) -> Element:
        a, b = self.lifted(a), self.lifted(b)
        if a.den == b.den:
            return self._reduced(a.num + b.num, a.den)
        num = _product(a.num, b.den) + _product(b.num, a.den)
        return self._reduced(num, _product(a.den, b.den))

    def negative(self, a: Element) -> Element:
        return Element(-a.num, a.den)

    def subtract(self, a: Element, b: Element) -> Element:
        return self.add(a, self.negative(b))

    def multiply(self, a: Element, b: Element) -> Element:
        a, b = self.lifted(a), self.lifted(b)
        return self._reduced(_product(a.num, b.num), _product(a.den, b.den))

    def divide(self, a: Element, b: Element) -> Element:
        """The quotient; the caller has recorded that the denominator, as written, is not zero."""
        a, b = self.lifted(a), self.lifted(b)
        return self._reduced(_product(a.num, b.den), _product(a.den, b.num))

    def power(self, a: Element, n: int) -> Element:
        if n < 0:
            a, n = self.divide(self.one, a), -n
        a = self.lifted(a)
        for p in a:
            _check(math.comb(len(p) + n - 1, n) if p else 0)
        return self._reduced(a.num**n, a.den**n)

    def scaled(self, a: Element, q: Fraction) -> Element:
        return self.multiply(a, self.number(q))

    def equal(self, a: Element, b: Element) -> bool:
        return self.is_zero(self.subtract(a, b))

    def is_zero(self, a: Element) -> bool:
        return bool(self.current(a.num).is_zero())

    def constant(self, a: Element) -> Fraction | None:
        """The rational that ``a`` is, or None."""
        if a.num.is_constant() and a.den.is_constant():
            return Fraction(_integer(a.num), _integer(a.den))
        return None

    def without_roots_below(self, a: Element) -> Element:
        """``a`` with square roots cleared from the denominator. The conjugate may not be zero: recorded."""
        num, den = self.lifted(a)
        for index in self._newest_first:
            n, _ = self._rules[index]
            g = self.polynomial(index)
            if n != 2 or den.degrees()[self._place(index)] != 1:
                continue
            rest, with_g = _split(den, g)
            conjugate = rest - with_g * g
            if rest.is_zero() or self.current(den * conjugate).is_zero():
                continue
            try:
                self.conditions.nonzero(self.expression(conjugate))
            except Undecidable:
                continue
            num, den = self._reduced(num * conjugate, den * conjugate)
        return Element(num, den)

    # --- representation -------------------------------------------------------------------------------

    def lifted(self, a: Element) -> Element:
        """``a`` in today's context, with today's relations applied."""
        return Element(self.current(a.num), self.current(a.den))

    def current(self, p: fmpz_mpoly) -> fmpz_mpoly:
        if p.context() is not self._context:
            p = p.project_to_context(self._context)
        return self._apply_rules(p)

    def _apply_rules(self, p: fmpz_mpoly) -> fmpz_mpoly:
        if not self._rules or p.is_constant():
            return p
        degrees = p.degrees()
        for index in self._newest_first:
            n, f = self._rules[index]
            if degrees[self._place(index)] < n:
                continue
            if f.context() is not self._context:
                f = f.project_to_context(self._context)
                self._rules[index] = (n, f)
            if n > 1:
                p = p % (self.polynomial(index) ** n - f)
                degrees = p.degrees()
            else:  # replaced by newer generators, which stand higher: substitute, then start again
                gens = list(self._context.gens())
                gens[self._place(index)] = f
                return self._apply_rules(p.compose(*gens, ctx=self._context))
        return p

    def _reduced(self, num: fmpz_mpoly, den: fmpz_mpoly) -> Element:
        num, den = self._apply_rules(num), self._apply_rules(den)
        if den.is_zero():
            raise Undefined("division by an expression that is identically zero")
        if num.is_zero():
            return Element(num, self._context.constant(1))
        if not den.is_one():
            common = num.gcd(den)
            num, den = num // common, den // common
            if den.leading_coefficient() < 0:
                num, den = -num, -den
        return Element(num, den)

    def _place(self, index: int) -> int:
        return int(self._context.nvars()) - 1 - index

    def index_of(self, p: fmpz_mpoly) -> int | None:
        """The generator that ``p`` is, or None."""
        p = self.current(p)
        if len(p) != 1 or p.total_degree() != 1 or p.leading_coefficient() != 1:
            return None
        (monomial,) = p.monoms()
        return int(self._context.nvars()) - 1 - list(monomial).index(1)

    def monomials(self, p: fmpz_mpoly) -> list[tuple[int, dict[int, int]]]:
        """``p`` as (coefficient, {generator: exponent})."""
        last = self._context.nvars() - 1
        return [
            (int(coefficient), {last - place: int(k) for place, k in enumerate(monomial) if k})
            for monomial, coefficient in self.current(p).terms()
        ]

    def expression(self, p: fmpz_mpoly) -> Expr:
        """What a polynomial in the generators stands for."""
        total: Expr | None = None
        for coefficient, powers in self.monomials(p):
            term: Expr | None = None if abs(coefficient) == 1 and powers else const(abs(coefficient))
            for index, k in sorted(powers.items()):
                value = self.generators[index].value
                factor = value if k == 1 else value**k
                term = factor if term is None else term * factor
            assert term is not None
            if total is None:
                total = term if coefficient > 0 else -term
            else:
                total = total + term if coefficient > 0 else total - term
        return const(0) if total is None else total

    def is_positive_monomial(self, p: fmpz_mpoly) -> bool:
        """Is every term of ``p`` a positive multiple of positive generators?"""
        return all(
            coefficient > 0 and all(self.generators[i].positive for i in powers)
            for coefficient, powers in self.monomials(p)
        )


def _product(p: fmpz_mpoly, q: fmpz_mpoly) -> fmpz_mpoly:
    _check(len(p) * len(q))
    return p * q


def _check(terms: int) -> None:
    if terms > MOST_TERMS:
        raise Undecidable(f"a polynomial of {terms} terms is too large to expand")


def _context(size: int) -> Any:
    # variable k is called gk; the newest comes first, that is highest
    return fmpz_mpoly_ctx.get([f"g{k}" for k in reversed(range(size))], Ordering.lex)


def _integer(p: fmpz_mpoly) -> int:
    return 0 if p.is_zero() else int(p.leading_coefficient())


def _split(p: fmpz_mpoly, g: fmpz_mpoly) -> tuple[fmpz_mpoly, fmpz_mpoly]:
    """``(a, b)`` with ``p = a + b g``, for ``p`` of degree at most one in ``g``."""
    quotient, rest = divmod(p, g)
    return rest, quotient
