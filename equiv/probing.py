r"""Reads code that cannot be lifted, as the coefficients of an affine function, by running it.

For numpy, compiled code and whatever else leaves torch. Every element of the result must be
:math:`c_0 + \sum_j c_j x_j` in the same element of the inputs; that is tested on random inputs of several
sizes, which covers those inputs only. How far rounding takes the code from exact arithmetic cannot be seen
from outside: it is declared, as a :class:`Budget`, and printed as a condition.
"""

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from equiv.evidence import Condition, Conformance, Witness
from equiv.symbolic import balls
from equiv.symbolic.expression import Expr, text

Array = NDArray[np.float64]
Code = Callable[..., Any]  # of keyword arguments, arrays of one shape; returns an array of it

SHAPE = (2, 3, 5, 7)  # dimensions distinct and above one: no element can be mistaken for another
SIZES = (2.0**-10, 1.0, 1.0, 2.0**10)  # of the random inputs
LARGE = 2.0**20  # of the input whose slope is measured: what it is added to hardly matters
UNIT = 2.0**-53
CLOSEST = 2.0**-10  # a coefficient wrong by this share must be told from the right one


class NotAffine(Exception):
    """The code is not the same affine function of each element: it says at which inputs that shows."""


class Budget(NamedTuple):
    """What rounding may do: so many roundings of float64, of numbers so many times the largest input or 1."""

    roundings: int
    growth: float

    def error(self, size: float) -> float:
        """How far the result may be from exact for inputs up to ``size``."""
        return self.roundings * UNIT * self.growth * max(1.0, size)

    @property
    def condition(self) -> Condition:
        text = (
            f"declared, not seen: at most {self.roundings} roundings of float64, of numbers up to "
            f"{self.growth:g} times the largest input"
        )
        return Condition(text=text, kind="library setting")


class Affine(NamedTuple):
    """The coefficients found; each is within ``error`` of that of exact arithmetic, if the budget is met."""

    constant: float
    slopes: Mapping[str, float]
    error: float
    cases: int  # random inputs on which it is affine
    budget: Budget


def probe(
    code: Code, names: Sequence[str], budget: Budget, *, shape: tuple[int, ...] = SHAPE, seed: int = 0
) -> Affine:
    """The coefficients of ``code`` in the arguments named.

    Raises:
        NotAffine: it is not affine, mixes elements, gives another result when run again, or one that is not
            finite.
    """

    def run(inputs: Mapping[str, Array]) -> Array:
        first, again = (_result(code, inputs, shape) for _ in range(2))
        if not np.array_equal(first, again):
            raise NotAffine("run twice on the same inputs, the code returns two results")
        return first

    zero = {name: np.zeros(shape) for name in names}
    constant = run(zero)
    measured = {"": constant}
    for name in names:
        measured[name] = (run({**zero, name: np.full(shape, LARGE)}) - constant) / LARGE
    error = 2 * budget.error(LARGE) / LARGE + 4 * UNIT * budget.growth
    if uneven := [name or "the constant" for name, c in measured.items() if not np.ptp(c) <= error]:
        raise NotAffine(f"the coefficient of {uneven[0]} is not the same in all elements")
    slopes = {name: float(c.flat[0]) for name, c in measured.items() if name}
    found = Affine(float(constant.flat[0]), slopes, error, len(SIZES), budget)
    chance = np.random.default_rng(seed)
    for size in SIZES:
        inputs = {name: size * chance.standard_normal(shape) for name in names}
        _agree(found, inputs, run(inputs))
    return found


def _result(code: Code, inputs: Mapping[str, Array], shape: tuple[int, ...]) -> Array:
    result = np.asarray(code(**{name: x.copy() for name, x in inputs.items()}))
    if result.shape != shape or result.dtype != np.float64:
        raise NotAffine(f"the code returns {result.shape} {result.dtype} for inputs of {shape} float64")
    if not np.isfinite(result).all():
        raise NotAffine("the code returns numbers that are not finite")
    return result


def _agree(found: Affine, inputs: Mapping[str, Array], got: Array) -> None:
    """Is the result what the coefficients say, within rounding?"""
    sizes = [float(np.abs(x).max()) for x in inputs.values()]
    expected = found.constant + sum(found.slopes[name] * x for name, x in inputs.items())
    bound = found.budget.error(max(sizes)) + found.error * (1 + sum(sizes)) * 2
    if not (np.abs(got - expected) <= bound).all():
        k = int(np.argmax(np.abs(got - expected)))
        at = ", ".join(f"{name} = {float(x.flat[k])!r}" for name, x in inputs.items())
        raise NotAffine(
            f"at {at} the code returns {float(got.flat[k])!r}; its coefficients give "
            f"{float(np.asarray(expected).flat[k])!r}: it is not affine, or mixes elements"
        )


