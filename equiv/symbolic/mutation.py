"""Statements with one operator changed: each must be refuted, or be shown to say the same.

A procedure that passes a statement and lets its mutants pass too has decided nothing.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from equiv.symbolic import balls, witness
from equiv.symbolic.decision import Contradiction, Different, Domain, Equal, decide
from equiv.symbolic.expression import Expr, const, node, postorder, symbols

_SWAPPED = {"add": "sub", "sub": "add", "mul": "div", "div": "mul", "sin": "cos", "cos": "sin"}
_LEVELS = (("_t", "_s"), ("_s", "_t"))


PER_CLAIM = 8


def tally(statements: Sequence[tuple[Expr, Expr]], domain: Domain, seed: str) -> dict[str, int]:
    """What became of mutants of ``left == right``: refuted, shown equal, without a value, or undecided.

    Only statements that have a value at a point take part.
    """
    able = [_to_change(*sides) for sides in statements if is_algebraic(*sides)]
    chosen = random.Random(seed).choices(able, k=PER_CLAIM) if able else []
    counts: Counter[str] = Counter()
    for k, (left, right) in enumerate(chosen):
        for _, mutant in mutants(right, 1, f"{seed}/{k}"):
            counts[_fate(left, mutant, domain)] += 1
    return dict(sorted(counts.items()))


def _to_change(left: Expr, right: Expr) -> tuple[Expr, Expr]:
    """The sides, the one that is changed last: where one is a number, say zero, the other says more."""
    return (left, right) if right.op != "const" else (right, left)


def _fate(left: Expr, mutant: Expr, domain: Domain) -> str:
    match decide(left, mutant, domain):
        case Different():
            return "refuted"
        case Equal():
            return "equal"
        case Contradiction():
            return "contradicted"
    tries = witness.points(domain.relations, symbols(left, mutant))
    point = next(tries, None)
    if point is None or not balls.evaluate(left, point).is_finite():
        return "undecided"
    return "undecided" if balls.evaluate(mutant, point).is_finite() else "undefined"


def mutants(e: Expr, count: int, seed: str) -> Iterator[tuple[str, Expr]]:
    """``count`` single changes at random places of an expression, in words and as expressions."""
    chance = random.Random(seed)
    names = {s.param.name: s for s in symbols(e)}
    for _ in range(count):
        path = _random_path(e, chance)
        old = _at(e, path)
        what, new = chance.choice(list(_changes(old, names)))
        yield what, _put(e, path, new)


def is_algebraic(*roots: Expr) -> bool:
    """Is everything in it something that has a value at a point?"""
    return all(e.op != "call" for e in postorder(*roots))


def _random_path(e: Expr, chance: random.Random) -> tuple[int, ...]:
    """A way down to some node; an exponent is changed with its power, not by itself."""
    path: list[int] = []
    while e.args and chance.random() < 0.8:
        i = 0 if e.op == "pow" else chance.randrange(len(e.args))
        path.append(i)
        e = e.args[i]
    return tuple(path)


def _changes(e: Expr, names: dict[str, Expr]) -> Iterator[tuple[str, Expr]]:
    yield "sign", -e
    yield "factor", e * 2
    if e.op in _SWAPPED:
        yield "operator", node(_SWAPPED[e.op], *e.args)
    if e.op == "pow" and e.args[1].op == "const":
        yield "exponent", e.args[0] ** const(e.args[1].param + 1)
    if e.op == "sqrt":
        yield "exponent", e.args[0]
    if e.op == "symbol":
        yield "exponent", e ** const(Fraction(2))
        for own, other in _LEVELS:
            name: str = e.param.name
            if name.endswith(own) and (twin := names.get(name[: -len(own)] + other)) is not None:
                yield "levels", twin


def _at(e: Expr, path: tuple[int, ...]) -> Expr:
    for i in path:
        e = e.args[i]
    return e


def _put(e: Expr, path: tuple[int, ...], new: Expr) -> Expr:
    if not path:
        return new
    i = path[0]
    return node(e.op, *e.args[:i], _put(e.args[i], path[1:], new), *e.args[i + 1 :], param=e.param)
