"""A subject: an implementation under test, found by its name, and what is known of it before it runs."""

import importlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast, runtime_checkable

import msgspec

from equiv.evidence import Condition
from equiv.formulas.levels import Level
from equiv.lookup import Unknown, find, nearest
from equiv.symbolic.expression import Expr, Relation, const, substitute, symbols

if TYPE_CHECKING:
    import torch

    from equiv.lifting.plan import Operation
    from equiv.subjects.parts import Parts
    from equiv.subjects.run import Sampler

Gauge = Literal["variance preserving", "variance exploding", "flow"]
Prediction = Literal["x", "eps", "v", "minus v", "u", "minus u", "score"]

ADAPTERS = {
    "denoising_diffusion_pytorch": "equiv.subjects.denoising_diffusion_pytorch",
    "diffusers": "equiv.subjects.diffusers",
    "flow_matching": "equiv.subjects.flow_matching",
    "k_diffusion": "equiv.subjects.k_diffusion",
    "smalldiffusion": "equiv.subjects.smalldiffusion",
    "torchcfm": "equiv.subjects.torchcfm",
    "torchdiffeq": "equiv.subjects.drivers",
    "torchdyn": "equiv.subjects.drivers",
}

SAMPLERS = ("scheduler", "function")  # the families that have steps, or runs, to compare

ONE = const(1)


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """``options`` gives the values of each option that are checked, the declared default first.

    ``together`` groups the options that are checked in every combination, with the others at their
    defaults; without a group, all are. ``refused`` names values that a class refuses with an error of its
    own, or that ask for what has no answer, such as the noise of a clean state. What is ``taken`` is no part
    of what is checked, but may be asked for: these values, or any if none are named; what is ``needed`` must
    be given, and it says why. ``settings`` are taken too; the obligations that are about them vary them.
    """

    name: str  # as users write it: diffusers.DDIMScheduler
    library: str
    version: str
    family: Literal["scheduler", "function", "path", "diffusion"]
    time: str  # the direction and kind of its times, in words
    gauge: Gauge  # of the state that step() is given
    prediction_types: tuple[str, ...]  # as the library names them
    source: str  # the file that defines it
    options: dict[str, tuple[str, ...]]
    together: tuple[tuple[str, ...], ...] = ()
    refused: tuple[dict[str, str], ...] = ()
    taken: dict[str, tuple[str, ...]] = {}
    needed: dict[str, str] = {}
    settings: dict[str, tuple[str, ...]] = {}
    offers: tuple[str, ...] = ()  # what it has, in the words of the obligations that need it


