"""Derivatives by our own rules: against sympy's, where they hold, and that every claim leans on them."""

import importlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import sympy
from sympy import Derivative, Function, Integral, Subs, cos, exp, log, sin, sqrt, symbols, tanh
from sympy.core.function import AppliedUndef

from equiv.claim import Derivation
from equiv.running.catalogue import claims
from equiv.symbolic.decision import Decision, Different, Domain, Equal, Undecided, decide
from equiv.symbolic.from_sympy import relation, translate

x, y = symbols("x y", real=True)
p, q, t, s, u = symbols("p q t s u", positive=True)
f, g = Function("f", real=True), Function("g", positive=True)
ENTRIES = list(claims().values())
each_claim = pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.claim.id)


def decided(left: Any, right: Any, *hypotheses: Any) -> Decision:
    return decide(translate(left), translate(right), Domain(*map(relation, hypotheses)))


SMOOTH = (
    3 * x**4 - x + 2,
    (x - p) / (1 + x**2),
    p / (1 + x**2) - (q - x) * x,
    exp(-(x**2) * p) * x,
    sqrt(1 + x**2) * sin(2 * x + 1),
    cos(x) ** 3 - sin(x) / (2 + cos(x)),
    log(1 + exp(x)),
    (1 + x**2) ** sympy.Rational(7, 3),
    (1 + x**2) ** p,
    p**x,
    tanh(x / 2) * y,
    (1 + x**2) ** (x * y),
    f(x) * exp(g(x)) / g(x),
    f(2 * x - 1) ** 2,
)


@pytest.mark.parametrize("e", SMOOTH, ids=str)
@pytest.mark.parametrize("times", [1, 2])
def test_the_rules_agree_with_sympy(e: Any, times: int) -> None:
    assert isinstance(decided(Derivative(e, (x, times)), e.diff(x, times)), Equal)


@pytest.mark.parametrize("e", [e for e in SMOOTH if not e.has(Function("f"), f, g)], ids=str)
def test_a_changed_derivative_is_refuted(e: Any) -> None:
    assert isinstance(decided(Derivative(e, x), e.diff(x) + x**2 + 1), Different)


@pytest.mark.parametrize(
    ("e", "slope"),
    [
        (log(x), 1 / x),
        (log(-(x**2)) + x, 2 / x + 1),
        (sqrt(y) + x, 1 + 0 * y),
        ((x**2) ** sympy.Rational(3, 2), 3 * x * sqrt(x**2)),
        (abs(x), x / abs(x)),
        (sympy.Max(x, 0), (1 + x / abs(x)) / 2),
    ],
    ids=str,
)
def test_nothing_is_said_where_there_may_be_no_derivative(e: Any, slope: Any) -> None:
    with sympy.evaluate(False):
        stated = Derivative(e, x)
    assert isinstance(decided(stated, slope), Undecided)


def test_a_root_has_no_slope_at_zero() -> None:
    """|x| is differentiable where x is not zero, and that has to be said."""
    with sympy.evaluate(False):
        size = Derivative(sqrt(x**2), x)
    assert isinstance(decided(size, x / sqrt(x**2)), Undecided)
    assert isinstance(decided(size, x / sqrt(x**2), sympy.Ne(x, 0, evaluate=False)), Equal)


def test_an_undefined_function_has_the_derivatives_that_sympy_names() -> None:
    assert translate(Derivative(f(t), t)) is translate(f(t).diff(t))
    assert isinstance(decided(Derivative(t * f(t), t, t), 2 * f(t).diff(t) + t * f(t).diff(t, 2)), Equal)
    assert isinstance(decided(Subs(Derivative(f(s), s), s, t), f(t).diff(t)), Equal)
    inside = Subs(Derivative(f(s), s), s, t**2)
    assert isinstance(decided(Derivative(f(t**2), t), 2 * t * inside), Equal)
    assert isinstance(decided(Derivative(f(t**2), t, t), 2 * inside), Undecided)
    assert isinstance(decided(Derivative(f(t), t), Derivative(g(t), t)), Undecided)


def test_an_integral_grows_by_its_integrand() -> None:
    whole = Integral(g(s) * s, (s, p, t**2))
    found = decided(Derivative(whole, t), 2 * t * (t**2 * g(t**2)))
    assert isinstance(found, Equal)
    assert any("Integral" in c.text and c.text.endswith("exists") for c in found.conditions)
    assert isinstance(decided(Derivative(whole, t), t**2 * g(t**2)), Undecided)
    assert isinstance(decided(Subs(whole, p, t**2), sympy.S.Zero), Equal)
    assert isinstance(decided(Derivative(Integral(g(s * t), (s, 0, 1)), t), g(t)), Undecided)


def test_a_value_at_a_point_is_inserted_everywhere_at_once() -> None:
    assert isinstance(decided(Subs(x - y, (x, y), (y, x)), y - x), Equal)
    assert isinstance(decided(Subs(Derivative(x**3 * y, x), x, 2), 12 * y), Equal)
    assert isinstance(decided(Subs(1 / p, p, 0), sympy.S.One), Undecided)
    with pytest.raises(ValueError, match="binds u"):
        translate(Subs(Integral(f(u) * s, (u, 0, 1)), s, u))


def _derivation(entry: Any) -> Derivation:
    with sympy.evaluate(False):
        return importlib.import_module(entry.module).derivation()  # type: ignore[no-any-return]


def _links(derivation: Derivation) -> Iterator[tuple[Any, Any, str]]:
    for chain in derivation.chains:
        for above, below in pairwise(chain.lines):
            yield *map(sympy.sympify, (above.expression, below.expression)), f"{chain.title}: {below.why}"


def _derivatives(derivation: Derivation) -> set[Any]:
    return {
        d for above, below, _ in _links(derivation) for side in (above, below) for d in side.atoms(Derivative)
    }


@each_claim
def test_sympy_differentiates_alike(entry: Any) -> None:
    derivation = _derivation(entry)
    domain = Domain(*map(relation, derivation.hypotheses))
    for stated in _derivatives(derivation):
        tidy = Derivative(stated.expr.doit(), *stated.variable_count)  # or an integral is not recognised
        ours, theirs = translate(tidy), translate(tidy.doit())
        assert isinstance(decide(ours, theirs, domain), Equal), f"{stated}: {ours}, but {theirs}"
        assert isinstance(decide(translate(stated), theirs, domain), Equal | Undecided), str(stated)


def _is_worked_out(e: Any) -> bool:
    """Is there a derivative or a value at a point that has to be found?"""
    return any(not isinstance(part.expr, AppliedUndef) for part in e.atoms(Derivative, Subs))


@each_claim
def test_no_link_says_the_same_twice(entry: Any) -> None:
    """An equality between identical expressions checks nothing."""
    for above, below, about in _links(_derivation(entry)):
        same = translate(above) is translate(below)
        assert not same or _is_worked_out(above) or _is_worked_out(below), about
        assert above != below, about


def test_what_is_put_in_for_a_variable_leaves_in_sight_where_it_is_defined() -> None:
    with sympy.evaluate(False):
        e = x + sqrt(t**2 - s**2) * 0  # whose root has no rate where it vanishes
        rate = Subs(Derivative(e, t), (s,), (t,))
    found = decided(rate, 0 * x)
    assert isinstance(found, Undecided)
    assert "identically zero" in found.reason
