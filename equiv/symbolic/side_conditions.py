"""Proves signs of expressions on a domain: first by the signs of the parts, then by z3.

Functions that z3 does not know are abstracted by fresh reals with a few true facts about them, so that
"no counterexample" stays a proof.
"""

import functools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from equiv import number
from equiv.symbolic.expression import PI, Expr, Relation, const, node, postorder

TIMEOUT_MS = 400


def is_positive(e: Expr) -> bool:
    """Is ``e`` a sum, product, quotient or power of things whose sign is plain to see?"""
    signs: dict[Expr, bool] = {}
    for part in postorder(e):
        args = [signs[a] for a in part.args]
        match part.op:
            case "const" | "literal":
                signs[part] = part.param > 0
            case "pi" | "exp":
                signs[part] = True
            case "symbol":
                signs[part] = part.param.positive
            case "add" | "mul" | "div" | "min":
                signs[part] = all(args)
            case "max":
                signs[part] = any(args)
            case "sqrt" | "cast" | "abs" | "pow":
                signs[part] = args[0]
            case "call":
                signs[part] = is_positive_call(part)
            case _:
                signs[part] = False
    return signs[e]


def is_positive_call(e: Expr) -> bool:
    """Is it an undefined function or an integral that its author declared positive?"""
    match e.param:
        case ("opaque", _, _, positive):
            return bool(positive)
        case ("function", _, orders, positive):
            return bool(positive) and not any(orders)
    return False


def proves(relations: Sequence[Relation], goal: Relation) -> bool:
    """Does ``goal`` follow from the relations and the signs of the symbols?"""
    if goal.op == "<" and _is_zero(goal.left) and is_positive(goal.right):
        return True
    known = tuple(relations)
    if goal.op == "!=" and _is_zero(goal.right):
        parts = [part for part in _factors(goal.left) if not is_positive(part)]
        # each is asked once, however many denominators it is in
        if all(_z3_proves(known, Relation(part, "!=", const(0))) for part in parts):
            return True
        if parts == [goal.left]:
            return False
    return _z3_proves(known, goal)


def _factors(e: Expr) -> Iterator[Expr]:
    """Expressions that are not zero, wherever they are defined, exactly if ``e`` is not."""
    match e.op:
        case "mul":
            yield from _factors(e.args[0])
            yield from _factors(e.args[1])
        case "div" | "neg" | "sqrt" | "abs":
            yield from _factors(e.args[0])
        case "pow" if e.args[1].op == "const" and e.args[1].param > 0:
            yield from _factors(e.args[0])
        case _:
            yield e


def _is_zero(e: Expr) -> bool:
    return e.op == "const" and e.param == 0


# obligations of one configuration, and configurations of one class, ask the same again and again
@functools.lru_cache(maxsize=4096)
def _z3_proves(relations: tuple[Relation, ...], goal: Relation) -> bool:
    import z3

    encoder = _Encoder(z3)
    solver = z3.Solver()
    solver.set("timeout", TIMEOUT_MS)
    solver.add(z3.Not(encoder.relation(goal)))
    for relation in relations:
        solver.add(encoder.relation(relation))
    solver.add(*encoder.facts)
    return bool(solver.check() == z3.unsat)


def model(relations: Sequence[Relation], wanted: Sequence[Expr]) -> dict[Expr, Fraction] | None:
    """A rational point at which the relations hold, found by z3, or None."""
    import z3

    encoder = _Encoder(z3)
    solver = z3.Solver()
    solver.set("timeout", 5 * TIMEOUT_MS)
    for relation in relations:
        solver.add(encoder.relation(relation))
    variables = [encoder.term(s) for s in wanted]
    solver.add(*encoder.facts)
    if solver.check() != z3.sat:
        return None
    values = [solver.model().eval(v, model_completion=True) for v in variables]
    if not all(z3.is_rational_value(v) for v in values):
        return None
    return {s: v.as_fraction() for s, v in zip(wanted, values, strict=True)}


