"""Which networks there are: everything that decides what training makes of them."""

import itertools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from equiv.formulas.levels import Level
from equiv.formulas.schedules import cosine, ddpm_linear, flow_matching

SCHEDULES: Mapping[str, Callable[[Any], Level[Any]]] = MappingProxyType(
    {"cosine": cosine, "flow-matching": flow_matching, "ddpm-linear": ddpm_linear}
)


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """Networks that train as one program: one for each kind of prediction, training schedule and seed.

    All minimise the same expected loss, that of :func:`equiv.reference.training.weighting`.
    """

    name: str
    title: str
    data: str
    architecture: str
    width: int
    depth: int = 0  # hidden layers of an mlp
    kinds: tuple[str, ...] = ("x", "eps", "v", "u")
    schedules: tuple[str, ...] = ("cosine", "flow-matching", "ddpm-linear")
    seeds: tuple[int, ...] = (0, 1, 2)
    steps: int
    batch: int
    rate: float
    by_default: bool = False  # small enough to be trained by whoever needs it

    @property
    def networks(self) -> list[tuple[str, str, int]]:
        """Prediction, schedule and seed of each, in the order of the leading dimension."""
        return list(itertools.product(self.kinds, self.schedules, self.seeds))


_LISTED = (
    Recipe(
        name="ring",
        title="36 networks on a mixture of five normals in the plane",
        data="ring",
        architecture="mlp",
        width=48,
        depth=3,
        steps=1000,
        batch=128,
        rate=6e-3,
        by_default=True,
    ),
    Recipe(
        name="unequal",
        title="36 networks on a mixture of three unequal normals in the plane",
        data="unequal",
        architecture="mlp",
        width=48,
        depth=3,
        steps=1000,
        batch=128,
        rate=6e-3,
    ),
    Recipe(
        name="digits",
        title="24 U-Nets on scikit-learn's handwritten digits",
        data="digits",
        architecture="unet",
        width=8,
        seeds=(0, 1),
        steps=1000,
        batch=16,
        rate=5e-3,
    ),
    Recipe(
        name="photographs",
        title="24 U-Nets on 16 x 16 patches of two photographs",
        data="photographs",
        architecture="unet",
        width=8,
        seeds=(0, 1),
        steps=1500,
        batch=8,
        rate=5e-3,
    ),
)
RECIPES: Mapping[str, Recipe] = MappingProxyType({recipe.name: recipe for recipe in _LISTED})
