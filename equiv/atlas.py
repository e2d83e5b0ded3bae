"""Which samplers are one and the same: all that are read, on a common grid, grouped by proved equality.

The formulas of the textbook come first, so that a group has the names that are proved of it. A sampler is
looked up by its matrices' values at one point, which decides nothing, and then proved equal to the first of
a group or not put there: so the cost grows with the number of samplers, and not with that of pairs.
"""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from equiv.fingerprint import Agreement, Fingerprint, Lengths, Reduced, Same, difference, numbers
from equiv.groups import Atlas, Group, Kind, Member, Stranger
from equiv.samplers import LEVELS, TEXTBOOK, Read, read, sampler
from equiv.subjects.subject import SAMPLERS, configurations, expand, resolve
from equiv.symbolic import balls
from equiv.symbolic.decision import Different
from equiv.symbolic.simplified import follow
from equiv.textbook import FORMULAS
from equiv.unrolled import TAKEN, Outside, common_grid

# options that change the grid, the gauge or what the network gives, and not the method
FORM = ("steps", "timestep_spacing", "prediction_type", "prediction", "gauge", "time")
CLIPS = "clip_sample"
AT = common_grid(LEVELS + 1).at
CELL = 2.0**-24  # two values of equal matrices are never so far apart; those of others nearly always are


def atlas(names: Iterable[str]) -> Atlas:
    """The map of all samplers named: a library stands for all that is read of it, ``all`` for all libraries.

    Raises:
        Unknown: there is no such sampler, or its library is not installed.
    """
    chart = _Chart()
    for name, formula in FORMULAS.items():
        for values in itertools.product(*formula.options.values()):
            given = [f"{k}={v}" for k, v in zip(formula.options, values, strict=True)]
            chart.add(read(sampler(",".join([TEXTBOOK + name, *given]))), formula.says)
    for spec in specifications(expand(names)):
        chart.try_to_add(spec)
    return chart.drawn()


def specifications(names: Iterable[str]) -> Iterator[str]:
    """Every sampler that is another method, by its options; and the defaults where they clip."""
    for name in names:
        subject = resolve(name)
        if subject.family not in SAMPLERS:
            continue
        defaults = {k: values[0] for k, values in subject.options.items()}
        seen: set[tuple[tuple[str, str], ...]] = set()
        if defaults.get(CLIPS) == "True":
            yield f"{name},{CLIPS}=True"
        for config in configurations(subject):
            if config.get(CLIPS) == "True":
                continue
            method = tuple((k, v) for k, v in config.items() if k not in (*FORM, CLIPS, "final_sigmas_type"))
            if method in seen or any(config[k] != defaults[k] for k in FORM if k in config):
                continue
            seen.add(method)
            ends = [("final_sigmas_type", v) for k, v in config.items() if k == "final_sigmas_type"]
            yield ",".join([name, *(f"{k}={v}" for k, v in (*method, *ends) if defaults[k] != v)])


class _Place(msgspec.Struct, kw_only=True):
    """A group while the map is drawn."""

    first: Read
    formulas: list[str] = []
    says: list[str] = []
    members: list[Member] = []


