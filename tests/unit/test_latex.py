"""Formulas are printed as they are written, and read back as what they are."""

from typing import Any

import pytest
import sympy

from equiv.report.mathml import mathml
from equiv.symbolic.latex import latex

a, b, x = sympy.symbols("a b x", real=True)
half = sympy.Rational(1, 2)

with sympy.evaluate(False):
    WRITTEN = [
        (b - a, "b - a"),
        (-a + b, "b - a"),
        (a - (b + x), r"a - \left(b + x\right)"),
        (-(a + b) / x, r"- \frac{a + b}{x}"),
        (a / b * x, r"\frac{a}{b} x"),
        (x * (-a), r"x \left(- a\right)"),
        (a * (b + x) ** -2, r"\frac{a}{\left(b + x\right)^{2}}"),
        ((-a) ** 2, r"\left(- a\right)^{2}"),
        (-half * x, r"- \frac{x}{2}"),
        (sympy.Integer(2) * 3 * x, r"2 \cdot 3 x"),
        (x / sympy.sqrt(a), r"\frac{x}{\sqrt{a}}"),
        (sympy.exp(-(x**2) / 2), r"e^{- \frac{x^{2}}{2}}"),
        (sympy.Integral(x, (x, 0, 1)) * a, r"\left(\int\limits_{0}^{1} x\, dx\right) a"),
        (sympy.Gt(a - b, 0), "a - b > 0"),
        (1 / (2 * x), r"\frac{1}{2 x}"),
    ]


@pytest.mark.parametrize(("e", "printed"), WRITTEN, ids=[str(k) for k in range(len(WRITTEN))])
def test_it_is_printed_as_it_is_written(e: Any, printed: str) -> None:
    assert latex(e) == printed


@pytest.mark.parametrize("text", sorted({text for _, text in WRITTEN}))
def test_the_report_can_show_it(text: str) -> None:
    assert "<code" not in mathml(text)
