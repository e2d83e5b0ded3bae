"""The noise never rises from call to call, and rises with every training step.

A sampler that is to take N steps visits at least N levels, none of them noisier than the one before. If this
is refuted, the grid has duplicates, is in the wrong order, or holds what is no number; or the schedule was
patched at one end.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import msgspec

from equiv.evidence import Evidence
from equiv.obligations import Obligation
from equiv.obligations.enumeration import LEVEL, Entry, hold
from equiv.result import Task
from equiv.subjects.subject import Listing, adapter, resolve

OBLIGATION = Obligation(
    id="noise-falls",
    title="The noise falls from call to call",
    needs=("falling noise",),
    about=("timestep_spacing", "steps", "final_sigmas_type", "shift", "rescale_betas_zero_snr"),
)
SAYS = (
    "sigma / alpha never rises from one call to the next, takes as many values as there are steps, and rises "
    "with every training step"
)


def check(task: Task) -> Sequence[Evidence]:
    """Every call of the configuration, and the end."""
    listing = adapter(task.subject).listing(resolve(task.subject), task.config)
    return hold(SAYS, listing.made, _entries(listing, int(task.config["steps"])))


def _entries(listing: Listing, steps: int) -> Iterator[Entry]:
    least = math.inf
    last = listing.calls[-1]
    for k, call in enumerate((*listing.calls, msgspec.structs.replace(last, ratio=listing.end))):
        yield Entry(
            inputs={"call": str(k), "compared": "sigma / alpha"},
            holds=0 <= call.ratio <= least * (1 + LEVEL),  # fails for nan
            expected=f"at most {least:.9g}",
            got=call.shown,
            bound=f"{least * LEVEL:.1e}",
            code=call.code,
        )
        least = call.ratio
    for (_, below), (told, above) in pairwise(listing.curve):
        yield Entry(
            inputs={"training step": f"{told:g}", "compared": "sigma / alpha"},
            holds=below < above,
            expected=f"above {below:.9g}, that of the step before",
            got=f"{above:.9g}",
            bound="0",
            code=f"a = scheduler.alphas_cumprod[{told:g} - 1 : {told:g} + 1]\n"
            "print((((1 - a) / a) ** 0.5).tolist())",
        )
    levels, due = {call.ratio for call in listing.calls}, min(steps, listing.due)
    yield Entry(
        inputs={"compared": "the number of different levels"},
        holds=len(levels) >= due,
        expected=f"at least {due}",
        got=str(len(levels)),
        bound="0",
        code="print(len(set(scheduler.timesteps.tolist())))",
    )
