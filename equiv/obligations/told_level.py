"""The model is told the level that its state has: for data in one point, signal and noise of what it is fed.

If this is refuted, the state and the level told part at the call that is named: the step before it takes
another amount of signal, or leaves another amount of noise, than the level says that follows. A method that
integrates an equation step by step, as Euler and Maruyama do, is not exact on a point, and is not accused.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from equiv.evidence import Conformance, Evidence, Outcome
from equiv.lifting.refusal import Unsupported
from equiv.obligations import Obligation, lifted_run, step_of_family
from equiv.obligations import identities as identity
from equiv.obligations.conformance import undecided
from equiv.obligations.diffusions import DOMAINS, identities
from equiv.obligations.point_mass import excuse, made
from equiv.obligations.probed import probe_point_mass
from equiv.obligations.runs import Owed, hold
from equiv.result import Task
from equiv.subjects.run import LiftedRun

OBLIGATION = Obligation(
    id="told-level",
    title="The model is told the level that its state has",
    families=("function", "diffusion"),
)
SAYS = "z = alpha c + noise of variance sigma^2 at every call, at the alpha and sigma told"


def owes(subject: str, config: Mapping[str, str]) -> bool:
    """What names a method owes that, which says more."""
    return ":" in subject or OBLIGATION.id in identities(subject, config)


def check(task: Task) -> Sequence[Evidence]:
    """Decide it at every call."""
    if known := identities(task.subject, task.config):
        return identity.hold(task, SAYS, known[OBLIGATION.id], DOMAINS)
    found = hold(task, SAYS, _statements, partial(probe_point_mass, task, SAYS, of_sample=False))
    return [_weighed(task, e) for e in found]


def _statements(run: LiftedRun) -> list[Owed]:
    if not run.queries:
        raise Unsupported("it never calls the model, so there is no call at which a level could be told")
    return [owed for state in made(run)[:-1] for owed in state.owed()]


def _weighed(task: Task, found: Evidence) -> Evidence:
    """Whether a failure is one of an integrator; and what is known of a step that fails nothing."""
    if not isinstance(found, Conformance) or found.method != "lifting":
        return found
    run = lifted_run(task.subject, task.config)
    if found.outcome is Outcome.HOLDS:
        return replace(found, found=step_of_family.name(run))
    compared = found.witness.inputs["compared"] if found.witness else ""
    states = [state for state in made(run)[:-1] if compared.endswith(state.name)]
    why = excuse(run, states, compared)
    return undecided(SAYS, why) if why else found
