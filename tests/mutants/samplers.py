"""Pairs of samplers, as source: one in the style of a library, and the same rewritten, mutated, or both.

A sampler is given the state ``z``, two outputs of a network ``x, y`` and three falling levels ``s`` between
0 and 1. Rewriting keeps what it computes, by laws of arithmetic and by other ways of writing into memory;
a mutation changes one place, and whether that changes anything is for the runs to say.
"""

import ast
import copy
import functools
import random
from collections.abc import Callable, Iterator

from snippets import Pair

KIND = "samplers"
SOURCES = {
    "DDIM": """
alpha_t, alpha_s = (1 - s[0]) ** 0.5, (1 - s[1]) ** 0.5
x_hat = (z - s[0] ** 0.5 * x) / alpha_t
return alpha_s * x_hat + s[1] ** 0.5 * x""",
    "DDIM, clipped": """
x_hat = (z - m.sqrt(s[0]) * x) / m.sqrt(1 - s[0])
x_hat = m.clamp(x_hat, -1, 1)
eps = (z - m.sqrt(1 - s[0]) * x_hat) / m.sqrt(s[0])
return m.sqrt(1 - s[1]) * x_hat + m.sqrt(s[1]) * eps""",
    "DDPM": """
kept = (1 - s[0]) / (1 - s[1])
x_hat = (z - s[0] ** 0.5 * x) / (1 - s[0]) ** 0.5
mean = (1 - s[1]) ** 0.5 * (1 - kept) / s[0] * x_hat + kept ** 0.5 * s[1] / s[0] * z
variance = m.clamp(s[1] / s[0] * (1 - kept), 1e-20, 10)
return mean + variance ** 0.5 * m.randn_like(z)""",
    "Euler": """
slope = (z - x) / s[0]
return z + slope * (s[1] - s[0])""",
    "Euler, in place": """
slope = z.clone()
slope.sub_(x).div_(s[0])
z.add_(slope * (s[1] - s[0]))
return z""",
    "Euler, ancestral": """
up = (s[1] ** 2 * (s[0] ** 2 - s[1] ** 2) / s[0] ** 2) ** 0.5
down = (s[1] ** 2 - up ** 2) ** 0.5
slope = (z - x) / s[0]
return z + slope * (down - s[0]) + m.randn_like(z) * up""",
    "Heun": """
slope = (z - x) / s[0]
ahead = z + slope * (s[1] - s[0])
second = (ahead - y) / s[1]
return z + (slope + second) / 2 * (s[1] - s[0])""",
    "flow": """
return z + (s[1] - s[0]) * x""",
    "flow, with noise": """
x_hat = z - s[0] * x
return (1 - s[1]) * x_hat + s[1] * m.randn_like(z)""",
    "DPM-Solver++": """
lam_t, lam_s = m.log(1 - s[0]) - m.log(s[0]), m.log(1 - s[1]) - m.log(s[1])
h = lam_s - lam_t
return s[1] / s[0] * z - (1 - s[1]) * m.expm1(-h) * x""",
    "DPM-Solver++(2M)": """
h = m.log(s[1] / s[2])
h_0 = m.log(s[0] / s[1])
ratio = h_0 / h
slope = x + (x - y) / (2 * ratio)
return s[2] / s[1] * z - m.expm1(-h) * slope""",
    "PNDM": """
eps = (55 * x - 59 * y) / 24
kept = (1 - s[1]) / (1 - s[0])
below = (1 - s[0]) * s[1] ** 0.5 + (s[0] * (1 - s[0]) * (1 - s[1])) ** 0.5
return kept ** 0.5 * z - (s[0] - s[1]) * eps / below""",
    "LMS": """
h, h_0 = s[1] - s[2], s[0] - s[1]
slope = (z - x) / s[1]
before = (z - y) / s[0]
weight = h / (2 * h_0)
return z - h * ((1 + weight) * slope - weight * before)""",
    "churn": """
hat = s[0] * 1.25
z = z + (hat ** 2 - s[0] ** 2) ** 0.5 * m.randn_like(z)
slope = (z - x) / hat
return z + slope * (s[1] - hat)""",
    "v": """
alpha, sigma = m.sqrt(1 - s[0]), m.sqrt(s[0])
x_hat = alpha * z - sigma * x
eps = alpha * x + sigma * z
kept = x_hat.clone()
kept *= m.sqrt(1 - s[1])
return kept + m.sqrt(s[1]) * eps""",
    "angles": """
turn = s[0] - s[1]
return m.cos(turn) * z - m.sin(turn) * x""",
    "thresholds": """
bound = m.maximum(m.abs(x), 1 + 0 * x)
x_hat = x / bound
x_hat = m.where(y > 0, x_hat, -x_hat)
return z + (x_hat - z) * (1 - s[1] / s[0])""",
    "a branch": """
gamma = s[0] - s[2]
if s[1] > s[2]:
    gamma = gamma / 2
return m.lerp(z, x, gamma)""",
    "a number read out": """
width = (s[0] - s[1]).item()
return z + (x - y) * width""",
    "buffers": """
total = m.empty_like(z)
m.mul(x, s[0], out=total)
view = total.view(-1)
view.add_(y.view(-1) * s[1])
return total + z""",
}


