"""The prover's answers on mutated torch source, against what running the source says."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import oracle
import torch
from snippets import Pair

from equiv.lifting.reading import Given, read
from equiv.lifting.refusal import Unsupported
from equiv.lifting.tracer import Tracer
from equiv.symbolic.decision import Contradiction, Decision, Different, Domain, Equal, decide
from equiv.symbolic.expression import Expr, Relation, symbol

FLOAT64_SLACK = 1e-6  # relative to the largest value met: only a semantic difference is that large
ROUNDED = 12  # digits that are owed where a float64 number stands for another
UNIT = 2.0**-53


class Lifted(NamedTuple):
    """What a source was read as, under which relations, and where it was run."""

    expression: Expr
    relations: tuple[Relation, ...] = ()
    at: Mapping[Expr, Any] = {}


class Setting(NamedTuple):
    """How sources are read and run, and what is promised of their schedule."""

    lift: Callable[[str], Lifted]
    domain: tuple[Relation, ...]
    points: Sequence[oracle.Point]
    run: Callable[[str, Sequence[oracle.Point]], torch.Tensor]


@dataclass
class Tally:
    """How often each pair of (truth, answer) was met, per kind; and every disagreement, in words."""

    counts: dict[str, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    disagreements: list[str] = field(default_factory=list)

    @property
    def total(self) -> Counter[tuple[str, str]]:
        return sum(self.counts.values(), Counter())

    def share(self, *, truth: str = "", answer: str = "", kind: str = "") -> float:
        among = self.counts[kind] if kind else self.total
        wanted = [n for (t, a), n in among.items() if truth in ("", t) and answer in ("", a)]
        return sum(wanted) / among.total()

    def undecided(self, kind: str = "") -> float:
        return 1 - sum(self.share(answer=a, kind=kind) for a in ("Equal", "Different"))

    def add(self, other: "Tally") -> None:
        for kind, counts in other.counts.items():
            self.counts[kind] += counts
        self.disagreements += other.disagreements


def judge(pairs: Iterable[Pair], setting: Setting) -> Tally:
    """Count agreements; an answer that a run contradicts is a disagreement."""
    tally = Tally()
    for pair in pairs:
        try:
            _judge(pair, setting, tally)
        except Exception as error:
            error.add_note(f"judging {pair}")
            raise
    return tally


def _judge(pair: Pair, setting: Setting, tally: Tally) -> None:
    decision, relations = answer(pair, setting)
    met = [p for p in setting.points if all(oracle.holds(r, p) for r in relations)]
    exact = isinstance(decision, Equal) and all(c.kind not in _ROUNDS for c in decision.conditions)
    digits = oracle.DIGITS if exact and all(r.op != "==" for r in relations) else ROUNDED
    apart = [p for p in met if not oracle.agree(pair.left, pair.right, p, digits=digits)]
    truth = "different" if apart else "equal"
    tally.counts[pair.kind][truth, type(decision).__name__] += 1
    if problem := _contradicted(pair, setting, decision, met, apart):
        tally.disagreements.append(f"{problem}: {pair.left}  against  {pair.right}")


_ROUNDS = frozenset(["idealised constant", "cast"])


def answer(pair: Pair, setting: Setting) -> tuple[Decision | None, tuple[Relation, ...]]:
    """What the prover says, or None where a source could not be read; and under which relations."""
    try:
        left, right = setting.lift(pair.left), setting.lift(pair.right)
    except Unsupported:
        return None, ()
    relations = (*left.relations, *right.relations)
    at = {**left.at, **right.at}
    return decide(left.expression, right.expression, Domain(*setting.domain, *relations, at=at)), relations


def _contradicted(
    pair: Pair,
    setting: Setting,
    decision: Decision | None,
    met: Sequence[oracle.Point],
    apart: Sequence[oracle.Point],
) -> str:
    match decision:
        case Contradiction():
            return "both proved and refuted"
        case Equal():
            for point in apart:
                if all(oracle.holds(r, point) for r in decision.assumed):
                    return f"proved equal, but differ at {point}"
            if not apart and not _floats_agree(pair, setting, met):
                return "proved equal, but torch's float64 results differ"
        case Different():
            point = {**setting.points[0], **{str(s): v for s, v in decision.point.items()}}
            if oracle.agree(pair.left, pair.right, point):
                return f"refuted, but equal at the witness {decision.witness.inputs}"
    return ""


def _floats_agree(pair: Pair, setting: Setting, points: Sequence[oracle.Point]) -> bool:
    """Do the sources agree when torch runs them in float64?"""
    left, right = (setting.run(source, points) for source in (pair.left, pair.right))
    both_undefined = ~(left.isfinite() | right.isfinite())
    scale = 1 + left.abs().maximum(right.abs())
    return bool((((left - right).abs() <= FLOAT64_SLACK * scale) | both_undefined).all())


# --- snippets -------------------------------------------------------------------------------------------


def _lift_snippet(source: str, *, declared: bool) -> Lifted:
    """The expression of a snippet; ``declared`` makes a and b positive schedule symbols, else states."""
    values = {
        "z": [[0.5, -2.0], [3.0, 0.75]],
        "w": [[-1.5] * 2] * 2,
        "a": [[0.25] * 2] * 2,
        "b": [[0.75] * 2] * 2,
    }
    given = {name: torch.tensor(v, dtype=torch.float64) for name, v in values.items()}
    with Tracer() as tracer:
        for name, tensor in given.items():
            if declared and name in "ab":
                given[name] = tensor[0, 0].clone()
                tracer.mark_as(given[name], [symbol(name, "schedule", positive=True)])
            else:
                tracer.mark(tensor, name)
        result = eval(source, {"m": torch, **given})
    if tracer.assumptions:
        raise Unsupported(tracer.assumptions[0].text)
    return Lifted(tracer.element(result))


def _run_snippet(source: str, points: Sequence[oracle.Point]) -> torch.Tensor:
    given = {k: torch.tensor([float(p[k]) for p in points], dtype=torch.float64) for k in "zwab"}
    result: torch.Tensor = eval(source, {"m": torch, **given})
    return result


_A, _B = (symbol(n, "schedule", positive=True) for n in "ab")
DECLARED = Setting(
    lambda source: _lift_snippet(source, declared=True),
    (Relation(_A, "<", _B), Relation(_B, "<", 1)),
    oracle.inside(),
    _run_snippet,
)
UNDECLARED = Setting(
    lambda source: _lift_snippet(source, declared=False),
    (),
    oracle.inside() + oracle.outside(),
    _run_snippet,
)
"""Nothing is promised of a and b, and the points include those outside the domain."""


# --- samplers -------------------------------------------------------------------------------------------

_SHAPE = (2, 3)
_RUN = (0.75, 0.5, 0.125)  # the levels at which samplers are read; exact, as what is read out of them is
_LEVELS = [symbol(f"s_{k}", "schedule", positive=True) for k in range(oracle.LEVELS)]


def _lift_sampler(source: str) -> Lifted:
    chance = torch.Generator().manual_seed(3)
    states = {
        name: Given(torch.randn(_SHAPE, dtype=torch.float64, generator=chance)) for name in ("z", "x", "y")
    }
    levels = Given(torch.tensor(_RUN, dtype=torch.float64), "schedule")
    step = oracle.sampler(source)
    found = read(lambda **given: step(torch, **given), {**states, "s": levels})
    relations = tuple(a.relation for a in found.assumptions if a.relation is not None)
    return Lifted(found.element, relations, found.tracer.point)


class _Torch:
    """Torch, drawing what it is told to."""

    def __init__(self, noise: torch.Tensor) -> None:
        self.randn_like = lambda _: noise.clone()

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)


def _run_sampler(source: str, points: Sequence[oracle.Point]) -> torch.Tensor:
    step, found = oracle.sampler(source), []
    for point in points:
        z, x, y, n = (torch.tensor([float(point[k])], dtype=torch.float64) for k in "zxyn")
        s = torch.tensor([float(point[f"s_{k}"]) for k in range(oracle.LEVELS)], dtype=torch.float64)
        found.append(step(_Torch(n), z, x, y, s))
    return torch.cat(found) if found else torch.zeros(0)


_STATES = oracle.points_of("0.5 -1.5 2 1", "-2 0.75 0.25 -1", "3 -1 -0.5 0.5", "0 2 1 0", "-0.25 -4 0 2")
_FALLING = [tuple(map(oracle.Fraction, _RUN)), *oracle.points_of("0.75 0.25 0.125", "0.625 0.5 0.25")]
SAMPLERS = Setting(
    _lift_sampler,
    (*(Relation(low, "<", high) for high, low in itertools.pairwise(_LEVELS)), Relation(_LEVELS[0], "<", 1)),
    [
        dict(zip(("z", "x", "y", "n", "s_0", "s_1", "s_2"), (*state, *levels), strict=True))
        for state in _STATES
        for levels in _FALLING
    ],
    _run_sampler,
)
