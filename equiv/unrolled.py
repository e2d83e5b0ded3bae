r"""A whole sampler on symbolic levels: what it tells and feeds the network at every call, and its sample.

The levels are falling noise ratios :math:`r_0 > r_1 > \dots`, the last step goes to clean data. What a
library calls its levels is written in these ratios, the state in the gauge :math:`z/\alpha`, the network's
outputs as data predictions: so what is read no longer shows gauge, time or prediction type.
"""

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

import msgspec

from equiv.fingerprint import Fingerprint, Rows
from equiv.formulas.levels import Level, noise_ratio
from equiv.formulas.predictions import FROM_X
from equiv.number import sqrt
from equiv.obligations.networks import network_level
from equiv.subjects.run import LiftedRun
from equiv.subjects.subject import Assumed, Call, LiftedStep
from equiv.symbolic import balls
from equiv.symbolic.affine import Form, NotAffine, affine, scaled, substituted
from equiv.symbolic.decision import Domain, Equal, decide
from equiv.symbolic.expression import Expr, Relation, const, postorder, substitute, symbol, symbols, text
from equiv.symbolic.simplified import Simplifier

ZERO, ONE = const(0), const(1)
START = symbol("zeta")
TABLE = 2.0**-20  # what entries computed of other entries in float32 may be off by, relatively
_POINT = "53/7 31/9 17/11 12/19 5/23 3/41 1/37 1/83 1/211 1/499 1/1009 1/2003 1/5003 1/9001".split()
MOST_LEVELS = len(_POINT) - 1

Denoise = Callable[[Expr, Level[Expr]], Expr]
Method = Callable[[Expr, list[Level[Expr]], Denoise, Callable[[], Expr]], Expr]
"""A formula for a whole sampler: of a state, the levels, a network and draws."""


TAKEN = "that what a network is told stands for the level listed, and that draws are independent"


class Outside(Exception):
    """The sampler is not one that a fingerprint describes; the text says why."""


class Unrolled(msgspec.Struct, frozen=True, kw_only=True):
    """The matrices of a sampler on so many levels above the end, and what reading them rests on."""

    fingerprint: Fingerprint
    levels: int
    clean: bool = True  # is the end clean data? Else it is one more level
    conditions: tuple[Relation, ...] = ()
    said: tuple[str, ...] = ()

    @property
    def domain(self) -> Domain:
        """Where it is compared."""
        return common_grid(self.levels + (not self.clean))


def ratio(i: int) -> Expr:
    """The noise ratio of level ``i`` of the common grid."""
    return symbol(f"r_{i}", "schedule", positive=True)


def common_grid(levels: int) -> Domain:
    """Falling ratios, with a point that has nothing special about it."""
    falling = [Relation(low, "<", high) for high, low in pairwise(map(ratio, range(levels)))]
    return Domain(*falling, at={ratio(i): Fraction(_POINT[i]) for i in range(levels)})


# --- formulas and functions -------------------------------------------------------------------------------


def of_method(method: Method, levels: int) -> Unrolled:
    """The matrices of a formula."""
    asked: list[tuple[Expr, Expr]] = []
    answers: list[Expr] = []
    drawn: list[Expr] = []

    def denoise(z: Expr, level: Level[Expr]) -> Expr:
        asked.append((level.sigma / level.alpha, z / level.alpha))
        answers.append(symbol(f"x_hat_{len(answers)}", "network"))
        return answers[-1]

    def draw() -> Expr:
        drawn.append(symbol(f"n_{len(drawn)}", "noise"))
        return drawn[-1]

    grid = [Level(ONE, ratio(i)) for i in range(levels)]
    sample = method(START, grid, denoise, draw)
    inputs = (START, *answers, *drawn)
    rows = tuple(affine(e, inputs) for e in (*(z for _, z in asked), sample))
    read = Rows(told=tuple(r for r, _ in asked), start=START, answers=tuple(answers), rows=rows)
    return Unrolled(fingerprint=read.fingerprint(), levels=levels)