def written(source: str) -> str:
    """A whole function."""
    return ast.unparse(_parsed(source))


_STATES = {"z", "x", "y"}
_SHAPED = frozenset(["randn_like", "empty_like", "clamp", "maximum", "abs", "where", "lerp", "clone"])


def _parsed(source: str) -> ast.FunctionDef:
    body = "\n".join(f"    {line}" for line in source.strip().splitlines())
    (function,) = ast.parse(f"def step(m, z, x, y, s):\n{body}").body
    assert isinstance(function, ast.FunctionDef)
    return function


def _expression(source: str, **parts: ast.expr) -> ast.expr:
    """A template with expressions in the place of names."""

    class Fill(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return copy.deepcopy(parts[node.id]) if node.id in parts else node

    made = Fill().visit(ast.parse(source, mode="eval")).body
    assert isinstance(made, ast.expr)
    return made


def _shaped(e: ast.expr, states: set[str]) -> bool:
    """Has it certainly the shape of the state? Only then may it be written to in place."""
    match e:
        case ast.Name(id=name):
            return name in states
        case ast.BinOp(left=left, right=right):
            return _shaped(left, states) or _shaped(right, states)
        case ast.UnaryOp(operand=operand):
            return _shaped(operand, states)
        case ast.Call(func=ast.Attribute(value=ast.Name(id="m"), attr=name), args=args):
            return name in _SHAPED and any(_shaped(a, states) for a in args)
        case ast.Call(func=ast.Attribute(value=value, attr=name)):
            return name in _SHAPED and _shaped(value, states)
    return False


def _states_of(function: ast.FunctionDef) -> set[str]:
    """The names that only ever stand for something of the shape of the state."""
    states = set(_STATES)
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            (target,) = node.targets
            if _shaped(node.value, states):
                states.add(target.id)
    return states


def _laws(e: ast.expr, states: set[str]) -> list[ast.expr]:
    """Other ways to write what ``e`` is."""
    match e:
        case ast.BinOp(left=a, right=b, op=op):
            parts = {"p": a, "q": b}
            found = {
                ast.Add: ["q + p", "p - (-q)"],
                ast.Sub: ["p + (-q)", "-(q - p)"],
                ast.Mult: ["q * p"],
                ast.Div: ["p * (1 / q)", "-(p / -q)"],
                ast.Pow: {0.5: ["m.sqrt(p)"], 2: ["p * p"]}.get(getattr(b, "value", None), []),
            }[type(op)]
            if _shaped(a, states):
                name = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}.get(type(op))
                found = [*found, f"p.clone().{name}_(q)"] if name else found
                if name in ("add", "mul") and _shaped(b, states):
                    found.append(f"m.{name}(p, q, out=m.empty_like(p))")
            return [_expression(text, **parts) for text in found]
        case ast.Call(func=ast.Attribute(value=ast.Name(id="m"), attr=name), args=[a, *_]):
            found = {"sqrt": ["p ** 0.5"], "expm1": ["m.exp(p) - 1"], "abs": ["m.maximum(p, -p)"]}.get(
                name, []
            )
            return [_expression(text, p=a) for text in found]
        case ast.Name(id=name, ctx=ast.Load()) if name in states:
            texts = ("p.clone()", "-(-p)", "p.double()", "p.view(-1).view(p.shape)")
            return [_expression(text, p=e) for text in texts]
    return []


