"""What a subject owes: one obligation a file, with a header of literals.

The docstring of the file is the advice shown on failure.
"""

import functools
import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from equiv.evidence import Evidence
from equiv.result import Task
from equiv.subjects.subject import (
    LiftedStep,
    Subject,
    adapter,
    configuration,
    configurations,
    resolve,
    runner,
)

if TYPE_CHECKING:
    from equiv.subjects.run import LiftedRun


class Obligation(msgspec.Struct, frozen=True, kw_only=True):
    """The header of an obligation.

    ``several`` names options of which the subject must offer more than one value: the first is the
    reference that the others are held against, so it owes nothing itself. What is ``narrow`` is asked of a
    type, and nothing else is.
    """

    id: str
    title: str
    families: tuple[str, ...] = ("scheduler",)  # of the subjects that owe it
    several: tuple[str, ...] = ()
    narrow: bool = False


MODULES = {
    "step-equals-formula": "equiv.obligations.step_equals_formula",
    "prediction-type": "equiv.obligations.prediction_type",
    "next-level-is-listed": "equiv.obligations.next_level_is_listed",
    "run-equals-method": "equiv.obligations.run_equals_method",
    "told-level": "equiv.obligations.told_level",
    "exact-on-point-mass": "equiv.obligations.exact_on_point_mass",
    "run-is-finite": "equiv.obligations.run_is_finite",
    "within-rounding": "equiv.obligations.within_rounding",
}


def tasks(
    subject: str,
    *,
    only: str | None = None,
    config: Mapping[str, str] | None = None,
    seed: int = 0,
    dtype: str = "",
) -> list[Task]:
    """A task for each obligation of a subject in each configuration that has the values of ``config``.

    With a ``dtype``, those that are asked of a type; without, all others.

    Raises:
        Unknown: there is no such subject, option or value; or the library is not installed.
    """
    found = resolve(subject)
    wanted = dict(config or {})
    asked = configuration(found, wanted)
    beside = {key: value for key, value in wanted.items() if key in found.taken}
    listed = {key: value for key, value in wanted.items() if key not in found.taken}
    matching = [c | beside for c in configurations(found) if listed.items() <= c.items()] or [asked]
    modules = [importlib.import_module(m) for id_, m in MODULES.items() if only in (None, id_)]
    return [
        Task(kind="check", id=module.OBLIGATION.id, subject=subject, config=c, seed=seed, dtype=dtype)
        for c in matching
        for module in modules
        if module.OBLIGATION.narrow == bool(dtype) and _owes(found, module, c)
    ]


def _owes(subject: Subject, module: Any, config: Mapping[str, str]) -> bool:
    """Where not all of its families owe an obligation, its module says who does."""
    header: Obligation = module.OBLIGATION
    return (
        subject.family in header.families
        and all(config.get(o, "") in subject.options.get(o, ())[1:] for o in header.several)
        and (not hasattr(module, "owes") or module.owes(subject.name, config))
    )


def check(task: Task) -> Sequence[Evidence]:
    """The evidence for one obligation of one subject in one configuration."""
    evidence: Sequence[Evidence] = importlib.import_module(MODULES[task.id]).check(task)
    return evidence


def lifted(subject: str, config: Mapping[str, str]) -> tuple[LiftedStep, ...]:
    """The steps of a subject in a configuration. Several obligations of one configuration read it once."""
    return _lifted(subject, tuple(sorted(config.items())))


@functools.lru_cache(maxsize=16)
def _lifted(subject: str, config: tuple[tuple[str, str], ...]) -> tuple[LiftedStep, ...]:
    found = resolve(subject)
    return tuple(adapter(subject).lift_steps(found, dict(config)))


def lifted_in(subject: str, config: Mapping[str, str], dtype: str) -> Sequence[LiftedStep]:
    """The steps of a subject in a configuration, on states of a type."""
    return adapter(subject).lift_steps(resolve(subject), config, dtype)


def lifted_run(subject: str, config: Mapping[str, str]) -> "LiftedRun":
    """A run of a function in a configuration. Several obligations of one configuration read it once.

    Raises:
        Unsupported: it does something that cannot be read.
    """
    return _lifted_run(subject, tuple(sorted(config.items())))


@functools.lru_cache(maxsize=16)
def _lifted_run(subject: str, given: tuple[tuple[str, str], ...]) -> "LiftedRun":
    from equiv.subjects.run import grid, lift, prediction

    found, config = resolve(subject), dict(given)
    listed = grid(found, config)
    values = listed.values(int(config["steps"]))
    return lift(runner(subject).sampler(found, config), values, prediction(found, config), listed)
