"""What a subject owes: one obligation a file, with a header of literals.

The docstring of the file is the advice shown on failure.
"""

import functools
import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from equiv.evidence import Evidence, Failure
from equiv.obligations.covering import covering
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
    reference that the others are held against, so it owes nothing itself. An obligation that is ``about``
    some options and settings is checked on every pair of their values, with the others at their defaults.
    What is ``narrow`` is asked of a type, and nothing else is.
    """

    id: str
    title: str
    families: tuple[str, ...] = ("scheduler",)  # of the subjects that owe it
    several: tuple[str, ...] = ()
    narrow: bool = False
    needs: tuple[str, ...] = ()  # what a subject must offer to owe it
    about: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()  # how many are taken, where not those of the subject
    exactly: str = ""  # the one number of steps that it is about
    given: dict[str, str] = {}  # options that are not at their defaults


MODULES = {
    "step-equals-formula": "equiv.obligations.step_equals_formula",
    "prediction-type": "equiv.obligations.prediction_type",
    "next-level-is-listed": "equiv.obligations.next_level_is_listed",
    "run-equals-method": "equiv.obligations.run_equals_method",
    "told-level": "equiv.obligations.told_level",
    "exact-on-point-mass": "equiv.obligations.exact_on_point_mass",
    "run-is-finite": "equiv.obligations.run_is_finite",
    "within-rounding": "equiv.obligations.within_rounding",
    "network-is-told-its-level": "equiv.obligations.network_is_told_its_level",
    "noise-falls": "equiv.obligations.noise_falls",
    "every-step-is-the-training-grid": "equiv.obligations.every_step_is_the_training_grid",
    "schedule-equals-formula": "equiv.obligations.schedule_equals_formula",
    "sample-is-finite": "equiv.obligations.sample_is_finite",
    "sample-without-signal-is-finite": "equiv.obligations.sample_without_signal_is_finite",
    "path-equals-formula": "equiv.obligations.path_equals_formula",
    "rates-are-derivatives": "equiv.obligations.rates_are_derivatives",
    "forward-noising": "equiv.obligations.forward_noising",
    "conversions": "equiv.obligations.conversions",
    "snr-inverse": "equiv.obligations.snr_inverse",
    "posterior": "equiv.obligations.posterior",
    "sampling-step": "equiv.obligations.sampling_step",
    "loss-weight": "equiv.obligations.loss_weight",
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
    modules = [m for m in modules if found.family in m.OBLIGATION.families]
    owed = [(c, m) for c in matching for m in modules if not m.OBLIGATION.about]
    owed += [(c, m) for m in modules if m.OBLIGATION.about for c in _about(m.OBLIGATION, found, wanted)]
    return [
        Task(kind="check", id=module.OBLIGATION.id, subject=subject, config=c, seed=seed, dtype=dtype)
        for c, module in owed
        if module.OBLIGATION.narrow == bool(dtype) and _owes(found, module, c)
    ]


def _owes(subject: Subject, module: Any, config: Mapping[str, str]) -> bool:
    """Where not all of its families owe an obligation, its module says who does."""
    header: Obligation = module.OBLIGATION
    return (
        subject.family in header.families
        and set(header.needs) <= set(subject.offers)
        and header.exactly in ("", config.get("steps"))
        and all(config.get(o, "") in subject.options.get(o, ())[1:] for o in header.several)
        and (not hasattr(module, "owes") or module.owes(subject.name, config))
    )


def _about(header: Obligation, subject: Subject, wanted: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Configurations that have between them every pair of values of what the obligation is about."""
    steps = (header.exactly,) if header.exactly else header.steps or subject.options["steps"]
    taken = {**subject.options, **subject.settings, "steps": steps}
    known = {name: values for name, values in taken.items() if name in (*header.about, "steps", *wanted)}
    varied = {name: (wanted[name],) if name in wanted else values for name, values in known.items()}
    given = {name: value for name, value in header.given.items() if name in taken}
    defaults = {name: values[0] for name, values in subject.options.items()} | given
    rest = {name: (value,) for name, value in defaults.items() if name not in varied}
    options = {name: (rest | varied)[name] for name in (*defaults, *varied)}
    usual = [{k: v[0] for k, v in options.items()} | {"steps": n} for n in options["steps"]]
    yield from covering(options, usual, subject.refused)


def check(task: Task) -> Sequence[Evidence]:
    """The evidence for one obligation of one subject in one configuration."""
    from equiv.lifting.refusal import Unsupported  # which loads torch

    try:
        evidence: Sequence[Evidence] = importlib.import_module(MODULES[task.id]).check(task)
    except Unsupported as refusal:
        return [Failure(kind="unsupported", reason=refusal.reason, where=refusal.where)]
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
