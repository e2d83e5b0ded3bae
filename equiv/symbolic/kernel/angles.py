"""Cosines and sines, brought to those of base angles of which all others are sums."""

import math
from fractions import Fraction

from equiv.symbolic.kernel.powers import Powers
from equiv.symbolic.kernel.quotients import ONE, ZERO, Quotient, generator_of, key, terms
from equiv.symbolic.kernel.steps import Steps, rewrite
from equiv.symbolic.kernel.terms import Term

Pair = tuple[Quotient, Quotient]  # cosine and sine
_ZERO, _ONE = Quotient(ZERO, ONE), Quotient(ONE, ONE)
_NONE, _HALF = Fraction(0), Fraction(1, 2)
_PARTS = {  # of pi: what a root is taken of, and how much of one and of that root its cosine and sine are
    1: (0, (Fraction(-1), _NONE), (_NONE, _NONE)),
    2: (0, (_NONE, _NONE), (Fraction(1), _NONE)),
    3: (3, (_HALF, _NONE), (_NONE, _HALF)),
    4: (2, (_NONE, _HALF), (_NONE, _HALF)),
    6: (3, (_NONE, _HALF), (_HALF, _NONE)),
}


class Angles:
    """The base angles of one script, made as they are needed."""

    def __init__(self, steps: Steps, powers: Powers) -> None:
        self.steps, self.g, self.powers = steps, steps.g, powers
        self.atoms: dict[tuple[str, str, int], tuple[int, int]] = {}
        self.parts_of_pi: set[int] = set()

    def value(self, e: Term, q: Quotient) -> Quotient:
        """The cosine or sine ``e`` of the angle ``q``, once the script says what it is."""
        total: Pair = (_ONE, _ZERO)
        pieces: list[str] = []
        facts: dict[str, None] = {}
        for term, c in terms(q):
            scale = self.steps.scale(f"angle {key(term.num)} / {key(term.den)}", c.denominator)
            base, pair, named = self._base(term, scale)
            facts |= dict.fromkeys(named)
            times = int(c * scale)
            if times < 0:
                base, pair = f"- {base}", (pair[0], self.g.scaled(pair[1], Fraction(-1)))
            for _ in range(abs(times)):
                total = self._sum(total, pair)
            pieces += [base] * abs(times)
        found = total[0] if e.op == "cos" else total[1]
        shown = self.g.sum_text(found)
        rewriting = rewrite(facts)
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

    def _base(self, term: Quotient, scale: int) -> tuple[str, Pair, list[str]]:
        """A base angle as text, its cosine and sine, and the names of what says so."""
        index = generator_of(term.num)
        if term.den == 1 and index is not None and self.g.texts[index] == "PI" and scale in _PARTS:
            return self._part_of_pi(scale)
        inner = self.g.make(term.num, term.den * scale)
        base, name = f"({self.g.sum_text(inner)})", (key(term.num), key(term.den), scale)
        if name not in self.atoms:
            values = self.g.sample(inner)
            cos, c = self.steps.atom("c", [math.cos(v) for v in values])
            sin, s = self.steps.atom("s", [math.sin(v) for v in values])
            self.steps.lines.append(
                f"destruct (angle_atom {base}) as ({c} & {s} & {c}_power & {c}_circle & {c}_is & {s}_is)."
            )
            self.steps.relations.append((f"{c}_power", c))
            self.g.relations[cos] = (2, ONE - self.g.quotient(sin).num ** 2)
            self.g.angles.append((cos, sin))
            self.atoms[name] = (cos, sin)
        cos, sin = self.atoms[name]
        facts = [f"{self.g.texts[index]}_is" for index in (cos, sin)]
        return base, (self.g.quotient(cos), self.g.quotient(sin)), facts

    def _part_of_pi(self, scale: int) -> tuple[str, Pair, list[str]]:
        """Half a turn, and its parts whose cosine and sine are known."""
        base = "PI" if scale == 1 else f"(PI / {scale})"
        radicand, of_cos, of_sin = _PARTS[scale]
        root = self.powers.root_of(radicand) if radicand else _ZERO
        cos, sin = (self.g.add(self.g.scaled(_ONE, a), self.g.scaled(root, b)) for a, b in (of_cos, of_sin))
        if not radicand:
            return base, (cos, sin), []
        for op, value in (("cos", cos), ("sin", sin)):
            if scale not in self.parts_of_pi:
                shown = f"{op} {base} = {self.g.sum_text(value)}"
                proof = f"rewrite ({op}_part_{scale} {self.g.poly(root.num)}) by assumption; lra"
                self.steps.lines.append(f"assert ({op}_{scale}_is : {shown}) by ({proof}).")
        self.parts_of_pi.add(scale)
        return base, (cos, sin), [f"cos_{scale}_is", f"sin_{scale}_is"]