class _Encoder:
    """Expressions as z3 terms over the reals, with facts about what had to be abstracted."""

    def __init__(self, z3: Any) -> None:
        self.z3 = z3
        self.terms: dict[Expr, Any] = {}
        self.facts: list[Any] = []

    def relation(self, r: Relation) -> Any:
        left, right = self.term(r.left), self.term(r.right)
        if r.op in ("<", "<=", "==") and (sides := _positive_sides(r)):
            # the logarithm is strictly increasing: the same relation between sums of logarithms
            log_left, log_right = map(self.log, sides)
            self.facts.append((left < right) == (log_left < log_right))
            self.facts.append((left == right) == (log_left == log_right))
        match r.op:
            case "<":
                return left < right
            case "<=":
                return left <= right
            case "==":
                return left == right
            case "!=":
                return left != right

    def term(self, e: Expr) -> Any:
        for part in postorder(e):
            if part not in self.terms:
                self.terms[part] = self._encode(part, [self.terms[a] for a in part.args])
        return self.terms[e]

    def log(self, e: Expr) -> Any:
        """The logarithm of a positive expression, as a sum over its factors."""
        match e.op:
            case "mul":
                return self.log(e.args[0]) + self.log(e.args[1])
            case "div":
                return self.log(e.args[0]) - self.log(e.args[1])
            case "pow":
                return self.term(e.args[1]) * self.log(e.args[0])
            case "exp":
                return self.term(e.args[0])
        return self.term(number.log(e))

    def _encode(self, e: Expr, args: list[Any]) -> Any:
        z3 = self.z3
        match e.op:
            case "const":
                return z3.RealVal(str(e.param))
            case "neg":
                return -args[0]
            case "add":
                return args[0] + args[1]
            case "sub":
                return args[0] - args[1]
            case "mul":
                return args[0] * args[1]
            case "max":
                return z3.If(args[0] >= args[1], args[0], args[1])
            case "min":
                return z3.If(args[0] <= args[1], args[0], args[1])
            case "abs":
                return z3.If(args[0] >= 0, args[0], -args[0])
            case "cast":
                return args[0]
            case "pow" if (power := _small_power(e.args[1])) is not None:
                product = z3.RealVal(1)
                for _ in range(power):
                    product = product * args[0]
                return product
        fresh = z3.Real(f"{e.op}!{len(self.terms)}")
        self.facts += self._facts(e, fresh, args)
        return fresh

    def _facts(self, e: Expr, value: Any, args: list[Any]) -> list[Any]:
        """What is certain of ``value``, the abstraction of ``e``, wherever ``e`` is defined."""
        z3 = self.z3
        match e.op:
            case "symbol":
                return [value > 0] if e.param.positive else []
            case "literal":
                centre, radius = Fraction(e.param), abs(Fraction(e.param)) * Fraction(1, 2**50)
                return [value >= z3.RealVal(str(centre - radius)), value <= z3.RealVal(str(centre + radius))]
            case "pi":
                return [value > z3.RealVal("3.14159"), value < z3.RealVal("3.1416")]
            case "div":
                return [value * args[1] == args[0], args[1] != 0]
            case "sqrt":
                return [value >= 0, value * value == args[0]]
            case "exp":
                x = args[0]
                return [value > 0, value >= 1 + x, z3.Implies(x < 0, value < 1), z3.Implies(x > 0, value > 1)]
            case "log":
                x = args[0]
                return [x > 0, value <= x - 1, (value > 0) == (x > 1), (value < 0) == (x < 1)]
            case "call" if is_positive_call(e):
                return [value > 0]
            case "sin" | "cos":
                return self._facts_of_angle(e, value, args[0])
            case "pow":
                return self._facts_of_power(e, value, args[0])
        return []

    def _facts_of_angle(self, e: Expr, value: Any, x: Any) -> list[Any]:
        """Bounds, the circle where the other function is known, the sign, and the order on the main arc."""
        z3, pi, implies = self.z3, self.term(PI), self.z3.Implies
        facts = [value <= 1, value >= -1]
        if (other := self.terms.get(node("cos" if e.op == "sin" else "sin", e.args[0]))) is not None:
            facts.append(value * value + other * other == 1)
        if e.op == "cos":
            facts += [implies(z3.And(x > -pi / 2, x < pi / 2), value > 0), value >= 1 - x * x / 2]
            low, high, rising = 0, pi, -1
        else:
            facts += [implies(z3.And(x > 0, x < pi), value > 0), implies(x >= 0, value <= x)]
            facts += [implies(z3.And(x < 0, x > -pi), value < 0), implies(x <= 0, value >= x)]
            low, high, rising = -pi / 2, pi / 2, 1
        known = [(self.terms[f.args[0]], self.terms[f]) for f in self.terms if f.op == e.op]
        for y, of_y in known:
            gap = rising * (value - of_y)
            facts += [implies(z3.And(y >= low, y < x, x <= high), gap > 0)]
            facts += [implies(z3.And(x >= low, x < y, y <= high), gap < 0)]
        return facts

    def _facts_of_power(self, e: Expr, value: Any, base: Any) -> list[Any]:
        """Only a power that is no integer is of positive bases alone."""
        exponent = e.args[1]
        if exponent.op == "const" and exponent.param.denominator == 1:
            n = int(exponent.param)
            sign = [value >= 0] if n % 2 == 0 else [(value > 0) == (base > 0)]
            return sign + ([base != 0, value != 0] if n < 0 else [])
        if exponent.op in ("literal", "const"):  # a float may stand for an integer
            return [base >= 0, value >= 0] if exponent.op == "const" else []
        return [base > 0, value > 0]


def _positive_sides(r: Relation) -> tuple[Expr, Expr] | None:
    """The positive products that a relation compares: its sides, or the terms of a difference."""
    left, right = r.left, r.right
    if _is_zero(right) and left.op == "sub":
        left, right = left.args
    elif _is_zero(left) and right.op == "sub":
        right, left = right.args
    return (left, right) if is_positive(left) and is_positive(right) else None


def _small_power(exponent: Expr) -> int | None:
    if exponent.op == "const" and exponent.param.denominator == 1 and 0 <= exponent.param <= 16:
        return int(exponent.param)
    return None
