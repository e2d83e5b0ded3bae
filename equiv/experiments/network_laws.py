r"""Laws of samples of trained networks, by a two-sample test of exact level.

DDPM and the double DDIM step with noise put back have one law, with noise of their own; the test may reject
that with the probability stated, and no other. Deterministic and stochastic sampling of one network have one
law in the limit of small steps and of an exact network only: there the test says that so many samples do not
tell them apart, which is worth what the false variants show that it does tell apart.

Not claimed: that the laws of deterministic and stochastic samples are equal at finite steps. A rejection
refutes nothing, for want of a concrete input; the verdict is then INCONCLUSIVE.
"""

from collections.abc import Callable, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from equiv.evidence import Evidence, Experiment, Failure
from equiv.experiments import Header
from equiv.experiments.cases import place
from equiv.experiments.reference_networks import DEFAULT
from equiv.formulas.levels import Level
from equiv.formulas.steps import ddim_step, ddpm_step, renoise
from equiv.lookup import Unknown
from equiv.reference.data import DATA
from equiv.reference.denoisers import Denoisers
from equiv.reference.recipes import RECIPES
from equiv.reference.review import levels
from equiv.reference.storage import load
from equiv.result import Task
from equiv.statistics import two_samples

EXPERIMENT = Header(
    id="x-network-laws",
    title="Stochastic samplers of one law, and deterministic ones beside them, with trained networks",
    claims=("t-ddpm-double-ddim", "o-reverse-family", "q-path-type"),
    dtypes=("float32",),
    networks=("ring", "unequal", "digits"),
)

LEVEL = 0.002  # of each test
PERMUTATIONS = 499
SAMPLES = 250
FEW, MANY = 10, 60  # steps: few for what is exact, many for what is so in the limit only

Step = Callable[[Tensor, Tensor, Tensor, Level[Tensor], Level[Tensor]], Tensor]
"""The next state, from a state, the data prediction, a draw and two levels."""


def posterior(z: Tensor, x: Tensor, n: Tensor, now: Level[Tensor], then: Level[Tensor]) -> Tensor:
    """DDPM's."""
    return ddpm_step(z, x, n, now, then)


def plain_ddim(z: Tensor, x: Tensor, _n: Tensor, now: Level[Tensor], then: Level[Tensor]) -> Tensor:
    """DDIM's, without noise."""
    return ddim_step(z, x, now, then)


def double_ddim(z: Tensor, x: Tensor, n: Tensor, now: Level[Tensor], then: Level[Tensor]) -> Tensor:
    """Twice as far in log-SNR, and back."""
    beyond = Level(then.alpha, then.sigma**2 / then.alpha * now.alpha / now.sigma)
    return renoise(ddim_step(z, x, now, beyond), n, beyond, then)


def on_top(z: Tensor, x: Tensor, n: Tensor, now: Level[Tensor], then: Level[Tensor]) -> Tensor:
    """The noise of DDPM on a step that has not gone farther to make room for it."""
    return plain_ddim(z, x, n, now, then) + posterior(z, x, n, now, then) - posterior(z, x, 0 * n, now, then)


FALSE_VARIANTS: Mapping[str, Step] = MappingProxyType(
    {
        "noise on top of a DDIM step": on_top,
        "no noise put back": lambda z, x, n, now, then: posterior(z, x, 0 * n, now, then),
        "a third of the noise put back": lambda z, x, n, now, then: posterior(z, x, n / 3, now, then),
        "half of the data prediction": lambda z, x, n, now, then: posterior(z, x / 2, n, now, then),
        "the step turned round": lambda z, x, n, now, then: 2 * z - plain_ddim(z, x, n, now, then),
    }
)


class Asked(NamedTuple):
    """One network, the size of its samples, and a seed."""

    network: Denoisers
    size: int
    seed: int
    words: str


def run(task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """Two tests for each prediction, with the network of the first schedule and seed."""
    dtype, device = place(task)
    recipe = RECIPES[task.config.get("networks", DEFAULT)]
    try:
        networks = {kind: nets[:1].to(device, dtype) for kind, nets in load(recipe.name).items()}
    except Unknown as error:
        return [Failure(kind="not installed", reason=str(error))], {}
    size = DATA[recipe.data]().held_out.shape[-1]
    every = [
        Asked(n, size, task.seed, f"with a network that predicts {k} ({recipe.name})")
        for k, n in networks.items()
    ]
    found: list[Evidence] = [test(asked) for asked in every for test in (same_law, not_told_apart)]
    if size != 2:
        return found, {}
    shown = next(asked for asked in every if asked.network.kind == "v")
    return found, {"samples-beside-data": picture(shown, DATA[recipe.data]().held_out[:SAMPLES])}


def same_law(asked: Asked, step: Step = posterior) -> Experiment:
    """A step that has the law of DDPM's, against the double step with noise put back."""
    return tested(asked, f"DDPM and renoised double DDIM, {FEW} steps", step, double_ddim, FEW)


def not_told_apart(asked: Asked, step: Step = plain_ddim) -> Experiment:
    """A step without noise, against DDPM."""
    return tested(asked, f"DDIM and DDPM, {MANY} steps", step, posterior, MANY)


def tested(asked: Asked, what: str, step: Step, reference: Step, steps: int) -> Experiment:
    """The distance from the reference, and that of each variant, in units of its own threshold."""
    expected = sample(asked, reference, steps, asked.seed)

    def against(one: Step) -> float:
        found = two_samples(
            sample(asked, one, steps, asked.seed + 1),
            expected,
            level=LEVEL,
            permutations=PERMUTATIONS,
            seed=asked.seed,
        )
        return found.statistic / found.threshold

    ratios = {name: against(wrong) for name, wrong in FALSE_VARIANTS.items()}
    return Experiment(
        worst=against(step),
        bound=1.0,
        cases=2 * SAMPLES,
        rejected=tuple(name for name, ratio in ratios.items() if ratio > 1),
        surviving_variants=tuple(name for name, ratio in ratios.items() if not ratio > 1),
        measure=f"energy distance of samples of {what}, {asked.words}, in units of its threshold "
        f"at false-alarm level {LEVEL:g} ({PERMUTATIONS} permutations)",
    )


def picture(asked: Asked, held_out: Tensor) -> dict[str, Any]:
    """Data that was held out, and samples of the two samplers, as points of the plane."""
    shown = {
        "held out": held_out,
        "DDIM": sample(asked, plain_ddim, MANY, asked.seed),
        "DDPM": sample(asked, posterior, MANY, asked.seed),
    }
    return {
        "panels": [
            {
                "title": title,
                "series": [{"label": "samples", "paths": [[point] for point in points.tolist()]}],
            }
            for title, points in shown.items()
        ],
        "x": "first coordinate",
        "y": "second",
        "title": "Data and samples.",
        "caption": f"{SAMPLES} points each; samples from one noise by {MANY} steps, {asked.words}.",
    }


def sample(asked: Asked, step: Step, steps: int, seed: int) -> Tensor:
    """Samples ``(n, size)`` from noise at the noisiest level that the network knows."""
    draw = torch.Generator().manual_seed(seed)
    like = next(iter(asked.network.parameters.values()))

    def noise() -> Tensor:
        return torch.randn(1, SAMPLES, asked.size, generator=draw).to(like)

    z, grid = noise(), levels(steps, like)
    with torch.no_grad():
        for now, then in pairwise(grid):
            z = step(z, asked.network(z, now), noise(), now, then)
        last: Tensor = asked.network(z, grid[-1])[0].cpu()
    return last
