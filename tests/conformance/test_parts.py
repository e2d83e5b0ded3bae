"""Schedules, paths and classes with tables of their own: proved as released, never where they are changed.

A mutant has one operator or constant of a method changed. Whether that matters is found by running both.
"""

import ast
import contextlib
import importlib
import inspect
import itertools
import random
from collections.abc import Iterator
from unittest import mock

import pytest
from test_functions import _changes

from equiv.obligations import MODULES, check, tasks
from equiv.obligations.identities import parts_of
from equiv.result import Task
from equiv.subjects import parts as reading
from equiv.subjects.subject import ADAPTERS, expand, resolve
from equiv.verdict import Verdict, judge

SUBJECTS = [s for s in expand(ADAPTERS) if resolve(s).family in {"path", "diffusion"}]
MUTANTS_PER_SUBJECT = 5
GAUSSIAN = "denoising_diffusion_pytorch.GaussianDiffusion"
KNOWN = {(GAUSSIAN, "told-level")}
# the methods that are changed; of the others much is never run here
METHODS = {
    "flow_matching": ("__call__", "snr_inverse", "kappa_inverse"),
    "torchcfm": ("compute_mu_t", "compute_sigma_t", "sample_xt", "compute_conditional_flow"),
    "denoising_diffusion_pytorch": (
        "q_sample", "p_mean_variance", "p_sample", "c_skip", "c_out", "c_in", "loss_weight",
        "preconditioned_network_forward",
    ),
}  # fmt: skip


@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_obligation_of_the_released_code_is_as_it_should_be(subject: str) -> None:
    for task in tasks(subject):
        evidence = check(task)
        wanted = Verdict.REFUTED if (subject, task.id) in KNOWN else Verdict.PROVED
        assert judge(evidence) is wanted, (task.name, evidence)


@pytest.mark.parametrize("subject", [s for s in SUBJECTS if s != GAUSSIAN])
def test_a_mutant_is_never_proved_where_running_it_shows_a_difference(subject: str) -> None:
    default = {task.id: task for task in reversed(tasks(subject)) if (subject, task.id) not in KNOWN}
    right = {name: values(default, name) for name in default}
    verdicts = []
    for source in mutants(subject):
        with replaced(subject, source):
            for name, task in default.items():
                try:
                    differs = values(default, name) != pytest.approx(right[name], rel=1e-6, abs=1e-9)
                except Exception:
                    continue  # it does not run
                if differs:
                    verdicts.append(judge(check(task)))
                    assert verdicts[-1] is not Verdict.PROVED, (name, source)
    assert verdicts.count(Verdict.REFUTED) >= 0.6 * len(verdicts) > 0


@pytest.mark.parametrize(
    ("old", "new", "obligation"),
    [
        (
            "extract(self.sqrt_one_minus_alphas_cumprod, t, x_start.shape) * noise",
            "extract(self.sqrt_recipm1_alphas_cumprod, t, x_start.shape) * noise",
            "forward-noising",
        ),
        (
            "extract(self.sqrt_recip_alphas_cumprod, t, x_t.shape) * x_t -\n",
            "extract(self.sqrt_recip_alphas_cumprod, t, x_t.shape) * x_t +\n",
            "conversions",
        ),
        ("betas * torch.sqrt(alphas_cumprod_prev)", "betas * torch.sqrt(alphas_cumprod)", "posterior"),
        ("(0.5 * model_log_variance).exp()", "model_log_variance.exp()", "sampling-step"),
        ("maybe_clipped_snr / (snr + 1)", "maybe_clipped_snr / snr", "loss-weight"),
    ],
    ids=lambda text: text if " " not in text else "",
)
def test_a_wrong_class_of_discrete_steps_is_refuted(old: str, new: str, obligation: str) -> None:
    source = released(GAUSSIAN)
    assert source.count(old) == 1
    (task, *_) = tasks(GAUSSIAN, only=obligation)
    with replaced(GAUSSIAN, source.replace(old, new)):
        (evidence,) = check(task)
    assert judge([evidence]) is Verdict.REFUTED, evidence
    assert evidence.reproduced


