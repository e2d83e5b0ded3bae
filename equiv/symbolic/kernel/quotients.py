"""Fractions of polynomials in symbols and atoms, for finding factors: hints, which Rocq checks."""

import math
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any, NamedTuple

from flint import Ordering, fmpq, fmpq_mpoly, fmpq_mpoly_ctx

from equiv.symbolic.kernel.terms import Unexportable

SLOTS = 64
_CONTEXT = fmpq_mpoly_ctx.get([f"x{i}" for i in range(SLOTS)], Ordering.lex)
ONE: Any = _CONTEXT.constant(1)
ZERO: Any = _CONTEXT.constant(0)
Poly = fmpq_mpoly


class Quotient(NamedTuple):
    """A fraction in lowest terms."""

    num: Any
    den: Any


class Factored(NamedTuple):
    """A constant times powers of irreducible polynomials; those of known sign are positive."""

    constant: Fraction
    powers: tuple[tuple[Any, int], ...]


class Generators:
    """The symbols and atoms of one proof: their text in Rocq, and their values at sample points."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.values: list[tuple[float, ...]] = []
        self.positive: list[bool] = []
        self.angles: list[tuple[int, int]] = []  # cosine and sine of one angle
        self.relations: dict[int, tuple[int, Any]] = {}  # generator^degree = polynomial

    def new(self, text: str, values: Sequence[float], *, positive: bool = False) -> int:
        if len(self.texts) == SLOTS:
            raise Unexportable("too many different functions in one equality")
        self.texts.append(text)
        self.values.append(tuple(values))
        self.positive.append(positive)
        return len(self.texts) - 1

    def quotient(self, index: int) -> Quotient:
        return Quotient(_CONTEXT.gen(index), ONE)

    # --- arithmetic --------------------------------------------------------------------------------

    def make(self, num: Any, den: Any) -> Quotient:
        num, den = self._reduced(num), self._reduced(den)
        if den == 0:
            raise Unexportable("a denominator is identically zero")
        if num == 0:
            return Quotient(ZERO, ONE)
        common = num.gcd(den)
        return Quotient(num / common, den / common)

    def add(self, a: Quotient, b: Quotient) -> Quotient:
        return self.make(a.num * b.den + b.num * a.den, a.den * b.den)

    def multiply(self, a: Quotient, b: Quotient) -> Quotient:
        return self.make(a.num * b.num, a.den * b.den)

    def divide(self, a: Quotient, b: Quotient) -> Quotient:
        return self.make(a.num * b.den, a.den * b.num)

    def scaled(self, a: Quotient, by: Fraction) -> Quotient:
        return self.make(a.num * fmpq(by.numerator, by.denominator), a.den)

    def power(self, a: Quotient, n: int) -> Quotient:
        base = a if n >= 0 else Quotient(a.den, a.num)
        return self.make(base.num ** abs(n), base.den ** abs(n))

    def product(self, factors: Iterable[tuple[Quotient, int]], constant: Fraction = Fraction(1)) -> Quotient:
        total = reduce(self.multiply, (self.power(q, n) for q, n in factors), Quotient(ONE, ONE))
        return self.scaled(total, constant)

    def _reduced(self, p: Any) -> Any:
        """The polynomial with the relations of roots and angles used from left to right."""
        again = True
        while again:
            again = False
            degrees = p.degrees()
            for index, (degree, replacement) in self.relations.items():
                if degrees[index] >= degree:
                    p = self._replace(p, index, degree, replacement)
                    again = True
                    break
        return p

    @staticmethod
    def _replace(p: Any, index: int, degree: int, replacement: Any) -> Any:
        total = ZERO
        for monomial, coefficient in monomials(p):
            times, rest = divmod(monomial[index], degree)
            lowered = (*monomial[:index], rest, *monomial[index + 1 :])
            term = _CONTEXT.from_dict({lowered: fmpq(coefficient.numerator, coefficient.denominator)})
            total += term * replacement**times if times else term
        return total

    # --- factors and signs ---------------------------------------------------------------------------

    def factored(self, q: Quotient) -> Factored:
        """Each factor is primitive, and positive if the samples say that it has a sign."""
        constant, powers = Fraction(1), []
        for part, turn in ((q.num, 1), (q.den, -1)):
            content, factors = part.factor()
            constant *= fraction(content) ** turn
            for f, n in factors:
                unit = fraction(f.term_content().leading_coefficient())
                if self.sign(f) < 0:
                    unit = -unit
                powers.append((f / fmpq(unit.numerator, unit.denominator), turn * int(n)))
                constant *= unit ** (turn * int(n))
        return self._squares_of_cosines(Factored(constant, tuple(powers)))

    def _squares_of_cosines(self, f: Factored) -> Factored:
        """``(1 - s) (1 + s)`` as ``c^2``, whose sign is plain."""
        constant, powers = f.constant, {key(p): (p, n) for p, n in f.powers}
        for cosine, sine in self.angles:
            c, s = _CONTEXT.gen(cosine), _CONTEXT.gen(sine)
            above = powers.get(key(1 + s))
            turned = key(s - 1) in powers
            below = powers.get(key(s - 1) if turned else key(1 - s))
            if above and below and above[1] == below[1]:
                n = above[1]
                del powers[key(above[0])], powers[key(below[0])]
                powers[key(c)] = (c, 2 * n + powers.get(key(c), (c, 0))[1])
                constant *= (-1) ** n if turned else 1
        return Factored(constant, tuple((p, n) for p, n in powers.values() if n))

    def sign(self, p: Any) -> int:
        """+1 or -1 if the polynomial has that sign at all samples, beyond its rounding, else 0."""
        shares = [sum(terms) / (sum(map(abs, terms)) or 1.0) for terms in self._terms_at_samples(p)]
        if shares and all(share > 1e-12 for share in shares):
            return 1
        return -1 if shares and all(share < -1e-12 for share in shares) else 0

    def samples(self, p: Any) -> list[float]:
        return [sum(terms) for terms in self._terms_at_samples(p)]

    def _terms_at_samples(self, p: Any) -> list[list[float]]:
        found: list[list[float]] = [[] for _ in self.values[0]] if self.values else []
        for monomial, coefficient in monomials(p):
            used = [(self.values[i], n) for i, n in enumerate(monomial) if n]
            c = float(coefficient)
            for k, terms in enumerate(found):
                terms.append(c * math.prod(v[k] ** n for v, n in used))
        return found

    def sample(self, q: Quotient) -> list[float]:
        """The values at the sample points, nan where there is none."""
        pairs = zip(self.samples(q.num), self.samples(q.den), strict=True)
        return [n / d if d else math.nan for n, d in pairs]

    def ends(self, p: Any, index: int) -> tuple[Any, Any]:
        """Of ``a + (b - a) x^2``, for a generator x, the polynomials a and b; if it is of that form."""
        parts = {0: ZERO, 2: ZERO}
        for m, c in monomials(p):
            if m[index] not in parts:
                return None, None
            rest = (*m[:index], 0, *m[index + 1 :])
            parts[m[index]] += _CONTEXT.from_dict({rest: fmpq(c.numerator, c.denominator)})
        return parts[0], parts[0] + parts[2]

    def evident(self, p: Any) -> bool:
        """Is it a sum of products of what is positive?"""
        for monomial, coefficient in monomials(p):
            if coefficient < 0 or not self.known_positive(monomial):
                return False
        return True

    def known_positive(self, monomial: tuple[int, ...]) -> bool:
        return all(self.positive[i] for i, n in enumerate(monomial) if n)

    def monomial(self, exponents: tuple[int, ...]) -> str:
        """The text of a monomial."""
        return self._monomial(exponents, Fraction(1))

    # --- text ----------------------------------------------------------------------------------------

    def poly(self, p: Any) -> str:
        """A polynomial in Rocq's syntax."""
        words: list[str] = []
        for monomial, c in sorted(monomials(p), key=lambda t: t[1] < 0):  # what is added first
            words.append("-" if c < 0 else "+")
            words.append(self._monomial(monomial, abs(c)))
        if not words:
            return "0"
        first = words[1] if words[0] == "+" else f"- ({words[1]})"
        return " ".join([first, *words[2:]])

    def _monomial(self, monomial: tuple[int, ...], c: Fraction) -> str:
        used = [(self.texts[i], n) for i, n in enumerate(monomial) if n]
        factors = [number(c)] if c != 1 or not used else []
        factors += [_tight(t) if n == 1 else f"{_tight(t)} ^ {n}" for t, n in used]
        return " * ".join(factors)

    def product_text(self, f: Factored) -> str:
        """A product of powers, with what is below in one denominator."""
        above = [self._power(p, n) for p, n in f.powers if n > 0]
        below = [self._power(p, -n) for p, n in f.powers if n < 0]
        c = f.constant
        if abs(c.numerator) != 1 or not above:
            above.insert(0, str(abs(c.numerator)))
        if c.denominator != 1:
            below.insert(0, str(c.denominator))
        whole = " * ".join(above)
        if below:
            whole = f"{whole} / ({' * '.join(below)})" if len(below) > 1 else f"{whole} / {below[0]}"
        return f"- ({whole})" if c < 0 else whole

    def _power(self, p: Any, n: int) -> str:
        inner = self.poly(p)
        inner = inner if len(monomials(p)) == 1 and _is_plain(p) and " " not in inner else f"({inner})"
        return inner if n == 1 else f"{inner} ^ {n}"

    def text(self, q: Quotient) -> str:
        """A quotient as a product of its factors."""
        return "0" if q.num == 0 else self.product_text(self.factored(q))

    def sum_text(self, q: Quotient) -> str:
        """A quotient as a sum over its denominator."""
        below = "" if q.den == 1 else f" / ({self.poly(q.den)})"
        return f"({self.poly(q.num)}){below}"


