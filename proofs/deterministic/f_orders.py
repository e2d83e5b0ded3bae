r"""The local errors of DDIM, Heun, the midpoint method and DPM-Solver++(2M).

In the variables of a row (f-row-family) sampling is y' = F(eta, y) with F the network's output, and DDIM is
its Euler step. Let h be a step. By Taylor's theorem F(eta + a, y + b) is F + a F_eta + b F_y and a
remainder of second order in (a, b), and the exact solution is y + h F + h^2 / 2 (F_eta + F_y F) + h^3 T,
with remainders bounded on compact sets where F is twice differentiable: R and T stand for them, and that
they are bounded is not decided here. Then Euler misses h^2 / 2 (F_eta + F_y F) + h^3 T, and Heun and the
midpoint method miss h^3 (T - R / 2) and h^3 (T - R), in every row. For systems F_y is a matrix, which
occurs only in the product F_y F, and nothing changes.

DPM-Solver++(2M) works with q = lambda / 2, where z / sigma grows at the rate exp(q) x_hat. With x_hat + u
x' + u^2 R(u) the prediction at q + u, R its mean over the step by the weight u^2 exp(u) and R_0 = R(-h_0),
the step of the exact solution is exp(q) ((exp(h) - 1) x_hat + (1 + (h - 1) exp(h)) x' + R int u^2 exp(u)),
and the method with its last step h_0 has exp(q) (exp(h) - 1) (x_hat + h/2 x' - h h_0 / 2 R_0): they differ
by the coefficient G(h) = 1 + h/2 - exp(h) + (h/2) exp(h) of x', whose Taylor series starts with h^3 / 12,
and by terms in R and R_0 of which the first is less than h^3 exp(h) / 3 times R.

How local errors add up, for orientation: those of at most K h^(p+1) under a Lipschitz constant L add up as
the recursion e' = (1 + L h) e + K h^(p+1), whose solution from zero is K h^p ((1 + L h)^n - 1) / L: with n
h fixed, at most K h^p (exp(L n h) - 1) / L, since log(1 + L h) < L h.

Not claimed: that the remainders are bounded, which fails near the ends, where the derivatives of the network
grow; orders of convergence (f-convergence); order three.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Rational, S, exp, log, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import log_snr
from equiv.proofs._calculus import at, integral, rate
from equiv.proofs._symbols import now, then

CLAIM = Claim(
    id="f-orders",
    title="The local errors of the deterministic samplers",
    statement=r"F(\eta + h a, y + h b) = F + h a F_\eta + h F_y b + h^2 R,\quad"
    r" y(\eta + h) = y + h F + \tfrac{h^2}2 (F_\eta + F_y F) + h^3 T:\quad"
    r" \mathrm{DDIM}:\ \tfrac{h^2}2 (F_\eta + F_y F) + h^3 T,\quad"
    r" \mathrm{Heun}:\ h^3 (T - \tfrac12 R),\quad \mathrm{midpoint}:\ h^3 (T - R); \qquad"
    r" \mathrm{DPM\text{-}Solver{+}{+}(2M)}:\ e^q \left(G\, \hat x' + R \int_0^h u^2 e^u du"
    r" + (e^h - 1) \tfrac{h h_0}2 R_0\right),\quad"
    r" G = 1 + \tfrac h2 - e^h + \tfrac h2 e^h = \tfrac{h^3}{12} + \ldots",
    source=Source(seed="003", section="Sampling", equation="comment 1, higher-order solvers"),
    needs=("f-three-rows", "f-row-family", "f-heun-parametrization", "f-dpm-solver-1"),
    cites=("Taylor's theorem, for the remainders R and T",),
)

h, h_0, L, K, n, p, u, q = symbols("h h_0 L K n p u q", positive=True)
y, F, F_eta, F_y, T, R, R_back = symbols("y F F_eta F_y T R R_0", real=True)
x_t, x_slope = symbols("xhat xhat'", real=True)
CURVATURE = F_eta + F_y * F


def _output(along: Any, across: Any, remainder: Any) -> Any:
    """The network's output at (eta + along, y + across), by Taylor's theorem."""
    return F + along * F_eta + across * F_y + remainder


def _exact() -> Any:
    return y + h * F + h**2 / 2 * CURVATURE + h**3 * T


def _euler() -> Any:
    return y + h * F


def _heun() -> Any:
    return y + h * (F + _output(h, h * F, h**2 * R)) / 2


def _midpoint() -> Any:
    return y + h * _output(h / 2, h / 2 * F, h**2 * R)


def derivation() -> Derivation:
    return Derivation(chains=(*_one_step(), *_multistep(), *_accumulation()))


def _one_step() -> Iterable[Chain]:
    yield chain("The local error of DDIM", _exact() - _euler(), ("Taylor", h**2 / 2 * CURVATURE + h**3 * T))
    yield chain(
        "The local error of Heun",
        _exact() - _heun(),
        ("the terms of second order cancel", h**3 * (T - R / 2)),
    )
    yield chain(
        "The local error of the midpoint method",
        _exact() - _midpoint(),
        ("the terms of second order cancel", h**3 * (T - R)),
    )


def _exact_multistep() -> tuple[Any, Any, Any]:
    """The coefficients of x_hat, of its slope and of R in the exact step, over exp(q)."""
    of_x, of_slope, of_curvature = (integral(u**k * exp(u), u, 0, h) for k in range(3))
    return of_x, of_slope, of_curvature


def _two_step(remainder: Any) -> Any:
    """DPM-Solver++(2M) over exp(q); the last prediction is x_hat - h_0 x' + h_0^2 R_0."""
    last = x_t - h_0 * x_slope + h_0**2 * remainder
    ratio = h_0 / h
    return (exp(h) - 1) * ((1 + 1 / (2 * ratio)) * x_t - 1 / (2 * ratio) * last)


