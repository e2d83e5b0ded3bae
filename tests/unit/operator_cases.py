"""What the operators of the table are tried on, and what an expression is worth, without help of equiv."""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import mpmath
import torch

from equiv.lifting.tracer import Tracer
from equiv.symbolic.expression import Expr, postorder

SHAPES = [(), (1,), (4,), (2, 3), (2, 3, 5, 7)]
UNIT = 2.0**-53
ROUNDINGS = 16  # no rule here does more than eight operations of at most two units each

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "neg": lambda x: -x,
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "pow": lambda x, y: x**y,
    "sqrt": mpmath.sqrt,
    "exp": mpmath.exp,
    "log": mpmath.log,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "abs": abs,
    "max": max,
    "min": min,
    "cast": lambda x: x,
}
_CALLS: dict[str, Callable[..., Any]] = {
    "lt": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "eq": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
    "not": lambda x: not x,
    "and": lambda x, y: bool(x) and bool(y),
    "or": lambda x, y: bool(x) or bool(y),
    "where": lambda c, x, y: x if c else y,
    "uniform": lambda u: u,
    "trunc": lambda x: mpmath.floor(x) if x >= 0 else mpmath.ceil(x),
    "floor": mpmath.floor,
    "ceil": mpmath.ceil,
    "sign": mpmath.sign,
    "round": lambda x, decimals=0: mpmath.nint(x * 10**decimals) / 10**decimals,
}


def _by_torch(name: str, args: list[Any]) -> Any:
    """An uninterpreted operator is what torch says: this checks which arguments it was recorded with."""
    value = getattr(torch, name)(*(torch.tensor(float(a), dtype=torch.float64) for a in args))
    return mpmath.mpf(value.item())


def _call(param: tuple[Any, ...], args: list[Any]) -> Any:
    match param:
        case ("div", "floor"):
            return mpmath.floor(args[0] / args[1])
        case ("div", "trunc"):
            return _CALLS["trunc"](args[0] / args[1])
        case (name, *_) if name in _CALLS:
            return mpmath.mpf(_CALLS[name](*args))
    return _by_torch(param[0], args)


def evaluate(root: Expr, point: Mapping[Expr, Fraction]) -> tuple[Any, Any]:
    """The value to 40 digits, and the largest value met on the way."""
    values: dict[Expr, Any] = {}
    with mpmath.workdps(40):
        for e in postorder(root):
            args = [values[a] for a in e.args]
            if e.op == "symbol":
                values[e] = mpmath.mpf(point[e].numerator) / point[e].denominator
            elif e.op == "const":
                values[e] = mpmath.mpf(e.param.numerator) / e.param.denominator
            elif e.op == "literal":
                values[e] = mpmath.mpf(e.param)
            elif e.op == "call":
                values[e] = _call(e.param, args)
            else:
                values[e] = _FUNCTIONS[e.op](*args)
        return values[root], max(abs(v) for v in values.values())


def agrees(tracer: Tracer, result: torch.Tensor, unit: float = UNIT) -> bool:
    """Does every element that was read have torch's value, up to the roundings of the operator?"""
    read, point = tracer.read(result), tracer.point
    assert read.shape == tuple(result.shape)
    for e, value in zip(read.ravel().tolist(), result.flatten().tolist(), strict=True):
        exact, scale = evaluate(e, point)
        if not abs(exact - mpmath.mpf(float(value))) <= ROUNDINGS * unit * scale:
            return False
    return True


Layout = Callable[[torch.Tensor], torch.Tensor]
LAYOUTS: dict[str, Layout] = {
    "contiguous": torch.clone,
    "transposed": lambda x: x.mT.contiguous().mT if x.ndim > 1 else x.clone(),
    "every other": lambda x: torch.stack([x, -x], dim=-1)[..., 0],
    "part of a buffer": lambda x: torch.cat([torch.full((3,), 7.0).to(x), x.reshape(-1)])[3:].view(x.shape),
}


def marked(
    tracer: Tracer,
    shape: tuple[int, ...],
    name: str,
    *,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
    layout: Layout = torch.clone,
    high: float = 2.0,
) -> torch.Tensor:
    """Random values in [1/4, high), marked."""
    chance = torch.Generator().manual_seed(seed + sum(map(ord, name)))
    values = torch.rand(shape, dtype=torch.float64, generator=chance) * (high - 0.25) + 0.25
    x = layout(values.to(dtype))
    tracer.mark(x, name)
    return x


