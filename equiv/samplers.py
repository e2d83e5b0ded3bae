"""Whole samplers by the name that a user gives them, and their matrices.

``diffusers.DDIMScheduler`` is one with its defaults, ``diffusers.DDIMScheduler,eta=1`` one with an option,
``formulas.churn,rho=3`` a formula of the textbook.
"""

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

import msgspec

from equiv.fingerprint import Fingerprint, Reduced, reduced
from equiv.lifting.refusal import Unsupported
from equiv.lookup import Unknown, find, nearest
from equiv.obligations import lifted
from equiv.obligations.specifications import SPECIFICATIONS
from equiv.subjects.run import LiftedRun, grid, lift, prediction
from equiv.subjects.subject import SAMPLERS, Gauge, LiftedStep, Subject, configuration, resolve, runner
from equiv.symbolic import balls
from equiv.symbolic.expression import Expr, text
from equiv.symbolic.transport import packed, packed_relations, unpacked, unpacked_relations
from equiv.textbook import FORMULAS, number
from equiv.unrolled import Outside, Unrolled, common_grid, of_method, of_run, of_steps, within_library

LEVELS = 5  # of the common grid: enough for a method of order 3 to come to its highest order
TEXTBOOK = "formulas."

# what a class is given to be read on a common grid: a clip is not affine, Runge-Kutta steps have a grid of
# their own, and the last step is to go to the clean end
_SET = {"clip_sample": "False", "skip_prk_steps": "True"}
_ENDS = {"diffusers.PNDMScheduler": {"set_alpha_to_one": "True"}}


class Sampler(msgspec.Struct, frozen=True, kw_only=True):
    """A sampler that can be compared. ``given`` are the options named; the others have their defaults."""

    name: str
    given: tuple[tuple[str, str], ...] = ()

    @property
    def subject(self) -> Subject | None:
        """The implementation; None: it is a formula."""
        return None if self.name.startswith(TEXTBOOK) else resolve(self.name)

    @property
    def spec(self) -> str:
        """As a user writes it."""
        return ",".join([self.name, *(f"{k}={v}" for k, v in self.given)])

    @property
    def config(self) -> dict[str, str]:
        """All options, but for the number of steps."""
        if self.subject is None:
            options = FORMULAS[self.name.removeprefix(TEXTBOOK)].options
            return {k: values[0] for k, values in options.items()} | dict(self.given)
        chosen = {k: v for k, v in _SET.items() if k in self.subject.options} | dict(self.given)
        return configuration(self.subject, chosen) | _ENDS.get(self.name, {})

    @property
    def changed(self) -> dict[str, str]:
        """Options that nobody named and that are not at their defaults."""
        if self.subject is None:
            return {}
        defaults = {k: values[0] for k, values in self.subject.options.items()} | dict(self.given)
        return {k: v for k, v in self.config.items() if defaults.get(k) != v}


def sampler(spec: str) -> Sampler:
    """The sampler of that name.

    Raises:
        Unknown: there is none, or it does not take an option that is given.
    """
    name, *pairs = spec.split(",")
    given: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or key in given:
            raise Unknown(f"a sampler needs NAME,KEY=VALUE,... with each key once; got {spec!r}")
        given[key] = value
    if not name.startswith(TEXTBOOK):
        if "steps" in given:
            raise Unknown(f"samplers are compared on {LEVELS} levels: take steps={given['steps']} away")
        configuration(resolve(name), given)
        return Sampler(name=name, given=tuple(given.items()))
    known = {TEXTBOOK + f: formula for f, formula in FORMULAS.items()}
    options = find("formula", name, known, see=", ".join(known)).options
    for key, value in given.items():
        find("option", key, options, see=", ".join(options) or "none")
        if key == "b_h":
            if value not in options[key]:
                raise Unknown(f"{name} takes b_h in {', '.join(options[key])}{nearest(value, options[key])}")
            continue
        _parameter(name, key, value)
    return Sampler(name=name, given=tuple(given.items()))


def _parameter(name: str, key: str, value: str) -> None:
    try:
        number(value)
    except (ValueError, ZeroDivisionError):
        raise Unknown(f"{name} needs a rational {key}, such as 1/2; got {value!r}") from None


class Read(msgspec.Struct, frozen=True, kw_only=True, dict=True, eq=False):
    """The matrices of a sampler as they were read, and what the reading took away: plain data."""

    spec: str
    version: str
    unrolled: Unrolled
    gauge: Gauge = "variance exploding"
    prediction: str = "x"
    time: str = ""
    changed: dict[str, str] = {}  # options that are neither at their defaults nor named

    @functools.cached_property
    def whole(self) -> Reduced:
        """To the end."""
        return reduced(self.unrolled.fingerprint, self.unrolled.domain)

    @functools.cached_property
    def steps(self) -> Reduced:
        """To the last level above the end."""
        return reduced(self.unrolled.fingerprint.before_last(), common_grid(self.unrolled.levels))


@functools.lru_cache(maxsize=256)
def read(found: Sampler, levels: int = LEVELS) -> Read:
    """The matrices of a sampler on so many levels.

    Raises:
        Outside: it is not of the kind that has them; the text says why.
    """
    subject = found.subject
    if subject is None:
        formula = FORMULAS[found.name.removeprefix(TEXTBOOK)]
        unrolled = of_method(formula.method(found.config), levels)
        return Read(spec=found.spec, version="the textbook", unrolled=unrolled)
    for steps in range(levels, levels + 3):  # a sampler may skip levels, or begin where there is no signal
        unrolled = _unrolled(found, found.config | {"steps": str(steps)})
        if unrolled.levels == levels:
            break
    else:
        raise Outside(f"with {levels} steps it has {unrolled.levels} levels")
    return Read(
        spec=found.spec,
        version=f"{subject.library} {subject.version}",
        unrolled=unrolled,
        gauge=subject.gauge,
        prediction=found.config.get("prediction_type", subject.prediction_types[0]),
        time=subject.time,
        changed=found.changed,
    )


