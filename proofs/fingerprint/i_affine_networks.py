r"""With a label of its own for every call, affine networks already determine the whole sampler.

Let all calls lead to the output and have distinct labels, and let the output laws of two samplers be equal
for all affine networks F(l, q) = f_l q + g_l, with numbers f_l and g_l; this may be asked in any dimension.
Then (l, H, Sigma) are the same.

Proof. The mean of the output is a polynomial in f and g. Its coefficient of g_i and of all f_k with k in a
set S is the sum, over the orders of S, of the products of H along the path i -> S -> output; of these
orders at most one follows the calls. First, with S empty: the rows of the output agree, and so do the calls
k that it uses. Now let k_1 be used by the output, k_2 by k_1, up to k_m, with rows known to agree, and let
k = k_m. For S = {k_1, ..., k_m} the one order that follows the calls is the same in both samplers, because
the entries along it are the same and not zero; so the coefficient is their product times H_ki in both, and
H_ki agrees for every i. All calls lead to the output, so all rows agree, and all labels occur in the mean.
As for the noise, the output is sum_u p_u w_u + w_N with p_u = f_u m_u and m_u the slope of the mean in g_u,
which is not the zero polynomial and has in it only f of later calls. Its variance is a quadratic form in
(p_0, ..., p_{N-1}, 1) with the matrix Sigma. The first f occurs in p_0 alone: the coefficients of its
powers 2, 1 and 0 give Sigma_00, then a linear form in the other p and 1, and then the rest, and so on with
the next f. The p are triangular in f, so they take all values on an open set, and forms that agree there
agree. Shown for three calls, where paths of every length occur.

Not claimed: repeated labels (i-repeated-labels); calls that do not lead to the output.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, evaluate, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import at, rate
from equiv.proofs._samplers import queries

CLAIM = Claim(
    id="i-affine-networks",
    title="Affine networks determine a sampler whose labels are distinct",
    open="the induction over calls is argued in the text; its algebra was decided for three calls",
    statement=r"q_N \sim q'_N \text{ for all } F(l, q) = f_l q + g_l,\ l_i \ne l_j\ (i \ne j)"
    r" \implies (l, H, \Sigma) \cong (l', H', \Sigma')",
    source=Source(seed="003", section="Overview", equation="implied: two samplers are the same in law"),
    needs=("i-normal-start",),
)

f = symbols("f_0 f_1 f_2", real=True)
g = symbols("g_0 g_1 g_2", real=True)
w = symbols("w_0 w_1 w_2 w_3", real=True)
h_10, h_20, h_21 = symbols("H_10 H_20 H_21", real=True)
h = symbols("H_30 H_31 H_32", real=True)
sigma = {(i, j): symbols(f"Sigma_{i}{j}", real=True) for i in range(4) for j in range(i, 4)}
ROWS = ((), (h_10,), (h_20, h_21), h)


def _output() -> Any:
    """The output, its start merged into the noise."""
    with evaluate(True):
        asked = queries(lambda u, q: f[u] * q + g[u], ROWS, w)
        return asked[-1].expand()


def _coefficient(e: Any, *symbols_of: Any) -> Any:
    """The coefficient of a product of symbols, each to the first power, at f = 0."""
    for symbol in symbols_of:
        e = rate(e, symbol)
    for symbol in f:
        e = at(e, symbol, 0)
    return e


def _weight(u: int) -> Any:
    """How the noise of a query reaches the output."""
    return rate(_output(), w[u])


def _variance() -> Any:
    weights = [_weight(u) for u in range(4)]
    with evaluate(True):
        return sum((1 if i == j else 2) * weights[i] * weights[j] * entry for (i, j), entry in sigma.items())


def derivation() -> Derivation:
    return Derivation(chains=(*_rows(), *_noise()))


def _rows() -> Iterable[Chain]:
    out = _output()
    for i in range(3):
        yield chain(f"The row of the output: call {i}", _coefficient(out, g[i]), ("no path is longer", h[i]))
    for k, i, entry in ((1, 0, h_10), (2, 0, h_20), (2, 1, h_21)):
        yield chain(
            f"A call that the output uses: the row of {k} at {i}",
            _coefficient(out, f[k], g[i]),
            ("one path", h[k] * entry),
        )
    yield chain(
        "A call that it does not use itself: the row of 1 at 0",
        _coefficient(out, f[1], f[2], g[0]),
        ("one order follows the calls", h[2] * h_21 * h_10),
        ("times what is known", _coefficient(out, f[2], g[1]) * h_10),
    )
    yield chain("No path runs backwards", _coefficient(out, f[0], g[1]), ("", S.Zero))


def _noise() -> Iterable[Chain]:
    out, variance = _output(), _variance()
    for u in range(3):
        yield chain(
            f"The noise of call {u} reaches the output as its answer does, times f",
            _weight(u),
            ("the network is affine", f[u] * rate(out, g[u])),
        )
    for u, later in ((1, (0,)), (2, (0, 1))):
        for v in later:
            yield chain(
                f"The way of call {u} does not see f of call {v}", rate(_weight(u), f[v]), ("", S.Zero)
            )
    slope = rate(out, g[0])
    yield chain(
        "The first f, squared: Sigma_00",
        rate(rate(variance, f[0]), f[0]) / 2,
        ("it is in the first weight alone", slope**2 * sigma[0, 0]),
    )
    yield chain(
        "The first f, once: the rest of the first row",
        at(rate(variance, f[0]), f[0], 0),
        (
            "linear in the other weights and one",
            2 * slope * (_weight(1) * sigma[0, 1] + _weight(2) * sigma[0, 2] + sigma[0, 3]),
        ),
    )
    yield chain(
        "Without the first f: the rest of Sigma",
        at(variance, f[0], 0),
        (
            "the same form with a call less",
            _weight(1) ** 2 * sigma[1, 1]
            + 2 * _weight(1) * (_weight(2) * sigma[1, 2] + sigma[1, 3])
            + _weight(2) ** 2 * sigma[2, 2]
            + 2 * _weight(2) * sigma[2, 3]
            + sigma[3, 3],
        ),
    )


def false_variants() -> Iterable[Variant]:
    out = _output()
    yield Variant(
        name="the row of 1 at 0 is the coefficient of f_1 g_0", left=_coefficient(out, f[1], g[0]), right=h_10
    )
    yield Variant(
        name="a path through 2 alone is all that f_1 f_2 g_0 sees",
        left=_coefficient(out, f[1], f[2], g[0]),
        right=h[2] * h_20,
    )
    yield Variant(
        name="noise reaches the output as answers do, without f",
        left=_weight(0),
        right=rate(out, g[0]),
    )
    yield Variant(
        name="the variance sees the diagonal of Sigma alone",
        left=_variance(),
        right=_weight(0) ** 2 * sigma[0, 0]
        + _weight(1) ** 2 * sigma[1, 1]
        + _weight(2) ** 2 * sigma[2, 2]
        + sigma[3, 3],
    )
