r"""Predictions are derived from one another, given the state.

A prediction N is linear in (x, eps), as is z = alpha x + sigma eps. Where the determinant of the pair (z,
N) is not zero, N and z determine x and eps: -sigma for x, alpha for eps, alpha^2 + sigma^2 for v, alpha +
sigma for u, -alpha / sigma for the score. So v and u can be converted at every level, x not at sigma = 0,
eps and the score not at alpha = 0.

Not claimed: how conversions amplify errors; anything at levels where a determinant is zero.
"""

from collections.abc import Callable, Iterable
from typing import Any

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.predictions import (
    eps_from_x,
    score_from_x,
    u_from_x,
    v_from_x,
    x_from_eps,
    x_from_score,
    x_from_u,
    x_from_v,
)
from equiv.formulas.schedules import flow_matching
from equiv.proofs._symbols import eps_hat, inside, now, t, u_hat, v_hat, x_hat, z_t

CLAIM = Claim(
    id="p-conversions",
    title="Predictions convert into one another",
    statement=r"\hat x = \frac{z - \sigma \hat\epsilon}{\alpha}"
    r" = \frac{\alpha z - \sigma \hat v}{\alpha^2 + \sigma^2}"
    r" = \frac{z - \sigma \hat u}{\alpha + \sigma}, \qquad"
    r" \hat\epsilon = \frac{z - \alpha \hat x}{\sigma} = \frac{\sigma z + \alpha \hat v}{\alpha^2 + \sigma^2}"
    r" = \frac{z + \alpha \hat u}{\alpha + \sigma}",
    source=Source(seed="003", section="Training", equation="table of network outputs"),
)

alpha, sigma = now


def _state(x: Any, eps: Any) -> Any:
    return alpha * x + sigma * eps


def _x(x: Any, _eps: Any) -> Any:
    return x


def _eps(_x: Any, eps: Any) -> Any:
    return eps


def _v(x: Any, eps: Any) -> Any:
    return alpha * eps - sigma * x


def _u(x: Any, eps: Any) -> Any:
    return eps - x


def _score(_x: Any, eps: Any) -> Any:
    return -eps / sigma


def _determinant(prediction: Callable[[Any, Any], Any]) -> Any:
    """Of the map from (x, eps) to (z, N), from its values on the unit vectors."""
    return _state(1, 0) * prediction(0, 1) - _state(0, 1) * prediction(1, 0)


def derivation() -> Derivation:
    z = _state(x_hat, eps_hat)
    return Derivation(
        chains=(
            *_determinants(),
            chain("x from eps", x_from_eps(z, eps_hat, now), ("z is alpha x + sigma eps", x_hat)),
            chain("x from v", x_from_v(z, _v(x_hat, eps_hat), now), ("the terms in eps cancel", x_hat)),
            chain("x from u", x_from_u(z, _u(x_hat, eps_hat), now), ("the terms in eps cancel", x_hat)),
            chain(
                "x from the score", x_from_score(z, _score(x_hat, eps_hat), now), ("s is -eps / sigma", x_hat)
            ),
            chain("eps from x", eps_from_x(z, x_hat, now), ("z is alpha x + sigma eps", eps_hat)),
            chain(
                "eps from v",
                eps_from_x(z_t, x_from_v(z_t, v_hat, now), now),
                ("through x", (sigma * z_t + alpha * v_hat) / (alpha**2 + sigma**2)),
            ),
            chain(
                "eps from u",
                eps_from_x(z_t, x_from_u(z_t, u_hat, now), now),
                ("through x", (z_t + alpha * u_hat) / (alpha + sigma)),
            ),
            chain("v from x", v_from_x(z, x_hat, now), ("by its definition", _v(x_hat, eps_hat))),
            chain("u from x", u_from_x(z, x_hat, now), ("by its definition", _u(x_hat, eps_hat))),
            chain(
                "the score from x", score_from_x(z, x_hat, now), ("by its definition", _score(x_hat, eps_hat))
            ),
        )
    )


def _determinants() -> Iterable[Chain]:
    yield chain("Determinant of (z, x)", _determinant(_x), ("expand", -sigma))
    yield chain("Determinant of (z, eps)", _determinant(_eps), ("expand", alpha))
    yield chain("Determinant of (z, v)", _determinant(_v), ("expand", alpha**2 + sigma**2))
    yield chain("Determinant of (z, u)", _determinant(_u), ("expand", alpha + sigma))
    yield chain("Determinant of (z, s)", _determinant(_score), ("expand", -alpha / sigma))


def false_variants() -> Iterable[Variant]:
    yield Variant(
        name="x from v by the variance-preserving formula, at any level",
        left=x_from_v(z_t, v_hat, now),
        right=alpha * z_t - sigma * v_hat,
    )
    yield Variant(
        name="x from v by the variance-preserving formula, on the flow-matching schedule",
        left=x_from_v(z_t, v_hat, flow_matching(t)),
        right=(1 - t) * z_t - t * v_hat,
        hypotheses=(inside(t),),
    )
    yield Variant(
        name="x from a velocity that points from noise to data",
        left=x_from_u(_state(x_hat, eps_hat), x_hat - eps_hat, now),
        right=x_hat,
    )
    yield Variant(
        name="x from u by the flow-matching formula, at any level",
        left=x_from_u(z_t, u_hat, now),
        right=z_t - sigma * u_hat,
    )
    yield Variant(
        name="the score has the sign of the noise",
        left=x_from_score(_state(x_hat, eps_hat), eps_hat / sigma, now),
        right=x_hat,
    )
    yield Variant(
        name="the score is the noise divided by its variance",
        left=x_from_score(_state(x_hat, eps_hat), -eps_hat / sigma**2, now),
        right=x_hat,
    )
