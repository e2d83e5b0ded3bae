r"""In three gauges, a DDIM step is an Euler step whose slope is the network's output.

With z~ = z / sigma and eta = alpha / sigma the slope is x_hat; with z / alpha and sigma / alpha it is
eps_hat; with z / (alpha + sigma) and sigma / (alpha + sigma) it is u_hat.

Not claimed: the last step of the first row (sigma_s = 0) and the first step of the second from alpha_t =
0, which have no such form; agreement of solvers of higher order.
"""

from collections.abc import Iterable
from typing import Any

from sympy import sqrt

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level
from equiv.formulas.predictions import x_from_eps, x_from_u, x_from_v
from equiv.formulas.steps import ddim_step
from equiv.proofs._symbols import eps_hat, now, then, u_hat, v_hat, x_hat, z_t

CLAIM = Claim(
    id="f-three-rows",
    title="DDIM is an Euler step in x, eps and u",
    statement=r"\tilde z_s = \tilde z_t + N (\eta_s - \eta_t) \quad\text{for}\quad (N, \tilde z, \eta) ="
    r" \left(\hat x, \frac z\sigma, \frac\alpha\sigma\right),"
    r" \left(\hat\epsilon, \frac z\alpha, \frac\sigma\alpha\right),"
    r" \left(\hat u, \frac z{\alpha + \sigma}, \frac\sigma{\alpha + \sigma}\right)",
    source=Source(seed="003", section="Sampling", equation="5 and the table of reparametrisations"),
    needs=("p-conversions",),
)


def _total(level: Level[Any]) -> Any:
    return level.alpha + level.sigma


def derivation() -> Derivation:
    eps_of_x = (z_t - now.alpha * x_hat) / now.sigma
    x_of_eps = (z_t - now.sigma * eps_hat) / now.alpha
    return Derivation(
        chains=(
            chain(
                "Row x",
                ddim_step(z_t, x_hat, now, then) / then.sigma,
                ("divide the step", then.alpha / then.sigma * x_hat + eps_of_x),
                ("collect x", z_t / now.sigma + x_hat * (then.alpha / then.sigma - now.alpha / now.sigma)),
            ),
            chain(
                "Row eps",
                ddim_step(z_t, x_from_eps(z_t, eps_hat, now), now, then) / then.alpha,
                ("divide the step", x_of_eps + then.sigma / then.alpha * eps_hat),
                (
                    "collect eps",
                    z_t / now.alpha + eps_hat * (then.sigma / then.alpha - now.sigma / now.alpha),
                ),
            ),
            chain(
                "Row u",
                ddim_step(z_t, x_from_u(z_t, u_hat, now), now, then) / _total(then),
                (
                    "x and eps from u",
                    (then.alpha * (z_t - now.sigma * u_hat) + then.sigma * (z_t + now.alpha * u_hat))
                    / (_total(now) * _total(then)),
                ),
                (
                    "collect z",
                    z_t / _total(now)
                    + u_hat
                    * (then.sigma * now.alpha - then.alpha * now.sigma)
                    / (_total(now) * _total(then)),
                ),
                (
                    "over a common denominator",
                    z_t / _total(now) + u_hat * (then.sigma / _total(then) - now.sigma / _total(now)),
                ),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    yield Variant(
        name="row x with eta turned over",
        left=ddim_step(z_t, x_hat, now, then) / then.sigma,
        right=z_t / now.sigma + x_hat * (then.sigma / then.alpha - now.sigma / now.alpha),
    )
    yield Variant(
        name="row eps in the gauge of row x",
        left=ddim_step(z_t, x_from_eps(z_t, eps_hat, now), now, then) / then.sigma,
        right=z_t / now.sigma + eps_hat * (then.sigma / then.alpha - now.sigma / now.alpha),
    )
    yield Variant(
        name="row eps with the square of the noise ratio as eta",
        left=ddim_step(z_t, x_from_eps(z_t, eps_hat, now), now, then) / then.alpha,
        right=z_t / now.alpha + eps_hat * (then.sigma**2 / then.alpha**2 - now.sigma**2 / now.alpha**2),
    )
    yield Variant(
        name="row u without a change of gauge",
        left=ddim_step(z_t, x_from_u(z_t, u_hat, now), now, then),
        right=z_t + u_hat * (then.sigma / _total(then) - now.sigma / _total(now)),
    )
    length_now, length_then = (sqrt(level.alpha**2 + level.sigma**2) for level in (now, then))
    yield Variant(
        name="a row for v in the variance-preserving gauge",
        left=ddim_step(z_t, x_from_v(z_t, v_hat, now), now, then) / length_then,
        right=z_t / length_now + v_hat * (then.sigma / length_then - now.sigma / length_now),
    )
