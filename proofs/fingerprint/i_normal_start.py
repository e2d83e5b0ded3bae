r"""From a normal start, only the sum of the start's share and the noise is seen: Sigma = S^2 c c^T + W.

With zeta from N(0, S^2) in every coordinate, c_j zeta + w_j is jointly normal with the covariance Sigma,
and what follows depends on zeta and the noise through it alone. So samplers with the same (l, H, Sigma)
give the same law for every network, and c is not seen by itself: (c, W), (-c, W) and (0, W + S^2 c c^T)
have the same Sigma. They are told apart given the start. Two shares are almost surely equal exactly if c
and the noise are: Sigma_ii - 2 Sigma_ij + Sigma_jj = S^2 (c_i - c_j)^2 + (W_ii - 2 W_ij + W_jj), a sum of
two terms that are not negative; so calls are merged alike. For any number of calls this is proved in Rocq
(NormalStart.v).

Not claimed: a start that is not normal, or a start that is given, as in editing: there (c, W) decides.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, symbols

from equiv.claim import Claim, Derivation, Source, Theorem, Variant, chain
from equiv.proofs._calculus import mean
from equiv.proofs._samplers import queries

CLAIM = Claim(
    id="i-normal-start",
    title="From a normal start, Sigma decides",
    open="any number of calls: the chains have two",
    theorems=(
        Theorem(
            name="NormalStart.law_from_normal",
            says="(l, H, Sigma), up to the names of calls, determines the law of the output",
            statement="""forall (Label : Type) (S : R) (K : nat) (Coordinate : Type)
    (A : sampler Label) (G : nat -> nat -> R) (B : sampler Label) (G' : nat -> nat -> R)
    (F : network Label Coordinate) (P : law Coordinate) (event : state Coordinate -> Prop),
  same_from_normal S K A G B G' -> rotation_invariant (Datatypes.S K) P ->
  P (fun n => event (drawn_output S K A G F n)) = P (fun n => event (drawn_output S K B G' F n))""",
        ),
        Theorem(
            name="NormalStart.reduced_alike",
            says="calls are merged alike, whether the start is given or drawn",
            statement="""forall (Label : Type) (S : R) (K : nat) (A : sampler Label) (G : nat -> nat -> R),
  S <> 0 ->
  reduced_given_start (Datatypes.S K) (at_zero A) (shares S A G) <-> reduced_given_start K A G""",
        ),
    ),
    counterexamples=(
        Theorem(
            name="NoiseCounterexamples.Sigma_is_not_enough_given_the_start",
            says="given the start, samplers with the same Sigma may have different outputs",
            statement="""exists A B : sampler unit,
  same_from_normal 1 0 A independent B independent /\\
  exists (F : network unit unit) (zeta : state unit), output A F zeta silent <> output B F zeta silent""",
        ),
        Theorem(
            name="NoiseCounterexamples.the_spread_is_squared",
            says="with S in place of its square, samplers with different Sigma would be the same",
            statement="""exists A B : sampler unit,
  (forall i j, (i <= 1)%nat -> (j <= 1)%nat -> 2 * start A i * start A j = 1 * start B i * start B j) /\\
  exists i, Sigma 2 0 A independent i i <> Sigma 1 0 B independent i i""",
        ),
    ),
    statement=r"\zeta \sim N(0, S^2): \quad (l, H, \Sigma) = (l', H', \Sigma') \implies q_N \sim q'_N"
    r" \text{ for every network}, \qquad \Sigma = S^2 c c^T + W",
    source=Source(seed="003", section="Overview", equation="implied: two samplers are the same in law"),
    needs=("i-given-start",),
    cites=("rotation invariance of the standard normal law, which the Rocq theorem has as a hypothesis",),
)

spread = symbols("S", positive=True)
zeta, c_0, c_1, w_0, w_1, y, h = symbols("zeta c_0 c_1 w_0 w_1 y h", real=True)
v_00, v_01, v_11 = symbols("W_00 W_01 W_11", real=True)
OF_START = {0: S.One, 1: S.Zero, 2: spread**2}
OF_NOISE = {(0, 0): S.One, (1, 0): S.Zero, (0, 1): S.Zero, (2, 0): v_00, (1, 1): v_01, (0, 2): v_11}


def _expectation(e: Any) -> Any:
    """Over the start and the noise: linear, by their moments."""
    over_start = mean(e, zeta, OF_START)
    by_first = {
        k: mean(over_start, w_0, {i: S.One if i == k else S.Zero for i in range(3)}) for k in range(3)
    }
    return sum(
        (
            mean(part, w_1, {j: OF_NOISE.get((k, j), S.Zero) for j in range(3)})
            for k, part in by_first.items()
        ),
        start=S.Zero,
    )


def _sigma(c: Any, other: Any, covariance: Any) -> Any:
    return spread**2 * c * other + covariance


def derivation() -> Derivation:
    one, two = c_0 * zeta + w_0, c_1 * zeta + w_1
    apart = _sigma(c_0, c_0, v_00) - 2 * _sigma(c_0, c_1, v_01) + _sigma(c_1, c_1, v_11)
    query = queries(lambda _call, _q: y, ((), (h,)), (one, two))[-1]
    return Derivation(
        chains=(
            chain(
                "A query sees the start and the noise by their sum", query, ("add the answer", h * y + two)
            ),
            chain("The covariance of the sums", _expectation(one * two), ("", _sigma(c_0, c_1, v_01))),
            chain("The variance of a sum", _expectation(one**2), ("", _sigma(c_0, c_0, v_00))),
            chain(
                "Turned around, the same",
                _sigma(-c_0, -c_1, v_01),
                ("both signs cancel", _sigma(c_0, c_1, v_01)),
            ),
            chain(
                "All of it drawn as noise, the same",
                _sigma(S.Zero, S.Zero, v_01 + spread**2 * c_0 * c_1),
                ("W takes the start's share", _sigma(c_0, c_1, v_01)),
            ),
            chain(
                "The variance by which two sums differ",
                _expectation((one - two) ** 2),
                ("by Sigma", apart),
                (
                    "that of the start and that of the noise",
                    spread**2 * (c_0 - c_1) ** 2 + (v_00 - 2 * v_01 + v_11),
                ),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    one, two = c_0 * zeta + w_0, c_1 * zeta + w_1
    yield Variant(
        name="the spread of the start without its square",
        left=_expectation(one * two),
        right=spread * c_0 * c_1 + v_01,
    )
    yield Variant(
        name="one c may be turned around alone", left=_sigma(-c_0, c_1, v_01), right=_sigma(c_0, c_1, v_01)
    )
    yield Variant(
        name="queries of equal variance are the same",
        left=_expectation((one - two) ** 2),
        right=_sigma(c_0, c_0, v_00) - _sigma(c_1, c_1, v_11),
    )
    yield Variant(
        name="given the start, c and -c are asked the same",
        left=queries(lambda _call, _q: y, ((),), (c_0 * zeta + w_0,))[0],
        right=queries(lambda _call, _q: y, ((),), (-c_0 * zeta + w_0,))[0],
    )
