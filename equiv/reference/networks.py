r"""The networks, as plain functions of parameters, a state and its log-SNR.

A state comes in the variance-preserving gauge. ``parameters`` are named tensors with a leading dimension for
the networks; the state has shape ``(nets, cases, size)``, the log-SNR ``(nets, cases, 1)``.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from equiv.reference.layers import affine, joined, moved, silu, sin

Parameters = Mapping[str, Tensor]
Architecture = Callable[[Parameters, Any, Any], Any]

SCALE = 8  # of the log-SNR: the largest that networks are trained at
FREQUENCIES = (0.5, 1.0, 2.0, 4.0)  # half waves over the range of the log-SNR
FEATURES = 1 + 2 * len(FREQUENCIES)


def mlp(parameters: Parameters, q: Any, log_snr: Any) -> Any:
    """Layers of one width, the first of which sees the state beside the features of its log-SNR."""
    h = joined(q, features(parameters, log_snr))
    for i in range(_count(parameters, "layer") - 1):
        h = silu(_layer(parameters, f"layer{i}", h))
    return _layer(parameters, f"layer{_count(parameters, 'layer') - 1}", h)


def unet(parameters: Parameters, q: Any, log_snr: Any) -> Any:
    """A U-Net of two resolutions: a residual block before, at the half resolution, and after it.

    Convolutions are products of matrices with the 3 x 3 neighbours of each pixel; resolutions change by
    affine maps of blocks of 2 x 2.
    """
    edge = math.isqrt((q if isinstance(q, Tensor) else _shaped(q)).shape[-1])
    told = silu(_layer(parameters, "told", features(parameters, log_snr)))
    fine = _convolved(parameters, "first", moved(lambda t: t.unflatten(-1, (edge, edge, 1)), q))
    fine = _block(parameters, "before", fine, told)
    coarse = _layer(parameters, "down", moved(_to_blocks, fine))
    coarse = _block(parameters, "inside", coarse, told)
    back = moved(_from_blocks, _layer(parameters, "up", coarse))
    fine = _block(parameters, "after", _layer(parameters, "merged", joined(fine, back)), told)
    return moved(lambda t: t.flatten(-3), _convolved(parameters, "last", silu(fine)))


def features(parameters: Parameters, log_snr: Any) -> Any:
    """What a network is told: the log-SNR, and waves of it."""
    waves = sin(affine(log_snr, parameters["wave.weight"], parameters["wave.bias"]))
    return joined(affine(log_snr, parameters["scale.weight"], parameters["scale.bias"]), waves)


def _block(parameters: Parameters, name: str, x: Any, told: Any) -> Any:
    beside = moved(lambda t: t[..., None, None, :], _layer(parameters, f"{name}.told", told))
    inner = _convolved(parameters, f"{name}.inner", silu(x)) + beside
    return x + _convolved(parameters, f"{name}.outer", silu(inner))


def _layer(parameters: Parameters, name: str, x: Any) -> Any:
    return affine(x, parameters[f"{name}.weight"], parameters[f"{name}.bias"])


def _convolved(parameters: Parameters, name: str, x: Any) -> Any:
    return _layer(parameters, name, moved(_neighbours, x))


def _neighbours(x: Tensor) -> Tensor:
    """The channels of the 3 x 3 pixels around each, with zeros beyond the edge: ``(..., h, w, 9 c)``."""
    h, w = x.shape[-3:-1]
    padded = torch.nn.functional.pad(x, (0, 0, 1, 1, 1, 1))
    return torch.cat([padded[..., i : i + h, j : j + w, :] for i in range(3) for j in range(3)], -1)


def _to_blocks(x: Tensor) -> Tensor:
    """``(..., 2 h, 2 w, c)`` to ``(..., h, w, 4 c)``."""
    h, w, c = x.shape[-3:]
    blocks = x.reshape(*x.shape[:-3], h // 2, 2, w // 2, 2, c)
    return blocks.transpose(-4, -3).flatten(-3)


def _from_blocks(x: Tensor) -> Tensor:
    """``(..., h, w, 4 c)`` to ``(..., 2 h, 2 w, c)``."""
    h, w, c = x.shape[-3:]
    blocks = x.reshape(*x.shape[:-1], 2, 2, c // 4)
    return blocks.transpose(-4, -3).reshape(*x.shape[:-3], 2 * h, 2 * w, c // 4)


def _shaped(x: Any) -> Tensor:
    value = x.value
    return value if isinstance(value, Tensor) else _shaped(value)


def _count(parameters: Parameters, prefix: str) -> int:
    return sum(name.startswith(prefix) and name.endswith(".weight") for name in parameters)


def mlp_layers(size: int, width: int, depth: int) -> dict[str, tuple[int, int]]:
    """The inputs and outputs of each layer of :func:`mlp`, for states of ``size`` numbers."""
    widths = [size + FEATURES, *[width] * depth, size]
    return {f"layer{i}": pair for i, pair in enumerate(itertools.pairwise(widths))}


def unet_layers(width: int) -> dict[str, tuple[int, int]]:
    """The inputs and outputs of each layer of :func:`unet`, with ``width`` channels, twice that inside."""

    def block(name: str, channels: int) -> dict[str, tuple[int, int]]:
        return {
            f"{name}.told": (width, channels),
            f"{name}.inner": (9 * channels, channels),
            f"{name}.outer": (9 * channels, channels),
        }

    return {
        "told": (FEATURES, width),
        "first": (9, width),
        **block("before", width),
        "down": (4 * width, 2 * width),
        **block("inside", 2 * width),
        "up": (2 * width, 4 * width),
        "merged": (2 * width, width),
        **block("after", width),
        "last": (9 * width, 1),
    }


def initial(layers: Mapping[str, tuple[int, int]], seeds: Sequence[int]) -> dict[str, Tensor]:
    """Parameters as they are before training, one network a seed; equal seeds, equal networks."""
    parameters = {
        "scale.weight": torch.full((len(seeds), 1, 1), 1 / SCALE),
        "scale.bias": torch.zeros(len(seeds), 1, 1),
        "wave.weight": torch.tensor([f * math.pi / SCALE for f in (*FREQUENCIES, *FREQUENCIES)]),
        "wave.bias": torch.tensor([0.0] * len(FREQUENCIES) + [math.pi / 2] * len(FREQUENCIES)),
    }
    for name in ("wave.weight", "wave.bias"):
        parameters[name] = parameters[name].expand(len(seeds), 1, -1).clone()
    draws = {seed: torch.Generator().manual_seed(seed) for seed in seeds}
    for name, (n, m) in layers.items():
        of_seed = {s: torch.randn(n, m, generator=draw) / math.sqrt(n) for s, draw in draws.items()}
        parameters[f"{name}.weight"] = torch.stack([of_seed[s] for s in seeds])
        parameters[f"{name}.bias"] = torch.zeros(len(seeds), 1, m)
    return parameters


ARCHITECTURES: Mapping[str, Architecture] = MappingProxyType({"mlp": mlp, "unet": unet})
