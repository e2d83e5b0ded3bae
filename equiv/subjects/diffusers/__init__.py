"""The schedulers of diffusers: built as released, with their declared defaults, and read step by step.

Times are indices of training steps that fall from the noise to the data.
"""

from equiv.subjects.diffusers.building import SHAPE, calls, names, outside, subject
from equiv.subjects.diffusers.grid import listing, trained
from equiv.subjects.diffusers.measuring import code, inputs, outlines
from equiv.subjects.diffusers.reading import lift_steps
from equiv.subjects.diffusers.running import made, run_alone, run_through, snippet, through

__all__ = [
    "SHAPE",
    "calls",
    "code",
    "inputs",
    "lift_steps",
    "listing",
    "made",
    "names",
    "outlines",
    "outside",
    "run_alone",
    "run_through",
    "snippet",
    "subject",
    "through",
    "trained",
]
