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

from sympy import Derivative, Function, Lambda, S, evaluate, exp

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, log_snr, noise_ratio
from equiv.formulas.steps import ddim_step
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import inside, t, then

CLAIM = Claim(
    id="f-clairaut",
    title="The local error of DDIM is an integral",
    statement=r"\alpha\, d\hat x + \sigma\, d\hat\epsilon = 0, \qquad"
    r" z_s - \mathrm{DDIM}(z_t) = \sigma_s \int_t^s"
    r" \left(e^{\lambda_s/2} - e^{\lambda_\tau/2}\right) d\hat x_\tau",
    source=Source(seed="003", section="Sampling", equation="comment 1, the inaccuracy of DDIM"),
    needs=("p-conversions",),
)

alpha, sigma = Function("alpha", positive=True), Function("sigma", positive=True)
x_along, eps_along = Function("X", real=True), Function("E", real=True)
LEVEL = Level(alpha(t), sigma(t))
FLOW = {alpha: Lambda(t, 1 - t), sigma: Lambda(t, t), x_along: Lambda(t, t), eps_along: Lambda(t, t**2)}


def _state() -> Any:
    return alpha(t) * x_along(t) + sigma(t) * eps_along(t)


def _velocity() -> Any:
    return rate(alpha(t)) * x_along(t) + rate(sigma(t)) * eps_along(t)


def _balance() -> Any:
    return alpha(t) * rate(x_along(t)) + sigma(t) * rate(eps_along(t))


def _change() -> Any:
    """Of the pair, carried to the level s."""
    return then.alpha * rate(x_along(t)) + then.sigma * rate(eps_along(t))


def _on_the_path(e: Any) -> Any:
    """``e``, with the rate of eps_hat by that of x_hat."""
    with evaluate(True):
        return e.subs(Derivative(eps_along(t), t), -alpha(t) / sigma(t) * rate(x_along(t)))


def derivation() -> Derivation:
    step = ddim_step(_state(), x_along(t), LEVEL, then)
    growth = 1 / noise_ratio(then) - 1 / noise_ratio(LEVEL)
    return Derivation(
        chains=(
            chain(
                "The path solves its equation exactly if the changes balance",
                rate(_state()) - _velocity(),
                ("the product rule", _balance()),
            ),
            chain("On such a path", _on_the_path(_balance()), ("eps' is -alpha / sigma x'", S.Zero)),
            chain(
                "The DDIM step from any time keeps the pair",
                step,
                ("eps is (z - alpha x) / sigma", then.alpha * x_along(t) + then.sigma * eps_along(t)),
            ),
            chain(
                "How it changes with the time it starts from",
                rate(then.alpha * x_along(t) + then.sigma * eps_along(t)),
                ("the level s stays", _change()),
            ),
            chain(
                "On such a path",
                _on_the_path(_change()),
                ("the changes balance", then.sigma * growth * rate(x_along(t))),
                (
                    "alpha / sigma is exp(lambda/2)",
                    then.sigma * (exp(log_snr(then) / 2) - exp(log_snr(LEVEL) / 2)) * rate(x_along(t)),
                ),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    slope = _on_the_path(_change())
    growth = 1 / noise_ratio(then) - 1 / noise_ratio(LEVEL)
    hypotheses = (inside(t),)
    for name, right in (
        ("the error with its sign turned", -then.sigma * growth * rate(x_along(t))),
        ("the error with alpha_s in front", then.alpha * growth * rate(x_along(t))),
        (
            "the error in noise ratios",
            then.sigma * (noise_ratio(then) - noise_ratio(LEVEL)) * rate(x_along(t)),
        ),
        (
            "the error in lambda, not lambda/2",
            then.sigma * (exp(log_snr(then)) - exp(log_snr(LEVEL))) * rate(x_along(t)),
        ),
    ):
        yield Variant(name=name, left=slope, right=right, hypotheses=hypotheses, instance=FLOW)
    yield Variant(
        name="every pair of predictions balances",
        left=_balance(),
        right=S.Zero,
        hypotheses=hypotheses,
        instance=FLOW,
    )
