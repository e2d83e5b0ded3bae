"""What the networks are trained on, and what is held out.

Rows are samples, about of size 1 in every coordinate. Pictures are square and grey, from -1 to 1.
"""

import math
from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from equiv.lookup import Unknown


class Data(NamedTuple):
    """Samples ``(n, size)`` to train on and to hold out."""

    trained_on: Tensor
    held_out: Tensor


class Mixture(NamedTuple):
    """Isotropic normals in the plane: weights ``(k,)``, means ``(k, 2)``, standard deviations ``(k,)``."""

    weights: Tensor
    means: Tensor
    stds: Tensor

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """``n`` independent samples."""
        which = torch.multinomial(self.weights, n, replacement=True, generator=generator)
        noise = torch.randn(n, 2, generator=generator)
        return self.means[which] + self.stds[which, None] * noise


def ring() -> Mixture:
    """Five narrow normals on a circle, one of them twice as heavy."""
    angles = math.pi / 2 + torch.arange(5) * 2 * math.pi / 5
    means = 1.4 * torch.stack([angles.cos(), angles.sin()], -1)
    return Mixture(torch.tensor([2.0, 1.0, 1.0, 1.0, 1.0]), means, torch.full((5,), 0.2))


def unequal() -> Mixture:
    """Three normals of different weights and widths."""
    means = torch.tensor([[-1.2, -0.6], [1.0, -0.9], [0.4, 1.3]])
    return Mixture(torch.tensor([0.5, 0.3, 0.2]), means, torch.tensor([0.5, 0.25, 0.1]))


MIXTURES: Mapping[str, Callable[[], Mixture]] = MappingProxyType({"ring": ring, "unequal": unequal})


def of_mixture(name: str) -> Data:
    """Samples of a mixture; always the same."""
    draw = torch.Generator().manual_seed(1)
    samples = MIXTURES[name]().draw(6000, draw)
    return Data(samples[:4000], samples[4000:])


def digits() -> Data:
    """The 1797 handwritten digits of scikit-learn, 8 x 8, every sixth held out."""
    pictures = torch.tensor(_sklearn("load_digits")().data, dtype=torch.float32) / 8 - 1
    held_out = torch.arange(len(pictures)) % 6 == 0
    return Data(pictures[~held_out], pictures[held_out])


def photographs(edge: int = 16) -> Data:
    """Patches of scikit-learn's two photographs at a quarter of their size; the right third is held out."""
    taken: list[Tensor] = []
    kept: list[Tensor] = []
    for photograph in _sklearn("load_sample_images")().images:
        grey = torch.tensor(photograph).float().mean(-1) / 127.5 - 1
        small = torch.nn.functional.avg_pool2d(grey[None], 4)[0]
        third = 2 * small.shape[1] // 3
        for part, patches in ((small[:, :third], taken), (small[:, third:], kept)):
            tiles = part.unfold(0, edge, 2).unfold(1, edge, 2).reshape(-1, edge * edge)
            patches.append(tiles)
    return Data(torch.cat(taken), torch.cat(kept))


DATA: Mapping[str, Callable[[], Data]] = MappingProxyType(
    {
        **{name: lambda name=name: of_mixture(name) for name in MIXTURES},  # type: ignore[misc]
        "digits": digits,
        "photographs": photographs,
    }
)


def _sklearn(loader: str) -> Callable[[], Any]:
    try:
        return getattr(import_module("sklearn.datasets"), loader)  # type: ignore[no-any-return]
    except ImportError as error:
        raise Unknown(
            "real pictures need scikit-learn and Pillow, not installed here: pip install 'equiv[experiments]'"
        ) from error
