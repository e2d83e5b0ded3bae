"""Parts of a library that are formulas of tensors: each an expression of Python over names of theirs.

What is read, what is run alone and what a snippet shows are the same text.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import CodeType
from typing import Any, NamedTuple

import torch

from equiv.lifting.assumption import Assumption
from equiv.lifting.reading import Given, read
from equiv.lifting.refusal import Unsupported
from equiv.subjects.run import Drawing
from equiv.symbolic.expression import Expr, Role, substitute, symbol, symbols

SHAPE = (2, 3, 5, 7)  # dimensions distinct and above one: no element can be mistaken for another
DTYPE = torch.float64
STATES: Mapping[str, Role] = {
    "x": "state",
    "eps": "state",
    "z": "state",
    "n": "state",
    "u": "network",
    "net": "network",
    "again": "network",
}
# a number for each sample, whose symbol is the name; or one for each step of a schedule
PER_SAMPLE: Mapping[str, Sequence[float]] = {
    "t": (0.375, 0.59375),
    "snr": (1.625, 0.4375),
    "sigma": (1.75, 0.4375),
}
PER_STEP: Mapping[str, Sequence[float]] = {
    "high": (-0.75,),  # the log-SNR of the noisier level,
    "low": (1.125,),  # and of the less noisy
    "beta": (0.0625, 0.15625, 0.28125, 0.40625),
    "beta_min": (0.125,),
    "beta_max": (19.5,),
    "spread": (0.25,),
    "sigma_data": (0.625,),
}


class Expression(NamedTuple):
    """A part: the names that it is given, and the text that computes it."""

    given: str
    text: str


class Parts(NamedTuple):
    """What a subject offers, by the names that obligations know; ``setup`` is run before each."""

    setup: str
    expressions: Mapping[str, Expression]
    unit: float = 2.0**-53  # of the roundings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """What a part computes in one element of one sample."""

    e: Expr
    assumptions: tuple[Assumption, ...]
    point: Mapping[Expr, Fraction]
    got: float
    noises: tuple[Expr, ...]  # what it draws, in its order
    origins: Mapping[Expr, str]


def variable(name: str) -> Expr:
    """What stands for a name in a part: of a schedule, for its first entry."""
    if name in STATES:
        return symbol(name, STATES[name])
    if name in PER_SAMPLE:
        return symbol(name, "schedule", positive=True)
    return step_of(name, 0)


def step_of(name: str, k: int) -> Expr:
    """What stands for an entry of a schedule."""
    return symbol(f"{name}_{k}", "schedule", positive=PER_STEP[name][k] > 0)


def lift(parts: Parts, name: str) -> Part:
    """Read a part, of which every element must be computed alike, from its own and from its sample's number.

    Raises:
        Unsupported: it is not, or cannot be read.
    """
    given = parts.expressions[name].given.split()
    reading = read(lambda **inputs: evaluate(parts, name, inputs), {n: _given(n) for n in given})
    values = reading.result.detach()
    found: dict[Expr, int] = {}
    rows = reading.expressions.reshape(len(reading.expressions) if values.ndim else 1, -1)
    for b, row in enumerate(rows):
        for k, e in enumerate(row):
            own = {
                symbol(f"{n}_{b}", "schedule", positive=True): variable(n) for n in given if n in PER_SAMPLE
            }
            whole = values.ndim > 1
            place = b * row.size + k
            own |= {_indexed(s, place): s for s in _states(e)} if whole else {}
            found.setdefault(substitute(e, own), place)
    if len(found) != 1:
        raise Unsupported(
            "the elements are not all computed alike, each from its own and its sample's number"
        )
    ((e, _),) = found.items()
    if strange := [s for s in symbols(e) if "[" in s.param.name]:
        raise Unsupported(f"an element is computed from another: {strange[0].param}")
    first = {symbol(f"{n}_0", "schedule", positive=True): variable(n) for n in given if n in PER_SAMPLE}
    point = {first.get(s, s): v for s, v in reading.tracer.point.items()}
    return Part(
        e=e,
        assumptions=reading.assumptions,
        point=point,
        got=float(values.flatten()[0]),
        noises=tuple(reading.tracer.noises),
        origins={substitute(k, first): v for k, v in reading.tracer.origins.items()},
    )


def _given(name: str) -> Given:
    if name in STATES:
        seed = sorted(STATES).index(name)
        return Given(
            torch.randn(SHAPE, dtype=DTYPE, generator=torch.Generator().manual_seed(seed)), STATES[name]
        )
    return Given(torch.tensor({**PER_SAMPLE, **PER_STEP}[name], dtype=DTYPE), "schedule")


def _states(e: Expr) -> list[Expr]:
    """Those that stand, without an index, for the ones that occur."""
    return [symbol(s.param.name.partition("[")[0], s.param.role) for s in symbols(e) if "[" in s.param.name]


def _indexed(s: Expr, place: int) -> Expr:
    return symbol(f"{s.param.name}[{place}]", s.param.role)


def evaluate(parts: Parts, name: str, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Run a part: the library alone."""
    scope: dict[str, Any] = {"torch": torch, **inputs}
    exec(_compiled(parts.setup, "exec"), scope)  # noqa: S102 - our own text
    result: torch.Tensor = eval(_compiled(parts.expressions[name].text, "eval"), scope)  # noqa: S307
    return result


@functools.lru_cache(maxsize=256)
def _compiled(text: str, mode: str) -> CodeType:
    return compile(text, "<part>", mode)


class Inputs(NamedTuple):
    """Numbers for a run of the library alone: for all elements and samples, for steps, and what is drawn."""

    numbers: Mapping[str, float]
    steps: Mapping[str, Sequence[float]]
    noise: Sequence[float]


def run_alone(parts: Parts, name: str, inputs: Inputs) -> float:
    """What a part gives."""
    given = {n: _full(n, inputs) for n in parts.expressions[name].given.split()}
    with Drawing([torch.tensor(v) for v in inputs.noise]):
        return float(evaluate(parts, name, given).flatten()[0])


def _full(name: str, inputs: Inputs) -> torch.Tensor:
    if name in STATES:
        return torch.full(SHAPE, inputs.numbers[name], dtype=DTYPE)
    if name in PER_SAMPLE:
        return torch.full((SHAPE[0],), inputs.numbers[name], dtype=DTYPE)
    return torch.tensor(inputs.steps[name], dtype=DTYPE)


def snippet(parts: Parts, name: str, inputs: Inputs) -> str:
    """Python that shows what :func:`run_alone` returns, with the library alone."""
    lines = ["import torch"]
    for n in parts.expressions[name].given.split():
        if n in PER_STEP:
            lines.append(f"{n} = torch.tensor({list(inputs.steps[n])}, dtype=torch.float64)")
        else:
            shape = SHAPE if n in STATES else SHAPE[:1]
            lines.append(f"{n} = torch.full({shape}, {inputs.numbers[n]!r}, dtype=torch.float64)")
    if inputs.noise:
        lines.append(
            f"noise = iter({list(inputs.noise)})\n"
            f"torch.randn = torch.randn_like = lambda *_, **__: torch.full({SHAPE}, next(noise))"
        )
    shown = f"print({parts.expressions[name].text}.flatten()[0].item())"
    return "\n".join([*lines, parts.setup, shown])
