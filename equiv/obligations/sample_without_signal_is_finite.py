"""A sampler that starts from noise alone gives numbers all the same.

The schedule is rescaled until nothing is left of the data at its last step, and sampling begins there. If
this is refuted, a step divides by the signal. Where the network is asked for the noise in a state that has
nothing else in it, the answer says nothing of the data: such a configuration should have been refused.
"""

from collections.abc import Sequence

from equiv.evidence import Evidence
from equiv.obligations import Obligation, sample_is_finite
from equiv.result import Task

OBLIGATION = Obligation(
    id="sample-without-signal-is-finite",
    title="Every step gives numbers where sampling begins without signal",
    needs=("rescale_betas_zero_snr",),
    about=("prediction_type",),
    given={"rescale_betas_zero_snr": "True", "timestep_spacing": "trailing", "clip_sample": "False"},
    steps=("2", "20"),
)


def check(task: Task) -> Sequence[Evidence]:
    """Every step of a run."""
    return sample_is_finite.check(task)
