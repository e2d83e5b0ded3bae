"""The HTML page: one file, no network, no fonts, readable without its script."""

import base64
import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import jinja2
import msgspec
from markupsafe import Markup

from equiv.evidence import Conformance, Experiment, Failure, KernelProof, Outcome, Proof
from equiv.groups import Atlas
from equiv.report.chart import picture
from equiv.report.figures import figure
from equiv.report.mathml import mathml
from equiv.result import Result, Run
from equiv.verdict import Verdict

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

# worst news first
MARKS = {
    Verdict.INTERNAL_ERROR: ("‼", "the same statement is both proved and refuted: a defect of this tool"),
    Verdict.REFUTED: ("✗", "a concrete input at which the two sides differ, certified and seen again"),
    Verdict.INCONCLUSIVE: ("?", "nothing was decided: too weak, crashed, timed out or never applicable"),
    Verdict.UNSUPPORTED: ("∅", "the code left what can be read; it says where"),
    Verdict.CORRECTED: ("≠", "refuted as its source has it; the corrected statement is proved"),
    Verdict.SUPPORTED: ("≈", "measured within a derived bound, on the inputs counted and no others"),
    Verdict.PROVED: ("✓", "equality decided on the stated domain, under the conditions listed"),
}
UNDECIDED = (Verdict.INTERNAL_ERROR, Verdict.INCONCLUSIVE, Verdict.UNSUPPORTED)


class Finding(msgspec.Struct, frozen=True):
    """Results that say the same of the same subject; the first stands for all."""

    results: tuple[Result, ...]

    @property
    def first(self) -> Result:
        return self.results[0]


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """The table of one implementation under test: a row a configuration, a column an obligation."""

    name: str
    constant: dict[str, str]  # settings that all rows share
    keys: tuple[str, ...]  # settings that vary
    obligations: dict[str, str]  # id to title
    rows: tuple[tuple[tuple[str, ...], dict[str, Result]], ...]  # values of the keys; obligation id to result
    results: tuple[Result, ...]  # worst news first


def page(run: Run, kernel_files: Collection[str] = (), atlas: Atlas | None = None) -> str:
    """The whole report as one HTML document, with links to those files in ``kernel/`` beside it."""
    style, script = _asset("style.css"), _asset("page.js")
    anchors = _anchors(run.results)
    return (
        _environment()
        .get_template("page.html.jinja")
        .render(
            run=run,
            style=Markup(style),
            script=Markup(script),
            policy=f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
            "base-uri 'none'; form-action 'none'",
            anchor=lambda result: anchors[result.task.name, result.task.seed],
            counts=tally(run.results),
            claims=[r for r in run.results if r.task.kind == "claim"],
            libraries=_libraries(run.results),
            experiments=_group((r for r in run.results if r.task.kind == "experiment"), lambda r: r.task.id),
            refuted=_findings(run.results, (Verdict.REFUTED,)),
            undecided=_findings(run.results, UNDECIDED),
            kernel=kernel_total(run.results),
            kernel_files=kernel_files,
            atlas=atlas,
            chart=Markup(picture(atlas)) if atlas else "",
            seeds=sorted({r.task.seed for r in run.results if r.task.kind != "claim"}),
        )
    )


def repr_html(result: Result) -> str:
    """One result for a notebook: the same fragment as on the page, with its style."""
    parts: Any = _environment().get_template("parts.html.jinja").module
    body = (
        parts.claim(result, _slug(result))
        if result.task.kind == "claim"
        else parts.result(result, _slug(result))
    )
    return str(Markup("<style>{}</style>{}").format(Markup(_asset("style.css")), body))


def tally(results: Iterable[Result]) -> dict[Verdict, int]:
    """How many results have each verdict, worst news first."""
    counted = Counter(r.verdict for r in results)
    return {verdict: counted[verdict] for verdict in MARKS if counted[verdict]}


def kernel_total(results: Iterable[Result]) -> str:
    """What the second kernel accepted of all claims, or why nothing; empty where it was not asked."""
    proofs = [e for r in results for e in r.evidence if isinstance(e, KernelProof)]
    asked = [p for p in proofs if p.version]
    if not asked:
        return "; ".join(sorted({p.counted for p in proofs}))
    links, variants = (sum(counts) for counts in zip(*(p.wanted for p in asked), strict=True))
    accepted = (
        f"{sum(len(p.links) for p in asked)} of {links} links, "
        f"{sum(len(p.variants) for p in asked)} of {variants} false variants"
    )
    whole = sum(p.outcome is Outcome.HOLDS for p in asked)
    return f"{accepted} accepted by Rocq {asked[0].version}; {whole} of {len(proofs)} claims whole"


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("equiv.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "math": mathml,
        "number": number,
        "figure": lambda data, name: figure(name, data),
        "kind": lambda evidence: type(evidence).__name__,
        "css": lambda verdict: verdict.name.lower().replace("_", "-"),
        "tally": tally,
        "chains": lambda equalities: _group(equalities, lambda e: e.title),
        "count": lambda n, noun, plural=None: f"{n} {noun if n == 1 else plural or noun + 's'}",
        "total": lambda results, verdict: sum(r.verdict is verdict for r in results),
    }
    environment.globals |= {
        "kernel_files": (),
        "marks": MARKS,
        "Verdict": Verdict,
        "witness_of": witness_of,
        "reason_of": reason_of,
        "ratio": ratio,
    }
    return environment


