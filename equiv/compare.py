"""Are two samplers the same for every network? As steps, as they come, and on a common grid."""

import subprocess
from collections.abc import Sequence
from typing import Literal

import msgspec

from equiv.fingerprint import Agreement, Difference, Lengths, Reduced, difference
from equiv.lookup import Unknown
from equiv.samplers import LEVELS, STEPS, Range, Read, Sampler, own_grid, read, received, sampler
from equiv.symbolic.decision import Contradiction, Different, Domain, Undecided
from equiv.symbolic.simplified import follow
from equiv.unrolled import TAKEN, Outside, common_grid, ratio

Depth = Literal["steps", "samplers", "common-grid"]
Answer = Literal["same", "different", "undecided"]
SECONDS = 300  # for another interpreter to read a sampler

_SCALE = {
    "variance preserving": "sqrt(alpha^2 + sigma^2)",
    "variance exploding": "alpha",
    "flow": "(alpha + sigma)",
}


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """The answer at one depth, in words."""

    depth: Depth
    answer: Answer
    text: str

    @property
    def exit_code(self) -> int:
        return {"same": 0, "different": 1, "undecided": 4}[self.answer]


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of two samplers: as it was read, or why it was not; and the grid that it comes with."""

    name: str
    read: Read | None
    grid: tuple[Range, ...] | None = None
    why: str = ""


def side(spec: str, python: str = "") -> Side:
    """A sampler, read here or by another interpreter that has equiv and another version of its library.

    Raises:
        Unknown: there is no such sampler; or the interpreter cannot read it.
    """
    if python:
        return _elsewhere(spec, python)
    found = sampler(spec)
    try:
        return Side(name=spec, read=read(found), grid=own_grid(found))
    except Outside as why:
        return Side(name=spec, read=None, why=str(why))


def _elsewhere(spec: str, python: str) -> Side:
    sampler_or_formula = spec.partition(",")[0]
    try:
        done = subprocess.run(
            [python, "-m", "equiv", "fingerprint", spec, "--json"],
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unknown(f"{python} cannot read {sampler_or_formula}: {error}") from None
    if done.returncode == OUTSIDE:
        return Side(name=spec, read=None, why=done.stderr.decode().strip())
    if done.returncode:
        last = done.stderr.decode().strip().rpartition("\n")[2]
        raise Unknown(f"{python} cannot read {sampler_or_formula}: {last or done.returncode}")
    got, grid = received(done.stdout)
    return Side(name=spec, read=got, grid=grid)


OUTSIDE = 4  # the exit code of `equiv fingerprint` for a sampler that has none


def compare(first: str, second: str, depth: Depth) -> Reading:
    """Compare two samplers at one depth.

    Raises:
        Unknown: there is no such sampler; or its library is not installed.
    """
    return compared(side(first), side(second), depth)


def compared(a: Side, b: Side, depth: Depth) -> Reading:
    """Compare two samplers that were read, at one depth."""
    unread = [s for s in (a, b) if s.read is None]
    if unread or a.read is None or b.read is None:
        says = "; ".join(f"{s.name} is outside what a fingerprint describes: {s.why}" for s in unread)
        return Reading(depth=depth, answer="undecided", text=f"UNDECIDED: {says}")
    answer, says = DEPTHS[depth](a, b)
    return Reading(depth=depth, answer=answer, text=f"{answer.upper()}: {says}{_set(a.read, b.read)}")


def _steps(a: Side, b: Side) -> tuple[Answer, str]:
    """All steps but the last."""
    one, two = _both(a, b)
    where = f"step for step, at {LEVELS} falling levels, the step to the end left out,"
    return _judged(one, two, (one.steps, two.steps), common_grid(LEVELS), where)


def _common_grid(a: Side, b: Side) -> tuple[Answer, str]:
    """Both samplers on the same levels, down to the end."""
    one, two = _both(a, b)
    if one.unrolled.clean != two.unrolled.clean:
        late = next(r for r in (one, two) if not r.unrolled.clean)
        return "undecided", (
            f"{late.spec} has no step to the clean end, where its formula has no value: "
            "its grid cannot be the other's (--depth steps compares what comes before)"
        )
    end = "the last step to the clean end" if one.unrolled.clean else "none of them clean"
    where = f"on a common grid, {LEVELS} falling levels, {end},"
    return _judged(one, two, (one.whole, two.whole), one.unrolled.domain, where)


def _samplers(a: Side, b: Side) -> tuple[Answer, str]:
    """Each as it comes, on its own grid."""
    if a.grid is None or b.grid is None:
        free = [s.name for s in (a, b) if s.grid is None]
        answer, says = _common_grid(a, b)
        return answer, f"{' and '.join(free)} takes the levels that it is given: {says}"
    if len(a.grid) != len(b.grid):
        return "different", (
            f"with {STEPS} steps one calls the network {len(a.grid)} times, the other {len(b.grid)} times"
        )
    for j, (left, right) in enumerate(zip(a.grid, b.grid, strict=True)):
        if left == right or (left[0] <= right[1] and right[0] <= left[1]):
            continue
        where = "the starting level" if j == 0 else f"the level of call {j}"
        shown = " against ".join(_shown(r) for r in (left, right))
        return "different", f"on their own grids of {STEPS} steps, first at {where}: sigma/alpha is {shown}"
    answer, says = _common_grid(a, b)
    return answer, f"the grids of {STEPS} steps agree to rounding; {says}"


def _shown(r: Range) -> str:
    middle = (r[0] + r[1]) / 2
    return "infinite" if middle == float("inf") else f"{middle:.6g}"


DEPTHS = {"steps": _steps, "samplers": _samplers, "common-grid": _common_grid}


def _both(a: Side, b: Side) -> tuple[Read, Read]:
    if a.read is None or b.read is None:
        raise ValueError("both samplers have to be read before they are compared")
    return a.read, b.read


def _judged(
    one: Read, two: Read, prints: tuple[Reduced, Reduced], domain: Domain, where: str
) -> tuple[Answer, str]:
    found = difference(prints[0].fingerprint, prints[1].fingerprint, domain, spread=ratio(0))
    if isinstance(found, Agreement):
        return "same", f"{where} {_same(found)}{_change(one, two)}{_rests(one, two, prints, found, domain)}"
    doubts = [d for p in prints for d in p.doubts]
    if doubts:
        return "undecided", f"{where} whether {doubts[0]} is zero is not known"
    if isinstance(found, Lengths):
        return "different", (
            f"{where} what counts of their calls of the network are {found.calls[0]} and {found.calls[1]}"
        )
    return _different(found, where, prints[0].fingerprint.calls)


def _same(found: Agreement) -> str:
    match found.how:
        case "path" if found.noisy:
            return "the samples are the same for every network, from the same start and the same draws"
        case "path":
            return "the samples are the same for every network"
        case "law":
            return (
                "the samples have the same law for every network, given the start, "
                "though not the same path: the draws are used otherwise"
            )
    return (
        "the samples have the same law for every network from a normal start of the deviation r_0, "
        "but not given the start"
    )


def _different(found: Difference, where: str, calls: int) -> tuple[Answer, str]:
    match found.decision:
        case Different(witness=w):
            at = ", ".join(f"{k} = {v}" for k, v in sorted(w.inputs.items()))
            gap = f"{w.got} against {w.expected}"
            return "different", f"{where} first in {_meaning(found, calls)}: {gap} at {at}"
        case Undecided(reason=reason):
            return "undecided", f"{where} {found.entry} of the fingerprint: {reason}"
        case Contradiction():
            return "undecided", f"{where} {found.entry} is proved and refuted at once: a defect of equiv"
    return "undecided", f"{where} {found.entry}"


def _meaning(found: Difference, calls: int) -> str:
    """An entry, and what it is."""
    if found.entry.startswith("level"):
        return f"the {found.entry} (a noise ratio)"
    name, _, places = found.entry.rstrip("]").partition("[")
    row, _, column = places.partition(",")
    into = "the sample" if int(row) == calls else f"what the network is fed at call {row}"
    match name:
        case "c":
            what = f"the weight of the start in {into}"
        case "H":
            what = f"the weight of the data prediction of call {column} in {into}"
        case _ if row == column:
            what = f"the variance of the noise in {into}"
        case _:
            what = f"the covariance of the noise in {into} with that in what it is fed at call {column}"
    return f"{found.entry} of the fingerprint ({what})"


def _rests(one: Read, two: Read, prints: Sequence[Reduced], found: Agreement, domain: Domain) -> str:
    """What does not follow from the levels falling, shortest first."""
    wanted = [*one.unrolled.conditions, *two.unrolled.conditions, *found.conditions]
    wanted += [r for p in prints for r in p.conditions]
    rests = [str(r) for r in follow(wanted, domain.relations, domain.at)]
    texts = sorted(dict.fromkeys(rests), key=len)
    texts += dict.fromkeys(
        [*found.idealised, *(i for p in prints for i in p.idealised), *one.unrolled.said, *two.unrolled.said]
    )
    wherever = f"; wherever {' and '.join(texts)}" if texts else ""
    return f"{wherever}; taken as they are: {TAKEN}"


def _change(one: Read, two: Read) -> str:
    """What is between them beside the formula: gauge, prediction, time."""
    parts = [f"z -> z/{_SCALE[two.gauge]}"] if one.gauge != two.gauge else []
    if one.prediction != two.prediction:
        parts.append(f"reading the network's {two.prediction} for its {one.prediction}")
    if one.time and two.time and one.time != two.time:
        parts.append(f"time ({one.time}; {two.time})")
    return f", after {' and '.join(parts)}" if parts else ""


def _set(*both: Read) -> str:
    """Options that are not at their defaults though nobody asked."""
    texts = [
        f"{', '.join(f'{k}={v}' for k, v in r.changed.items())} for {r.spec.partition(',')[0]}"
        + (", which clips x_hat by default" if r.changed.get("clip_sample") == "False" else "")
        for r in both
        if r.changed
    ]
    return "".join(f"; with {text}" for text in dict.fromkeys(texts))


__all__ = ["DEPTHS", "Depth", "Reading", "Sampler", "Side", "compare", "compared", "side"]
