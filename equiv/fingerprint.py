r"""The canonical form of a sampler that is affine in its state, the network outputs and the noise.

Over calls :math:`j = 0..N-1` the network is asked at
:math:`q_j = c_j \zeta + \sum_{i<j} H_{ji} y_i + w_j` and the output is :math:`q_N`, with :math:`w` jointly
normal of covariance :math:`W`. States are kept in the gauge :math:`z/\alpha` and network outputs as
:math:`\hat x`, so that two samplers that differ by gauge, time or prediction type alone have the same
matrices. The canonical form has the covariance, never a factor of it: no square roots, and no dependence on
how the draws are numbered or signed. From a normal start of spread S only :math:`S^2 c c^T + W` is seen.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Literal

import msgspec
from flint import arb

from equiv.symbolic import balls
from equiv.symbolic.affine import Form
from equiv.symbolic.decision import Decision, Different, Domain, Equal, decide
from equiv.symbolic.expression import Expr, Relation, const, text
from equiv.symbolic.simplified import Simplifier

ZERO, ONE = const(0), const(1)
Same = Literal["path", "law", "law from a normal start"]


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """A sampler as it was read: each query, and last the output, in the start, the answers and the draws."""

    told: tuple[Expr, ...]  # the noise ratio sigma/alpha of the level that the network is told
    start: Expr
    answers: tuple[Expr, ...]
    rows: tuple[Form, ...]  # one more than calls

    def fingerprint(self) -> "Fingerprint":
        """The matrices."""
        draws = self._draws()
        shares = [[row.get(d) for d in draws] for row in self.rows]
        n = len(self.rows)
        covariance = [[ZERO] * n for _ in range(n)]
        for j in range(n):
            for k in range(j + 1):
                covariance[j][k] = covariance[k][j] = _inner(shares[j], shares[k])
        return Fingerprint(
            told=self.told,
            start=tuple(row.get(self.start, ZERO) for row in self.rows),
            outputs=tuple(tuple(row.get(a, ZERO) for a in self.answers) for row in self.rows),
            covariance=tuple(map(tuple, covariance)),
            draws=tuple(tuple(ZERO if s is None else s for s in row) for row in shares),
        )

    def _draws(self) -> list[Expr]:
        """In the order in which they first reach a query."""
        known = {self.start, *self.answers}
        return [d for d in dict.fromkeys(k for row in self.rows for k in row) if d not in known]


def _inner(one: Sequence[Expr | None], two: Sequence[Expr | None]) -> Expr:
    total = ZERO
    for a, b in zip(one, two, strict=True):
        if a is not None and b is not None:
            total = a * b if total is ZERO else total + a * b
    return total


class Fingerprint(msgspec.Struct, frozen=True, kw_only=True):
    """What determines the output for every network; row N is the output itself.

    ``draws`` is a factor of the covariance, kept to say whether two samplers make the same use of the same
    draws; equality of laws does not look at it.
    """

    told: tuple[Expr, ...]  # N
    start: tuple[Expr, ...]  # c, N + 1
    outputs: tuple[tuple[Expr, ...], ...]  # H, N + 1 rows of N
    covariance: tuple[tuple[Expr, ...], ...]  # W, N + 1 square
    draws: tuple[tuple[Expr, ...], ...] = ()  # N + 1 rows

    @property
    def calls(self) -> int:
        return len(self.told)

    def kept(self, rows: Sequence[int]) -> "Fingerprint":
        """These calls alone, in this order, and the output."""
        all_rows = [*rows, self.calls]
        return Fingerprint(
            told=tuple(self.told[j] for j in rows),
            start=tuple(self.start[j] for j in all_rows),
            outputs=tuple(tuple(self.outputs[j][i] for i in rows) for j in all_rows),
            covariance=tuple(tuple(self.covariance[j][k] for k in all_rows) for j in all_rows),
            draws=tuple(self.draws[j] for j in all_rows) if self.draws else (),
        )

    def before_last(self) -> "Fingerprint":
        """The same sampler, ended where it asks the network for the last time: that query is its output."""
        n = self.calls - 1
        return Fingerprint(
            told=self.told[:n],
            start=self.start[:-1],
            outputs=tuple(row[:n] for row in self.outputs[:-1]),
            covariance=tuple(row[:-1] for row in self.covariance[:-1]),
            draws=self.draws[:-1],
        )


# --- reduction ------------------------------------------------------------------------------------------


class Reduced(msgspec.Struct, frozen=True, kw_only=True):
    """A fingerprint without idle and repeated calls, in canonical order, and zeros where they are proved.

    ``doubts`` are the entries that would have to be zero, or not, for it to be reduced: where there are any,
    equal matrices still mean equal samplers, but different ones mean nothing.
    """

    fingerprint: Fingerprint
    conditions: tuple[Relation, ...] = ()
    idealised: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


def reduced(whole: Fingerprint, domain: Domain) -> Reduced:
    """Delete calls that nothing of the output rests on, and merge those that are asked the same.

    ``domain`` has a point, at which nonzero entries are told from zeros before anything is proved.
    """
    judge = _Judge(domain)
    smaller = judge.tidied(whole)
    calls = smaller.calls + 1
    while smaller.calls < calls:
        calls = smaller.calls
        smaller = _merged(_live(smaller), judge)
    ordered = smaller.kept(_order(smaller, judge))
    return Reduced(
        fingerprint=_used_draws(ordered),
        conditions=judge.conditions,
        idealised=tuple(judge.idealised),
        doubts=tuple(judge.doubts),
    )


class _Judge:
    """Writes entries short, and says which are zero: certified apart from it at a point, or proved."""

    def __init__(self, domain: Domain) -> None:
        self.domain = domain
        self.idealised: dict[str, None] = {}
        self.doubts: dict[str, None] = {}
        self._assumed: dict[Relation, None] = {}
        self._known: dict[Expr, Expr] = {}
        self._shorten = Simplifier(domain.relations, domain.at)

    @property
    def conditions(self) -> tuple[Relation, ...]:
        """What the entries rest on, as they are now."""
        return tuple(dict.fromkeys((*self._shorten.assumed, *self._assumed)))

    def value(self, e: Expr) -> float:
        return float(balls.evaluate(e, self.domain.at).mid())

    def tidied(self, whole: Fingerprint) -> Fingerprint:
        """With zeros in place of what is zero, and without infinities."""
        return Fingerprint(
            told=whole.told,
            start=tuple(map(self.tidy, whole.start)),
            outputs=tuple(tuple(map(self.tidy, row)) for row in whole.outputs),
            covariance=tuple(tuple(map(self.tidy, row)) for row in whole.covariance),
            draws=tuple(tuple(map(self.tidy, row)) for row in whole.draws),
        )

    def tidy(self, e: Expr) -> Expr:
        if e not in self._known:
            self._known[e] = self._tidy(e)
        return self._known[e]

    def _tidy(self, e: Expr) -> Expr:
        e = self._shorten.of(e)
        if e is ZERO or balls.apart(balls.evaluate(e, self.domain.at), balls.exact(Fraction(0))):
            return e
        match decide(e, ZERO, self.domain):
            case Equal() as proved:
                self._assumed |= dict.fromkeys(proved.assumed)
                self.idealised |= dict.fromkeys(_idealised(proved))
                return ZERO
            case Different():
                return e
        self.doubts[text(e)[:80]] = None
        return e

    def equal(self, a: Expr, b: Expr) -> bool:
        return a is b or self.tidy(a - b) is ZERO


def _live(whole: Fingerprint) -> Fingerprint:
    """The calls from which a path leads to the output."""
    reached, waiting = set[int](), [whole.calls]
    while waiting:
        row = whole.outputs[waiting.pop()]
        found = [i for i, h in enumerate(row) if i not in reached and h is not ZERO]
        reached |= set(found)
        waiting += found
    return whole.kept(sorted(reached))


def _merged(whole: Fingerprint, judge: _Judge) -> Fingerprint:
    """The first two calls that are asked the same for certain, made one."""
    for j in range(whole.calls):
        for i in range(j):
            if _asked_the_same(whole, i, j, judge):
                outputs = [list(row) for row in whole.outputs]
                for row in outputs:
                    row[i] = judge.tidy(_sum(row[i], row[j]))
                summed = msgspec.structs.replace(whole, outputs=tuple(map(tuple, outputs)))
                return summed.kept([k for k in range(whole.calls) if k != j])
    return whole


def _sum(a: Expr, b: Expr) -> Expr:
    return b if a is ZERO else a if b is ZERO else a + b


def _asked_the_same(whole: Fingerprint, i: int, j: int, judge: _Judge) -> bool:
    w = whole.covariance
    pairs = [
        (whole.told[i], whole.told[j]),
        (whole.start[i], whole.start[j]),
        *zip(whole.outputs[i], whole.outputs[j], strict=True),
        (_sum(w[i][i], w[j][j]), _sum(w[i][j], w[i][j])),  # the noise is the same almost surely
    ]
    return all(judge.equal(a, b) for a, b in pairs)


def _order(whole: Fingerprint, judge: _Judge) -> list[int]:
    """Each call after those it rests on; of those that may come next, the noisiest, then by c and H."""
    placed: list[int] = []
    while len(placed) < whole.calls:
        ready = [
            j
            for j in range(whole.calls)
            if j not in placed and all(i in placed or h is ZERO for i, h in enumerate(whole.outputs[j]))
        ]
        placed.append(min(ready, key=lambda j: _rank(whole, j, placed, judge)))
    return placed


def _rank(whole: Fingerprint, j: int, placed: Sequence[int], judge: _Judge) -> tuple[float, ...]:
    row = [judge.value(whole.outputs[j][i]) for i in placed]
    return (-judge.value(whole.told[j]), judge.value(whole.start[j]), *row)


def _used_draws(whole: Fingerprint) -> Fingerprint:
    used = [d for d in zip(*whole.draws, strict=True) if any(share is not ZERO for share in d)]
    rows = tuple(zip(*used, strict=True)) if used else tuple(() for _ in whole.draws)
    return msgspec.structs.replace(whole, draws=rows)


# --- comparison -----------------------------------------------------------------------------------------


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The first entry in which two fingerprints are not known to agree."""

    entry: str
    decision: Decision
    row: int = 0  # of the entry


