"""The schedulers of diffusers: built as released, with their declared defaults, and read step by step.

Times are indices of training steps that fall from the noise to the data.
"""

from equiv.subjects.diffusers.building import SHAPE, calls, names, subject
from equiv.subjects.diffusers.reading import lift_steps
from equiv.subjects.diffusers.running import run_alone, snippet

__all__ = ["SHAPE", "calls", "lift_steps", "names", "run_alone", "snippet", "subject"]
