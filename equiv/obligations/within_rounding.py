"""In a narrow type a step differs from its formula by rounding only.

Asked with ``--dtype``. If this is refuted, no rounding explains what the step returns: it is another formula,
at least in this type, such as a table that is kept or a constant that is written in too few digits. If it
holds and the result is still too coarse, look at the operation that is said to lose the most: computing that
one in a wider type helps.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from equiv.evidence import Evidence, Experiment, Failure, Witness
from equiv.lifting.refusal import Unsupported
from equiv.obligations import Obligation, lifted_in
from equiv.obligations.specifications import specification
from equiv.result import Task
from equiv.roundoff import Roundoff, roundoff
from equiv.subjects.subject import AsRead, LiftedStep
from equiv.symbolic import balls
from equiv.symbolic.decision import Domain, Equal, decide
from equiv.symbolic.expression import Expr, const, substitute, text

OBLIGATION = Obligation(
    id="within-rounding",
    title="In a narrow type a step differs from its formula by rounding only",
    narrow=True,
)
LONGEST = 60  # of an expression that is shown


class _Case(NamedTuple):
    """A step as it was run: what it gave, what the formula gives, and what rounding may do."""

    step: LiftedStep
    expected: Expr  # at the point of the reading
    off: Roundoff
    proved: bool  # in exact arithmetic the step is its formula

    @property
    def ratio(self) -> float:
        """Of the distance to the bound."""
        return self.distance(self.expected) / self.off.bound

    def distance(self, expected: Expr) -> float:
        away = balls.evaluate(expected, _point(self.step)) - self.step.got
        return float(abs(away).lower()) if away.is_finite() else math.nan


def check(task: Task) -> Sequence[Evidence]:
    """Run every step in the type, and hold it against its formula and its own roundings."""
    formula = specification(task.subject, task.config)
    try:
        steps = lifted_in(task.subject, task.config, task.dtype)
    except Unsupported as refusal:
        return [Failure(kind="unsupported", reason=str(refusal), where=refusal.where)]
    cases = [case for step in steps if (case := _case(step, formula.step(step)))]
    counted = [c for c in cases if math.isfinite(c.off.bound) and c.off.bound]
    if valueless := next((c for c in counted if not math.isfinite(c.ratio)), None):
        why = f"what step {valueless.step.index} is to give has no finite value"
        return [Experiment(worst=math.nan, bound=1.0, cases=0, measure=why)]
    worst = max(counted, key=lambda c: c.ratio, default=None)
    if worst is None or not all(math.isfinite(c.step.got) for c in counted):
        return [Experiment(worst=math.nan, bound=1.0, cases=0, measure="no step has a finite bound")]
    rejected = {name for name in _VARIANTS if any(_rejects(c, name) for c in counted)}
    surviving = [name for name in _VARIANTS if name not in rejected]
    surviving += [
        f"what step {c.step.index} computes in exact arithmetic, which is not proved to be its formula"
        for c in counted
        if not c.proved and c.ratio <= 1
    ][:1]
    return [
        Experiment(
            worst=worst.ratio,
            bound=1.0,
            cases=len(counted),
            rejected=tuple(n for n in _VARIANTS if n in rejected),
            surviving_variants=tuple(surviving),
            witness=_witness(worst) if worst.ratio > 1 else None,
            measure=_measure(task, counted, len(steps)),
        )
    ]


def _case(step: LiftedStep, right: Expr) -> _Case | None:
    """None where the formula is not proved, and cannot be had from what the step was given alone."""
    read = _read(step)
    taken = [a.relation for a in step.assumptions if a.relation is not None]
    decision = decide(step.output, right, Domain(*step.relations, *taken, at=step.point))
    proved = isinstance(decision, Equal)
    if not proved and read.root is not step.output:
        return None
    off = roundoff(read.root, read.point, read.computed, read.coarsest)
    return _Case(step, read.root if proved else right, off, proved)


def _read(step: LiftedStep) -> AsRead:
    if step.read is None:
        raise ValueError("the step was not read in a type of its own")
    return step.read


def _point(step: LiftedStep) -> dict[Expr, Fraction]:
    """What was given and held; a formula may name a draw that the step did not make."""
    return {**step.point, **_read(step).point}


_VARIANTS: Mapping[str, Callable[[_Case], Expr]] = {
    "the output of the network turned": lambda c: substitute(c.expected, {c.step.network: -c.step.network}),
    "the state left out": lambda c: substitute(c.expected, {c.step.state: const(0)}),
    "a quarter too much": lambda c: c.expected * 5 / 4,
}


def _rejects(case: _Case, variant: str) -> bool:
    return case.distance(_VARIANTS[variant](case)) > case.off.bound


def _witness(case: _Case) -> Witness:
    step, point = case.step, _point(case.step)
    schedule: Mapping[str, str] = {
        f"{s.param} = {name}": repr(float(step.point[s])) for s, name in step.schedule.items()
    }
    own = {"z": step.state, "net": step.network}
    values = {name: repr(float(point[e])) for name, e in own.items()}
    return Witness(
        inputs={"step": str(step.index), "timestep": repr(step.timestep), **schedule, **values},
        expected=balls.show(balls.evaluate(case.expected, point)),
        got=f"{step.got:.12g}",
        bound=f"{case.off.bound:.1e}",
    )


def _measure(task: Task, cases: Sequence[_Case], steps: int) -> str:
    """What was measured, and what loses the most."""
    said = f"a step in {task.dtype} against its formula, in units of the bound derived from its own roundings"
    coarsest = max(cases, key=lambda c: c.off.bound)
    if (most := coarsest.off.most) is not None:
        shown = text(most)
        shown = shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 3]}..."
        where = _read(coarsest.step).origins.get(most, "").rpartition("/site-packages/")[2]
        said += (
            f"; the widest bound is {coarsest.off.bound:.1e}, at step {coarsest.step.index}, and "
            f"{coarsest.off.share:.0%} of it is lost in {shown}{f', at {where}' if where else ''}"
        )
    if len(cases) < steps:
        said += f"; {steps - len(cases)} more steps have no bound"
    return said