class Agreement(msgspec.Struct, frozen=True, kw_only=True):
    """All entries agree, wherever these conditions hold: ``how`` says in which sense the samplers are one."""

    conditions: tuple[Relation, ...]
    idealised: tuple[str, ...] = ()
    how: Same = "law"
    noisy: bool = False


class Lengths(msgspec.Struct, frozen=True, kw_only=True):
    """Reduced, they ask the network another number of times."""

    calls: tuple[int, int]


Entry = tuple[str, int, Expr, Expr]


def difference(
    a: Fingerprint, b: Fingerprint, domain: Domain, spread: Expr | None = None
) -> Difference | Agreement | Lengths:
    """The first entry not proved equal, in the order in which a sampler runs, or what the agreement rests on.

    Calls are compared one to one, in the order given. With ``spread``, the deviation of a normal start, two
    samplers of another law given the start may still have the same.
    """
    if a.calls != b.calls:
        return Lengths(calls=(a.calls, b.calls))
    found = _first(_given_the_start(a, b), domain)
    if isinstance(found, Difference):
        from_normal = _first(_from_normal(a, b, spread), domain) if spread is not None else found
        if isinstance(from_normal, Agreement):
            return msgspec.structs.replace(from_normal, how="law from a normal start", noisy=True)
        return found
    noisy = any(w is not ZERO for row in (*a.covariance, *b.covariance) for w in row)
    if not noisy or isinstance(_same_draws(a, b, domain), Agreement):
        found = msgspec.structs.replace(found, how="path")
    return msgspec.structs.replace(found, noisy=noisy)


