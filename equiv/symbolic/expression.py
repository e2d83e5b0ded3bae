"""Expressions: immutable, shared, and never simplified.

An expression records the operations as they were written or run. Nothing is cancelled here, so that the
decision (:mod:`equiv.symbolic.decision`) sees every denominator and every logarithm's argument. Two
expressions that are built alike are the same object.
"""

import functools
import weakref
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any, Literal

from equiv import number

Role = Literal["schedule", "state", "network", "noise"]


class Symbol:
    """A variable. Signs may be assumed of schedule symbols only, and only where ``positive`` says so.

    ``level`` symbols come from schedules; ``state``, ``network`` and ``noise`` symbols are arbitrary reals.
    """

    __slots__ = ("name", "positive", "role")

    def __init__(self, name: str, role: Role, *, positive: bool) -> None:
        self.name, self.role, self.positive = name, role, positive

    def __repr__(self) -> str:
        return self.name


class Expr:
    """A node: an operator, its arguments, and a parameter that is part of the operator's identity.

    ======== ========= ===================================================================
    op       arguments parameter
    ======== ========= ===================================================================
    const    0         the exact value, a Fraction
    literal  0         a float64 written in source code: a ball of a few units in its last place
    symbol   0         a :class:`Symbol`
    pi       0
    neg      1
    add sub mul div  2
    pow      2         (base, exponent)
    sqrt exp log sin cos abs  1
    max min  2
    cast     1         (from dtype, to dtype), both by name
    call     n         (operator, its parameters ...): anything else, uninterpreted
    ======== ========= ===================================================================
    """

    __slots__ = ("__weakref__", "args", "op", "param")
    __array_priority__ = 1000  # numpy scalars defer to us

    op: str
    args: tuple["Expr", ...]
    param: Any

    def __add__(self, other: Any) -> "Expr":
        return _binary("add", self, other)

    def __radd__(self, other: Any) -> "Expr":
        return _binary("add", other, self)

    def __sub__(self, other: Any) -> "Expr":
        return _binary("sub", self, other)

    def __rsub__(self, other: Any) -> "Expr":
        return _binary("sub", other, self)

    def __mul__(self, other: Any) -> "Expr":
        return _binary("mul", self, other)

    def __rmul__(self, other: Any) -> "Expr":
        return _binary("mul", other, self)

    def __truediv__(self, other: Any) -> "Expr":
        return _binary("div", self, other)

    def __rtruediv__(self, other: Any) -> "Expr":
        return _binary("div", other, self)

    def __pow__(self, other: Any) -> "Expr":
        return _binary("pow", self, other)

    def __rpow__(self, other: Any) -> "Expr":
        return _binary("pow", other, self)

    def __neg__(self) -> "Expr":
        return node("neg", self)

    def __abs__(self) -> "Expr":
        return node("abs", self)

    def __bool__(self) -> bool:
        raise TypeError("an expression has no truth value; compare values, or record the branch taken")

    def __reduce__(self) -> Any:
        raise TypeError("an expression belongs to its process; send a task instead")

    def __repr__(self) -> str:
        return text(self)


_nodes: "weakref.WeakValueDictionary[tuple[Any, ...], Expr]" = weakref.WeakValueDictionary()


def node(op: str, *args: Expr, param: Any = None) -> Expr:
    """The one node with this operator, arguments and parameter."""
    key = (op, type(param), repr(param) if op == "literal" else param, *map(id, args))
    found = _nodes.get(key)
    if found is None:
        found = Expr()
        found.op, found.args, found.param = op, args, param
        _nodes[key] = found
    return found


def symbol(name: str, role: Role = "state", *, positive: bool = False) -> Expr:
    """The variable of that name; asked for twice, it is the same one.

    Raises:
        ValueError: a sign is assumed of something that is not part of a schedule.
    """
    if positive and role != "schedule":
        raise ValueError(f"{name}: only schedule symbols may be assumed positive, not a {role}")
    key = (name, role, positive)
    return node("symbol", param=_symbols.setdefault(key, Symbol(name, role, positive=positive)))


_symbols: dict[tuple[str, Role, bool], Symbol] = {}


def const(value: int | Fraction) -> Expr:
    """An exact rational."""
    return node("const", param=Fraction(value))


def literal(value: float) -> Expr:
    """A float64 as written in source code. What it stands for is decided when it matters."""
    return node("literal", param=value)


PI = node("pi")


def as_expr(value: Any) -> Expr:
    """Ints and Fractions are exact; a float is a literal.

    Raises:
        TypeError: ``value`` is no number of these kinds.
    """
    match value:
        case Expr():
            return value
        case bool():
            raise TypeError("a bool is not a number here")
        case int() | Fraction():
            return const(value)
        case float():
            return literal(value)
    raise TypeError(
        f"cannot put a {type(value).__name__} into an expression; use int, Fraction, float or Expr"
    )


