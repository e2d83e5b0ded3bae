"""Ten thousand mutants and more: ``nox -s mutants``, ``nox -s mutants -- --pairs 100000``.

What was judged is kept, block by block, in a file named by the sources that it depends on, so that an
interrupted run goes on where it was. Ends with 1 where an answer is contradicted, or the pairs are not
what they should be: too few equal, too few different, too many undecided.
"""

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

import torch

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

import judging  # noqa: E402
import samplers  # noqa: E402
import snippets  # noqa: E402

BLOCK = 200
LEAST, MOST = 0.3, 0.1  # equal and different at least; undecided at most


class Stream(NamedTuple):
    """Pairs of one make, and how they are judged."""

    share: float
    pairs: Callable[[int, int], Iterator[snippets.Pair]]
    setting: judging.Setting
    balanced: bool = True  # else it is there for what it may disprove: most of it cannot be decided


STREAMS = {
    "on the domain": Stream(0.6, snippets.pairs, judging.DECLARED),
    "with nothing promised": Stream(0.15, snippets.pairs, judging.UNDECLARED, balanced=False),
    "samplers": Stream(0.25, samplers.pairs, judging.SAMPLERS),
}
Block = tuple[str, int]


def judged(block: Block) -> judging.Tally:
    """A block, in a process of its own."""
    torch.set_num_threads(1)
    name, seed = block
    stream = STREAMS[name]
    return judging.judge(stream.pairs(BLOCK, seed), stream.setting)


def blocks(pairs: int) -> list[Block]:
    return [(name, k) for name, s in STREAMS.items() for k in range(-(-int(pairs * s.share) // BLOCK))]


def sources() -> str:
    """A digest of all that an answer depends on."""
    files = [
        f
        for part in ("equiv/symbolic", "equiv/lifting", "tests/mutants")
        for f in (ROOT / part).rglob("*.py")
    ]
    digest = hashlib.sha256()
    for file in sorted([*files, ROOT / "equiv/number.py"]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def recalled(journal: Path) -> dict[Block, judging.Tally]:
    """The blocks judged before; a line that was cut off is none."""
    found: dict[Block, judging.Tally] = {}
    for line in journal.read_text(encoding="utf-8").splitlines() if journal.exists() else ():
        try:
            entry = json.loads(line)
        except json.JSONDecodeError:
            continue
        tally = judging.Tally(disagreements=entry["disagreements"])
        for kind, truth, answer, count in entry["counts"]:
            tally.counts[kind][truth, answer] = count
        found[entry["stream"], entry["seed"]] = tally
    return found


def line(block: Block, tally: judging.Tally) -> str:
    counts = [(kind, *key, n) for kind, among in tally.counts.items() for key, n in among.items()]
    return json.dumps({
        "stream": block[0], "seed": block[1], "counts": counts, "disagreements": tally.disagreements,
    }) + "\n"  # fmt: skip


def run(pairs: int, folder: Path, workers: int | None) -> dict[str, judging.Tally]:
    """Judge what was not judged before."""
    folder.mkdir(parents=True, exist_ok=True)
    journal = folder / f"{sources()}.jsonl"
    done = recalled(journal)
    waiting = [b for b in blocks(pairs) if b not in done]
    with journal.open("a", encoding="utf-8") as out, ProcessPoolExecutor(workers) as pool:
        if done:
            out.write("\n")  # the last line may have been cut off
        running = {pool.submit(judged, b): b for b in waiting}
        try:
            for finished in as_completed(running):
                done[running[finished]] = finished.result()
                out.write(line(running[finished], finished.result()))
                out.flush()
        finally:
            pool.shutdown(cancel_futures=True)
    totals = {name: judging.Tally() for name in STREAMS}
    for block in blocks(pairs):
        totals[block[0]].add(done[block])
    return totals


def faults(totals: dict[str, judging.Tally]) -> list[str]:
    found = [f"{name}: {said}" for name, tally in totals.items() for said in tally.disagreements]
    for name, tally in totals.items():
        for kind in tally.counts if STREAMS[name].balanced else ():
            shares = [tally.share(truth=t, kind=kind) for t in ("equal", "different")]
            if min(shares) < LEAST or tally.undecided(kind) >= MOST:
                found.append(f"{name}, {kind}: unbalanced, or too much undecided: {dict(tally.counts[kind])}")
    return found


def table(totals: dict[str, judging.Tally]) -> str:
    """Rows of markdown: how many pairs are equal, how many of them proved, and so on."""
    rows = ["| | equal | proved | different | refuted | undecided | unread |", "| --- " * 7 + "|"]
    for name, tally in totals.items():
        for kind, among in sorted(tally.counts.items()):
            by: Counter[str] = Counter()
            for (truth, answer), n in among.items():
                by[truth] += n
                by[answer] += n
            cells = [by[k] for k in ("equal", "Equal", "different", "Different", "Undecided", "NoneType")]
            rows.append(" | ".join([f"| {name}: {kind}", *map(str, cells)]) + " |")
    return "\n".join(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description="Holds the prover's answers against runs of mutated torch source."
    )
    parser.add_argument("--pairs", type=int, default=12000)
    parser.add_argument("--workers", type=int, help="processes; by default one a processor")
    parser.add_argument("--folder", type=Path, default=ROOT / "reports/local/mutants")
    given = parser.parse_args()
    totals = run(given.pairs, given.folder, given.workers)
    print(table(totals))
    against = faults(totals)
    print(f"{sum(t.total.total() for t in totals.values())} pairs, {len(against)} faults", *against, sep="\n")
    sys.exit(bool(against))
