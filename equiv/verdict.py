"""The only place that decides: evidence in, verdict out."""

import enum
from collections.abc import Sequence

from equiv.evidence import Conformance, Evidence, Experiment, Failure, KernelProof, Outcome, Proof


class Verdict(enum.Enum):
    """What is said of a task, in the order in which the rows of :func:`judge` are tried."""

    INTERNAL_ERROR = "INTERNAL ERROR"
    CORRECTED = "CORRECTED"
    REFUTED = "REFUTED"
    PROVED = "PROVED"
    SUPPORTED = "SUPPORTED"
    UNSUPPORTED = "UNSUPPORTED"
    INCONCLUSIVE = "INCONCLUSIVE"


def judge(evidence: Sequence[Evidence]) -> Verdict:
    """Weigh the evidence for one task.

    An erratum is told by evidence about the statement as written: it is CORRECTED only if that is
    refuted and the corrected statement proved. A failure only ever weakens a verdict: it leaves a refutation
    standing and takes a proof away. A kernel that accepts that a link is false speaks against the
    statement; one that accepts a proof, or finds none, changes nothing.
    """
    kernel = [e for e in evidence if isinstance(e, KernelProof)]
    evidence = [e for e in evidence if e not in kernel]
    as_written = [e for e in evidence if isinstance(e, Proof) and e.about == "as written"]
    statement = [e for e in evidence if e not in as_written]
    fails = any(e.outcome is Outcome.FAILS for e in statement)
    proved = any(_proves(e) for e in statement)
    supported = any(_supports(e) for e in statement)
    broken = any(isinstance(e, Failure) for e in statement)
    undecided = any(e.outcome is Outcome.UNKNOWN for e in statement)

    fails = fails or any(e.outcome is Outcome.FAILS for e in kernel)
    if fails and proved:
        return Verdict.INTERNAL_ERROR
    if fails:
        return Verdict.REFUTED
    if any(isinstance(e, Failure) and e.kind == "unsupported" for e in statement):
        return Verdict.UNSUPPORTED
    if broken or undecided:
        return Verdict.INCONCLUSIVE
    if as_written:
        refuted = all(e.outcome is Outcome.FAILS for e in as_written)
        return Verdict.CORRECTED if refuted and proved else Verdict.INCONCLUSIVE
    if proved:
        return Verdict.PROVED
    return Verdict.SUPPORTED if supported else Verdict.INCONCLUSIVE


def _proves(e: Evidence) -> bool:
    symbolic = isinstance(e, Proof) or (isinstance(e, Conformance) and e.method != "probing")
    return symbolic and e.outcome is Outcome.HOLDS


def _supports(e: Evidence) -> bool:
    return isinstance(e, (Experiment, Conformance)) and e.outcome is Outcome.HOLDS


# exit codes of a run, worst first
USAGE, NOTHING_SELECTED = 2, 5


def exit_code(verdicts: Sequence[Verdict], *, strict: bool = False) -> int:
    """0 nothing refuted, 1 refuted, 3 internal error, 4 undecided under ``strict``, 5 nothing selected."""
    if not verdicts:
        return NOTHING_SELECTED
    if Verdict.INTERNAL_ERROR in verdicts:
        return 3
    if Verdict.REFUTED in verdicts:
        return 1
    undecided = {Verdict.UNSUPPORTED, Verdict.INCONCLUSIVE}
    return 4 if strict and undecided & set(verdicts) else 0
