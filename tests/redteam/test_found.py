"""What was once proved although it is false, each found by trying to make it so."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import sympy
import torch
from diffusers import DDPMScheduler

from equiv import obligations
from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.lifting.refusal import Unsupported
from equiv.lifting.tracer import Tracer
from equiv.number import log
from equiv.result import Task
from equiv.symbolic.decision import Domain, Equal, decide
from equiv.symbolic.expression import Relation, const, symbol
from equiv.symbolic.prover import prove
from equiv.verdict import Verdict, judge

z = symbol("z")
y, t, s = sympy.Symbol("y", real=True), *sympy.symbols("t s", positive=True)
FAR = y**17 + 7**17 + 1


@pytest.mark.parametrize("power", [17, 18, -2, -3, 64])
def test_a_power_says_nothing_of_the_sign_of_its_base(power: int) -> None:
    domain = Domain(Relation(0, "<", (z + 10) ** power if power % 2 == 0 else (z + 10) ** power + 10**70))
    assert not isinstance(decide(abs(z + 10), z + 10, domain), Equal)


def verdict(*chains: Chain) -> Verdict:
    """Of a claim that consists of these chains."""
    header = Claim(id="x", title="x", statement="x", source=Source(seed="000", section="x"))
    file = SimpleNamespace(
        CLAIM=header,
        derivation=lambda: Derivation(chains=chains),
        false_variants=lambda: [Variant(name="one is two", left=sympy.S(1), right=sympy.S(2))],
    )
    return judge(prove(file))


def test_a_true_claim_is_proved() -> None:
    assert verdict(chain("c", t - s, ("sum", -(s - t)))) is Verdict.PROVED


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (sympy.Abs(FAR), FAR),
        (sympy.Mul(FAR, sympy.Pow(FAR, -1, evaluate=False), evaluate=False), sympy.S(1)),
        (sympy.Abs(t - s), t - s),
        (sympy.Abs(t - 1000), 1000 - t),
        (sympy.log(t - t, evaluate=False), sympy.log(t - t, evaluate=False) + 1),
    ],
    ids=str,
)
def test_a_false_claim_is_not_proved(left: Any, right: Any) -> None:
    assert verdict(chain("c", left, ("false", right))) is not Verdict.PROVED


def test_a_dummy_is_refused() -> None:
    with pytest.raises(ValueError, match="Dummy"):
        verdict(chain("c", sympy.Dummy("x", real=True), ("false", sympy.Dummy("x", real=True))))


def test_infinities_are_not_equal() -> None:
    nothing = log(const(0))
    assert not isinstance(decide(nothing, nothing + 1, Domain()), Equal)
    assert not isinstance(decide(nothing, 5 * nothing, Domain()), Equal)


LEAKS: dict[str, Callable[[torch.Tensor], Any]] = {
    "apply_": lambda tensor: tensor.apply_(lambda x: x),
    "map_": lambda tensor: torch.ones(2, 3).map_(tensor, lambda _, x: x),
    "repr": repr,
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_a_value_does_not_leave_unseen(leak: Callable[[torch.Tensor], Any]) -> None:
    def read() -> None:
        tensor = torch.ones(2, 3)
        with Tracer() as tracer:
            tracer.mark(tensor, "z")
            leak(tensor)

    with pytest.raises(Unsupported):
        read()


RIGHT_STEP, RIGHT_TIMES = DDPMScheduler.step, DDPMScheduler.set_timesteps


def _result(change: Callable[[torch.Tensor], torch.Tensor]) -> Callable[..., Any]:
    def step(self: Any, *args: Any, **named: Any) -> Any:
        out = RIGHT_STEP(self, *args, **named)
        out.prev_sample = change(out.prev_sample)
        return out

    return step


def _few(self: Any, *args: Any, **named: Any) -> None:
    RIGHT_TIMES(self, *args, **named)
    self.timesteps = self.timesteps[:1]


MUTANTS = {
    "one of the batch": ("step", _result(lambda x: x[:1])),
    "one element": ("step", _result(lambda x: x[:1, :1, :1, :1])),
    "another shape": ("step", _result(lambda x: x.reshape(-1))),
    "one step of ten": ("set_timesteps", _few),
}


@pytest.fixture
def fresh_readings() -> Any:
    obligations._lifted.cache_clear()
    yield
    obligations._lifted.cache_clear()


def found(obligation: str) -> Verdict:
    config = {
        "timestep_spacing": "leading",
        "prediction_type": "epsilon",
        "clip_sample": "False",
        "steps": "10",
    }
    return judge(
        obligations.check(Task(kind="check", id=obligation, subject="diffusers.DDPMScheduler", config=config))
    )


@pytest.mark.usefixtures("fresh_readings")
@pytest.mark.parametrize("name", MUTANTS)
@pytest.mark.parametrize("obligation", ["step-equals-formula", "next-level-is-listed"])
def test_what_is_returned_has_the_shape_and_the_number_asked_for(
    name: str, obligation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(obligation) is Verdict.PROVED
    obligations._lifted.cache_clear()
    monkeypatch.setattr(DDPMScheduler, *MUTANTS[name])
    assert found(obligation) is not Verdict.PROVED


@pytest.mark.usefixtures("fresh_readings")
@pytest.mark.parametrize("obligation", ["step-equals-formula", "next-level-is-listed"])
def test_a_stochastic_sampler_that_never_draws_is_not_proved(
    obligation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "randn", lambda *size, **named: torch.zeros(*size, dtype=named.get("dtype")))
    assert found(obligation) is not Verdict.PROVED
