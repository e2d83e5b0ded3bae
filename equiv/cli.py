"""The command line. Commands import what they need, so that asking for help loads no mathematics."""

import math
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial, reduce, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from equiv import __version__
from equiv.lookup import Unknown, nearest

if TYPE_CHECKING:
    from equiv.compare import Depth
    from equiv.result import Result, Run, Task

BROKEN_PIPE, INTERRUPTED, INTERNAL_ERROR, USAGE = 141, 130, 3, 2

EXIT_CODES = """\b
Exit codes:
  0  nothing was refuted
  1  something was refuted, or an expected defect is stale or passes
  2  the command line was not understood
  3  internal error: a statement both proved and refuted, or a bug of equiv
  4  something is undecided (with --strict; for compare always)
  5  nothing was selected
  130  interrupted; what was done is kept
  141  nobody read the output to its end
"""
DEPTHS: "tuple[Depth, ...]" = ("steps", "samplers", "common-grid")


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


_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(epilog=EXIT_CODES, context_settings=_SETTINGS)
@click.version_option(__version__, prog_name="equiv")
def cli() -> None:
    """Prove, measure and validate the equivalences between diffusion models and Gaussian flow matching."""


_FILE = click.Path(path_type=Path)
_SEED = click.option("--seed", type=int, default=0, show_default=True)
_RUNNING = (
    click.option("--strict", is_flag=True, help="Undecided fails the run (exit code 4)."),
    click.option("--jobs", type=click.IntRange(min=1), help="Worker processes. [default: one a processor]"),
    click.option(
        "--time-limit",
        type=Seconds(),
        default=60.0,
        show_default=True,
        metavar="SECONDS",
        help="For each task.",
    ),
    click.option("--resume", is_flag=True, help="Take over what an interrupted run of the same has found."),
    click.option("--no-cache", is_flag=True, help="Prove again what was proved before."),
    click.option("--journal", type=_FILE, metavar="FILE", help="Keep the journal there."),
    click.option("--json", type=_FILE, metavar="FILE", help="Write the results; - is the standard output."),
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


def _running(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of :class:`Running`, and it their values as ``running``."""
    names = [field.name for field in fields(Running)]

    @wraps(command)
    def with_options(**values: Any) -> int:
        return command(running=Running(**{name: values.pop(name) for name in names}), **values)

    return reduce(lambda decorated, option: option(decorated), reversed(_RUNNING), with_options)


@cli.command("list")
def list_() -> None:
    """The claims, the obligations and the experiments."""
    from equiv import terminal
    from equiv.running import catalogue

    out = terminal.console()
    titled = {e.claim.id: e.claim.title for e in catalogue.claims().values()}
    for name, entries in (
        ("claims", titled),
        ("obligations", {e.id: e.title for e in catalogue.obligations().values()}),
        ("experiments", {e.id: e.title for e in catalogue.experiments().values()}),
    ):
        if entries:
            out.print(name, style="bold")
            out.print(terminal.listing((f"  {id_}", title) for id_, title in entries.items()))


@cli.command()
@click.argument("ids", nargs=-1)
@click.option("--kernel", is_flag=True, help="Have a second kernel, Rocq, accept the claims too.")
@click.option("--out", type=_FILE, default=Path("reports/local"), show_default=True, metavar="DIR")
@_running
def prove(*, ids: tuple[str, ...], kernel: bool, out: Path, running: Running) -> int:
    """Prove the claims named, or all of them.

    An erratum is CORRECTED: the statement as written is refuted, the statement as it should be is proved.
    With --kernel the claims are also put before Rocq, as stated; its files land in DIR/kernel.
    """
    from equiv import terminal
    from equiv.running.kernel import second_opinion
    from equiv.running.selection import claims

    if kernel:
        _check_writable(out / "kernel" / "Equiv.v")
    return _run(
        claims(ids),
        show=terminal.table,
        also=partial(second_opinion, folder=out / "kernel") if kernel else None,
        running=running,
    )


@cli.command()
@click.argument("id_", metavar="ID")
def explain(id_: str) -> int:
    """The derivation of a claim, line by line, with its conditions and the false variants it rejects."""
    from equiv.explanation import explain as text
    from equiv.running.local import LocalProcesses
    from equiv.running.selection import claims
    from equiv.verdict import exit_code

    (result,) = LocalProcesses().run(claims((id_,)))
    click.echo(text(result), nl=False)
    return exit_code([result.verdict])


@cli.command()
@click.argument("subjects", nargs=-1, required=True, metavar="SUBJECT...")
@click.option("--only", metavar="OBLIGATION", help="This obligation alone.")
@click.option(
    "--config",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    help="Only configurations with this value. Repeatable.",
)
@_SEED
@click.option("--expect", type=_FILE, metavar="FILE", help="Known defects, strictly: expected-defects.toml.")
@_running
def check(
    subjects: tuple[str, ...],
    only: str | None,
    pairs: tuple[str, ...],
    seed: int,
    expect: Path | None,
    running: Running,
) -> int:
    """Hold implementations against what they owe, such as diffusers.DDIMScheduler."""
    from equiv import terminal
    from equiv.running import catalogue, expected
    from equiv.running.selection import checks

    config = _config(pairs)
    owed = checks(subjects, only=only, config=config, seed=seed)
    obligations = [only] if only else list(catalogue.obligations())
    listed = expected.read(expect, checked=subjects) if expect else ()
    defects = [d for d in listed if d.selected(subjects, obligations, config)]
    return _run(owed, show=terminal.checks, defects=defects, running=running)


@cli.command()
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.option("--depth", type=OneOf(DEPTHS), help="[default: all three]")
def compare(first: str, second: str, depth: "Depth | None") -> int:
    """Are two samplers the same? As steps, as they come, and on a common grid."""
    from equiv.compare import compare as readings

    found = [readings(first, second, d) for d in ([depth] if depth else DEPTHS)]
    for reading in found:
        click.echo(f"{reading.depth:<12} {reading.text}")
    return next(r for r in found if r.depth == (depth or "common-grid")).exit_code


@cli.command()
@click.argument("ids", nargs=-1)
@click.option("--dtype", help="float64, float32 or bfloat16; all that an experiment knows by default.")
@click.option("--device", default="cpu", show_default=True)
@_SEED
@_running
def experiment(ids: tuple[str, ...], dtype: str | None, device: str, seed: int, running: Running) -> int:
    """Measure against derived bounds."""
    from equiv import terminal
    from equiv.running.selection import experiments

    return _run(experiments(ids, dtype=dtype, device=device, seed=seed), show=terminal.table, running=running)


@cli.command()
@click.argument("run", required=False, type=_FILE, metavar="[RUN]")
@click.option("--out", type=_FILE, default=Path("reports/local"), show_default=True, metavar="DIR")
@_SEED
@_running
def report(run: Path | None, out: Path, seed: int, running: Running) -> int:
    """Write one HTML page and one JSON file.

    Runs every claim, the checks of the samplers of diffusers, and the experiments. With RUN, the JSON of an
    earlier run or the journal of an interrupted one, it only draws that.

    The exit code is 0 when the page is written, whatever was refuted; 3 if it shows an internal error; and
    with --strict 4 if something is undecided.
    """
    from equiv import terminal
    from equiv.report import write
    from equiv.running.selection import default

    for name in ("report.json", "report.html"):
        _check_writable(out / name)
    if run is None:
        return _run(
            default(seed=seed), show=terminal.overview, pages=partial(write, out=out), running=running
        )
    drawn = _read(run)
    try:
        written = write(drawn, out)
    except OSError as error:
        raise Unknown(f"cannot write the report: {error}") from error
    for path in written:
        click.echo(path)
    return _report_code(drawn.results, strict=running.strict)


@cli.command("seeds")
@click.option("--documents", type=_FILE, metavar="DIR", help="Hold the documents there against the list.")
@click.option("--results", type=_FILE, metavar="RUN", help="Show the verdicts of `equiv prove --json RUN`.")
@click.option("--run", "prove_them", is_flag=True, help="Prove the claims and show their verdicts.")
def seeds_(*, documents: Path | None, results: Path | None, prove_them: bool) -> int:
    """The sentences of the seed documents that can be checked, and the claims that cover them."""
    from equiv import seeds
    from equiv.running import catalogue
    from equiv.verdict import exit_code

    if results and prove_them:
        raise Unknown("--results and --run both give verdicts; take one of them")
    listed = seeds.read()
    wrong = list(seeds.compare(listed, documents)) if documents else []
    titles = {e.claim.id: e.claim.title for e in catalogue.claims().values()}
    covering = [name for name in titles if name in listed.covering]
    run = _prove(covering) if prove_them else _read(results).results if results else ()
    found = [r for r in run if r.task.kind == "claim" and r.task.id in covering]
    for line in seeds.listing(listed, titles, {r.task.id: r.headline for r in found}):
        click.echo(line)
    for line in wrong:
        click.echo(line, err=True)
    return 1 if wrong else exit_code([r.verdict for r in found]) if run else 0


def _prove(ids: Sequence[str]) -> "Sequence[Result]":
    from equiv import terminal
    from equiv.running.local import LocalProcesses
    from equiv.running.run import Interrupted, run
    from equiv.running.selection import claims

    try:
        with terminal.progress(len(ids), quiet=False) as seen:
            return run(claims(ids), LocalProcesses(), on_result=seen).results
    except Interrupted as interrupted:
        raise click.Abort from interrupted


def _run(
    tasks: "Sequence[Task]",
    *,
    show: "Callable[[Sequence[Result]], Any]",
    defects: Sequence[Any] = (),
    also: "Callable[[Run], Run] | None" = None,
    pages: "Callable[[Run], Sequence[Path]] | None" = None,
    running: Running,
) -> int:
    """Run the tasks, show what came of them, and say it in the exit code."""
    from equiv import terminal
    from equiv.result import encode
    from equiv.running.expected import hold
    from equiv.running.local import LocalProcesses
    from equiv.running.run import Interrupted, Undelivered, run

    to_stdout = running.json == Path("-")
    for path in (None if to_stdout else running.json, running.journal):
        _check_writable(path)
    written: list[Path] = []

    def write_json(done: "Run") -> None:
        if running.json and not to_stdout:
            running.json.write_bytes(encode(done) + b"\n")

    def deliver(done: "Run") -> None:
        write_json(done)
        written.extend(pages(done) if pages else ())

    executor = LocalProcesses(jobs=running.jobs or 0, seconds=running.time_limit)
    stopped = None
    try:
        with terminal.progress(len(tasks), quiet=running.quiet) as seen:
            done = run(
                tasks,
                executor,
                keep=running.journal,
                resume=running.resume,
                use_cache=not running.no_cache,
                on_result=seen,
                deliver=deliver,
            )
    except Interrupted as interrupted:
        stopped, done = interrupted, interrupted.run
    except Undelivered as error:
        raise Unknown(str(error)) from error
    except FileExistsError as error:
        raise Unknown(f"the journal {error.filename} is there already; name another file") from error

    if also and not stopped:
        done = also(done)
        write_json(done)
    out = terminal.console(stderr=to_stdout)
    expectation = hold(done.results, [] if stopped else defects)
    terminal.show(out, done.results, expectation, show)
    if to_stdout:
        sys.stdout.buffer.write(encode(done) + b"\n")
    if stopped:
        try:
            write_json(done)
        except OSError as error:
            click.echo(f"cannot write the results: {error}", err=True)
        click.echo(f"{stopped}\nto go on: the same command with --resume", err=True)
        click.echo(f"to see it: equiv report {stopped.kept}", err=True)
        return INTERRUPTED
    for path in written:
        click.echo(path)
    if pages:
        return _report_code(done.results, strict=running.strict)
    return expectation.exit_code(strict=running.strict)


def _report_code(results: "Sequence[Result]", *, strict: bool) -> int:
    """As of the results that are not refuted: a report is there to show those."""
    from equiv.verdict import Verdict, exit_code

    rest = [r.verdict for r in results if r.verdict is not Verdict.REFUTED]
    return exit_code(rest, strict=strict) if rest else 0


def _read(path: Path) -> "Run":
    """A run's JSON, or a journal."""
    import msgspec

    from equiv.result import decode
    from equiv.running.journal import partial as of_journal

    try:
        return of_journal(path) if path.suffix == ".jsonl" else decode(path.read_bytes())
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise Unknown(f"cannot read a run from {path}: {error}") from error


def _check_writable(path: Path | None) -> None:
    """Say before a run, not after it, that its results cannot be written: try it."""
    if path is None:
        return
    try:
        if path.is_file() or path.is_dir():
            path.open("ab").close()
        elif not path.exists():  # and if it is a pipe or a device: opening it would be seen at its other end
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path.parent):
                pass
    except OSError as error:
        raise Unknown(f"cannot write {path}: {error.strerror}") from error


def _config(pairs: Sequence[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise Unknown(f"--config needs KEY=VALUE, got {pair!r}")
    return dict(pair.split("=", 1) for pair in pairs)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; every mistake of the user is one line and exit code 2."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code = cli.main(args=arguments and list(arguments), prog_name="equiv", standalone_mode=False)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains as it ends
        code = BROKEN_PIPE
    except SystemExit:  # what click and rich make of a broken pipe, and of nothing else
        code = BROKEN_PIPE
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = USAGE
    except (click.ClickException, Unknown) as error:
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        click.echo(f"equiv: {' '.join(message.split())}", err=True)
        code = USAGE
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except Exception:  # noqa: BLE001 - a bug of ours must not look like a refutation
        traceback.print_exc()
        code = INTERNAL_ERROR
    sys.exit(code or 0)
