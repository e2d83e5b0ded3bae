"""Brings an expression to normal form, operator by operator, recording what it rests on."""

from collections.abc import Callable, Mapping
from fractions import Fraction

from equiv.symbolic.angles import Angles
from equiv.symbolic.conditions import Conditions, Undecidable, Undefined, is_free
from equiv.symbolic.expression import PI, Expr, const, postorder
from equiv.symbolic.normal_form import Element, Field
from equiv.symbolic.roots import Roots
from equiv.symbolic.side_conditions import is_positive_call

_REFINED = {"exp", "pow", "sqrt", "cos", "sin"}
COMMUTATIVE_CALLS = {"maximum", "minimum"}
WIDTH = {
    "bfloat16": (8, 8),
    "float16": (5, 11),
    "float32": (8, 24),
    "float64": (11, 53),
}  # exponent, significand


def _may_not_exist(e: Expr) -> bool:
    """Is it an integral, a limit, or a derivative, which need not be there?"""
    return e.param[0] == "opaque" or (e.param[0] == "function" and any(e.param[2]))


class Infinite:
    """Plus or minus infinity, as met at the clean end of a schedule where sigma is zero."""

    __slots__ = ("sign",)

    def __init__(self, sign: int) -> None:
        self.sign = sign


Value = Element | Infinite


