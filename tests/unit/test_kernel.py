"""The second kernel accepts what is true and shown, and nothing that is false or true by convention only."""

import importlib
import random
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sympy
from sympy import Eq, Gt, Lt, Ne, S, cos, cosh, exp, log, pi, sin, sinh, sqrt, symbols, tan, tanh

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.evidence import Equality, KernelProof, Outcome, Proof, Rejected, Witness
from equiv.proofs._calculus import at, rate
from equiv.result import Run, Task
from equiv.running import kernel as running_kernel
from equiv.running import selection
from equiv.running.catalogue import claims
from equiv.running.kernel import second_opinion
from equiv.running.local import LocalProcesses
from equiv.running.worker import result
from equiv.symbolic.kernel import coqc
from equiv.symbolic.kernel.check import check, settled
from equiv.symbolic.kernel.demands import defined
from equiv.symbolic.kernel.reading import Names, read
from equiv.symbolic.kernel.terms import text
from equiv.verdict import Verdict, exit_code, judge

needs_rocq = pytest.mark.skipif(not coqc.available(), reason="coqc is not installed")

a, b, c, d = symbols("a b c d", positive=True)
x, z = symbols("x z", real=True)

SHARE = sin(a) / (cos(a) + sin(a))

CLAIMS = (
    "p-mse-table",
    "p-conversions",
    "f-three-rows",
    "f-ddim-is-fm",
    "t-ddpm-double-ddim",
    "t-churn-family",
    "s-slider-vp",
)


