r"""Churn of any amount is of weak order one, for bounded data and the exact denoiser.

Per signal, a churn step Q takes y to q y + (1 - q) x_hat(y) + w, the exact step P to q y + (1 - q) x + w with
x drawn from the posterior, so that P takes p_t to p_s (t-churn-marginals). Let data lie in [-R, R], r be at
least r_s, l = R^2 / r_s^2, and 1 - q <= delta. For a function f with |f'| <= F_1 and |f''| <= F_2, Q f and P
f differ by at most delta^2 R^2 F_2 / 2: in Taylor's formula x_hat - x has the mean zero. Between the two,
after any steps of Q from p_1, stand the later steps of P, so that all that is left is to bound the
derivatives of f after steps of P. As the posterior is tilted by exp(x y / r^2), the derivative of the mean of
g(y, x) is E g_y + Cov(g, x) / r^2, and its second E g_yy + 2 Cov(g_y, x) / r^2 + E (g - E g) (x - E x)^2 /
r^4. A covariance of x and a function of it of slope at most B is at most B Var(x), by two independent draws.
With g = E_w f(q y + (1 - q) x + w) this makes |(P f)'| <= (1 + l delta) F_1 and |(P f)''| <= (1 + 2 l delta)
F_2 + k delta F_1, k = 8 R^3 / r_s^4. So over steps with the sum S of their deltas, F_1 grows to at most exp(l
S) F_1, and F_2 to at most exp(2 l S) (F_2 + k S F_1); and E f(y_s) is off the mean of f under p_s by at most
R^2 m S / 2 times the latter, m the largest delta: by O(m), for every eta.

Written for one coordinate; in several the constants are others.

Not claimed: the variance fixed large, Euler-Maruyama (o-weak-order has their first order in one step); data
without a bound; sampling from alpha = 0 or down to sigma = 0.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, S, exp, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import mean, rate

CLAIM = Claim(
    id="t-churn-weak-order",
    title="Churn of any amount is of weak order one",
    statement=r"z_1 \sim p_1,\ \hat x = E[x | z],\ |x| \le R:\quad "
    r" \left|E f\left(\tfrac{z_s}{\alpha_s}\right) - E f(x + r_s \epsilon)\right| \le"
    r" \tfrac12 R^2\, m\, S\, e^{2 \ell S} \left(\max |f''| + k S \max |f'|\right), \qquad"
    r" \ell = \frac{R^2}{r_s^2},\ k = \frac{8 R^3}{r_s^4},\ S = \tfrac\rho2 (\lambda_s - \lambda_1),"
    r"\ m = \tfrac\rho2 \max_i \Delta\lambda_i",
    source=Source(
        seed="003", section="SDE and ODE Perspective", equation="discretising the backward process"
    ),
    needs=("t-churn-marginals",),
    cites=(
        "Taylor's theorem, for f around x_hat",
        "dominated convergence, for derivatives of posterior means",
        "tower property, for steps one after the other",
        "induction over steps, for the sum of the errors",
    ),
)

y, x_1, x_2, xi, f_0, f_1, f_2 = symbols("y x_1 x_2 xi f f' f''", real=True)
mass, r, B, v, k, l, m, S_, delta, F_1, F_2 = symbols("M_0 r B v k l m S delta F_1 F_2", positive=True)
of_x, of_xx, of_g, of_gx, of_gxx, slope, g_1, g_2 = symbols("M_1 M_2 G G_1 G_2 b g_1 g_2", real=True)
q = symbols("q", positive=True)
NEXT = {mass: of_x, of_x: of_xx, of_g: of_gx, of_gx: of_gxx}  # what averages to each, times x


def _by_state(e: Any) -> Any:
    """The derivative in y: the kernel has -(y - x) / r^2 times itself."""
    return sum(
        (rate(e, average) * (-(y * average - times_x) / r**2) for average, times_x in NEXT.items()),
        start=S.Zero,
    )


def _covariance() -> Any:
    """Of g and x, given y; g does not depend on y."""
    return of_gx / mass - of_g / mass * (of_x / mass)


def _third() -> Any:
    """The mean of (g - E g) (x - E x)^2, given y."""
    mean_x, mean_g = of_x / mass, of_g / mass
    return of_gxx / mass - mean_g * (of_xx / mass) - 2 * mean_x * (of_gx / mass - mean_g * mean_x)


def _second_bound(total: Any) -> Any:
    return exp(2 * l * total) * (F_2 + k * total * F_1)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_posterior(), *_lipschitz(), *_one_step(), *_many_steps()),
        hypotheses=(Gt(1, q, evaluate=False),),
    )


def _posterior() -> Iterable[Chain]:
    yield chain(
        "The derivative of the posterior mean of g",
        _by_state(of_g / mass),
        ("the quotient rule; y cancels", _covariance() / r**2),
    )
    yield chain(
        "The derivative of the covariance of g and x",
        _by_state(_covariance()),
        ("the quotient rule; y cancels", _third() / r**2),
    )


def _lipschitz() -> Iterable[Chain]:
    yield chain(
        "Of two draws: twice the mean of g x less twice that of g times that of x, before the mean",
        g_1 * x_1 + g_2 * x_2 - g_1 * x_2 - g_2 * x_1,
        ("a product", (g_1 - g_2) * (x_1 - x_2)),
    )
    yield chain(
        "At most B times what makes the variance, where g_1 - g_2 is b times x_1 - x_2",
        B * (x_1 - x_2) ** 2 - slope * (x_1 - x_2) * (x_1 - x_2),
        ("not negative", (B - slope) * (x_1 - x_2) ** 2),
    )


def _one_step() -> Iterable[Chain]:
    taylor = f_0 + f_1 * (1 - q) * xi + f_2 / 2 * (1 - q) ** 2 * xi**2
    yield chain(
        "Taylor's formula around x_hat, with the second derivative in between; xi = x - x_hat",
        mean(taylor, xi, {0: S.One, 1: S.Zero, 2: v}) - f_0,
        ("xi has the mean zero", f_2 / 2 * (1 - q) ** 2 * v),
    )
    yield chain(
        "(1 + l delta) F_1 less the bound q F_1 + (1 - q) l F_1 of (P f)'",
        (1 + l * delta) * F_1 - (q + (1 - q) * l) * F_1,
        ("not negative as 1 - q is at most delta", ((1 - q) + l * (delta - (1 - q))) * F_1),
    )
    yield chain(
        "What is left for (P f)'' of (1 + 2 l delta) F_2 + k delta F_1",
        (1 + 2 * l * delta) * F_2
        + k * delta * F_1
        - (q**2 * F_2 + 2 * q * (1 - q) * l * F_2 + (1 - q) * k * F_1),
        (
            "not negative",
            (1 - q) * (1 + q) * F_2
            + 2 * l * ((1 - q) ** 2 + (delta - (1 - q))) * F_2
            + k * (delta - (1 - q)) * F_1,
        ),
    )


def _many_steps() -> Iterable[Chain]:
    grown = exp(2 * l * delta) * _second_bound(S_) + k * delta * exp(l * S_) * F_1
    yield chain(
        "A step takes the bound of f'' at S to less than that at S + delta",
        _second_bound(S_ + delta) - grown,
        ("not negative", k * delta * F_1 * exp(l * S_) * (exp(l * (S_ + 2 * delta)) - 1)),
    )
    yield chain(
        "The local errors, at most delta^2 v F / 2: with m in place of one delta they add up",
        m * delta * v * F_2 / 2 - delta**2 * v * F_2 / 2,
        ("not negative", (m - delta) * delta * v * F_2 / 2),
    )


def false_variants() -> Iterable[Variant]:
    yield Variant(
        name="the derivative of a posterior mean is the mean of g x",
        left=_by_state(of_g / mass),
        right=of_gx / mass / r**2,
    )
    yield Variant(
        name="the derivative of the covariance is the mean of g x^2, not centred",
        left=_by_state(_covariance()),
        right=of_gxx / mass / r**2,
    )
    taylor = f_0 + f_1 * (1 - q) * xi + f_2 / 2 * (1 - q) ** 2 * xi**2
    yield Variant(
        name="replacing x by its mean changes nothing",
        left=mean(taylor, xi, {0: S.One, 1: S.Zero, 2: v}),
        right=f_0,
        hypotheses=(Gt(1, q, evaluate=False),),
    )
    yield Variant(
        name="the bound of f'' needs none of f'",
        left=_second_bound(S_ + delta),
        right=exp(2 * l * delta) * _second_bound(S_),
    )