class Interpretation:
    """One reading of expressions: ``reading`` says which real number each source literal stands for."""

    def __init__(self, conditions: Conditions, reading: Mapping[float, Expr]) -> None:
        self.conditions, self.reading = conditions, reading
        self.field = Field(conditions)
        self.roots = Roots(self.field)
        self.angles = Angles(self.field, self.roots)
        self._values: dict[Expr, Value] = {}
        self._symbols: dict[Expr, int] = {}
        self._branches: list[tuple[Element, int]] = []
        self._calls: list[tuple[object, tuple[Element, ...], int]] = []

    def equal(self, left: Expr, right: Expr) -> bool:
        """Are the normal forms the same? Only then is anything said.

        Raises:
            Undefined, Undecidable: one of the sides has no value, or rests on what may not be assumed.
        """
        return self.same(left, right) or (self.field.refined and self._begun_again().same(left, right))

    def same(self, left: Expr, right: Expr) -> bool:
        """Are they, with the roots and angles as they were met?"""
        a, b = self.of(left), self.of(right)
        if isinstance(a, Infinite) or isinstance(b, Infinite):
            raise Undecidable("a side is infinite")
        return self.field.equal(a, b)

    def _begun_again(self) -> "Interpretation":
        """The same reading, which meets the finest roots and angles first: what is over them then factors."""
        finest = Interpretation(self.conditions, self.reading)
        for generator in reversed(self.field.generators):
            if generator.value.op in _REFINED:
                finest.of(generator.value)
        return finest

    def of(self, e: Expr) -> Value:
        for sub in postorder(e):
            if sub not in self._values:
                self._values[sub] = self._value(sub, [self._values[a] for a in sub.args])
        return self._values[e]

    def _value(self, e: Expr, args: list[Value]) -> Value:
        match e.op:
            case "const":
                return self.field.number(e.param)
            case "symbol" | "pi":
                return self._atom(e)
            case "literal":
                return self.of(self.reading[e.param])
        if any(isinstance(a, Infinite) for a in args) or (e.op == "log" and self._is_zero(args[0])):
            return self._extended(e, args)
        return self._OPERATORS[e.op](self, e, *args)

    def _is_zero(self, value: Value) -> bool:
        return isinstance(value, Element) and self.field.is_zero(value)

    def _atom(self, e: Expr) -> Element:
        if e not in self._symbols:
            positive = e is PI or e.param.positive
            self._symbols[e] = self.field.generator(e, positive=positive)
        return self.field.element(self._symbols[e])

    # --- operators ------------------------------------------------------------------------------------

    def _divide(self, e: Expr, a: Element, b: Element) -> Element:
        self._divisor(e.args[1], b)
        return self.field.divide(a, b)

    def _divisor(self, e: Expr, value: Element) -> None:
        """Record a denominator as it is written, before anything is cancelled."""
        if self.field.is_zero(value):
            raise Undefined(f"division by {e}, which is identically zero")
        if self.field.constant(value) is None:
            self.conditions.nonzero(e)

    def _power(self, e: Expr, a: Element, b: Element) -> Element:
        q = self.field.constant(b)
        if q is not None:
            if q < 0:
                self._divisor(e.args[0], a)
            return self.roots.power(a, q)
        return self.roots.exp(self.field.multiply(b, self.roots.log(a)))

    def _maximum(self, e: Expr, a: Element, b: Element, sign: int = 1) -> Element:
        """``(a + b +- |a - b|) / 2``; where the schedule settles which is larger, that is a branch."""
        f, gap = self.field, self.field.subtract(a, b)
        if f.is_zero(gap):
            return a
        if clipped := self._clipped(e):
            return clipped
        try:
            return a if self._branch(e.args[0] - e.args[1], gap) == sign else b
        except Undecidable:
            spread = f.scaled(self.roots.absolute(gap), Fraction(sign))
            return f.scaled(f.add(f.add(a, b), spread), Fraction(1, 2))

    def _branch(self, difference: Expr, gap: Element) -> int:
        """The sign of ``gap``, written ``difference``; the same branch is listed once, as first written."""
        for known, sign in self._branches:
            if self.field.equal(known, gap):
                return sign
        if is_free(difference):  # the simplified form is what a hypothesis on a state may settle
            difference = self.roots.expression(gap)
        sign = self.conditions.sign(difference, "branch")
        self._branches.append((gap, sign))
        return sign

    def _clipped(self, e: Expr) -> Element | None:
        """``clip(x, low, high) = (low + high + |x - low| - |x - high|) / 2``, however it is nested."""
        f, (inner, outer) = self.field, e.args
        if {e.op, inner.op} != {"min", "max"}:
            return None
        values = [self._values[part] for part in (inner.args[0], inner.args[1], outer)]
        x, first, second = (v for v in values if isinstance(v, Element))
        bounds = f.constant(first), f.constant(second)
        if bounds[0] is None or bounds[1] is None or (bounds[0] <= bounds[1]) != (inner.op == "max"):
            return None
        low, high = map(f.number, sorted(b for b in bounds if b is not None))
        above, below = (self.roots.absolute(f.subtract(x, bound)) for bound in (low, high))
        return f.scaled(f.add(f.add(low, high), f.subtract(above, below)), Fraction(1, 2))

    def _cast(self, e: Expr, a: Element) -> Element:
        """Widening is exact; narrowing is taken as exact on a condition, and only within range."""
        source, target = (WIDTH[dtype] for dtype in e.param)
        if target[0] >= source[0] and target[1] >= source[1]:
            return a
        largest = const(2 ** (2 ** (target[0] - 1)))
        if not self.conditions.magnitude_below(e.args[0], largest):
            raise Undecidable(f"a cast of {e.args[0]} to {e.param[1]}, which it may overflow")
        self.conditions.narrowing(e)
        return a

    def _call(self, e: Expr, *args: Element) -> Element:
        """An uninterpreted operator: equal only to itself with equal parameters and arguments."""
        for param, known, index in self._calls:
            if param != e.param or len(known) != len(args):
                continue
            orders = [args, args[::-1]] if e.param[0] in COMMUTATIVE_CALLS else [args]
            if any(all(map(self.field.equal, known, order)) for order in orders):
                return self.field.element(index)
        if _may_not_exist(e):
            self.conditions.taken_to_exist(e)
        index = self.field.generator(e, positive=is_positive_call(e))
        self._calls.append((e.param, args, index))
        return self.field.element(index)

    _OPERATORS: Mapping[str, Callable[..., Value]] = {
        "neg": lambda self, e, a: self.field.negative(a),
        "add": lambda self, e, a, b: self.field.add(a, b),
        "sub": lambda self, e, a, b: self.field.subtract(a, b),
        "mul": lambda self, e, a, b: self.field.multiply(a, b),
        "div": _divide,
        "pow": _power,
        "sqrt": lambda self, e, a: self.roots.power(a, Fraction(1, 2)),
        "exp": lambda self, e, a: self.roots.exp(a),
        "log": lambda self, e, a: self.roots.log(a),
        "cos": lambda self, e, a: self.angles.cos_sin(a)[0],
        "sin": lambda self, e, a: self.angles.cos_sin(a)[1],
        "abs": lambda self, e, a: self.roots.absolute(a),
        "max": _maximum,
        "min": lambda self, e, a, b: self._maximum(e, a, b, sign=-1),
        "cast": _cast,
        "call": _call,
    }

    # --- infinities -----------------------------------------------------------------------------------

    def _extended(self, e: Expr, args: list[Value]) -> Value:
        """The few rules of the extended reals; anything else is undefined."""
        match e.op, args:
            case "log", [Element()]:
                return Infinite(-1)
            case "neg", [Infinite() as a]:
                return Infinite(-a.sign)
            case ("add" | "sub") as op, [Infinite() as a, b]:
                other = 0 if isinstance(b, Element) else b.sign if op == "add" else -b.sign
                if other in (0, a.sign):
                    return a
            case "add", [Element(), Infinite() as b]:
                return b
            case "sub", [Element(), Infinite() as b]:
                return Infinite(-b.sign)
            case "mul", [Infinite() as a, Element()] if not self._is_zero(args[1]):
                return Infinite(a.sign * self.conditions.sign(e.args[1]))
            case "mul", [Element(), Infinite() as b] if not self._is_zero(args[0]):
                return Infinite(b.sign * self.conditions.sign(e.args[0]))
            case "div", [Infinite() as a, Element() as b]:
                self._divisor(e.args[1], b)
                return Infinite(a.sign * self.conditions.sign(e.args[1]))
            case "div", [Element(), Infinite()]:
                return self.field.zero
            case "exp", [Infinite() as a]:
                return a if a.sign > 0 else self.field.zero
        raise Undefined(f"{e.op} of an infinity")
