"""Statements in sympy that lose, on the way to the prover, where they are defined or what was assumed."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sympy
from sympy import Abs, Derivative, Dummy, Integral, Limit, Subs, Symbol, cos, oo, pi, sin, symbols

from equiv.claim import Claim, Source, literals
from equiv.proofs._calculus import integral
from equiv.proofs._integrals import by_primitive
from equiv.running import catalogue
from equiv.symbolic.decision import Decision, Domain, Equal, decide
from equiv.symbolic.from_sympy import translate

x, y, n = symbols("x y n", real=True)
p = symbols("p", positive=True)


def decided(left: Any, right: Any) -> Decision:
    return decide(translate(left), translate(right), Domain())


@pytest.mark.parametrize(
    "assumed", [{"integer": True}, {"nonnegative": True}, {"imaginary": True}, {"real": True, "zero": False}]
)
def test_an_assumption_that_would_be_forgotten_is_refused(assumed: dict[str, bool]) -> None:
    with pytest.raises(ValueError, match=r"may be real or positive|needs an assumption"):
        translate(Symbol("m", **assumed))


def test_a_positive_variable_is_not_integrated_across_zero() -> None:
    with pytest.raises(ValueError, match="is positive, but goes from -1"):
        list(by_primitive("across a pole", 1 / p**2, -1 / p, (p, -1, 1), -2))
    with pytest.raises(ValueError, match="is positive, but goes from -1"):
        integral(Abs(p), p, -1, 1)
    assert integral(p, p, 0, 2) == 2


def test_a_dummy_captures_no_other_symbol() -> None:
    d = Dummy("d")
    with sympy.evaluate(False):
        e = Subs(d + Symbol("_d", real=True), d, 1)
    assert not isinstance(decided(e, sympy.Integer(2)), Equal)


@pytest.mark.parametrize("term", [Integral(1 / y, (y, -1, 1)), Limit(sin(n), n, oo)], ids=str)
def test_a_constant_that_may_not_exist_is_not_forgotten(term: Any) -> None:
    with sympy.evaluate(False):
        rate = Derivative(x + term, x)
    found = decided(rate, sympy.Integer(1))
    assert not isinstance(found, Equal) or found.conditions


def test_a_file_has_one_header(tmp_path: Path) -> None:
    file = tmp_path / "s_evil.py"
    file.write_text("\n".join(f'CLAIM = Claim(id="s-evil", title="{t}")' for t in ("listed", "proved")))
    with pytest.raises(ValueError, match="it has 2"):
        literals(file, "CLAIM")


def test_what_is_proved_is_what_the_header_says(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = next(iter(catalogue.claims().values()))
    source = Source(seed="003", section="s", equation="e")
    other = Claim(id=entry.claim.id, title="t", statement="s", source=source)
    monkeypatch.setattr(catalogue.importlib, "import_module", lambda _: SimpleNamespace(CLAIM=other))
    with pytest.raises(ValueError, match="not what its CLAIM is"):
        catalogue.proof(entry)


def test_the_span_of_an_integral_is_looked_at_as_numbers() -> None:
    with sympy.evaluate(False):
        assert integral(cos(p), p, 0, pi - pi / 2) == 1