def of_run(run: LiftedRun) -> Unrolled:
    """The matrices of a function's run, whose first level has signal.

    Raises:
        Outside: it is not affine in its state, the network's outputs and the noise.
    """
    if strange := next((n for n in run.noises if not n.param.name.startswith("n")), None):
        raise Outside(f"it draws {strange}, which is not normal")
    listed = [s for s in run.listed if s.op != "const"]
    ours = {s: _solved(run.grid.level(s), s, ratio(i)) for i, s in enumerate(listed)}
    taken = _branches(run.assumptions, ours)
    domain = Domain(*run.relations, at={s: run.point[s] for s in listed})
    inputs = {run.state, *run.noises, *run.answers}
    start = substitute(run.grid.level(run.listed[0]).alpha, ours)
    meant: dict[Expr, Form] = {run.state: {START: start}}

    def form(e: Expr) -> Form:
        found = _linear(e, inputs, domain, run.origins, taken, ours)
        return substituted({k: substitute(c, ours) for k, c in found.items()}, meant)

    rows, told, answers = list[Form](), list[Expr](), list[Expr]()
    for k, query in enumerate(run.queries):
        level = Level(*(substitute(e, ours) for e in run.grid.level(query.told)))
        fed = form(query.fed)
        answers.append(symbol(f"x_hat_{k}", "network"))
        meant[query.answer] = _output(run.prediction, fed, {answers[-1]: ONE}, level)
        rows.append(fed if level.alpha is ONE else scaled(fed, 1 / level.alpha))
        told.append(level.sigma if level.alpha is ONE else noise_ratio(level))
    rows.append(form(run.output))
    read = Rows(told=tuple(told), start=START, answers=tuple(answers), rows=tuple(rows))
    return Unrolled(fingerprint=read.fingerprint(), levels=len(listed), conditions=tuple(taken))


def _branches(assumptions: Iterable[Assumed], ours: dict[Expr, Expr]) -> list[Relation]:
    """The branches taken, on our levels.

    Raises:
        Outside: a number was taken of the schedule: what follows is known of its levels alone.
    """
    found: list[Relation] = []
    for a in assumptions:
        if a.condition.kind in _OF_THE_RUN:
            continue
        if a.condition.kind != "branch" or a.relation is None:
            raise Outside(f"known at its own levels alone: {a.condition.kind}, {a.condition.text[:80]}")
        relation = a.relation
        left, right = (substitute(side, ours) for side in (relation.left, relation.right))
        found.append(Relation(left, relation.op, right))
    return found


# that entries of one value are one level, which they are on a grid of ours; on which machine it was run
_OF_THE_RUN = ("hypothesis", "library setting")


def _linear(
    e: Expr,
    inputs: set[Expr],
    domain: Domain,
    origins: Mapping[Expr, str],
    taken: list[Relation],
    ours: dict[Expr, Expr],
) -> Form:
    """The form of ``e``, that has no constant; what that rests on is added to ``taken``."""
    try:
        found = affine(e, inputs)
    except NotAffine as why:
        around = (p for p in postorder(e) if p in origins and why.operation in set(postorder(p)))
        where = within_library(next((origins[p] for p in around), ""))
        raise Outside(f"{why}{f' ({where})' if where else ''}") from None
    constant = found.pop(ONE, ZERO)
    if constant is not ZERO:
        decision = decide(constant, ZERO, domain)
        if not isinstance(decision, Equal):
            number = balls.evaluate(constant, domain.at).is_finite()
            raise Outside("it adds a constant to the state" if number else "a step has no finite value")
        taken += [
            Relation(substitute(r.left, ours), r.op, substitute(r.right, ours)) for r in decision.assumed
        ]
    return found


def within_library(text: str) -> str:
    """Without what a path has of the machine."""
    return re.sub(r"\S*/site-packages/", "", text)


def _output(prediction: str, fed: Form, x: Form, level: Level[Expr], unit: Expr = ONE) -> Form:
    """What the network gives back if its data prediction is ``x``, for what it is fed at a level."""
    z, x_hat = symbol("fed"), symbol("x_hat", "network")
    said = FROM_X[prediction.removeprefix("minus ")](z, x_hat if unit is ONE else x_hat / unit, level)
    turned = -said if prediction.startswith("minus ") else said
    return substituted(affine(turned, (z, x_hat)), {z: fed, x_hat: x})


# --- schedulers -----------------------------------------------------------------------------------------

OwnX = Callable[[Call, Expr], Expr]


