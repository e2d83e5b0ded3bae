"""Data in one point come out exactly, from a model that knows them: the last step goes to clean data.

If this is refuted, noise is left in the sample, or the sample is scaled: look at the last step.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from equiv.evidence import Conformance, Evidence, Outcome
from equiv.obligations import Obligation, lifted_run
from equiv.obligations.conformance import undecided
from equiv.obligations.point_mass import excuse, made
from equiv.obligations.probed import probe_point_mass
from equiv.obligations.runs import Owed, hold
from equiv.result import Task
from equiv.subjects.run import LiftedRun

OBLIGATION = Obligation(
    id="exact-on-point-mass", title="Data in one point come out exactly", families=("function",)
)
SAYS = "the sample is c, with no noise, where the model knows that the data are c"


def owes(subject: str, _: Mapping[str, str]) -> bool:
    """What names a method owes that, which says more."""
    return ":" in subject


def check(task: Task) -> Sequence[Evidence]:
    """Decide it for a configuration."""
    found = hold(task, SAYS, _statements, partial(probe_point_mass, task, SAYS, of_sample=True))
    return [_weighed(task, e) for e in found]


def _statements(run: LiftedRun) -> list[Owed]:
    return made(run)[-1].owed()


def _weighed(task: Task, found: Evidence) -> Evidence:
    """An integrator leaves what its last step leaves; what it does before shows whether it is one."""
    if not isinstance(found, Conformance) or found.outcome is not Outcome.FAILS or found.method != "lifting":
        return found
    run = lifted_run(task.subject, task.config | {"steps": "3"})
    compared = found.witness.inputs["compared"] if found.witness else ""
    why = excuse(run, made(run)[1:-1], compared)
    return undecided(SAYS, why) if why else found
