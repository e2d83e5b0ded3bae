"""The prover's answers on mutated torch source, against what running the source says."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import oracle
import snippets
import torch

from equiv.lifting.refusal import Unsupported
from equiv.lifting.tracer import Tracer
from equiv.symbolic.decision import Contradiction, Decision, Different, Domain, Equal, decide
from equiv.symbolic.expression import Expr, Relation, symbol

FLOAT64_SLACK = 1e-6  # relative to the largest value met: only a semantic difference is that large


@dataclass
class Tally:
    """How often each pair of (truth, answer) was met, per kind; and every disagreement, in words."""

    counts: dict[str, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    disagreements: list[str] = field(default_factory=list)

    @property
    def total(self) -> Counter[tuple[str, str]]:
        return sum(self.counts.values(), Counter())

    def share(self, *, truth: str = "", answer: str = "") -> float:
        wanted = [n for (t, a), n in self.total.items() if truth in ("", t) and answer in ("", a)]
        return sum(wanted) / self.total.total()


def lift(source: str, *, declared: bool) -> tuple[Expr, dict[Expr, Any]]:
    """The expression of a snippet; ``declared`` makes a and b positive schedule symbols."""
    z, w = (
        torch.tensor([[0.5, -2.0], [3.0, 0.75]], dtype=torch.float64),
        torch.full((2, 2), -1.5, dtype=torch.float64),
    )
    a, b = torch.tensor(0.25, dtype=torch.float64), torch.tensor(0.75, dtype=torch.float64)
    with Tracer() as tracer:
        tracer.mark(z, "z")
        tracer.mark(w, "w")
        for tensor, name in ((a, "a"), (b, "b")):
            role = "schedule" if declared else "state"
            tracer.mark_as(tensor, [symbol(name, role, positive=declared)])
        result = eval(source, {"m": torch, "z": z, "w": w, "a": a, "b": b})
    if tracer.assumptions:
        raise Unsupported(tracer.assumptions[0].text)
    return tracer.element(result), tracer.point


def answer(pair: snippets.Pair, *, declared: bool) -> Decision | None:
    """What the prover says, or None where the source could not be read."""
    try:
        left, _ = lift(pair.left, declared=declared)
        right, _ = lift(pair.right, declared=declared)
    except Unsupported:
        return None
    a, b = (symbol(n, "schedule", positive=True) for n in "ab")
    domain = Domain(Relation(a, "<", b), Relation(b, "<", 1)) if declared else Domain()
    return decide(left, right, domain)


def judge(pairs: Iterable[snippets.Pair], *, declared: bool) -> Tally:
    """Count agreements; an answer that a run contradicts is a disagreement."""
    tally = Tally()
    points = oracle.inside() if declared else oracle.inside() + oracle.outside()
    for pair in pairs:
        decision = answer(pair, declared=declared)
        apart = [p for p in points if not oracle.agree(pair.left, pair.right, p)]
        truth = "different" if apart else "equal"
        tally.counts[pair.kind][truth, type(decision).__name__] += 1
        if problem := _contradicted(pair, decision, apart, declared=declared):
            tally.disagreements.append(f"{problem}: {pair.left}  against  {pair.right}")
    return tally


def _contradicted(
    pair: snippets.Pair, decision: Decision | None, apart: list[oracle.Point], *, declared: bool
) -> str:
    match decision:
        case Contradiction():
            return "both proved and refuted"
        case Equal() if apart and not any(c for c in decision.conditions if not c.discharged):
            return f"proved equal, but differ at {apart[0]}"
        case Equal() if declared and not _floats_agree(pair):
            return "proved equal, but torch's float64 results differ"
        case Different():
            point = {"z": 0, "w": 0, "a": 1, "b": 1} | {str(s): v for s, v in decision.point.items()}
            if oracle.agree(pair.left, pair.right, point):
                return f"refuted, but equal at the witness {decision.witness.inputs}"
    return ""


def _floats_agree(pair: snippets.Pair) -> bool:
    """Do the snippets agree when torch runs them in float64 inside the domain?"""
    points = oracle.inside()
    given = {k: torch.tensor([float(p[k]) for p in points], dtype=torch.float64) for k in "zwab"}
    left, right = (eval(s, {"m": torch, **given}) for s in (pair.left, pair.right))
    both_undefined = ~(left.isfinite() | right.isfinite())
    scale = 1 + left.abs().maximum(right.abs())
    return bool((((left - right).abs() <= FLOAT64_SLACK * scale) | both_undefined).all())
