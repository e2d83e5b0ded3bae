"""Functions of (model, x, sigmas): proved as released, and never where their source was changed.

A mutant has one operator, constant or index of the function changed. Whether that matters is found by running
both, so that every mutant is judged, also those that change nothing.
"""

import ast
import contextlib
import copy
import functools
import inspect
import random
import types
from collections.abc import Iterator, Sequence
from typing import Any
from unittest import mock

import pytest

from equiv.obligations import _lifted_run, check, lifted_run
from equiv.obligations.methods import ADAPTIVE, METHODS
from equiv.result import Task
from equiv.subjects import k_diffusion, smalldiffusion
from equiv.subjects.run import grid
from equiv.subjects.run import run_alone as alone
from equiv.subjects.subject import configuration, configurations, resolve, runner
from equiv.symbolic.expression import symbols
from equiv.verdict import Verdict, judge

# a single step is the last: it does not set the step length that the next would look back to
RAISING = [("k_diffusion.sample_dpmpp_2m_sde", "1"), ("k_diffusion.sample_dpmpp_3m_sde", "1")]
OTHER = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult}
MUTANTS_PER_FUNCTION = 14
# what the function leaves to others, and which of their functions; it is they that are changed
PARTS = {
    "k_diffusion.sample_lms": ("linear_multistep_coeff", ("linear_multistep_coeff",)),
    "k_diffusion.sample_dpm_fast": (
        "DPMSolver",
        ("dpm_solver_1_step", "dpm_solver_2_step", "dpm_solver_3_step", "dpm_solver_fast"),
    ),
}
PROBED = tuple(PARTS)  # numbers of their schedule leave torch
OWN = [name for name in METHODS if name.startswith(("k_diffusion.", "smalldiffusion."))]
STATE, ANSWERS, NOISE = 0.75, [0.5, -1.25, 2.0, 0.375, -0.625, 1.5, -0.125], [1.0, -0.5, 0.25, 2.0]


def task(subject: str, config: dict[str, str]) -> Task:
    return Task(kind="check", id="run-equals-method", subject=subject, config=config)


@pytest.mark.parametrize("subject", OWN)
def test_every_configuration_of_the_released_function_is_as_it_should_be(subject: str) -> None:
    for config in configurations(resolve(subject)):
        evidence = check(task(subject, config))
        wanted = Verdict.SUPPORTED if subject in PROBED else Verdict.PROVED
        wanted = Verdict.REFUTED if (subject, config["steps"]) in RAISING else wanted
        assert judge(evidence) is wanted, (config, evidence)


@pytest.mark.parametrize("subject", PROBED)
def test_what_is_probed_says_where_it_could_not_be_read(subject: str) -> None:
    (evidence,) = check(task(subject, configuration(resolve(subject), {})))
    assert any("left torch" in c.text for c in evidence.conditions)


@pytest.mark.parametrize("subject", ADAPTIVE)
def test_a_sampler_whose_steps_follow_from_the_state_is_refused_with_the_place(subject: str) -> None:
    (evidence,) = check(task(subject, configuration(resolve(subject), {})))
    assert judge([evidence]) is Verdict.UNSUPPORTED
    assert evidence.where.rpartition(":")[0].endswith("sampling.py")


@pytest.mark.parametrize(("subject", "steps"), RAISING)
def test_an_error_that_refuses_nothing_is_a_defect_and_shown(subject: str, steps: str) -> None:
    (evidence,) = check(task(subject, configuration(resolve(subject), {"steps": steps})))
    assert evidence.witness.got.startswith("UnboundLocalError: ")
    assert evidence.where.rpartition(":")[0].endswith("sampling.py")
    with pytest.raises(UnboundLocalError):
        run_alone(subject, configuration(resolve(subject), {"steps": steps}))


@pytest.mark.parametrize("subject", OWN)
def test_a_mutant_is_never_proved_where_running_it_shows_a_difference(subject: str) -> None:
    away = {"s_churn": "1", "mu": "0.5", "gam": "2", "eta": "1"}  # from where factors are 1 or 0
    away |= {"steps": "6"} if subject == "k_diffusion.sample_dpm_fast" else {}  # a step of each order
    options = resolve(subject).options
    config = configuration(resolve(subject), {k: v for k, v in away.items() if k in options})
    right = run_alone(subject, config)
    verdicts: dict[bool, list[Verdict]] = {True: [], False: []}
    for source in mutants(subject):
        with replaced(subject, source):
            try:
                differs = run_alone(subject, config) != pytest.approx(right, rel=1e-9, abs=1e-12)
            except (
                ArithmeticError,
                AttributeError,
                LookupError,
                RuntimeError,
                TypeError,
                ValueError,
                UnboundLocalError,
            ):
                continue  # it does not run
            verdict = judge(check(task(subject, config)))
        verdicts[differs].append(verdict)
        assert verdict not in ((Verdict.PROVED, Verdict.SUPPORTED) if differs else (Verdict.REFUTED,)), source
    # what is not finite at some level is refused or left open, the rest is found
    assert verdicts[True].count(Verdict.REFUTED) >= 0.6 * len(verdicts[True])
    assert len(verdicts[True]) >= MUTANTS_PER_FUNCTION // 2


