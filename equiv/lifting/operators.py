"""The operator table: what each torch operator computes, by its name in ATen.

An arithmetic operator is a function of expressions with the operator's own signature. What is in none
of these tables is refused when it meets a symbol.
"""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Literal

from equiv.lifting.refusal import Unsupported
from equiv.number import cos, exp, log, maximum, minimum, sin, sqrt
from equiv.symbolic.expression import Expr, const, literal, node, postorder

ONE, HALF = const(1), const(Fraction(1, 2))


def number_of(value: float) -> Expr:
    """A number of the source code. A float that is written exactly by its own decimal is that number.

    Raises:
        Unsupported: it is not finite.
    """
    if isinstance(value, int):
        return const(int(value))
    if not math.isfinite(value):
        raise Unsupported(f"the constant {value}")
    exact = Fraction(value)
    return const(exact) if exact == Fraction(repr(value)) else literal(value)


def _add(x: Expr, y: Expr, *, alpha: Expr = ONE) -> Expr:
    return x + (y if alpha is ONE else alpha * y)


def _sub(x: Expr, y: Expr, *, alpha: Expr = ONE) -> Expr:
    return x - (y if alpha is ONE else alpha * y)


def _rsub(x: Expr, y: Expr, alpha: Expr = ONE) -> Expr:
    return _sub(y, x, alpha=alpha)


def _div(x: Expr, y: Expr, *, rounding_mode: str | None = None) -> Expr:
    return x / y if rounding_mode is None else node("call", x, y, param=("div", rounding_mode))


def _pow(x: Expr, exponent: Expr) -> Expr:
    return sqrt(x) if exponent is HALF else x**exponent


def _clamp(x: Expr, min: Any = None, max: Any = None) -> Expr:
    x = x if min is None or min == -math.inf else maximum(x, min)
    return x if max is None or max == math.inf else minimum(x, max)


def _where(condition: Expr, x: Expr, y: Expr) -> Expr:
    if condition.op == "const":
        return x if condition.param else y
    return node("call", condition, x, y, param=("where",))


def _lerp(x: Expr, y: Expr, weight: Expr) -> Expr:
    return x + weight * (y - x)


def _addcmul(x: Expr, y: Expr, z: Expr, *, value: Expr = ONE) -> Expr:
    return x + (y * z if value is ONE else value * y * z)


def _addcdiv(x: Expr, y: Expr, z: Expr, *, value: Expr = ONE) -> Expr:
    return x + (y / z if value is ONE else value * y / z)


def _tanh(x: Expr) -> Expr:
    return (exp(x) - exp(-x)) / (exp(x) + exp(-x))


def _log_to(base: int) -> Callable[[Expr], Expr]:
    return lambda x: log(x) / log(const(base))


ARITHMETIC: Mapping[str, Callable[..., Expr]] = {
    "abs": abs,
    "add": _add,
    "addcdiv": _addcdiv,
    "addcmul": _addcmul,
    "clamp": _clamp,
    "clamp_max": lambda x, max: _clamp(x, None, max),
    "clamp_min": lambda x, min: _clamp(x, min, None),
    "cos": cos,
    "cosh": lambda x: (exp(x) + exp(-x)) / 2,
    "div": _div,
    "exp": exp,
    "exp2": lambda x: exp(x * log(const(2))),
    "expm1": lambda x: exp(x) - 1,
    "fill": lambda _x, value: value,
    "fmax": maximum,
    "fmin": minimum,
    "hardtanh": lambda x, min_val=-ONE, max_val=ONE: _clamp(x, min_val, max_val),
    "hypot": lambda x, y: sqrt(x**2 + y**2),
    "ldexp": lambda x, y: x * const(2) ** y,
    "lerp": _lerp,
    "log": log,
    "log10": _log_to(10),
    "log1p": lambda x: log(x + 1),
    "log2": _log_to(2),
    "logaddexp": lambda x, y: log(exp(x) + exp(y)),
    "masked_fill": lambda x, mask, value: _where(mask, value, x),
    "maximum": maximum,
    "minimum": minimum,
    "mul": lambda x, y: x * y,
    "nan_to_num": lambda x, nan=None, posinf=None, neginf=None: x,
    "neg": lambda x: -x,
    "pow": _pow,
    "reciprocal": lambda x: 1 / x,
    "relu": lambda x: maximum(x, 0),
    "rsqrt": lambda x: 1 / sqrt(x),
    "rsub": _rsub,
    "sigmoid": lambda x: 1 / (1 + exp(-x)),
    "silu": lambda x: x / (1 + exp(-x)),
    "sin": sin,
    "sinh": lambda x: (exp(x) - exp(-x)) / 2,
    "sqrt": sqrt,
    "sub": _sub,
    "tan": lambda x: sin(x) / cos(x),
    "tanh": _tanh,
    "where": _where,
    "zero": lambda _x: const(0),
}


