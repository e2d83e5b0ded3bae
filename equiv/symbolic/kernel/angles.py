"""Cosines and sines, brought to those of base angles of which all others are sums."""

import math
from fractions import Fraction
from typing import Any

from equiv.symbolic.kernel.quotients import ONE, ZERO, Quotient, generator_of, key, terms
from equiv.symbolic.kernel.steps import Steps
from equiv.symbolic.kernel.terms import Term

Pair = tuple[Quotient, Quotient]  # cosine and sine
_ZERO, _ONE = Quotient(ZERO, ONE), Quotient(ONE, ONE)


class Angles:
    """The base angles of one script, made as they are needed."""

    def __init__(self, steps: Steps) -> None:
        self.steps, self.g = steps, steps.g
        self.atoms: dict[tuple[str, str, int], tuple[int, int]] = {}

    def value(self, e: Term, q: Quotient) -> Quotient:
        """The cosine or sine ``e`` of the angle ``q``, once the script says what it is."""
        total: Pair = (_ONE, _ZERO)
        below = ONE if q.den.is_constant() else q.den
        pieces: list[str] = []
        facts: dict[str, None] = {}
        for m, c in terms(q):
            scale = self.steps.scale(f"angle {key(m)} / {key(below)}", c.denominator)
            base, pair, named = self._base(m, below, scale)
            facts |= dict.fromkeys(named)
            times = int(c * scale)
            if times < 0:
                base, pair = f"- {base}", (pair[0], self.g.scaled(pair[1], Fraction(-1)))
            for _ in range(abs(times)):
                total = self._sum(total, pair)
            pieces += [base] * abs(times)
        found = total[0] if e.op == "cos" else total[1]
        shown = self.g.sum_text(found)
        rewriting = "".join(f"rewrite ?{f}; " for f in facts)
        close = self.steps.algebra(extra=f"{shown} {' '.join(facts).replace('_is', '')}")
        same = self.steps.algebra(*e.args)
        angle = " + ".join(pieces) or "0"
        self.steps.fact(
            e, shown, f"apply ({e.op}_is _ ({angle})); [{same} | split_angle; {rewriting}{close}]"
        )
        return found

    def _sum(self, a: Pair, b: Pair) -> Pair:
        """Cosine and sine of a sum of angles."""
        g = self.g
        crossed = g.scaled(g.multiply(a[1], b[1]), Fraction(-1))
        return (
            g.add(g.multiply(a[0], b[0]), crossed),
            g.add(g.multiply(a[1], b[0]), g.multiply(a[0], b[1])),
        )

    def _base(self, m: Any, below: Any, scale: int) -> tuple[str, Pair, list[str]]:
        """A base angle as text, its cosine and sine, and the names of what says so."""
        index = generator_of(m)
        if below == 1 and index is not None and self.g.texts[index] == "PI" and scale in (1, 2):
            turned = self.g.scaled(_ONE, Fraction(-1))
            return ("PI", (turned, _ZERO), []) if scale == 1 else ("(PI / 2)", (_ZERO, _ONE), [])
        inner = self.g.make(m, below * scale)
        base, name = f"({self.g.sum_text(inner)})", (key(m), key(below), scale)
        if name not in self.atoms:
            values = self.g.sample(inner)
            cos, c = self.steps.atom("c", [math.cos(v) for v in values])
            sin, s = self.steps.atom("s", [math.sin(v) for v in values])
            self.steps.lines.append(
                f"destruct (angle_atom {base}) as ({c} & {s} & {c}_power & {c}_is & {s}_is)."
            )
            self.steps.relations.append((f"{c}_power", c))
            self.g.relations[cos] = (2, ONE - self.g.quotient(sin).num ** 2)
            self.g.angles.append((cos, sin))
            self.atoms[name] = (cos, sin)
        cos, sin = self.atoms[name]
        facts = [f"{self.g.texts[index]}_is" for index in (cos, sin)]
        return base, (self.g.quotient(cos), self.g.quotient(sin)), facts