def number(value: float) -> str:
    """Three digits; what is not finite stays in words."""
    return f"{value:.3g}" if math.isfinite(value) else str(value)


def ratio(e: Experiment) -> Markup:
    """How much of the bound was used, as a bar; none where there is no telling."""
    used = e.worst / e.bound if e.bound else math.nan
    if math.isnan(used):
        return Markup()
    shape = (
        '<svg class="used {}" viewBox="0 0 100 6" aria-hidden="true">'
        '<rect width="100" height="6"/><rect width="{:.1f}" height="6"/></svg>'
    )
    return Markup(shape).format("over" if used > 1 else "", 100 * min(max(used, 0.01), 1))


def witness_of(result: Result) -> Any:
    """The first witness against the statement or the subject, or None."""
    against = [e for e in result.evidence if not (isinstance(e, Proof) and e.about == "as written")]
    return next((e.witness for e in against if not isinstance(e, Failure) and e.witness), None)


def reason_of(result: Result) -> str:
    """Why nothing was decided, in the words of the evidence."""
    for e in result.evidence:
        match e:
            case Failure():
                return f"{e.kind}: {e.reason}"
            case Conformance(reason=reason) if reason:
                return reason
            case Conformance(witness=witness, reproduced=False) if witness:
                return "a witness was found, but the library run alone does not show it"
            case Proof(undecided=undecided) if undecided:
                return undecided
            case Proof(equalities=equalities, surviving_variants=surviving):
                if surviving:
                    return f"does not refute the false variant: {', '.join(surviving)}"
                if reasons := [q.reason for q in equalities if q.reason]:
                    return reasons[0]
            case Experiment(cases=0):
                return "no input met the hypotheses"
            case Experiment(surviving_variants=surviving) if surviving:
                return f"the bound also admits: {', '.join(surviving)}"
            case Experiment() if math.isnan(e.worst) or math.isnan(e.bound):
                return "the measured error or its bound is not a number"
    return "the evidence does not suffice" if result.evidence else "no evidence"


def _group(items: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def _findings(results: Iterable[Result], verdicts: Sequence[Verdict]) -> list[Finding]:
    """Results with one of the verdicts, put together where subject, obligation and cause are the same."""

    def cause(r: Result) -> tuple[str, ...]:
        defect = next((e.defect.value for e in r.evidence if isinstance(e, Conformance)), "")
        reason = reason_of(r) if r.verdict in UNDECIDED else ""
        return r.verdict.value, r.task.id, r.task.subject, defect, reason

    chosen = [r for r in results if r.verdict in verdicts]
    return [Finding(tuple(group)) for group in _group(chosen, cause).values()]


def _libraries(results: Iterable[Result]) -> dict[str, list[Subject]]:
    checks = [r for r in results if r.task.kind == "check"]
    subjects = [_subject(name, group) for name, group in _group(checks, lambda r: r.task.subject).items()]
    return _group(subjects, lambda s: _library(s.name))


def _library(subject: str) -> str:
    return subject.partition(":")[0] if re.search(r"[/:]", subject) else subject.partition(".")[0]


def _subject(name: str, results: Sequence[Result]) -> Subject:
    settings = [_settings(r) for r in results]
    names = list(dict.fromkeys(key for s in settings for key in s))
    varying = tuple(key for key in names if len({s.get(key) for s in settings}) > 1)
    rows: dict[tuple[str, ...], dict[str, Result]] = {}
    for r, s in zip(results, settings, strict=True):
        rows.setdefault(tuple(s.get(key, "default") for key in varying), {})[r.task.id] = r
    order = list(MARKS)
    return Subject(
        name=name,
        constant={key: value for key, value in settings[0].items() if key not in varying},
        keys=varying,
        obligations={r.task.id: r.title for r in results},
        rows=tuple(rows.items()),
        results=tuple(sorted(results, key=lambda r: order.index(r.verdict))),
    )


def _settings(result: Result) -> dict[str, str]:
    task = result.task
    extra = {"dtype": task.dtype, "device": task.device, "seed": str(task.seed)}
    return {**task.config, **{key: value for key, value in extra.items() if value}}


def _anchors(results: Iterable[Result]) -> dict[tuple[str, int], str]:
    """An element id for each task, unique, and the same in every run."""
    taken: dict[str, int] = {}
    anchors = {}
    for r in results:
        slug = _slug(r)
        taken[slug] = taken.get(slug, 0) + 1
        anchors[r.task.name, r.task.seed] = slug if taken[slug] == 1 else f"{slug}--{taken[slug]}"
    return anchors


def _slug(result: Result) -> str:
    return re.sub(r"[^A-Za-z0-9.=_]+", "-", result.task.name).strip("-")


def _asset(name: str) -> str:
    return files("equiv.report").joinpath(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
