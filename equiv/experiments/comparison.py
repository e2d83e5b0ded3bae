"""Two ways to compute one thing, held against the bound that their rounding allows."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from equiv.evidence import Experiment, Witness
from equiv.rounding import Rounded, distance


class Sides(NamedTuple):
    """What is said to be equal, computed twice."""

    expected: Rounded
    got: Rounded


def compare(
    measure: str,
    claimed: Sides,
    variants: Mapping[str, Sides],
    *,
    valid: Tensor,
    inputs: Mapping[str, Tensor],
) -> Experiment:
    """The evidence that the sides agree, over the ``valid`` cases: those that meet the hypotheses.

    Differences are in units of the bound of their own case. Above 1 the exact values certainly differ: that
    refutes the claim, or rejects a variant. Finite values without a finite bound say nothing and are not
    counted as cases; a value that is not finite leaves all undecided.
    """
    difference, bound = distance(*claimed)
    counted = valid & (bound.isfinite() | ~difference.isfinite())
    unbounded = int((valid & ~counted).sum())
    ratio = _ratio(claimed)[counted]
    worst = ratio.max().item() if ratio.numel() else math.nan
    clear = {name for name, sides in variants.items() if (_ratio(sides)[valid] > 1).any().item()}
    median = f"median {bound[counted].median().item():.1e}" if ratio.numel() else "never finite"
    left_out = f"; {unbounded} more cases have no finite bound" if unbounded else ""
    return Experiment(
        worst=worst,
        bound=1.0,
        cases=ratio.numel(),
        rejected=tuple(name for name in variants if name in clear),
        surviving_variants=tuple(name for name in variants if name not in clear),
        witness=_witness(int(ratio.argmax()), claimed, counted, inputs) if worst > 1 else None,
        measure=f"{measure}, in units of the bound derived from its own roundings ({median}){left_out}",
    )


def _ratio(sides: Sides) -> Tensor:
    difference, bound = distance(*sides)
    return torch.where(bound.isfinite(), difference / bound, math.nan)


def _witness(worst: int, sides: Sides, counted: Tensor, inputs: Mapping[str, Tensor]) -> Witness:
    def at(values: Tensor) -> str:
        return repr(values.expand_as(counted)[counted][worst].double().item())

    return Witness(
        inputs={name: at(values) for name, values in inputs.items()},
        expected=at(sides.expected.value),
        got=at(sides.got.value),
        bound=at(distance(*sides)[1]),
    )
