"""What networks make of noise: pictures to look at, and how far they are from data that was held out."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from equiv.formulas.levels import Level
from equiv.formulas.schedules import variance_preserving
from equiv.lookup import Unknown
from equiv.reference.data import DATA
from equiv.reference.denoisers import Denoisers, sample
from equiv.reference.networks import SCALE
from equiv.reference.recipes import Recipe
from equiv.statistics import energy_distance, two_samples

STEPS = 50
COMPARED = 250  # samples of each network
LEVEL = 0.01
SHOWN = 16
CELL, ENLARGED, WIDE = (
    96,
    3,
    2.5,
)  # pixels of a scatter plot, of a pixel of a picture; half the width of the plane


def levels(steps: int, like: Tensor) -> list[Level[Tensor]]:
    """From the noisiest level that is trained on to the least noisy, even in log-SNR."""
    lambdas = torch.linspace(-SCALE, SCALE, steps + 1, dtype=torch.float64).to(like)
    return [variance_preserving(Level(torch.ones_like(each), torch.exp(-each / 2))) for each in lambdas]


def review(recipe: Recipe, networks: Mapping[str, Denoisers], folder: Path) -> dict[str, Any]:
    """Draw ``samples.png``; measure samples, and the training set, against what was held out."""
    data = DATA[recipe.data]()
    held_out = _some(data.held_out)
    samples = {kind: samples_of(nets, held_out.shape[-1]) for kind, nets in networks.items()}
    rows = [("held out", held_out), *_named(recipe, samples)]
    draw(rows, folder / "samples.png")
    base = two_samples(_some(data.trained_on), held_out, level=LEVEL)
    return {
        "held out": {
            "compared": len(held_out),
            "distance": "energy",
            "of the training set": base.statistic,
            "threshold at level": {str(LEVEL): base.threshold},
            "of samples": {name: energy_distance(s, held_out) for name, s in rows[1:]},
        }
    }


def _some(samples: Tensor) -> Tensor:
    """A fixed choice from all over the set: its rows may be in an order, as digits are by their writers."""
    return samples[torch.randperm(len(samples), generator=torch.Generator().manual_seed(0))[:COMPARED]]


def samples_of(networks: Denoisers, size: int, *, count: int = COMPARED, seed: int = 0) -> Tensor:
    """DDIM from the same noise for each network: ``(nets, count, size)``."""
    noise = torch.randn(count, size, generator=torch.Generator().manual_seed(seed))
    return sample(networks, noise.expand(networks.count, -1, -1), levels(STEPS, noise))


def _named(recipe: Recipe, samples: Mapping[str, Tensor]) -> list[tuple[str, Tensor]]:
    made = [one for kind in recipe.kinds for one in samples[kind]]
    return [
        (f"{kind} {schedule} {seed}", one)
        for (kind, schedule, seed), one in zip(recipe.networks, made, strict=True)
    ]


def draw(rows: list[tuple[str, Tensor]], path: Path) -> None:
    """A sheet of what data and networks look like: a cell each for points of the plane, a row for pictures.

    Raises:
        Unknown: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise Unknown(
            "pictures are drawn with Pillow, which is not installed: pip install 'equiv[experiments]'"
        ) from error
    if rows[0][1].shape[-1] == 2:
        cells = [_scatter(points) for _, points in rows]
        first, across = cells[0], 9
        rest = [
            torch.cat(cells[i : i + across], 1)
            for i in range(1, len(cells) - (len(cells) - 1) % across, across)
        ]
        blank = torch.full((CELL, CELL * (across - 1)), 255, dtype=torch.uint8)
        sheet = torch.cat([torch.cat([first, blank], 1), *rest]) if rest else first
    else:
        sheet = torch.cat([_pictures(pictures[:SHOWN]) for _, pictures in rows])
    Image.fromarray(sheet.numpy()).save(path)


def _scatter(points: Tensor) -> Tensor:
    """Ink where points are, framed."""
    cell = torch.full((CELL, CELL), 255, dtype=torch.uint8)
    at = ((points / WIDE + 1) / 2 * CELL).long()
    inside = ((at >= 0) & (at < CELL)).all(-1)
    cell[CELL - 1 - at[inside, 1], at[inside, 0]] = 0
    cell[0], cell[:, 0] = 180, 180
    return cell


def _pictures(pictures: Tensor) -> Tensor:
    """Square pictures side by side, enlarged, with a line between."""
    edge = math.isqrt(pictures.shape[-1])
    grey = ((pictures.clamp(-1, 1) + 1) * 127.5).to(torch.uint8).reshape(-1, edge, edge)
    large = grey.repeat_interleave(ENLARGED, 1).repeat_interleave(ENLARGED, 2)
    framed = torch.nn.functional.pad(large, (0, 2, 0, 2), value=90)
    return torch.cat(list(framed), 1)
