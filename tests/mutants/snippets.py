"""Pairs of torch snippets, as source: a formula, and the same formula rewritten by a law, mutated, or both.

A snippet is an expression in ``z, w`` (states), ``a, b`` (schedule) and a module ``m`` whose functions are
torch's, or those of a high-precision stand-in; nothing here knows what the prover does.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rewriting import mutated, rewritten
from trees import ONE, TWO, A, B, Tree, W, Z, leaf, t

KINDS = ("roots", "logs and exp", "trigonometry", "powers", "casts", "clamps")


class Maker:
    """Draws formulas of one kind."""

    def __init__(self, kind: str, seed: int) -> None:
        self.kind, self.chance = kind, random.Random(seed)

    def pick(self, *options: Tree | Callable[[], Tree]) -> Tree:
        chosen = self.chance.choice(options)
        return chosen if isinstance(chosen, Tree) else chosen()

    def positive(self, depth: int = 1) -> Tree:
        """Something positive wherever 0 < a < b < 1."""
        inner = [A, B, t("-", ONE, A), t("-", ONE, B), t("-", B, A), t("+", A, B)]
        if depth > 0:
            p, q = self.positive(depth - 1), self.positive(depth - 1)
            inner += [t("*", p, q), t("/", p, q), t("+", p, q)]
        return self.chance.choice(inner)

    def factor(self) -> Tree:
        """What makes the formula one of its kind."""
        p, q = self.positive(), self.positive()
        match self.kind:
            case "roots":
                return self.pick(
                    t("sqrt", p),
                    t("/", t("sqrt", p), t("sqrt", q)),
                    t("sqrt", t("/", p, q)),
                    t("sqrt", t("*", p, p)),
                    t("sqrt", t("+", t("*", Z, Z), ONE)),
                    t("sqrt", t("*", Z, Z)),
                )
            case "logs and exp":
                return self.pick(
                    t("exp", t("/", t("log", p), leaf(self.chance.choice((1, 2, 3))))),
                    t("-", t("log", p), t("log", q)),
                    t("log", t("*", p, q)),
                    t("exp", t("-", t("log", p), t("log", q))),
                    t("exp", t("neg", Z)),
                    t("expm1", t("log", p)),
                )
            case "trigonometry":
                x = self.pick(Z, W, A, t("+", Z, A), t("*", TWO, Z))
                return self.pick(
                    t("sin", x),
                    t("cos", x),
                    t("*", t("sin", x), t("cos", x)),
                    t("+", t("*", t("cos", x), t("cos", x)), t("*", t("sin", x), t("sin", x))),
                )
            case "powers":
                return self.pick(
                    t("**", p, leaf("0.5")),
                    t("**", p, leaf(self.chance.choice((2, 3, -1, -2)))),
                    t("**", t("+", Z, A), leaf(self.chance.choice((2, 3)))),
                    t("**", p, leaf("-0.5")),
                    t("**", p, leaf("1.5")),
                )
            case "casts":
                return self.pick(t("double", p), t("long", Z), t("double", Z), t("double", t("*", Z, p)))
        low, high = self.chance.choice(((-1, 1), (0, 1), (-2, 1)))
        return self.pick(
            t("clamp", Z, leaf(low), leaf(high)),
            t("clamp", p, leaf("1e-20"), leaf(10)),
            t("abs", Z),
            t("maximum", Z, W),
            t("minimum", Z, t("neg", Z)),
            t("abs", t("-", A, B)),
        )

    def formula(self) -> Tree:
        """A sampler-like combination of the states."""
        first = t("*", self.factor(), self.pick(Z, W, t("-", Z, W)))
        second = t("*", self.pick(self.factor, self.positive), self.pick(W, t("-", Z, t("*", A, W))))
        whole = t(self.chance.choice("+-"), first, second)
        return t("/", whole, self.positive()) if self.chance.random() < 0.5 else whole


@dataclass(frozen=True)
class Pair:
    """Two snippets to be told apart or called equal."""

    kind: str
    left: str
    right: str


def pairs(count: int, seed: int) -> Iterator[Pair]:
    """``count`` pairs, the kinds in turn, half of them mutated."""
    chance = random.Random(seed)
    for i in range(count):
        kind = KINDS[i % len(KINDS)]
        tree = Maker(kind, chance.randrange(2**32)).formula()
        other = rewritten(tree, chance)
        if (i // len(KINDS)) % 2:
            other = mutated(other, chance)
        yield Pair(kind, tree.source(), other.source())