_TOTAL = frozenset("symbol const literal pi neg add sub mul abs max min sin cos exp cast".split())


def is_total(e: Expr) -> bool:
    """Has it a value wherever its symbols have one? Of anything else, that it is a number says something."""

    def defined(part: Expr) -> bool:
        divided = part.op == "div" and part.args[1].op in {"const", "literal"} and part.args[1].param != 0
        whole = part.op == "pow" and part.args[1].op == "const" and part.args[1].param.denominator == 1
        return part.op in _TOTAL or divided or (whole and part.args[1].param > 0)

    return all(map(defined, postorder(e)))


def _is_no_number(name: str) -> Callable[[Expr], Expr]:
    return lambda x: const(0) if is_total(x) else node("call", x, param=(name,))


def _compare(name: str, *, turned: bool = False) -> Callable[[Expr, Any], Expr]:
    def build(x: Expr, y: Any) -> Expr:
        if x is y and is_total(x):  # a real number equals itself
            return const(int(name in {"eq", "le"}))
        if isinstance(y, float):  # infinite: no real number is beyond it
            less = (y > 0) != turned
            if not is_total(x):
                return node("call", x, param=("infinite", name, y, turned))
            return const(int(name == "ne" or (name in ("lt", "le") and less)))
        return node("call", *((y, x) if turned else (x, y)), param=(name,))

    return build


def _not(x: Expr) -> Expr:
    return const(int(not x.param)) if x.op == "const" else node("call", x, param=("not",))


def _logical(name: Literal["and", "or"]) -> Callable[[Expr, Expr], Expr]:
    def build(x: Expr, y: Expr) -> Expr:
        for one, other in ((x, y), (y, x)):
            if one.op == "const":
                settles = bool(one.param) == (name == "or")
                return const(int(name == "or")) if settles else other
        return x if x is y else node("call", x, y, param=(name,))

    return build


PREDICATES: Mapping[str, Callable[..., Expr]] = {
    "lt": _compare("lt"),
    "le": _compare("le"),
    "gt": _compare("lt", turned=True),
    "ge": _compare("le", turned=True),
    "eq": _compare("eq"),
    "ne": _compare("ne"),
    "isinf": _is_no_number("isinf"),
    "isnan": _is_no_number("isnan"),
    **dict.fromkeys(("logical_not", "bitwise_not"), _not),
    **{name: _logical("and") for name in ("logical_and", "bitwise_and", "__and__")},
    **{name: _logical("or") for name in ("logical_or", "bitwise_or", "__or__")},
}
"""Operators whose result is a truth value; it is kept as an uninterpreted 0 or 1."""

UNINTERPRETED = frozenset([
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "copysign", "digamma", "erf",
    "erfc", "erfinv", "floor", "floor_divide", "fmod", "frac", "heaviside", "i0", "lgamma", "nextafter",
    "remainder", "round", "sgn", "sign", "sinc", "trunc", "xlogy",
])  # fmt: skip
"""Elementwise operators kept as they are: equal to nothing but themselves with equal parameters."""

INFINITY_ALLOWED = frozenset(["clamp", "clamp_min", "clamp_max", *PREDICATES])

MOVEMENT = frozenset([
    "_unsafe_view", "cat", "clone", "constant_pad_nd", "diag_embed", "diagonal_scatter", "flip", "gather",
    "index", "index_copy", "index_fill", "index_put", "index_select", "masked_select", "pixel_shuffle",
    "pixel_unshuffle", "repeat", "roll", "scatter", "select_backward", "select_scatter", "slice_backward",
    "slice_scatter", "stack", "take", "tril", "triu",
])  # fmt: skip
"""Operators that only place elements, or fill places with zeros or one number."""

CASTS = frozenset(["_to_copy", "copy"])

METADATA = frozenset([
    "_has_same_storage_numel", "empty_like", "full_like", "is_same_size", "new_empty", "new_empty_strided",
    "new_full", "new_ones", "new_zeros", "ones_like", "zeros_like",
])  # fmt: skip
"""Operators that look at a tensor's shape and type only."""

UNINITIALISED = frozenset(
    ["empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided"]
)
"""Operators whose result holds what happened to be in memory."""

NORMAL = frozenset(["randn", "randn_like", "normal"])
UNIFORM = frozenset(["rand", "rand_like", "uniform"])
