"""Line charts as inline SVG, drawn from data.

A figure is data of a result, ``Result.figures[name]``::

    {"panels": [{"title": str, "series": [{"label": str, "paths": [[[x, y], ...], ...]}]}],
     "x": str, "y": str, "title": str, "caption": str}

``title`` and ``caption`` may be left out. Panels share their axes and stand side by side. A series of several
paths is a bundle of trajectories: each ends in a dot. A path is broken where a number is not finite.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from markupsafe import Markup

Point = tuple[float, float]
Range = tuple[float, float]

WIDTH, HEIGHT = 320, 276
LEFT, RIGHT, TOP, BOTTOM = 40, 10, 44, 38
COLOURS = 4  # classes s0, s1, ... of the style sheet


def figure(name: str, data: Any) -> Markup:
    """All panels of one figure, with a box to tick for each series.

    Raises:
        ValueError: the data has no panels.
    """
    if not isinstance(data, Mapping) or not data.get("panels"):
        raise ValueError(
            f"the figure {name!r} needs a mapping with at least one of `panels`; got {type(data).__name__}"
        )
    panels = data["panels"]
    points = [
        p
        for panel in panels
        for s in panel["series"]
        for path in s["paths"]
        for run in _runs(path)
        for p in run
    ]
    x_range, y_range = _span(x for x, _ in points), _span((y for _, y in points), margin=0.04)
    labels = list(dict.fromkeys(s["label"] for panel in panels for s in panel["series"]))
    axes = (data.get("x", ""), data.get("y", ""))
    charts = [line_chart(p["title"], p["series"], axes, (x_range, y_range), labels) for p in panels]
    boxes = Markup("").join(
        Markup('<label class="s{}"><input type="checkbox" data-series="{}" checked> {}</label>').format(
            i % COLOURS, i % COLOURS, label
        )
        for i, label in enumerate(labels)
    )
    return Markup(
        '<figure class="chart"><figcaption><strong>{}</strong> {}</figcaption>'
        '<div class="keys">{}</div><div class="panels">{}</div></figure>'
    ).format(data.get("title", name), data.get("caption", ""), boxes, Markup("").join(charts))


def line_chart(
    title: str,
    series: Sequence[Mapping[str, Any]],
    axes: tuple[str, str],
    ranges: tuple[Range, Range],
    labels: Sequence[str],
) -> Markup:
    """One panel: its series as lines, coloured by their place in ``labels``."""
    (x_range, y_range), parts = ranges, []

    def place(point: Point) -> Point:
        return _scale(point[0], x_range, LEFT, WIDTH - RIGHT), _scale(point[1], y_range, HEIGHT - BOTTOM, TOP)

    parts += [_tick_x(t, place((t, y_range[0]))[0]) for t in _ticks(*x_range)]
    parts += [_tick_y(t, place((x_range[0], t))[1]) for t in _ticks(*y_range)]
    for s in series:
        colour = labels.index(s["label"]) % COLOURS
        runs = [[place(p) for p in run] for path in s["paths"] for run in _runs(path)]
        lines = Markup("").join(Markup('<path d="{}"/>').format(_path(run)) for run in runs)
        dots = Markup("").join(
            Markup('<circle cx="{:.1f}" cy="{:.1f}" r="2.6"/>').format(*run[-1]) for run in runs
        )
        parts.append(
            Markup('<g class="s{}">{}{}</g>').format(colour, lines, dots if len(s["paths"]) > 1 else "")
        )
    heading = '<text class="title" x="{}" y="14">{}</text>'
    names = (
        '<text class="axis" x="{}" y="{}" text-anchor="middle">{}</text>'
        '<text class="axis" x="4" y="33">{}</text>'
    )
    parts.append(Markup(heading).format(LEFT, title))
    parts.append(Markup(names).format((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, *axes))
    return Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, f"{title}: {axes[1]} over {axes[0]}", Markup("").join(parts)
    )


def _tick_x(value: float, x: float) -> Markup:
    shape = (
        '<line x1="{0:.1f}" x2="{0:.1f}" y1="{1}" y2="{2}"/>'
        '<text x="{0:.1f}" y="{3}" text-anchor="middle">{4}</text>'
    )
    return Markup(shape).format(x, TOP, HEIGHT - BOTTOM, HEIGHT - BOTTOM + 15, f"{value:g}")


def _tick_y(value: float, y: float) -> Markup:
    shape = (
        '<line x1="{1}" x2="{2}" y1="{0:.1f}" y2="{0:.1f}"/>'
        '<text x="{3}" y="{4:.1f}" text-anchor="end">{5}</text>'
    )
    return Markup(shape).format(
        y, LEFT, WIDTH - RIGHT, LEFT - 6, y + 4, f"{value:g}".replace("-", "\N{MINUS SIGN}")
    )


def _runs(path: Iterable[Sequence[float | str]]) -> Iterator[list[Point]]:
    """The stretches of a path whose numbers are finite; ``"nan"`` and ``"inf"`` come as text from JSON."""
    run: list[Point] = []
    for x, y in path:
        point = (float(x), float(y))
        if all(map(math.isfinite, point)):
            run.append(point)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _span(values: Iterable[float], margin: float = 0.0) -> Range:
    found = sorted(values) or [0.0, 1.0]
    low, high = found[0], found[-1]
    room = (high - low) * margin or (0.0 if high > low else 0.5)
    return low - room, high + room


def _scale(value: float, span: Range, start: float, end: float) -> float:
    return start + (value - span[0]) / (span[1] - span[0]) * (end - start)


def _ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers between low and high."""
    rough = (high - low) / about
    unit = 10.0 ** math.floor(math.log10(rough))
    step = min((m * unit for m in (1, 2, 5, 10)), key=lambda s: abs(s - rough))
    return [round(k * step, 12) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _path(run: Sequence[Point]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in run)