def _binary(op: str, left: Any, right: Any) -> Expr:
    try:
        return node(op, as_expr(left), as_expr(right))
    except TypeError:
        return NotImplemented  # type: ignore[no-any-return]  # Python then asks the other operand


def _unary(op: str) -> Callable[[Expr], Expr]:
    return lambda x: node(op, x)


for _function, _op in (
    (number.sqrt, "sqrt"),
    (number.exp, "exp"),
    (number.log, "log"),
    (number.sin, "sin"),
    (number.cos, "cos"),
):
    _function.register(Expr, _unary(_op))
number.pi.register(Expr, lambda _like: PI)
number.constant.register(Expr, lambda _like, value: as_expr(value))
number.minimum.register(Expr, lambda x, y: node("min", x, as_expr(y)))
number.maximum.register(Expr, lambda x, y: node("max", x, as_expr(y)))


def postorder(*roots: Expr) -> Iterator[Expr]:
    """Every node below the roots once, arguments before what uses them."""
    seen: set[int] = set()
    stack = [(root, False) for root in reversed(roots)]
    while stack:
        e, ready = stack.pop()
        if id(e) in seen:
            continue
        if ready or not e.args:
            seen.add(id(e))
            yield e
        else:
            stack.append((e, True))
            stack.extend((a, False) for a in reversed(e.args) if id(a) not in seen)


def symbols(*roots: Expr) -> list[Expr]:
    """The symbol nodes below the roots, in the order they are met."""
    return list(dict.fromkeys(s for root in roots for s in _symbols_below(root)))


@functools.lru_cache(maxsize=4096)
def _symbols_below(root: Expr) -> tuple[Expr, ...]:
    return tuple(e for e in postorder(root) if e.op == "symbol")


def substitute(root: Expr, replacement: dict[Expr, Expr]) -> Expr:
    """``root`` with nodes replaced, all at once."""
    done: dict[Expr, Expr] = {}
    for e in postorder(root):
        if e in replacement:
            done[e] = replacement[e]
        elif e.args:
            args = [done[a] for a in e.args]
            same = all(new is old for new, old in zip(args, e.args, strict=True))
            done[e] = e if same else node(e.op, *args, param=e.param)
        else:
            done[e] = e
    return done[root]


class Relation:
    """``left OP right`` between expressions, with OP one of ``< <= == !=``."""

    __slots__ = ("left", "op", "right")

    def __init__(self, left: Any, op: Literal["<", "<=", "==", "!="], right: Any) -> None:
        self.left, self.op, self.right = as_expr(left), op, as_expr(right)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Relation) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def _parts(self) -> tuple[Expr, str, Expr]:
        return self.left, self.op, self.right

    def __repr__(self) -> str:
        return f"{text(self.left)} {self.op} {text(self.right)}"


_INFIX = {"add": (" + ", 1), "sub": (" - ", 1), "mul": ("*", 2), "div": ("/", 2), "pow": ("**", 4)}


def text(e: Expr) -> str:
    """The expression in Python's syntax."""
    return _text(e)[0]


def _text(e: Expr) -> tuple[str, int]:
    """Text and how tightly its outermost operator binds."""
    if e.op == "const":
        value: Fraction = e.param
        return str(value), 5 if value >= 0 and value.denominator == 1 else 2 if value >= 0 else 1
    if e.op in ("literal", "symbol"):
        return str(e.param), 5
    if e.op == "neg":
        return f"-{_inside(e.args[0], 3)}", 1
    if e.op in _INFIX:
        sign, binds = _INFIX[e.op]
        left, right = e.args
        # the right operand of - and / and the base of ** need brackets at equal strength
        strict = e.op in ("sub", "div", "mul")
        return f"{_inside(left, binds + (e.op == 'pow'))}{sign}{_inside(right, binds + strict)}", binds
    if e.op == "call" and e.param[0] == "opaque":
        return str(e.param[2]), 5
    if e.op == "call" and e.param[0] == "function":
        _, name, orders, _ = e.param
        primes = "'" * orders[0] if len(orders) == 1 else f"_{orders}" if any(orders) else ""
        return f"{name}{primes}({', '.join(map(text, e.args))})", 5
    name = e.param[0] if e.op == "call" else e.param[1] if e.op == "cast" else e.op
    return (name if e.op == "pi" else f"{name}({', '.join(map(text, e.args))})"), 5


def _inside(e: Expr, needed: int) -> str:
    inner, binds = _text(e)
    return inner if binds >= needed else f"({inner})"
