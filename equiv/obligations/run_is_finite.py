"""A run gives numbers: for one step and for several, on levels that end at clean data.

If this is refuted, look for what is divided by sigma, or whose logarithm is taken, at the last level, and for
what only a second step sets.
"""

import itertools
import math
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from equiv.evidence import Condition, Conformance, Evidence, Witness
from equiv.lifting.refusal import Unsupported
from equiv.obligations import Obligation
from equiv.obligations.conformance import DELIBERATE, raising
from equiv.obligations.runs import snippet
from equiv.result import Task
from equiv.subjects.run import grid, run_alone
from equiv.subjects.subject import resolve, runner

OBLIGATION = Obligation(id="run-is-finite", title="A run gives numbers", families=("function",))
SAYS = "what the model is fed, and the sample, are numbers"
SIZES = (0.0, 1.0, -3.0, 2.0**10)


def owes(subject: str, _: Mapping[str, str]) -> bool:
    """What names a method owes that, which says more."""
    return ":" in subject


def check(task: Task) -> Sequence[Evidence]:
    """Run it alone, on states, outputs and draws of several sizes."""
    subject = resolve(task.subject)
    sampler = runner(task.subject).sampler(subject, task.config)
    listed = grid(subject, task.config)
    values = listed.values(int(task.config["steps"]))
    held = Conformance(method="probing", steps=len(values) - 1, expected=SAYS)
    cases = list(itertools.product(SIZES, repeat=2))
    for state, answer in cases:
        answers, noise = [answer] * (4 * len(values)), [0.5] * (4 * len(values))
        shown = snippet(task, values, state, answers, noise)
        inputs = {"state": repr(state), "answers": repr(answer), "draws": "0.5"}
        try:
            got = run_alone(sampler, values, state, answers, noise)
        except (Unsupported, *DELIBERATE):
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no number
            return [raising(SAYS, error, len(values) - 1, inputs, shown)]
        if strange := [v for v in got if not math.isfinite(v)]:
            witness = Witness(inputs=inputs, expected="a number", got=repr(strange[0]))
            return [replace(held, witness=witness, reproduced=True, snippet=shown)]
    seen = f"seen on {len(cases)} inputs of sizes 0 to {max(SIZES):g}, in float64"
    return [replace(held, conditions=(Condition(text=seen, kind="hypothesis"),))]
