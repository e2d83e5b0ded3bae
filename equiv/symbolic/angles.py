"""Cosines and sines of normal forms, over one base angle per monomial, modulo ``c**2 + s**2 = 1``."""

import math
from fractions import Fraction
from typing import NamedTuple

from equiv import number
from equiv.symbolic.expression import PI
from equiv.symbolic.normal_form import Element, Field
from equiv.symbolic.roots import Roots

LARGEST_MULTIPLE = 24  # beyond it, angles with a rational ratio are taken as unrelated


class _Angle(NamedTuple):
    """Generators for the cosine and sine of ``what / order``."""

    what: Element
    order: int
    cos: int
    sin: int


class Angles:
    """The rules for cosines and sines in one field."""

    def __init__(self, field: Field, roots: Roots) -> None:
        self.field, self.roots = field, roots
        self._angles: list[_Angle] = []

    def cos_sin(self, e: Element) -> tuple[Element, Element]:
        """Cosine and sine of ``e``, by the addition theorem over its monomials."""
        field = self.field
        e = field.without_roots_below(e)
        total = (field.one, field.zero)
        for q, monomial in self.roots.terms(e):
            total = self._sum(total, self._turn(monomial, q))
        return total

    def _sum(self, a: tuple[Element, Element], b: tuple[Element, Element]) -> tuple[Element, Element]:
        f = self.field
        cos = f.subtract(f.multiply(a[0], b[0]), f.multiply(a[1], b[1]))
        sin = f.add(f.multiply(a[1], b[0]), f.multiply(a[0], b[1]))
        return cos, sin

    def _turn(self, monomial: Element, q: Fraction) -> tuple[Element, Element]:
        """Cosine and sine of ``q * monomial``."""
        if q < 0:
            cos, sin = self._turn(monomial, -q)
            return cos, self.field.negative(sin)
        if self._is_pi(monomial) and 12 % q.denominator == 0:
            return self._multiple(self._twelfth(12 // q.denominator), q.numerator)
        if q.denominator > LARGEST_MULTIPLE or q.numerator > LARGEST_MULTIPLE:
            monomial, q = self.field.scaled(monomial, q), Fraction(1)  # a base angle of its own
        angle = self._angle(monomial, q.denominator)
        base = (self.field.element(angle.cos), self.field.element(angle.sin))
        return self._multiple(base, q.numerator * (angle.order // q.denominator))

    def _multiple(self, base: tuple[Element, Element], n: int) -> tuple[Element, Element]:
        total = (self.field.one, self.field.zero)
        for _ in range(n):
            total = self._sum(total, base)
        return total

    def _is_pi(self, monomial: Element) -> bool:
        index = self.field.index_of(monomial.num)
        return monomial.den.is_one() and index is not None and self.field.generators[index].value is PI

    def _twelfth(self, k: int) -> tuple[Element, Element]:
        """Cosine and sine of ``k pi / 12``, from those of ``pi / 12``: (sqrt 6 +- sqrt 2) / 4."""
        f, half = self.field, Fraction(1, 2)
        root2, root6 = (self.roots.power(f.number(n), half) for n in (2, 6))
        base = (
            f.scaled(f.add(root6, root2), Fraction(1, 4)),
            f.scaled(f.subtract(root6, root2), Fraction(1, 4)),
        )
        return self._multiple(base, k)

    def _angle(self, monomial: Element, order: int) -> _Angle:
        for place, known in enumerate(self._angles):
            if self.field.equal(known.what, monomial):
                if known.order % order == 0:
                    return known
                finest = math.lcm(known.order, order)
                if finest > LARGEST_MULTIPLE:
                    continue
                finer = self._new(monomial, finest)
                self._refine(known, finer)
                self._angles[place] = finer
                return finer
        self._angles.append(self._new(monomial, order))
        return self._angles[-1]

    def _new(self, monomial: Element, order: int) -> _Angle:
        f = self.field
        angle = self.roots.expression(f.scaled(monomial, Fraction(1, order)))
        cos = f.generator(number.cos(angle), positive=False)
        sin = f.generator(number.sin(angle), positive=False)
        c = f.polynomial(cos)
        f.relate(sin, 2, 1 - c * c)
        return _Angle(monomial, order, cos, sin)

    def _refine(self, old: _Angle, new: _Angle) -> None:
        """The old pair is a multiple of the new one."""
        f = self.field
        base = (f.element(new.cos), f.element(new.sin))
        cos, sin = self._multiple(base, new.order // old.order)
        f.relate(old.cos, 1, cos.num)
        f.relate(old.sin, 1, sin.num)
