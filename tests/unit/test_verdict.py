"""Each row of the verdict table, reached by the real prover, tracer, experiments and workers."""

import math
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import diffusers
import msgspec
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st

from equiv import obligations
from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.evidence import (
    Conformance,
    Equality,
    Evidence,
    Experiment,
    Failure,
    Outcome,
    Proof,
    Rejected,
    Witness,
)
from equiv.experiments import ddim_is_euler
from equiv.experiments.cases import mixture
from equiv.formulas.levels import Level
from equiv.formulas.schedules import cosine
from equiv.lifting import operators, plan
from equiv.result import Result, Task, decode
from equiv.running import worker
from equiv.running.local import LocalProcesses
from equiv.subjects.diffusers import building
from equiv.symbolic.prover import prove
from equiv.symbolic.roots import Roots
from equiv.verdict import Verdict, judge

z, y = sympy.symbols("z y", real=True)
s, t = sympy.symbols("s t", positive=True)
f = sympy.Function("f", real=True)
FLOW = "diffusers.FlowMatchEulerDiscreteScheduler"

REFUTABLE = Variant(name="a false statement", left=z, right=2 * z)
TRUE = Variant(name="a true statement", left=z + y, right=y + z)


def claim(
    *lines: Any,
    hypotheses: tuple[Any, ...] = (),
    variants: tuple[Variant, ...] = (REFUTABLE,),
    as_written: tuple[Variant, ...] = (),
) -> SimpleNamespace:
    """A proof file whose one chain has these lines."""
    rest = [("", line) for line in lines[1:]]
    chains: tuple[Chain, ...] = (chain("the chain", lines[0], *rest),) if lines else ()
    return SimpleNamespace(
        CLAIM=Claim(
            id="f-of-this-test",
            title="",
            statement="",
            source=Source(seed="", section=""),
            erratum="E0" if as_written else "",
        ),
        derivation=lambda: Derivation(chains=chains, hypotheses=hypotheses),
        false_variants=lambda: variants,
        as_written=lambda: as_written,
    )


def verdict(*lines: Any, **options: Any) -> Verdict:
    with sympy.evaluate(False):
        return judge(prove(claim(*(line() if callable(line) else line for line in lines), **options)))


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[Evidence]]]:
    """Hold a look-alike of the flow scheduler against its formula; it steps with ``change(net, z)``."""

    def check(
        change: Callable[..., Any], times: Callable[[Any], Any] = lambda times: times
    ) -> list[Evidence]:
        class LookAlike(diffusers.FlowMatchEulerDiscreteScheduler):  # type: ignore[misc]
            def set_timesteps(self, *args: Any, **options: Any) -> None:
                super().set_timesteps(*args, **options)
                self.timesteps = times(self.timesteps)

            def step(self, net: torch.Tensor, t: Any, z: torch.Tensor, **options: Any) -> Any:
                net, z = change(net, z)
                return super().step(net, t, z, **options)

        monkeypatch.setattr(building, "_class", lambda _name: LookAlike)
        obligations._lifted.cache_clear()
        task = Task(kind="check", id="step-equals-formula", subject=FLOW, config={"steps": "2"})
        return list(obligations.check(task))

    yield check
    obligations._lifted.cache_clear()


