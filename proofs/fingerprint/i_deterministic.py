r"""A sampler without noise is determined by what it tells the network and by how outputs are carried forward.

Call j asks the network, told l_j, at q_j = c_j zeta + sum_{i<j} H_ji y_i; the output is q_N. Reduce: delete
calls from which no path of nonzero H leads to the output, and merge calls with the same label, c and row of
H, adding their columns, until nothing changes; the output stays the same for every network. Claim: for one
zeta that is not zero, and networks that interpolate finite sets of points, two reduced samplers give the
same output for every network if and only if (l, c, H) are the same up to the naming of calls.

Proof of "only if". Take the calls of A and then those of B, and name them, going forward: a call gets the
name of an earlier one if their labels are the same and their queries are, whatever each name is answered.
Let name u be answered x_u zeta. Two queries with one label and different names differ by zeta times an
affine form in x that is not zero; so for some x all of them are distinct, and a network goes through them.
If the outputs, as planned, differed by a form that is not zero, x could be chosen so that they differ. So
the rows of the output agree, name by name. In a reduced sampler no two calls have one name; so a call with a
nonzero entry in that row has the name of a call of the other sampler, with the same row; so have, in turn,
the calls with a nonzero entry in that row, and finally all, because all lead to the output. This is proved
in Rocq, for any number of calls and states of any dimension (Deterministic.v); below, its algebra for three
calls of one label, where x_u is x^(u+1) and the network is a polynomial of degree two.

Not claimed: networks of a class that does not interpolate, as affine ones; calls whose weights depend on
the data.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Ne, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Theorem, Variant, chain
from equiv.proofs._samplers import queries, through

CLAIM = Claim(
    id="i-deterministic",
    title="Deterministic samplers are the same exactly if their matrices are",
    open="the induction over calls: the chains have three of them",
    theorems=(
        Theorem(
            name="Deterministic.deterministic",
            says="reduced samplers have the same outputs exactly if their matrices are the same",
            statement="""forall (Label Coordinate : Type) (A B : sampler Label)
    (K : network Label Coordinate -> Prop) (zeta : state Coordinate),
  reduced A -> reduced B -> interpolates K -> (exists k, zeta k <> 0) ->
  (forall F, K F -> output A F zeta silent = output B F zeta silent) <-> same A B""",
        ),
        Theorem(
            name="Reduction.reduced_form_silent",
            says="deleting and merging calls ends with a reduced sampler, and changes no output",
            statement="""forall (Label : Type) (A : sampler Label), exists B, reduced B /\\
  forall Coordinate (F : network Label Coordinate) zeta,
    output A F zeta silent = output B F zeta silent""",
        ),
        Theorem(
            name="Counterexamples.all_networks_interpolate",
            says="the hypothesis can be met: the class of all networks interpolates",
            statement="""forall (Label Coordinate : Type) (all : list Coordinate),
  (forall l m : Label, {l = m} + {l <> m}) -> (forall k, List.In k all) ->
  interpolates (fun _ : network Label Coordinate => True)""",
        ),
    ),
    counterexamples=(
        Theorem(
            name="Counterexamples.not_without_reduction",
            says="without reduction the matrices are not determined",
            statement="""exists A B : sampler unit,
  (forall (Coordinate : Type) (F : network unit Coordinate) zeta,
    output A F zeta silent = output B F zeta silent) /\\ ~ same A B""",
        ),
        Theorem(
            name="Counterexamples.not_from_zero",
            says="from the start zero, c is not seen",
            statement="""exists A B : sampler unit, reduced A /\\ reduced B /\\ ~ same A B /\\
  forall (Coordinate : Type) (F : network unit Coordinate),
    output A F (fun _ => 0) silent = output B F (fun _ => 0) silent""",
        ),
        Theorem(
            name="Counterexamples.not_for_affine_networks",
            says="affine networks, which do not interpolate, do not see all if a label is repeated",
            statement="""exists A B : sampler unit, reduced A /\\ reduced B /\\ ~ same A B /\\
  forall (Coordinate : Type) (f : R) (g zeta : state Coordinate),
    output A (fun _ q k => f * q k + g k) zeta silent = output B (fun _ q k => f * q k + g k) zeta silent""",
        ),
    ),
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
