"""A step arrives at the level that the scheduler lists next.

Held on data that is a single point, where the network's output is known exactly: the result must then be
``alpha_s x + sigma_s * noise`` at the listed level, whatever the method. If this is refuted, the scheduler
computes the next level for itself (a stride through the training steps, say) instead of reading its own
list.
"""

from collections.abc import Sequence
from fractions import Fraction

from equiv.evidence import Evidence
from equiv.obligations import Obligation
from equiv.obligations.networks import output_for, output_on_a_point
from equiv.obligations.specifications import CLIP_RANGE, Specification, specification
from equiv.obligations.specifications.specification import itself
from equiv.obligations.steps import Owed, hold, inputs
from equiv.result import Task
from equiv.subjects.subject import LiftedStep
from equiv.symbolic.expression import Expr, Relation, const, substitute, symbol

OBLIGATION = Obligation(id="next-level-is-listed", title="The next level is the one listed next")
SAYS = "data at one point x: z_t = alpha_t x + sigma_t e goes to alpha_s x + sigma_s e', e' standard normal"
NAMED = (
    "data at one point x: z_t = alpha_t x + sigma_t e goes to alpha_s x, and gets noise of the named variance"
)
X, E = symbol("x"), symbol("e", "noise")
ZERO, ONE = const(0), const(1)


def check(task: Task) -> Sequence[Evidence]:
    """The mean and the variance of the result, and that it is linear in x and the noises."""
    formula = specification(task.subject, task.config)
    clips = task.config.get("clip_sample") == "True"
    inside = (Relation(-CLIP_RANGE, "<", X), Relation(X, "<", CLIP_RANGE)) if clips else ()

    def owed(step: LiftedStep) -> list[Owed]:
        given = _on_a_point(step, formula)
        result, drawn = substitute(step.output, given), step.noise

        def at(what: Expr, x: Expr, e: Expr, n: Expr) -> Expr:
            return substitute(what, {X: x, E: e, drawn: n})

        def run(*values: Expr) -> dict[str, Expr]:
            used = inputs(step, step.output).items()
            return {name: at(given.get(e, e), *values) for name, e in used}

        mean, from_state = at(result, X, ZERO, ZERO), at(result, ZERO, ONE, ZERO)
        from_draw = at(result, ZERO, ZERO, ONE)
        missing = step.then.sigma * step.then.sigma - from_state * from_state
        added = formula.variance(step, missing)
        hypotheses = {X: Fraction(1, 2), E: Fraction(1)}
        # what is folded up is a state too, which the steps to come rest on
        kept = [substitute(e, given) for e in step.kept.values()]
        return [
            *(Owed(e, given[step.state], (), inside, hypotheses) for e in kept),
            Owed(mean, step.then.alpha * X, (run(X, ZERO, ZERO),), inside, hypotheses),
            Owed(
                from_state * from_state + from_draw * from_draw,
                from_state * from_state + added,
                (run(ZERO, ONE, ZERO), run(ZERO, ZERO, ONE)),
                inside,
                hypotheses,
            ),
            Owed(result, mean + from_state * E + from_draw * drawn, (run(X, E, drawn),), inside, hypotheses),
        ]

    return hold(task, NAMED if formula.own_variance else SAYS, owed)


def _on_a_point(step: LiftedStep, formula: Specification) -> dict[Expr, Expr]:
    """The inputs of all calls where the data are the point x and all states have the same noise."""
    given: dict[Expr, Expr] = {}
    for call in (step, *step.earlier):
        state = call.now.alpha * X + call.now.sigma * E
        given[call.state] = state
        output = output_on_a_point(call, X, E)
        if formula.own_x is not itself:
            output = substitute(output_for(call, formula.own_x(call, X)), {call.state: state})
        given[call.network] = output
    for variable in step.folded:  # a state at the level of the call before
        given[variable] = given[step.earlier[0].state]
    return given
