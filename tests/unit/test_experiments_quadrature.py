"""The experiments by quadrature decide what they should, and reject what is wrong."""

import importlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest
from flint import arb

from equiv.claim import literals
from equiv.evidence import Evidence, Outcome
from equiv.experiments import Header
from equiv.experiments.quadrature import (
    contributions,
    covariance_loss,
    exact_denoiser,
    flow_map,
    grids,
    guidance,
    information,
    losses,
    reflow,
    regression,
    reversed_ddim,
    short_steps,
    start,
    step_count,
    straightness,
    transport,
    weak_order,
    weightings,
)
from equiv.experiments.quadrature.balls import Case, below, equal, in_balls, limit_of, orders, with_bits
from equiv.experiments.quadrature.data import DATA, Law
from equiv.formulas.denoisers import mixture_denoiser
from equiv.formulas.levels import Level
from equiv.formulas.predictions import score_from_x
from equiv.formulas.steps import churn_step, ddim_step, ddpm_step
from equiv.lookup import Unknown
from equiv.result import Task
from equiv.running import catalogue, selection
from equiv.verdict import Verdict, judge

HOME = Path(exact_denoiser.__file__).parent
NAMES = sorted(p.stem for p in HOME.glob("*.py") if "\nEXPERIMENT = " in p.read_text(encoding="utf-8"))


# whose statements are of laws, or of what steps tend to: they ask for the exact denoiser, or for many steps
CHAPTERS = ("definitions", "differential", "finite_steps", "flow", "guidance", "losses")
MORE = (
    *("f-clairaut", "f-convergence", "f-gaussian-ddim", "f-orders", "f-pf-euler-affine", "f-straightness"),
    *("q-path-type", "q-standard-start"),
    *("s-discrete-limit", "s-gauge-equivalence", "s-init-and-mixing", "s-karras-grid", "s-seed001-beta"),
    *("t-churn-marginals", "t-churn-weak-order", "t-churn-weights", "t-churn-weights-limit"),
    *("t-ddim-v-weights", "t-ddpm-v-weights", "t-eta1-discretization", "t-ho-variances", "t-reversed-ddim"),
)
NOT_MEASURED = {
    "d-forward-kernel": "an identity of two variances, which names no data",
    "g-cfg-equivariance": "an identity of affine maps, which names no data",
    "l-exp-decay": "an identity of a weighting, and an integral in closed form",
    "l-likelihood-weight": "an identity of factors, at every level",
    "l-loss-identification": "of two weightings, for every network: there is no law to integrate over",
    "l-min-snr": "an identity of weightings, at every level",
    "l-velocity-weight": "an identity of factors, at every level",
    "w-lipman-path": "of a conditional path, to one point of data",
    "w-stochastic-interpolant": "an identity of hyperparameters",
}


@pytest.fixture(scope="module", params=NAMES)
def module(request: Any) -> ModuleType:
    return importlib.import_module(f"equiv.experiments.quadrature.{request.param}")


def test_the_claims_are_supported_and_every_variant_is_rejected(module: ModuleType) -> None:
    evidence, _ = module.run(Task(kind="experiment", id=module.EXPERIMENT.id))
    assert judge(evidence) is Verdict.SUPPORTED
    assert all(e.cases and e.rejected and not e.surviving_variants for e in evidence)


def test_the_header_is_made_of_literals_and_names_claims_that_there_are(module: ModuleType) -> None:
    assert module.__file__ is not None
    assert msgspec.convert(literals(Path(module.__file__), "EXPERIMENT"), Header) == module.EXPERIMENT
    assert set(module.EXPERIMENT.claims) <= set(catalogue.claims())


def test_every_claim_about_laws_and_limits_is_measured() -> None:
    measured = {name for e in catalogue.experiments().values() for name in e.header["claims"]}
    claimed = {name for name, e in catalogue.claims().items() if e.path.parent.name in CHAPTERS}
    assert set(MORE) <= set(catalogue.claims())
    hint = "name it in the header of an experiment that measures it, or say in NOT_MEASURED why none does"
    assert (claimed | set(MORE)) - measured == set(NOT_MEASURED), hint


