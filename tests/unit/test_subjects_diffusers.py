"""Reading the schedulers of diffusers, and of look-alikes that are wrong or cannot be read."""

import inspect
import subprocess
import sys
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from equiv import number, rounding
from equiv.formulas.levels import Level
from equiv.lifting.refusal import Unsupported
from equiv.lookup import Unknown
from equiv.subjects import diffusers as adapter
from equiv.subjects.diffusers import building, classes
from equiv.subjects.diffusers.outside import OUTSIDE
from equiv.subjects.subject import configuration, configurations, resolve
from equiv.symbolic import balls
from equiv.symbolic.expression import Expr, const, postorder, symbol, symbols

CLASSES = [f"diffusers.{name}" for name in classes.CLASSES]

STRIDING = [
    f"diffusers.{name}Scheduler"
    for name in ("DDIM", "DDIMParallel", "DDIMInverse", "CogVideoXDDIM", "CogVideoXDPM")
]


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    adapter.subject.cache_clear()
    yield
    adapter.subject.cache_clear()


def lift(name: str, **given: str) -> list[Any]:
    found = resolve(f"diffusers.{name}")
    return adapter.lift_steps(found, configuration(found, given))


def positive(name: str) -> Expr:
    return symbol(name, "schedule", positive=True)


THIRD = {"solver_order": "3"}
RAISES = {  # no step to read: the third one ends with an error that refuses nothing
    "diffusers.DPMSolverMultistepScheduler": {"algorithm_type": "sde-dpmsolver", **THIRD},
    "diffusers.EDMDPMSolverMultistepScheduler": {"algorithm_type": "sde-dpmsolver++", **THIRD},
}


UNREAD = [  # the largest elements are looked up; and every step is nan
    {"thresholding": "True"},
    {"variance_type": "fixed_large_log"},
]


def some(found: Any, each: int) -> tuple[dict[str, str], ...]:
    """Every so many-th configuration that can be read and comes to an end, and not many."""
    out = [*UNREAD, *([RAISES[found.name]] if found.name in RAISES else [])]
    among = [c for c in configurations(found) if not any(o.items() <= c.items() for o in out)]
    return tuple(among[:: max(each, len(among) // 12)])


def taken(step: Any) -> list[str]:
    """What a step takes for granted, but for where it was run."""
    return [a.condition.text for a in step.assumptions if a.condition.kind != "library setting"]


# --- names and options ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("diffusers.DDIMSheduler", "the nearest is 'diffusers.DDIMScheduler'"),
        ("diffusers.Euler", "'diffusers.Euler'"),
        ("difusers.DDIMScheduler", "the nearest is 'diffusers'"),
        ("DDIMScheduler", "there is no library"),
    ],
)
def test_an_unknown_name_gets_the_nearest(name: str, said: str) -> None:
    with pytest.raises(Unknown, match=said):
        resolve(name)


def test_a_library_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(Unknown, match=r"needs diffusers.*pip install diffusers"):
        resolve("diffusers.DDIMScheduler")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"timestep_spacing": "linspac"}, "the nearest is 'linspace'"),
        ({"eta": "0.7"}, "takes eta in 0, 1, 0.5"),
        ({"steps": "0"}, "takes steps in 10, 13"),
        ({"steps": "-1"}, "takes steps"),
        ({"step": "10"}, "the nearest is 'steps'"),
    ],
)
def test_an_unknown_option_gets_the_nearest(given: Mapping[str, str], said: str) -> None:
    with pytest.raises(Unknown, match=said):
        configuration(resolve("diffusers.DDIMScheduler"), given)


def test_the_declared_defaults_come_first() -> None:
    assert configurations(resolve("diffusers.DDIMScheduler"))[0] == {
        "timestep_spacing": "leading",
        "prediction_type": "epsilon",
        "clip_sample": "True",
        "thresholding": "False",
        "set_alpha_to_one": "True",
        "eta": "0",
        "steps": "10",
    }
    assert configurations(resolve("diffusers.EulerDiscreteScheduler"))[0]["timestep_spacing"] == "linspace"
    assert resolve("diffusers.FlowMatchHeunDiscreteScheduler").options == {"steps": ("5", "8")}
    assert "sample" not in resolve("diffusers.EulerAncestralDiscreteScheduler").options["prediction_type"]


