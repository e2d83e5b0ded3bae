"""Formulas rewritten by a law, by what only looks like one, or by a mistake."""

import random
from collections.abc import Iterator

from trees import ONE, TWO, A, B, Tree, W, Z, leaf, t


def laws(e: Tree) -> list[Tree]:
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


def _tensor(e: Tree) -> Tree:
    """A number where torch wants a tensor: ``0 * z`` would hide an infinity, so add to the schedule."""
    is_number = not e.args and not e.op.isalpha()
    return t("+", t("-", A, A), e) if is_number else e


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
        e = put(e, path, chance.choice(laws(at(e, path))))
    return e


TEMPTED = 0.1  # of the mutants
_SWAPS = dict(
    zip("+ - * / sin cos maximum minimum".split(), "- + / * cos sin minimum maximum".split(), strict=True)
)
_LEAVES = {"a": B, "b": A, "z": W, "w": Z, "1": TWO, "2": leaf(3)}


def tempting(e: Tree) -> list[Tree]:
    """What a careless rule makes of ``e``: equal at some points, or nowhere."""
    found = [t("/", t("*", e, t("-", A, B)), t("-", A, B)), t("/", t("*", e, Z), Z)]
    inner = e.args[0] if e.args else e
    parts = tuple(map(_tensor, inner.args)) if inner.op in ("+", "-", "*", "/") else ()
    match e.op:
        case "abs" | "long" | "clamp":
            found += 3 * [inner]
        case "maximum" | "minimum":
            found += list(e.args)
        case "sqrt" | "log" | "exp" | "sin" | "cos" if parts:
            found += 2 * [t(inner.op, *(t(e.op, p) for p in parts))]
            if e.op == "sqrt" and parts[0] == parts[1]:
                found += 3 * [parts[0]]
            if e.op in ("exp", "log"):
                op = {"+": "*", "-": "/", "*": "+", "/": "-"}[inner.op]
                found += 2 * [t(op, *(t(e.op, p) for p in parts))]
        case "exp" if inner.op == "log":
            found += 3 * [inner.args[0]]
        case "**" if parts:
            found += 2 * [t(inner.op, *(t("**", p, e.args[1]) for p in parts))]
        case "/" if e.args[0] == e.args[1]:
            found += 3 * [ONE]
    return found


def mutated(e: Tree, chance: random.Random) -> Tree:
    """``e`` with one operator, sign, factor, exponent or symbol changed, or by a law that is none."""
    path = chance.choice(list(places(e)))
    old = at(e, path)
    if chance.random() < TEMPTED:
        return put(e, path, chance.choice(tempting(old)))
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
