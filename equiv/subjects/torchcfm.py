"""The conditional flow matchers of torchcfm, whose time is 0 at the source and 1 at the data.

Beside the two ends, a state has noise of its own.
"""

import functools
import importlib
import importlib.metadata
from collections.abc import Mapping
from typing import Any

from equiv.lookup import Unknown, find
from equiv.subjects.absent import bare_package, stand_in
from equiv.subjects.parts import Expression, Parts
from equiv.subjects.subject import Subject

_KINDS = (
    "ConditionalFlowMatcher",
    "TargetConditionalFlowMatcher",
    "SchrodingerBridgeConditionalFlowMatcher",
    "VariancePreservingConditionalFlowMatcher",
)


def names() -> tuple[str, ...]:
    """The matchers that are read; those that pair the ends otherwise have the formulas of these."""
    return tuple(f"torchcfm.{kind}" for kind in _KINDS)


@functools.cache
def subject(name: str) -> Subject:
    """The record of a matcher.

    Raises:
        Unknown: it is another name, or torchcfm is not installed.
    """
    find("subject", name, dict.fromkeys(names()), see=", ".join(names()))
    return Subject(
        name=name,
        library="torchcfm",
        version=importlib.metadata.version("torchcfm"),
        family="path",
        time="rising, from the source to the data",
        gauge="flow",
        prediction_types=("velocity",),
        source=_module().__file__,
        options={},
    )


@functools.cache
def _module() -> Any:
    try:
        bare_package("torchcfm")
        stand_in("ot")
        return importlib.import_module("torchcfm.conditional_flow_matching")
    except ImportError as error:
        raise Unknown(f"torchcfm cannot be imported ({error}): pip install --no-deps torchcfm") from None


def parts(subject: Subject, _: Mapping[str, str]) -> Parts:
    """A matcher, of any sigma."""
    kind = subject.name.partition(".")[2]
    return Parts(
        f"from torchcfm.conditional_flow_matching import {kind}\nmatcher = {kind}(spread)",
        {
            "z": Expression("x eps n t spread", "matcher.sample_xt(eps, x, t, n)"),
            "velocity": Expression("x eps z t spread", "matcher.compute_conditional_flow(eps, x, t, z)"),
        },
    )
