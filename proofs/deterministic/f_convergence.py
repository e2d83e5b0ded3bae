r"""DDIM converges at first order, Heun, the midpoint method and DPM-Solver++(2M) at second order.

In the variables of a row sampling is y' = F(eta, y) (f-orders). Let F be Lipschitz in y with the constant L:
for two states a distance Delta apart, F differs by g Delta with |g| <= L. Then a step d of DDIM, of Heun or
of the midpoint method, from two states, makes the distance at most exp(L d) times as large: of polynomials in
the g and d with positive coefficients, absolute values are largest at g = L. Let a step from the exact state
miss by at most K d^(p+1). Steps with the sum S, none above h, then miss by at most K h^p S exp(L S). By
f-orders p is one for DDIM, where K bounds half of y'', and two for Heun and the midpoint method, where K
bounds the remainders T - R / 2 and T - R of Taylor's theorem. DPM-Solver++(2M), in the row of x, steps by d =
exp(q) (exp(h) - 1), the gain of alpha / sigma, times a prediction extrapolated from two; with r the ratio of
the step to the last in log-SNR, the larger of the distances at the last two states grows by at most the
factor 1 + (1 + r) L d, and p is two where steps are of one order of length. It starts from two exact states;
else the larger of their errors, times exp((1 + r) L S), is added.

For systems g is a matrix, its norm at most L, and distances are norms.

Not claimed: that a network is Lipschitz, or smooth, near the ends; that the orders are no higher (f-orders
has the first terms that are missed).
"""

from collections.abc import Iterable
from typing import Any

from sympy import exp, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import rate

CLAIM = Claim(
    id="f-convergence",
    title="The orders of the deterministic samplers",
    statement=r"|F(\eta, y) - F(\eta, y')| \le L |y - y'|,\ \text{local errors} \le K d^{p + 1},"
    r"\ d \le h,\ \textstyle\sum d = S:\quad"
    r" |y_n - y(\eta_n)| \le K h^p\, S\, e^{L S}, \qquad p = 1:\ \mathrm{DDIM}, \quad p = 2:\ \mathrm{Heun},"
    r"\ \text{midpoint},\ \mathrm{DPM\text{-}Solver{+}{+}(2M)}\ ((1 + r) L \text{ for } L)",
    source=Source(seed="003", section="Sampling", equation="comment 1, higher-order solvers"),
    needs=("f-orders",),
    cites=(
        "Taylor's theorem, for the local errors",
        "induction over steps (discrete Gronwall inequality), for the sum of the errors",
    ),
)

h, step, L, K, p, S, r, larger = symbols("h d L K p S r M", positive=True)
apart, before, first, second = symbols("Delta Delta_p g_1 g_2", real=True)


def _euler(distance: Any) -> Any:
    return distance + step * first * distance


def _heun(distance: Any) -> Any:
    return distance + step * (first * distance + second * _euler(distance)) / 2


def _midpoint(distance: Any) -> Any:
    return distance + step * second * (distance + step / 2 * first * distance)


def _two_step() -> Any:
    """The prediction's slope is that of its last two values."""
    now, last = first * apart, second * before
    return apart + step * (now + r / 2 * (now - last))


def _missed(total: Any) -> Any:
    return K * h**p * total * exp(L * total)


def derivation() -> Derivation:
    return Derivation(chains=(*_one_step(), *_multistep(), *_many_steps()))


def _one_step() -> Iterable[Chain]:
    second_order = 1 + L * step + (L * step) ** 2 / 2
    yield chain(
        "DDIM: 1 + L h less the factor of the distance",
        (1 + L * step) * apart - _euler(apart),
        ("not negative, for the distance one", step * (L - first) * apart),
    )
    for name, stepped, slack in (
        (
            "Heun",
            _heun(apart),
            step / 2 * (L - first) + step / 2 * (L - second) + step**2 / 2 * (L**2 - first * second),
        ),
        (
            "The midpoint method",
            _midpoint(apart),
            step * (L - second) + step**2 / 2 * (L**2 - first * second),
        ),
    ):
        yield chain(
            f"{name}: 1 + L h + L^2 h^2 / 2 less the factor of the distance",
            second_order * apart - stepped,
            ("not negative, for the distance one", slack * apart),
        )
    yield chain(
        "exp(L h) lies above both, by the rate of what lies between",
        rate(exp(step) - (1 + step + step**2 / 2), step),
        ("which is that of the shorter sum, and so on", exp(step) - (1 + step)),
    )
    yield chain("... and last", rate(exp(step) - (1 + step), step), ("not negative", exp(step) - 1))


def _multistep() -> Iterable[Chain]:
    yield chain(
        "2M: the factor 1 + (1 + r) L d on the larger distance, less what becomes of the last",
        (1 + (1 + r) * L * step) * larger - _two_step(),
        (
            "not negative where both distances are at most the larger",
            (larger - apart)
            + step * (1 + r / 2) * (L * larger - first * apart)
            + step * r / 2 * (L * larger + second * before),
        ),
    )


def _many_steps() -> Iterable[Chain]:
    yield chain(
        "A step d takes the bound at S to less than that at S + d, as d is at most h",
        _missed(S + step) - (exp(L * step) * _missed(S) + K * h**p * step),
        ("what a step of length d misses is at most K h^p d", K * h**p * step * (exp(L * (S + step)) - 1)),
    )


def false_variants() -> Iterable[Variant]:
    for name, left, right in (
        ("DDIM keeps distances", _euler(apart), apart),
        ("Heun stretches as DDIM", _heun(apart), _euler(apart)),
        ("the midpoint method stretches as Heun", _midpoint(apart), _heun(apart)),
        ("2M forgets the prediction before", _two_step(), apart + step * first * apart),
    ):
        yield Variant(name=name, left=left, right=right)
    yield Variant(name="errors do not add up", left=_missed(S + step), right=exp(L * step) * _missed(S))
