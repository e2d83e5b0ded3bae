"""The proof of what a derivative is: step by step up a ladder, all around the point but for the last step.

Derivatives inside what is differentiated are worked out first. That they exist around the point is shown too.
"""

from itertools import pairwise

from equiv.symbolic.kernel.demands import Demand, defined
from equiv.symbolic.kernel.derivatives import slope
from equiv.symbolic.kernel.terms import (
    AND,
    Derived,
    Term,
    around,
    exists,
    moving,
    parts,
    put,
    text,
    variables,
)


class Ladder:
    """The derivatives of one body, up to the order asked for, and what they need to be defined."""

    def __init__(self, e: Term) -> None:
        self.e, (self.x, self.order, self.body), (self.point,) = e, e.param, e.args
        self.inside = moving(e)
        self.steps = [_worked_out(self.body, self.x)]
        for _ in range(self.order):
            self.steps.append(slope(self.steps[-1], self.x))

    def at(self, e: Term) -> Term:
        return put(e, {self.x: self.point})

    @property
    def result(self) -> Term:
        """What the derivative is at the point."""
        return self.at(self.steps[-1])

    @property
    def stages(self) -> list[Term]:
        """All that must be defined at the point."""
        inside = [stage for e in self.inside for stage in Ladder(e).stages]
        return [self.at(e) for e in (self.body, *inside, *self.steps)]

    def needed(self) -> list[Demand]:
        """What must hold around the point for all but the last step, where it depends on the point."""
        inside = [_worked_out(stage, self.x) for e in self.inside for stage in Ladder(e).stages]
        before = [e for step in self.steps[:-2] for e in (step, slope(step, self.x))]
        found: dict[Demand, None] = {}
        for demand in (d for e in (*inside, *before) for d in defined(e)):
            if self.x in variables(demand.term) and not isinstance(demand.term.param, Derived):
                sign = "<" if demand.sign == "<=" else demand.sign
                found[Demand(sign, demand.term)] = None
        return [*found]

    def near(self, name: str, demand: Demand) -> str:
        """That a demand is met all around the point."""
        point, lemma = f"({text(self.point)})", "near_nonzero" if demand.sign == "<>" else "near_positive"
        change, here = text(self.at(slope(demand.term, self.x))), Demand(demand.sign, self.at(demand.term))
        return (
            f"assert ({name} : {self._around(str(demand))}) by"
            f" (apply ({lemma} {self._function(demand.term)} {point} ({change}));"
            f" [derive | change ({here}); known_sign])."
        )

    def lines(self, name: str) -> list[str]:
        """The steps that show what the derivative is, under the name."""
        return self._once(name) if self.order == 1 and not self.inside else self._again(name)

    def _function(self, e: Term) -> str:
        return f"(fun {self.x} : R => {text(e)})"

    def _around(self, what: str) -> str:
        return around(self.x, self.point, what)

    def _once(self, name: str) -> list[str]:
        function, point, value = self.e.param.function, f"({text(self.point)})", text(self.result)
        return [
            f"assert ({name} : is_derive {function} {point} ({value})) by derive.",
            f"assert ({name}_exists : {exists(self.e)}) by (exists ({value}); exact {name}).",
            f"apply is_derive_unique in {name}.",
        ]

    def _again(self, name: str) -> list[str]:
        """Each derivative but the last is found all around the point."""
        first, point, value = self.e.param.function, f"({text(self.point)})", text(self.result)
        lines, met = [], []
        for k, demand in enumerate(self.needed(), start=1):
            met.append(f"{name}_near_{k}")
            lines.append(self.near(met[-1], demand))
        lines += self._inside(name, met)
        reached = f"{name}_inside" if self.inside else f"(around_first {first} {point})"
        for k, (one, other) in enumerate(pairwise(self.steps[:-1])):
            rung = f"is_derive {self._function(one)} {self.x} ({text(other)})"
            lines.append(f"assert ({name}_step_{k} : {self._around(rung)}) by ({_everywhere(met)}; derive).")
            functions = f"{self._function(one)} {self._function(other)}"
            reached = f"(around_next {first} {k} {point} {functions} {reached} {name}_step_{k})"
        last = self._function(self.steps[-2])
        found = f"around_value {first} {self.order - 1} {point} {last} ({value}) {reached} {name}_last"
        return [
            *lines,
            f"assert ({name}_last : is_derive {last} {point} ({value})) by derive.",
            f"destruct ({found}) as [{name}_exists {name}].",
            f"change ({exists(self.e)}) in {name}_exists.",
            f"change ({text(self.e)} = {value}) in {name}.",
        ]

    def _inside(self, name: str, met: list[str]) -> list[str]:
        """That the derivatives in the body exist all around the point, and what the body is there."""
        if not self.inside:
            return []
        here = f"X{name.count('_') + 1}"  # no symbol is called so
        there = put(self.body, {self.x: Term("var", param=here)})
        ladders = {f"{name}_{k}": Ladder(e) for k, e in enumerate(_derived(there, here), start=1)}
        shown = {f"{name}_around_{k}": exists(e) for k, e in enumerate(self.inside, start=1)}
        shown[f"{name}_inside"] = f"{text(self.body)} = {text(self.steps[0])}"
        rules = ", ".join(f"?{n}" for n in reversed(ladders))
        return [
            f"assert ({name}_all : {self._around(AND.join(shown.values()))}).",
            f"{{ {_everywhere(met, here)}.",
            *(f"  {line}" for n, ladder in ladders.items() for line in ladder.lines(n)),
            f"  repeat apply conj; [assumption .. | rewrite {rules}; reflexivity]. }}",
            *(
                f"assert ({n} : {self._around(what)}) by ({_everywhere([f'{name}_all'])}; assumption)."
                for n, what in shown.items()
            ),
        ]


def at_numbers(*terms: Term) -> list[str]:
    """The steps that show what the derivatives in terms without variables are, and put that for them."""
    found = dict.fromkeys(part for t in terms for part in parts(t) if isinstance(part.param, Derived))
    lines = []
    for k, ladder in enumerate(map(Ladder, found), start=1):
        demands = dict.fromkeys(d for stage in ladder.stages for d in defined(stage) if d.is_of_numbers)
        lines += [f"assert (V{k}_needs_{j} : {d}) by witness." for j, d in enumerate(demands, start=1)]
        lines += ladder.lines(f"V{k}")
    return [*lines, f"rewrite {', '.join(f'?V{k}' for k in range(len(found), 0, -1))}."] if found else []


def _derived(e: Term, x: str) -> list[Term]:
    """The derivatives in a term that depend on a variable."""
    return [part for part in parts(e) if isinstance(part.param, Derived) and x in variables(part)]


def _worked_out(e: Term, x: str) -> Term:
    """The term with what the derivatives in it are that depend on a variable."""
    if isinstance(e.param, Derived) and x in variables(e):
        return Ladder(e).result
    return Term(e.op, tuple(_worked_out(a, x) for a in e.args), e.param)


def _everywhere(names: list[str], here: str = "?") -> str:
    """Goes on at a point near the one in question, with what holds all around it."""
    if not names:
        return f"apply filter_forall; intros {here}"
    both = names[-1]
    for name in reversed(names[:-1]):
        both = f"(filter_and _ _ {name} {both})"
    return f"generalize {both}; apply filter_imp; intros {here} ?; decompose_all"