def test_a_counterexample_is_shown_by_the_library_alone() -> None:
    subject = "flow_matching.CosineScheduler"
    (task,) = tasks(subject, only="rates-are-derivatives")
    source = released(subject).replace("d_sigma_t=-pi / 2", "d_sigma_t=-pi / 3")
    with replaced(subject, source):
        (evidence,) = check(task)
        assert evidence.reproduced
        scope = {}
        exec(evidence.snippet.replace("print(", "found = ("), scope)
    assert f"{scope['found']:.12g}" == evidence.witness.got


def test_the_step_that_interpolate_tells_is_shown_by_the_library_alone() -> None:
    (task, *_) = tasks("denoising_diffusion_pytorch.GaussianDiffusion", only="told-level")
    (evidence,) = check(task)
    assert (evidence.witness.got, evidence.witness.expected) == ("2", "3")


def values(default: dict[str, Task], name: str) -> list[float]:
    """What the parts that an obligation looks at give, on numbers of no meaning."""
    offered = parts_of(default[name])
    numbers = {n: 0.7 + 0.4 * k for k, n in enumerate(reading.STATES)}
    numbers |= {n: 0.3 + 0.1 * k for k, n in enumerate(reading.PER_SAMPLE)}
    inputs = reading.Inputs(numbers, dict(reading.PER_STEP), [0.7, -0.4, 1.3])
    return [reading.run_alone(offered, part, inputs) for part in PARTS_OF[name](offered)]


def _parts_named(*words: str):
    return lambda offered: [n for n in offered.expressions if any(n.startswith(w) or w in n for w in words)]


PARTS_OF = {
    "path-equals-formula": lambda o: [n for n in o.expressions if n in {"alpha", "sigma", "log_snr"}],
    "rates-are-derivatives": _parts_named("the rate of"),
    "forward-noising": lambda o: [n for n in o.expressions if n in {"z", "velocity"}],
    "conversions": lambda o: [
        n
        for n in o.expressions
        if (" from " in n and n != "t from snr") or n in {"v", "what the network is fed"}
    ],
    "snr-inverse": _parts_named("t from snr"),
    "posterior": _parts_named("of the posterior"),
    "sampling-step": lambda o: [n for n in o.expressions if n in {"a step", "a sample of DDIM"}],
    "loss-weight": _parts_named("the weight of the loss"),
}


@contextlib.contextmanager
def replaced(subject: str, source: str) -> Iterator[None]:
    """The class, made from another source, in the place of the released one."""
    module, name = home(subject), subject.partition(".")[2]
    with mock.patch.object(module, name):  # puts the released one back
        exec(compile(source, module.__file__, "exec"), vars(module))
        yield


def home(subject: str):
    found = resolve(subject)
    (module,) = {
        m for m in list(importlib.sys.modules.values()) if getattr(m, "__file__", "") == found.source
    }
    return module


def released(subject: str) -> str:
    return inspect.getsource(getattr(home(subject), subject.partition(".")[2]))


def mutants(subject: str) -> list[str]:
    tree = ast.parse(released(subject))
    wanted = METHODS[subject.partition(".")[0]]
    found = []
    for k in itertools.count():
        copied = ast.parse(released(subject))
        nodes = [
            n
            for f in ast.walk(copied)
            if isinstance(f, ast.FunctionDef) and f.name in wanted
            for statement in f.body
            for n in ast.walk(statement)
        ]
        if k == len(nodes):
            break
        for change in _changes(nodes[k]):
            change(nodes[k])
            found.append(ast.unparse(copied))
            break
    found = [source for source in dict.fromkeys(found) if source != ast.unparse(tree)]
    random.Random(0).shuffle(found)
    return found[:MUTANTS_PER_SUBJECT]


def test_every_obligation_on_parts_is_judged_here() -> None:
    assert set(PARTS_OF) <= set(MODULES)
    assert {t.id for s in SUBJECTS for t in tasks(s)} == {*PARTS_OF, "told-level"}
