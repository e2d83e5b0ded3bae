"""Holds parts of a library against the formulas that they should be; a witness is shown by the library."""

import itertools
from collections.abc import Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple, cast

from equiv.evidence import Condition, Conformance, Evidence, Failure, Outcome, Witness
from equiv.lifting.branches import of_schedule
from equiv.lifting.refusal import Unsupported
from equiv.obligations.conformance import beyond_rounding, condition, contradicted, undecided
from equiv.result import Task
from equiv.subjects import parts as reading
from equiv.subjects.parts import PER_STEP, SHAPE, Inputs, Part, Parts, step_of, variable
from equiv.subjects.subject import PartsAdapter, adapter, resolve
from equiv.symbolic import balls
from equiv.symbolic.decision import Contradiction, Decision, Different, Domain, Equal, Undecided, decide
from equiv.symbolic.expression import Expr, Relation, postorder, substitute, symbol, symbols, text


class Identity(NamedTuple):
    """A part equals ``expected``, where its inputs are what ``inputs`` says, or themselves."""

    part: str
    expected: Expr
    inputs: Mapping[Expr, Expr] = MappingProxyType({})


def parts_of(task: Task) -> Parts:
    """What the subject offers."""
    return cast("PartsAdapter", adapter(task.subject)).parts(resolve(task.subject), task.config)


def hold(task: Task, says: str, owed: Sequence[Identity], domain: tuple[Relation, ...]) -> list[Evidence]:
    """Decide all that is owed; the first that fails is shown."""
    offered = parts_of(task)
    conditions: dict[Condition, None] = {}
    held, open_ = 0, list[Evidence]()
    for identity in owed:
        try:
            part = reading.lift(offered, identity.part)
            for a in part.assumptions:
                if a.relation is not None:
                    of_schedule(a.relation)
        except Unsupported as refusal:
            reason = f"{identity.part}: {refusal.reason}"
            open_.append(Failure(kind="unsupported", reason=reason, where=refusal.where))
            continue
        within = _within(part, identity, domain)
        decision = _decide(part, identity, within)
        if not isinstance(decision, Equal):
            against = _against(says, offered, part, identity, decision, within)
            if any(e.outcome is Outcome.FAILS for e in against):
                return against
            open_ += against
            continue
        held += 1
        conditions |= dict.fromkeys(decision.conditions)
        conditions |= dict.fromkeys(condition(within, a) for a in part.assumptions)
    if open_:
        return open_[:1]
    counted = f"run on a state of shape {' x '.join(map(str, SHAPE))}"
    conditions[Condition(text=counted, kind="step counts")] = None
    return [Conformance(method="lifting", steps=held, expected=says, conditions=tuple(conditions))]


def _within(part: Part, identity: Identity, domain: tuple[Relation, ...]) -> tuple[Relation, ...]:
    """The relations that speak of what is compared alone."""
    used = {*part.point, *symbols(identity.expected, *identity.inputs.values())}
    return tuple(r for r in domain if used.issuperset(symbols(r.left, r.right)))


def _decide(part: Part, identity: Identity, relations: tuple[Relation, ...]) -> Decision:
    got = substitute(part.e, dict(identity.inputs))
    taken = [a.relation for a in part.assumptions if a.relation is not None]
    used = [s for s in symbols(got, identity.expected) if s not in part.point]
    domain = Domain(*relations, *taken, at={**part.point, **{s: _value(s) for s in used}})
    decision = decide(got, identity.expected, domain)
    if isinstance(decision, Undecided) and (aligned := _aligned(got, identity.expected, domain)):
        return aligned
    return decision


_BOUNDS = ("max", "min")