def test_every_scheduler_is_read_or_left_out_with_a_reason() -> None:
    import diffusers

    every = {
        name
        for name in dir(diffusers)
        if name.endswith("Scheduler")
        and inspect.isclass(made := getattr(diffusers, name))
        and issubclass(made, diffusers.SchedulerMixin)
        and made is not diffusers.SchedulerMixin
    }
    assert len(every) > 40
    read, left_out = set(classes.CLASSES), set(OUTSIDE)
    assert (every - read - left_out, (read | left_out) - every, read & left_out) == (set(), set(), set())
    assert all(reason.startswith(("out of scope: ", "not read")) for reason in OUTSIDE.values())


def test_what_is_left_out_says_why() -> None:
    with pytest.raises(Unknown, match=r"is not checked\. Out of scope: it samples categories"):
        resolve("diffusers.AmusedScheduler")


# --- what is read ---------------------------------------------------------------------------------------


def test_a_ddim_step_is_read_as_it_is_written() -> None:
    step = lift("DDIMScheduler", clip_sample="False")[3]
    assert str(step.output) == (
        "sqrt(A_s)*((z - sqrt(1 - A_t)*net)/sqrt(A_t)) + "
        "sqrt(1 - A_s - (sqrt((1 - A_s)/(1 - A_t)*(1 - A_t/A_s))*0)**2)*net"
    )
    a_t, a_s = positive("A_t"), positive("A_s")
    assert step.now == Level(number.sqrt(a_t), number.sqrt(1 - a_t))
    assert step.then == Level(number.sqrt(a_s), number.sqrt(1 - a_s))
    assert step.schedule == {a_t: "alphas_cumprod[600]", a_s: "alphas_cumprod[500]"}
    assert list(map(str, step.relations)) == ["0 < A_t", "A_t < A_s", "A_s < 1"]
    assert (step.timestep, step.prediction, taken(step)) == (600, "eps", [])


@pytest.mark.parametrize("name", ["DDIMScheduler", "DDPMScheduler"])
def test_the_last_level_is_the_declared_one(name: str) -> None:
    step = lift(name)[-1]
    assert step.then == Level(const(1), const(0))
    assert step.schedule == {positive("A_t"): "alphas_cumprod[0]"}


def test_levels_are_listed_not_computed() -> None:
    step = lift("DDIMScheduler", timestep_spacing="linspace")[0]
    assert step.schedule[positive("A_t")] == "alphas_cumprod[999]"
    assert step.schedule[positive("A_s")] == "alphas_cumprod[888]"
    assert step.schedule[positive("A_899")] == "alphas_cumprod[899]"
    assert positive("A_899") in symbols(step.output) and positive("A_s") not in symbols(step.output)
    assert list(map(str, step.relations)) == ["0 < A_t", "A_t < A_899", "A_899 < A_s", "A_s < 1"]


def test_a_flow_starts_at_pure_noise_and_ends_clean() -> None:
    steps = lift("FlowMatchEulerDiscreteScheduler")
    assert steps[0].now == Level(const(0), const(1)) and steps[-1].then == Level(const(1), const(0))
    assert str(steps[4].output) == "z + (sigma_s - sigma_t)*net"


def test_a_branch_is_a_condition() -> None:
    step = lift("EulerDiscreteScheduler")[2]
    assert taken(step) == ["0 <= sigma_t"]
    assert step.now == Level(const(1), positive("sigma_t"))
    assert str(step.fed) == "z/sqrt(sigma_t**2 + 1)"


@pytest.mark.parametrize("name", CLASSES)
def test_equal_steps_share_a_key(name: str) -> None:
    found, family = resolve(name), classes.CLASSES[name.partition(".")[2]]
    for config in some(found, 2 * family.memory + 1):
        steps = adapter.lift_steps(found, config)
        wrong_level = name in STRIDING and (
            config["timestep_spacing"] == "linspace"
            or (config["timestep_spacing"], config["steps"]) == ("trailing", "13")
        )
        assert len(steps) == adapter.calls(found, config)
        different = 4 + 4 * family.memory  # a first, inner ones, a last; and those of lower order
        # the boundary scalings are constants of the timestep; and coefficients are made by numpy
        if name.endswith(("LCMScheduler", "DEISMultistepScheduler")):
            different = len(steps)
        assert wrong_level or len({step.key for step in steps}) <= different


