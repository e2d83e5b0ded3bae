r"""The discrete chain and its continuous limit differ by O(1/N).

The product of 1 - b_i over N steps is exp(-sum b_i) up to a factor whose logarithm lies between -Q / (2 (1
- b_max)) and -Q / 2, where Q is the sum of b_i^2: each log(1 - b) + b lies between -b^2 / (2 (1 - b)) and
-b^2 / 2, because all start at zero and their derivatives are so ordered. Q is 1/N times the mean of beta^2.
For the linear table of DDPM the sum of b_i is the integral of beta exactly, and N Q is the integral of
beta^2 up to the square of the slope over 6 (N - 1): so the relative error is -int beta^2 / (2 N) to first
order. For any other rate with 0 <= beta <= A and |beta'| <= B, and b_i = beta(i / N) / N, a step of length h
has h beta - int beta = int (u - t + h) beta'(u) du, which is at most h^2 B / 2. So over N steps the logarithm
of the product is off -int beta by at most (B + A^2 / (1 - A / N)) / (2 N).

Not claimed: the value of the product for one N; rates that are not bounded; convergence of samplers.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, Gt, Lt, S, log, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import at, integral, rate
from equiv.proofs._symbols import inside, t

CLAIM = Claim(
    id="s-discrete-limit",
    title="The discrete chain differs from its limit by O(1/N)",
    statement=r"b_i = \tfrac1N \beta\left(\tfrac iN\right):\quad"
    r" \Bigl|\log \prod_{i=1}^N (1 - b_i) + \int \beta\Bigr| \le \frac1{2 N}"
    r" \left(B + \frac{A^2}{1 - A / N}\right),\ 0 \le \beta \le A < N,\ |\beta'| \le B;"
    r" \qquad b_i = \tfrac1N \left(\beta_0 + \tfrac i{N - 1} (\beta_1 - \beta_0)\right) \in (0, 1),"
    r"\ 0 \le i < N:\quad \prod_i (1 - b_i) = e^{-\int \beta - R}, \qquad"
    r" \tfrac Q2 \le R \le \frac Q{2 (1 - b_{\max})}, \qquad"
    r" Q = \sum_i b_i^2"
    r" = \frac1N \left(\int \beta^2 + \frac{(\beta_1 - \beta_0)^2}{6 (N - 1)}\right)",
    source=Source(
        seed="001", section="Diffusion Model Mathematical Foundations", equation="a process over T timesteps"
    ),
    cites=("induction over steps, for the sums of the logarithms",),
)

b, h, beta_0, beta_1 = symbols("b h beta_0 beta_1", positive=True)
u = symbols("u", real=True)
N, i, most, steepest = symbols("N i A B", positive=True)
beta = Function("beta", real=True)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_one_step(), *_linear_table(), *_any_rate()),
        hypotheses=(Lt(b, 1, evaluate=False), Gt(N, 1, evaluate=False), Lt(most, N, evaluate=False)),
    )


def _one_step() -> Iterable[Chain]:
    remainder, below = log(1 - b) + b, -(b**2) / (2 * (1 - b))
    yield chain("The remainder starts at zero", log(1 - S.Zero) + S.Zero, ("log 1 is 0", S.Zero))
    yield chain("So does its lower bound, as b^2 does", at(below, b, 0), ("zero over two", S.Zero))
    yield chain("The derivative of the remainder", rate(remainder, b), ("differentiate", -b / (1 - b)))
    yield chain(
        "It lies below that of -b^2 / 2",
        rate(-(b**2) / 2, b) - rate(remainder, b),
        ("a positive quotient", b**2 / (1 - b)),
    )
    yield chain(
        "and above that of -b^2 / (2 (1 - b))",
        rate(remainder, b) - rate(below, b),
        ("a positive quotient", b**2 / (2 * (1 - b) ** 2)),
    )


def _entry(index: Any) -> Any:
    """Of DDPM's linear table."""
    return (beta_0 + (beta_1 - beta_0) * index / (N - 1)) / N


def _sum(count: Any) -> Any:
    """The sum of the first entries of the table."""
    return (count * beta_0 + (beta_1 - beta_0) * count * (count - 1) / (2 * (N - 1))) / N


def _sum_of_squares(count: Any) -> Any:
    slope = (beta_1 - beta_0) / (N - 1)
    linear, quadratic = count * (count - 1) / 2, count * (count - 1) * (2 * count - 1) / 6
    return (count * beta_0**2 + 2 * beta_0 * slope * linear + slope**2 * quadratic) / N**2


def _rate_at(time: Any) -> Any:
    return beta_0 + (beta_1 - beta_0) * time


def _linear_table() -> Iterable[Chain]:
    for name, total, power in (("entries", _sum, 1), ("squares", _sum_of_squares, 2)):
        yield chain(f"The sum of no {name}", total(S.Zero), ("zero", S.Zero))
        yield chain(
            f"The sum of one more of the {name}",
            total(i + 1) - total(i),
            ("the next term", _entry(i) ** power),
        )
    yield chain(
        "The sum of the linear table is the integral of beta",
        _sum(N),
        ("N (N - 1) / 2 terms of the slope", (beta_0 + beta_1) / 2),
        ("the area of a trapezium", integral(_rate_at(t), t, 0, 1)),
    )
    yield chain(
        "The sum of its squares is the integral of beta^2 over N, and a term of second order",
        N * _sum_of_squares(N),
        (
            "the sum of squares",
            beta_0**2 + beta_0 * (beta_1 - beta_0) + (beta_1 - beta_0) ** 2 * (2 * N - 1) / (6 * (N - 1)),
        ),
        (
            "(2 N - 1) / (6 (N - 1)) is 1/3 + 1 / (6 (N - 1))",
            integral(_rate_at(t) ** 2, t, 0, 1) + (beta_1 - beta_0) ** 2 / (6 * (N - 1)),
        ),
    )


def _any_rate() -> Iterable[Chain]:
    weight = u - t + h
    yield chain(
        "In a step from t - h to t, h beta(t) is the integral of beta and of (u - t + h) beta'",
        rate(weight * beta(u), u),
        ("the product rule", beta(u) + weight * rate(beta(u), u)),
    )
    yield chain("The weight integrates to h^2 / 2", integral(weight, u, t - h, t), ("a triangle", h**2 / 2))
    largest, squares = most / N, N * (most / N) ** 2
    yield chain(
        "N steps of length 1 / N: what the sum is off by, and what the logarithms are",
        N * ((1 / N) ** 2 * steepest / 2) + squares / (2 * (1 - largest)),
        ("at most", (steepest + most**2 / (1 - most / N)) / (2 * N)),
    )


def false_variants() -> Iterable[Variant]:
    hypotheses = (inside(b),)
    yield Variant(name="no error: log(1 - b) is -b", left=log(1 - b), right=-b, hypotheses=hypotheses)
    yield Variant(
        name="the remainder is -b^2 / 2 exactly",
        left=log(1 - b) + b,
        right=-(b**2) / 2,
        hypotheses=hypotheses,
    )
    table = (Gt(N, 1, evaluate=False),)
    yield Variant(
        name="the squares of the table sum to int beta^2 / N exactly",
        left=N * _sum_of_squares(N),
        right=integral(_rate_at(t) ** 2, t, 0, 1),
        hypotheses=table,
    )
    yield Variant(
        name="the squares of the table sum to (int beta)^2 / N",
        left=N * _sum_of_squares(N),
        right=((beta_0 + beta_1) / 2) ** 2,
        hypotheses=table,
    )
    yield Variant(
        name="the sum of the table is beta at its start", left=_sum(N), right=beta_0, hypotheses=table
    )