T = torch.Tensor
FUNCTIONAL: dict[str, Callable[[T, T, T], T]] = {
    "abs": lambda x, y, z: torch.abs(x - 1),
    "add": lambda x, y, z: x + y,
    "add scalar": lambda x, y, z: 0.3 + x,
    "add alpha": lambda x, y, z: torch.add(x, y, alpha=2.5),
    "addcdiv": lambda x, y, z: torch.addcdiv(x, y, z, value=0.7),
    "addcdiv plain": lambda x, y, z: torch.addcdiv(x, y, z),
    "addcmul": lambda x, y, z: torch.addcmul(x, y, z, value=-2),
    "addcmul plain": lambda x, y, z: torch.addcmul(x, y, z),
    "clamp": lambda x, y, z: x.clamp(0.5, 1.5),
    "clamp crossed": lambda x, y, z: x.clamp(1.5, 0.5),
    "clamp tensors": lambda x, y, z: torch.clamp(x, y, z),
    "clamp infinite": lambda x, y, z: x.clamp(-math.inf, math.inf),
    "clamp_max": lambda x, y, z: torch.clamp_max(x, 1.0),
    "clamp_min": lambda x, y, z: torch.clamp_min(x, 1.0),
    "cos": lambda x, y, z: x.cos(),
    "cosh": lambda x, y, z: x.cosh(),
    "div": lambda x, y, z: x / y,
    "div scalar": lambda x, y, z: x / 3,
    "exp": lambda x, y, z: x.exp(),
    "exp2": lambda x, y, z: x.exp2(),
    "expm1": lambda x, y, z: x.expm1(),
    "fill": lambda x, y, z: x.clone().fill_(0.1) + y,
    "fmax": lambda x, y, z: torch.fmax(x, y),
    "fmin": lambda x, y, z: torch.fmin(x, y),
    "hypot": lambda x, y, z: torch.hypot(x, y),
    "lerp": lambda x, y, z: torch.lerp(x, y, z / 2),
    "lerp scalar": lambda x, y, z: torch.lerp(x, y, 0.9),
    "log": lambda x, y, z: x.log(),
    "log10": lambda x, y, z: x.log10(),
    "log1p": lambda x, y, z: x.log1p(),
    "log2": lambda x, y, z: x.log2(),
    "masked_fill": lambda x, y, z: x.masked_fill(torch.ones(x.shape, dtype=torch.bool), 2.0) * y,
    "maximum": lambda x, y, z: torch.maximum(x, y),
    "minimum": lambda x, y, z: torch.minimum(x, y),
    "mul": lambda x, y, z: x * y,
    "neg": lambda x, y, z: -x,
    "pow": lambda x, y, z: x**y,
    "pow half": lambda x, y, z: x**0.5,
    "pow minus half": lambda x, y, z: x**-0.5,
    "pow three": lambda x, y, z: x**3,
    "pow of scalar": lambda x, y, z: 1.7**x,
    "reciprocal": lambda x, y, z: x.reciprocal(),
    "relu": lambda x, y, z: torch.relu(x - 1),
    "rsqrt": lambda x, y, z: x.rsqrt(),
    "rsub": lambda x, y, z: 1 - x,
    "rsub alpha": lambda x, y, z: torch.rsub(x, y, alpha=3),
    "sigmoid": lambda x, y, z: x.sigmoid(),
    "sin": lambda x, y, z: x.sin(),
    "sinh": lambda x, y, z: x.sinh(),
    "sqrt": lambda x, y, z: x.sqrt(),
    "square": lambda x, y, z: x.square(),
    "sub": lambda x, y, z: x - y,
    "sub alpha": lambda x, y, z: torch.sub(x, y, alpha=0.1),
    "tan": lambda x, y, z: (x / 2).tan(),
    "tanh": lambda x, y, z: x.tanh(),
    "where": lambda x, y, z: torch.where(x < 1, y, z),
    "where known": lambda x, y, z: torch.where(torch.tensor(True), x, y),
    "zero": lambda x, y, z: x.clone().zero_() + y,
    "lt": lambda x, y, z: (x < y) * z,
    "le": lambda x, y, z: (x <= y) * z,
    "gt": lambda x, y, z: (x > y) * z,
    "ge": lambda x, y, z: (x >= y) * z,
    "eq": lambda x, y, z: (x == y) * z,
    "ne": lambda x, y, z: (x != y) * z,
    "gt scalar": lambda x, y, z: (x > 1) * z,
    "logical": lambda x, y, z: (((x < y) & (y < z)) | ~(x < z)) * z,
    "logical_and": lambda x, y, z: torch.logical_and(x < y, torch.logical_not(y < z)) * z,
    "logical_or": lambda x, y, z: torch.logical_or(x < y, y < z) * z,
    "isnan": lambda x, y, z: torch.where(x.isnan(), y, z),
    "isinf": lambda x, y, z: torch.where(x.isinf(), y, z),
    "isfinite": lambda x, y, z: torch.where(x.isfinite(), y, z),
    "hardtanh": lambda x, y, z: torch.nn.functional.hardtanh(x, 0.5, 1.5) + torch.nn.functional.hardtanh(y),
    "ldexp": lambda x, y, z: torch.ldexp(x, torch.tensor(3)),
    "logaddexp": lambda x, y, z: torch.logaddexp(x, y),
    "nan_to_num": lambda x, y, z: x.nan_to_num(0.0) * y,
    "silu": lambda x, y, z: torch.nn.functional.silu(x),
    "zeros_like": lambda x, y, z: torch.zeros_like(x) + y,
    "full_like": lambda x, y, z: torch.full_like(x, 0.1) * y,
    "clone": lambda x, y, z: x.clone() + y,
    "contiguous": lambda x, y, z: x.expand(2, *x.shape).contiguous() * 2,
    "cat": lambda x, y, z: torch.cat([x.reshape(-1), torch.ones(2, dtype=x.dtype), y.reshape(-1)]),
    "stack": lambda x, y, z: torch.stack([x, y, x], dim=-1),
    "index": lambda x, y, z: x.reshape(-1)[torch.tensor([0, -1, 0])],
    "index_select": lambda x, y, z: x.reshape(-1).index_select(0, torch.tensor([0, 0])),
    "gather": lambda x, y, z: x.reshape(-1).gather(0, torch.zeros(3, dtype=torch.int64)),
    "take": lambda x, y, z: torch.take(x, torch.tensor([0])),
    "mask": lambda x, y, z: x[torch.ones(x.shape, dtype=torch.bool)],
    "flip": lambda x, y, z: x.reshape(-1).flip(0) - x.reshape(-1),
    "roll": lambda x, y, z: x.reshape(-1).roll(1) - x.reshape(-1),
    "repeat": lambda x, y, z: x.reshape(-1).repeat(2),
    "transpose": lambda x, y, z: x.reshape(1, -1).T * y.reshape(-1, 1),
    "expand": lambda x, y, z: x.reshape(1, -1).expand(3, -1) * 2,
    "narrow": lambda x, y, z: x.reshape(-1)[::2] * y.reshape(-1)[::2],
    "unbind": lambda x, y, z: torch.stack(list(reversed(x.reshape(-1).unbind()))),
    "chunk": lambda x, y, z: x.reshape(-1).chunk(2)[0] * 2,
    "einsum": lambda x, y, z: torch.einsum("i,i->i", x.reshape(-1), y.reshape(-1)),
    "widening": lambda x, y, z: x.to(torch.float64) + y.double(),
    "detach": lambda x, y, z: x.detach() * 2,
}


