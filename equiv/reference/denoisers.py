"""Trained networks as what samplers ask for: the data prediction for a state at a level."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from equiv.formulas.levels import Level, log_snr
from equiv.formulas.predictions import TO_X
from equiv.formulas.schedules import variance_preserving
from equiv.number import N, sqrt
from equiv.reference.enclosure import evaluate
from equiv.reference.networks import ARCHITECTURES, Parameters
from equiv.rounding import Rounded


@dataclass(frozen=True, slots=True, eq=False)
class Denoisers:
    """Networks that predict the same ``kind``, in any gauge: states are ``(nets, cases, size)``."""

    architecture: str
    kind: str
    parameters: Parameters

    @property
    def count(self) -> int:
        """How many networks there are."""
        return len(next(iter(self.parameters.values())))

    def __call__(self, z: N, level: Level[N]) -> N:
        """The data predictions, from the outputs at the variance-preserving level of the same log-SNR."""
        raw, q, there = self.outputs(z, level)
        x_hat: N = TO_X[self.kind](q, raw, there)
        return x_hat

    def outputs(self, z: N, level: Level[N]) -> tuple[N, N, Level[N]]:
        """The outputs themselves, and the state and level that they are about."""
        q = z / sqrt(level.alpha**2 + level.sigma**2)
        return self.raw(q, log_snr(level)), q, variance_preserving(level)

    def raw(self, q: Any, told: Any) -> Any:
        """The outputs for a state in the variance-preserving gauge and the log-SNR that it is told."""
        shape = (self.count, *_value(q).shape[-2:])
        q, told = _expanded(q, shape), _expanded(told, (*shape[:2], 1))
        network = ARCHITECTURES[self.architecture]
        if isinstance(q, Rounded):
            return evaluate(network, self.parameters, q, told)
        return network(self.parameters, q, told)

    def to(self, device: str, dtype: torch.dtype) -> "Denoisers":
        """The same networks elsewhere; their parameters are rounded to the type."""
        parameters = {name: p.to(device, dtype) for name, p in self.parameters.items()}
        return Denoisers(self.architecture, self.kind, parameters)

    def __getitem__(self, which: Sequence[int] | slice) -> "Denoisers":
        """Some of the networks."""
        return Denoisers(self.architecture, self.kind, {k: p[which] for k, p in self.parameters.items()})


def _value(x: Any) -> Tensor:
    value: Tensor = x.value if isinstance(x, Rounded) else x
    return value


def _expanded(x: Any, shape: tuple[int, ...]) -> Any:
    if not isinstance(x, Rounded):
        return x.expand(shape)
    return Rounded(x.value.expand(shape), x.error.expand(shape))


def sample(denoise: Callable[[Any, Level[Any]], Any], z: Tensor, levels: Sequence[Level[Tensor]]) -> Tensor:
    """What DDIM makes of noise at the first of falling ``levels``; the last data prediction is the sample."""
    from equiv.formulas.samplers import euler, one_step

    with torch.no_grad():
        return one_step(euler, z, levels, denoise)
