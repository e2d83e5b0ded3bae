r"""Given the start, the law of a sampler is determined by labels, c, H and the joint covariance of its noise.

The noise w_j of the queries and w_N of the output are jointly normal with covariance W, in every
coordinate, independent of the start zeta. Queries and output are functions of zeta and of (w_0, ..., w_N),
and these functions are given by the network and (l, c, H) alone; so samplers with the same (l, c, H, W)
give the same law, for every network. Reduction changes no output: calls without a path to it may go, and
calls with the same label, c and row of H whose noise is almost surely equal, that is with W_ii - 2 W_ij +
W_jj = 0, are asked the same. How the noise was drawn does not matter: if w = G n with standard normal n,
then W = G G^T, which no rotation or change of sign of the draws changes. The diagonal of W is not enough:
already for one call of a linear network, the variance of the output has every entry of W. For any number of
calls and draws this is proved in Rocq (Law.v): rows with the same inner products are carried to each other
by reflections, one a row, and reflecting the draws does not change their law. That normal draws have such a
law is a hypothesis there: their density depends on the length of the draws alone.

Not claimed: noise that is not normal, or that depends on the state; the converse (i-output-law has it).
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, cos, sin, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Theorem, Variant, chain
from equiv.proofs._calculus import mean
from equiv.proofs._samplers import queries

CLAIM = Claim(
    id="i-given-start",
    title="Given the start, the matrices determine the law",
    open="any number of draws and calls: the chains have two draws and one call",
    theorems=(
        Theorem(
            name="Law.law_given_start",
            says="(l, c, H, W), up to the names of calls, determines the law of the output; of the law of the"
            " draws it is used that rotations do not change it",
            statement="""forall (K : nat) (Label Coordinate : Type) (A B : sampler Label)
    (G G' : nat -> nat -> R) (F : network Label Coordinate) (zeta : state Coordinate)
    (P : law Coordinate) (event : state Coordinate -> Prop),
  same_given_start K A G B G' -> rotation_invariant K P ->
  P (fun n => event (output A F zeta (noise K G n))) =
  P (fun n => event (output B F zeta (noise K G' n)))""",
        ),
        Theorem(
            name="Law.reduced_form_given_start",
            says="deleting and merging calls ends with a reduced sampler, and changes no output, whatever is"
            " drawn",
            statement="""forall (K : nat) (Label : Type) (A : sampler Label) (G : nat -> nat -> R),
  exists B G', reduced_given_start K B G' /\\
    forall Coordinate (F : network Label Coordinate) zeta n,
      output A F zeta (noise K G n) = output B F zeta (noise K G' n)""",
        ),
        Theorem(
            name="Law.distance_zero",
            says="W_ii - 2 W_ij + W_jj is zero exactly if w_i and w_j are made of the draws alike",
            statement="""forall (K : nat) (G : nat -> nat -> R) (i j : nat),
  distance K G i j = 0 <-> forall d, (d < K)%nat -> G i d = G j d""",
        ),
    ),
    counterexamples=(
        Theorem(
            name="NoiseCounterexamples.diagonal_is_not_enough",
            says="equal variances do not give equal laws, unless two draws are almost surely equal",
            statement="""exists (A : sampler unit) G G',
  (forall i, (i <= calls A)%nat -> covariance 2 G i i = covariance 2 G' i i) /\\
  forall P : law unit,
    P (fun n => n 1%nat tt - n O tt = 0) <> P (fun n => n O tt - n O tt = 0) ->
    exists (F : network unit unit) event,
      P (fun n => event (output A F (fun _ => 0) (noise 2 G n))) <>
      P (fun n => event (output A F (fun _ => 0) (noise 2 G' n)))""",
        ),
        Theorem(
            name="NoiseCounterexamples.equal_variances_are_not_equal",
            says="calls whose noises have the same variance are not asked the same",
            statement="""exists (A : sampler unit) G,
  twins A 0 1 /\\ covariance 2 G 0 0 = covariance 2 G 1 1 /\\
  exists (F : network unit unit) (n : nat -> state unit),
    query A F (fun _ => 0) (noise 2 G n) 0 <> query A F (fun _ => 0) (noise 2 G n) 1""",
        ),
    ),
    statement=r"(l, c, H, W) = (l', c', H', W') \implies q_N | \zeta \sim q'_N | \zeta \text{ for every"
    r" network},"
    r" \qquad W = G G^T = (G O) (G O)^T, \qquad W_{ii} - 2 W_{ij} + W_{jj} = 0 \iff w_i = w_j",
    source=Source(seed="003", section="Overview", equation="implied: two samplers are the same in law"),
    needs=("i-deterministic",),
    cites=("rotation invariance of the standard normal law, which the Rocq theorem has as a hypothesis",),
)

zeta, f, n_0, n_1, h, c, c_n = symbols("zeta f n_0 n_1 h c c_N", real=True)
g_00, g_01, g_10, g_11, w_0, w_1, y = symbols("g_00 g_01 g_10 g_11 w_0 w_1 y", real=True)
v_00, v_01, v_11 = symbols("W_00 W_01 W_11", real=True)
angle = symbols("phi", positive=True)
NORMAL = {0: S.One, 1: S.Zero, 2: S.One}


def _noise(angle: Any = None) -> tuple[Any, Any]:
    """Two noises made of two draws, which may be rotated first."""
    first, second = n_0, n_1
    if angle is not None:
        first, second = cos(angle) * n_0 - sin(angle) * n_1, sin(angle) * n_0 + cos(angle) * n_1
    return g_00 * first + g_01 * second, g_10 * first + g_11 * second


def _covariance(one: Any, two: Any) -> Any:
    return mean(mean(one * two, n_0, NORMAL), n_1, NORMAL)


def _variance(e: Any) -> Any:
    """Of a sum of w_0 and w_1 with those weights, by their covariances."""
    first, second = e
    return first**2 * v_00 + 2 * first * second * v_01 + second**2 * v_11


def derivation() -> Derivation:
    return Derivation(chains=(*_covariances(), *_merging(), *_diagonal()))


def _covariances() -> Iterable[Chain]:
    (one, two), (one_turned, two_turned) = _noise(), _noise(angle)
    yield chain("W is G G^T", _covariance(one, two), ("draws are independent", g_00 * g_10 + g_01 * g_11))
    for name, plain, turned in (
        ("a variance", (one, one), (one_turned, one_turned)),
        ("a covariance", (one, two), (one_turned, two_turned)),
    ):
        yield chain(
            f"A rotation of the draws does not change {name}",
            _covariance(*turned),
            ("squares of cosine and sine add up to one", _covariance(*plain)),
        )


def _merging() -> Iterable[Chain]:
    one, two = _noise()
    yield chain(
        "The variance by which two noises differ",
        _covariance(one - two, one - two),
        ("W_ii - 2 W_ij + W_jj", _covariance(one, one) - 2 * _covariance(one, two) + _covariance(two, two)),
    )
    first, second = (
        queries(lambda _call, _q: y, ((), (h,)), (c * zeta, c * zeta + w))[-1] for w in (w_0, w_1)
    )
    yield chain("Queries with the same c and row differ by their noise", first - second, ("", w_0 - w_1))


def _diagonal() -> Iterable[Chain]:
    out = queries(lambda _call, q: f * q, ((), (h,)), (c * zeta + w_0, c_n * zeta + w_1))[-1]
    yield chain(
        "One call of a linear network",
        out,
        ("collect the noise", (c_n + h * f * c) * zeta + (h * f * w_0 + w_1)),
    )
    made = _noise()
    yield chain(
        "Its variance",
        _covariance(h * f * made[0] + made[1], h * f * made[0] + made[1]),
        (
            "every entry of W enters",
            (h * f) ** 2 * _covariance(made[0], made[0])
            + 2 * h * f * _covariance(*made)
            + _covariance(made[1], made[1]),
        ),
    )


def false_variants() -> Iterable[Variant]:
    one, two = _noise()
    yield Variant(
        name="the diagonal of W is enough",
        left=_variance((h * f, S.One)),
        right=_variance((h * f, S.One)) - 2 * h * f * v_01,
    )
    yield Variant(
        name="noises of equal variance are equal",
        left=_covariance(one - two, one - two),
        right=_covariance(one, one) - _covariance(two, two),
    )
    yield Variant(
        name="covariances depend on the numbering of the draws",
        left=_covariance(*_noise(angle)),
        right=cos(angle) * _covariance(one, two),
    )
    yield Variant(
        name="calls with equal noise are asked the same, whatever their rows",
        left=queries(lambda _call, _q: y, ((), (h,)), (c * zeta + w_0, c * zeta + w_0))[1],
        right=c * zeta + w_0,
    )