def claim_of(*chains: Any, hypotheses: tuple[Any, ...] = (), variants: tuple[Variant, ...] = ()) -> Any:
    return SimpleNamespace(
        CLAIM=Claim(id="a-claim", title="A claim", statement="", source=Source(seed="000", section="")),
        derivation=lambda: Derivation(chains=chains, hypotheses=hypotheses),
        false_variants=lambda: variants,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kernel")


@pytest.fixture(scope="module")
def home(folder: Path) -> Path:
    return coqc.library(folder)


@needs_rocq
@pytest.mark.parametrize("claim", CLAIMS)
def test_claims_are_accepted_with_their_false_variants(claim: str, home: Path, tmp_path: Path) -> None:
    file = importlib.import_module(claims()[claim].module)
    proof = check(file, home, tmp_path)
    with sympy.evaluate(False):
        chains = file.derivation().chains
        false = [*file.false_variants(), *(file.as_written() if file.CLAIM.erratum else ())]
    assert proof.unchecked == ()
    assert len(proof.links) == sum(len(c.lines) - 1 for c in chains)
    assert len(proof.variants) == len(false)
    assert proof.outcome is Outcome.HOLDS
    assert proof.assumptions
    assert set(proof.assumptions) <= coqc.ALLOWED


@needs_rocq
def test_the_files_read_as_the_claim(home: Path, tmp_path: Path) -> None:
    proof = check(importlib.import_module(claims()["f-three-rows"].module), home, tmp_path)
    assert proof.file == "f_three_rows.v"
    written = (tmp_path / proof.file).read_text(encoding="utf-8")
    assert "(* Row x: collect x *)" in written
    assert "= z_t / sigma_t + xhat * (alpha_s / sigma_s - alpha_t / sigma_t)" in written


FALSE = {
    "the root of a square is the number": (sqrt(z**2), z, ()),
    "a quotient by itself is one, at zero too": (lambda: z / z, S.One, ()),
    "nothing times a quotient is nothing": (lambda: 0 * (x / z), S.Zero, ()),
    "a sign is turned": (a * x - b * z, a * x + b * z, ()),
    "a logarithm of a negative number": (lambda: log(-a), S.Zero, ()),
    "a logarithm of its size": (lambda: log(z) - log(z), S.Zero, ()),
    "a root of a negative number": (lambda: sqrt(-a), S.Zero, ()),
    "a power of a negative number": (lambda: (-a) ** (x / 2) * 0, S.Zero, ()),
    "a division by zero": (lambda: x / (a - a), S.Zero, ()),
    "a root of a sum": (sqrt(a + b), sqrt(a) + sqrt(b), ()),
    "a logarithm of a quotient below one": (sqrt(log(a / b) ** 2), log(a / b), (Lt(a, b, evaluate=False),)),
    "a polynomial in pi below zero": (lambda: sqrt((pi**2 - 2 * pi - 4) ** 2), pi**2 - 2 * pi - 4, ()),
    "the rate of a root where there is none": (lambda: at(rate(sqrt(x), x), x, S.Zero) * 0, S.Zero, ()),
    "a hypothesis is not used": (lambda: (x**2 - 1) / (x - 1), x + 1, (Ne(x, 2, evaluate=False),)),
}


@needs_rocq
@pytest.mark.parametrize("name", FALSE)
def test_what_is_false_or_undefined_is_never_accepted(name: str, home: Path, tmp_path: Path) -> None:
    left, right, hypotheses = FALSE[name]
    with sympy.evaluate(False):
        made = left() if callable(left) else left
        file = claim_of(chain("False", made, ("no reason", right)), hypotheses=hypotheses)
    proof = check(file, home, tmp_path)
    assert proof.links == ()
    assert proof.outcome is not Outcome.HOLDS


@needs_rocq
def test_the_kernel_rejects_a_link_by_its_negation(home: Path, tmp_path: Path) -> None:
    """Not finding a proof is no rejection; accepting that the sides differ is."""
    with sympy.evaluate(False):
        file = claim_of(chain("Wrong", exp(a + b), ("forgotten", exp(a) + exp(b))))
    proof = check(file, home, tmp_path)
    assert proof.rejected == ("a_claim_1_1_rejected",)
    assert proof.outcome is Outcome.FAILS
    proved = Proof(
        equalities=(Equality(title="", left="", right="", why="", outcome=Outcome.HOLDS),),
        rejected=(Rejected(name="", witness=Witness(inputs={}, expected="0", got="1")),),
    )
    assert judge([proved]) is Verdict.PROVED
    assert judge([proved, proof]) is Verdict.INTERNAL_ERROR
    assert judge([proof]) is Verdict.REFUTED


TRUE = {
    "nested roots": (sqrt(sqrt(a**4 * b)), a * b ** sympy.Rational(1, 4), ()),
    "a logarithm of a root": (log(sqrt(a / b)), (log(a) - log(b)) / 2, ()),
    "a symbolic power": (lambda: (a * b) ** x * a ** (-x), lambda: b**x, ()),
    "angles": (lambda: sin(pi / 2 - x) ** 2 + sin(x) ** 2, S.One, ()),
    "a double angle": (cos(2 * x), 1 - 2 * sin(x) ** 2, ()),
    "a size": (lambda: abs(z) ** 2, z**2, ()),
    "the root of a square is a size": (sqrt(z**2), lambda: abs(z), ()),
    "a hypothesis between positive numbers": (sqrt((a - b) ** 2), a - b, (Gt(a, b, evaluate=False),)),
    "a logarithm above zero": (sqrt(log(a / b) ** 2), log(a) - log(b), (Gt(a, b, evaluate=False),)),
    "an exponential beside one": (sqrt((1 + exp(-a) * (b**2 - 1)) ** 2), 1 + exp(-a) * (b**2 - 1), ()),
    "a polynomial in pi above zero": (sqrt((2 * pi + 4 - pi**2) ** 2), 2 * pi + 4 - pi**2, ()),
    "a sum of many products": (
        sqrt(a**2 * b**2 * (1 - c**2) + c**2 * d**2) ** 2,
        a**2 * b**2 * (1 - c**2) + c**2 * d**2,
        (Lt(c, 1, evaluate=False),),
    ),
    "a logarithm of a tangent": (log(tan(a)), log(sin(a)) - log(cos(a)), (Gt(cos(a), 0), Gt(sin(a), 0))),
    "a hyperbolic function in another": (cosh(tanh(x)) ** 2 - sinh(tanh(x)) ** 2, S.One, ()),
    "what is not zero on a circle": (
        lambda: x / (1 - 2 * SHARE + 2 * SHARE**2),
        lambda: x * (cos(a) + sin(a)) ** 2,
        (Gt(cos(a), 0, evaluate=False), Gt(sin(a), 0, evaluate=False)),
    ),
    "an equation between symbols": (a**4 + a**2 * b**2, a**2, (Eq(a**2 + b**2, 1, evaluate=False),)),
}


@needs_rocq
@pytest.mark.parametrize("name", TRUE)
def test_what_is_true_is_accepted(name: str, home: Path, tmp_path: Path) -> None:
    left, right, hypotheses = TRUE[name]
    with sympy.evaluate(False):
        sides = [side() if callable(side) else side for side in (left, right)]
        file = claim_of(chain("True", sides[0], ("by the rules", sides[1])), hypotheses=hypotheses)
    assert check(file, home, tmp_path).unchecked == ()


def test_without_rocq_nothing_is_checked_and_nothing_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    done = Run(
        started="", versions={}, results=tuple(LocalProcesses(jobs=1).run(selection.claims(["p-mse-table"])))
    )
    (result,) = second_opinion(done, tmp_path / "kernel").results
    assert result.verdict is Verdict.PROVED
    (proof,) = (e for e in result.evidence if isinstance(e, KernelProof))
    assert proof.counted.startswith("not kernel-checked: coqc is not installed")
    assert proof.outcome is Outcome.UNKNOWN
    assert [*tmp_path.iterdir()] == []


def test_assumptions_are_read() -> None:
    printed = (
        "Axioms:\n"
        "ClassicalDedekindReals.sig_not_dec : forall P : Prop, {~ ~ P} + {~ P}\n"
        "ClassicalDedekindReals.sig_forall_dec\n"
        "  : forall P : nat -> Prop,\n    (forall n : nat, {P n} + {~ P n}) ->\n    {n : nat | ~ P n}\n"
        "my_own_axiom : 1 + 1 = 3\n"
    )
    assert coqc.assumptions(printed) == {
        "ClassicalDedekindReals.sig_not_dec",
        "ClassicalDedekindReals.sig_forall_dec",
        "my_own_axiom",
    }
    assert coqc.assumptions("Closed under the global context\n") == frozenset()


def test_a_term_is_printed_as_it_is_written() -> None:
    with sympy.evaluate(False):
        term = read(-2 * (a / b) ** 2 + sqrt(x**2 + 1) / (-a) - (x - z), Names())
    assert text(term) == "- 2 * (a / b) ^ 2 + sqrt (x ^ 2 + 1) / - a - (x - z)"
    assert [str(d) for d in defined(term)] == ["b <> 0", "0 <= x ^ 2 + 1", "- a <> 0"]


@needs_rocq
@pytest.mark.parametrize(
    ("planted", "axiom"),
    [
        ("Axiom cheat : forall n : R, n = 0.", "cheat"),
        ("Lemma cheat : forall n : R, n = 0. Admitted.", "cheat"),
    ],
)
def test_what_rests_on_more_than_the_real_numbers_is_void(planted: str, axiom: str, home: Path) -> None:
    """Neither an axiom of our own nor an unfinished proof gets through, though Rocq accepts both files."""
    proof = "Lemma one : 1 = 0. Proof. apply cheat. Qed."
    text = f"{coqc.HEAD}{planted}\n{proof}\nDefinition everything := one.\n"
    assert coqc.compiles(text, home).accepted
    claimed = KernelProof(links=("one",), version=coqc.version(), module=coqc.module(text))
    found = settled({"a-claim": claimed}, home)["a-claim"]
    assert found.links == ()
    assert axiom in found.reason
    assert found.outcome is Outcome.UNKNOWN


@needs_rocq
def test_a_claim_whose_hypotheses_contradict_each_other_is_not_counted(home: Path, tmp_path: Path) -> None:
    with sympy.evaluate(False):
        never = (Gt(a, b, evaluate=False), Gt(b, a, evaluate=False))
        proof = check(claim_of(chain("Vacuous", a, ("by sight", a)), hypotheses=never), home, tmp_path)
    assert proof.links == ()
    assert "no point was found at which the hypotheses hold" in proof.unchecked[0].reason


@needs_rocq
def test_hypotheses_are_shown_to_hold_somewhere(home: Path, tmp_path: Path) -> None:
    with sympy.evaluate(False):
        between = (Gt(a, b, evaluate=False), Gt(cos(a), 0, evaluate=False))
        proof = check(
            claim_of(chain("True", a - b, ("by sight", -b + a)), hypotheses=between), home, tmp_path
        )
    assert len(proof.links) == 1
    written = (tmp_path / proof.file).read_text(encoding="utf-8")
    assert "exists b a : R,\n    0 < b /\\ 0 < a /\\ b < a /\\ 0 < cos a." in written


@needs_rocq
def test_hypotheses_and_points_may_speak_of_derivatives(home: Path, tmp_path: Path) -> None:
    """A derivative at a point of numbers is worked out by Rocq, in the hypotheses and in what is false."""
    with sympy.evaluate(False):
        steep = (Gt(rate(a * b**2 / (1 + b), b), 1, evaluate=False),)
        wrong = Variant(name="no", left=at(rate(log(a), a), a, b), right=2 / b, hypotheses=steep)
        file = claim_of(chain("True", a - b, ("by sight", -b + a)), hypotheses=steep, variants=(wrong,))
        proof = check(file, home, tmp_path)
    assert proof.unchecked == ()
    written = (tmp_path / proof.file).read_text(encoding="utf-8")
    assert "/\\ 1 < Derive (fun b : R => a * b ^ 2 / (1 + b)) b" in written


@needs_rocq
def test_a_text_cannot_break_out_of_its_comment(home: Path, tmp_path: Path) -> None:
    hostile = 'x *) Axiom cheat : 1 = 0. (* " (* *)) " *'
    with sympy.evaluate(False):
        file = claim_of(chain(hostile, a + b, (hostile, b + a)))
    file.CLAIM = Claim(
        id="a-claim", title=hostile, statement=hostile, source=Source(seed="0", section=hostile)
    )
    proof = check(file, home, tmp_path)
    assert len(proof.links) == 1
    assert set(proof.assumptions) <= coqc.ALLOWED


@needs_rocq
def test_a_false_link_that_was_proved_is_an_internal_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path
) -> None:
    """From the normal form's PROVED to the exit code: the kernel accepts that a link is false."""
    proved = Proof(
        equalities=(Equality(title="", left="", right="", why="", outcome=Outcome.HOLDS),),
        rejected=(Rejected(name="", witness=Witness(inputs={}, expected="0", got="1")),),
    )
    with sympy.evaluate(False):
        kernel = check(claim_of(chain("Wrong", sqrt(a + b), ("no", sqrt(a) + sqrt(b)))), home, tmp_path)
    assert kernel.rejected
    task = Task(kind="claim", id="p-mse-table")
    done = Run(started="", versions={}, results=(result(task, [proved], 0.0),))
    assert [r.verdict for r in done.results] == [Verdict.PROVED]
    monkeypatch.setattr(running_kernel, "_ask", lambda *_: {task.id: kernel})
    opinion = second_opinion(done, tmp_path)
    assert [r.verdict for r in opinion.results] == [Verdict.INTERNAL_ERROR]
    assert exit_code([r.verdict for r in opinion.results]) == 3