class Assumed(Protocol):
    """What the reading of a step took for granted: see :mod:`equiv.lifting.assumption`."""

    @property
    def relation(self) -> Relation | None: ...
    @property
    def text(self) -> str: ...
    @property
    def where(self) -> str: ...  # file:line
    @property
    def condition(self) -> Condition: ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Call:
    """One call of the network: what it was asked at which level, and what the step drew after it."""

    timestep: float
    prediction: Prediction
    gauge: Gauge  # of the state
    state: Expr
    network: Expr  # its output
    noise: Expr  # the draw of the step, whether or not the library makes one
    now: Level[Expr]  # as the scheduler *lists* it
    unit: Expr = ONE  # the deviation of the data, by which the network is told them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AsRead:
    """The result of a step in what it held, and where and in which types it was computed."""

    root: Expr
    point: Mapping[Expr, Fraction]
    computed: "Mapping[Expr, Operation]"
    origins: Mapping[Expr, str]
    coarsest: "torch.dtype"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LiftedStep(Call):
    """One step of a scheduler, as an expression in the states, the network's outputs and the noises.

    ``now`` and ``then`` are the levels that the scheduler *lists*, whatever the step computes for itself.
    What the scheduler keeps from earlier calls is written in the inputs of those calls, but for what it
    folds up: a value that rests on all of them is a variable, and ``kept`` says what it is after the step.
    """

    index: int
    output: Expr
    fed: Expr  # what the network is to be given: the state, scaled where the library asks for it
    then: Level[Expr]
    by: tuple[Level[Expr], ...] = ()  # other levels that the method goes by
    earlier: tuple[Call, ...] = ()  # the latest first
    memory: int = 0  # how many of them the step may look at
    folded: dict[Expr, Expr] = field(default_factory=dict)  # the variable: what it is in inputs alone
    kept: dict[str, Expr] = field(default_factory=dict)  # by the name of the variable
    relations: tuple[Relation, ...]  # the domain: the order of the schedule's symbols
    assumptions: tuple[Assumed, ...]
    point: dict[Expr, Fraction]  # where the library was run
    got: float  # what it returned there
    schedule: dict[Expr, str]  # which entry of which buffer a symbol stands for
    origins: dict[Expr, str]  # file:line of the operation that computed a part of the output
    read: AsRead | None = None  # where it is asked what rounding does

    @property
    def key(self) -> tuple[object, ...]:
        """Steps with equal keys are the same statement: deciding one decides all."""
        # which entries of the schedule coincide is said of each step, and changes nothing of the statement
        said = [a for a in self.assumptions if a.condition.kind != "hypothesis"]
        taken = (repr(a.relation) if a.relation else a.text for a in said)
        before = (part for call in self.earlier[: self.memory] for part in call.now)
        levels = (*self.now, *self.then, *(part for level in self.by for part in level), *before)
        kept = (*self.kept, *self.kept.values())
        return (self.output, *levels, self.prediction, *kept, *map(repr, self.relations), *taken)

    def unfolded(self, e: Expr) -> Expr:
        """``e`` in the inputs of the calls alone."""
        return substitute(e, self.folded)

    def on_this_schedule(self, e: Expr) -> Expr:
        """``e`` with the values that the schedule has in the library, so that only its inputs are free."""
        values = {s: const(self.point[s]) for s in symbols(e) if s.param.role == "schedule"}
        return substitute(e, values)


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A call of the network, as a scheduler lists it."""

    told: float
    ratio: float  # sigma / alpha of its state
    shown: str  # the entries that say so, as printed
    code: str  # the Python that prints them


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """The calls of a configuration in their order, and the schedule that they are taken from."""

    calls: tuple[Listed, ...]
    due: int  # how many calls there are to be
    end: float  # sigma / alpha after the last
    curve: tuple[tuple[float, float], ...]  # each training step: the time told and sigma / alpha, rising
    made: str  # Python that makes the scheduler


class Trained(msgspec.Struct, frozen=True, kw_only=True):
    """The schedule that a network is trained with: alpha^2 of each step, from the data to the noise."""

    signals: tuple[float, ...]
    first: float  # beta, as configured
    last: float
    shift: float  # what alpha^2 / sigma^2 of the named schedule is divided by
    made: str  # Python that makes the scheduler


class Adapter(Protocol):
    """What a module of this folder offers."""

    SHAPE: tuple[int, ...]  # of the states that steps are read on

    def names(self) -> tuple[str, ...]: ...
    def subject(self, name: str) -> Subject: ...
    def lift_steps(
        self, subject: Subject, config: Mapping[str, str], dtype: str = ""
    ) -> Sequence[LiftedStep]: ...
    def calls(self, subject: Subject, config: Mapping[str, str]) -> int: ...
    def run_alone(
        self, subject: Subject, config: Mapping[str, str], step: int, inputs: Mapping[str, float]
    ) -> float: ...
    def snippet(
        self, subject: Subject, config: Mapping[str, str], step: int, inputs: Mapping[str, float]
    ) -> str: ...
    def listing(self, subject: Subject, config: Mapping[str, str]) -> Listing: ...
    def made(self, subject: Subject, config: Mapping[str, str]) -> str: ...
    def trained(self, subject: Subject, config: Mapping[str, str]) -> Trained: ...
    def run_through(self, subject: Subject, config: Mapping[str, str]) -> Iterator[float]: ...
    def through(self, subject: Subject, config: Mapping[str, str], step: int) -> str: ...


@runtime_checkable
class Measurable(Protocol):
    """What a module of this folder offers whose steps can be run as functions of arrays."""

    def outlines(self, subject: Subject, config: Mapping[str, str]) -> Sequence[LiftedStep]: ...
    def inputs(self, subject: Subject, config: Mapping[str, str], index: int) -> Sequence[str]: ...
    def code(self, subject: Subject, config: Mapping[str, str], index: int) -> Callable[..., Any]: ...


class Runner(Protocol):
    """What a module of this folder offers for functions of (model, x, sigmas)."""

    def names(self) -> tuple[str, ...]: ...
    def subject(self, name: str) -> Subject: ...
    def sampler(self, subject: Subject, config: Mapping[str, str]) -> "Sampler": ...
    def snippet(self, subject: Subject, config: Mapping[str, str]) -> str: ...


class PartsAdapter(Protocol):
    """What a module of this folder offers for schedules, paths and classes with their own tables."""

    def names(self) -> tuple[str, ...]: ...
    def subject(self, name: str) -> Subject: ...
    def parts(self, subject: Subject, config: Mapping[str, str]) -> "Parts": ...


def expand(names: Iterable[str]) -> list[str]:
    """The subjects named: a library stands for all that is read of it, ``all`` for what is installed.

    Raises:
        Unknown: a library is named that cannot be imported.
    """
    found: dict[str, None] = {}
    for name in names:
        libraries = [x for x in ADAPTERS if find_spec(x)] if name == "all" else [name]
        for library in libraries:
            every = _names(library) if library in ADAPTERS else (library,)
            found |= dict.fromkeys(every)
    return list(found)


def left_out(names: Iterable[str]) -> dict[str, str]:
    """What is not read of the libraries that ``names`` stand for, and why."""
    found: dict[str, str] = {}
    for name in names:
        for library in [x for x in ADAPTERS if find_spec(x)] if name == "all" else [name]:
            tell = getattr(adapter(library), "outside", None) if library in ADAPTERS else None
            found |= tell() if tell else {}
    return found


def _names(library: str) -> list[str]:
    """Those of a library; its adapter may know others too."""
    return [name for name in adapter(library).names() if name.partition(".")[0] == library]


def adapter(name: str) -> Adapter:
    """The adapter of the library that ``library.Class`` belongs to.

    Raises:
        Unknown: no adapter reads that library.
    """
    if "/" in name or ":" in name or name.endswith(".py"):
        return importlib.import_module("equiv.subjects.named")
    library = name.partition(".")[0]
    module = find("library", library, ADAPTERS, see=", ".join(ADAPTERS))
    return importlib.import_module(module)


def runner(name: str) -> Runner:
    """The adapter of the library of a function of (model, x, sigmas).

    Raises:
        Unknown: no adapter reads that library.
    """
    return cast("Runner", adapter(name))


def resolve(name: str) -> Subject:
    """The subject of that name, such as ``diffusers.DDIMScheduler``.

    Raises:
        Unknown: there is none; the message names the nearest, or says that the library is not installed.
    """
    return adapter(name).subject(name)


def configurations(subject: Subject) -> tuple[dict[str, str], ...]:
    """Every combination of the values that are checked together, the declared defaults first."""
    defaults = {name: values[0] for name, values in subject.options.items()}
    together = subject.together or (tuple(defaults),)
    alone = [(name,) for name in defaults if not any(name in group for group in together)]
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for group in (*together, *alone):
        for values in itertools.product(*(subject.options[name] for name in group)):
            config = defaults | dict(zip(group, values, strict=True))
            if not any(refused.items() <= config.items() for refused in subject.refused):
                found[tuple(config.values())] = config
    return tuple(found.values())


def configuration(subject: Subject, given: Mapping[str, str]) -> dict[str, str]:
    """The options given, completed by the defaults. Any number of steps from 1 to 1000 is taken.

    Raises:
        Unknown: an option or a value that the subject does not take; the message names the nearest.
    """
    if missing := [f"--{key} ({why})" for key, why in subject.needed.items() if key not in given]:
        raise Unknown(f"{subject.name} does not show all that is needed; say {', and '.join(missing)}")
    every = {**subject.options, **subject.taken, **subject.settings}
    for key, value in given.items():
        known = find("option", key, every, see=", ".join(every))
        counts = key == "steps" and value.isdecimal() and 1 <= int(value) <= 1000
        if known and value not in known and not counts:
            raise Unknown(
                f"{subject.name} takes {key} in {', '.join(known)}, not {value!r}{nearest(value, known)}"
            )
    defaults = {key: values[0] for key, values in subject.options.items()}
    return defaults | {key: value for key, value in given.items() if key in every}