def test_the_noise_comes_from_the_generator_given() -> None:
    step = lift("DDIMScheduler", eta="1")[0]
    assert step.noise in symbols(step.output) and step.point[step.noise] != 1
    assert lift("DDIMScheduler", eta="1")[0].got == step.got


# --- what is read is what runs ----------------------------------------------------------------------------


def rounded(root: Expr, point: Mapping[Expr, Fraction]) -> rounding.Rounded:
    """The expression in float32, with the bound on how far float32 may be from exact."""
    values: dict[Expr, Any] = {}
    functions = {
        "neg": lambda x: -x,
        "add": lambda x, y: x + y,
        "sub": lambda x, y: x - y,
        "mul": lambda x, y: x * y,
        "div": lambda x, y: x / y,
        "pow": lambda x, y: x ** float(y.value),
        "sqrt": number.sqrt,
        "exp": number.exp,
        "log": number.log,
        "max": number.maximum,
        "min": number.minimum,
        "cast": lambda x: x * 1,  # one rounding
    }
    for e in postorder(root):
        match e.op:
            case "symbol":
                values[e] = rounding.exact(torch.tensor(float(point[e]), dtype=torch.float32))
            case "const" | "literal":
                values[e] = rounding.exact(torch.tensor(float(e.param), dtype=torch.float32))
            case _:
                values[e] = functions[e.op](*(values[a] for a in e.args))
    return values[root]


@pytest.mark.parametrize("name", CLASSES)
def test_the_expression_has_the_value_that_the_library_returned(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = name.partition(".")[2]
    monkeypatch.setitem(classes.CLASSES, short, classes.CLASSES[short]._replace(dtype=torch.float32))
    found = resolve(name)
    for config in some(found, 5):
        told_apart = 0
        for step in adapter.lift_steps(found, config):
            exact = float(balls.evaluate(step.output, step.point).mid())
            bound = float(rounded(step.output, step.point).error)
            if step.index + 1 < int(config["steps"]) or np.isfinite(bound):
                assert abs(step.got - exact) <= bound, (config, step.index)
            elsewhere = {**step.point, step.network: step.point[step.network] + Fraction(1, 8)}
            wrong = float(balls.evaluate(step.output, elsewhere).mid())
            told_apart += not abs(step.got - wrong) <= bound
        assert told_apart > 0


@pytest.mark.parametrize("name", CLASSES)
def test_the_library_alone_returns_the_same(name: str) -> None:
    found = resolve(name)
    for config in some(found, 7):
        for step in adapter.lift_steps(found, config):
            inputs = {s.param.name: float(v) for s, v in step.point.items() if s.param.role != "schedule"}
            assert adapter.run_alone(found, config, step.index, inputs) == step.got


@pytest.mark.parametrize("name", CLASSES)
def test_the_snippet_shows_what_running_alone_returns(name: str) -> None:
    found = resolve(name)
    config = some(found, 1)[-1]
    inputs = {"z": 0.5, "net": -1.25, "n": 2.0}
    code = adapter.snippet(found, config, 3, inputs)
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert float(shown) == adapter.run_alone(found, config, 3, inputs)


def test_on_this_schedule_only_the_inputs_are_free() -> None:
    step = lift("DDIMScheduler", eta="1", clip_sample="False")[2]
    fixed = step.on_this_schedule(step.output)
    assert {s.param.name for s in symbols(fixed)} == {"z", "net", "n"}
    assert balls.evaluate(fixed, step.point).overlaps(balls.evaluate(step.output, step.point))


# --- look-alikes ----------------------------------------------------------------------------------------


def lift_lookalike(monkeypatch: pytest.MonkeyPatch, step: Any, **config: Any) -> list[Any]:
    """Read DDIMScheduler with another step()."""

    class LookAlike(diffusers.DDIMScheduler):  # type: ignore[misc]
        pass

    LookAlike.step = lambda self, net, t, z, **options: step(
        self, super(LookAlike, self).step, net, t, z, **options
    )
    found = resolve("diffusers.DDIMScheduler")
    monkeypatch.setattr(building, "_class", lambda _name: lambda **given: LookAlike(**{**given, **config}))
    return adapter.lift_steps(found, configuration(found, {"clip_sample": "False"}))


def _reads_the_state(self: Any, step: Any, net: Any, t: Any, z: Any, **options: Any) -> Any:
    return step(net * (1.0 if float(z.abs().max()) < 100 else 2.0), t, z, **options)


def _branches_on_the_state(self: Any, step: Any, net: Any, t: Any, z: Any, **options: Any) -> Any:
    return step(net if z[0, 0, 0, 0] < 100 else -net, t, z, **options)


def _centres(self: Any, step: Any, net: Any, t: Any, z: Any, **options: Any) -> Any:
    return step(net - net.mean(), t, z, **options)


def _swaps_the_batch(self: Any, step: Any, net: Any, t: Any, z: Any, **options: Any) -> Any:
    return step(net.flip(0), t, z, **options)


def _draws_with_numpy(self: Any, step: Any, net: Any, t: Any, z: Any, **options: Any) -> Any:
    return step(
        net + torch.from_numpy(np.random.default_rng(0).normal(size=tuple(net.shape))), t, z, **options
    )


def _detours_through_numpy(self: Any, step: Any, net: Any, t: Any, z: Any, **options: Any) -> Any:
    return step(torch.from_numpy(net.numpy() * 2), t, z, **options)


def _swallows(self: Any, step: Any, net: Any, t: Any, z: Any, **options: Any) -> Any:
    try:
        large = bool((net.abs() > 100).any())
    except Exception:
        large = False
    return step(net * (2.0 if large else 1.0), t, z, **options)


@pytest.mark.parametrize(
    "step",
    [
        _reads_the_state,
        _branches_on_the_state,
        _centres,
        _swaps_the_batch,
        _draws_with_numpy,
        _detours_through_numpy,
        _swallows,
    ],
)
def test_a_look_alike_is_refused(step: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unsupported):
        lift_lookalike(monkeypatch, step)


def test_thresholding_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unsupported, match="takes a place or a mask from values"):
        lift_lookalike(
            monkeypatch, lambda self, step, *args, **options: step(*args, **options), thresholding=True
        )


