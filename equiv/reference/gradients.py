r"""The gradient of one sample's loss by the parameters of a network, with a bound.

A loss sees a network through its output, so that the gradient is what back-propagation makes of the loss's
derivative by that output. It is written out here for :func:`equiv.reference.networks.mlp`, on tensors and on
numbers with a bound; what the network is told is not differentiated: its frequencies are held fixed.

The bound is that of :mod:`equiv.reference.enclosure`: rounding in a type is measured against float64 at the
very input; the rounding of float64 and the errors of what goes in are derived, by running error analysis.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from equiv.reference.layers import affine, joined, silu, silu_rate
from equiv.reference.networks import Parameters, features
from equiv.rounding import Rounded


def evaluate(parameters: Parameters, q: Rounded, log_snr: Rounded, cotangent: Rounded) -> Rounded:
    """The gradients by all layers, one after the other: ``(nets, cases, parameters of a network)``."""
    given = (q, log_snr, cotangent)
    value = backward(parameters, *(x.value for x in given))
    wide = {name: p.double() for name, p in parameters.items()}
    centre = backward(wide, *(Rounded(x.value.double(), x.error) for x in given))
    return Rounded(value, ((value.double() - centre.value).abs() + centre.error) * (1 + 2**-48))


def backward(parameters: Parameters, q: Any, log_snr: Any, cotangent: Any) -> Any:
    """Forward and back through the layers, keeping what each was given."""
    names = [f"layer{i}" for i in range(sum(name.startswith("layer") for name in parameters) // 2)]
    given, before = [joined(q, features(parameters, log_snr))], []
    for name in names[:-1]:
        before.append(affine(given[-1], parameters[f"{name}.weight"], parameters[f"{name}.bias"]))
        given.append(silu(before[-1]))
    gradients: list[Any] = []
    delta = cotangent
    for i in reversed(range(len(names))):
        gradients = [_flat(_outer(given[i], delta)), delta, *gradients]
        if i:
            weight = parameters[f"{names[i]}.weight"].transpose(-1, -2).contiguous()
            nothing = torch.zeros_like(weight[:, :1])
            delta = affine(delta, weight, nothing) * silu_rate(before[i - 1])
    return joined(*gradients)


def order(parameters: Mapping[str, Tensor]) -> list[str]:
    """The parameters in the order of the gradient."""
    count = sum(name.startswith("layer") for name in parameters) // 2
    return [f"layer{i}.{part}" for i in range(count) for part in ("weight", "bias")]


def _outer(given: Any, delta: Any) -> Any:
    if isinstance(given, Rounded):
        left, right = (
            Rounded(x.value.unsqueeze(at), x.error.expand_as(x.value).unsqueeze(at))
            for x, at in ((given, -1), (delta, -2))
        )
        return left * right
    return given.unsqueeze(-1) * delta.unsqueeze(-2)


def _flat(x: Any) -> Any:
    return Rounded(x.value.flatten(-2), x.error.flatten(-2)) if isinstance(x, Rounded) else x.flatten(-2)
