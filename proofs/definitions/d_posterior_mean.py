r"""The best prediction in the mean square is the conditional expectation.

Given z, the mean square error of a prediction N of a target T is (N - E[T | z])^2 plus the conditional
variance of T, which does not depend on N. The targets x, eps, v, u and the score are affine in x once z is
given, so their conditional expectations are the same affine maps of E[x | z]. Only the linearity of the
expectation given z and its first two moments are used, for any data law with a second moment; by the tower
property the total error is the mean over z. Written for one coordinate; the error is a sum over
coordinates.

Not claimed: losses other than the mean square; that a network attains its best prediction.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Abs, Ne, Rational, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.predictions import FROM_X
from equiv.proofs._calculus import mean
from equiv.proofs._symbols import now, x_hat, z_t

CLAIM = Claim(
    id="d-posterior-mean",
    title="The best prediction is the conditional expectation",
    statement=r"\operatorname{argmin}_N E \lVert N(z) - T \rVert^2 = E[T | z]"
    r" \ \ (E \lVert T \rVert^2 < \infty), \qquad"
    r" E[\epsilon | z] = \frac{z - \alpha E[x | z]}\sigma,\quad"
    r" E[v | z] = \alpha E[\epsilon | z] - \sigma E[x | z],\quad E[u | z] = E[\epsilon | z] - E[x | z]",
    source=Source(seed="003", section="Training", equation="6 and the table of network outputs"),
    needs=("p-conversions",),
    cites=("tower property, for the error as a mean over states",),
)

x, target, prediction, of_target, square = symbols("x T N m q", real=True)
second = symbols("xhat_2", real=True)
GIVEN_Z = {0: 1, 1: x_hat, 2: second}  # the moments of x given z; x_hat is E[x | z]


def _loss(guess: Any) -> Any:
    """The mean square error given z, for a target with the first two moments m and q."""
    return mean((guess - target) ** 2, target, {0: 1, 1: of_target, 2: square})


def derivation() -> Derivation:
    return Derivation(
        chains=(
            chain(
                "The mean square error given z",
                _loss(prediction),
                ("the expectation is linear", prediction**2 - 2 * of_target * prediction + square),
                (
                    "complete the square; q - m^2 is the variance",
                    (prediction - of_target) ** 2 + (square - of_target**2),
                ),
            ),
            chain(
                "The least error is attained at E[T | z]",
                _loss(prediction) - _loss(of_target),
                ("the variance cancels", (prediction - of_target) ** 2),
            ),
            *(_best(kind) for kind in FROM_X),
        )
    )


def _best(kind: str) -> Chain:
    def of(data: Any) -> Any:
        return FROM_X[kind](z_t, data, now)

    return chain(
        f"The best prediction of {kind}",
        mean((prediction - of(x)) ** 2, x, GIVEN_Z) - mean((of(x_hat) - of(x)) ** 2, x, GIVEN_Z),
        ("affine in x, and the expectation is linear", (prediction - of(x_hat)) ** 2),
    )


def false_variants() -> Iterable[Variant]:
    yield Variant(
        name="the error is a square, without the variance",
        left=_loss(prediction),
        right=(prediction - of_target) ** 2,
    )
    yield Variant(
        name="the least error is at minus the expectation",
        left=_loss(prediction) - _loss(of_target),
        right=(prediction + of_target) ** 2,
    )
    yield Variant(
        name="the expectation of a square is the square of the expectation",
        left=mean(x**2, x, GIVEN_Z),
        right=x_hat**2,
    )
    a, b = symbols("a b", real=True)
    third = Rational(1, 3)
    average = 2 * third * a + third * b

    def absolute(guess: Any) -> Any:
        """The mean absolute error, for a target that is a with probability 2/3 and else b."""
        return 2 * third * Abs(guess - a) + third * Abs(guess - b)

    yield Variant(
        name="the expectation is also best for the absolute error",
        left=absolute(average),
        right=absolute(a),
        hypotheses=(Ne(a, b, evaluate=False),),
    )
