"""The coefficients of an expression that is affine in some of its symbols, operation by operation.

Nothing is cancelled, and nothing is assumed: each rule is an identity of real numbers, and a coefficient
keeps every denominator that its term had.
"""

from collections.abc import Callable, Collection, Mapping

from equiv.symbolic.expression import Expr, const, node, postorder

ONE = const(1)
Form = dict[Expr, Expr]
"""The coefficient of each input, and under ONE what depends on none of them; what is left out is 0."""


class NotAffine(Exception):
    """An operation is not affine in the inputs: ``operation`` is its expression."""

    def __init__(self, operation: Expr) -> None:
        super().__init__(f"{_NAMES.get(operation.op, operation.op)} of what depends on the inputs")
        self.operation = operation


_NAMES = {
    "max": "a clip",
    "min": "a clip",
    "abs": "the absolute value",
    "mul": "a product",
    "div": "a quotient",
}


def affine(e: Expr, inputs: Collection[Expr]) -> Form:
    """The form of ``e`` in ``inputs``.

    Raises:
        NotAffine: it is not affine in them.
    """
    return _affine(e, dict.fromkeys(inputs))


def _affine(root: Expr, inputs: Mapping[Expr, object]) -> Form:
    forms: dict[Expr, Form] = {}
    for e in postorder(root):
        args = [forms[a] for a in e.args]
        if e in inputs:
            forms[e] = {e: ONE}
        elif all(form.keys() <= {ONE} for form in args):
            forms[e] = {ONE: e}
        else:
            forms[e] = _OPERATORS.get(e.op, _refused)(e, *args)
    return forms[root]


def added(a: Form, b: Form) -> Form:
    """The sum of two forms."""
    return a | {key: a[key] + value if key in a else value for key, value in b.items()}


def scaled(form: Form, factor: Expr) -> Form:
    """A form times what depends on no input."""
    return form if factor is ONE else _each(form, lambda c: factor if c is ONE else factor * c)


def substituted(form: Form, values: Mapping[Expr, Form]) -> Form:
    """The form with a form in place of each input that is given."""
    total: Form = {}
    for key, coefficient in form.items():
        total = added(total, scaled(values.get(key, {key: ONE}), coefficient))
    return total


def _each(form: Form, rule: Callable[[Expr], Expr]) -> Form:
    return {key: rule(value) for key, value in form.items()}


def _refused(e: Expr, *_forms: Form) -> Form:
    raise NotAffine(e)


def _product(e: Expr, a: Form, b: Form) -> Form:
    if a.keys() <= {ONE}:
        return scaled(b, e.args[0])
    if b.keys() <= {ONE}:
        return _each(a, lambda c: e.args[1] if c is ONE else c * e.args[1])
    raise NotAffine(e)


def _quotient(e: Expr, a: Form, b: Form) -> Form:
    if b.keys() <= {ONE}:
        return _each(a, lambda c: c / e.args[1])
    raise NotAffine(e)


def _cast(e: Expr, a: Form) -> Form:
    return _each(a, lambda c: c if c.op == "const" else node("cast", c, param=e.param))


_OPERATORS: Mapping[str, Callable[..., Form]] = {
    "neg": lambda _e, a: _each(a, lambda c: -c),
    "add": lambda _e, a, b: added(a, b),
    "sub": lambda _e, a, b: added(a, _each(b, lambda c: -c)),
    "mul": _product,
    "div": _quotient,
    "cast": _cast,
}
