"""How long a decision takes, imports aside. The longest round is the one that starts with nothing cached."""

import importlib
import operator
from collections.abc import Callable
from typing import Any

import pytest
import sympy
from pytest_benchmark.fixture import BenchmarkFixture

from equiv import obligations
from equiv.obligations.specifications import specification
from equiv.running.catalogue import claims
from equiv.subjects.subject import configuration, resolve
from equiv.symbolic import balls, expression, side_conditions, witness
from equiv.symbolic.decision import Domain, Equal, decide
from equiv.symbolic.expression import Expr, postorder
from equiv.symbolic.prover import prove
from equiv.verdict import Verdict, judge

DDIM, DDPM, ANCESTRAL = (f"diffusers.{name}Scheduler" for name in ("DDIM", "DDPM", "EulerAncestralDiscrete"))
V_AND_NOISE = {"prediction_type": "v_prediction", "clip_sample": "False", "eta": "1"}


@pytest.mark.benchmark(group="one claim")
@pytest.mark.parametrize("entry", claims().values(), ids=lambda e: e.claim.id)
def test_claim(benchmark: BenchmarkFixture, entry: Any) -> None:
    file = importlib.import_module(entry.module)
    found = benchmark.pedantic(prove, args=(file,), rounds=1)
    assert judge(found) in {Verdict.PROVED, Verdict.CORRECTED}


@pytest.mark.benchmark(group="one configuration, read and every obligation decided")
@pytest.mark.parametrize("given", [{}, V_AND_NOISE], ids=["the defaults", "v, eta 1, no clipping"])
@pytest.mark.parametrize("subject", [DDIM, DDPM, ANCESTRAL])
def test_configuration(benchmark: BenchmarkFixture, subject: str, given: dict[str, str]) -> None:
    options = resolve(subject).options
    config = configuration(resolve(subject), {k: v for k, v in given.items() if k in options})
    owed = obligations.tasks(subject, config=config)

    def check() -> list[Verdict]:
        return [judge(obligations.check(task)) for task in owed]

    verdicts = benchmark.pedantic(check, setup=obligations._lifted.cache_clear, rounds=5)
    assert set(verdicts) == {Verdict.PROVED}


# --- beside sympy -----------------------------------------------------------------------------------------

_SYMPY: dict[str, Callable[..., Any]] = {
    "neg": operator.neg,
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "sqrt": sympy.sqrt,
    "max": sympy.Max,
    "min": sympy.Min,
}


def to_sympy(root: Expr) -> Any:
    """The expression in sympy, with what assumptions its symbols can carry there."""
    values: dict[Expr, Any] = {}
    for e in postorder(root):
        match e.op:
            case "symbol":
                sign = {"positive": True} if e.param.positive else {"real": True}
                values[e] = sympy.Symbol(e.param.name, **sign)
            case "const":
                values[e] = sympy.Rational(e.param.numerator, e.param.denominator)
            case "literal":
                values[e] = sympy.Rational(str(e.param))
            case _:
                values[e] = _SYMPY[e.op](*(values[a] for a in e.args))
    return values[root]


STATEMENTS = {
    "DDIM": (DDIM, V_AND_NOISE),
    "DDPM": (DDPM, {"clip_sample": "False"}),
    "Euler ancestral": (ANCESTRAL, {}),
}


@pytest.mark.parametrize("by", ["equiv", "sympy"])
@pytest.mark.parametrize("name", STATEMENTS)
def test_step_equals_formula(benchmark: BenchmarkFixture, name: str, by: str) -> None:
    subject, given = STATEMENTS[name]
    benchmark.group = f"an interior step of {name} against its formula"
    config = configuration(resolve(subject), given)
    step = obligations.lifted(subject, config)[3]
    right = specification(subject, config).step(step)
    if by == "equiv":

        def decided() -> bool:
            domain = Domain(*step.relations, at=step.point)
            return isinstance(decide(step.output, right, domain), Equal)
    else:

        def decided() -> bool:
            return bool(sympy.simplify(to_sympy(step.output) - to_sympy(right)) == 0)

    benchmark.extra_info["decided"] = found = benchmark.pedantic(decided, setup=forget, rounds=3)
    assert found or by == "sympy"


def forget() -> None:
    """Neither side may know the answer from the round before."""
    side_conditions._z3_proves.cache_clear()
    expression._symbols_below.cache_clear()
    witness._recalled.cache_clear()
    balls._program.cache_clear()
    sympy.core.cache.clear_cache()
