"""The time of a signal-to-noise ratio is the one that has it.

If this is refuted, a change of schedule takes the model to the wrong time.
"""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from equiv.evidence import Condition, Conformance, Evidence
from equiv.obligations import Obligation
from equiv.obligations.identities import Identity, hold
from equiv.obligations.schedules import INSIDE, SCHEDULES, SNR, T, level
from equiv.result import Task
from equiv.symbolic.expression import PI, node

OBLIGATION = Obligation(
    id="snr-inverse", title="The time of a signal-to-noise ratio is the one that has it", families=("path",)
)
SAYS = "the time found for alpha / sigma at t is t"

TRIGONOMETRIC = ("flow_matching.CosineScheduler",)  # alpha / sigma is the tangent of pi t / 2
_INVERSE = Condition(text="atan(tan(pi t / 2)) = pi t / 2 for t in (0, 1)", kind="cited theorem")


def owes(subject: str, _: Mapping[str, str]) -> bool:
    """Whether it is a schedule that has them."""
    return subject in SCHEDULES


def check(task: Task) -> Sequence[Evidence]:
    """Decide it at any time inside (0, 1)."""
    alpha, sigma = level(task.subject, task.config)
    meant = {SNR: alpha / sigma}
    if task.subject in TRIGONOMETRIC:
        meant[node("call", SNR, param=("atan",))] = PI * T / 2
    return [_with(task, e) for e in hold(task, SAYS, [Identity("t from snr", T, meant)], INSIDE)]


def _with(task: Task, found: Evidence) -> Evidence:
    if task.subject not in TRIGONOMETRIC or not isinstance(found, Conformance):
        return found
    return replace(found, conditions=(*found.conditions, _INVERSE))
