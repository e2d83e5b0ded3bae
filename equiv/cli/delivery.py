"""Runs tasks for a command: shows what comes of them, writes it down, and says it in the exit code."""

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from equiv.cli.options import Running
from equiv.lookup import Unknown

if TYPE_CHECKING:
    from equiv.result import Result, Run, Task

INTERRUPTED = 130


def proved(ids: Sequence[str]) -> "Sequence[Result]":
    """The results of claims, with progress shown.

    Raises:
        Abort: it was interrupted.
    """
    from equiv import terminal
    from equiv.running.local import LocalProcesses
    from equiv.running.run import Interrupted, run
    from equiv.running.selection import claims

    try:
        with terminal.progress(len(ids), quiet=False) as seen:
            return run(claims(ids), LocalProcesses(), on_result=seen).results
    except Interrupted as interrupted:
        raise click.Abort from interrupted


def run_tasks(
    tasks: "Sequence[Task]",
    *,
    show: "Callable[[Sequence[Result]], Any]",
    defects: Sequence[Any] = (),
    kernel: Path | None = None,
    left_out: Sequence[Any] | None = None,
    pages: "Callable[[Run], Sequence[Path]] | None" = None,
    running: Running,
) -> int:
    """Run the tasks, show what came of them, and say it in the exit code.

    With a folder for ``kernel``, its claims are put before the second kernel too; what that does not accept
    fails the run if it is known what may be ``left_out``.
    """
    from equiv import terminal
    from equiv.result import encode
    from equiv.running import unchecked
    from equiv.running.expected import hold
    from equiv.running.kernel import second_opinion
    from equiv.running.local import LocalProcesses
    from equiv.running.run import Interrupted, Undelivered, run

    to_stdout = running.json == Path("-")
    for path in (None if to_stdout else running.json, running.journal):
        check_writable(path)
    written: list[Path] = []
    whole: Run | None = None

    def write_json(done: "Run") -> None:
        if running.json and not to_stdout:
            running.json.write_bytes(encode(done) + b"\n")

    def deliver(done: "Run") -> None:
        nonlocal whole
        whole = done
        if kernel:
            whole = second_opinion(done, kernel, jobs=executor.jobs, use_cache=use_cache, on_result=seen)
        write_json(whole)
        written.extend(pages(whole) if pages else ())

    executor = LocalProcesses(jobs=running.jobs or 0, seconds=running.time_limit)
    use_cache, stopped = not running.no_cache, None
    try:
        steps = len(tasks) + (sum(t.kind == "claim" for t in tasks) if kernel else 0)
        with terminal.progress(steps, quiet=running.quiet) as seen:
            done = run(
                tasks,
                executor,
                keep=running.journal,
                resume=running.resume,
                use_cache=use_cache,
                on_result=seen,
                deliver=deliver,
            )
    except Interrupted as interrupted:
        stopped, done = interrupted, interrupted.run
    except Undelivered as error:
        raise Unknown(str(error)) from error
    except FileExistsError as error:
        raise Unknown(f"the journal {error.filename} is there already; name another file") from error

    done = whole or done
    out = terminal.console(stderr=to_stdout)
    expectation = (
        hold(done.results, [])
        if stopped
        else hold(done.results, defects, unchecked.complaints(done.results, left_out))
    )
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
        return report_code(done.results, strict=running.strict)
    return expectation.exit_code(strict=running.strict)


def report_code(results: "Sequence[Result]", *, strict: bool) -> int:
    """As of the results that are not refuted: a report is there to show those."""
    from equiv.verdict import Verdict, exit_code

    rest = [r.verdict for r in results if r.verdict is not Verdict.REFUTED]
    return exit_code(rest, strict=strict) if rest else 0


def read_run(path: Path) -> "Run":
    """A run's JSON, or a journal."""
    import msgspec

    from equiv.result import decode
    from equiv.running.journal import partial as of_journal

    try:
        return of_journal(path) if path.suffix == ".jsonl" else decode(path.read_bytes())
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise Unknown(f"cannot read a run from {path}: {error}") from error


def check_writable(path: Path | None) -> None:
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
