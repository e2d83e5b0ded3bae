r"""The law of all queries, for all networks, determines a sampler, repeated labels or not.

Let the queries and the output be q_j = sum_{i<j} H_ji y_i + w_j with jointly normal w of covariance Sigma, a
normal start merged into it, and let no two calls have the same label, row of H and almost surely the same w.
Claim: another sampler with the same law of labels, queries and output, in their order, for every network, has
the same labels, H and Sigma; and conversely. One coordinate will do.

Proof. With a network that answers 0, the queries are the noise; so Sigma is seen. Let the rows before j
agree. If row j does not, choose answers y and noises omega such that sum_i (H_ji - H'_ji) y_i is not zero
and that the queries planned, p_i = omega_i + sum_u H_iu y_u, are distinct where their labels are the same:
these are finitely many affine forms, none of them zero. Let the network answer y_i near p_i, and 0
elsewhere. Then the queries before j are all near their plan exactly if the noises are near omega, in both
samplers; this has the same probability in both, which is not zero; and on it the expectations of q_j differ
by that probability times the sum. This is proved in Rocq, for any number of calls (Trajectory.v), from what
is written there of the expectation of normal draws; below, its algebra for three calls.
Affine networks are not enough, even so: rows that differ by (1, -2, 1) are not seen where the queries are
equally spaced.

Not claimed: that the law of the output alone determines a sampler (i-output-law); calls in another order.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Theorem, Variant, chain
from equiv.proofs._samplers import queries

CLAIM = Claim(
    id="i-trajectory-law",
    title="Laws of all queries for all networks determine a sampler",
    statement=r"\text{no two calls always asked the same}:\quad"
    r" (l_0, q_0, l_1, \ldots, q_N) \sim (l'_0, q'_0, l'_1, \ldots, q'_N) \text{ for all networks } F"
    r" \iff (l, H, \Sigma) = (l', H', \Sigma')",
    source=Source(seed="003", section="Overview", equation="implied: two samplers are the same in law"),
    needs=("i-normal-start",),
    open="any number of calls: the chains have three",
    theorems=(
        Theorem(
            name="Trajectory.trajectories",
            says="for networks and functions of trajectories of rich classes, trajectories have the same law"
            " exactly if labels, H and Sigma are the same",
            statement="""forall (Label Coordinate : Type) (decide : forall a b : Label, {a = b} + {a <> b})
    (k : Coordinate) (K : nat) (E : ((nat -> state Coordinate) -> R) -> R)
    (A B : sampler Label) (G G' : nat -> nat -> R)
    (networks : network Label Coordinate -> Prop) (functions : ((nat -> R) -> R) -> Prop),
  rich decide k networks functions -> normal k K E -> told_apart K A G ->
  same_trajectories k K networks functions E A G B G' <->
    calls A = calls B /\\ (forall i, (i < calls A)%nat -> label A i = label B i) /\\
    (forall j i, (j <= calls A)%nat -> (i < calls A)%nat -> weight A j i = weight B j i) /\\
    forall i j, (i <= calls A)%nat -> (j <= calls A)%nat -> covariance K G i j = covariance K G' i j""",
        ),
    ),
    counterexamples=(
        Theorem(
            name="TrajectoryCounterexamples.not_if_always_asked_the_same",
            says="of two calls that are always asked the same, it is not seen which is used",
            statement="""exists A B : sampler unit, calls A = calls B /\\
  weight A 2 0 <> weight B 2 0 /\\
  forall (F : network unit unit) n j, (j <= 2)%nat ->
    trajectory tt 1 A one_draw F n j = trajectory tt 1 B one_draw F n j""",
        ),
        Theorem(
            name="TrajectoryCounterexamples.not_for_affine_networks",
            says="where a label is repeated, affine networks do not show all",
            statement="""exists A B : sampler unit, calls A = calls B /\\
  told_apart 1 A one_draw /\\ weight A 3 0 <> weight B 3 0 /\\
  forall (f g : R) n j, (j <= 3)%nat ->
    trajectory tt 1 A one_draw (fun _ q k => f * q k + g) n j
    = trajectory tt 1 B one_draw (fun _ q k => f * q k + g) n j""",
        ),
    ),
    cites=("the standard normal law, with the properties that the Rocq theorem has as hypotheses",),
)

z, f, g = symbols("z f g", real=True)
w = symbols("w_0 w_1 w_2 w_3", real=True)
omega = symbols("omega_0 omega_1 omega_2", real=True)
y = symbols("y_0 y_1 y_2", real=True)
h_10, h_20, h_21, h_30, h_31, h_32 = symbols("H_10 H_20 H_21 H_30 H_31 H_32", real=True)
other = symbols("K_30 K_31 K_32", real=True)
EARLIER = ((), (h_10,), (h_20, h_21))
LAST = (h_30, h_31, h_32)
SPACED = ((), (S.One,), (S(2), S.Zero))  # queries at z, z + y_0 and z + 2 y_0


def _seen(last: Any) -> list[Any]:
    return queries(lambda u, _q: y[u], (*EARLIER, last), w)


def _planned(u: int) -> Any:
    return queries(lambda v, _q: y[v], EARLIER[: u + 1], omega[: u + 1])[-1]


def _spaced(last: Any, network: Any) -> Any:
    return queries(lambda _call, q: network(q), (*SPACED, last), (z, z, z, z))[-1]


def derivation() -> Derivation:
    return Derivation(chains=(*_plan(), *_rows(), *_spacing()))


def _plan() -> Iterable[Chain]:
    asked = _seen(LAST)
    for u in (1, 2):  # the first call is asked its noise
        yield chain(
            f"Call {u} is asked near its plan if its noise is near omega",
            asked[u] - _planned(u),
            ("the answers so far are as planned", w[u] - omega[u]),
        )


def _rows() -> Iterable[Chain]:
    yield chain(
        "What the rows of the output contribute, the noise being the same",
        _seen(LAST)[3] - _seen(other)[3],
        (
            "the differences of the rows, times the answers",
            sum((a - b) * v for a, b, v in zip(LAST, other, y, strict=True)),
        ),
    )
    yield chain(
        "The network that answers 0",
        queries(lambda _call, _q: S.Zero, (*EARLIER, LAST), w)[3],
        ("only the noise is left", w[3]),
    )


def _spacing() -> Iterable[Chain]:
    yield chain(
        "Equally spaced queries: affine networks do not see a row that has changed by (1, -2, 1)",
        _spaced((S.One, S.One, S.One), lambda q: f * q + g),
        ("their answers are equally spaced", _spaced((S(2), -S.One, S(2)), lambda q: f * q + g)),
    )


def false_variants() -> Iterable[Variant]:
    yield Variant(
        name="the square does not see it either",
        left=_spaced((S.One, S.One, S.One), lambda q: q**2),
        right=_spaced((S(2), -S.One, S(2)), lambda q: q**2),
    )
    yield Variant(
        name="affine networks do not see a row that has changed by (1, -1, 0)",
        left=_spaced((S.One, S.One, S.One), lambda q: f * q + g),
        right=_spaced((S(2), S.Zero, S.One), lambda q: f * q + g),
    )
    yield Variant(
        name="the plan does not see what is carried between calls",
        left=_seen(LAST)[2] - (omega[2] + h_20 * y[0]),
        right=w[2] - omega[2],
    )
    yield Variant(
        name="one answer shows a whole row",
        left=_seen(LAST)[3] - _seen(other)[3],
        right=(h_30 - other[0]) * y[0],
    )