def _unrolled(found: Sampler, config: Mapping[str, str]) -> Unrolled:
    if found.subject is not None and found.subject.family not in SAMPLERS:
        raise Outside("it is read part by part, and has no steps to compare")
    try:
        if found.subject is not None and found.subject.family == "function":
            return of_run(_run(found.subject, config))
        own = SPECIFICATIONS.get(found.name)
        steps = lifted(found.name, config)
        return of_steps(steps, own(config).own_x) if own else of_steps(steps)
    except (Outside, Unsupported) as why:
        raise Outside(within_library(str(why))) from None
    except Exception as error:
        raise Outside(f"it ends with {type(error).__name__}: {error}") from error


def _run(subject: Subject, config: Mapping[str, str]) -> LiftedRun:
    """A run whose first level has signal: where there is none, there is no noise ratio."""
    listed = grid(subject, config)
    values = listed.values(int(config["steps"]))
    if listed.gauge == "flow":
        values = [1 - FIRST * (1 - v) if listed.rises else FIRST * v for v in values]
    sampler = runner(subject.name).sampler(subject, config)
    return lift(sampler, values, prediction(subject, config), listed)


FIRST = 31 / 32  # the time at which a flow is begun


# --- the grid that a sampler comes with -------------------------------------------------------------------

STEPS = 10
FLOAT32 = 2.0**-23
Range = tuple[float, float]


def own_grid(found: Sampler, steps: int = STEPS) -> tuple[Range, ...] | None:
    """The noise ratios at which it calls the network, within the rounding of a table; None: as it is told.

    Raises:
        Outside: it cannot be read.
    """
    if found.subject is None or found.subject.family == "function":
        return None
    try:
        return tuple(map(_told, lifted(found.name, found.config | {"steps": str(steps)})))
    except Unsupported as why:
        raise Outside(str(why)) from None


def _told(step: LiftedStep) -> Range:
    alpha, sigma = (balls.evaluate(e, step.point, rounding=FLOAT32) for e in step.now)
    if alpha == 0:
        return math.inf, math.inf
    ratio = sigma / alpha
    return float(ratio.lower()), float(ratio.upper())


# --- for people -------------------------------------------------------------------------------------------


LONGEST = 160  # what is longer helps nobody; --json has it


def shown(found: Read) -> Iterator[str]:
    """The reduced matrices, one entry a line, each written short."""
    whole = found.whole.fingerprint

    def entry(name: str, e: Expr) -> str:
        short = text(e)
        return f"{name:<10} {short if len(short) <= LONGEST else short[:LONGEST] + ' ...'}"

    yield f"{found.spec} ({found.version}): {whole.calls} calls; row {whole.calls} is the sample"
    for j in range(whole.calls + 1):
        if j < whole.calls:
            yield entry(f"told[{j}]", whole.told[j])
        yield entry(f"c[{j}]", whole.start[j])
        for i, h in enumerate(whole.outputs[j]):
            if h.op != "const":
                yield entry(f"H[{j},{i}]", h)
        for k in range(j + 1):
            if whole.covariance[j][k].op != "const":
                yield entry(f"W[{j},{k}]", whole.covariance[j][k])


# --- from another interpreter -----------------------------------------------------------------------------


def sent(found: Read, grid: tuple[Range, ...] | None) -> bytes:
    """A reading as JSON."""
    whole = found.unrolled.fingerprint
    flat = [*whole.told, *whole.start, *_flat(whole.outputs), *_flat(whole.covariance), *_flat(whole.draws)]
    nodes, roots = packed(flat)
    data = {
        **{k: getattr(found, k) for k in ("spec", "version", "gauge", "prediction", "time", "changed")},
        "calls": whole.calls,
        "draws": len(whole.draws[0]),
        "nodes": nodes,
        "roots": roots,
        "levels": found.unrolled.levels,
        "clean": found.unrolled.clean,
        "conditions": packed_relations(found.unrolled.conditions),
        "said": found.unrolled.said,
        "grid": grid if grid is None else [[str(low), str(high)] for low, high in grid],
    }
    return msgspec.json.encode(data)


def received(data: bytes) -> tuple[Read, tuple[Range, ...] | None]:
    """What :func:`sent` wrote."""
    got = msgspec.json.decode(data)
    rest = iter(unpacked(got["nodes"], got["roots"]))
    n = got["calls"]

    def rows(width: int) -> tuple[tuple[Expr, ...], ...]:
        return tuple(tuple(islice(rest, width)) for _ in range(n + 1))

    whole = Fingerprint(
        told=tuple(islice(rest, n)),
        start=tuple(islice(rest, n + 1)),
        outputs=rows(n),
        covariance=rows(n + 1),
        draws=rows(got["draws"]),
    )
    unrolled = Unrolled(
        fingerprint=whole,
        levels=got["levels"],
        clean=got["clean"],
        conditions=tuple(unpacked_relations(got["conditions"])),
        said=tuple(got["said"]),
    )
    plain = {k: got[k] for k in ("spec", "version", "gauge", "prediction", "time", "changed")}
    grid = got["grid"]
    ranges = grid if grid is None else tuple((float(low), float(high)) for low, high in grid)
    return Read(unrolled=unrolled, **plain), ranges


def _flat(rows: Sequence[Sequence[Expr]]) -> list[Expr]:
    return [e for row in rows for e in row]
