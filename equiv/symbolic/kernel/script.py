"""Proof scripts: roots, logarithms, powers and angles are brought to atoms, then Rocq's ``field`` decides.

A script only names what to rewrite by what, and which factors are positive; signs are guessed from sample
points. Nothing here is trusted: a wrong hint is a proof that Rocq does not accept.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from equiv.symbolic.kernel.angles import Angles
from equiv.symbolic.kernel.demands import Demand, defined
from equiv.symbolic.kernel.ladders import Ladder
from equiv.symbolic.kernel.powers import Powers
from equiv.symbolic.kernel.quotients import ONE, Factored, Quotient, key, monomials
from equiv.symbolic.kernel.sampling import value
from equiv.symbolic.kernel.steps import UNFOLDED, Steps, by_size, stages, unfolded
from equiv.symbolic.kernel.terms import Applied, Derived, Relation, Term, Unexportable, parts, text, variables


def script(
    left: Term,
    right: Term,
    hypotheses: Sequence[Relation],
    positive: Sequence[str],
    points: Sequence[Mapping[str, Fraction]],
) -> list[str]:
    """The steps that prove that both sides are defined, and equal.

    Raises:
        Unexportable: they have a part that cannot be brought to atoms.
    """
    scales: dict[str, int] = {}
    for _ in range(4):  # until all exponents are whole multiples of what they are brought to
        before = dict(scales)
        lines = _Script(hypotheses, positive, Steps(points, scales)).equality(left, right)
        if scales == before:
            break
    return lines


class _Script:
    def __init__(self, hypotheses: Sequence[Relation], positive: Sequence[str], steps: Steps) -> None:
        self.hypotheses, self.positive, self.steps, self.g = hypotheses, set(positive), steps, steps.g
        self.powers = Powers(steps)
        self.angles = Angles(steps, self.powers)
        self.values: dict[Term, Quotient] = {}
        self.demanded: set[Demand] = set()
        self.stages: set[Term] = set()

    def equality(self, left: Term, right: Term) -> list[str]:
        """Everything is defined from the inside out, then the sides are equal."""
        for side in (left, right, *(side for h in self.hypotheses for side in h[1:])):
            for name in variables(side):
                if (part := Term("var", param=name)) not in self.values:
                    self._variable(part)
        self.stages = stages(left, right)
        self._hypotheses()
        for side in (left, right):
            self._walk(side)
        if defined(left) or defined(right):
            self.steps.lines.append("split; [repeat split; assumption |].")
        self.steps.lines.append(f"{self.steps.algebra(left, right)}.")
        return self.steps.lines

    def _variable(self, e: Term) -> None:
        values = [float(p[e.param]) for p in self.steps.points]
        self.values[e] = self.g.quotient(self.g.new(e.param, values, positive=e.param in self.positive))

    def _function(self, e: Term) -> Quotient:
        """An undefined function: a symbol of its own."""
        positive = e.param.order == 0 and e.op in self.positive
        if positive:
            self.steps.lines.append(f"pose proof ({e.op}_positive ({text(e.args[0])})).")
        values = [value(e, p) for p in self.steps.points]
        return self.g.quotient(self.g.new(text(e), values, positive=positive))

    # --- hypotheses -----------------------------------------------------------------------------------

    def _hypotheses(self) -> None:
        """Clear the denominators of the hypotheses, so that they speak of polynomials."""
        waiting = []
        for k, (sign, a, b) in enumerate(self.hypotheses, start=1):
            self._walk(a)
            self._walk(b)
            gap = Term("-", (b, a)) if sign in ("<", "<=") else Term("-", (a, b))
            q = self.value(gap)
            if sign == "=":
                self._equation(q)
            elif q.num != 0:
                waiting.append((k, sign, gap, q))
        for _ in range(len(waiting)):
            waiting = [h for h in waiting if not self._hypothesis(*h)]

    def _hypothesis(self, k: int, sign: str, gap: Term, q: Quotient) -> bool:
        """Is everything said that the hypothesis says?"""
        f = self.g.factored(q)
        open_ = [p for p, n in f.powers if not self.steps.is_positive(p)]
        if sign == "<>":
            for p in open_:
                rest = self.g.divide(q, Quotient(p, ONE))
                self.steps.nonzero.add(key(p))
                self.steps.claim(
                    "N",
                    f"{self.g.poly(p)} <> 0",
                    f"apply (nonzero_factor ({text(gap)}) _ ({self.g.text(rest)})); "
                    f"[apply difference_nonzero, H{k} | {self.steps.algebra(gap, extra=self.g.poly(p))}]",
                )
            return True
        if len(open_) == 1 and sign == "<" and self.g.sign(open_[0]) > 0:
            (p,) = open_
            others = tuple((o, int(o is p) - n) for o, n in f.powers if o is not p or n != 1)
            cofactor = self.g.product_text(Factored(1 / f.constant, others))
            same = self.steps.algebra(gap, extra=self.g.poly(p))
            self.steps.known[key(p)] = p
            self.steps.claim(
                "P",
                f"0 < {self.g.poly(p)}",
                f"apply (positive_factor ({text(gap)}) _ ({cofactor})); "
                f"[apply difference_positive, H{k} | {same} | positive]",
            )
        return len(open_) <= 1

    def _equation(self, q: Quotient) -> None:
        """A hypothesis ``a = b`` as a power of one symbol, if it can be read so."""
        for index in range(len(self.g.texts)):
            degree = q.num.degrees()[index]
            pure = [(m, c) for m, c in monomials(q.num) if m[index] == degree]
            if degree and len(pure) == 1 and sum(pure[0][0]) == degree and q.den.is_constant():
                lead = pure[0][1]
                rest = self.g.scaled(Quotient(q.num, ONE), -1 / lead)
                rest = Quotient(rest.num + self.g.quotient(index).num ** degree, ONE)
                fact = self.steps.claim(
                    "E", f"{self.g.texts[index]} ^ {degree} = {self.g.poly(rest.num)}", "nra"
                )
                self.steps.relations.append((fact, self.g.texts[index]))
                self.g.relations[index] = (degree, rest.num)
                return

    # --- signs and where things are defined -----------------------------------------------------------

    def _walk(self, e: Term) -> None:
        """Show that every part is defined, from the inside out, and bring it to atoms."""
        for part in parts(e):
            if isinstance(part.param, Derived) and part not in self.values:
                self._derive(part)
            if part.op in UNFOLDED and part not in self.values:
                self._walk(unfolded(part))
            for demand in defined(part):
                if demand.sign in ("exists", "around"):
                    continue  # shown with what the derivative is
                if demand not in self.demanded and demand.term in self.values:
                    self._demand(demand)
            if part in self.stages and part not in self.values:
                self._fact(part, self.value(part), self.steps.algebra(*part.args))
            self.value(part)

    def _derive(self, e: Term) -> None:
        """Show what a derivative is, once all that its rules ask for is known."""
        ladder = Ladder(e)
        for stage in ladder.stages:
            self._walk(stage)
        name = f"V{1 + sum(line.startswith('assert (V') for line in self.steps.lines)}"
        self.steps.lines += ladder.lines(name)
        self.values[e] = found = self.value(ladder.result)
        shown, same = self.g.text(found), self.steps.algebra(ladder.result, extra=self.g.text(found))
        self.steps.fact(e, shown, f"rewrite {name}; {same}")

    def _demand(self, demand: Demand) -> None:
        self.demanded.add(demand)
        q = self.value(demand.term)
        if demand.sign == "<=" and q.num == 0:
            self.steps.claim(
                "D", str(demand), f"apply (nonnegative_is _ 0); [{self.steps.algebra(demand.term)} | lra]"
            )
            return
        f = self.g.factored(q)
        for p, _ in f.powers:
            if demand.sign != "<>" or key(p) not in self.steps.nonzero:
                self.steps.show_sign(p)
        lemma, close = {
            "<>": ("nonzero_is", "nonzero"),
            "<": ("positive_is", "positive"),
            "<=": ("nonnegative_is", "nonnegative"),
        }[demand.sign]
        self.steps.claim(
            "D",
            str(demand),
            f"apply ({lemma} _ ({self.g.product_text(f)})); [{self.steps.algebra(demand.term)} | {close}]",
        )

    # --- values ---------------------------------------------------------------------------------------

    def value(self, e: Term) -> Quotient:
        if e not in self.values:
            self.values[e] = self._value(e)
        return self.values[e]

    def _value(self, e: Term) -> Quotient:
        g = self.g
        match e:
            case Term("int", _, n):
                return g.scaled(Quotient(ONE, ONE), Fraction(n))
            case Term("PI"):
                return g.quotient(g.new("PI", [math.pi] * len(self.steps.points), positive=True))
            case Term("neg", (a,)):
                return g.scaled(self.value(a), Fraction(-1))
            case Term("+", (a, b)):
                return g.add(self.value(a), self.value(b))
            case Term("-", (a, b)):
                return g.add(self.value(a), g.scaled(self.value(b), Fraction(-1)))
            case Term("*", (a, b)):
                return g.multiply(self.value(a), self.value(b))
            case Term("/", (a, b)):
                return g.divide(self.value(a), self.value(b))
            case Term("^", (a,), n):
                return g.power(self.value(a), n)
            case Term(op) if op in UNFOLDED:
                whole = unfolded(e)
                q = self.value(whole)
                proof = f"transitivity ({text(whole)}); [reflexivity | {self.steps.algebra(whole)}]"
                return self._fact(e, q, proof)
            case Term("Rmax" | "Rmin"):
                whole = by_size(e)
                rule = "max_is" if e.op == "Rmax" else "min_is"
                q = self.value(whole)
                return self._fact(e, q, f"rewrite {rule}; {self.steps.algebra(whole)}")
        if isinstance(e.param, Applied):
            return self._function(e)
        if e.op in _FUNCTIONS:
            return _FUNCTIONS[e.op](self, e, *e.args)
        raise Unexportable(f"the kernel's tactic does not know {e.op}")

    def sqrt(self, e: Term, a: Term) -> Quotient:
        q = self.value(a)
        if q.num == 0:
            return self._fact(e, q, f"apply root_is; [lra | {self.steps.algebra(a)}]")
        found = self.powers.to_power(self.g.factored(q), Fraction(1, 2))
        return self._fact(
            e, found, f"apply root_is; [nonnegative | {self.steps.algebra(a, extra=self.g.text(found))}]"
        )

    def ln(self, e: Term, a: Term) -> Quotient:
        q = self.value(a)
        f = self.g.factored(q)
        found = self.powers.log(f)
        if text(e) == self.g.text(found):
            return found
        spelled = self.powers.spelled(f)
        return self._fact(
            e,
            found,
            f"apply (ln_is _ ({spelled})); [{self.steps.algebra(a, extra=spelled)}"
            f" | {self.steps.algebra(a, logs=True)}]",
            factored=False,
        )

    def exp(self, e: Term, a: Term) -> Quotient:
        found = self.powers.exponential(self.value(a))
        return self._fact(e, found, f"apply exp_is; [positive | {self.steps.algebra(a, logs=True)}]")

    def power(self, e: Term, a: Term, b: Term) -> Quotient:
        log = self.value(Term("ln", (a,)))
        found = self.powers.exponential(self.g.multiply(self.value(b), log))
        return self._fact(e, found, f"apply power_is; [positive | {self.steps.algebra(a, b, logs=True)}]")

    def size(self, e: Term, a: Term) -> Quotient:
        q = self.value(a)
        if q.num == 0:
            return self._fact(e, q, f"apply size_is; [lra | {self.steps.algebra(a)}]")
        f = self.g.factored(q)
        bases = []
        for p, n in f.powers:
            self.steps.show_sign(p)
            known = self.g.sign(p) > 0 or n % 2 == 0
            bases.append((Quotient(p, ONE) if known else self.powers.size(p), n))
        found = self.g.product(bases, abs(f.constant))
        return self._fact(
            e, found, f"apply size_is; [nonnegative | {self.steps.algebra(a, extra=self.g.text(found))}]"
        )

    def _fact(self, e: Term, found: Quotient, proof: str, *, factored: bool = True) -> Quotient:
        self.steps.fact(e, self.g.text(found) if factored else self.g.sum_text(found), proof)
        return found


_FUNCTIONS: Mapping[str, Callable[..., Quotient]] = {
    "sqrt": _Script.sqrt,
    "ln": _Script.ln,
    "exp": _Script.exp,
    "Rpower": _Script.power,
    "Rabs": _Script.size,
    "cos": lambda self, e, a: self.angles.value(e, self.value(a)),
    "sin": lambda self, e, a: self.angles.value(e, self.value(a)),
}
