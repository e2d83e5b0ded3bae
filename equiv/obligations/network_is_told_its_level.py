"""The network is told the level that its state has.

Where a scheduler lists noise levels apart from the timesteps, each pair must be on the schedule that it was
built with: the timestep told is at most half a training step from the one that has the level's log-SNR. If
this is refuted, levels and timesteps were made from different grids, or one was shifted and the other not.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from equiv.evidence import Evidence
from equiv.obligations import Obligation
from equiv.obligations.enumeration import LEVEL, Entry, hold
from equiv.result import Task
from equiv.subjects.subject import Listing, adapter, resolve

OBLIGATION = Obligation(
    id="network-is-told-its-level",
    title="The network is told the level that its state has",
    needs=("sigmas", "training steps"),
    about=("timestep_spacing", "steps", "final_sigmas_type", "shift"),
)
SAYS = "the timestep told is within half a training step of the one with the log-SNR of the level listed"
HALF = 0.5


def check(task: Task) -> Sequence[Evidence]:
    """Every call of the configuration."""
    listing = adapter(task.subject).listing(resolve(task.subject), task.config)
    return hold(SAYS, listing.made, _entries(listing))


def _entries(listing: Listing) -> Iterator[Entry]:
    for k, call in enumerate(listing.calls):
        low, _ = between(listing.curve, call.told - HALF)
        _, high = between(listing.curve, call.told + HALF)
        yield Entry(
            inputs={"call": str(k), "compared": "sigma / alpha of the timestep told"},
            holds=low * (1 - LEVEL) <= call.ratio <= high * (1 + LEVEL),
            expected=f"{low:.7g} to {high:.7g}",
            got=call.shown,
            bound="half a training step",
            code=call.code,
        )


def between(curve: Sequence[tuple[float, float]], t: float) -> tuple[float, float]:
    """The least and the largest sigma / alpha at a time, as it, its log or the flow's time is interpolated.

    Before the first training step it is that of the first, after the last that of the last.
    """
    if t <= curve[0][0]:
        return curve[0][1], curve[0][1]
    for (before, low), (after, high) in pairwise(curve):
        if t <= after:
            share = (t - before) / (after - before)
            if math.isinf(high):
                return low, high
            flow = (1 - share) * low / (1 + low) + share * high / (1 + high)
            found = (low + share * (high - low), low * (high / low) ** share, flow / (1 - flow))
            return min(found), max(found)
    return curve[-1][1], curve[-1][1]