ROUND_TRIP = {
    "signs and quotients": lambda: -2 * (a / b) ** 2 + sqrt(x**2 + 1) / (-a) - (x - z),
    "powers": lambda: a ** (b / 2) * exp(-(x**2) / (2 * b)) / (b * sqrt(2 * pi)),
    "logarithms and angles": lambda: log(a / (b + 1)) ** 3 - sin(pi * x / 2) * cos(x - z),
    "sizes": lambda: sympy.Max(x, z, a) - sympy.Min(x, -z) + abs(x * z),
    "hyperbolic functions": lambda: sympy.tanh(x) * sympy.sech(z) - sympy.cosh(x - z) + sympy.sinh(-x),
    "negative powers": lambda: a ** sympy.Rational(-3, 2) / (1 / b - x**2) ** -2,
}


@pytest.mark.parametrize("name", ROUND_TRIP)
def test_a_term_has_the_value_of_what_it_was_read_from(name: str) -> None:
    """The text is read back by the levels of Rocq's notation, so that reader and printer are both tested."""
    with sympy.evaluate(False):
        expression = ROUND_TRIP[name]()
        shown = text(read(expression, Names()))
    chance = random.Random(7)
    for _ in range(10):
        point = {s: sympy.Float(chance.uniform(0.2 if s.is_positive else -3, 3), 30) for s in (a, b, x, z)}
        wanted = expression.evalf(30, subs=point)
        got = rocq_value(shown, {s.name: value for s, value in point.items()})
        assert abs(wanted - got) <= 1e-20 * (1 + abs(wanted)), shown


