r"""The tests at the level they state: thousands of trials of what is true, some of what is not.

Each trial is a new pair of samples of one law. The observed rate of rejections has an exact interval (Clopper
and Pearson); the test keeps its level as long as the interval does not lie above it. The sequential test is
looked at after every pair. False variants look like these tests and reject too often, which is seen.

Not claimed: more than these laws and sample sizes show; that the levels hold is a theorem for each test.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.result import Task
from equiv.statistics import Wealth, mean_interval, proportion, two_samples

EXPERIMENT = Header(
    id="x-false-alarms",
    title="The statistical tests reject what is true as rarely as they say",
    claims=(),
    dtypes=("float64",),
    full=True,
)

LEVEL = 0.05
TRIALS = {"two samples": 4000, "mean of a bounded quantity": 4000, "sequential": 1000}
CERTAIN = 1e-4  # how often the interval for a rate of rejections may miss it
HALF_SHIFT, SAMPLES = 0.5, 30

Rejects = Callable[[int, float], bool]
"""Whether a test rejects in a trial of that number, with data shifted by so much from what is tested."""


def run(task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """One piece of evidence for each test."""
    tests: dict[str, tuple[Rejects, dict[str, Rejects]]] = {
        "two samples": (permuted, {"a statistic that is compared with another sample's": forgetful}),
        "mean of a bounded quantity": (bounded, {"an interval of a normal approximation": approximate}),
        "sequential": (looked_at, {"a permutation test looked at again and again": peeking}),
    }
    return [calibrated(name, test, variants, task.seed) for name, (test, variants) in tests.items()], {}


def calibrated(name: str, test: Rejects, variants: dict[str, Rejects], seed: int) -> Experiment:
    """The rate of false alarms, against the level."""
    trials = TRIALS[name]

    def at_least(one: Rejects, count: int) -> float:
        rejected = sum(one(seed * 10**6 + i, 0.0) for i in range(count))
        return proportion(rejected, count, level=CERTAIN).low

    alarms = sum(test(seed * 10**6 + i, 0.0) for i in range(trials))
    observed = proportion(alarms, trials, level=CERTAIN)
    few = trials // 10
    power = proportion(sum(test(seed * 10**6 + i, HALF_SHIFT) for i in range(few)), few, level=CERTAIN)
    rates = {variant: at_least(wrong, trials // 4) for variant, wrong in variants.items()}
    return Experiment(
        worst=observed.low,
        bound=LEVEL,
        cases=trials,
        rejected=tuple(variant for variant, rate in rates.items() if rate > LEVEL),
        surviving_variants=tuple(variant for variant, rate in rates.items() if not rate > LEVEL),
        measure=f"test of {name}: {alarms} false alarms in {trials} trials at level {LEVEL:g}, "
        f"a rate in [{observed.low:.4f}, {observed.high:.4f}] (the lower end is held against the level); "
        f"power in [{power.low:.2f}, {power.high:.2f}] against a shift of {HALF_SHIFT:g} standard deviations",
    )


def normal(trial: int, part: int, shift: float = 0.0, count: int = SAMPLES) -> Tensor:
    """Normal in the plane; every part of every trial of its own."""
    draw = torch.Generator().manual_seed(1000 * trial + part)
    return torch.randn(count, 2, generator=draw, dtype=torch.float64) + shift


def permuted(trial: int, shift: float) -> bool:
    """Two samples, by permutations."""
    x, y = normal(trial, 0), normal(trial, 1, shift)
    return two_samples(x, y, level=LEVEL, permutations=99, seed=trial).rejects


def forgetful(trial: int, shift: float) -> bool:
    """A threshold from the same permutations of one sample, cut in two."""
    x, y = normal(trial, 0), normal(trial, 1, shift)
    threshold = two_samples(x, normal(trial, 2), level=0.2, permutations=99, seed=trial).threshold
    return two_samples(x, y, level=LEVEL, permutations=99, seed=trial).statistic > threshold


def coins(trial: int, shift: float, rate: float = 0.02, count: int = 200) -> Tensor:
    """Rarely 1, else 0."""
    draw = torch.Generator().manual_seed(trial)
    return (torch.rand(count, generator=draw) < rate + shift).double()


def bounded(trial: int, shift: float) -> bool:
    """An interval for the mean that misses it."""
    return not mean_interval(coins(trial, shift), 0, 1, level=LEVEL).covers(0.02)


def approximate(trial: int, shift: float) -> bool:
    """The textbook interval."""
    values = coins(trial, shift, count=60)
    room = 1.96 * values.std().item() / math.sqrt(len(values))
    return not abs(values.mean().item() - 0.02) <= room


def looked_at(trial: int, shift: float) -> bool:
    """Bets on pairs, looked at after each."""
    test = Wealth()
    for part in range(0, 20, 2):
        test.see(normal(trial, part, count=20), normal(trial, part + 1, shift, count=20))
    return test.rejects(LEVEL)


def peeking(trial: int, shift: float) -> bool:
    """A test of fixed size at every size."""
    x, y = normal(trial, 0, count=100), normal(trial, 1, shift, count=100)
    return any(
        two_samples(x[:n], y[:n], level=LEVEL, permutations=39, seed=trial).rejects
        for n in range(10, 101, 10)
    )