def of_torch(code: Callable[..., Any]) -> Code:
    """Torch code as a function of arrays, all that it makes narrower kept in float64."""
    import torch

    from equiv.lifting.modes import Doubled

    def run(**inputs: Array) -> Any:
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)
        try:
            with Doubled():  # type: ignore[no-untyped-call]
                return code(**{name: torch.from_numpy(x) for name, x in inputs.items()}).detach().numpy()
        finally:
            torch.set_default_dtype(before)

    return run


# --- against a formula ----------------------------------------------------------------------------------


def hold(
    found: Affine,
    expected: Expr,
    inputs: Mapping[str, Expr],
    point: Mapping[Expr, Fraction],
    says: str,
    *,
    least: float = 0.0,
) -> Conformance:
    """Hold coefficients against a formula that is affine in ``inputs``, its other symbols at ``point``.

    Where they agree, every coefficient that is wrong by a thousandth, turned or left out must be told from
    it; else nothing is decided. Those below ``least`` times the largest need not be.

    Raises:
        ValueError: the formula is not affine in its inputs.
    """
    right = _coefficients(expected, inputs, point)
    got = {"": found.constant, **found.slopes}
    conditions = (found.budget.condition, _sampled(found), *_waived(least))
    for name, ball in right.items():
        if not balls.apart(ball, _around(got[name], found.error)):
            continue
        where = {other: "1" if other == name else "0" for other in inputs}
        of = f"the coefficient of {name}" if name else "the constant"
        shown = Witness(
            inputs=where,
            expected=f"{of} {balls.show(ball)}",
            got=repr(got[name]),
            bound=f"{found.error:.1e}",
        )
        return Conformance(method="probing", steps=1, expected=says, witness=shown, reproduced=True)
    largest = max(abs(float(ball.mid())) for ball in right.values())
    if weak := next(_unseen(right, found.error, least * largest), ""):
        return Conformance(method="probing", steps=0, expected=says, reason=weak)
    return Conformance(method="probing", steps=1, expected=says, conditions=conditions)


def _coefficients(
    expected: Expr, inputs: Mapping[str, Expr], point: Mapping[Expr, Fraction]
) -> dict[str, Any]:
    """The constant, named "", and the slopes, as balls."""

    def value(numbers: Mapping[str, Fraction]) -> Any:
        return balls.evaluate(
            expected, {**point, **{e: numbers.get(n, Fraction(0)) for n, e in inputs.items()}}
        )

    constant = value({})
    slopes = {name: value({name: Fraction(1)}) - constant for name in inputs}
    for k in (3, -7):
        numbers = {name: Fraction(k + i, 5) for i, name in enumerate(inputs)}
        line = functools.reduce(
            lambda total, name: total + slopes[name] * balls.exact(numbers[name]), inputs, constant
        )
        if not (line - value(numbers)).contains(0):
            raise ValueError(f"a formula to probe against must be affine in its inputs; got {text(expected)}")
    return {"": constant, **slopes}


def _waived(least: float) -> Iterator[Condition]:
    if least:
        said = f"a coefficient below {least:.1e} of the largest need not be told from one a little wrong"
        yield Condition(text=said, kind="hypothesis")


def _unseen(right: Mapping[str, Any], error: float, least: float) -> Iterator[str]:
    """Wrong coefficients that the bound would let through."""
    for name, ball in right.items():
        size = abs(float(ball.mid()))
        of = f"the coefficient of {name}" if name else "the constant"
        if not ball.is_finite():
            yield f"{of} has no value here"
        elif size >= least and not ball.contains(0) and not size * CLOSEST > 2 * error:
            yield f"{of}, {size:.3g}, is too small to be told from a wrong one within {error:.1e}"


def _around(value: float, error: float) -> Any:
    from flint import arb

    return arb(value, error)


def _sampled(found: Affine) -> Condition:
    seen = f"affine and elementwise on {found.cases} random inputs of sizes {SIZES[0]:g} to {SIZES[-1]:g}"
    return Condition(text=seen, kind="hypothesis")
