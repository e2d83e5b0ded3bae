"""Runs torch code on ordinary tensors and writes down what it computes.

A :class:`Tracer` watches every operator (through torch's dispatcher) and every way a value can leave torch
unseen. Views, aliases and in-place writes need no rules: they share the shadow of their storage.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from fractions import Fraction
from functools import reduce, wraps
from typing import Any, ParamSpec, Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from equiv.lifting import operators
from equiv.lifting.assumption import Assumption
from equiv.lifting.memory import NO_LANE, UNTRACKED, Cells, Memory, pack, unpack
from equiv.lifting.plan import Plan, plan
from equiv.lifting.refusal import Unsupported, calling_line
from equiv.symbolic.expression import Expr, Relation, Role, const, node, substitute, symbol, symbols, text

P, R = ParamSpec("P"), TypeVar("R")

_CONSTANT, _FREE, _LANED = 0, 1, 2
_FEW = 16  # constants of at most so many elements are followed as formulas of the source's numbers
_NO_OPERANDS = frozenset(
    "dtype layout device pin_memory memory_format non_blocking out generator implicit copy".split()
)


def _unwatched(method: Callable[P, R]) -> Callable[P, R]:
    """What the reader itself does with a tensor is no leak."""

    @wraps(method)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        with torch._C.DisableTorchFunction():
            return method(*args, **kwargs)

    return inner


class Tracer:
    """Reads what is run inside ``with``.

    Expressions of a marked tensor are over one symbol without an index, at the element's lane; only where
    elements mix are the symbols indexed.
    """

    def __init__(self) -> None:
        self.assumptions: list[Assumption] = []
        self.origins: dict[Expr, str] = {}  # file:line that computed it
        self._memory = Memory()
        self._table: list[Expr] = []
        self._numbers: dict[Expr, int] = {}
        self._kinds: dict[Expr, int] = {}
        self._lane_values: dict[Expr, NDArray[np.float64]] = {}
        self._point: dict[Expr, float] = {}
        self._read_out: set[float] = set()  # floats that left torch: no literals of the source
        self._refusal: Unsupported | None = None
        self._modes = (_Dispatch(self), _Leaks(self))

    def __enter__(self) -> Self:
        for mode in self._modes:
            mode.__enter__()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        for mode in reversed(self._modes):
            mode.__exit__(kind, error, trace)
        if self._refusal is not None and kind is None:
            raise self._refusal  # the code caught it and went on

    # --- what goes in and what comes out --------------------------------------------------------------

    @_unwatched
    def mark(self, tensor: torch.Tensor, name: str, role: Role = "state") -> Expr:
        """Make each element of a tensor a variable of its own; returns the symbol that stands for all."""
        element = symbol(name, role)
        if element in self._kinds:
            raise ValueError(f"there is a variable {name} already; use another name")
        self._lane(tensor, element)
        return element

    @_unwatched
    def mark_as(self, tensor: torch.Tensor, expressions: Sequence[Expr]) -> None:
        """Say what the elements of a tensor are, in its own order: symbols, or constants equal to the values."""
        shadow = self._memory.of(tensor)
        for e, value in zip(expressions, shadow.values(tensor).ravel().tolist(), strict=True):
            if self._point.setdefault(e, value) != value or (e.op == "const" and e.param != value):
                raise ValueError(f"{e} cannot stand for {value!r}: it has another value")
        codes = np.array([self._code(e) for e in expressions]).reshape(tensor.shape)
        shadow.write(tensor, pack(codes, np.full_like(codes, NO_LANE)))

    @_unwatched
    def read(self, tensor: torch.Tensor) -> NDArray[Any]:
        """The expression of every element, over indexed symbols; an array of the tensor's shape."""
        codes, _ = unpack(self._indexed(self._operand(tensor, "read")))
        out = np.empty(codes.shape, dtype=object)
        out.ravel()[:] = [self._table[c] for c in codes.ravel()]
        return out

    @_unwatched
    def element(self, tensor: torch.Tensor) -> Expr:
        """The one expression that all elements have, each of its own element of the marked tensors.

        Raises:
            Unsupported: an element depends on other elements, or the elements differ.
        """
        codes, lanes = unpack(self._operand(tensor, "read"))
        first = codes.ravel()[0]
        if (codes != first).any():
            raise Unsupported("the elements of the result are computed differently, or from different elements")
        e = self._table[first]
        free = [s for s in symbols(e) if _is_state(s)]
        if free and (lanes.ravel() != np.arange(lanes.size)).any() or not self._lane_values.keys() >= set(free):
            raise Unsupported("the elements of the result are not computed each from its own element")
        return e

    @_unwatched
    def depends_on_state(self, tensor: torch.Tensor) -> bool:
        """Does any element depend on a state, a network output or a noise draw?"""
        shadow = self._memory.known(tensor)
        return shadow is not None and any(map(_is_state, self._expressions(shadow.read(tensor, "read"))))

    @property
    def point(self) -> dict[Expr, Fraction]:
        """The value of every variable at the point that was run: exact, and element 0 of marked tensors."""
        known = (*self._point, *self._lane_values)
        return {e: self.value(e) for e in known if e.op == "symbol"}

    def value(self, variable: Expr) -> Fraction:
        """The value of one variable at that point.

        Raises:
            KeyError: nothing was marked with it.
        """
        lanes = self._lane_values.get(variable)
        return Fraction(self._point[variable] if lanes is None else float(lanes[0]))

    # --- one operator ---------------------------------------------------------------------------------

    def dispatch(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return self._run(plan(function), function, args, kwargs)
        except Unsupported as refusal:
            self._refusal = self._refusal or refusal
            raise

    def _run(self, p: Plan, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if p.kind == "draw":
            return self._draw(p, function, args, kwargs)
        if p.seeded:
            raise Unsupported(f"{function} draws random numbers of a kind that is not read")
        tensors = list(_tensors((*args, *kwargs.values())))
        if not any(map(self._is_symbolic, tensors)):
            return self._run_concrete(p, function, args, kwargs, tensors)
        match p.kind:
            case "item":
                return self._item(function, args[0])
            case "factory":
                return function(*args, **kwargs)
            case "alias":
                return self._alias(function, args, kwargs)
            case "unknown":
                raise Unsupported(f"the operator {function} is not in the table")
        return self._write(self._cells(p, function, args, kwargs), function, args, kwargs)

    def _cells(
        self, p: Plan, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Callable[[torch.Tensor], Cells]:
        """What the result will hold. The operands are read now, before they can be overwritten."""
        match p.kind:
            case "movement":
                return self._moved(function, args, kwargs)
            case "reduction":
                cells = self._reduced(p, args, kwargs)
                return lambda result: cells
            case "cast":
                source = args[-1] if p.name == "_to_copy" else args[1]
                read = self._operand(source, p.name)
                return lambda result: self._cast(read, source.dtype, result.dtype)
        return self._elementwise(p, args, kwargs)

    def _write(
        self, cells: Callable[[torch.Tensor], Cells], function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        result = function(*args, **kwargs)
        if not isinstance(result, torch.Tensor):
            raise Unsupported(f"{function} gives several results")
        self._store(result, cells(result))
        return result

    def _run_concrete(
        self, p: Plan, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], tensors: list[torch.Tensor]
    ) -> Any:
        """No symbol is involved. Small float constants are followed, as memory holds them rounded."""
        if p.kind == "arithmetic" and self._worth_following(tensors):
            cells = self._elementwise(p, args, kwargs)
            result = function(*args, **kwargs)
            if result.dtype.is_floating_point and result.numel() <= _FEW:
                self._store(result, cells(result))
                return result
        else:
            result = function(*args, **kwargs)
        for i in p.written:
            self._forget(args[i] if i < len(args) else kwargs.get("out"))
        if p.kind == "item" and isinstance(result, float):
            self._read_out.add(result)
        return result

    def _worth_following(self, tensors: list[torch.Tensor]) -> bool:
        return (
            any(t.dtype.is_floating_point for t in tensors)
            and all(t.numel() <= _FEW and t.layout is torch.strided for t in tensors)
            and all(t.device.type == "cpu" and np.isfinite(self._memory.of(t).values(t)).all() for t in tensors)
        )

    # --- arithmetic -----------------------------------------------------------------------------------

    def _elementwise(
        self, p: Plan, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Callable[[torch.Tensor], Cells]:
        operands: list[torch.Tensor] = []
        build = self._bind(p, args, kwargs, operands)
        computed = _computed_in(operands)
        cells = self._map(build, [self._narrowed(t, computed, p.name) for t in operands])

        def finished(result: torch.Tensor) -> Cells:
            if p.kind == "arithmetic" and not result.dtype.is_floating_point and self._any_symbolic(cells):
                raise Unsupported(f"{p.name} on symbols gives {result.dtype}, whose arithmetic may wrap around")
            if p.kind == "predicate" or computed is None:
                return cells
            return self._cast(cells, computed, result.dtype)

        return finished

    def _bind(
        self, p: Plan, args: tuple[Any, ...], kwargs: dict[str, Any], operands: list[torch.Tensor]
    ) -> Callable[..., Expr]:
        """The element's expression as a function of the tensor operands, which are collected on the way."""
        positional = [self._argument(p, a, operands) for a in args]
        named = {k: self._argument(p, a, operands) for k, a in kwargs.items() if k not in _NO_OPERANDS}
        function = p.build
        assert function is not None

        def build(*elements: Expr) -> Expr:
            given = [elements[a.index] if isinstance(a, _Slot) else a for a in positional]
            options = {k: elements[a.index] if isinstance(a, _Slot) else a for k, a in named.items()}
            return function(*given, **options)

        return build

    def _argument(self, p: Plan, value: Any, operands: list[torch.Tensor]) -> Any:
        match value:
            case torch.Tensor():
                operands.append(value)
                return _Slot(len(operands) - 1)
            case float() if math.isnan(value) or (math.isinf(value) and p.name not in operators.INFINITY_ALLOWED):
                raise Unsupported(f"{p.name} with the constant {value}")
            case float() if math.isinf(value):
                return value
            case float() if value in self._read_out:
                return const(Fraction(value))
            case int() | float():
                return operators.number_of(value)
            case None | str():
                return value
        raise Unsupported(f"{p.name} with an argument of type {type(value).__name__}")

    def _map(self, build: Callable[..., Expr], operands: list[Cells]) -> Cells:
        """``build`` on each element; equal combinations of expressions are built once."""
        spread = [unpack(c) for c in np.broadcast_arrays(*operands)]
        lane = reduce(np.maximum, (lanes for _, lanes in spread))
        if any(((lanes != lane) & (lanes != NO_LANE)).any() for _, lanes in spread):
            return self._map(build, [self._indexed(c) for c in operands])
        keys = list(zip(*(codes.ravel().tolist() for codes, _ in spread), strict=True))
        made = {key: self._made(build, key) for key in dict.fromkeys(keys)}
        codes = np.array([made[key] for key in keys]).reshape(lane.shape)
        laned = {c for c in made.values() if self._kind(self._table[c]) == _LANED}
        if len(laned) < len(made):
            lane = np.where(np.isin(codes, list(laned)), lane, NO_LANE)
        return pack(codes, lane)

    def _made(self, build: Callable[..., Expr], key: tuple[int, ...]) -> int:
        e = build(*(self._table[k] for k in key))
        if e.args and e not in self.origins:
            self.origins[e] = calling_line()
        return self._code(e)

    def _narrowed(self, tensor: torch.Tensor, computed: torch.dtype | None, name: str) -> Cells:
        cells = self._operand(tensor, name)
        return cells if computed is None else self._cast(cells, tensor.dtype, computed)

    def _cast(self, cells: Cells, source: torch.dtype, target: torch.dtype) -> Cells:
        """Widening is the identity, narrowing a node and an assumption, to integers a truncation."""
        if _widens(source, target) or not self._any_symbolic(cells):
            return cells
        names = str(source).removeprefix("torch."), str(target).removeprefix("torch.")
        if target is torch.bool:
            return self._map(lambda e: node("call", e, const(0), param=("ne",)), [cells])
        if not target.is_floating_point:
            return self._map(lambda e: node("call", e, param=("trunc", names[1])), [cells])
        if not source.is_floating_point:
            return self._map(lambda e: node("call", e, param=("convert", *names)), [cells])
        self._assume("cast", f"a cast from {names[0]} to {names[1]} is exact")
        return self._map(lambda e: node("cast", e, param=names), [cells])

    # --- other operators ------------------------------------------------------------------------------

    def _moved(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[torch.Tensor], Cells]:
        """Run the operator on the cells instead of the numbers."""
        tensors = list(_tensors((*args, *kwargs.values())))
        sources = [t for t in tensors if t.dtype.is_floating_point]
        if any(self._is_symbolic(t) for t in tensors if not t.dtype.is_floating_point):
            raise Unsupported(f"{function} takes a place or a mask from symbols")
        if any(a is True for a in (*args, *kwargs.values())):
            raise Unsupported(f"{function} accumulates")
        stand_ins = {id(t): torch.from_numpy(self._cells_as_they_are(t)) for t in sources}
        cells = function(*_replaced(args, stand_ins), **{k: _replaced(a, stand_ins) for k, a in kwargs.items()})

        def checked(result: torch.Tensor) -> Cells:
            if not all(_widens(t.dtype, result.dtype) for t in sources):
                raise Unsupported(f"{function} narrows {sources[0].dtype} to {result.dtype}")
            return np.array(cells.numpy())

        return checked

    def _cells_as_they_are(self, tensor: torch.Tensor) -> Cells:
        return np.array(self._memory.of(tensor).read(tensor, "a move"))

    def _reduced(self, p: Plan, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Cells:
        source: torch.Tensor = args[0]
        dims = args[1] if len(args) > 1 else kwargs.get("dim")
        keep = args[2] if len(args) > 2 else kwargs.get("keepdim", False)
        dtype = kwargs.get("dtype") or source.dtype
        if not source.numel() or not dtype.is_floating_point or not _widens(source.dtype, dtype):
            raise Unsupported(f"{p.name} of {tuple(source.shape)} {source.dtype} to {dtype}")
        axes = tuple(range(source.ndim)) if not dims else (dims,) if isinstance(dims, int) else tuple(dims)
        total = np.add.reduce(self.read(source), axis=axes, keepdims=keep)
        count = math.prod(source.shape[a] for a in axes)
        result = np.asarray(total / count if p.name == "mean" else total)
        codes = np.array([self._code(e) for e in result.ravel()]).reshape(result.shape)
        return pack(codes, np.full_like(codes, NO_LANE))

    def _alias(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = function(*args, **kwargs)
        source = next(_tensors(args))
        for t in _tensors((result,)):
            if t.dtype != source.dtype or not self._memory.same_storage(t, source):
                raise Unsupported(f"{function} reinterprets memory")
        return result

    def _draw(self, p: Plan, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Fresh noise: normal and uniform numbers are different kinds."""
        mean, std = _mean_and_std(function, args, kwargs) if p.name == "normal" else (0.0, 1.0)
        result = function(*args, **kwargs)
        normal = p.name in operators.NORMAL
        noise = symbol(self._fresh("n" if normal else "u"), "noise")
        self._lane(result, noise, mean, std)
        if not normal:
            self._store(result, self._map(lambda e: node("call", e, param=("uniform",)), [self._own(result)]))
        elif (mean, std) != (0, 1):
            m, s = operators.number_of(mean), operators.number_of(std)
            self._store(result, self._map(lambda e: m + s * e, [self._own(result)]))
        return result

    def _item(self, function: Any, tensor: torch.Tensor) -> Any:
        value = function(tensor)
        (e,) = self._expressions(self._indexed(self._operand(tensor, "item")))
        if tensor.dtype is torch.bool:
            for relation in _branch(e, bool(value)):
                self._assume("branch", repr(relation), relation)
        else:
            self.left(e, value)
        return value

    def left(self, e: Expr, value: float) -> None:
        """A value leaves torch: noted for a schedule, refused for anything else."""
        if _is_state(e):
            raise Unsupported("a value that depends on the state, the network or noise left torch")
        if symbols(e):
            self._read_out.add(value)
            relation = Relation(e, "==", const(Fraction(value)))
            self._assume("concretised value", f"{text(e)} = {value!r}", relation)

    def _assume(self, kind: Any, text: str, relation: Relation | None = None) -> None:
        if all(a.text != text for a in self.assumptions):
            self.assumptions.append(Assumption(kind, text, relation, calling_line()))

    def leaks(self, function: Any, args: tuple[Any, ...]) -> None:
        """``function`` lets values out without an operator."""
        for t in _tensors(args):
            if not self._is_symbolic(t):
                continue
            found = unpack(self._indexed(self._operand(t, str(function))))[0].ravel().tolist()
            values = self._memory.of(t).values(t).ravel().tolist()
            try:
                for code, value in dict(zip(found, values, strict=True)).items():
                    self.left(self._table[code], value)
            except Unsupported as refusal:
                self._refusal = self._refusal or refusal
                raise

    # --- cells and expressions ------------------------------------------------------------------------

    def _operand(self, tensor: torch.Tensor, name: str) -> Cells:
        """The cells of a tensor, its concrete elements as exact constants."""
        shadow = self._memory.of(tensor)
        cells = shadow.read(tensor, name)
        untracked = cells == UNTRACKED
        if not untracked.any():
            return cells
        values = shadow.values(tensor)[untracked].tolist()
        if not all(map(math.isfinite, values)):
            raise Unsupported(f"{name} with a constant that is not finite")
        cells = np.array(cells)
        codes = np.array([self._code(const(Fraction(v))) for v in values], dtype=np.int64)
        cells[untracked] = pack(codes, np.full_like(codes, NO_LANE))
        return cells

    def _own(self, tensor: torch.Tensor) -> Cells:
        return self._memory.of(tensor).read(tensor, "draw")

    def _store(self, tensor: torch.Tensor, cells: Cells) -> None:
        self._memory.of(tensor).write(tensor, np.broadcast_to(cells, tensor.shape))

    def _forget(self, tensor: Any) -> None:
        for t in _tensors((tensor,)):
            if t.layout is torch.strided and (shadow := self._memory.known(t)):
                shadow.write(t, UNTRACKED)

    def _lane(self, tensor: torch.Tensor, element: Expr, mean: float = 0.0, std: float = 1.0) -> None:
        shadow = self._memory.of(tensor)
        values = shadow.values(tensor).astype(np.float64).ravel()
        self._lane_values[element] = (values - mean) / std
        self._kinds[element] = _LANED
        lanes = np.arange(values.size).reshape(tensor.shape)
        shadow.write(tensor, pack(np.full_like(lanes, self._code(element)), lanes))

    def _indexed(self, cells: Cells) -> Cells:
        """The same elements over indexed symbols, which need no lane."""
        codes, lanes = unpack(cells)
        if (lanes == NO_LANE).all():
            return cells
        pairs = list(zip(codes.ravel().tolist(), lanes.ravel().tolist(), strict=True))
        made = {pair: self._at_lane(*pair) for pair in dict.fromkeys(pairs)}
        codes = np.array([made[pair] for pair in pairs]).reshape(codes.shape)
        return pack(codes, np.full_like(codes, NO_LANE))

    def _at_lane(self, code: int, lane: int) -> int:
        e = self._table[code]
        if lane == NO_LANE:
            return code
        renamed = {}
        for s in symbols(e):
            if s in self._lane_values:
                renamed[s] = symbol(f"{s.param.name}[{lane}]", s.param.role)
                self._point[renamed[s]] = float(self._lane_values[s][lane])
        return self._code(substitute(e, renamed))

    def _code(self, e: Expr) -> int:
        found = self._numbers.get(e)
        if found is None:
            found = self._numbers[e] = len(self._table)
            self._table.append(e)
        return found

    def _kind(self, e: Expr) -> int:
        found = self._kinds.get(e)
        if found is None:
            found = _FREE if e.op == "symbol" else max((self._kind(a) for a in e.args), default=_CONSTANT)
            self._kinds[e] = found
        return found

    def _is_symbolic(self, tensor: torch.Tensor) -> bool:
        if tensor.layout is not torch.strided:
            return False
        shadow = self._memory.known(tensor)
        return shadow is not None and self._any_symbolic(shadow.read(tensor, "an operator"))

    def _any_symbolic(self, cells: Cells) -> bool:
        return any(self._kind(e) for e in self._expressions(cells))

    def _expressions(self, cells: Cells) -> list[Expr]:
        codes = set((cells >> 32).ravel().tolist()) - {UNTRACKED}
        return [self._table[c] for c in codes]

    def _fresh(self, name: str) -> str:
        taken = {e.param.name for e in self._lane_values}
        tries = (name if i == 0 else f"{name}{i}" for i in range(len(taken) + 1))
        return next(t for t in tries if t not in taken)


class _Slot:
    """Stands for a tensor among an operator's arguments."""

    def __init__(self, index: int) -> None:
        self.index = index


class _Dispatch(TorchDispatchMode):
    def __init__(self, tracer: Tracer) -> None:
        super().__init__()
        self._tracer = tracer

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self._tracer.dispatch(func, args, kwargs or {})


_LEAKS = frozenset(
    "numpy tolist tensor as_tensor asarray new_tensor __array__ __dlpack__ _to_dlpack to_dlpack __deepcopy__ __reduce_ex__ untyped_storage storage _typed_storage data_ptr "
    "share_memory_".split()
)


class _Leaks(TorchFunctionMode):
    """Sees the methods that do not reach the dispatcher."""

    def __init__(self, tracer: Tracer) -> None:
        super().__init__()
        self._tracer = tracer

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") in _LEAKS:
            self._tracer.leaks(func.__name__, args)
        return func(*args, **(kwargs or {}))


def _tensors(values: Iterable[Any]) -> Iterator[torch.Tensor]:
    for v in values:
        if isinstance(v, torch.Tensor):
            yield v
        elif isinstance(v, (list, tuple)):
            yield from _tensors(v)


def _replaced(value: Any, stand_ins: dict[int, torch.Tensor]) -> Any:
    if isinstance(value, (list, tuple)):
        return [_replaced(v, stand_ins) for v in value]
    return stand_ins.get(id(value), value)


def _widens(source: torch.dtype, target: torch.dtype) -> bool:
    """Does every value of ``source`` exist in ``target``?"""
    if source == target or source is torch.bool:
        return True
    if target.is_floating_point and not source.is_floating_point:
        return torch.iinfo(source).bits <= -math.log2(torch.finfo(target).eps)
    return source.is_floating_point and target.is_floating_point and torch.promote_types(source, target) == target


def _computed_in(operands: list[torch.Tensor]) -> torch.dtype | None:
    """The type torch computes in: of the operands with dimensions, else of those without; None: all integers."""
    for among in ([t for t in operands if t.ndim], operands):
        floats = [t.dtype for t in among if t.dtype.is_floating_point]
        if floats:
            return reduce(torch.promote_types, floats)
    return None


def _mean_and_std(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[float, float]:
    names = [a.name for a in function._schema.arguments]
    given = dict(zip(names, args, strict=False)) | kwargs
    mean, std = given.get("mean", 0.0), given.get("std", 1.0)
    if not (isinstance(mean, (int, float)) and isinstance(std, (int, float)) and math.isfinite(mean) and std > 0):
        raise Unsupported("normal numbers whose mean or spread is a tensor, or not positive")
    return float(mean), float(std)


def _is_state(e: Expr) -> bool:
    if e.op == "symbol":
        return bool(e.param.role != "schedule")
    return any(s.param.role != "schedule" for s in symbols(e))


def _branch(e: Expr, truth: bool) -> list[Relation]:
    """The relations that make a comparison true or false.

    Raises:
        Unsupported: that is no conjunction of relations.
    """
    name = e.param[0] if e.op == "call" else ""
    if e.op == "const":
        return []
    if name == "not":
        return _branch(e.args[0], not truth)
    if name == ("and" if truth else "or"):
        return [r for a in e.args for r in _branch(a, truth)]
    if name not in operators.RELATIONS:
        raise Unsupported(f"a branch on {e}")
    left, right = e.args
    if truth:
        return [Relation(left, operators.RELATIONS[name], right)]  # type: ignore[arg-type]
    match name:
        case "lt":
            return [Relation(right, "<=", left)]
        case "le":
            return [Relation(right, "<", left)]
        case "eq":
            return [Relation(left, "!=", right)]
    return [Relation(left, "==", right)]