def off(formula: Any, factor: float = 1.000001) -> Any:
    """A formula that is a millionth off."""
    return lambda *args: formula(*args) * arb(factor)


def less_noise(z: Any, x_hat: Any, noise: Any, rho: Any, now: Level[Any], then: Level[Any]) -> Any:
    """Churn whose noise is a thousandth too small."""
    return churn_step(z, x_hat, noise * arb(0.999), rho, now, then)


def other_rho(z: Any, x_hat: Any, noise: Any, rho: Any, now: Level[Any], then: Level[Any]) -> Any:
    """Churn of a rho that is not the one asked for."""
    return churn_step(z, x_hat, noise, rho + arb(0.001), now, then)


def refuted(evidence: Evidence | Sequence[Evidence]) -> bool:
    found = list(evidence) if isinstance(evidence, Sequence) else [evidence]
    return judge(found) is Verdict.REFUTED


def test_a_wrong_denoiser_or_score_is_refuted() -> None:
    assert refuted(exact_denoiser.of_denoiser(off(mixture_denoiser)))
    assert refuted(exact_denoiser.of_score(off(score_from_x)))


@pytest.mark.parametrize("step", [off(churn_step), less_noise, other_rho])
def test_a_wrong_step_is_refuted(step: Any) -> None:
    assert refuted(covariance_loss.experiments(step))


@in_balls
def test_a_step_that_is_off_has_another_order() -> None:
    reversal, _, back = reversed_ddim.experiments(lambda z, x_hat, *at: ddim_step(z, x_hat * arb(1.01), *at))
    assert reversal.outcome is back.outcome is Outcome.FAILS
    assert refuted(reversed_ddim.of_normal(slightly_off(ddim_step)))


@in_balls
def test_wrong_weights_are_refuted() -> None:
    assert refuted(contributions.of_ddim(off(ddim_step)))
    assert refuted(contributions.of_ddpm(off(contributions.ddpm)))
    assert refuted(contributions.of_churn(lambda e: contributions.churn(e + 0.25)))
    assert refuted(contributions.of_bound(lambda e: contributions.churn(e + 0.25)))


@in_balls
def test_wrong_rates_have_another_straightness() -> None:
    still = (straightness.FLOW[0], lambda t: Level(arb(-1), arb(0.999)))
    assert refuted(straightness.of_widths(still))
    assert refuted(straightness.of_window(still))


@in_balls
def test_a_wrong_step_keeps_another_deviation() -> None:
    assert refuted(grids.of_products(off(churn_step)))
    assert refuted(grids.of_bound(off(churn_step, 0.9999)))


@in_balls
def test_a_wrong_field_carries_another_law() -> None:
    assert refuted(transport.of_forward(off(lambda p: p.drift)))
    for measured in (transport.of_flow, transport.of_reverse, transport.of_density):
        assert refuted(measured(off(transport.velocity)))


@in_balls
def test_a_wrong_mean_has_another_loss_and_gradient() -> None:
    for found in regression.experiments(off(Law.denoiser)):
        assert refuted(found)


@step_count.precisely
def test_a_step_that_is_off_ends_elsewhere_than_the_flow() -> None:
    assert refuted(step_count.of_frameworks(off(ddim_step)))
    wrong = {"midpoint": (step_count.EULER, 2)}
    assert step_count.of_orders(wrong).outcome is Outcome.FAILS


@in_balls
def test_noise_of_another_variance_has_another_order() -> None:
    wrong = {"half": weak_order.less_noise(weak_order.STEPS["DDPM"])}
    assert weak_order.of_one_step(wrong).outcome is Outcome.FAILS
    assert weak_order.of_all_steps(wrong).outcome is Outcome.FAILS
    assert weak_order.of_two_times(lambda e: weak_order.churn(e + 0.25)).outcome is Outcome.FAILS


@in_balls
def test_another_guidance_is_refuted() -> None:
    assert refuted(guidance.of_eta(lambda *a: churn_step(*a[:3], a[3] + arb(0.5), *a[4:])))
    assert refuted(guidance.of_tilt(lambda z, level, gamma=3.001: guidance.guided(z, level, gamma)))


