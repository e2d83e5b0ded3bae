"""Sympy expressions as ours: operation by operation, with nothing simplified on the way.

A derivative is taken by our own rules, a value at a point by our own substitution. An undefined function is
an uninterpreted operator of its arguments; what else no rule reaches (an integral, a limit) is one of its
own, keyed by all it depends on.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import reduce
from typing import Any
from weakref import WeakKeyDictionary

import sympy
from sympy.core.function import AppliedUndef

from equiv import number
from equiv.symbolic.calculus import NotSmooth, derivative, undefined_function
from equiv.symbolic.expression import PI, Expr, Relation, const, node, postorder, substitute, symbol

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
    for kind, read in _CALCULUS.items():
        if isinstance(e, kind):
            return read(e)
    if function := _FUNCTIONS.get(e.func):
        return function(*map(translate, e.args))
    raise ValueError(f"cannot read {e.func.__name__} in {e}")


def _symbol(e: Any) -> Expr:
    """A symbol of ours, which is real, and positive where that is declared.

    Raises:
        ValueError: something else is assumed of it, which would be forgotten.
    """
    declared = e._assumptions_orig  # noqa: SLF001 - sympy offers no other way to what was declared
    if further := sorted(set(declared) - {"real", "positive", "commutative"}):
        raise ValueError(f"a symbol may be real or positive; {e.name} is also {', '.join(further)}")
    name = f"{e.name} ({e.dummy_index})" if isinstance(e, sympy.Dummy) else e.name
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


# --- calculus --------------------------------------------------------------------------------------

_meaning: "WeakKeyDictionary[Expr, Any]" = WeakKeyDictionary()  # what sympy has for an opaque operator


def _opaque(e: Any) -> Expr:
    """An operator without arguments: equal only to itself, without a value, so never in a witness."""
    if isinstance(e, sympy.Integral) and _is_empty(e):
        return const(0)
    found = node("call", param=("opaque", sympy.srepr(e), str(e), bool(e.is_positive)))
    _meaning[found] = e
    return found


def _is_empty(e: Any) -> bool:
    return any(len(span) == 3 and span[1] == span[2] for span in e.limits)


def _undefined(e: Any) -> Expr:
    args, positive = map(translate, e.args), bool(e.is_positive)
    return undefined_function(e.func.__name__, (0,) * len(e.args), *args, positive=positive)


def _derivative(e: Any) -> Expr:
    """The derivative of what is read; what is not smooth is opaque."""
    try:
        return reduce(_slope, e.variables, translate(e.expr))
    except NotSmooth:
        return _opaque(e)


def _slope(e: Expr, x: Any) -> Expr:
    return derivative(e, translate(x), lambda call: _slope_of_opaque(_meaning[call], x))


def _slope_of_opaque(e: Any, x: Any) -> Expr | None:
    """The derivative of an opaque operator by a symbol that it may depend on."""
    if x not in e.free_symbols:
        return None
    if isinstance(e, sympy.Integral) and x not in _integrand(e).free_symbols - {e.limits[-1][0]}:
        _, low, high = e.limits[-1]
        return _moving_end(e, high, x) - _moving_end(e, low, x)
    return _opaque(sympy.Derivative(e, x))


def _rate(e: Any, x: Any) -> Expr:
    return _slope(translate(e), x)


def _integrand(integral: Any) -> Any:
    """What the outermost integral is of."""
    inner = integral.limits[:-1]
    return sympy.Integral(integral.function, *inner) if inner else integral.function


def _moving_end(integral: Any, end: Any, x: Any) -> Expr:
    """What an end adds that moves; the integral has to exist, and the integrand to be continuous there."""
    if x not in end.free_symbols:
        return const(0)
    inside, within = _integrand(integral), integral.limits[-1][0]
    value = _value(inside, {within: end})
    exist = _opaque(integral)
    if any(part.op == "call" and part.args for part in postorder(value)):
        exist = exist + _opaque(sympy.Limit(inside, within, end, "+-"))
    return value * _rate(end, x) + const(0) * exist


def _at(e: Any) -> Expr:
    """The value of what is read where its variables have values."""
    names = {x: _unused(x) if isinstance(x, sympy.Dummy) else x for x in e.variables}
    with sympy.evaluate(False):  # what is built anew would forget where it is defined
        inside = e.expr.xreplace(names)
    return _value(inside, dict(zip(names.values(), e.point, strict=True)))


def _unused(x: Any) -> Any:
    """A symbol for a dummy, of a name that no other has."""
    return sympy.Symbol(f"{x.name} ({x.dummy_index})", real=True)


def _value(e: Any, point: Mapping[Any, Any]) -> Expr:
    read = translate(e)
    moved = {translate(x): translate(value) for x, value in point.items()}
    for part in postorder(read):
        if part in _meaning and _meaning[part].free_symbols & point.keys():
            moved[part] = _opaque_at(_meaning[part], point)
    return substitute(read, moved)


def _opaque_at(e: Any, point: Mapping[Any, Any]) -> Expr:
    """An opaque operator where symbols that it depends on have values.

    Raises:
        ValueError: it binds a symbol that is also in one of the values.
    """
    bound = e.atoms(sympy.Symbol) - e.free_symbols
    if caught := bound & set().union(*(value.free_symbols for value in point.values())):
        raise ValueError(f"{e} binds {caught.pop()}, which is also in what is put in; rename one of them")
    if isinstance(e, sympy.Derivative):  # a symbol stands for more there than its value
        return _opaque(sympy.Subs(e, tuple(point), tuple(point.values())))
    return translate(e.subs(point, simultaneous=True))


_CALCULUS: dict[Any, Callable[[Any], Expr]] = {
    AppliedUndef: _undefined,
    sympy.Derivative: _derivative,
    sympy.Subs: _at,
    sympy.Integral: _opaque,
    sympy.Limit: _opaque,
    sympy.Sum: _opaque,
}