def test_what_is_carried_from_step_to_step_is_written_in_the_inputs_of_the_calls_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def remembers(self: Any, step: Any, net: Any, t: Any, z: Any, **options: Any) -> Any:
        mixed = net + 0.5 * self.last if hasattr(self, "last") else net
        self.last = net
        return step(mixed, t, z, **options)

    steps = lift_lookalike(monkeypatch, remembers)
    names = [{s.param.name for s in symbols(step.output)} for step in steps[:3]]
    assert names[0] == {"z", "net", "A_t", "A_s"}
    assert names[1] == names[2] == {"z", "net", "net_1", "A_t", "A_s"}
    assert steps[1].key == steps[2].key


class _Repeats(diffusers.DDIMScheduler):  # type: ignore[misc]
    """Two entries of one value; the step reads the one that is listed."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.alphas_cumprod[501] = self.alphas_cumprod[500]


class _ReadsBeside(_Repeats):
    """The step reads both, as if they were one."""

    def step(self, output: Any, timestep: Any, sample: Any, **options: Any) -> Any:
        out = super().step(output, timestep, sample, **options)
        at = max(int(timestep) - 100, 0)
        out.prev_sample = out.prev_sample * self.alphas_cumprod[at] / self.alphas_cumprod[at + (at == 500)]
        return out


@pytest.mark.parametrize(
    ("made", "said"),
    [(_Repeats, []), (_ReadsBeside, ["alphas_cumprod[500] = alphas_cumprod[501]"])],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_entries_of_one_value_are_told_apart_or_said_to_be_one_variable(
    made: Any, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = resolve("diffusers.DDIMScheduler")
    monkeypatch.setattr(building, "_class", lambda _name: made)
    step = adapter.lift_steps(found, configuration(found, {}))[3]
    assert taken(step) == said
    assert [a.condition.kind for a in step.assumptions if a.text in said] == ["hypothesis"] * len(said)