UNINTERPRETED: dict[str, Callable[[T, T, T], T]] = {
    **{
        name: lambda x, y, z, name=name: getattr(torch, name)(x / 2)
        for name in "acos asin asinh atan digamma erf erfc erfinv frac i0 lgamma sgn sinc".split()
    },
    **{
        name: lambda x, y, z, name=name: getattr(torch, name)(2 * x - 1)
        for name in "ceil floor sign trunc".split()
    },
    **{
        name: lambda x, y, z, name=name: getattr(torch, name)(x, y)
        for name in "atan2 copysign floor_divide fmod heaviside nextafter remainder xlogy".split()
    },
    "acosh": lambda x, y, z: (x + 1).acosh(),
    "atanh": lambda x, y, z: (x / 4).atanh(),
    "div floor": lambda x, y, z: torch.div(x, y, rounding_mode="floor"),
    "div trunc": lambda x, y, z: torch.div(x, -y, rounding_mode="trunc"),
    "round": lambda x, y, z: x.round(),
    "round decimals": lambda x, y, z: x.round(decimals=2),
}


def _row(x: T) -> T:
    """Up to six elements in a row."""
    return x.reshape(-1)[:6]


def _grid(x: T, rows: int, columns: int) -> T:
    """A matrix of elements of x, some of them more than once."""
    return x.reshape(-1).repeat(rows * columns)[: rows * columns].reshape(rows, columns)


