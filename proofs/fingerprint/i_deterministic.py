r"""A sampler without noise is determined by what it tells the network and by how outputs are carried forward.

Call j asks the network, told l_j, at q_j = c_j zeta + sum_{i<j} H_ji y_i; the output is q_N. Reduce: delete
calls from which no path of nonzero H leads to the output, and merge calls with the same label, c and row of
H, adding their columns, until nothing changes; the output stays the same for every network. Claim: for one
zeta that is not zero, and networks that interpolate finite sets of points, two reduced samplers give the
same output for every network if and only if (l, c, H) are the same up to the naming of calls.

Proof of "only if". Put the calls of both together, and identify, going forward, calls with the same label,
c and row of H over what is already identified; two calls of one sampler never are, because it is reduced.
Number what results so that H stays triangular. Give call u the output x^(u+1) zeta, for a real x. The
queries of two calls with one label differ by zeta times (c_u - c_v) + sum_k (H_uk - H_vk) x^(k+1), a
polynomial that is not zero; so for all but finitely many x the queries are distinct, and a network goes
through them. Both samplers then run as planned, and their outputs differ by zeta times (c_N - c'_N) + sum_u
(H_Nu - H'_Nu) x^(u+1). This is zero for infinitely many x, so all its coefficients are: the rows of the
output agree. A call with a nonzero entry there belongs to both samplers, with the same row; so do, in turn,
the calls with a nonzero entry in that row, and finally all, because all lead to the output. The steps that
are algebra are shown for three calls of one label after identification, where the network is a polynomial
of degree two.

Not claimed: networks of a class that does not interpolate, as affine ones; calls whose weights depend on
the data.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Ne, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.proofs._samplers import queries, through

CLAIM = Claim(
    id="i-deterministic",
    title="Deterministic samplers are the same exactly if their matrices are",
    open="the induction over calls is argued in the text; its algebra was decided for three calls",
    statement=r"q_j = c_j \zeta + \sum_{i<j} H_{ji} F(l_i, q_i), \quad \zeta \ne 0, \text{ reduced:}\quad"
    r" q_N = q'_N \text{ for every } F \iff (l, c, H) \cong (l', c', H')",
    source=Source(seed="003", section="Overview", equation="implied: two samplers are the same"),
)

c_0, c_1, c_2, c_a, c_b, h_10, h_20, h_21, x, y = symbols("c_0 c_1 c_2 c_A c_B H_10 H_20 H_21 x y", real=True)
a_0, a_1, a_2, b_0, b_1, b_2, zeta = symbols("a_0 a_1 a_2 b_0 b_1 b_2 zeta", real=True)
PLANNED = [c_0, c_1 + h_10 * x, c_2 + h_20 * x + h_21 * x**2]  # the queries, in units of zeta
STARTS, ROWS = (c_0, c_1, c_2), ((), (h_10,), (h_20, h_21))


def _network(q: Any) -> Any:
    return through([(zeta * p, zeta * x ** (u + 1)) for u, p in enumerate(PLANNED)])(q)


def _distinct() -> Any:
    return tuple(
        Ne(zeta * PLANNED[i] - zeta * PLANNED[j], 0, evaluate=False) for i, j in ((0, 1), (0, 2), (1, 2))
    )


def derivation() -> Derivation:
    return Derivation(chains=(*_reduction(), *_separation()), hypotheses=_distinct())


def _reduction() -> Iterable[Chain]:
    yield chain(
        "Calls with the same label, c and row are asked the same, and give the same",
        c_0 * zeta + a_0 * y + a_1 * y,
        ("their columns add up", c_0 * zeta + (a_0 + a_1) * y),
    )


def _separation() -> Iterable[Chain]:
    answers = [zeta * x ** (u + 1) for u in range(3)]
    one, two = (
        queries(lambda u, _q: answers[u], (*ROWS, row), [c * zeta for c in (*STARTS, start)])
        for start, row in ((c_a, (a_0, a_1, a_2)), (c_b, (b_0, b_1, b_2)))
    )
    for u, planned in enumerate(PLANNED):
        yield chain(f"Call {u} is asked as planned", one[u], ("the answers so far", zeta * planned))
        yield chain(
            f"Call {u} is answered as planned",
            _network(zeta * planned),
            ("the network goes through the point", answers[u]),
        )
    yield chain(
        "The outputs differ by a polynomial in x",
        one[-1] - two[-1],
        (
            "its coefficients are those in which the rows differ",
            zeta * ((c_a - c_b) + (a_0 - b_0) * x + (a_1 - b_1) * x**2 + (a_2 - b_2) * x**3),
        ),
    )


def false_variants() -> Iterable[Variant]:
    line = through([(c_0, x), (c_1 + h_10 * x, x**2)])
    yield Variant(
        name="an affine network goes through three points",
        left=line(PLANNED[2]),
        right=x**3,
        hypotheses=(Ne(PLANNED[1] - c_0, 0, evaluate=False),),
    )
    square = [queries(lambda _, q: q**2, ((), (1,)), (c * zeta, zeta))[-1] for c in (1, 2)]
    yield Variant(name="the weight of the start does not matter", left=square[0], right=square[1])
    carried = [queries(lambda _, q: q**2, ((), (p,), (1, 1)), (zeta, zeta, zeta))[-1] for p in (0, 1)]
    yield Variant(name="what is carried between calls does not matter", left=carried[0], right=carried[1])
    yield Variant(
        name="calls with different rows may be merged",
        left=carried[1],
        right=queries(lambda _, q: q**2, ((), (2,)), (zeta, zeta))[-1],
    )
