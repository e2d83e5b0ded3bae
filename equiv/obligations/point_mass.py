"""What a run makes of data in one point, where the model is exact: signal, noise, and from which draws.

Started from z = alpha c + sigma zeta at its first level, whatever it computes is affine in c, in zeta and in
the draws. The model answers with what c is in its prediction, at the level that it is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from equiv.formulas.levels import Level
from equiv.formulas.predictions import FROM_X
from equiv.obligations.runs import Owed
from equiv.subjects.run import LiftedRun
from equiv.subjects.subject import Prediction
from equiv.symbolic import balls
from equiv.symbolic.expression import Expr, const, substitute, symbol

DATA, START = symbol("c"), symbol("zeta", "noise")
ZERO, ONE = const(0), const(1)
AFFINE = "what is affine in"
CLOSER = 2.0**-12  # the share of their distances to which levels are drawn together
LEAST_FALL = 3.0  # of what is of second order, when levels come twice as close; of first order it is 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Made:
    """One of the states that the model is fed, or the sample."""

    name: str
    place: int  # among the results of the run
    whole: Expr
    signal: Expr  # the coefficient of c
    noises: tuple[Expr, ...]  # the coefficients of zeta and of the draws
    level: Level[Expr]  # that it should have
    given: dict[Expr, Expr]  # the inputs of the run

    @property
    def sources(self) -> tuple[Expr, ...]:
        """Zeta and the draws."""
        return (START, *(e for e in self.given if e.param.role == "noise"))

    def owed(self) -> list[Owed]:
        """That it is affine, and has the signal and the noise of its level."""
        variance: Expr = ZERO
        for share in self.noises:
            variance = variance + share * share
        parts = zip((DATA, *self.sources), (self.signal, *self.noises), strict=True)
        affine: Expr = ZERO
        for source, share in parts:
            affine = affine + share * source
        signal = self._inputs(DATA)
        each = tuple(self._inputs(source) for source in self.sources)
        return [
            Owed(f"{AFFINE} {self.name}", self.place, self.whole, affine, (self.given,)),
            Owed(f"the signal in {self.name}", self.place, self.signal, self.level.alpha, (signal,)),
            Owed(
                f"the variance of {self.name}", self.place, variance, self.level.sigma**2, each, squares=True
            ),
        ]

    def _inputs(self, only: Expr) -> dict[Expr, Expr]:
        return {e: _at(value, only, self.sources) for e, value in self.given.items()}


def made(run: LiftedRun) -> list[Made]:
    """The states fed, in their order, and then the sample."""
    first = run.grid.levels(run.listed)[0]
    draws = run.noises
    given: dict[Expr, Expr] = {run.state: first.alpha * DATA + first.sigma * START}
    given |= {draw: draw for draw in draws}
    found = []
    for k, query in enumerate(run.queries):
        level = run.grid.level(query.told)
        found.append(_made(f"the state fed at call {k}", 2 * k + 1, query.fed, level, given, draws))
        given = given | {query.answer: answer(run.prediction, found[-1].whole, level)}
    sample = _made("the sample", len(run.results) - 1, run.output, Level(ONE, ZERO), given, draws)
    return [*found, sample]


def answer(kind: Prediction, z: Expr, level: Level[Expr]) -> Expr:
    """What a model gives back that knows the data."""
    found: Expr = FROM_X[kind.removeprefix("minus ")](z, DATA, level)
    return -found if kind.startswith("minus ") else found


def _made(
    name: str, place: int, e: Expr, level: Level[Expr], given: dict[Expr, Expr], draws: Sequence[Expr]
) -> Made:
    whole, sources = substitute(e, given), (START, *draws)
    return Made(
        name=name,
        place=place,
        whole=whole,
        signal=_at(whole, DATA, sources),
        noises=tuple(_at(whole, source, sources) for source in sources),
        level=level,
        given=given,
    )


def _at(e: Expr, only: Expr, sources: Sequence[Expr]) -> Expr:
    """``e`` where that one is 1 and all others are 0."""
    return substitute(e, {s: ONE if s is only else ZERO for s in (DATA, *sources)})


def excuse(run: LiftedRun, states: Sequence[Made], compared: str) -> str:
    """Why it is no fault that what is compared differs; empty if it is one."""
    if compared.startswith(AFFINE):
        name = compared.removeprefix(f"{AFFINE} ")
        return f"{name} is not affine in the data and the noise, as where a prediction is held between bounds"
    if state := next((s for s in states if is_integrator(run, s)), None):
        return (
            f"{state.name} is off by what vanishes faster than the step: so is a method that integrates the "
            "equation, which owes its own formula; name it with --as"
        )
    return ""


def is_integrator(run: LiftedRun, state: Made) -> bool:
    """Is a state off by no more than second order in the distance of the levels?

    So is that of a method which integrates the equation step by step, and is not exact on a point: it is not
    wrong, and owes its own formula.
    """
    near, nearer = (_defect(run, state, closer) for closer in (CLOSER, CLOSER / 2))
    return near > 0 and near > LEAST_FALL * nearer


def _defect(run: LiftedRun, state: Made, closer: float) -> float:
    """How far signal and variance are off, where the levels are that much closer to the first."""
    share = Fraction(closer)
    listed = [s for s in run.listed if s.op == "symbol"]
    first = run.point[listed[0]]
    point = {s: first + (run.point[s] - first) * share for s in listed}
    total = 0.0
    for owed in state.owed()[1:]:
        off = balls.evaluate(owed.got - owed.expected, point, bits=256)
        total += abs(float(off.mid())) if off.is_finite() else float("inf")
    return total
