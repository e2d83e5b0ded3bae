"""The atlas as a picture: a card for each group of samplers that are one, a chip for each class in it."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, get_args

from markupsafe import Markup, escape

from equiv.groups import Atlas, Group, Kind, Member
from equiv.result import encode

WIDTH, COLUMNS, GAP, PAD = 1240, 4, 14, 12
CARD = (WIDTH - (COLUMNS + 1) * GAP) // COLUMNS
CHIP, LINE, SMALL, MANY = 24, 19, 12, 5
FONT = "DejaVu Sans, Verdana, sans-serif"
WIDE = 0.61  # of a letter of that font, on average, per size
INK, SOFT, GROUND, EDGE, PAPER = "#171a1f", "#545c68", "#f4f5f7", "#d3d8df", "#ffffff"
# told apart in every common colour blindness; the name of the library stands in the key
COLOURS = ("#0b559f", "#b43200", "#00695f", "#7f3192", "#735600", "#3d4a5c", "#a01850", "#2d6a1f", "#5a4fcf")
KINDS: tuple[Kind, ...] = get_args(Kind)


class Box(NamedTuple):
    """Something drawn, and how high it is."""

    drawn: Markup
    height: float


def picture(atlas: Atlas) -> str:
    """The whole map as one SVG, which needs nothing but a font."""
    libraries = sorted(
        {m.library for g in atlas.groups for m in g.members} | {s.library for s in atlas.outside}
    )
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(libraries)}
    parts, y = [_heading(atlas, colours)], 96.0
    for kind in KINDS:
        if groups := [g for g in atlas.groups if g.kind == kind]:
            section = _section(kind, groups, colours)
            parts.append(_at(0, y, section.drawn))
            y += section.height
    if atlas.outside:
        section = _outside(atlas, colours)
        parts.append(_at(0, y, section.drawn))
        y += section.height
    says = f"{len(atlas.groups)} different samplers among {_count(atlas.groups)}, grouped by proved equality"
    shape = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1:.0f}" width="{0}" height="{1:.0f}" '
        'role="img" aria-label="{2}" font-family="{3}">'
        '<rect width="{0}" height="{1:.0f}" fill="{4}"/>{5}</svg>'
    )
    return str(Markup(shape).format(WIDTH, y + GAP, says, FONT, PAPER, Markup("").join(parts)))


def png(svg: str) -> bytes:
    """The picture in pixels, twice as many as its size."""
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=svg, zoom=2))


def write(atlas: Atlas, out: Path) -> tuple[Path, ...]:
    """The map for programs, for a browser and for a slide."""
    out.mkdir(parents=True, exist_ok=True)
    svg = picture(atlas)
    made = {"atlas.json": encode(atlas), "atlas.svg": svg.encode(), "atlas.png": png(svg)}
    for name, data in made.items():
        (out / name).write_bytes(data)
    return tuple(out / name for name in made)


def lines(atlas: Atlas) -> Iterator[str]:
    """The map as text: a group a paragraph."""
    for group in atlas.groups:
        yield f"{' = '.join(group.says) or 'not a formula of the textbook'}  ({group.kind})"
        for m in group.members:
            how = "" if m.how == "path" else f", the same {m.how}"
            part = "" if m.whole else ", but for the last step"
            rests = f"; wherever {' and '.join(m.conditions)}" if m.conditions else ""
            yield f"    {m.spec}{how}{part}{rests}"
    for title, strangers in (("outside", atlas.outside), ("undecided", atlas.undecided)):
        for s in strangers:
            yield f"{title}: {s.spec}: {s.why}"


def _count(groups: Iterable[Group]) -> int:
    return sum(len(g.members) for g in groups)


def _heading(atlas: Atlas, colours: dict[str, str]) -> Markup:
    title = f"{_count(atlas.groups)} samplers are {len(atlas.groups)}"
    under = (
        f"Each card holds samplers that are proved to be one for every network, on a common grid of "
        f"{atlas.levels} falling levels, whatever their gauge and prediction. † the last step left out."
    )
    parts = [_text(GAP, 34, title, 24, bold=True), _text(GAP, 58, under, 13, SOFT)]
    x = float(GAP)
    for name, colour in colours.items():
        label = f"{name} {atlas.versions.get(name, '')}".strip()
        parts.append(_rect(x, 72, 12, 12, colour))
        parts.append(_text(x + 18, 83, label, SMALL))
        x += 42 + _width(label, SMALL)
    return Markup("").join(parts)


def _section(kind: str, groups: Sequence[Group], colours: dict[str, str]) -> Box:
    """Cards under a heading, each where it comes highest; those of many classes take two columns."""
    heights = [40.0] * COLUMNS
    parts = [_text(GAP, 28, f"{kind[0].upper()}{kind[1:]}", 16, bold=True)]
    for group in sorted(groups, key=lambda g: (-len(_chips(g.members)), not g.says)):
        span = 2 if len(_chips(group.members)) > MANY else 1
        column = min(range(COLUMNS - span + 1), key=lambda k: max(heights[k : k + span]))
        top = max(heights[column : column + span])
        card = _card(group, colours, span)
        parts.append(_at(GAP + column * (CARD + GAP), top, card.drawn))
        heights[column : column + span] = [top + card.height + GAP] * span
    return Box(Markup("").join(parts), max(heights) + 6)


def _card(group: Group, colours: dict[str, str], span: int) -> Box:
    width = span * CARD + (span - 1) * GAP
    y = PAD + 14.0
    parts: list[Markup] = []
    title, *others = group.says or ("not a formula of the textbook",)
    for line in _wrapped(title, width - 2 * PAD, 14 if group.says else SMALL):
        parts.append(
            _text(
                PAD, y, line, 14 if group.says else SMALL, INK if group.says else SOFT, bold=bool(group.says)
            )
        )
        y += LINE
    for line in _wrapped(" = ".join(["", *others]).strip(), width - 2 * PAD, SMALL) if others else []:
        parts.append(_text(PAD, y, line, SMALL, SOFT))
        y += LINE
    tops = [y + 3] * span
    room = (width - 2 * PAD) / span
    for label, library in _chips(group.members):
        k = min(range(span), key=lambda i: tops[i])
        for i, line in enumerate(_wrapped(label, room - 12, SMALL)):
            if i == 0:
                parts.append(_rect(PAD + k * room, tops[k] - 12, 5, CHIP - 8, colours[library]))
            parts.append(_text(PAD + k * room + 12, tops[k], line, SMALL))
            tops[k] += CHIP - 5
    height = max(tops) - 6
    several = len({m.library for m in group.members}) > 1
    frame = _rect(0, 0, width, height, GROUND, INK if several else EDGE)
    return Box(frame + Markup("").join(parts), height)


def _chips(members: Sequence[Member]) -> list[tuple[str, str]]:
    """One a class, with the fewest options with which it is of the group, and how many more there are."""
    by_class: dict[str, list[Member]] = {}
    for m in members:
        by_class.setdefault(m.spec.partition(",")[0], []).append(m)
    found = []
    for name, same in by_class.items():
        first = min(same, key=lambda m: len(m.spec))
        options = [_brief(pair) for pair in first.spec.split(",")[1:] if not pair.startswith("final_sigmas")]
        label = name.partition(".")[2].removesuffix("Scheduler")
        label += f" ({', '.join(options)})" if options else ""
        label += f" and {len(same) - 1} more" if len(same) > 1 else ""
        label += "" if first.whole else " †"
        found.append((label, first.library))
    return found


def _brief(pair: str) -> str:
    """An option; what is a name speaks for itself."""
    key, _, value = pair.partition("=")
    return value if key in {"algorithm_type", "solver_type"} else pair


def _outside(atlas: Atlas, colours: dict[str, str]) -> Box:
    """Those that are not put anywhere, with the reason."""
    parts = [_text(GAP, 28, "Outside: what matrices do not describe", 16, bold=True)]
    y = 50.0
    by_reason: dict[tuple[str, str], list[str]] = {}
    for s in atlas.outside:
        by_reason.setdefault((s.library, s.why.partition(" (")[0].partition(", at ")[0]), []).append(s.spec)
    for (library, why), specs in by_reason.items():
        names = ", ".join(dict.fromkeys(s.partition(",")[0].partition(".")[2] for s in specs))
        parts.append(_rect(GAP, y - 11, 5, 15, colours[library]))
        for line in _wrapped(f"{names}: {why}", WIDTH - 2 * GAP - 12, SMALL):
            parts.append(_text(GAP + 12, y, line, SMALL))
            y += LINE
        y += 3
    return Box(Markup("").join(parts), y)


# --- shapes -----------------------------------------------------------------------------------------------


def _at(x: float, y: float, drawn: Markup) -> Markup:
    return Markup('<g transform="translate({:.0f} {:.0f})">{}</g>').format(x, y, drawn)


def _rect(x: float, y: float, width: float, height: float, fill: str, edge: str = "none") -> Markup:
    shape = '<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="4" fill="{}" stroke="{}"/>'
    return Markup(shape).format(x, y, width, height, fill, edge)


def _text(x: float, y: float, text: str, size: int, fill: str = INK, *, bold: bool = False) -> Markup:
    weight = Markup(' font-weight="bold"') if bold else ""
    shape = '<text x="{:.1f}" y="{:.1f}" font-size="{}" fill="{}"{}>{}</text>'
    return Markup(shape).format(x, y, size, fill, weight, escape(text))


def _width(text: str, size: int) -> float:
    return WIDE * size * len(text)


def _wrapped(text: str, room: float, size: int) -> list[str]:
    """Lines that fit."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and _width(longer, size) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
