"""Pairs of torch snippets, as source: a formula, and the same formula rewritten by a law, mutated, or both.

A snippet is an expression in ``z, w`` (states), ``a, b`` (schedule) and a module ``m`` whose functions are
torch's, or those of a high-precision stand-in; nothing here knows what the prover does.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

KINDS = ("roots", "logs and exp", "trigonometry", "powers", "casts", "clamps")


@dataclass(frozen=True)
class Tree:
    """``op`` with children; leaves have a name or a number as ``op``."""

    op: str
    args: tuple["Tree", ...] = ()

    def source(self) -> str:
        a = [t.source() for t in self.args]
        match self.op:
            case "+" | "-" | "*" | "/" | "**":
                return f"({a[0]} {self.op} {a[1]})"
            case "neg":
                return f"(-{a[0]})"
            case "clamp":
                return f"m.clamp({a[0]}, {a[1]}, {a[2]})"
            case "double" | "long":
                return f"{a[0]}.{self.op}()" if self.op == "double" else f"{a[0]}.long().double()"
        return f"m.{self.op}({', '.join(a)})" if a else self.op


def leaf(name: str | int) -> Tree:
    return Tree(str(name))


Z, W, A, B, ONE, TWO = map(leaf, ("z", "w", "a", "b", 1, 2))


def t(op: str, *args: Tree) -> Tree:
    return Tree(op, args)


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


# --- laws: (name, tree -> an equal tree or None) -----------------------------------------------------------


def _laws(e: Tree, chance: random.Random) -> list[Tree]:
    """Trees equal to ``e``, on the whole domain, by one law at its top."""
    a = e.args
    match e.op:
        case "+":
            found = [t("+", a[1], a[0]), t("-", a[0], t("neg", a[1]))]
        case "-":
            found = [t("+", a[0], t("neg", a[1])), t("neg", t("-", a[1], a[0]))]
        case "*":
            found = [t("*", a[1], a[0])]
            for x, y in (a, a[::-1]):
                if y.op in ("+", "-"):
                    found.append(t(y.op, t("*", x, y.args[0]), t("*", x, y.args[1])))
                if y.op == "/":
                    found.append(t("/", t("*", x, y.args[0]), y.args[1]))
        case "/":
            found = [t("*", a[0], t("/", ONE, a[1])), t("neg", t("/", t("neg", a[0]), a[1]))]
        case "sqrt":
            found = [t("**", a[0], leaf("0.5"))]
            if a[0].op in ("*", "/") and _schedule_only(a[0]):
                found.append(t(a[0].op, t("sqrt", a[0].args[0]), t("sqrt", a[0].args[1])))
            if a[0].op == "*" and a[0].args[0] == a[0].args[1]:
                found.append(t("abs", a[0].args[0]))
        case "exp":
            found = [t("/", ONE, t("exp", t("neg", a[0])))]
            if a[0].op in ("+", "-"):
                op = "*" if a[0].op == "+" else "/"
                found.append(t(op, t("exp", a[0].args[0]), t("exp", a[0].args[1])))
        case "expm1":
            found = [t("-", t("exp", a[0]), ONE)]
        case "log" if a[0].op in ("*", "/"):
            found = [t("+" if a[0].op == "*" else "-", t("log", a[0].args[0]), t("log", a[0].args[1]))]
        case "sin" | "cos" if a[0].op == "+":
            x, y = a[0].args
            sin, cos = (t("*", t("sin", x), t("cos", y)), t("*", t("cos", x), t("cos", y)))
            found = [
                t("+", sin, t("*", t("cos", x), t("sin", y)))
                if e.op == "sin"
                else t("-", cos, t("*", t("sin", x), t("sin", y)))
            ]
        case "**" if a[1].op == "2":
            found = [t("*", a[0], a[0])]
        case "**" if a[1].op == "1.5":
            found = [t("*", a[0], t("sqrt", a[0]))]
        case "**" if a[1].op == "-0.5":
            found = [t("/", ONE, t("sqrt", a[0]))]
        case "abs":
            found = [t("maximum", a[0], t("neg", a[0])), t("abs", t("neg", a[0]))]
        case "clamp":
            found = [t("minimum", t("maximum", a[0], _tensor(a[1])), _tensor(a[2]))]
        case "maximum" | "minimum":
            found = [t(e.op, a[1], a[0])]
        case _:
            found = [t("neg", t("neg", e))]
    return found


def _tensor(number: Tree) -> Tree:
    """A number where torch wants a tensor: ``0 * z`` would hide an infinity, so multiply the schedule."""
    return t("+", t("-", A, A), number)


def _schedule_only(e: Tree) -> bool:
    return e.op not in ("z", "w") and all(map(_schedule_only, e.args))


def places(e: Tree) -> Iterator[tuple[int, ...]]:
    """The paths to all nodes that are not literal arguments."""
    yield ()
    for i, child in enumerate(e.args):
        if (e.op == "clamp" and i > 0) or (e.op == "**" and i == 1):
            continue
        for rest in places(child):
            yield (i, *rest)


def at(e: Tree, path: tuple[int, ...]) -> Tree:
    return at(e.args[path[0]], path[1:]) if path else e


def put(e: Tree, path: tuple[int, ...], new: Tree) -> Tree:
    if not path:
        return new
    i = path[0]
    return Tree(e.op, (*e.args[:i], put(e.args[i], path[1:], new), *e.args[i + 1 :]))


def rewritten(e: Tree, chance: random.Random, times: int = 3) -> Tree:
    """``e`` after a few laws at random places."""
    for _ in range(times):
        path = chance.choice(list(places(e)))
        e = put(e, path, chance.choice(_laws(at(e, path), chance)))
    return e


_SWAPS = dict(
    zip("+ - * / sin cos maximum minimum".split(), "- + / * cos sin minimum maximum".split(), strict=True)
)
_LEAVES = {"a": B, "b": A, "z": W, "w": Z, "1": TWO, "2": leaf(3)}


def mutated(e: Tree, chance: random.Random) -> Tree:
    """``e`` with one operator, sign, factor, exponent or symbol changed."""
    path = chance.choice(list(places(e)))
    old = at(e, path)
    options = [t("neg", old), t("*", old, TWO), t("*", old, leaf("0.9999"))]
    if old.op in _SWAPS:
        options += 3 * [Tree(_SWAPS[old.op], old.args)]
    if old.op in _LEAVES:
        options += 3 * [_LEAVES[old.op]]
    if old.op == "**":
        options += 2 * [t("**", old.args[0], leaf(str(float(old.args[1].op) + 1)))]
    if old.op == "sqrt":
        options += 2 * [old.args[0]]
    if old.op == "clamp":
        options += 2 * [t("clamp", old.args[0], old.args[1], leaf(3))]
    return put(e, path, chance.choice(options))


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