def _mistakes(e: ast.expr) -> list[ast.expr]:
    """What somebody might have written for ``e``."""
    match e:
        case ast.BinOp(left=a, right=b, op=op):
            others = {
                ast.Add: ["p - q", "p"],
                ast.Sub: ["p + q", "q - p", "p"],
                ast.Mult: ["p / q", "p", "q"],
                ast.Div: ["p * q", "q / p", "p"],
                ast.Pow: ["p", "p * 2"],
            }[type(op)]
            return [_expression(text, p=a, q=b) for text in others]
        case ast.Constant(value=int() | float() as number):
            return [
                ast.Constant(v) for v in (number + 1, -number, number * 0.9999, number * 2) if v != number
            ]
        case ast.Subscript(value=ast.Name(id="s"), slice=ast.Constant(value=k)):
            return [_expression(f"s[{other}]") for other in range(3) if other != k]
        case ast.Name(id=name, ctx=ast.Load()) if name in _STATES:
            return [ast.Name(other, ast.Load()) for other in sorted(_STATES - {name})]
        case ast.Call(func=ast.Attribute(value=ast.Name(id="m"), attr="clamp"), args=[a, low, _]):
            return [a, _expression("m.clamp(p, q, 2)", p=a, q=low)]
        case ast.Call(func=ast.Attribute(value=ast.Name(id="m"), attr="where"), args=[_, a, b]):
            return [a, b]
        case ast.Call(func=ast.Attribute(value=ast.Name(id="m"), attr=name), args=[a, *_]) if (
            name != "empty_like"
        ):
            return [a, _expression("-e", e=e)]
        case ast.Call(func=ast.Attribute(value=value, attr="clone")):
            return [value]
    return []


def _changed(
    function: ast.FunctionDef, options: Callable[[ast.expr], list[ast.expr]], chance: random.Random
) -> ast.FunctionDef:
    """The function with one of its expressions replaced by one of its options."""
    function = copy.deepcopy(function)
    kept = [n for n in ast.walk(function) if isinstance(n, ast.Subscript)]
    fixed = {id(n.value) for n in kept} | {id(n.slice) for n in kept}
    places = [(n, options(n)) for n in ast.walk(function) if isinstance(n, ast.expr) and id(n) not in fixed]
    place, found = chance.choice([(n, o) for n, o in places if o])
    new = chance.choice(found)

    class Put(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return new if node is place else self.generic_visit(node)

    changed = ast.fix_missing_locations(Put().visit(function))
    assert isinstance(changed, ast.FunctionDef)
    return changed


def pairs(count: int, seed: int) -> Iterator[Pair]:
    """``count`` pairs, the samplers in turn, half of them mutated."""
    chance = random.Random(seed)
    sources = list(SOURCES.values())
    for i in range(count):
        function = _parsed(sources[i % len(sources)])
        other = function
        for _ in range(3):
            other = _changed(other, functools.partial(_laws, states=_states_of(other)), chance)
        if (i // len(sources)) % 2:
            other = _changed(other, _mistakes, chance)
        yield Pair(KIND, ast.unparse(function), ast.unparse(other))