def _aligned(got: Expr, expected: Expr, domain: Domain) -> Equal | None:
    """Equal if the sides are, with what they hold between the same bounds taken for any number."""
    conditions: dict[Condition, None] = {}
    for k in itertools.count():
        left, right = (_innermost(e) for e in (got, expected))
        if left is None or right is None or left.op != right.op:
            break
        for a, b in zip(left.args, right.args, strict=True):
            decision = decide(a, b, domain)
            if not isinstance(decision, Equal):
                return None
            conditions |= dict.fromkeys(decision.conditions)
        held = symbol(f"held_{k}")
        got, expected = substitute(got, {left: held}), substitute(expected, {right: held})
        domain = Domain(*domain.relations, at={**domain.at, held: Fraction(1, 3)})
    if not conditions:
        return None
    decision = decide(got, expected, domain)
    if not isinstance(decision, Equal):
        return None
    return Equal((*decision.conditions, *conditions), decision.assumed)


def _innermost(e: Expr) -> Expr | None:
    """The first bound that is met of something that is no part of the schedule."""
    for part in postorder(e):
        if part.op in _BOUNDS and any(s.param.role != "schedule" for s in symbols(part)):
            return part
    return None


def _value(s: Expr) -> Fraction:
    """Of a symbol that a part does not have: of a schedule, its first number; else any."""
    if (name := s.param.name) in reading.PER_SAMPLE:
        return Fraction(reading.PER_SAMPLE[name][0])
    stem, _, k = name.rpartition("_")
    return Fraction(PER_STEP[stem][int(k)]) if stem in PER_STEP else Fraction(3, 4)


def _against(
    says: str,
    offered: Parts,
    part: Part,
    identity: Identity,
    decision: Decision,
    domain: tuple[Relation, ...],
) -> list[Evidence]:
    match decision:
        case Different():
            return [_refuted(says, offered, part, identity, domain)]
        case Contradiction():
            return contradicted(says, decision)
        case Undecided(reason=reason):
            return [undecided(says, f"{identity.part}: {reason}")]
    raise TypeError(decision)


def _refuted(
    says: str, offered: Parts, part: Part, identity: Identity, domain: tuple[Relation, ...]
) -> Conformance:
    """A witness, shown by the library alone."""
    got, expected = substitute(part.e, dict(identity.inputs)), identity.expected
    point = beyond_rounding(got, expected, 4 * offered.unit, domain)
    if point is None:
        return undecided(
            says, f"{identity.part}: the formulas differ, but not beyond the rounding of the code"
        )
    given = offered.expressions[identity.part].given.split()
    point = {**{s: _value(s) for n in given for s in _symbols_of(n, identity)}, **point}
    inputs = Inputs(
        {n: _number(identity, variable(n), point) for n in given if n not in PER_STEP},
        {n: [float(point[step_of(n, k)]) for k in range(len(PER_STEP[n]))] for n in given if n in PER_STEP},
        [float(point.get(n, 0)) for n in part.noises],
    )
    answer = reading.run_alone(offered, identity.part, inputs)
    read = balls.evaluate(got, point, rounding=4 * offered.unit)
    shown = {n: repr(v) for group in inputs[:2] for n, v in group.items()}
    shown |= {text(n): repr(v) for n, v in zip(part.noises, inputs.noise, strict=True)}
    return Conformance(
        method="lifting",
        steps=1,
        expected=says,
        witness=Witness(
            inputs={"compared": identity.part, **shown},
            expected=balls.show(balls.evaluate(expected, point)),
            got=f"{answer:.12g}",
            bound=f"{float(read.rad()):.1e}",
        ),
        reproduced=bool(read.contains(answer)),
        where=_where(part),
        snippet=reading.snippet(offered, identity.part, inputs),
    )


def _symbols_of(name: str, identity: Identity) -> list[Expr]:
    if name in PER_STEP:
        return [step_of(name, k) for k in range(len(PER_STEP[name]))]
    return symbols(identity.inputs.get(variable(name), variable(name)))


def _number(identity: Identity, s: Expr, point: Mapping[Expr, Fraction]) -> float:
    return float(balls.evaluate(identity.inputs.get(s, s), point, bits=64).mid())


def _where(part: Part) -> str:
    return next((part.origins[e] for e in reversed(list(postorder(part.e))) if e in part.origins), "")
