r"""With the exact denoiser, churn of any amount has the marginals of the forward process, as steps shrink.

Per signal, y = z / alpha, a churn step from r_t to r_s is q y + (1 - q) x_hat(y) + noise, with q = kappa^rho.
With a draw x from the posterior in place of x_hat it would take y' from p_t to p_s exactly. So let both run
side by side from one start, with the same noise, and x drawn afresh given y'. Their distance Delta = y - y'
becomes q Delta + (1 - q) (x_hat(y) - x_hat(y')) + (1 - q) (x_hat(y') - x), and given y and y' the last term
has the mean zero. Let Var(x | y) be at most v, so that x_hat, whose slope is Var(x | y) / r^2, is Lipschitz
with l = v / r^2, r the least noise ratio. Then a step with 1 - q <= delta makes of D = E Delta^2 at most
exp(2 l delta) D + delta^2 v, and steps with the sum S of their deltas, none above m, make at most v m S
exp(2 l S). Here delta = rho (lambda_s - lambda_t) / 2, so that S is given by the ends, for constant rho, and
the root of that bounds the Wasserstein distance W_2 between the sampler's law and p_s: it is O(sqrt m) for
every rho, so for every eta, also where eta changes from step to step. For data in [-R, R], v is R^2.

In several dimensions the slope is Cov(x | y) / r^2, which is symmetric, and v bounds its eigenvalues and, in
delta^2 v, its trace.

Not claimed: that O(sqrt m) is the best rate; data whose posterior variance has no bound; sampling from alpha
= 0 or down to sigma = 0, where S and l are infinite; learned or guided denoisers.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, S, exp, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import kappa, log_snr, noise_ratio
from equiv.formulas.steps import churn_step
from equiv.proofs._calculus import mean, rate
from equiv.proofs._densities import averaged, first, slope, variance
from equiv.proofs._densities import x as data
from equiv.proofs._symbols import less_noisy, noise, now, then, x_hat

CLAIM = Claim(
    id="t-churn-marginals",
    title="Churn of any amount has the marginals, as steps shrink",
    statement=r"z_1 \sim p_1,\ \hat x = E[x | z],\ \mathrm{Var}(x | z) \le v:\quad"
    r" W_2\left(\mathrm{law}\, \tfrac{z_s}{\alpha_s}, \mathrm{law}(x + r_s \epsilon)\right)^2"
    r" \le v\, m\, S\, e^{2 \ell S}, \qquad"
    r" S = \tfrac\rho2 (\lambda_s - \lambda_1),\ m = \tfrac\rho2 \max_i \Delta\lambda_i,"
    r"\ \ell = \frac v{r_s^2},\ r = \frac\sigma\alpha",
    source=Source(
        seed="003",
        section="SDE and ODE Perspective",
        equation="eta controls the amount of stochasticity at inference time",
    ),
    needs=("t-churn-family", "d-tweedie-2", "d-posterior-mean"),
    cites=(
        "dominated convergence, for the slope of x_hat",
        "tower property, for the mean square of a sum",
        "induction over steps, for the sum of the errors",
    ),
)

rho = symbols("rho", positive=True)
apart, gap, left_out = symbols("Delta g xi", real=True)
q, l, m, v, sums, delta, length, radius = symbols("q l m v S delta u R", positive=True)
x, y, y_exact, of_y, of_exact = symbols("x y y' xhat(y) xhat(y')", real=True)


def _step(state: Any, prediction: Any) -> Any:
    """The churn step per signal, without its noise, keeping the part q of the state."""
    return q * state + (1 - q) * prediction


def _bound(total: Any) -> Any:
    return v * m * exp(2 * l * total) * total


def derivation() -> Derivation:
    return Derivation(
        chains=(*_exact_with_x(), *_side_by_side(), *_slope(), *_many_steps()),
        hypotheses=(less_noisy(then, now), Gt(rho, 1, evaluate=False), Gt(1, q, evaluate=False)),
    )


def _exact_with_x() -> Iterable[Chain]:
    kept, r_t, r_s = kappa(now, then) ** rho, noise_ratio(now), noise_ratio(then)
    fresh = r_s * sqrt(1 - kappa(now, then) ** (2 * (rho - 1)))
    yield chain(
        "The churn step, per signal",
        churn_step(now.alpha * y, x_hat, noise, rho, now, then) / then.alpha,
        ("r_s kappa^(rho - 1) / r_t is kappa^rho", kept * y + (1 - kept) * x_hat + fresh * noise),
    )
    yield chain(
        "Without noise (rho = 1) it is the DDIM step, per signal",
        churn_step(now.alpha * y, x_hat, S.Zero, S.One, now, then) / then.alpha,
        ("q is kappa", kappa(now, then) * y + (1 - kappa(now, then)) * x_hat),
    )
    yield chain("... and what it keeps of the noise", kappa(now, then) * r_t, ("is all of it", r_s))
    yield chain("With the true x it is exact: the signal", _step(x, x), ("q + 1 - q", x))
    yield chain(
        "With the true x it is exact: the variance of the noise",
        (kept * r_t) ** 2 + fresh**2,
        ("what is kept and what is fresh", r_s**2),
    )
    yield chain(
        "q by the log-SNR",
        kept,
        ("kappa is exp(-(lambda_s - lambda_t) / 2)", exp(-rho * (log_snr(then) - log_snr(now)) / 2)),
    )


def _side_by_side() -> Iterable[Chain]:
    yield chain(
        "The step with x_hat less the exact one, with the same noise",
        _step(y, of_y) - _step(y_exact, x),
        (
            "add and take away x_hat(y')",
            q * (y - y_exact) + (1 - q) * (of_y - of_exact) + (1 - q) * (of_exact - x),
        ),
    )
    factor = q + (1 - q) * gap  # x_hat(y) - x_hat(y') is the gap times the distance
    yield chain(
        "Its mean square given y and y', where x_hat(y') - x has the mean zero and the variance v",
        mean((factor * apart + (1 - q) * left_out) ** 2, left_out, {0: S.One, 1: S.Zero, 2: v}),
        ("nothing is shared", factor**2 * apart**2 + (1 - q) ** 2 * v),
    )
    yield chain(
        "1 + (1 - q) l less that factor, which is positive as the gap is not negative",
        1 + (1 - q) * l - factor,
        ("positive for a gap of at most l", (1 - q) * (1 + (l - gap))),
    )


def _slope() -> Iterable[Chain]:
    by_z = (averaged(slope(data)) * averaged(S.One) - averaged(data) * averaged(slope(S.One))) / averaged(
        S.One
    ) ** 2
    yield chain(
        "The slope of x_hat in y is alpha times that in z",
        now.alpha * by_z,
        ("the quotient rule, by the posterior variance", variance() / noise_ratio(now) ** 2),
    )
    second = symbols("E[x^2|z]", real=True)
    yield chain(
        "For data in [-R, R], what the posterior variance is short of R^2",
        radius**2 - variance(),
        ("the mean of R^2 - x^2, and a square", (radius**2 - second) + first**2),
    )


def _many_steps() -> Iterable[Chain]:
    yield chain(
        "1 - exp(-u) is at most u: their distance from zero on grows",
        rate(length - (1 - exp(-length)), length),
        ("differentiate; not negative", 1 - exp(-length)),
    )
    yield chain(
        "1 + u is at most exp(u): their distance from zero on grows",
        rate(exp(length) - (1 + length), length),
        ("differentiate; not negative", exp(length) - 1),
    )
    yield chain(
        "A step takes the bound at S to less than that at S + delta, as delta is at most m",
        _bound(sums + delta) - (exp(2 * l * delta) * _bound(sums) + delta**2 * v),
        ("positive", v * delta * (m * (exp(2 * l * (sums + delta)) - 1) + (m - delta))),
    )


def false_variants() -> Iterable[Variant]:
    falling = (less_noisy(then, now), Gt(rho, 1, evaluate=False))
    kept = kappa(now, then) ** rho
    fresh = noise_ratio(then) * sqrt(1 - kappa(now, then) ** (2 * (rho - 1)))
    for name, wrong in (("kappa^(rho - 1)", kept / kappa(now, then)), ("kappa^(2 rho)", kept**2)):
        yield Variant(
            name=f"the part of the state that is kept is {name}",
            left=churn_step(now.alpha * y, x_hat, noise, rho, now, then) / then.alpha,
            right=wrong * y + (1 - wrong) * x_hat + fresh * noise,
            hypotheses=falling,
        )
    factor = q + (1 - q) * gap
    yield Variant(
        name="what x_hat leaves out costs nothing",
        left=mean((factor * apart + (1 - q) * left_out) ** 2, left_out, {0: S.One, 1: S.Zero, 2: v}),
        right=factor**2 * apart**2,
        hypotheses=(Gt(1, q, evaluate=False),),
    )
    yield Variant(
        name="the slope of x_hat is the posterior variance",
        left=variance() / noise_ratio(now) ** 2,
        right=variance(),
    )
    yield Variant(
        name="steps do not add up: the bound stays",
        left=_bound(sums + delta),
        right=_bound(sums),
    )