def test_a_counterexample_is_shown_by_the_library_alone() -> None:
    subject = "k_diffusion.sample_heun"
    config = configuration(resolve(subject), {})
    with replaced(
        subject, released(subject).replace("d_prime = (d + d_2) / 2", "d_prime = (d + 2 * d_2) / 3")
    ):
        (evidence,) = check(task(subject, config))
        assert evidence.reproduced
        assert evidence.witness.inputs["compared"] == "the state fed at call 2"
        assert evidence.witness.got != evidence.witness.expected
        assert evidence.where.rpartition(":")[0].endswith("sampling.py")
        assert len(evidence.snippet.splitlines()) <= 15


def test_a_run_that_asks_once_more_is_refuted_by_the_number_of_calls() -> None:
    subject = "k_diffusion.sample_euler"
    config = configuration(resolve(subject), {})
    once_more = released(subject).replace("    return x\n", "    model(x, sigmas[-2] * s_in)\n    return x\n")
    with replaced(subject, once_more):
        (evidence,) = check(task(subject, config))
    assert judge([evidence]) is Verdict.REFUTED
    assert (evidence.witness.got, evidence.witness.inputs["compared"]) == ("4", "the number of calls")


def test_the_levels_told_and_the_draws_are_read_in_the_order_of_the_run() -> None:
    run = lifted_run("k_diffusion.sample_euler_ancestral", {"eta": "1", "steps": "3"})
    told = [sampled for name, sampled in run.results if name.startswith("the sigma")]
    assert [symbols(e) for e in told] == [[s] for s in run.listed[:-1]]
    first_noises = [
        next(s for s in symbols(q.fed) if s is n) for q, n in zip(run.queries[1:], run.noises, strict=True)
    ]
    assert tuple(first_noises) == run.noises


def run_alone(subject: str, config: dict[str, str]) -> list[float]:
    found = resolve(subject)
    values = grid(found, config).values(int(config["steps"]))
    return alone(runner(subject).sampler(found, config), values, STATE, ANSWERS, NOISE)


@contextlib.contextmanager
def replaced(subject: str, source: str) -> Iterator[None]:
    """The function, made from another source, in the place of the released one."""
    name = changed_part(subject)
    module = home(subject)
    scope = dict(vars(module))
    exec(compile(source, inspect.getsourcefile(module), "exec"), scope)
    _lifted_run.cache_clear()
    with mock.patch.object(module, name, scope[name]):
        yield
    _lifted_run.cache_clear()


def changed_part(subject: str) -> str:
    return PARTS[subject][0] if subject in PARTS else subject.partition(".")[2]


def home(subject: str) -> types.ModuleType:
    """The module of the library that the function is in."""
    return k_diffusion._sampling() if subject.startswith("k_diffusion.") else smalldiffusion._module()


def mutants(subject: str) -> Sequence[str]:
    tree = ast.parse(released(subject))
    _, inside = PARTS.get(subject, ("", ()))
    found = list(dict.fromkeys(ast.unparse(m) for m in _changed(tree, inside)))
    random.Random(0).shuffle(found)
    return found[:MUTANTS_PER_FUNCTION]


@functools.cache
def released(subject: str) -> str:
    return inspect.getsource(inspect.unwrap(getattr(home(subject), changed_part(subject))))


def _changed(tree: ast.Module, inside: Sequence[str]) -> Iterator[Any]:
    """The tree with one place of its body changed: in its loop, or in the functions named."""
    for k, old in enumerate(_places(tree, inside)):
        for change in _changes(old):
            copied = copy.deepcopy(tree)
            change(_places(copied, inside)[k])
            yield copied


def _places(tree: ast.Module, inside: Sequence[str]) -> list[ast.AST]:
    named = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name in inside]
    parts = named or [next(n for n in ast.walk(tree) if isinstance(n, ast.For))]
    return [n for part in parts for n in ast.walk(part)]


def _changes(node: ast.AST) -> Iterator[Any]:
    match node:
        case ast.BinOp(op=op) if type(op) in OTHER:
            yield lambda n: setattr(n, "op", OTHER[type(n.op)]())
            yield lambda n: setattr(n, "right", n.left)
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            yield lambda n: setattr(n, "value", n.value + 1)
        case ast.UnaryOp(op=ast.USub()):
            yield lambda n: setattr(n, "op", ast.UAdd())
