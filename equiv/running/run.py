"""One run: tasks in, a journal on the way, a Run out."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from equiv.result import Result, Run, Task
from equiv.running import cache, journal
from equiv.running.local import Executor

OnResult = Callable[[Result], None]


class Interrupted(Exception):
    """The user stopped the run. It carries what was done."""

    def __init__(self, run: Run, total: int, kept: Path) -> None:
        super().__init__(f"interrupted: {len(run.results)} of {total} tasks were done, kept in {kept}")
        self.run, self.total, self.kept = run, total, kept


class Undelivered(Exception):
    """All is done, but could not be written where it was to go. The journal has it."""

    def __init__(self, error: OSError, kept: Path) -> None:
        super().__init__(f"cannot write the results: {error}; they are kept in {kept}")


def run(
    tasks: Sequence[Task],
    executor: Executor,
    *,
    keep: Path | None = None,
    resume: bool = False,
    use_cache: bool = True,
    on_result: OnResult = lambda _result: None,
    deliver: Callable[[Run], None] = lambda _run: None,
) -> Run:
    """Run the tasks. The results are in the order of the tasks, each also journalled as it came.

    Args:
        tasks: what to find out, each once.
        executor: where they run.
        keep: the journal's place; without one it is kept only if the run is interrupted.
        resume: take over what an interrupted run of these tasks has found.
        use_cache: take over what earlier runs found, where nothing it rests on has changed.
        on_result: told of every result as it comes.
        deliver: writes the run down; the journal is there until it has returned.

    Raises:
        Interrupted: on Ctrl-C.
        Undelivered: ``deliver`` raised an OSError.
        FileExistsError: ``keep`` is there already.
    """
    first = journal.header(tasks)
    earlier = journal.interrupted(tasks) if resume else None
    place = keep or journal.new_path()
    found: dict[str, Result] = {}

    def done() -> Run:
        ordered = tuple(found[k] for k in map(journal.key, tasks) if k in found)
        return Run(started=first.started, versions=first.versions, results=ordered, planned=len(first.tasks))

    with journal.Journal(place, first) as book:

        def take(result: Result) -> None:
            book.append(result)
            found[journal.key(result.task)] = result
            on_result(result)

        try:
            for result in earlier[1] if earlier else ():
                take(result)
            if earlier:
                earlier[0].unlink()
            for result in _known(tasks) if use_cache else ():
                take(result)
            for result in executor.run([t for t in tasks if journal.key(t) not in found]):
                take(result)
                cache.keep(result)
        except KeyboardInterrupt:
            raise Interrupted(done(), len(tasks), place) from None
        except BaseException:
            if not (keep or found):
                journal.forget(place)
            raise
    try:
        deliver(done())
    except KeyboardInterrupt:
        raise Interrupted(done(), len(tasks), place) from None
    except OSError as error:
        raise Undelivered(error, place) from error
    if not keep:
        journal.forget(place)
    return done()


def _known(tasks: Sequence[Task]) -> Iterator[Result]:
    return filter(None, map(cache.find, tasks))