def _gap() -> Any:
    return 1 + h / 2 - exp(h) + h / 2 * exp(h)


def _multistep() -> Iterable[Chain]:
    of_x, of_slope, of_curvature = _exact_multistep()
    half_step = (log_snr(then) - log_snr(now)) / 2
    yield chain(
        "The step of order one, for z / sigma",
        -then.alpha * (exp(-half_step) - 1) / then.sigma,
        ("alpha / sigma is exp(q)", exp(log_snr(now) / 2) * (exp(half_step) - 1)),
    )
    yield chain(
        "The row of x: z / sigma grows at x_hat times the rate of alpha / sigma, which is exp(q)",
        rate(exp(q), q),
        ("differentiate", exp(q)),
    )
    yield chain("The exact step: x", of_x, ("the integral of exp", exp(h) - 1))
    yield chain("The exact step: its slope", of_slope, ("the integral of u exp(u)", 1 + (h - 1) * exp(h)))
    yield chain(
        "The exact step: R",
        of_curvature,
        ("the integral of u^2 exp(u)", (h**2 - 2 * h + 2) * exp(h) - 2),
    )
    yield chain(
        "Two-step minus DDIM is a slope",
        _two_step(R_back),
        ("the difference quotient", (exp(h) - 1) * (x_t + h / 2 * x_slope - h * h_0 / 2 * R_back)),
    )
    yield chain(
        "The local error, over exp(q)",
        of_x * x_t + of_slope * x_slope + of_curvature * R - _two_step(R_back),
        (
            "collect the slope",
            _gap() * x_slope + of_curvature * R + (exp(h) - 1) * h * h_0 / 2 * R_back,
        ),
    )
    value, by = _gap(), "at zero"
    for order, expected in enumerate((S.Zero, S.Zero, S.Zero, S.Half)):
        yield chain(f"G and its derivatives at zero: order {order}", at(value, h, 0), (by, expected))
        value = rate(value, h)
    yield chain(
        "The coefficient of h^3", Rational(1, 2) / 6, ("a half over three factorial", Rational(1, 12))
    )


def _accumulated(count: Any) -> Any:
    return K * h**p * ((1 + L * h) ** count - 1) / L


def _accumulation() -> Iterable[Chain]:
    yield chain("The accumulated error starts at zero", _accumulated(S.Zero), ("a power of zero", S.Zero))
    yield chain(
        "and grows by the recursion",
        _accumulated(n + 1),
        ("take out one factor", (1 + L * h) * _accumulated(n) + K * h ** (p + 1)),
    )
    yield chain("log(1 + u) starts as u", log(1 + S.Zero), ("log 1 is 0", S.Zero))
    yield chain(
        "and grows more slowly", rate(u, u) - rate(log(1 + u), u), ("a positive quotient", u / (1 + u))
    )


def false_variants() -> Iterable[Variant]:
    yield Variant(name="DDIM is of order two", left=_exact() - _euler(), right=h**3 * T)
    yield Variant(name="Heun is exact to third order", left=_exact() - _heun(), right=S.Zero)
    yield Variant(
        name="a midpoint at the whole step is of order two",
        left=_exact() - (y + h * _output(h, h * F, h**2 * R)),
        right=h**3 * (T - R),
    )
    yield Variant(
        name="Heun without the move of the state is of order two",
        left=_exact() - (y + h * (F + _output(h, S.Zero, h**2 * R)) / 2),
        right=h**3 * (T - R / 2),
    )
    yield Variant(name="2M is exact for predictions that are linear in lambda", left=_gap(), right=S.Zero)
    yield Variant(
        name="2M with the ratio of steps turned over",
        left=(exp(h) - 1) * ((1 + h_0 / (2 * h)) * x_t - h_0 / (2 * h) * (x_t - h_0 * x_slope)),
        right=_two_step(S.Zero),
    )
    yield Variant(name="G starts with h^3 / 6", left=at(rate(rate(rate(_gap(), h), h), h), h, 0), right=S.One)
