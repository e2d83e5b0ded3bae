"""The options that commands share, and what refuses a bad value of one."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import reduce, wraps
from pathlib import Path
from typing import Any

import click

from equiv.lookup import Unknown, nearest


class OneOf(click.Choice[Any]):
    """A choice whose refusal names the nearest value there is."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        """One line."""
        del ctx
        known = ", ".join(self.choices)
        return f"there is no {value!r}{nearest(str(value), self.choices)} (all of them: {known})"


class Seconds(click.FloatRange):
    """A time that is finite and not absurd: more than none, at most a week."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True, max=7 * 24 * 3600)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Refuse also a NaN, which lies in every range."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return seconds


FILE = click.Path(path_type=Path)
SEED = click.option("--seed", type=int, default=0, show_default=True)
KERNEL = click.option("--kernel", is_flag=True, help="Have a second kernel, Rocq, accept the claims too.")
_RUNNING = (
    click.option("--strict", is_flag=True, help="Undecided fails the run (exit code 4)."),
    click.option("--jobs", type=click.IntRange(min=1), help="Worker processes. [default: one a processor]"),
    click.option(
        "--time-limit",
        type=Seconds(),
        default=120.0,
        show_default=True,
        metavar="SECONDS",
        help="For each task.",
    ),
    click.option("--resume", is_flag=True, help="Take over what an interrupted run of the same has found."),
    click.option("--no-cache", is_flag=True, help="Prove again what was proved before."),
    click.option("--journal", type=FILE, metavar="FILE", help="Keep the journal there."),
    click.option("--json", type=FILE, metavar="FILE", help="Write the results; - is the standard output."),
    click.option("--quiet", "-q", is_flag=True, help="No progress."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The options of every command that runs tasks."""

    strict: bool
    jobs: int | None
    time_limit: float
    resume: bool
    no_cache: bool
    journal: Path | None
    json: Path | None
    quiet: bool


def running(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of :class:`Running`, and it their values as ``running``."""
    names = [field.name for field in fields(Running)]

    @wraps(command)
    def with_options(**values: Any) -> int:
        return command(running=Running(**{name: values.pop(name) for name in names}), **values)

    return reduce(lambda decorated, option: option(decorated), reversed(_RUNNING), with_options)


def configuration(pairs: Sequence[str]) -> dict[str, str]:
    """``KEY=VALUE`` pairs by key.

    Raises:
        Unknown: one is no pair, or a key is given twice.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        key, given, value = pair.partition("=")
        if not given:
            raise Unknown(f"--config needs KEY=VALUE, got {pair!r}")
        if key in found:
            raise Unknown(f"--config gives {key} twice, as {found[key]!r} and {value!r}; give it once")
        found[key] = value
    return found
