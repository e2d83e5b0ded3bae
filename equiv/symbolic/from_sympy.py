"""Sympy expressions as ours: operation by operation, with nothing simplified on the way.

What sympy's calculus leaves behind (an undefined function, an unevaluated integral or derivative) becomes
an uninterpreted operator of its own, keyed by all it depends on.
"""

from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from typing import Any

import sympy

from equiv import number
from equiv.symbolic.expression import PI, Expr, Relation, const, node, symbol

_OPAQUE = (sympy.core.function.AppliedUndef, sympy.Integral, sympy.Derivative, sympy.Limit, sympy.Sum)

_FUNCTIONS: dict[Any, Callable[..., Expr]] = {
    sympy.exp: number.exp,
    sympy.log: number.log,
    sympy.sin: number.sin,
    sympy.cos: number.cos,
    sympy.tan: lambda x: number.sin(x) / number.cos(x),
    sympy.cosh: lambda x: (number.exp(x) + number.exp(-x)) / 2,
    sympy.sinh: lambda x: (number.exp(x) - number.exp(-x)) / 2,
    sympy.tanh: lambda x: (number.exp(2 * x) - 1) / (number.exp(2 * x) + 1),
    sympy.sech: lambda x: 2 / (number.exp(x) + number.exp(-x)),
    sympy.Abs: abs,
    sympy.Max: lambda *xs: reduce(number.maximum, xs),
    sympy.Min: lambda *xs: reduce(number.minimum, xs),
}

_RELATIONS = {
    sympy.StrictLessThan: lambda a, b: Relation(a, "<", b),
    sympy.LessThan: lambda a, b: Relation(a, "<=", b),
    sympy.StrictGreaterThan: lambda a, b: Relation(b, "<", a),
    sympy.GreaterThan: lambda a, b: Relation(b, "<=", a),
    sympy.Equality: lambda a, b: Relation(a, "==", b),
    sympy.Unequality: lambda a, b: Relation(a, "!=", b),
}


def translate(e: Any) -> Expr:
    """The expression, as ours.

    A positive symbol belongs to a schedule; a merely real one is a state, of which no sign is assumed.

    Raises:
        ValueError: there is something in it that we cannot read.
    """
    match e:
        case sympy.Dummy() | sympy.Wild():
            raise ValueError(f"{e} is a {type(e).__name__}; write a symbol with a name of its own")
        case sympy.Symbol():
            if not e.is_real:
                raise ValueError(f"the symbol {e} needs an assumption: positive=True or real=True")
            return _symbol(e)
        case sympy.Rational():
            return const(Fraction(int(e.p), int(e.q)))
        case sympy.Float():
            raise ValueError(f"{e} is a float; write an exact number")
        case sympy.Add():
            return _sum([*e.args])
        case sympy.Mul():
            return _product([*e.args])
        case sympy.Pow():
            return _power(e.base, e.exp)
    if e is sympy.pi:
        return PI
    if e is sympy.E:
        return number.exp(const(1))
    if isinstance(e, _OPAQUE):
        return _opaque(e)
    if function := _FUNCTIONS.get(e.func):
        return function(*map(translate, e.args))
    raise ValueError(f"cannot read {e.func.__name__} in {e}")


def _symbol(e: Any) -> Expr:
    """A symbol of ours. Sympy tells symbols of one name apart by their assumptions, so the name says them."""
    declared = e._assumptions_orig  # noqa: SLF001 - sympy offers no other way to what was declared
    further = sorted(set(declared) - {"real", "positive"})
    name = f"{e.name} ({', '.join(further)})" if further else e.name
    return symbol(name, "schedule", positive=True) if e.is_positive else symbol(name)


def relation(r: Any) -> Relation:
    """A sympy relation, as ours.

    Raises:
        ValueError: it is no relation, for instance because sympy has already decided it.
    """
    make = _RELATIONS.get(r.func)
    if make is None:
        raise ValueError(f"a hypothesis needs to be a relation built with evaluate=False; got {r!r}")
    return make(translate(r.lhs), translate(r.rhs))


def _sum(terms: list[Any]) -> Expr:
    total = translate(terms[0])
    for term in terms[1:]:
        minus = _without_minus(term)
        total = total + translate(term) if minus is None else total - translate(minus)
    return total


def _without_minus(term: Any) -> Any:
    """``t`` for a term that is written ``-1 * t``, else None."""
    if isinstance(term, sympy.Mul) and term.args[0] == -1:
        rest = term.args[1:]
        return rest[0] if len(rest) == 1 else sympy.Mul(*rest, evaluate=False)
    return None


def _product(factors: list[Any]) -> Expr:
    """A product, with each reciprocal as a division by its base."""
    result: Expr | None = None
    for f in factors:
        below = isinstance(f, sympy.Pow) and f.exp.is_number and f.exp.is_negative
        value = _power(f.base, -f.exp) if below else translate(f)
        if below:
            result = (const(1) if result is None else result) / value
        elif f == -1 and result is None and len(factors) > 1:
            return -_product(factors[1:])
        else:
            result = value if result is None else result * value
    assert result is not None
    return result


def _power(base: Any, exponent: Any) -> Expr:
    if base is sympy.E:
        return number.exp(translate(exponent))
    if exponent == sympy.Rational(1, 2):
        return number.sqrt(translate(base))
    if exponent.is_number and exponent.is_negative:
        return const(1) / _power(base, -exponent)
    if exponent == 1:
        return translate(base)
    return translate(base) ** translate(exponent)


def _opaque(e: Any) -> Expr:
    """An operator without arguments: equal only to itself, without a value, so never in a witness."""
    return node("call", param=("opaque", sympy.srepr(e), str(e), bool(e.is_positive)))