def of_steps(steps: Sequence[LiftedStep], own_x: OwnX = lambda _call, x: x) -> Unrolled:
    """The matrices of a scheduler's steps, on the levels that it lists.

    A first level without signal has no noise ratio: the sampler is read from the next on. An end that is not
    clean is moved there, if the formula has a value there.

    Args:
        own_x: the data prediction with which the class has another, of its own, which is what is read.

    Raises:
        Outside: a step is not affine, or uses levels that are not listed.
    """
    live = steps[_start(steps) :]
    if live[-1].then.sigma is ZERO:
        return _Unroller(live, own_x, clean=True).unrolled()
    moved = _Unroller(live, own_x, clean=True).unrolled()
    if all(_has_value(e, moved.domain) for e in moved.fingerprint.outputs[-1]):
        return msgspec.structs.replace(moved, said=(*moved.said, "its last level is moved to the clean end"))
    return _Unroller(live, own_x, clean=False).unrolled()


def _has_value(e: Expr, domain: Domain) -> bool:
    if balls.evaluate(e, domain.at).is_finite():
        return True
    return bool(balls.evaluate(Simplifier(domain.relations, domain.at).of(e), domain.at).is_finite())


def _start(steps: Sequence[LiftedStep]) -> int:
    """The first call with signal from which on nothing rests on the calls before."""
    silent = next(i for i, step in enumerate(steps) if step.now.alpha is not ZERO)
    for first in range(silent, min(silent + 4, len(steps))):
        if all(_looks_back(step) <= j for j, step in enumerate(steps[first:])):
            return first
    raise Outside("it starts where there is no signal, and later steps rest on that")


def _looks_back(step: LiftedStep) -> int:
    """How many calls back a step looks."""
    used = set(symbols(step.output, step.fed, *step.kept.values()))
    calls = [(call.state, call.network, call.noise) for call in step.earlier]
    return max((back for back, inputs in enumerate(calls, 1) if used.intersection(inputs)), default=0)


class _Unroller:
    """Writes each step in the start, the data predictions and the draws, in their order."""

    def __init__(self, steps: Sequence[LiftedStep], own_x: OwnX, *, clean: bool) -> None:
        self.steps, self.own_x = steps, own_x
        self.grid = _Grid(steps, clean=clean)
        self.taken: list[Relation] = []
        self.one_value: dict[str, None] = {}  # what is said of entries that have one value
        self.answers = [symbol(f"x_hat_{j}", "network") for j in range(len(steps))]
        self.draws: list[Form] = [{symbol(f"n_{j}", "noise"): ONE} for j in range(len(steps))]
        self.states: list[Form] = []
        self.outputs: list[Form] = []
        self.folded: dict[Expr, Form] = {}

    def unrolled(self) -> Unrolled:
        first, last = self.steps[0], self.steps[-1]
        self.states.append({START: substitute(first.now.alpha, self.grid.values(first))})
        rows, told = list[Form](), list[Expr]()
        for step in self.steps:
            values = self.grid.values(step)
            _, level = network_level(step)
            alpha, sigma = (substitute(e, values) for e in level)
            fed = self._written(step, step.fed, values)
            x = self._written(step, self.own_x(step, _X), values)
            x_hat = substituted(x, {_X: {self.answers[len(rows)]: ONE}})
            self.outputs.append(_output(step.prediction, fed, x_hat, Level(alpha, sigma), step.unit))
            result = self._written(step, step.output, values)
            self.folded = {symbol(name): self._written(step, e, values) for name, e in step.kept.items()}
            self.states.append(result)
            rows.append(scaled(fed, step.unit / alpha))
            told.append(self.grid.ratio_of(step.now, step))
            self.taken += _branches(step.assumptions, values)
            self.one_value |= {a.text: None for a in step.assumptions if a.condition.kind == "hypothesis"}
        end = substitute(last.then.alpha, self.grid.values(last))
        rows.append(self.states[-1] if end is ONE else scaled(self.states[-1], 1 / end))
        read = Rows(told=tuple(told), start=START, answers=tuple(self.answers), rows=tuple(rows))
        return Unrolled(
            fingerprint=read.fingerprint(),
            levels=self.grid.levels,
            clean=self.grid.clean,
            conditions=tuple(dict.fromkeys(self.taken)),
            said=(*self.grid.said, *self.one_value),
        )

    def _written(self, step: LiftedStep, e: Expr, values: dict[Expr, Expr]) -> Form:
        """A part of the step being read."""
        meant = self._meant(step)
        names = {_X, step.state, step.network, step.noise, *step.folded}
        names |= {s for call in step.earlier for s in (call.state, call.network, call.noise)}
        if strangers := [s for s in symbols(e) if s not in names and s not in values]:
            raise Outside(
                f"a step uses {step.schedule.get(strangers[0], text(strangers[0]))}, a level not listed"
            )
        domain = Domain(*step.relations, at=step.point)
        found = _linear(e, names, domain, step.origins, self.taken, values)
        return substituted({k: substitute(c, values) for k, c in found.items()}, meant)

    def _meant(self, step: LiftedStep) -> dict[Expr, Form]:
        """The inputs of a step and of the calls before."""
        j = len(self.states) - 1
        found = {step.state: self.states[j], step.noise: self.draws[j], **self.folded}
        if len(self.outputs) > j:
            found[step.network] = self.outputs[j]
        for i, call in zip(range(j - 1, -1, -1), step.earlier, strict=False):
            found |= {call.state: self.states[i], call.network: self.outputs[i], call.noise: self.draws[i]}
        return found