def unchanged(net: torch.Tensor, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return net, z


def of(kind: str, id_: str, **more: Any) -> Verdict:
    """The verdict on a real task, by what a worker does with it."""
    return judge(worker.execute(Task(kind=kind, id=id_, **more))[0])  # type: ignore[arg-type]


# --- internal error ---------------------------------------------------------------------------------------


@pytest.fixture
def unsound(monkeypatch: pytest.MonkeyPatch) -> None:
    """The root of a square is what was squared, whatever its sign."""
    monkeypatch.setattr(Roots, "modulus", lambda self, f: self.field.of_polynomial(f))


def root_of_square() -> Any:
    return sympy.sqrt(z**2)


def rectified(net: torch.Tensor, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return net, (z**2) ** 0.5


@pytest.mark.usefixtures("unsound")
def test_an_unsound_rule_is_an_internal_error_in_a_proof() -> None:
    assert verdict(root_of_square, z) is Verdict.INTERNAL_ERROR


@pytest.mark.usefixtures("unsound")
def test_an_unsound_rule_is_an_internal_error_in_a_check(release: Callable[..., list[Evidence]]) -> None:
    assert judge(release(rectified)) is Verdict.INTERNAL_ERROR


def test_with_sound_rules_the_same_is_refuted(release: Callable[..., list[Evidence]]) -> None:
    assert verdict(root_of_square, z) is Verdict.REFUTED
    assert judge(release(rectified)) is Verdict.REFUTED


# --- corrected, refuted, proved, supported, unsupported ---------------------------------------------------


def test_an_erratum_is_corrected() -> None:
    assert of("claim", "s-slider-vp") is Verdict.CORRECTED


def test_a_false_chain_is_refuted_whatever_else_it_proves() -> None:
    assert verdict((z + y) ** 2, z**2 + 2 * z * y + y**2, z**2 + y**2) is Verdict.REFUTED


def test_an_erratum_whose_correction_is_false_is_refuted() -> None:
    assert verdict(z + y, z - y, as_written=(REFUTABLE,)) is Verdict.REFUTED


def test_a_wrong_step_is_refuted(release: Callable[..., list[Evidence]]) -> None:
    (found,) = release(lambda net, z: (1.001 * net, z))
    assert judge([found]) is Verdict.REFUTED
    assert found.reproduced


def test_a_claim_and_a_step_are_proved(release: Callable[..., list[Evidence]]) -> None:
    assert of("claim", "f-ddim-is-fm") is Verdict.PROVED
    assert judge(release(unchanged)) is Verdict.PROVED


def test_an_experiment_supports() -> None:
    assert of("experiment", "x-ddim-is-euler", dtype="float32") is Verdict.SUPPORTED


def test_an_operator_that_is_not_read_is_unsupported(release: Callable[..., list[Evidence]]) -> None:
    (found,) = release(lambda net, z: (torch.fft.fft(net).real, z))
    assert judge([found]) is Verdict.UNSUPPORTED
    assert "fft" in found.reason and "test_verdict.py" in found.where


# --- inconclusive -----------------------------------------------------------------------------------------

INCONCLUSIVE_CLAIMS = {
    "a residual that is not decided": lambda: verdict(f(z + y), f(z) + f(y)),
    "no chain": verdict,
    "a chain of one line": lambda: verdict(z),
    "no false variant": lambda: verdict(z + y, y + z, variants=()),
    "a false variant that is true": lambda: verdict(z + y, y + z, variants=(REFUTABLE, TRUE)),
    "hypotheses that contradict each other": lambda: verdict(
        z + y, y + z, hypotheses=(sympy.Lt(s, t), sympy.Lt(t, s))
    ),
    "division by what is zero": lambda: verdict(*2 * (lambda: z / (y - y),)),
    "a root of what may be negative": lambda: verdict(lambda: sympy.sqrt(z) ** 2, z),
    "an erratum that is right as written": lambda: verdict(z + y, y + z, as_written=(TRUE,)),
    "an erratum whose correction is not decided": lambda: verdict(f(z), f(y), as_written=(REFUTABLE,)),
}


@pytest.mark.parametrize("found", INCONCLUSIVE_CLAIMS.values(), ids=INCONCLUSIVE_CLAIMS)
def test_a_claim_that_is_not_decided_is_inconclusive(found: Callable[[], Verdict]) -> None:
    assert found() is Verdict.INCONCLUSIVE


def experiment(**different: Any) -> Experiment:
    options = {"schedule": cosine, "task": Task(kind="experiment", id="x", dtype="float32"), **different}
    return ddim_is_euler.on_schedule(**options)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(lambda: experiment(network=lambda z, level: mixture(z, level) * math.nan), id="NaN"),
        pytest.param(lambda: experiment(network=lambda z, level: mixture(z, level) / 0), id="infinite"),
        pytest.param(
            lambda: experiment(schedule=lambda t: Level(0 * t, t)), id="no case meets the hypotheses"
        ),
    ],
)
def test_an_experiment_on_nothing_is_inconclusive(found: Callable[[], Experiment]) -> None:
    assert judge([found()]) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("change", "times"),
    [
        pytest.param(unchanged, lambda times: times[:0], id="no steps"),
        pytest.param(lambda net, z: ((1 + 1e-9) * net, z), lambda times: times, id="within rounding"),
    ],
)
def test_a_check_of_nothing_is_inconclusive(
    change: Callable[..., Any], times: Callable[..., Any], release: Callable[..., list[Evidence]]
) -> None:
    assert judge(release(change, times)) is Verdict.INCONCLUSIVE


def test_a_step_that_was_misread_is_never_proved(
    monkeypatch: pytest.MonkeyPatch, release: Callable[..., list[Evidence]]
) -> None:
    """With the wrong rule for one operator, a step of the wrong sign reads as right; it is measured."""
    monkeypatch.setitem(operators.ARITHMETIC, "neg", lambda x: x)
    plan.plan.cache_clear()
    try:
        (found,) = release(lambda net, z: (-net, z))
    finally:
        plan.plan.cache_clear()
    assert (judge([found]), found.method) == (Verdict.REFUTED, "probing")  # the run and the reading part


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_step_without_a_value_is_never_proved(value: float, release: Callable[..., list[Evidence]]) -> None:
    found = judge(release(lambda net, z: (net * value, z)))
    assert found in {Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE}


