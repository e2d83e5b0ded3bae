"""Whatever is accepted comes to an end, in numbers.

Run whole, on a network whose output is the same everywhere, at the fewest steps and at the most. If this is
refuted, a step divides by a noise that is 0, by the length of a step between two equal levels, or by the
difference of two that were never far apart.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

from equiv.evidence import Defect, Evidence
from equiv.obligations import Obligation
from equiv.obligations.conformance import raised_by, raising, refused, refuses
from equiv.obligations.enumeration import Entry, hold
from equiv.result import Task
from equiv.subjects.subject import Listing, adapter, resolve

OBLIGATION = Obligation(
    id="sample-is-finite",
    title="Every step gives numbers",
    about=(
        "prediction_type",
        "timestep_spacing",
        "final_sigmas_type",
        "algorithm_type",
        "solver_order",
        "solver_type",
    ),
    steps=("1", "2", "20", "1000"),
    given={"clip_sample": "False"},  # which hides what is infinite
)
SAYS = "from a state of ones, with a network that answers 1/2 everywhere, every step gives a number"


def check(task: Task) -> Sequence[Evidence]:
    """Every step of a run; to refuse the configuration is to give no wrong number."""
    subject, library = resolve(task.subject), adapter(task.subject)
    try:
        listing = library.listing(subject, task.config)
        defect = _if_not_finite(listing, task.config)
        made, run = f"import torch\n{listing.made}", _entries(task, listing)
        return hold(SAYS, made, run, method="probing", defect=defect)
    except Exception as error:
        if refuses(error, subject):
            return [refused(SAYS, error)]
        if not raised_by(error, subject):
            raise
        snippet = (
            f"import torch\n{library.made(subject, task.config)}\n{library.through(subject, task.config, -1)}"
        )
        return [raising(SAYS, error, 1, {}, snippet)]


def _entries(task: Task, listing: Listing) -> Iterator[Entry]:
    subject, library = resolve(task.subject), adapter(task.subject)
    for step, value in enumerate(library.run_through(subject, task.config)):
        yield Entry(
            inputs={"step": str(step), "timestep": f"{listing.calls[step].told:g}"},
            holds=math.isfinite(value),
            expected="a number",
            got=repr(value),
            bound="0",
            code=library.through(subject, task.config, step),
        )


def _if_not_finite(listing: Listing, config: Mapping[str, str]) -> Defect:
    asked_of_noise = math.isinf(listing.calls[0].ratio) and config.get("prediction_type") == "epsilon"
    return Defect.UNDOCUMENTED_CONFIGURATION if asked_of_noise else Defect.NO_NUMBER
