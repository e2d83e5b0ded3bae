"""LaTeX of sympy expressions as they are written.

Sympy's own printer sorts terms, asks every factor for its sign and multiplies out on the way: it takes longer
than the proof, and may show another expression than the one that is decided.
"""

import functools
from collections.abc import Sequence
from typing import Any

from sympy import Derivative, Integer, Integral, Limit, Mul, Pow, Product, S, Sum
from sympy.printing.latex import LatexPrinter

_OPEN_ENDED = (Derivative, Integral, Limit, Product, Sum)  # one cannot see where they end


def latex(e: Any) -> str:
    """An expression or a relation, with its terms and factors where they stand."""
    return str(_Printer().doprint(e))


@functools.cache
def _name(symbol: Any) -> str:
    return str(LatexPrinter().doprint(symbol))


class _Printer(LatexPrinter):  # type: ignore[misc]  # sympy is not typed
    def _print_Symbol(self, symbol: Any) -> str:
        return _name(symbol)

    def _print_Add(self, e: Any) -> str:
        terms = list(e.args)
        if _without_minus(terms[0]) is not None:  # b - a rather than -a + b
            terms.sort(key=lambda term: _without_minus(term) is not None)
        text = ""
        for term in terms:
            rest = _without_minus(term)
            sign = " + " if rest is None else " - " if text else "- "
            text += (sign if text or rest is not None else "") + self._inside(term if rest is None else rest)
        return text

    def _print_Mul(self, e: Any) -> str:
        if (rest := _without_minus(e)) is not None:
            return f"- {self._inside(rest)}"
        above, below = _fraction(e.args if e.is_Mul else (e,))
        over = self._product(above) or "1"
        return rf"\frac{{{over}}}{{{self._product(below)}}}" if below else over

    def _inside(self, term: Any) -> str:
        """A term of a sum, or what has a minus in front."""
        text = str(self._print(term))
        return rf"\left({text}\right)" if term.is_Add or term.is_Relational else text

    def _product(self, factors: Sequence[Any]) -> str:
        if len(factors) == 1:
            return str(self._print(factors[0]))
        text = ""
        for k, factor in enumerate(factors):
            inner = self._inside(factor)
            if _without_minus(factor) is not None or (k < len(factors) - 1 and factor.has(*_OPEN_ENDED)):
                inner = rf"\left({inner}\right)" if not factor.is_Add else inner
            text += (r" \cdot " if inner[0].isdigit() else " ") * bool(text) + inner
        return text


def _without_minus(e: Any) -> Any:
    """``r`` for what is written as ``-r``, else None."""
    if e.is_Rational:
        return -e if e.p < 0 else None
    if not e.is_Mul or (first := _without_minus(e.args[0])) is None:
        return None
    rest = e.args[1:] if first is S.One else (first, *e.args[1:])
    return rest[0] if len(rest) == 1 else Mul(*rest, evaluate=False)


def _fraction(factors: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """What stands above the bar and what stands below it."""
    above, below = [], []
    for f in factors:
        if f.is_Rational:
            above += [Integer(f.p)] if f.p != 1 else []
            below += [Integer(f.q)] if f.q != 1 else []
        elif f.is_Pow and f.exp.is_Rational and f.exp.p < 0:
            below.append(f.base if f.exp == -1 else Pow(f.base, -f.exp, evaluate=False))
        else:
            above.append(f)
    return above, below
