r"""With a label of its own for every call, affine networks already determine the whole sampler.

From a normal start, let every call of two samplers lead to the output and have a label of its own, and let
their outputs have the same law for every affine network F(l, q) = f_l q + g_l, with numbers f_l; one
coordinate will do. Then (l, H, Sigma) are the same, and so is the law for every network.

Proof. The output is the sum of m_u g_u over the calls and of p_u w_u over the rows, where w_u is the start
and the noise of row u, p_N = 1 for the output, p_u = f_u m_u for a call, and m_u the sum of H_ju p_j over the
rows j. If g is 1 at the label of call u and 0 at the others, the mean is m_u. So the labels are the same, and
m_u and p_u are, for every f. Any p with p_N = 1 at which no m_u vanishes occurs, for f_u = p_u / m_u; and no
m_u vanishes everywhere, because every call leads to the output. There the two m_u, linear in p with the
coefficients H_ju, agree, and so do the two variances, quadratic in p with the coefficients Sigma_uv. Forms
that agree off finitely many hyperplanes agree: a point of a hyperplane is approached along a line that
leaves it, and a polynomial of degree two is known by three values. This is proved in Rocq for any number of
calls (AffineNetworks.v); the chains show its algebra for three.

Not claimed: repeated labels (i-repeated-labels); calls that do not lead to the output; that networks without
the offsets g would do.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sympy import Ne, Rational, S, evaluate, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Theorem, Variant, chain
from equiv.proofs._calculus import rate
from equiv.proofs._samplers import queries

CLAIM = Claim(
    id="i-affine-networks",
    title="Affine networks determine a sampler whose labels are distinct",
    open="any number of calls: the chains have three",
    theorems=(
        Theorem(
            name="AffineNetworks.affine_networks",
            says="affine networks give the same distributions exactly if (l, H, Sigma) agree",
            statement="""forall (Label Coordinate : Type) (decide : forall a b : Label, {a = b} + {a <> b})
    (k : Coordinate) (S : R) (K : nat) (P : law Coordinate) (E : expectation P k (Datatypes.S K))
    (A B : sampler Label) (G G' : nat -> nat -> R),
  rotation_invariant (Datatypes.S K) P -> distinct A -> distinct B -> live A -> live B ->
  (forall (f : Label -> R) (g : Label -> state Coordinate) (r : R),
    P (fun n => drawn_output S K A G (affine f g) n k <= r)
    = P (fun n => drawn_output S K B G' (affine f g) n k <= r))
  <-> same_from_normal S K A G B G'""",
        ),
        Theorem(
            name="AffineNetworks.affine_networks_suffice",
            says="and then the same law for every network",
            statement="""forall (Label Coordinate : Type) (decide : forall a b : Label, {a = b} + {a <> b})
    (k : Coordinate) (S : R) (K : nat) (P : law Coordinate) (E : expectation P k (Datatypes.S K))
    (A B : sampler Label) (G G' : nat -> nat -> R),
  rotation_invariant (Datatypes.S K) P -> distinct A -> distinct B -> live A -> live B ->
  (forall (f : Label -> R) (g : Label -> state Coordinate) (r : R),
    P (fun n => drawn_output S K A G (affine f g) n k <= r)
    = P (fun n => drawn_output S K B G' (affine f g) n k <= r)) ->
  forall (F : network Label Coordinate) (event : state Coordinate -> Prop),
    P (fun n => event (drawn_output S K A G F n)) = P (fun n => event (drawn_output S K B G' F n))""",
        ),
        Theorem(
            name="AffineCounterexamples.laws_exist",
            says="laws with these properties exist: one draw may be the toss of a coin",
            statement="""forall decided : (forall event : Prop, {event} + {~ event}),
  rotation_invariant 1 (coin decided) /\\ inhabited (expectation (coin decided) tt 1)""",
        ),
    ),
    counterexamples=(
        Theorem(
            name="AffineCounterexamples.repeated_labels",
            says="with a repeated label, affine networks do not see the difference, but the square does",
            statement="""forall (S : R) (G : nat -> nat -> R),
  let A := twice (1/2) (1/5) (3/5) in let B := twice 1 (1/2) (3/10) in
  live A /\\ live B /\\
  (forall f g (n : nat -> state unit), drawn_output S 0 A G (affine f g) n tt
                                     = drawn_output S 0 B G (affine f g) n tt) /\\
  ~ same_from_normal S 0 A G B G /\\
  (S <> 0 -> exists n : nat -> state unit, drawn_output S 0 A G (fun _ q k => q k * q k) n tt
                                        <> drawn_output S 0 B G (fun _ q k => q k * q k) n tt)""",
        ),
        Theorem(
            name="AffineCounterexamples.idle_call",
            says="a call that does not lead to the output is seen by no network",
            statement="""forall (S : R) (G : nat -> nat -> R), distinct (idle 1) /\\ distinct (idle 0) /\\
  (forall F (n : nat -> state unit), drawn_output S 0 (idle 1) G F n tt
                                   = drawn_output S 0 (idle 0) G F n tt) /\\
  ~ same_from_normal S 0 (idle 1) G (idle 0) G""",
        ),
        Theorem(
            name="AffineCounterexamples.linear_networks",
            says="linear networks, without offsets, do not suffice",
            statement="""forall (S : R) (G : nat -> nat -> R),
  let A := once 1 1 in let B := once (1/2) 2 in
  distinct A /\\ distinct B /\\ live A /\\ live B /\\
  (forall f (n : nat -> state unit), drawn_output S 0 A G (affine f (fun _ _ => 0)) n tt
                                   = drawn_output S 0 B G (affine f (fun _ _ => 0)) n tt) /\\
  ~ same_from_normal S 0 A G B G""",
        ),
    ),
    statement=r"l_i \ne l_j\ (i \ne j),\ \text{every call leads to the output}:\quad"
    r" q_N \sim q'_N \text{ for all } F(l, q) = f_l q + g_l \iff (l, H, \Sigma) \cong (l', H', \Sigma')",
    source=Source(seed="003", section="Overview", equation="implied: two samplers are the same in law"),
    needs=("i-normal-start",),
    cites=(
        "rotation invariance of the standard normal law, which the Rocq theorem has as a hypothesis",
        "mean and variance as functions of the law, which the Rocq theorem has as a hypothesis",
    ),
)