def misbehaving(task: Task) -> worker.Found:
    """Proves a true claim whose file crashes or hangs."""

    def derivation() -> Derivation:
        if task.id == "hangs":
            time.sleep(60)
        raise ZeroDivisionError("by hand")

    file = claim(z + y, y + z)
    file.derivation = derivation
    return prove(file), {}


def test_a_check_that_crashes_is_inconclusive() -> None:
    result = decode(worker.attempt(misbehaving, Task(kind="claim", id="crashes")), Result)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert [(e.kind, e.reason) for e in result.evidence] == [("crash", "ZeroDivisionError: by hand")]


def test_a_check_that_hangs_is_inconclusive() -> None:
    executor = LocalProcesses(jobs=1, seconds=3, work=misbehaving)
    (result,) = executor.run([Task(kind="claim", id="hangs")])
    assert result.verdict is Verdict.INCONCLUSIVE
    assert [e.kind for e in result.evidence] == ["time-out"]


# --- the law of failures ----------------------------------------------------------------------------------

LINKS = [Equality(title="", left="", right="", why="", outcome=outcome) for outcome in Outcome]
WITNESS = Witness(inputs={"z": "1"}, expected="1", got="2")
numbers = st.one_of(st.floats(0, 2), st.sampled_from([math.nan, math.inf]))
proofs = st.builds(
    Proof,
    about=st.sampled_from(["statement", "as written"]),
    equalities=st.lists(st.sampled_from(LINKS), max_size=2).map(tuple),
    witness=st.sampled_from([None, WITNESS]),
    rejected=st.sampled_from([(), (Rejected(name="", witness=WITNESS),)]),
    surviving_variants=st.sampled_from([(), ("a false variant",)]),
)
conformances = st.builds(
    Conformance,
    method=st.sampled_from(["lifting", "probing"]),
    steps=st.integers(0, 2),
    witness=st.sampled_from([None, WITNESS]),
    reproduced=st.booleans(),
    reason=st.sampled_from(["", "not decided"]),
)
experiments = st.builds(
    Experiment,
    worst=numbers,
    bound=numbers,
    cases=st.integers(0, 2),
    rejected=st.sampled_from([(), ("a false variant",)]),
    surviving_variants=st.sampled_from([(), ("a false variant",)]),
    witness=st.sampled_from([None, WITNESS]),
)
failures = st.builds(
    Failure,
    kind=st.sampled_from(["crash", "time-out", "memory", "unsupported", "not installed"]),
    reason=st.just(""),
)
evidence = st.lists(st.one_of(proofs, conformances, experiments, failures), max_size=4)
GOOD = {Verdict.CORRECTED, Verdict.PROVED, Verdict.SUPPORTED}
BAD = {Verdict.INTERNAL_ERROR, Verdict.REFUTED}


@given(evidence, failures, st.integers(0, 4))
def test_a_failure_never_strengthens_a_verdict(found: list[Evidence], failure: Failure, place: int) -> None:
    before, after = judge(found), judge([*found[:place], failure, *found[place:]])
    assert after is before if before in BAD else after in {Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE}


@given(evidence)
def test_what_is_unknown_supports_nothing(found: list[Evidence]) -> None:
    outcomes = {e.outcome for e in found}
    if judge(found) in GOOD:
        assert Outcome.HOLDS in outcomes and Outcome.UNKNOWN not in outcomes
    if outcomes <= {Outcome.UNKNOWN}:
        assert judge(found) in {Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE}


@given(evidence.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_the_order_of_the_evidence_does_not_matter(
    lists: tuple[list[Evidence], list[Evidence]],
) -> None:
    assert len(set(map(judge, lists))) == 1


@given(evidence)
def test_only_lifting_and_proofs_prove(found: list[Evidence]) -> None:
    weaker = [
        msgspec.structs.replace(e, method="probing") if isinstance(e, Conformance) else e
        for e in found
        if not isinstance(e, Proof)
    ]
    assert judge(weaker) not in {Verdict.PROVED, Verdict.CORRECTED}


def test_a_claim_with_an_open_part_is_inconclusive_whatever_its_chains_show() -> None:
    from equiv.proofs.fingerprint import i_output_law

    (proof, *_) = prove(i_output_law)
    assert isinstance(proof, Proof)
    assert all(e.outcome is Outcome.HOLDS for e in proof.equalities)
    assert "argued in the text" in proof.open
    assert judge([proof]) is Verdict.INCONCLUSIVE
