"""What a class is held against: the formula it names, from its paper."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from equiv.number import clip
from equiv.obligations.networks import x_hat
from equiv.subjects.subject import Call, LiftedStep
from equiv.symbolic.expression import Expr

Config = Mapping[str, str]
CLIP_RANGE = 1  # of x_hat, where a class clips


def _what_is_missing(_step: LiftedStep, missing: Expr) -> Expr:
    return missing


def itself(_call: Call, x: Expr) -> Expr:
    """The data prediction of a class that has no other of its own."""
    return x


def _nothing(_step: LiftedStep) -> dict[str, Expr]:
    return {}


class Specification(NamedTuple):
    """``says`` is the formula in words; ``step`` gives the result of a step.

    ``variance`` is that of the noise which a step adds, given what a state at the next level is missing;
    with ``own_variance`` the two differ, as the method means it. ``own_x`` gives the data prediction for
    which a class that has one of its own has ``x``.
    ``kept`` gives what the step folds up, by the name of its variable.
    """

    says: str
    step: Callable[[LiftedStep], Expr]
    variance: Callable[[LiftedStep, Expr], Expr] = _what_is_missing
    own_variance: bool = False
    own_x: Callable[[Call, Expr], Expr] = itself
    kept: Callable[[LiftedStep], dict[str, Expr]] = _nothing


def clipped_x_hat(call: Call, config: Config) -> Expr:
    """The data prediction, clipped where the class clips it."""
    found = x_hat(call)
    return clip(found, -CLIP_RANGE, CLIP_RANGE) if config.get("clip_sample") == "True" else found