def _regular(x: T, n: int) -> T:
    """A matrix far from singular."""
    return _grid(x, n, n) + 4 * n * torch.eye(n, dtype=x.dtype)


MIXING: dict[str, Callable[[T, T, T], T]] = {
    "sum": lambda x, y, z: x.reshape(-1)[:4].sum(),
    "sum dim": lambda x, y, z: x.reshape(1, -1)[:, :4].sum(dim=1, keepdim=True),
    "sum of negative dim": lambda x, y, z: _grid(x, 2, 3).sum(-2),
    "nansum": lambda x, y, z: _row(x).nansum(),
    "mean": lambda x, y, z: x.reshape(-1)[:4].mean(),
    "mean dims": lambda x, y, z: x.reshape(1, -1)[:, :3].mean(dim=(0, 1)),
    "prod": lambda x, y, z: _row(x).prod(),
    "prod dim": lambda x, y, z: _grid(x, 2, 3).prod(dim=1, keepdim=True),
    "cumsum": lambda x, y, z: _grid(x, 2, 3).cumsum(1),
    "cumsum in place": lambda x, y, z: (x * 1).reshape(-1)[:6].cumsum_(0),
    "cumprod": lambda x, y, z: _grid(x, 3, 2).cumprod(0),
    "var": lambda x, y, z: _grid(x, 2, 3).var(),
    "var dim": lambda x, y, z: _grid(x, 2, 3).var(dim=1, correction=0),
    "var_mean": lambda x, y, z: torch.stack(torch.var_mean(_grid(x, 2, 3), dim=0)),
    "std": lambda x, y, z: (_grid(x, 2, 3) * torch.arange(1, 7).reshape(2, 3)).std(dim=(0, 1), keepdim=True),
    "std_mean": lambda x, y, z: torch.stack(
        torch.std_mean(_grid(x, 2, 3) * torch.tensor([[1.0], [2]], dtype=x.dtype), dim=0)
    ),
    "norm": lambda x, y, z: _row(x).norm(),
    "norm one": lambda x, y, z: torch.linalg.vector_norm(_grid(x - 1, 2, 3), 1, dim=1),
    "norm inf": lambda x, y, z: torch.linalg.vector_norm(_grid(x - 1, 2, 3), math.inf, dim=0, keepdim=True),
    "amax": lambda x, y, z: _grid(x, 2, 3).amax(dim=(0, 1)),
    "amin": lambda x, y, z: _grid(x, 2, 3).amin(dim=1, keepdim=True),
    "aminmax": lambda x, y, z: torch.stack(tuple(_grid(x, 2, 3).aminmax(dim=1))),
    "max": lambda x, y, z: _row(x).max(),
    "max dim": lambda x, y, z: _grid(x, 2, 3).max(dim=1).values,
    "min": lambda x, y, z: _row(x).min(),
    "min dim": lambda x, y, z: _grid(x, 2, 3).min(dim=0, keepdim=True).values,
    "softmax": lambda x, y, z: _grid(x, 2, 3).softmax(1),
    "log_softmax": lambda x, y, z: _grid(x, 2, 3).log_softmax(0),
    "logsumexp": lambda x, y, z: _grid(x, 2, 3).logsumexp(1),
    "all": lambda x, y, z: (_grid(x, 2, 3) < _grid(y, 2, 3)).all(dim=1) * z.reshape(-1)[:1],
    "any": lambda x, y, z: (_grid(x, 2, 3) < _grid(y, 2, 3)).any() * z,
    "any of numbers": lambda x, y, z: _grid(x, 2, 3).any(dim=0) * z.reshape(-1)[:1],
    "dot": lambda x, y, z: torch.dot(_row(x), _row(y)),
    "vdot": lambda x, y, z: torch.vdot(_row(x), _row(y)),
    "mv": lambda x, y, z: _grid(x, 2, 3) @ _grid(y, 1, 3)[0],
    "mm": lambda x, y, z: _grid(x, 2, 3) @ _grid(y, 3, 4),
    "bmm": lambda x, y, z: torch.stack([_grid(x, 2, 3), _grid(y, 2, 3)]) @ torch.stack([_grid(z, 3, 2)] * 2),
    "addmm": lambda x, y, z: torch.addmm(_grid(z, 2, 2), _grid(x, 2, 3), _grid(y, 3, 2), beta=0.3, alpha=2),
    "addmm of none": lambda x, y, z: torch.addmm(_grid(z, 2, 2), _grid(x, 2, 3), _grid(y, 3, 2), beta=0),
    "addmv": lambda x, y, z: torch.addmv(_grid(z, 1, 2)[0], _grid(x, 2, 3), _grid(y, 1, 3)[0]),
    "baddbmm": lambda x, y, z: torch.baddbmm(
        _grid(z, 2, 2)[None], _grid(x, 2, 3)[None], _grid(y, 3, 2)[None]
    ),
    "linear": lambda x, y, z: torch.nn.functional.linear(_grid(x, 2, 3), _grid(y, 4, 3), _grid(z, 1, 4)[0]),
    "einsum of a sum": lambda x, y, z: torch.einsum(
        "k,kbc->bc", _grid(x, 1, 2)[0], torch.stack([_grid(y, 2, 3)] * 2)
    ),
    "outer": lambda x, y, z: torch.outer(_row(x), _row(y)),
    "det": lambda x, y, z: torch.linalg.det(_regular(x, 3)),
    "solve": lambda x, y, z: torch.linalg.solve(_regular(x, 2), _grid(y, 1, 2)[0]),
    "solve four": lambda x, y, z: torch.linalg.solve(_regular(x, 4), _grid(y, 4, 2)),
    "solve batch": lambda x, y, z: torch.linalg.solve(
        torch.stack([_regular(x, 2), _regular(y, 2)]), _grid(z, 2, 3)
    ),
    "inverse": lambda x, y, z: torch.linalg.inv(_regular(x, 3)),
    "sort": lambda x, y, z: _row(x).sort(descending=True).values,
    "sort dim": lambda x, y, z: _grid(x, 2, 3).sort(dim=0, stable=True).values,
    "topk": lambda x, y, z: _row(x).topk(1).values,
    "topk smallest": lambda x, y, z: _grid(x, 2, 3).topk(2, dim=1, largest=False).values,
    "kthvalue": lambda x, y, z: _grid(x, 2, 3).kthvalue(2, dim=1).values,
    "median": lambda x, y, z: _row(x).median(),
    "median dim": lambda x, y, z: _grid(x, 2, 3).median(dim=1, keepdim=True).values,
    "quantile": lambda x, y, z: torch.quantile(_row(x), 0.3),
    "quantile dim": lambda x, y, z: torch.quantile(_grid(x, 2, 4), 0.995, dim=1, keepdim=True),
}