class _Chart:
    def __init__(self) -> None:
        self.places: list[_Place] = []
        self.outside: list[Stranger] = []
        self.undecided: list[Stranger] = []
        self.versions: dict[str, str] = {}
        self._cells: dict[tuple[bool, int, int], list[_Place]] = {}

    def try_to_add(self, spec: str) -> None:
        """A sampler of a library, wherever it belongs."""
        try:
            self.add(read(sampler(spec)))
        except Outside as why:
            library = resolve(spec.partition(",")[0]).library
            self.outside.append(Stranger(spec=spec, library=library, why=str(why)))

    def add(self, found: Read, says: str = "") -> None:
        """To the group that it is proved to be of, or to one of its own."""
        whole = found.unrolled.clean
        place, how, conditions, doubtful = self._where(found, whole=whole)
        if doubtful:
            stranger = Stranger(spec=found.spec, library=_library(found), why=doubtful)
            self.undecided.append(stranger)
            return
        if place is None:
            place = _Place(first=found)
            self.places.append(place)
            for part in (True, False) if whole else (False,):
                self._cells.setdefault((part, *_cell(_of(found, whole=part))), []).append(place)
        if says:
            place.formulas.append(found.spec.removeprefix(TEXTBOOK))
            place.says.append(_with_options(found.spec, says))
            return
        library, _, version = found.version.rpartition(" ")
        self.versions[library] = version
        place.members.append(
            Member(
                spec=found.spec,
                library=library,
                version=version,
                gauge=found.gauge,
                prediction=found.prediction,
                how=how,
                whole=whole,
                changed=found.changed,
                conditions=conditions,
            )
        )

    def _where(self, found: Read, *, whole: bool) -> tuple[_Place | None, Same, tuple[str, ...], str]:
        """The group, in which sense it is of that group, under which conditions; or why that is not known."""
        mine = _of(found, whole=whole)
        calls, cell = _cell(mine)
        near = [p for k in (-1, 0, 1) for p in self._cells.get((whole, calls, cell + k), [])]
        doubtful = ""
        domain = found.unrolled.domain if whole else common_grid(LEVELS)
        for place in near:
            theirs = _of(place.first, whole=whole)
            if not _overlap(mine.fingerprint, theirs.fingerprint):
                continue
            same = difference(mine.fingerprint, theirs.fingerprint, domain)
            if isinstance(same, Agreement):
                rests = [*found.unrolled.conditions, *place.first.unrolled.conditions, *same.conditions]
                rests += [*mine.conditions, *theirs.conditions]
                texts = [str(r) for r in follow(rests, domain.relations, domain.at)]
                said = [*same.idealised, *mine.idealised, *theirs.idealised, *found.unrolled.said]
                return place, same.how, tuple(dict.fromkeys([*texts, *said])), ""
            certain = isinstance(same, Lengths) or isinstance(same.decision, Different)
            if not certain or mine.doubts or theirs.doubts:
                doubtful = f"like {place.first.spec} at a point, but not proved to be it"
        return None, "path", tuple(found.unrolled.said), doubtful

    def drawn(self) -> Atlas:
        """The groups that have members, the largest first."""
        groups = [_group(p) for p in self.places if p.members]
        groups.sort(key=lambda g: (-len(g.members), g.formulas, g.members[0].spec))
        return Atlas(
            levels=LEVELS,
            taken=TAKEN,
            versions=self.versions,
            groups=tuple(groups),
            outside=tuple(self.outside),
            undecided=tuple(self.undecided),
        )


def _library(found: Read) -> str:
    return found.version.rpartition(" ")[0]


def _with_options(spec: str, says: str) -> str:
    _, comma, options = spec.partition(",")
    return f"{says} ({options.replace(',', ', ')})" if comma else says


def _of(found: Read, *, whole: bool) -> Reduced:
    return found.whole if whole else found.steps


def _cell(found: Reduced) -> tuple[int, int]:
    """The number of calls, and a sum of the matrices at a point, each entry with a weight of its own."""
    values = [float(v.mid()) for v in numbers(found.fingerprint, AT)]
    total = sum(v * math.sin(k + 1) for k, v in enumerate(values))
    return found.fingerprint.calls, round(total / CELL) if math.isfinite(total) else 0


def _overlap(a: Fingerprint, b: Fingerprint) -> bool:
    """May the matrices have the same values at a point?"""
    return not any(balls.apart(x, y) for x, y in zip(numbers(a, AT), numbers(b, AT), strict=True))


def _group(place: _Place) -> Group:
    found = _of(place.first, whole=place.first.unrolled.clean).fingerprint
    rows = [
        [float(balls.evaluate(e, AT).mid()) for e in (c, *h)]
        for c, h in zip(found.start, found.outputs, strict=True)
    ]
    combines = any(_takes_more(rows[j], rows[j + 1], j) for j in range(1, found.calls))
    noisy = any(w.op != "const" for row in found.covariance for w in row)
    return Group(
        formulas=tuple(place.formulas),
        says=tuple(place.says),
        kind=_kind(found.calls, combines=combines, noisy=noisy),
        members=tuple(place.members),
    )


def _kind(calls: int, *, combines: bool, noisy: bool) -> Kind:
    """Where it belongs on the map."""
    if calls >= 2 * LEVELS - 1:
        return "several calls a step, with noise" if noisy else "several calls a step, without noise"
    if combines:
        return "outputs of several steps, with noise" if noisy else "outputs of several steps, without noise"
    return "one output a step, with noise" if noisy else "one output a step, without noise"


def _takes_more(row: Sequence[float], following: Sequence[float], j: int) -> bool:
    """Beside the output of call ``j``, is ``following`` no multiple of ``row``?"""
    pairs = [(a, b) for k, (a, b) in enumerate(zip(row, following, strict=True)) if k != j + 1]
    return any(abs(a * d - b * c) > CELL for a, b in pairs for c, d in pairs)