def half_the_noise(z: Any, x_hat: Any, now: Level[Any], then: Level[Any]) -> Any:
    """DDIM that arrives with too little noise."""
    return ddim_step(z, x_hat, now, Level(then.alpha, then.sigma / 2))


@in_balls
def test_another_measure_is_refuted() -> None:
    assert refuted(start.of_normal(off(start.divergence)))
    assert refuted(start.of_mixtures(lambda law: arb(1)))
    assert refuted(start.of_chains(lambda n: start._missing(n) * arb(1.1)))
    assert refuted(start.of_chain_orders(lambda n: start._missing(n) * n))
    assert refuted(start.of_truncation(half_the_noise))
    assert refuted(information.of_information(off(information.noise_error, 1.001)))
    assert refuted(reflow.of_normal(off(reflow.paired, 1.1)))
    assert refuted(reflow.of_cost(off(reflow.paired, -1)))


def slightly_off(step: Any) -> Any:
    """A step that is off in the second order of its length."""

    def stepped(z: Any, *others: Any) -> Any:
        now, then = others[-2:]
        return step(z, *others) + (1 - now.alpha / then.alpha) ** 2 * z

    return stepped


@with_bits(128)
def test_other_steps_differ_by_something_else() -> None:
    assert refuted(short_steps.of_reverse(slightly_off(ddpm_step)))
    assert refuted(short_steps.of_flow(slightly_off(ddim_step)))
    row_of_x = {"u": "x", "x": "u", "eps": "eps"}
    turned = short_steps.of_heun(lambda row, *at: short_steps.heun_in(row_of_x[row], *at))
    assert turned[1].outcome is Outcome.FAILS
    assert refuted(short_steps.of_path(off(ddim_step)))


@with_bits(192)
def test_another_field_has_another_map() -> None:
    assert refuted(flow_map.of_normal(lambda z, t: flow_map.normal_field(z, t * arb(0.99))))
    assert refuted(flow_map.of_mixture(lambda z, t: flow_map.mixture_field(z, (1 + t * 99) / 100)))


@in_balls
def test_another_grid_and_another_power_are_refuted() -> None:
    assert refuted(grids.of_karras(lambda u, rho, *ends: grids.karras_sigma(u, rho / 2, *ends))[0])
    assert refuted(grids.of_churn_bound(off(churn_step, 1.1)))
    assert refuted(information.of_spectrum(off(information.noise_error)))
    assert refuted(losses.of_cuts(off(losses._weight)))


@in_balls
def test_other_losses_are_refuted() -> None:
    assert refuted(losses.of_schedules(off(losses._loss)))
    assert refuted(losses.of_frameworks(off(losses._velocity_error)))
    assert refuted(losses.of_least_losses(off(losses._least)))
    assert refuted(losses.of_noise(lambda *a: losses._least(*a) * (1 + a[-1] / 1000)))
    row = weightings.TABLE["FM"]
    assert refuted(weightings.of_table({**weightings.TABLE, "FM": row._replace(draw=weightings.COSINE)}))


def test_what_is_not_below_is_refuted() -> None:
    good = Case({}, arb(2), arb(1), {"three": arb(3)})
    assert below("", [good]).outcome is Outcome.HOLDS
    assert below("", [good, Case({}, arb(1), arb(2))]).outcome is Outcome.FAILS
    assert below("", [good, Case({}, arb(1), arb(1, 0.5))]).outcome is Outcome.UNKNOWN
    assert below("", [good, Case({}, arb(1), arb("nan"))]).outcome is Outcome.UNKNOWN
    assert below("", [good, Case({}, arb(-1), arb(-2))]).outcome is Outcome.UNKNOWN
    hair = arb(1) + arb(2) ** -60
    assert below("", [good, Case({}, arb(1), hair)]).outcome is not Outcome.HOLDS
    assert below("", [Case({}, arb(2), arb(1), {"less": arb(1)})]).outcome is Outcome.UNKNOWN