def _same_draws(a: Fingerprint, b: Fingerprint, domain: Domain) -> Difference | Agreement | None:
    """Are the draws used alike, one by one?"""
    if not a.draws or not b.draws or len(a.draws[0]) != len(b.draws[0]):
        return None
    pairs = [
        (f"G[{j},{d}]", j, left, right)
        for j, rows in enumerate(zip(a.draws, b.draws, strict=True))
        for d, (left, right) in enumerate(zip(*rows, strict=True))
    ]
    return _first(pairs, domain)


def _first(entries: Iterable[Entry], domain: Domain) -> Difference | Agreement:
    conditions = dict[Relation, None]()
    idealised = dict[str, None]()
    for entry, row, left, right in entries:
        if left is right and left.op == "const":
            continue
        decision = decide(left, right, domain)
        if not isinstance(decision, Equal):
            return Difference(entry=entry, decision=decision, row=row)
        conditions |= dict.fromkeys(decision.assumed)
        idealised |= dict.fromkeys(_idealised(decision))
    return Agreement(conditions=tuple(conditions), idealised=tuple(idealised))


def _idealised(decision: Equal) -> Iterator[str]:
    """What a decision rests on beside relations."""
    for condition in decision.conditions:
        if condition.kind not in ("denominator", "sign", "branch") and not condition.discharged:
            yield condition.text


def _given_the_start(a: Fingerprint, b: Fingerprint) -> Iterator[Entry]:
    yield from _rows(a, b, lambda p, j: [(f"c[{j}]", p.start[j])], lambda p, j, k: p.covariance[j][k], "W")


def _from_normal(a: Fingerprint, b: Fingerprint, spread: Expr) -> Iterator[Entry]:
    def sigma(p: Fingerprint, j: int, k: int) -> Expr:
        return spread * spread * p.start[j] * p.start[k] + p.covariance[j][k]

    yield from _rows(a, b, lambda _p, _j: [], sigma, "Sigma")


def _rows(
    a: Fingerprint,
    b: Fingerprint,
    first: Callable[[Fingerprint, int], list[tuple[str, Expr]]],
    spread: Callable[[Fingerprint, int, int], Expr],
    name: str,
) -> Iterator[Entry]:
    n = a.calls
    for j in range(n + 1):
        if j < n:
            yield f"level told at call {j}", j, a.told[j], b.told[j]
        for (entry, left), (_, right) in zip(first(a, j), first(b, j), strict=True):
            yield entry, j, left, right
        for i in range(n):
            yield f"H[{j},{i}]", j, a.outputs[j][i], b.outputs[j][i]
        for k in range(j + 1):
            yield f"{name}[{j},{k}]", j, spread(a, j, k), spread(b, j, k)


# --- numbers --------------------------------------------------------------------------------------------


def numbers(print_: Fingerprint, point: Mapping[Expr, Fraction]) -> list[arb]:
    """Levels, c, H and W at a point, as balls, in the order in which they are compared."""
    return [balls.evaluate(left, point) for _, _, left, _ in _given_the_start(print_, print_)]
