"""How long a decision takes, imports aside. The longest round is the one that starts with nothing cached."""

import importlib
import math
import operator
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sympy
import z3
from pytest_benchmark.fixture import BenchmarkFixture

from equiv import obligations
from equiv.obligations.specifications import specification
from equiv.running.catalogue import claims
from equiv.subjects.diffusers import building, reading
from equiv.subjects.subject import configuration, resolve
from equiv.symbolic import balls, expression, side_conditions, witness
from equiv.symbolic.decision import Domain, Equal, decide
from equiv.symbolic.expression import Expr, Relation, postorder
from equiv.symbolic.from_sympy import relation, translate
from equiv.symbolic.kernel import coqc, theorem
from equiv.symbolic.prover import prove
from equiv.verdict import Verdict, judge

DDIM, DDPM, ANCESTRAL = (f"diffusers.{name}Scheduler" for name in ("DDIM", "DDPM", "EulerAncestralDiscrete"))
WITH_THEOREMS = [e for e in claims().values() if e.claim.theorems]
V_AND_NOISE = {"prediction_type": "v_prediction", "clip_sample": "False", "eta": "1"}


@pytest.mark.benchmark(group="one claim")
@pytest.mark.parametrize("entry", claims().values(), ids=lambda e: e.claim.id)
def test_claim(benchmark: BenchmarkFixture, entry: Any) -> None:
    file = importlib.import_module(entry.module)
    found = benchmark.pedantic(prove, args=(file,), rounds=1)
    open_ = {Verdict.INCONCLUSIVE} if entry.claim.open else set()  # which is for Rocq to settle
    assert judge(found) in open_ | {Verdict.PROVED, Verdict.CORRECTED}


@pytest.mark.skipif(not coqc.available(), reason="coqc is not installed")
@pytest.mark.benchmark(group="the theorems of one claim, with nothing compiled")
@pytest.mark.parametrize("entry", WITH_THEOREMS, ids=lambda e: e.claim.id)
def test_theorems(benchmark: BenchmarkFixture, entry: Any, tmp_path: Path) -> None:
    """Where `equiv prove` spends its time, beside the claims that take longest above."""
    folder = Path(importlib.import_module(entry.module).__file__ or "").parent
    found = benchmark.pedantic(theorem.check, args=(entry.claim, folder, tmp_path), rounds=1)
    assert found.reason == ""


def stepwise(subject: str, config: dict[str, str]) -> list[Any]:
    """What is owed of steps; what schedulers list is looked at in no time."""
    ids = ("step-equals-formula", "prediction-type", "next-level-is-listed")
    return [task for id_ in ids for task in obligations.tasks(subject, only=id_, config=config)]


@pytest.mark.benchmark(group="one configuration, read and every obligation decided")
@pytest.mark.parametrize("given", [{}, V_AND_NOISE], ids=["the defaults", "v, eta 1, no clipping"])
@pytest.mark.parametrize("subject", [DDIM, DDPM, ANCESTRAL])
def test_configuration(benchmark: BenchmarkFixture, subject: str, given: dict[str, str]) -> None:
    options = resolve(subject).options
    config = configuration(resolve(subject), {k: v for k, v in given.items() if k in options})
    owed = stepwise(subject, config)

    def check() -> list[Verdict]:
        return [judge(obligations.check(task)) for task in owed]

    verdicts = benchmark.pedantic(check, setup=obligations._lifted.cache_clear, rounds=5)
    assert set(verdicts) == {Verdict.PROVED}


# --- how it grows -----------------------------------------------------------------------------------------


def checked(subject: str, given: dict[str, str]) -> list[Verdict]:
    config = configuration(resolve(subject), given)
    return [judge(obligations.check(task)) for task in stepwise(subject, config)]


@pytest.mark.benchmark(group="growth with steps: equal steps are decided once")
@pytest.mark.parametrize("steps", ["5", "10", "20", "40", "80"])
def test_steps(benchmark: BenchmarkFixture, steps: str) -> None:
    given = {**V_AND_NOISE, "steps": steps}
    found = benchmark.pedantic(checked, args=(DDIM, given), setup=forget, rounds=3)
    assert set(found) == {Verdict.PROVED}