@in_balls
@pytest.mark.parametrize("t", [0.25, 0.75])
def test_the_turn_of_a_grid_is_the_derivative_of_its_angle(t: float) -> None:
    c, h = arb(0.75), arb(2) ** -20
    for name, grid in grids.GRIDS.items():
        ahead, behind = grid(t + h, c), grid(t - h, c)
        turned = [(level.sigma / (c * level.alpha)).atan() for level in (ahead, behind)]
        assert abs((turned[0] - turned[1]) / (2 * h) - grids.TURN[name](arb(t), c)) < 1e-9


def test_a_sequence_that_has_not_settled_has_no_limit() -> None:
    assert limit_of([arb(1), arb(1.5), arb(1.75)]).contains(2)
    assert not limit_of([arb(1), arb(1.5), arb(1.9)]).is_finite()
    assert not limit_of([arb(1), arb(1), arb(2)]).is_finite()
    assert limit_of([arb(1), arb(1), arb(1)]).contains(1)
    assert [round(float(p.mid()), 12) for p in orders([arb(1), arb(-0.25), arb(0.125)])] == [2, 1]


@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
def test_a_quantile_has_its_probability_below(data: Any) -> None:
    law = data.at(Level(arb(0.75), arb(0.5)))
    assert law.cumulative(law.quantile(arb(0.25))).contains(0.25)
    assert not law.quantile(arb(1.5)).is_finite()


@pytest.mark.parametrize("name", ["contributions", "straightness", "grids", "weightings", "step_count"])
def test_a_picture_is_drawn(name: str) -> None:
    from equiv.report.figures import figure

    module = importlib.import_module(f"equiv.experiments.quadrature.{name}")
    picture = step_count.precisely(module.picture)()
    assert "<svg" in figure(name, msgspec.json.decode(msgspec.json.encode(picture)))


@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
@pytest.mark.parametrize("z", [-3, 0.25, 40])
def test_the_denoiser_without_a_maximum_is_that_of_formulas(data: Any, z: float) -> None:
    level = Level(arb(0.75), arb(0.5))
    difference = data.at(level).denoiser(arb(z)) - mixture_denoiser(arb(z), level, *data)
    assert difference.contains(0)
    assert difference.rad() < 1e-10


def test_a_ball_without_a_value_decides_nothing() -> None:
    good = Case({}, arb(1), arb(1, 1e-9), {"two": arb(2)})
    assert equal("", [good]).outcome is Outcome.HOLDS
    for value in (arb("nan"), arb(1, float("inf"))):
        assert equal("", [good, Case({}, arb(1), value)]).outcome is Outcome.UNKNOWN


def test_no_variant_no_verdict() -> None:
    assert equal("", [Case({}, arb(1), arb(1))]).outcome is Outcome.UNKNOWN
    assert equal("", [Case({}, arb(1), arb(1), {"the same": arb(1)})]).surviving_variants == ("the same",)
    assert equal("", []).outcome is Outcome.UNKNOWN


@in_balls
def test_the_smallest_ball_is_read_as_any_other() -> None:
    tiny = arb(2) ** -2000
    assert equal("", [Case({}, arb(1), arb(1) + arb(0, tiny), {"two": arb(2)})]).outcome is Outcome.HOLDS
    assert equal("", [Case({}, arb(0), 2 * tiny + arb(0, tiny))]).outcome is Outcome.FAILS


def test_balls_apart_are_a_witness() -> None:
    found = equal("", [Case({"t": 0.5}, arb(1), arb(1.5, 0.25), {"two": arb(2)})])
    assert found.outcome is Outcome.FAILS
    assert found.witness is not None
    assert found.witness.inputs == {"t": "0.5"}


def test_an_experiment_in_balls_has_no_dtype() -> None:
    name = exact_denoiser.EXPERIMENT.id
    (task,) = selection.experiments([name])
    assert task.name == name
    with pytest.raises(Unknown, match="without --dtype"):
        selection.experiments([name], dtype="float32")
    assert name not in {t.id for t in selection.experiments(dtype="float32")}


def test_balls_load_neither_torch_nor_sympy() -> None:
    names = ", ".join(f"equiv.experiments.quadrature.{name}" for name in NAMES)
    code = f"import sys, {names}; print(*{{'torch', 'sympy', 'z3'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
