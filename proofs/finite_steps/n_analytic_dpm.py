r"""The noise that makes up for what a step loses.

Adding alpha_s^2 (1 - kappa^rho)^2 E Var(x | z_t) to the variance of the churn step's noise restores the
second moment of the level s, in one dimension or where that covariance is a multiple of the identity; for
rho = 2 it is the optimal variance of Analytic-DPM. It takes no more than the mean square of the network:
E Var(x | z) is sigma^2 / alpha^2 times 1 - E eps_hat^2, or 1 - sigma^2 E s^2 with the score s, per
dimension.

Not claimed: covariances that are no multiple of the identity; more than two moments.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, S, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, kappa
from equiv.formulas.steps import churn_step, ddpm_step
from equiv.proofs._symbols import less_noisy, now, then

CLAIM = Claim(
    id="n-analytic-dpm",
    title="Noise that restores the second moment",
    statement=r"\sigma_s^2 (1 - \kappa^{2 (\rho - 1)})"
    r" + \alpha_s^2 (1 - \kappa^\rho)^2\, E \operatorname{Var}(x | z_t), \qquad"
    r" E \operatorname{Var}(x | z_t) = \frac{\sigma_t^2}{\alpha_t^2} (1 - E \hat\epsilon^2)"
    r" = \frac{\sigma_t^2}{\alpha_t^2} (1 - \sigma_t^2 E \hat s^2)",
    source=Source(
        seed="003", section="Diving deeper into samplers", equation="implied: the variance of a step"
    ),
    needs=("n-covariance-loss",),
    cites=("tower property (law of total variance), for the second moments",),
)

rho = symbols("rho", positive=True)
of_x_hat, left_open, of_eps_hat, mean, second = symbols("p e h m q", real=True)


def _moments_after(extra: Any, power: Any) -> Any:
    """The variance after the churn step from the exact law, with more noise than it has.

    The state is alpha x + sigma eps; it has the covariance alpha Var x with x, and so with x_hat, and
    Var x is Var x_hat + E Var(x | z).
    """
    of_x = of_x_hat + left_open
    of_z = now.alpha**2 * of_x + now.sigma**2
    a = churn_step(S.One, S.Zero, S.Zero, power, now, then)
    b = churn_step(S.Zero, S.One, S.Zero, power, now, then)
    shared = now.alpha * of_x  # E[z x] = E[z x_hat]
    added = churn_step(S.Zero, S.Zero, S.One, power, now, then) ** 2
    return a**2 * of_z + 2 * a * b * shared + b**2 * of_x_hat + added + extra


def _of_level(level: Level[Any]) -> Any:
    return level.alpha**2 * (of_x_hat + left_open) + level.sigma**2


def _lost(power: Any) -> Any:
    return then.alpha**2 * (1 - kappa(now, then) ** power) ** 2 * left_open


def derivation() -> Derivation:
    return Derivation(
        chains=(*_restored(), *_by_the_network()),
        hypotheses=(less_noisy(then, now), Gt(rho, 1, evaluate=False)),
    )


def _restored() -> Iterable[Chain]:
    yield chain(
        "The variance after the step, with what it loses added",
        _moments_after(_lost(rho), rho),
        ("that of the level s", _of_level(then)),
    )
    yield chain(
        "DDPM: the variance of its noise, with what it loses added",
        ddpm_step(0, 0, 1, now, then) ** 2 + _lost(2),
        (
            "by kappa",
            then.sigma**2 * (1 - kappa(now, then) ** 2)
            + then.alpha**2 * (1 - kappa(now, then) ** 2) ** 2 * left_open,
        ),
    )


def _by_the_network() -> Iterable[Chain]:
    gain = (now.sigma / now.alpha) ** 2
    yield chain(
        "For every z, Var(eps | z) where eps has the mean m and the mean square q",
        second - 2 * mean * mean + mean**2,
        ("so that its mean is 1 - E eps_hat^2", second - mean**2),
    )
    yield chain(
        "For every z, Var(x | z) with x = (z - sigma eps) / alpha",
        (-now.sigma / now.alpha) ** 2 * (second - mean**2),
        ("z is given", gain * (second - mean**2)),
    )
    yield chain(
        "By the score, which is -eps_hat / sigma",
        gain * (1 - now.sigma**2 * ((-1 / now.sigma) ** 2 * of_eps_hat)),
        ("E eps_hat^2 is sigma^2 E s^2", gain * (1 - of_eps_hat)),
    )


def false_variants() -> Iterable[Variant]:
    falling = (less_noisy(then, now), Gt(rho, 1, evaluate=False))
    ratio = kappa(now, then)
    for name, extra in (
        ("nothing added", S.Zero),
        ("what DDIM loses", then.alpha**2 * (1 - ratio) ** 2 * left_open),
        ("the whole of what x leaves open", then.alpha**2 * left_open),
        ("the exponent is rho - 1", then.alpha**2 * (1 - ratio ** (rho - 1)) ** 2 * left_open),
    ):
        yield Variant(name=name, left=_moments_after(extra, rho), right=_of_level(then), hypotheses=falling)
    yield Variant(
        name="the variance of x by that of eps, without sigma^2 / alpha^2",
        left=(-now.sigma / now.alpha) ** 2 * (second - mean**2),
        right=second - mean**2,
    )
