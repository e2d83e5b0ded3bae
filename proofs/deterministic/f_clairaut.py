r"""Along the probability flow the changes of the two predictions balance: DDIM's error is an integral.

Let x_hat and eps_hat be the predictions along a path z = alpha x_hat + sigma eps_hat. The path solves z' =
alpha' x_hat + sigma' eps_hat exactly if alpha x_hat' + sigma eps_hat' = 0 (as in Clairaut's equation). Then
alpha_s x_hat + sigma_s eps_hat, which is the DDIM step from time tau to s, changes with tau at the rate
sigma_s (alpha_s / sigma_s - alpha_tau / sigma_tau) x_hat'. At tau = s it is the exact state: integrating
from t to s gives the local error. For any network and any positive differentiable schedule.

Not claimed: the size of x_hat'; the error accumulated over steps.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, exp, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import log_snr, noise_ratio
from equiv.formulas.steps import ddim_step
from equiv.proofs._calculus import rate
from equiv.proofs._rates import rates
from equiv.proofs._symbols import eps_hat, now, then, x_hat

CLAIM = Claim(
    id="f-clairaut",
    title="The local error of DDIM is an integral",
    statement=r"\alpha\, d\hat x + \sigma\, d\hat\epsilon = 0, \qquad"
    r" z_s - \mathrm{DDIM}(z_t) = \sigma_s \int_t^s"
    r" \left(e^{\lambda_s/2} - e^{\lambda_\tau/2}\right) d\hat x_\tau",
    source=Source(seed="003", section="Sampling", equation="comment 1, the inaccuracy of DDIM"),
    needs=("p-conversions",),
)

x_rate, eps_rate = symbols("xhatdot epsilonhatdot", real=True)
RATES = {now.alpha: rates.alpha, now.sigma: rates.sigma, x_hat: x_rate, eps_hat: eps_rate}
BALANCED = -now.alpha / now.sigma * x_rate  # the rate of eps_hat by that of x_hat


def _by_time(e: Any) -> Any:
    """The chain rule: level and predictions move."""
    return sum((rate(e, of) * its_rate for of, its_rate in RATES.items()), start=S.Zero)


def _state() -> Any:
    return now.alpha * x_hat + now.sigma * eps_hat


def _velocity() -> Any:
    return rates.alpha * x_hat + rates.sigma * eps_hat


def _change(of_eps: Any) -> Any:
    """Of the pair, carried to the level s."""
    return then.alpha * x_rate + then.sigma * of_eps


def derivation() -> Derivation:
    carried = then.alpha * x_hat + then.sigma * eps_hat
    growth = 1 / noise_ratio(then) - 1 / noise_ratio(now)
    return Derivation(
        chains=(
            chain(
                "The path solves its equation exactly if the changes balance",
                _by_time(_state()) - _velocity(),
                ("the product rule", now.alpha * x_rate + now.sigma * eps_rate),
            ),
            chain(
                "Where they do, the change of eps",
                now.sigma * BALANCED,
                ("balances that of x", -now.alpha * x_rate),
            ),
            chain(
                "The DDIM step from any time keeps the pair",
                ddim_step(_state(), x_hat, now, then),
                ("eps is (z - alpha x) / sigma", carried),
            ),
            chain(
                "How it changes with the time it starts from",
                _by_time(carried),
                ("the level s stays", _change(eps_rate)),
            ),
            chain(
                "Where the changes balance",
                _change(BALANCED),
                ("eps' is -alpha / sigma x'", then.sigma * growth * x_rate),
                (
                    "alpha / sigma is exp(lambda/2)",
                    then.sigma * (exp(log_snr(then) / 2) - exp(log_snr(now) / 2)) * x_rate,
                ),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    growth = 1 / noise_ratio(then) - 1 / noise_ratio(now)
    for name, right in (
        ("the error with its sign turned", -then.sigma * growth * x_rate),
        ("the error with alpha_s in front", then.alpha * growth * x_rate),
        ("the error in noise ratios", then.sigma * (noise_ratio(then) - noise_ratio(now)) * x_rate),
        (
            "the error in lambda, not lambda/2",
            then.sigma * (exp(log_snr(then)) - exp(log_snr(now))) * x_rate,
        ),
    ):
        yield Variant(name=name, left=_change(BALANCED), right=right)
    yield Variant(name="every pair of predictions balances", left=_by_time(_state()), right=_velocity())