def _is_plain(p: Any) -> bool:
    ((monomial, coefficient),) = monomials(p)
    return coefficient == 1 and sum(monomial) == 1


def _tight(text: str) -> str:
    return f"({text})" if " " in text else text


def number(c: Fraction) -> str:
    """A rational number as a factor."""
    return str(c.numerator) if c.denominator == 1 else f"({c.numerator} / {c.denominator})"


def fraction(c: Any) -> Fraction:
    """A rational number of flint's as one of Python's."""
    return Fraction(int(c.p), int(c.q))


def monomials(p: Any) -> list[tuple[tuple[int, ...], Fraction]]:
    """The exponents and the coefficient of each term."""
    return [(tuple(map(int, m)), fraction(c)) for m, c in p.to_dict().items()]


def key(p: Any) -> str:
    """What tells polynomials apart."""
    return str(p)


def terms(q: Quotient) -> list[tuple[Quotient, Fraction]]:
    """The quotient as a sum: monomials over what is below, in lowest terms, and their coefficients."""
    found = []
    for m, c in monomials(q.num):
        above = _CONTEXT.from_dict({m: fmpq(1)})
        common = above.gcd(q.den)
        above, below = above / common, q.den / common
        unit = below.leading_coefficient()
        found.append((Quotient(above / above.leading_coefficient(), below / unit), c / fraction(unit)))
    return found


def generators(p: Any) -> set[int]:
    """The indices of the generators that the polynomial speaks of."""
    return {i for m, _ in monomials(p) for i, n in enumerate(m) if n}


def generator_of(p: Any) -> int | None:
    """The index of the generator that the polynomial is, if it is one."""
    found = monomials(p)
    if len(found) != 1 or found[0][1] != 1 or sum(found[0][0]) != 1:
        return None
    return int(found[0][0].index(1))