f = symbols("f_0 f_1 f_2", real=True)
g = symbols("g_0 g_1 g_2", real=True)
p = (*symbols("p_0 p_1 p_2", real=True), S.One)
w = symbols("w_0 w_1 w_2 w_3", real=True)
x = symbols("x_0 x_1 x_2 x_3", real=True)
h_10, h_20, h_21, h_30, h_31, h_32 = symbols("H_10 H_20 H_21 H_30 H_31 H_32", real=True)
ROWS = ((), (h_10,), (h_20, h_21), (h_30, h_31, h_32))
SIGMA = tuple(tuple(symbols(f"Sigma_{min(i, j)}{max(i, j)}", real=True) for j in range(4)) for i in range(4))
d, value, slope, curvature = symbols("d G_0 b a", real=True)


def _output() -> Any:
    """The output, its start merged into the noise."""
    return queries(lambda u, q: f[u] * q + g[u], ROWS, w)[-1]


def _total(terms: Iterable[Any]) -> Any:
    """Their sum, without the zero that Python begins with."""
    with evaluate(True):
        return sum(terms)


def _reach(u: int, factors: Sequence[Any]) -> Any:
    """How answer u reaches the output, if row j does with factors[j]."""
    return _total(ROWS[j][u] * factors[j] for j in range(u + 1, 4))


def _factors(slopes: Sequence[Any]) -> tuple[Any, ...]:
    """How the rows reach the output, found backwards from the output itself."""
    found = [S.Zero, S.Zero, S.Zero, S.One]
    for u in (2, 1, 0):
        found[u] = slopes[u] * _reach(u, found)
    return tuple(found)


def _variance(factors: Sequence[Any]) -> Any:
    return _total(SIGMA[u][v] * factors[u] * factors[v] for u in range(4) for v in range(4))


def _line(t: Any) -> Any:
    """A form along a line."""
    return value + slope * t + curvature * t**2


def derivation() -> Derivation:
    return Derivation(
        chains=(*_written_out(), *_any_factors(), *_forms()),
        hypotheses=tuple(Ne(_reach(u, p), 0, evaluate=False) for u in range(3)),
    )


def _written_out() -> Iterable[Chain]:
    out, factors = _output(), _factors(f)
    offsets = _total(_reach(u, factors) * g[u] for u in range(3))
    noises = _total(factors[u] * w[u] for u in range(4))
    yield chain("The output", out, ("offsets, and the start and noise of the rows", offsets + noises))
    for u in range(3):
        yield chain(f"Mean: what the offset of call {u} adds", rate(out, g[u]), ("", _reach(u, factors)))


def _any_factors() -> Iterable[Chain]:
    slopes = [p[u] / _reach(u, p) for u in range(3)]
    for u, factor in enumerate(_factors(slopes)[:3]):
        yield chain(f"Every p occurs: call {u}", factor, ("choose f backwards", p[u]))


def _forms() -> Iterable[Chain]:
    yield chain(
        "A polynomial of degree two, from three other values",
        -_line(d) / 2 + _line(-d) / 6 + Rational(4, 3) * _line(d / 2),
        ("so it vanishes if they do", value),
    )
    form = _variance(x)
    for u in range(4):
        for v in range(u, 4):
            yield chain(f"Sigma_{u}{v} from the form", rate(rate(form, x[u]), x[v]) / 2, ("", SIGMA[u][v]))


def false_variants() -> Iterable[Variant]:
    out, factors = _output(), _factors(f)
    yield Variant(name="answers reach the output directly only", left=rate(out, g[0]), right=h_30)
    yield Variant(
        name="noise reaches the output as answers do, without f",
        left=rate(out, w[0]),
        right=_reach(0, factors),
    )
    yield Variant(
        name="the slopes are p_u over the weight of the output alone",
        left=_factors([p[u] / ROWS[3][u] for u in range(3)])[0],
        right=p[0],
    )
    yield Variant(
        name="a polynomial of degree two is known from two other values",
        left=(_line(d) + _line(-d)) / 2,
        right=value,
    )
    yield Variant(
        name="the variance sees the diagonal of Sigma alone",
        left=_variance(factors),
        right=_total(SIGMA[u][u] * factors[u] ** 2 for u in range(4)),
    )
