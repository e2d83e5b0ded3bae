r"""The churn of Karras et al. is the churn family, at a rho that the grid decides.

Algorithm 2 of EDM raises sigma_i to (1 + gamma_i) sigma_i, then steps to sigma_{i+1}. Seen from one
raised level to the next, that is a deterministic step to sigma_{i+1} and forward noise, so a churn step:
with q = sigma_i / sigma_{i+1}, rho = log(q (1 + gamma)) / log(q (1 + gamma) / (1 + gamma')), gamma' the
churn of the next step. For equal gammas rho = 1 + log(1 + gamma) / log q, that is eta^2 = log(1 + gamma)
/ log q; it is DDPM exactly if 1 + gamma = q. The Euler step of Algorithm 2 is meant; the noise is not
inflated (S_noise = 1).

Not claimed: the second-order correction of Algorithm 2; its cap on gamma; S_noise other than 1.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, S, log, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import log_snr
from equiv.formulas.schedules import variance_exploding
from equiv.formulas.steps import churn_step, ddpm_step, renoise
from equiv.proofs._symbols import noise, x_hat, z_t

CLAIM = Claim(
    id="t-edm-churn",
    title="The churn of EDM as a rho",
    statement=r"\rho = \frac{\log q (1 + \gamma)}{\log \frac{q (1 + \gamma)}{1 + \gamma'}}, \qquad"
    r" \gamma' = \gamma:\ \rho = 1 + \frac{\log(1 + \gamma)}{\log q}, \qquad q = \sigma_i / \sigma_{i+1}",
    source=Source(seed="003", section="Diving deeper into samplers", equation="the level of churn"),
    needs=("t-churn-family",),
)

sigma, q, gamma, later = symbols("sigma q gamma gamma'", positive=True)


def _raised(raise_by: Any, grid: Any = 1) -> Any:
    return variance_exploding((1 + raise_by) * sigma / grid)


def _algorithm(churn: Any, next_churn: Any) -> Any:
    """From a raised level: an Euler step to the next level of the grid, which is then raised."""
    before, after = _raised(churn), variance_exploding(sigma / q)
    slope = (z_t - x_hat) / before.sigma
    euler = z_t + slope * (after.sigma - before.sigma)
    return renoise(euler, noise, after, _raised(next_churn, q))


def _rho(churn: Any, next_churn: Any) -> Any:
    return log(q * (1 + churn)) / log(q * (1 + churn) / (1 + next_churn))


def derivation() -> Derivation:
    before, after, between = _raised(gamma), _raised(later, q), variance_exploding(sigma / q)
    return Derivation(
        chains=(
            chain(
                "In log-SNR, Euler goes rho times as far as the step",
                log_snr(between) - log_snr(before),
                ("lambda is -2 log sigma", _rho(gamma, later) * (log_snr(after) - log_snr(before))),
            ),
            chain(
                "Algorithm 2 from one raised level to the next",
                _algorithm(gamma, later),
                ("a churn step", churn_step(z_t, x_hat, noise, _rho(gamma, later), before, after)),
            ),
            chain(
                "For equal gammas",
                _rho(gamma, gamma),
                ("1 + gamma cancels below", 1 + log(1 + gamma) / log(q)),
            ),
            chain("For 1 + gamma = q", _rho(q - 1, q - 1), ("log q / log q", S(2))),
            chain(
                "For 1 + gamma = q, the step itself",
                _algorithm(q - 1, q - 1),
                ("DDPM", ddpm_step(z_t, x_hat, noise, _raised(q - 1), _raised(q - 1, q))),
            ),
        ),
        hypotheses=(Gt(q, 1, evaluate=False), Gt(q * (1 + gamma), 1 + later, evaluate=False)),
    )


def false_variants() -> Iterable[Variant]:
    grid = (Gt(q, 1, evaluate=False),)
    before, after = _raised(gamma), _raised(gamma, q)
    step = _algorithm(gamma, gamma)
    for name, rho in (
        ("rho is 1 + gamma", 1 + gamma),
        ("rho is 1 + log(1 + gamma)", 1 + log(1 + gamma)),
        ("rho has the square of the root: eta = log(1 + gamma) / log q", 1 + (log(1 + gamma) / log(q)) ** 2),
    ):
        yield Variant(
            name=name, left=step, right=churn_step(z_t, x_hat, noise, rho, before, after), hypotheses=grid
        )
    yield Variant(
        name="any gamma is DDPM",
        left=step,
        right=ddpm_step(z_t, x_hat, noise, before, after),
        hypotheses=grid,
    )
    yield Variant(
        name="unequal gammas have the rho of the first",
        left=_algorithm(gamma, later),
        right=churn_step(z_t, x_hat, noise, 1 + log(1 + gamma) / log(q), before, _raised(later, q)),
        hypotheses=(*grid, Gt(q * (1 + gamma), 1 + later, evaluate=False)),
    )