_X = symbol("x", "network")


class _Grid:
    """Which level of the common grid each listed level is."""

    def __init__(self, steps: Sequence[LiftedStep], *, clean: bool) -> None:
        self.clean = clean
        self.said: dict[str, None] = {}
        listed = [_value(s.now, s) for s in steps if not _is_between(s.now, s)]
        self._order = sorted(set(listed), reverse=True)
        self.levels = len(self._order)
        if self.levels > MOST_LEVELS:
            raise Outside(f"{self.levels} levels are more than the {MOST_LEVELS} of a common grid")
        self._end = _value(steps[-1].then, steps[-1])
        if listed != sorted(listed, reverse=True) or self._end > self._order[-1]:
            raise Outside("its levels do not fall from the noise to the data")
        if self._end in self._order:
            raise Outside("it ends at the level of its last call, not with a step to the clean end")

    def values(self, step: LiftedStep) -> dict[Expr, Expr]:
        """The schedule's symbols in a step, in our ratios."""
        found: dict[Expr, Expr] = {}
        for level in (step.now, step.then, *(call.now for call in step.earlier[: step.memory])):
            for s in symbols(*level):
                if s not in found and (r := self._ratio(level, step)) is not None:
                    found[s] = _solved(level, s, r)
        return found

    def ratio_of(self, level: Level[Expr], step: LiftedStep) -> Expr:
        found = self._ratio(level, step)
        if found is None:
            raise Outside("a call is at a level that is not listed")
        return found

    def _ratio(self, level: Level[Expr], step: LiftedStep) -> Expr | None:
        value = _value(level, step)
        if value in self._order:
            return ratio(self._order.index(value))
        if value == self._end:
            return ZERO if self.clean else ratio(self.levels)
        lower = next((i for i, v in enumerate(self._order) if v < value), 0)
        if not _is_between(level, step) or lower == 0:
            return None
        high, low = self._order[lower - 1], self._order[lower]
        if not abs(value * value / (high * low) - 1) < TABLE:
            raise Outside("a level between two of the list is not their geometric mean")
        self.said["the sigmas between are geometric means, as they are to the rounding of the table"] = None
        return sqrt(ratio(lower - 1) * ratio(lower))


def _is_between(level: Level[Expr], step: LiftedStep) -> bool:
    return any(step.schedule.get(s, "").startswith("sigmas_interpol") for s in symbols(*level))


def _value(level: Level[Expr], step: LiftedStep) -> float:
    """The noise ratio on the library's own schedule, by which levels are told apart."""
    alpha, sigma = (balls.evaluate(e, step.point) for e in level)
    return float((sigma / alpha).mid())


@functools.lru_cache(maxsize=1024)
def _solved(level: Level[Expr], s: Expr, r: Expr) -> Expr:
    """What a schedule's symbol is if the level has the noise ratio ``r``: as can be proved."""
    general = symbol("r", "schedule", positive=True)
    square = general * general
    for candidate in (
        general,
        1 / (1 + square),
        1 / sqrt(1 + square),
        general / (1 + general),
        1 / (1 + general),
    ):
        given = substitute(noise_ratio(level), {s: candidate})
        if isinstance(decide(given, general, Domain()), Equal):
            found = substitute(candidate, {general: r})
            return {ONE / (ONE + ZERO * ZERO): ONE, ZERO / (ONE + ZERO): ZERO}.get(found, found)
    raise Outside(f"what {text(s)} is at a given noise ratio was not found")