def test_the_reading_of_a_term_tells_a_wrong_printer() -> None:
    point = {"a": sympy.Float(2, 30), "b": sympy.Float(4, 30)}
    assert float(rocq_value("- a ^ 2 / b * a - (a - b)", point)) == 0
    assert float(rocq_value("(- a) ^ 2 / (b * a) - a - b", point)) == -5.5


_BINARY = {"+": 50, "-": 50, "*": 40, "/": 40, "^": 30}  # Rocq's levels: a smaller one binds tighter
_NEGATION = 35
_APPLIED: dict[str, tuple[int, Any]] = {
    "sqrt": (1, sqrt),
    "exp": (1, exp),
    "ln": (1, log),
    "sin": (1, sin),
    "cos": (1, cos),
    "cosh": (1, sympy.cosh),
    "sinh": (1, sympy.sinh),
    "tanh": (1, sympy.tanh),
    "Rabs": (1, abs),
    "Rmax": (2, sympy.Max),
    "Rmin": (2, sympy.Min),
    "Rpower": (2, lambda base, exponent: exp(exponent * log(base))),
}


def rocq_value(shown: str, point: dict[str, Any]) -> Any:
    """The value of a term of Rocq's, by the levels of its scope of real numbers."""
    words = re.findall(r"[A-Za-z_][\w']*|\d+|[-+*/^()]", shown)

    def atom() -> Any:
        word = words.pop(0)
        if word == "(":
            inner = expression(50)
            assert words.pop(0) == ")"
            return inner
        if word in _APPLIED:
            count, function = _APPLIED[word]
            return function(*(atom() for _ in range(count)))
        if word == "PI":
            return pi.evalf(30)
        return point[word] if word in point else sympy.Float(word, 30)

    def expression(level: int) -> Any:
        if words[0] == "-" and level >= _NEGATION:
            words.pop(0)
            left = -expression(_NEGATION)
        else:
            left = atom()
        while words and words[0] in _BINARY and _BINARY[words[0]] <= level:
            sign = words.pop(0)
            right = expression(30 if sign == "^" else _BINARY[sign] - 1)
            left = {
                "+": lambda u, v: u + v,
                "-": lambda u, v: u - v,
                "*": lambda u, v: u * v,
                "/": lambda u, v: u / v,
                "^": lambda u, v: u ** int(v),
            }[sign](left, right)
        return left

    return expression(50)
