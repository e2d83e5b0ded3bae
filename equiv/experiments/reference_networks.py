"""What experiments on trained networks share: the networks, the steps, and what becomes of both.

Which networks is the task's ``networks``, the name of a recipe. Each kind of prediction is a comparison of
its own, over all training schedules and seeds.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from equiv.evidence import Evidence, Experiment, Failure
from equiv.experiments.cases import Schedule, Steps, place
from equiv.experiments.comparison import Sides, compare
from equiv.formulas.levels import Level
from equiv.lookup import Unknown
from equiv.reference.data import DATA
from equiv.reference.denoisers import Denoisers
from equiv.reference.recipes import RECIPES
from equiv.reference.storage import load
from equiv.reference.training import span
from equiv.result import Task
from equiv.rounding import Rounded, exact

DEFAULT = "ring"
STEPS: Mapping[str, tuple[tuple[int, ...], slice]] = MappingProxyType(
    {
        "ring": ((4, 16), slice(None)),
        "unequal": ((4, 16), slice(None)),
        "digits": ((12,), slice(1, None, 5)),
        "photographs": ((12,), slice(6, 7)),
    }
)
"""How many steps grids have between the levels that networks are trained at, with one more to the data, and
which of them are taken: few of pictures, which have a case, and a derivative to enclose, for every pixel."""
NETWORKS: Mapping[str, slice] = MappingProxyType(
    {"ring": slice(None), "unequal": slice(None), "digits": slice(None, None, 2), "photographs": slice(1)}
)
"""Which networks of a kind: all, those of one seed, one."""


class Asked(NamedTuple):
    """Networks of one kind, and the steps to take with them on a schedule."""

    networks: Denoisers
    steps: Steps
    noise: Tensor  # standard normal, of the shape of the states: both sides of a comparison share it
    schedule: Schedule
    words: str  # behind what was measured

    def levels(self) -> tuple[Level[Rounded], Level[Rounded]]:
        """Those of both ends of the steps, taken as exact as they were computed: claims hold for any."""
        now, then = (Level(*map(exact, self.schedule(times))) for times in self.steps[1:])
        return now, then

    def compare(
        self, measure: str, claimed: Sides, variants: Mapping[str, Sides], valid: Tensor
    ) -> Experiment:
        """Hold two sides against each other over the states, or over stacks of them."""
        steps = self.steps
        return compare(
            measure + self.words,
            claimed,
            variants,
            valid=valid.expand_as(claimed.got.value),
            inputs={"t": steps.t, "s": steps.s, "z_t": steps.z_t},
        )


def measured(
    task: Task, schedules: Iterable[Schedule], measure: Callable[[Asked], Iterable[Experiment]]
) -> tuple[list[Evidence], dict[str, Any]]:
    """The evidence for each schedule and kind of prediction; without the networks, why there is none."""
    try:
        return [e for asked in each(task, schedules) for e in measure(asked)], {}
    except Unknown as error:
        return [Failure(kind="not installed", reason=str(error))], {}


def each(task: Task, schedules: Iterable[Schedule]) -> Iterator[Asked]:
    """Every kind of prediction on every schedule."""
    dtype, device = place(task)
    recipe = RECIPES[task.config.get("networks", DEFAULT)]
    for kind, trained in load(recipe.name).items():
        networks = trained[NETWORKS[recipe.name]]
        there = networks.to(device, dtype)
        words = f", with {networks.count} networks that predict {kind} ({recipe.name})"
        for schedule in schedules:
            steps = draw_steps(schedule, task, networks.count)
            draw = torch.Generator().manual_seed(task.seed + 1)
            noise = torch.randn(steps.z_t.shape, dtype=torch.float64, generator=draw).to(steps.z_t)
            yield Asked(there, steps, noise, schedule, words)


def draw_steps(schedule: Schedule, task: Task, nets: int) -> Steps:
    """Steps of grids over the log-SNR that networks are trained at, and a last one to the data.

    Each network has states of its own, as they occur there, from data that it was not trained on.
    """
    dtype, device = place(task)
    recipe = RECIPES[task.config.get("networks", DEFAULT)]
    held_out = DATA[recipe.data]().held_out.double()
    (counts, taken), (low, high) = STEPS[recipe.name], span(schedule)
    grids = [
        torch.cat([torch.linspace(high, low, n + 1, dtype=torch.float64), torch.zeros(1).double()])
        for n in counts
    ]
    t, s = (torch.cat([g[part] for g in grids])[taken, None] for part in (slice(-1), slice(1, None)))
    draw = torch.Generator().manual_seed(task.seed)
    x = held_out[torch.randint(len(held_out), (nets, len(t)), generator=draw)]
    level = schedule(t)
    z_t = level.alpha * x + level.sigma * torch.randn(x.shape, dtype=torch.float64, generator=draw)
    return Steps(*(values.to(device, dtype) for values in (z_t, t, s)))


def positive(now: Level[Rounded], then: Level[Rounded]) -> Tensor:
    """Where there is signal and noise at both ends of a step."""
    every = [part.value > 0 for level in (now, then) for part in level]
    return torch.stack(every).all(0)


def stacked(*sides: Rounded) -> Rounded:
    """Several ways to compute something as one."""
    like = max((side.value for side in sides), key=Tensor.numel)
    return Rounded(
        torch.stack([side.value.expand_as(like) for side in sides]),
        torch.stack([side.error.expand_as(like) for side in sides]),
    )


def apart(named: Mapping[str, Rounded], expected: Rounded) -> dict[str, Sides]:
    """Each variant against what is expected."""
    return {name: Sides(expected, got) for name, got in named.items()}


def of_rows(expected: Sequence[Rounded], got: Sequence[Rounded]) -> Sides:
    """The same for each row of a table."""
    return Sides(stacked(*expected), stacked(*got))
