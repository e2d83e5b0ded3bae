"""Powers, logarithms and exponentials of normal forms.

Over the positive reals these are one subject: ``f**q = exp(q log f)`` for each irreducible ``f``. A root has
one generator per irreducible polynomial and per prime; an exponential one per monomial of its exponent, so
that exp is a homomorphism on rational combinations of monomials (``rho * log f`` included).
"""

import math
from fractions import Fraction
from typing import NamedTuple

from flint import Ordering, fmpq_mpoly_ctx, fmpz, fmpz_mpoly

from equiv import number
from equiv.symbolic.conditions import Undecidable, Undefined
from equiv.symbolic.expression import Expr, as_expr, const, node
from equiv.symbolic.normal_form import Element, Field

LARGEST_POWER, LARGEST_ORDER = 64, 5040


class _Base(NamedTuple):
    """A generator for ``what`` taken to the power ``1/order``."""

    what: Element
    order: int
    generator: int


class Roots:
    """The rules for powers, logarithms and exponentials in one field."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self._roots: list[_Base] = []  # what = a positive irreducible polynomial, or a prime
        self._logs: list[_Base] = []
        self._exponentials: list[_Base] = []  # what = a monomial of an exponent
        self._moduli: list[_Base] = []  # what = a polynomial of unknown sign

    # --- factoring ------------------------------------------------------------------------------------

    def factors(self, e: Element) -> tuple[Fraction, list[tuple[fmpz_mpoly, int]]]:
        """``content * product of f**m``, with irreducible f."""
        e = self.field.without_roots_below(e)
        above, over = _factor(e.num)
        below, under = _factor(e.den)
        return Fraction(above, below), over + [(f, -m) for f, m in under]

    def _signed(self, f: fmpz_mpoly) -> int:
        """The sign of a factor, assumed only where that is allowed."""
        if self.field.is_positive_monomial(f):
            return 1
        return self.field.conditions.sign(self.field.expression(f))

    # --- powers ---------------------------------------------------------------------------------------

    def power(self, e: Element, q: Fraction) -> Element:
        """``e**q`` over the reals: for a fractional ``q`` the base may not be negative."""
        field = self.field
        if abs(q) > LARGEST_POWER or q.denominator > LARGEST_ORDER:
            raise Undecidable(f"the power {q} is too large to expand")
        if q.denominator == 1:
            return field.power(e, int(q))
        if field.is_zero(e):
            if q < 0:
                raise Undefined("a negative power of zero")
            return field.zero
        content, factors = self.factors(e)
        result, sign = self._content_power(abs(content), q), 1 if content > 0 else -1
        for f, m in factors:
            w = m * q
            if w.denominator == 1:  # the root of an even power of f: a power of |f|
                modulus = field.of_polynomial(f) if w % 2 == 0 else self.modulus(f)
                result = field.multiply(result, field.power(modulus, int(w)))
                continue
            s = self._signed(f)
            sign *= s if m % 2 else 1
            result = field.multiply(result, self._root_power(s * f, w))
        if sign < 0:
            raise Undefined("a root of a negative number")
        return result

    def _content_power(self, content: Fraction, q: Fraction) -> Element:
        result = self.field.one
        for n, s in ((content.numerator, 1), (content.denominator, -1)):
            for prime, m in fmpz(n).factor() if n > 1 else ():
                base = self.field.number(int(prime)).num
                result = self.field.multiply(result, self._root_power(base, s * int(m) * q))
        return result

    def _root_power(self, f: fmpz_mpoly, w: Fraction) -> Element:
        """``f**w`` for a positive irreducible (or prime) f."""
        field = self.field
        if w.denominator == 1:
            return field.power(field.of_polynomial(f), int(w))
        own = field.index_of(f)
        if own is not None and (log := field.generators[own].log) is not None:
            return self.exp(field.scaled(log, w))
        if w.denominator == 2 and (simpler := self._denested(f)) is not None:
            return field.power(simpler, int(2 * w))
        root = self._root(f, w.denominator)
        k = w.numerator * (root.order // w.denominator)
        whole, rest = divmod(k, root.order)
        return field.multiply(field.power(field.of_polynomial(f), whole), field.element(root.generator, rest))

    def _root(self, f: fmpz_mpoly, order: int) -> _Base:
        field, what = self.field, self.field.of_polynomial(f)
        for place, known in enumerate(self._roots):
            if field.equal(known.what, what):
                if known.order % order == 0:
                    return known
                finer = self._new_root(what, math.lcm(known.order, order))
                field.relate(
                    known.generator, 1, field.polynomial(finer.generator) ** (finer.order // known.order)
                )
                self._roots[place] = finer
                return finer
        self._roots.append(self._new_root(what, order))
        return self._roots[-1]

    def _new_root(self, what: Element, order: int) -> _Base:
        value = self.field.expression(what.num)
        value = number.sqrt(value) if order == 2 else value ** const(Fraction(1, order))
        log = self.field.scaled(self._log_of(what.num), Fraction(1, order))
        index = self.field.generator(value, positive=True, log=log)
        self.field.relate(index, order, self.field.of_polynomial(what.num).num)
        return _Base(what, order, index)

    def _denested(self, f: fmpz_mpoly) -> Element | None:
        """``sqrt(a + b r)`` for a square root r, if it is a sum of two simpler roots."""
        field = self.field
        for known in self._roots:
            g = field.polynomial(known.generator)
            b, a = divmod(field.current(f), g)
            if known.order != 2 or b.is_zero() or a.is_zero() or not b.is_constant() or not a.is_constant():
                continue
            square = int(a.leading_coefficient()) ** 2 - int(b.leading_coefficient()) ** 2 * int(
                field.current(known.what.num).leading_coefficient()
            )
            if not known.what.num.is_constant() or square < 0 or math.isqrt(square) ** 2 != square:
                continue
            half = [
                self.power(
                    field.number(Fraction(int(a.leading_coefficient()) + s * math.isqrt(square), 2)),
                    Fraction(1, 2),
                )
                for s in (1, -1)
            ]
            second = half[1] if b.leading_coefficient() > 0 else field.negative(half[1])
            return field.add(half[0], second)
        return None

    def modulus(self, f: fmpz_mpoly) -> Element:
        """``|f|``: signed as the domain or the schedule tells, else a generator whose square is f squared."""
        field = self.field
        if field.is_positive_monomial(f):
            return field.of_polynomial(f)
        try:
            sign = field.conditions.sign(field.expression(f))
            return field.of_polynomial(sign * f)
        except Undecidable:
            pass
        what = field.of_polynomial(f)
        for known in self._moduli:
            if field.equal(known.what, what):
                return field.element(known.generator)
        index = field.generator(node("abs", field.expression(f)), positive=False)
        field.relate(index, 2, field.current(f * f))
        self._moduli.append(_Base(what, 1, index))
        return field.element(index)

    def absolute(self, e: Element) -> Element:
        """``|e|``."""
        if self.field.is_zero(e):
            return self.field.zero
        content, factors = self.factors(e)
        result = self.field.number(abs(content))
        for f, m in factors:
            result = self.field.multiply(result, self.field.power(self.modulus(f), m))
        return result

    # --- logarithms and exponentials ------------------------------------------------------------------

    def log(self, e: Element) -> Element:
        """``log e``. Each factor's sign is known or listed; a negative product has no logarithm."""
        field = self.field
        if field.is_zero(e):
            raise Undefined("a logarithm of zero")
        content, factors = self.factors(e)
        sign, result = 1 if content > 0 else -1, field.zero
        for n, s in ((abs(content.numerator), 1), (content.denominator, -1)):
            for prime, m in fmpz(n).factor() if n > 1 else ():
                term = self._log_of(field.number(int(prime)).num)
                result = field.add(result, field.scaled(term, Fraction(s * int(m))))
        for f, m in factors:
            s = self._signed(f)
            sign *= s if m % 2 else 1
            result = field.add(result, field.scaled(self._log_of(s * f), Fraction(m)))
        if sign < 0:
            raise Undefined("a logarithm of a negative number")
        return result

    def _log_of(self, f: fmpz_mpoly) -> Element:
        """The logarithm of a positive irreducible, or prime, f."""
        field = self.field
        own = field.index_of(f)
        if own is not None and (known := field.generators[own].log) is not None:
            return known
        what = field.of_polynomial(f)
        for base in self._logs:
            if field.equal(base.what, what):
                return field.element(base.generator)
        index = field.generator(number.log(as_expr(field.expression(f))), positive=False)
        self._logs.append(_Base(what, 1, index))
        return field.element(index)

    def exp(self, e: Element) -> Element:
        """``exp e``, as a product over the monomials of the exponent."""
        field = self.field
        e = field.without_roots_below(e)
        result = field.one
        for coefficient, monomial in self.terms(e):
            result = field.multiply(result, self._exp_term(monomial, coefficient))
        return result

    def terms(self, e: Element) -> list[tuple[Fraction, Element]]:
        """``e`` as a rational combination of monomials, each over what is left of the denominator."""
        field, terms = self.field, []
        for coefficient, powers in field.monomials(e.num):
            monomial = field.number(coefficient).num
            for index, k in powers.items():
                monomial = monomial * field.polynomial(index) ** k
            part = field.divide(field.of_polynomial(monomial), Element(e.den, field.one.num))
            above, below = _content(part.num), _content(part.den)
            sign = 1 if part.num.leading_coefficient() > 0 else -1
            q = Fraction(sign * above, below)
            terms.append((q, field.scaled(part, 1 / q)))
        return terms

    def _exp_term(self, monomial: Element, q: Fraction) -> Element:
        """``exp(q * monomial)``."""
        field = self.field
        if q.denominator > LARGEST_ORDER:
            monomial, q = field.scaled(monomial, q), Fraction(1)  # an exponent of its own
        for base in self._logs:  # exp(q log f) = f**q
            if field.equal(monomial, field.element(base.generator)):
                return self._log_power(base.what, q)
        known = self._exponential(monomial, q.denominator)
        return field.element(known.generator, q.numerator * (known.order // q.denominator))

    def _exponential(self, monomial: Element, order: int) -> _Base:
        field = self.field
        for place, known in enumerate(self._exponentials):
            if field.equal(known.what, monomial):
                if known.order % order == 0:
                    return known
                finer = self._new_exponential(monomial, math.lcm(known.order, order))
                power = field.polynomial(finer.generator) ** (finer.order // known.order)
                field.relate(known.generator, 1, power)
                self._exponentials[place] = finer
                return finer
        self._exponentials.append(self._new_exponential(monomial, order))
        return self._exponentials[-1]

    def _log_power(self, f: Element, q: Fraction) -> Element:
        if f.num.is_constant():
            return self._content_power(Fraction(int(f.num.leading_coefficient())), q)
        return self._root_power(f.num, q)

    def _new_exponential(self, monomial: Element, order: int) -> _Base:
        field = self.field
        exponent = field.scaled(monomial, Fraction(1, order))
        index = field.generator(number.exp(self.expression(exponent)), positive=True, log=exponent)
        return _Base(monomial, order, index)

    def expression(self, e: Element) -> Expr:
        """What an element stands for."""
        above, below = self.field.expression(e.num), self.field.expression(e.den)
        return above if e.den.is_one() else above / below


def _factor(p: fmpz_mpoly) -> tuple[int, list[tuple[fmpz_mpoly, int]]]:
    """Content and primitive irreducible factors."""
    content = _content(p) if p.leading_coefficient() > 0 else -_content(p)
    primitive = p // content
    try:
        sign, factors = primitive.factor()
    except OverflowError:  # flint's constant may not fit; over the rationals it does
        return content, _factor_over_rationals(primitive)
    return content * int(sign), [(f, int(m)) for f, m in factors]


def _content(p: fmpz_mpoly) -> int:
    return int(p.content())  # type: ignore[attr-defined]


def _factor_over_rationals(p: fmpz_mpoly) -> list[tuple[fmpz_mpoly, int]]:
    context = p.context()
    rational = fmpq_mpoly_ctx.get(context.names(), Ordering.lex)
    _, factors = rational.from_dict(p.to_dict()).factor()
    found, product = [], context.constant(1)
    for f, m in factors:
        denominator = math.lcm(*(int(c.q) for c in f.coeffs()))
        whole = context.from_dict({k: int(c * denominator) for k, c in f.terms()})
        whole = whole // _content(whole)
        found.append((whole, int(m)))
        product = product * whole ** int(m)
    if product != p:
        raise Undecidable("a factorisation that does not multiply out")
    return found
