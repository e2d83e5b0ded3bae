"""Asked for as many steps as there are training steps, a scheduler visits each of them.

Whatever the spacing is called, it then leaves none out. If this is refuted, the grid is warped twice, as
where a shift is applied to levels that are shifted already, or its stride is that of another number of steps.
"""

from collections.abc import Iterator, Sequence

from equiv.evidence import Evidence
from equiv.obligations import Obligation
from equiv.obligations.enumeration import LEVEL, Entry, hold
from equiv.result import Task
from equiv.subjects.subject import Listing, adapter, resolve

OBLIGATION = Obligation(
    id="every-step-is-the-training-grid",
    title="With all training steps asked for, each is visited",
    needs=("training steps", "any number of steps"),
    about=("timestep_spacing", "shift"),
    exactly="1000",
)
SAYS = "of every training step, from the noise to the data, sigma / alpha is that of a call"


def check(task: Task) -> Sequence[Evidence]:
    """Every training step."""
    listing = adapter(task.subject).listing(resolve(task.subject), task.config)
    return hold(SAYS, listing.made, _entries(listing))


def _entries(listing: Listing) -> Iterator[Entry]:
    for told, due in reversed(listing.curve):
        nearest = min(listing.calls, key=lambda call: abs(call.ratio - due) if call.ratio != due else 0)
        yield Entry(
            inputs={"training step": f"{told:g}", "compared": "the nearest sigma / alpha of a call"},
            holds=nearest.ratio == due or abs(nearest.ratio - due) <= 2 * LEVEL * due,
            expected=f"{due:.9g}",
            got=nearest.shown,
            bound=f"{2 * LEVEL * due:.1e}",
            code=nearest.code,
        )
