r"""What an unknown sampler is: the formula of the textbook that it is proved to be, and its parameters.

A parameter is solved for at one point, made rational, and the formula with it proved equal; what is not
proved is not named. What is of no formula is given with the nearest, and how far that is.
"""

import functools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

import msgspec

from equiv.fingerprint import Agreement, Fingerprint, Reduced, difference, numbers, reduced
from equiv.lookup import Unknown
from equiv.obligations import lifted
from equiv.samplers import LEVELS, STEPS, Read, Sampler, own_grid, read, sampler
from equiv.subjects.named import found_object
from equiv.symbolic.decision import Equal, decide
from equiv.symbolic.expression import const
from equiv.symbolic.simplified import follow
from equiv.textbook import FORMULAS, Formula
from equiv.unrolled import TAKEN, Outside, common_grid, of_method, ratio
from equiv.weighting import NotALoss, is_loss, lines

AT = common_grid(LEVELS + 1).at
RANGES: Mapping[str, tuple[str, str]] = {
    "rho": ("1", "12"),
    "eta": ("0", "1"),
    "gamma": ("1/1000", "1"),
    "gam": ("1/2", "4"),
}
CLOSE = 1e-9  # of a parameter solved for, to the rational that is then tried
LARGEST = 1000  # denominator of one


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, in lines: ``known`` says whether it is a formula that is named."""

    known: bool
    lines: tuple[str, ...]


def identify(spec: str) -> Identity:
    """The formula that a sampler is, what was solved for it and what was assumed.

    Raises:
        Unknown: there is no such sampler.
    """
    if (loss := _loss(spec)) is not None:
        return loss
    found = sampler(spec)
    if found.subject is None:
        raise Unknown(f"{spec} is a formula already; name a sampler of a library or a file")
    try:
        known, lines = _formula(read(found))
    except Outside as why:
        return Identity(known=False, lines=(f"{spec}: outside what a fingerprint describes: {why}",))
    return Identity(known=known, lines=(*lines, *_assumed(read(found)), *_grid(found)))


def _loss(spec: str) -> Identity | None:
    """What a loss weighs, if the name is of one: its second argument is the data, and its third the noise."""
    name, *pairs = spec.split(",")
    if ":" not in name:
        return None
    code = found_object(name)
    if not callable(code) or not is_loss(code):
        return None
    options = dict(pair.partition("=")[::2] for pair in pairs)
    if unknown := [k for k in options if k != "schedule"]:
        raise Unknown(f"a loss takes schedule=, not {unknown[0]}=")
    try:
        known, said = lines(spec, code, options.get("schedule", ""))
    except NotALoss as why:
        raise Unknown(f"{name}: {why}") from None
    return Identity(known=known, lines=tuple(said))


# --- the formula ------------------------------------------------------------------------------------------


def _formula(found: Read) -> tuple[bool, list[str]]:
    mine = _of(found)
    named = families(found)
    says = [_in_words(f.name, f.config) for f in named]
    conditions = [c for f in named for c in f.conditions]
    part = "" if found.unrolled.clean else ", its last step left out, which does not go to clean data"
    if not says:
        return False, [f"{found.spec}: no formula of the textbook{part}", *_nearest(mine.fingerprint, found)]
    lines = [f"{found.spec}: {' = '.join(dict.fromkeys(says))}{part}"]
    orders = [FORMULAS[f.name].order for f in named]
    if order := next((o for o in orders if o), None):
        lines.append(f"  order of convergence: {order}, as its paper has it")
    if conditions:
        lines.append(f"  proved wherever {' and '.join(dict.fromkeys(conditions))}")
    return True, lines


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """A formula that a sampler is proved to be, with the parameters solved for."""

    name: str
    config: dict[str, str]
    conditions: tuple[str, ...]


@functools.lru_cache(maxsize=64)
def families(found: Read) -> tuple[Family, ...]:
    """All the formulas that a sampler is."""
    whole = found.unrolled.clean
    proved = []
    for name, config in _candidates(_of(found).fingerprint, whole=whole):
        if (rests := _proved(found, name, config)) is not None:
            proved.append(Family(name=name, config=config, conditions=tuple(dict.fromkeys(rests))))
    return tuple(proved)


def apart(one: Read, two: Read) -> str:
    """What would make two samplers one: the parameter in which they differ, of a family that has both."""
    shared = [
        f"{FORMULAS[a.name].says} ({key} = {a.config[key]} and {b.config[key]})"
        for a in families(one)
        for b in families(two)
        if a.name == b.name
        for key in a.config
        if a.config[key] != b.config[key]
    ]
    if shared:
        return f"both are of the same family, and one where its parameter is: {'; '.join(shared)}"
    names = [
        " = ".join(_in_words(f.name, f.config) for f in families(r)) or "of no formula" for r in (one, two)
    ]
    return f"no family of the textbook has both: the first is {names[0]}, the second {names[1]}"


def _of(found: Read) -> Reduced:
    return found.whole if found.unrolled.clean else found.steps


def _in_words(name: str, config: Mapping[str, str]) -> str:
    options = ", ".join(f"{k} = {v}" for k, v in config.items())
    return f"{FORMULAS[name].says} ({options})" if options else FORMULAS[name].says


@functools.lru_cache(maxsize=512)
def _print(name: str, given: tuple[tuple[str, str], ...], *, whole: bool) -> Reduced:
    unrolled = of_method(FORMULAS[name].method(dict(given)), LEVELS)
    if whole:
        return reduced(unrolled.fingerprint, unrolled.domain)
    return reduced(unrolled.fingerprint.before_last(), unrolled.domain)


def _values(print_: Fingerprint) -> list[float]:
    return [float(v.mid()) for v in numbers(print_, AT)]


def _candidates(mine: Fingerprint, *, whole: bool) -> Iterator[tuple[str, dict[str, str]]]:
    """Formulas that may be it, by their values at a point, with parameters solved for."""
    values = _values(mine)
    for name, formula in FORMULAS.items():
        solved = [k for k in formula.options if k in RANGES]
        fixed = {k: v[0] for k, v in formula.options.items() if k not in RANGES}
        others = [fixed | {k: v} for k, vs in formula.options.items() if k in fixed for v in vs] or [{}]
        for given in others:
            for config in _solved(name, given, solved, mine, values, whole=whole):
                yield name, config


def _solved(
    name: str,
    given: dict[str, str],
    free: Sequence[str],
    mine: Fingerprint,
    values: Sequence[float],
    *,
    whole: bool,
) -> Iterator[dict[str, str]]:
    """The parameters with which a formula has these values."""
    if len(free) != 1:
        for config in _listed(FORMULAS[name], given, free):
            if _alike(_print(name, tuple(config.items()), whole=whole).fingerprint, mine, values):
                yield config
        return
    (key,) = free
    low, high = RANGES[key]
    ends = [_print(name, tuple((given | {key: v}).items()), whole=whole).fingerprint for v in (low, high)]
    if any(end.calls != mine.calls for end in ends):
        return
    first, last = map(_values, ends)
    tells = [k for k, (a, b) in enumerate(zip(first, last, strict=True)) if abs(a - b) > 1e-6]
    if not tells:
        return

    def gap(value: float) -> float:
        config = given | {key: str(Fraction(value).limit_denominator(10**12))}
        return (
            _values(_print(name, tuple(config.items()), whole=whole).fingerprint)[tells[0]] - values[tells[0]]
        )

    for value in _root(gap, float(Fraction(low)), float(Fraction(high))):
        for text in _exactly(value):
            config = given | {key: text}
            if _alike(_print(name, tuple(config.items()), whole=whole).fingerprint, mine, values):
                yield config
                break


def _exactly(value: float) -> Iterator[str]:
    """What a number may be: a simple rational, or the root of one."""
    for power, text in ((1, "{}"), (2, "sqrt({})")):
        simple = Fraction(value**power).limit_denominator(LARGEST)
        if abs(float(simple) - value**power) < CLOSE * max(1.0, abs(value)):
            yield text.format(simple)


def _listed(formula: Formula, given: dict[str, str], free: Sequence[str]) -> Iterator[dict[str, str]]:
    """All the values that the textbook tries of several parameters."""
    configs = [dict(given)]
    for key in free:
        configs = [c | {key: v} for c in configs for v in formula.options[key]]
    return iter(configs)


def _root(gap: Callable[[float], float], low: float, high: float) -> Iterator[float]:
    """Where it is zero, at an end or between them."""
    from scipy.optimize import brentq

    at_low, at_high = gap(low), gap(high)
    tiny = 1e-13
    if abs(at_low) < tiny or abs(at_high) < tiny:
        yield low if abs(at_low) < tiny else high
    elif at_low * at_high < 0:
        yield float(brentq(gap, low, high, xtol=1e-13, rtol=1e-14))


def _alike(print_: Fingerprint, mine: Fingerprint, values: Sequence[float]) -> bool:
    """Near enough to be worth a proof."""
    return print_.calls == mine.calls and all(
        abs(a - b) <= 1e-8 * max(1.0, abs(b)) for a, b in zip(_values(print_), values, strict=True)
    )


def _proved(found: Read, name: str, config: Mapping[str, str]) -> list[str] | None:
    """What the equality rests on; None if it is not proved."""
    whole = found.unrolled.clean
    mine, theirs = _of(found), _print(name, tuple(config.items()), whole=whole)
    domain = common_grid(LEVELS)
    same = difference(mine.fingerprint, theirs.fingerprint, domain)
    if not isinstance(same, Agreement):
        return None
    rests = [*found.unrolled.conditions, *mine.conditions, *theirs.conditions, *same.conditions]
    texts = [str(r) for r in follow(rests, domain.relations, domain.at)]
    return [*texts, *same.idealised, *mine.idealised, *found.unrolled.said]


def _nearest(mine: Fingerprint, found: Read) -> list[str]:
    """The formula whose matrices are least far away, and where it first differs."""
    values, whole = _values(mine), found.unrolled.clean
    best, far = "", math.inf
    for name, formula in FORMULAS.items():
        for config in _listed(formula, {}, list(formula.options)):
            theirs = _print(name, tuple(config.items()), whole=whole).fingerprint
            if theirs.calls != mine.calls:
                continue
            gap = max(abs(a - b) for a, b in zip(_values(theirs), values, strict=True))
            if gap < far:
                best, far = _in_words(name, config), gap
    if not best:
        return [f"  it asks the network {mine.calls} times on {LEVELS} levels, as no formula does"]
    at = ", ".join(f"{k} = {v}" for k, v in list(AT.items())[:LEVELS])
    return [f"  the nearest: {best}; the largest difference of an entry is {far:.3g}, at {at}"]


# --- what else it is --------------------------------------------------------------------------------------


def _assumed(found: Read) -> Iterator[str]:
    yield f"  {'; '.join(_properties(_of(found).fingerprint))}"
    yield f"  assumed: the state has the gauge {found.gauge}; the network gives {found.prediction}" + "".join(
        f"; {k}={v}" for k, v in found.changed.items()
    )
    yield f"  taken as they are: {TAKEN}"


def _properties(mine: Fingerprint) -> Iterator[str]:
    domain = common_grid(LEVELS)
    yield f"{mine.calls} calls of the network on {LEVELS} levels"
    noisy = any(w.op != "const" for row in mine.covariance for w in row)
    yield "draws noise" if noisy else "draws no noise"
    for j in range(mine.calls):
        total = sum((h for h in mine.outputs[j] if h.op != "const"), start=mine.start[j])
        spread = ratio(0) * ratio(0) * mine.start[j] * mine.start[j] + mine.covariance[j][j]
        for left, right in ((total, const(1)), (spread, mine.told[j] * mine.told[j])):
            if not isinstance(decide(left, right, domain), Equal):
                yield f"on data at a point the state fed at call {j} has not the level told there"
                return
    yield "on data at a point the network is always told the level that its state has"


def _grid(found: Sampler) -> Iterator[str]:
    """The family of the grid that it comes with."""
    try:
        own = own_grid(found)
    except Outside:
        return
    if own is None:
        yield "  grid: the levels that it is given"
        return
    middles = [(low + high) / 2 for low, high in own]
    distinct = list(dict.fromkeys(m for m in middles if 0 < m < math.inf))
    times = [s.timestep for s in lifted(found.name, found.config | {"steps": str(STEPS)})]
    yield f"  grid of {STEPS} steps: {_family(distinct, list(dict.fromkeys(times)))}"


def _family(levels: Sequence[float], times: Sequence[float]) -> str:
    """A name for falling noise ratios: within the rounding of float32 tables."""
    if len(levels) < 4:
        return "too few levels to say"
    gaps = [a - b for a, b in pairwise(times)]
    if _even([math.log(r) for r in levels]):
        return "even in log sigma"
    rho = _power(levels)
    if rho is not None:
        return f"even in sigma^(1/rho), rho = {rho:.4g} (Karras)"
    shift = _shift(levels)
    if shift is not None:
        return (
            f"even in the time of a flow, shifted by {shift:.4g}"
            if abs(shift - 1) > 1e-4
            else "even in the time of a flow"
        )
    if max(gaps) - min(gaps) <= 1 <= min(gaps):  # whole steps of the training, rounded
        return f"even in training steps, from {times[0]:g} down to {times[-1]:g}"
    return f"of no family that is known here, from sigma/alpha = {levels[0]:.6g} down to {levels[-1]:.6g}"


def _even(values: Sequence[float]) -> bool:
    step = (values[-1] - values[0]) / (len(values) - 1)
    return all(
        abs(v - (values[0] + k * step)) <= EVEN * abs(values[-1] - values[0]) for k, v in enumerate(values)
    )


EVEN = 1e-5  # float32 tables are rounded at every entry


def _power(levels: Sequence[float]) -> float | None:
    """The root in which the levels are even: of order 1 to 100."""
    middle = len(levels) // 2

    def bend(rho: float) -> float:
        a, b, c = (math.pow(levels[k], 1 / rho) for k in (0, middle, len(levels) - 1))
        return (b - a) / (c - a) - middle / (len(levels) - 1)

    for rho in _root(bend, 1.0, 100.0):
        if _even([v ** (1 / rho) for v in levels]):
            return rho
    return None


def _shift(levels: Sequence[float]) -> float | None:
    """The k for which r / (k + r) is even, the time of a flow before it is shifted."""
    middle = len(levels) // 2

    def bend(log_k: float) -> float:
        k = math.exp(log_k)
        a, b, c = (levels[i] / (k + levels[i]) for i in (0, middle, len(levels) - 1))
        return (b - a) / (c - a) - middle / (len(levels) - 1)

    for log_k in _root(bend, -6.0, 6.0):
        k = math.exp(log_k)
        if _even([r / (k + r) for r in levels]):
            return k
    return None


__all__ = ["Identity", "identify"]
