"""Derivatives before Rocq: about the expression as stated, where there is one, by the right rules."""

import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import sympy
from sympy import (
    Derivative,
    Function,
    Integral,
    Rational,
    Subs,
    cos,
    cosh,
    exp,
    log,
    sin,
    sqrt,
    symbols,
    tan,
    tanh,
)

from equiv.symbolic.kernel import coqc, export, sampling
from equiv.symbolic.kernel.demands import defined
from equiv.symbolic.kernel.derivatives import calculus
from equiv.symbolic.kernel.export import Lemma, Link, Skipped
from equiv.symbolic.kernel.reading import Names, read
from equiv.symbolic.kernel.terms import derivative, put, text

p, q, s, t = symbols("p q s t", positive=True)
x, y = symbols("x y", real=True)
f, g = Function("f", real=True), Function("g", positive=True)

SMOOTH = (
    3 * t**4 - t / (1 + t**2) + p / t,
    exp(-p * t) * sin(2 * t) / (2 + cos(t)),
    sqrt(1 + t**2) * log(1 + t),
    (1 + t) ** Rational(5, 3) + (1 + t) ** p - p**t,
    tan(t / 9) + tanh(t) * cosh(t),
    f(t) * g(t**2) / g(t),
)


def lemma(left: Any, right: Any, *hypotheses: Any) -> Lemma | Skipped:
    link = export.read_link("stated", "as stated", left, right, hypotheses)
    return export.equality(link) if isinstance(link, Link) else link


def is_accepted(left: Any, right: Any, home: Path, *hypotheses: Any) -> bool:
    found = lemma(left, right, *hypotheses)
    return isinstance(found, Lemma) and coqc.compiles(coqc.HEAD + found.text, home).accepted


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not coqc.available():
        pytest.skip("coqc is not installed")
    return coqc.library(tmp_path_factory.mktemp("kernel"))


@pytest.mark.parametrize("e", SMOOTH[:-1], ids=str)
@pytest.mark.parametrize("order", [1, 2])
def test_the_rules_have_the_values_that_sympy_has(e: Any, order: int) -> None:
    names, chance = Names(calculus), random.Random(1)
    ours, theirs = read(Derivative(e, (t, order)), names), e.diff(t, order)
    for _ in range(5):
        point = {s_: Fraction(chance.randrange(1, 9), 7) for s_ in (t, p)}
        found = sampling.value(ours, {s_.name: value for s_, value in point.items()})
        assert found == pytest.approx(float(theirs.subs(point)), rel=1e-9)


def test_the_statement_is_about_the_derivative() -> None:
    found = lemma(Derivative(p * t**2, t), 2 * p * t)
    assert isinstance(found, Lemma)
    assert "(ex_derive (fun t : R => p * t ^ 2) t)" in found.statement
    assert "Derive (fun t : R => p * t ^ 2) t\n    = 2 * p * t" in found.statement


def test_where_it_is_defined_is_part_of_the_statement() -> None:
    term = read(Subs(Derivative(log(s) / t, s), s, q), Names(calculus))
    assert [*map(str, defined(term))] == ["t <> 0", "0 < q", "ex_derive (fun s : R => 1 / t * ln s) q"]


def test_a_bound_variable_makes_way() -> None:
    names = Names(calculus)
    t_, s_, product = names(t), names(s), read(s * t**2, names)
    assert text(put(derivative(product, "t", 1, t_), {"s": t_})) == "Derive (fun t0 : R => t * t0 ^ 2) t"
    unchanged = derivative(product, "t", 1, s_)
    assert put(unchanged, {"t": s_}) == unchanged


@pytest.mark.parametrize(
    "left",
    [
        Derivative(abs(x), x),
        Derivative(Integral(f(s), (s, 0, t)), t),
        Derivative(Function("h")(x, y) ** 2, x),
    ],
)
def test_what_has_no_rule_says_so(left: Any) -> None:
    found = lemma(left, left)
    assert isinstance(found, Skipped)
    assert "differentiated" in found.reason or "calculus" in found.reason or "several" in found.reason


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Derivative(t**2 * exp(-t) / p, t), (2 * t - t**2) * exp(-t) / p),
        (Derivative(sqrt(t) * log(t), t), log(t) / (2 * sqrt(t)) + 1 / sqrt(t)),
        (Derivative(log(t) / (1 + t), t, t), None),
        (Derivative(t * exp(-t) + 1 / t, (t, 3)), None),
        (Derivative(sqrt(1 + t**2), t, t), None),
        (Derivative(f(t) * g(t) ** 2, t), f(t).diff(t) * g(t) ** 2 + 2 * f(t) * g(t) * g(t).diff(t)),
        (Derivative(log(g(t)), t, t), g(t).diff(t, 2) / g(t) - (g(t).diff(t) / g(t)) ** 2),
        (Subs(Derivative(g(t) / g(s), t), s, t), g(t).diff(t) / g(t)),
        (Subs(Derivative(x**3 * exp(x), x), x, 0), sympy.S.Zero),
        (Derivative(log(s * t + 1) / s, s, t), None),
        (Derivative(exp(s * t) * sin(s), (s, 2), t), None),
        (Derivative(sqrt(t) * Derivative(s * t**2 / (s + t), s), t), None),
        (Derivative(Derivative(f(t) * g(t), t) / g(t), t), None),
        (Subs(Derivative(Derivative(x**2 * y**3, x), y), (x, y), (1, 2)), sympy.Integer(24)),
    ],
    ids=str,
)
def test_rocq_accepts_what_is_right_and_nothing_else(left: Any, right: Any, home: Path) -> None:
    right = left.doit() if right is None else right
    assert is_accepted(left, right, home)
    assert not is_accepted(left, right + t, home)


def test_a_derivative_inside_another_exists_around_the_point() -> None:
    found = lemma(Derivative(s**2 / t, s, t), -2 * s / t**2)
    assert isinstance(found, Lemma)
    assert "locally (t) (fun t : R => ex_derive (fun s : R => s ^ 2 / t) s)" in found.statement
    assert "ex_derive (fun t : R => Derive (fun s : R => s ^ 2 / t) s) t" in found.statement


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Derivative(log(x), x), 1 / x),
        (Derivative(y * sqrt(x), x, y), 1 / (2 * sqrt(x))),
        (Derivative(sqrt(x**2 + y), x), x / sqrt(x**2 + y)),
        (Derivative(1 / x, x), -(x**-2)),
    ],
    ids=str,
)
def test_a_derivative_that_need_not_exist_is_not_accepted(left: Any, right: Any, home: Path) -> None:
    assert not is_accepted(left, right, home)


def test_an_expression_that_has_no_derivative_at_zero_is_not_accepted(home: Path) -> None:
    with sympy.evaluate(False):
        size = Derivative(sqrt(x**2), x)
    assert not is_accepted(size, x / sqrt(x**2), home)
    assert is_accepted(size, x / sqrt(x**2), home, sympy.Ne(x, 0, evaluate=False))