MOVING: dict[str, Callable[[T, T, T], T]] = {
    "constant_pad_nd": lambda x, y, z: torch.nn.functional.pad(_row(x), (1, 2), value=0.3),
    "constant_pad_nd of zeros": lambda x, y, z: torch.nn.functional.pad(_grid(x, 2, 3), (0, 1)),
    "diag_embed": lambda x, y, z: torch.diag_embed(_row(x)),
    "diagonal_scatter": lambda x, y, z: torch.diagonal_scatter(_grid(x, 2, 2), _grid(y, 1, 2)[0]),
    "index_copy": lambda x, y, z: _grid(x, 3, 2).index_copy(0, torch.tensor([2, 0]), _grid(y, 2, 2)),
    "index_fill": lambda x, y, z: _grid(x, 2, 3).index_fill(1, torch.tensor([1]), 0.7),
    "masked_select": lambda x, y, z: _row(x).masked_select(torch.arange(_row(x).numel()) % 2 == 0),
    "pixel_shuffle": lambda x, y, z: torch.pixel_shuffle(_grid(x, 4, 6).reshape(4, 2, 3), 2),
    "pixel_unshuffle": lambda x, y, z: torch.pixel_unshuffle(_grid(x, 4, 6)[None], 2),
    "scatter": lambda x, y, z: _grid(x, 2, 3).scatter(1, torch.tensor([[2], [0]]), _grid(y, 2, 1)),
    "scatter of a number": lambda x, y, z: _grid(x, 2, 3).scatter(1, torch.tensor([[2], [0]]), 0.5),
    "select_scatter": lambda x, y, z: torch.select_scatter(_grid(x, 2, 3), _grid(y, 1, 3)[0], 0, 1),
    "slice_scatter": lambda x, y, z: torch.slice_scatter(_grid(x, 3, 2), _grid(y, 2, 2), start=1),
    "tril": lambda x, y, z: _grid(x, 3, 3).tril(),
    "triu": lambda x, y, z: _grid(x, 3, 3).triu(1) + _grid(y, 3, 3),
    "backward of a part": lambda x, y, z: _gradient(
        lambda t: (t.reshape(-1)[0] * t.reshape(-1)[:2]).sum(), x
    ),
    "matmul of a reshape": lambda x, y, z: _grid(x, 2, 3).T.reshape(2, 3) @ _grid(y, 3, 2),
}


