"""Results as text, for people at a terminal."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from equiv.evidence import Conformance, Evidence, Experiment, Failure, KernelProof, Outcome, Proof, Witness
from equiv.result import Result
from equiv.running.expected import Expectation
from equiv.verdict import Verdict

COLOURS = {
    Verdict.PROVED: "green",
    Verdict.CORRECTED: "cyan",
    Verdict.SUPPORTED: "green",
    Verdict.REFUTED: "bold red",
    Verdict.INTERNAL_ERROR: "bold white on red",
    Verdict.UNSUPPORTED: "yellow",
    Verdict.INCONCLUSIVE: "yellow",
}
BAD = (Verdict.INTERNAL_ERROR, Verdict.REFUTED, Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE)


def console(*, stderr: bool = False) -> Console:
    """A console that never wraps what is not shown to a person; what it prints is text, no markup."""
    plain = Console(stderr=stderr, highlight=False, soft_wrap=True, markup=False, emoji=False)
    if not plain.is_terminal:
        plain.width = 1000
    return plain


def listing(rows: Iterable[Sequence[str | Text]]) -> Text:
    """Rows in columns as wide as they must be."""
    cells = [[Text(c) if isinstance(c, str) else c for c in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        for cell, width in zip(row[:-1], widths, strict=False):
            cell.pad_right(width - len(cell))
    return Text("\n").join(Text("  ").join(row) for row in cells)


def shown(verdict: Verdict, text: str = "") -> Text:
    """A verdict in its colour."""
    return Text(text or verdict.value, style=COLOURS[verdict])


def _bar(*, quiet: bool) -> Progress:
    err = Console(stderr=True)
    name = TextColumn("{task.description}", markup=False)
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), name)
    return Progress(*columns, console=err, transient=True, disable=quiet or not err.is_terminal)


@contextmanager
def progress(total: int, *, quiet: bool) -> Iterator[Callable[[Result], None]]:
    """One line while tasks run; nothing where nobody looks."""
    with _bar(quiet=quiet) as bar:
        line = bar.add_task("", total=total)
        yield lambda r: bar.update(line, advance=1, description=f"{r.verdict.value} {r.task.name}"[:60])


@contextmanager
def steps(total: int, title: str, *, quiet: bool) -> Iterator[Callable[[int, float], None]]:
    """One line while networks train, with their mean loss; nothing where nobody looks."""
    with _bar(quiet=quiet) as bar:
        line = bar.add_task(title, total=total)
        yield lambda step, loss: bar.update(
            line, completed=step, description=f"{title}: mean loss {loss:.3f}"
        )


def show(
    out: Console,
    results: Sequence[Result],
    held: Expectation,
    draw: Callable[[Sequence[Result]], Text],
) -> None:
    """The table, what is not good, what was expected, the count."""
    if results:
        out.print(draw(results))
    for line in dict.fromkeys(_recognised(results)):
        out.print(line)
    for _, found in _groups_of(held.rest):
        if found[0].verdict in BAD or (found[0].task.kind == "check" and found[0].task.dtype):
            out.print()
            out.print(block(found[0]))
            if len(found) > 1:
                out.print(f"  and so for {len(found) - 1} more configurations")
    if held.known:
        out.print(f"\n{len(held.known)} refuted as expected")
    for complaint in held.complaints:
        out.print(complaint, style="bold red")
    out.print(f"\n{summary(results)}")


def _recognised(results: Sequence[Result]) -> Iterator[str]:
    """What code was found to be."""
    for r in results:
        yield from (
            f"{r.task.subject}: {e.found}" for e in r.evidence if isinstance(e, Conformance) and e.found
        )


def overview(results: Sequence[Result]) -> Text:
    """Claims and experiments by line, checks by part."""
    kinds = {kind: [r for r in results if r.task.kind == kind] for kind in ("claim", "check", "experiment")}
    parts = (table(kinds["claim"]), checks(kinds["check"]), table(kinds["experiment"]))
    return Text("\n\n").join(part for part in parts if part)


def table(results: Sequence[Result]) -> Text:
    """One line a result."""
    return listing(
        (
            r.task.name,
            shown(r.verdict, r.headline),
            "cached" if r.cached else f"{r.seconds:.2f} s",
            *(e.counted for e in r.evidence if isinstance(e, KernelProof)),
            r.title,
        )
        for r in results
    )


def summary(results: Sequence[Result]) -> str:
    """``12 tasks: 9 PROVED, 3 CORRECTED``."""
    counts = Counter(r.verdict for r in results)
    return f"{len(results)} tasks: " + ", ".join(f"{counts[v]} {v.value}" for v in Verdict if v in counts)


def groups(results: Sequence[Result]) -> list[tuple[dict[str, str], list[Result]]]:
    """The results in groups of one verdict, each with the configuration values that tell it apart."""
    if len({_kind(r) for r in results}) <= 1:
        return [({}, list(results))]
    keys = {k for r in results for k in r.task.config}
    cuts = {key: _cut(results, key) for key in sorted(keys)}
    cuts = {key: parts for key, parts in cuts.items() if len(parts) > 1}
    if not cuts:
        return [({}, [r]) for r in results]
    best = min(cuts, key=lambda key: _mixed(cuts[key].values()))
    return [
        ({best: value} | below, found) for value, part in cuts[best].items() for below, found in groups(part)
    ]


def _mixed(parts: Collection[list[Result]]) -> float:
    """How many verdicts a part has on average."""
    return sum(len({_kind(r) for r in part}) for part in parts) / len(parts)


def _groups_of(results: Sequence[Result]) -> list[tuple[dict[str, str], list[Result]]]:
    """The groups of each obligation of each subject; a claim and an experiment is a group of its own."""
    same: dict[tuple[str, ...], list[Result]] = {}
    for r in results:
        key = (r.task.subject, r.task.id) if r.task.kind == "check" else (r.task.name,)
        same.setdefault(key, []).append(r)
    return [group for mine in same.values() for group in groups(mine)]


def _cut(results: Sequence[Result], key: str) -> dict[str, list[Result]]:
    parts: dict[str, list[Result]] = {}
    for result in results:
        parts.setdefault(result.task.config.get(key, ""), []).append(result)
    return parts


def _kind(result: Result) -> tuple[Verdict, str]:
    return result.verdict, _defect(result)


def checks(results: Sequence[Result]) -> Text:
    """A line for each obligation of each subject and each part of its configurations that has one verdict."""
    rows = []
    for config, found in _groups_of(results):
        task = found[0].task
        where = " ".join(f"{k}={v}" for k, v in config.items()) or "every configuration"
        rows.append((task.subject, task.id, _verdict_of(found), f"{len(found)} tasks", where))
    return listing(rows)


def _verdict_of(found: Sequence[Result]) -> Text:
    counts = {len(r.conditions) for r in found}
    text = found[0].headline
    if len(counts) > 1:
        text = f"{found[0].verdict.value} under {min(counts)} to {max(counts)} conditions"
    return shown(found[0].verdict, text + _defect(found[0]))


def _defect(result: Result) -> str:
    if result.verdict is not Verdict.REFUTED:
        return ""
    failing = (e for e in result.evidence if isinstance(e, Conformance) and e.outcome is Outcome.FAILS)
    return next((f" ({e.defect.value})" for e in failing), "")


def block(result: Result) -> str:
    """All that a stranger needs about a result that is not good."""
    task = result.task
    versions = dict(result.versions)
    own = versions.pop(task.subject.partition(".")[0], "")
    torch = f"torch {versions['torch']}" if "torch" in versions else ""
    on = ", ".join(part for part in (own, torch, task.dtype, task.device) if part)
    subject = f"  {task.subject}" if task.subject else ""
    lines = [f"{task.id}  {result.headline}{_defect(result)}{subject}" + (f" ({on})" if on else "")]
    for name, value in dict.fromkeys(part for e in result.evidence for part in _parts(e)):
        lines.append(f"  {name:<9} " + value.replace("\n", "\n" + " " * 12))
    if not result.evidence:
        lines.append("  reason    nothing was found out: the task gave no evidence")
    return "\n".join([*lines, f"  reproduce {result.reproduce or task.reproduce}"])


def _parts(evidence: Evidence) -> list[tuple[str, str]]:
    match evidence:
        case Experiment() if evidence.outcome is Outcome.HOLDS:
            parts = [("measured", _measured(evidence))]
        case _ if evidence.outcome is Outcome.HOLDS:
            return []
        case Failure():
            parts = [("reason", f"{evidence.kind}: {evidence.reason}"), ("where", _where(evidence))]
        case Conformance():
            parts = [("expected", evidence.expected), *_smallest(evidence.witness)]
            parts += [("reason", evidence.reason), ("where", _where(evidence)), ("alone", evidence.snippet)]
            if evidence.witness and not evidence.reproduced:
                parts.append(("reason", "the library, run alone, does not show the difference"))
        case Proof():
            undecided = [e for e in evidence.equalities if e.outcome is not Outcome.HOLDS]
            parts = _smallest(evidence.witness)
            parts += [("reason", f"{e.title}: {e.left} = {e.right}: {e.reason}") for e in undecided]
            parts += [("reason", evidence.undecided)] if evidence.undecided else []
            parts += [("reason", f"not refuted: the false variant {v}") for v in evidence.surviving_variants]
        case KernelProof():
            parts = [("rejected", ", ".join(evidence.rejected))]
        case Experiment():
            parts = [("measured", _measured(evidence)), *_smallest(evidence.witness)]
            parts += [
                ("reason", f"the bound admits the false variant {v}") for v in evidence.surviving_variants
            ]
    return [(name, value) for name, value in parts if value]


def _measured(evidence: Experiment) -> str:
    of = f"{evidence.worst:g} against the bound {evidence.bound:g} on {evidence.cases} cases"
    return f"{evidence.measure}: {of}".removeprefix(": ")


def _where(evidence: Failure | Conformance) -> str:
    """The place, without the folder that this machine has its libraries in."""
    return evidence.where.rpartition("/site-packages/")[2]


def _smallest(witness: Witness | None) -> list[tuple[str, str]]:
    if witness is None:
        return []
    bound = f"  (bound {witness.bound})" if witness.bound not in ("", "0") else ""
    return [("smallest", f"{_at(witness)}:  got {witness.got}, expected {witness.expected}{bound}")]


def _at(witness: Witness) -> str:
    return ", ".join(f"{name} = {value}" for name, value in witness.inputs.items())