@pytest.mark.benchmark(group="growth with elements")
@pytest.mark.parametrize(
    "shape", [(2, 3, 5, 7), (4, 3, 10, 14), (8, 3, 20, 28)], ids=lambda s: str(math.prod(s))
)
def test_elements(
    benchmark: BenchmarkFixture, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (building, reading):
        monkeypatch.setattr(module, "SHAPE", shape)
    found = benchmark.pedantic(checked, args=(DDIM, V_AND_NOISE), setup=forget, rounds=3)
    assert set(found) == {Verdict.PROVED}


@pytest.mark.benchmark(group="growth with order: DPM-Solver++")
@pytest.mark.parametrize("order", ["1", "2", "3"])
def test_order(benchmark: BenchmarkFixture, order: str) -> None:
    subject, given = "diffusers.DPMSolverMultistepScheduler", {"solver_order": order, "steps": "10"}
    found = benchmark.pedantic(checked, args=(subject, given), setup=forget, rounds=3)
    assert Verdict.INTERNAL_ERROR not in found


ELEVEN = (
    "DDIM DDPM EulerDiscrete EulerAncestralDiscrete HeunDiscrete FlowMatchEulerDiscrete DPMSolverMultistep "
    "DPMSolverSinglestep UniPCMultistep PNDM LCM"
).split()


@pytest.mark.benchmark(group="eleven classes of diffusers, whose own tests take 22 s for eleven files")
def test_eleven_classes(benchmark: BenchmarkFixture) -> None:
    """Their defaults, read and decided; `equiv check` does as much for every configuration."""

    def check() -> list[Verdict]:
        return [v for name in ELEVEN for v in checked(f"diffusers.{name}Scheduler", {})]

    found = benchmark.pedantic(check, setup=forget, rounds=1)
    benchmark.extra_info["verdicts"] = dict(Counter(v.value for v in found))
    assert Verdict.INTERNAL_ERROR not in found


# --- beside sympy and z3 ----------------------------------------------------------------------------------

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


BESIDE_SIMPLIFY = (
    "f-ddim-is-fm p-mse-table p-conversions t-ddpm-double-ddim t-churn-family f-heun-parametrization "
    "s-instances"
).split()


@pytest.mark.parametrize("by", ["equiv", "sympy.simplify"])
@pytest.mark.parametrize("claim", BESIDE_SIMPLIFY)
def test_links(benchmark: BenchmarkFixture, claim: str, by: str) -> None:
    """Every equality of a derivation; in the extra information, how many each decides."""
    benchmark.group = f"the links of {claim}"
    with sympy.evaluate(False):
        derivation = importlib.import_module(claims()[claim].module).derivation()
    links = [
        (above.expression, below.expression) for c in derivation.chains for above, below in pairwise(c.lines)
    ]
    domain = Domain(*map(relation, derivation.hypotheses))

    def by_equiv() -> int:
        return sum(isinstance(decide(translate(a), translate(b), domain), Equal) for a, b in links)

    def by_sympy() -> int:
        return sum(sympy.simplify(sympy.sympify(a).doit() - sympy.sympify(b).doit()) == 0 for a, b in links)

    decider = by_equiv if by == "equiv" else by_sympy
    found = benchmark.pedantic(decider, setup=forget, rounds=1)
    benchmark.extra_info["decided"] = f"{found} of {len(links)}"
    assert found == len(links) or by != "equiv"


PATIENCE = 10  # seconds that z3 is given
STATEMENTS = {
    "DDIM": (DDIM, V_AND_NOISE),
    "DDPM": (DDPM, {"clip_sample": "False"}),
    "Euler ancestral": (ANCESTRAL, {}),
}


def z3_decides(step: Any, right: Expr) -> bool:
    """The same question, whole, to z3, which is told of divisors and roots what side conditions are told."""
    solver, encoder = z3.Solver(), side_conditions._Encoder(z3)
    solver.set("timeout", 1000 * PATIENCE)
    solver.add(z3.Not(encoder.relation(Relation(step.output, "==", right))))
    solver.add(*(encoder.relation(r) for r in step.relations))
    solver.add(*encoder.facts)
    return bool(solver.check() == z3.unsat)


@pytest.mark.parametrize("by", ["equiv", "sympy", "z3"])
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
    elif by == "z3":

        def decided() -> bool:
            return z3_decides(step, right)
    else:

        def decided() -> bool:
            return bool(sympy.simplify(to_sympy(step.output) - to_sympy(right)) == 0)

    benchmark.extra_info["decided"] = found = benchmark.pedantic(decided, setup=forget, rounds=3)
    assert found or by != "equiv"


def forget() -> None:
    """Neither side may know the answer from the round before."""
    obligations._lifted.cache_clear()
    side_conditions._z3_proves.cache_clear()
    expression._symbols_below.cache_clear()
    witness._recalled.cache_clear()
    balls._program.cache_clear()
    sympy.core.cache.clear_cache()
