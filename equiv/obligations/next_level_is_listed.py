"""A step arrives at the level that the scheduler lists next.

Held on data that is a single point, where the network's output is known exactly: the result must then be
``alpha_s x + sigma_s * noise`` at the listed level, whatever the method. If this is refuted, the scheduler
computes the next level for itself (a stride through the training steps, say) instead of reading its own
list.
"""

from collections.abc import Sequence
from fractions import Fraction

from equiv.evidence import Evidence
from equiv.number import maximum
from equiv.obligations import Obligation
from equiv.obligations.specifications import CLIP_RANGE, SPECIFICATIONS, noise
from equiv.obligations.steps import Owed, hold, output_for, replaced
from equiv.result import Task
from equiv.subjects.subject import LiftedStep, resolve
from equiv.symbolic.expression import Expr, Relation, const, substitute, symbol

OBLIGATION = Obligation(id="next-level-is-listed", title="The next level is the one listed next")
SAYS = "data at one point x: z_t = alpha_t x + sigma_t e goes to alpha_s x + sigma_s e', e' standard normal"


def check(task: Task) -> Sequence[Evidence]:
    """The mean and the variance of the result, and that it is linear in x and the noises."""
    gauge, floor = resolve(task.subject).gauge, SPECIFICATIONS[task.subject].least_variance
    x, e = symbol("x"), symbol("e", "noise")
    zero, one = const(0), const(1)
    clips = task.config.get("clip_sample") == "True"
    inside = (Relation(-CLIP_RANGE, "<", x), Relation(x, "<", CLIP_RANGE)) if clips else ()

    def owed(step: LiftedStep) -> list[Owed]:
        state = step.now.alpha * x + step.now.sigma * e
        output = substitute(output_for(step, gauge, x), {step.state: state})
        result, drawn = replaced(step, state, output), noise(step)

        def at(what: Expr, x_is: Expr, e_is: Expr, draw_is: Expr) -> Expr:
            return substitute(what, {x: x_is, e: e_is, drawn: draw_is})

        def run(*values: Expr) -> dict[str, Expr]:
            return {
                "z": at(state, *values),
                "net": at(output, *values),
                "n": at(drawn, *values),
            }

        mean, from_state = at(result, x, zero, zero), at(result, zero, one, zero)
        from_draw = at(result, zero, zero, one)
        added = step.then.sigma * step.then.sigma - from_state * from_state
        if floor is not None and step.timestep != 0:
            added = maximum(added, floor)
        runs = (run(zero, one, zero), run(zero, zero, one))
        hypotheses = {x: Fraction(1, 2), e: Fraction(1)}
        return [
            Owed(mean, step.then.alpha * x, (run(x, zero, zero),), inside, hypotheses),
            Owed(
                from_state * from_state + from_draw * from_draw,
                from_state * from_state + added,
                runs,
                inside,
                hypotheses,
            ),
            Owed(result, mean + from_state * e + from_draw * drawn, (run(x, e, drawn),), inside, hypotheses),
        ]

    return hold(task, SAYS, owed)
