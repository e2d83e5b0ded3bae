"""A run of a function equals the method it names: what it asks the model at every call, and the sample.

If this is refuted, look at the first call at which the state or the level differs: the step before it has
another coefficient than its paper, or goes to another level than those given to the function.
"""

from collections.abc import Mapping, Sequence

from equiv.evidence import Evidence, Failure
from equiv.lifting.refusal import Unsupported
from equiv.lookup import find
from equiv.obligations import Obligation, lifted_run
from equiv.obligations.conformance import Refused, undecided
from equiv.obligations.methods import ADAPTIVE, METHODS, Method, asked
from equiv.obligations.probed import probe_method
from equiv.obligations.runs import Owed, hold
from equiv.result import Task
from equiv.subjects.run import LiftedRun
from equiv.symbolic.expression import const

OBLIGATION = Obligation(
    id="run-equals-method", title="A run equals the method its function names", families=("function",)
)


def owes(subject: str, config: Mapping[str, str]) -> bool:
    """Whether a method is named: by the function itself, or by the user.

    Raises:
        Unknown: there is no method of that name.
    """
    if "as" in config:
        find("method", config["as"], METHODS, see=", ".join(METHODS))
    return subject in METHODS or subject in ADAPTIVE or "as" in config


def check(task: Task) -> Sequence[Evidence]:
    """Decide it for a configuration, at any levels in their order."""
    if reason := ADAPTIVE.get(task.subject):
        return [_adaptive(task, reason)]
    method = METHODS[task.config.get("as", task.subject)]

    def owed(run: LiftedRun) -> list[Owed]:
        return _statements(method, run, task.config)

    def probe(refused: Refused) -> Evidence:
        return probe_method(task, method, refused)

    return hold(task, method.says, owed, probe)


def _adaptive(task: Task, reason: str) -> Evidence:
    try:
        lifted_run(task.subject, task.config)
    except Unsupported as refusal:
        return Failure(kind="unsupported", reason=f"{reason}: {refusal.reason}", where=refusal.where)
    return undecided(reason, "it was read all the same")


def _statements(method: Method, run: LiftedRun, config: Mapping[str, str]) -> list[Owed]:
    """Everything that is owed, in the order of the run; if the calls are not as many, that alone."""
    found = asked(method, run, config)
    if len(found.queries) != len(run.queries):
        return [Owed("the number of calls", -1, const(len(run.queries)), const(len(found.queries)))]
    fed = [q.fed for q in run.queries]
    return [
        Owed(name, k, got, right, cut=got in fed)
        for k, ((name, got), right) in enumerate(zip(run.results, found.results, strict=True))
    ]