def _gradient(code: Callable[[T], T], x: T) -> T:
    leaf = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(code(leaf), leaf)
    return slope


def _in_place(x: T, step: Callable[[T], object]) -> T:
    step(x)
    return x * 1


IN_PLACE: dict[str, Callable[[T, T, T], T]] = {
    "add_": lambda x, y, z: _in_place(x, lambda t: t.add_(y, alpha=2)),
    "mul_ through a view": lambda x, y, z: _in_place(x, lambda t: t.view(-1)[:1].mul_(3)),
    "sub_ through a transpose": lambda x, y, z: _in_place(
        x, lambda t: t.reshape(-1, 1).T.sub_(y.reshape(1, -1))
    ),
    "div_": lambda x, y, z: _in_place(x, lambda t: t.div_(y)),
    "copy_": lambda x, y, z: _in_place(x, lambda t: t.copy_(y)),
    "copy_ of a constant": lambda x, y, z: _in_place(x, lambda t: t.copy_(torch.ones(t.shape))) * y,
    "fill_ of one element": lambda x, y, z: _in_place(x, lambda t: t.view(-1)[0].fill_(0.1)) * y,
    "zero_": lambda x, y, z: _in_place(x, lambda t: t.zero_()) * y,
    "clamp_": lambda x, y, z: _in_place(x, lambda t: t.clamp_(0.5, 1)),
    "setitem": lambda x, y, z: _in_place(x, lambda t: t.view(-1).__setitem__(0, y.view(-1)[-1])),
    "index_put_": lambda x, y, z: _in_place(
        x, lambda t: t.view(-1).index_put_((torch.tensor([0]),), y.view(-1)[:1])
    ),
    "masked_fill_": lambda x, y, z: _in_place(x, lambda t: t.masked_fill_(y > 1, 0.3)),
    "lerp_": lambda x, y, z: _in_place(x, lambda t: t.lerp_(y, 0.25)),
    "addcmul_": lambda x, y, z: _in_place(x, lambda t: t.addcmul_(y, z)),
    "into a buffer": lambda x, y, z: torch.empty(2, *x.shape, dtype=x.dtype)[1].copy_(x) * y,
    "out": lambda x, y, z: torch.mul(x, y, out=torch.empty(x.shape, dtype=x.dtype)) + z,
    "iadd of a slice": lambda x, y, z: _in_place(x, lambda t: t.view(-1)[0:1].__iadd__(y.view(-1)[:1])),
}

CASES = {**FUNCTIONAL, **UNINTERPRETED, **MIXING, **MOVING, **IN_PLACE}
