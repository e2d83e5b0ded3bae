"""Are two samplers the same for every network? As steps, as they come, and on a common grid."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import msgspec
from flint import arb

from equiv.fingerprint import AffineStep, Difference, Fingerprint, difference, fingerprint
from equiv.lifting.refusal import Unsupported
from equiv.lookup import Unknown
from equiv.obligations import lifted
from equiv.obligations.networks import output_for
from equiv.obligations.steps import replaced
from equiv.subjects.subject import Gauge, LiftedStep, Subject, resolve
from equiv.symbolic import balls
from equiv.symbolic.conditions import is_free
from equiv.symbolic.decision import Decision, Different, Domain, Equal, Undecided, decide
from equiv.symbolic.expression import Expr, Relation, const, substitute, symbol, symbols, text

Depth = Literal["steps", "samplers", "common-grid"]
Answer = Literal["same", "different", "undecided"]
CALLS = 4  # of the common grid: a first, two inner ones and the last
STEPS = 10  # of a sampler on its own grid

_SCALE = {
    "variance preserving": "sqrt(alpha^2 + sigma^2)",
    "variance exploding": "alpha",
    "flow": "(alpha + sigma)",
}
ZERO, ONE = const(0), const(1)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """The answer at one depth, in words."""

    depth: Depth
    answer: Answer
    text: str

    @property
    def exit_code(self) -> int:
        return {"same": 0, "different": 1, "undecided": 4}[self.answer]


class NotAffine(Exception):
    """The sampler is outside the class that a fingerprint describes; the text says why."""


def compare(first: str, second: str, depth: Depth) -> Reading:
    """Compare two samplers at one depth.

    Raises:
        Unknown: there is no such subject; or the library is not installed.
    """
    subjects = resolve(first), resolve(second)
    if stranger := next((s for s in subjects if s.family != "scheduler"), None):
        raise Unknown(
            f"compare needs schedulers, such as diffusers.DDIMScheduler; {stranger.name} is a function"
        )
    try:
        answer, says = DEPTHS[depth](*subjects)
    except (NotAffine, Unsupported) as why:
        answer, says = "undecided", str(why)
    return Reading(depth=depth, answer=answer, text=f"{answer.upper()}: {says}{_switched_off(*subjects)}")


def _steps(a: Subject, b: Subject) -> tuple[Answer, str]:
    """One inner step between any two levels."""
    r_t, r_s = _ratio("r_t"), _ratio("r_s")
    inside = Domain(Relation(r_s, "<", r_t))
    (left, given), (right, also) = (_affine(s, _inner(s), r_t, r_s) for s in (a, b))
    conditions = [*given, *also]
    for name in ("state", "output", "variance"):
        decision = decide(getattr(left, name), getattr(right, name), inside)
        if not isinstance(decision, Equal):
            return _not_equal(
                f"the coefficient of the {name}" if name != "variance" else "the noise", decision
            )
        conditions += _open(decision)
    text = f"one step is the same for every network and any two levels{_gauge_change(a, b)}"
    return "same", text + _where(conditions)


def _common_grid(a: Subject, b: Subject) -> tuple[Answer, str]:
    """Both samplers on the same levels, down to the clean end."""
    ratios = [_ratio(f"r_{j}") for j in range(CALLS)]
    falling = Domain(*(Relation(low, "<", high) for high, low in pairwise(ratios)))
    prints: list[Fingerprint] = []
    conditions: list[str] = []
    for s in (a, b):
        inner, last = _inner(s), _all_steps(s)[-1]
        if not _is_clean(last):
            raise NotAffine(f"{s.name} does not end at the clean end: its grid cannot be the other's")
        steps = [_affine(s, inner, t, to) for t, to in pairwise(ratios)]
        steps.append(_affine(s, last, ratios[-1], ZERO))
        prints.append(fingerprint([step for step, _ in steps]))
        conditions += [text for _, given in steps for text in given]
    found = difference(prints[0], prints[1], falling)
    if isinstance(found, Difference):
        return _not_equal(f"{found.entry} of the fingerprint", found.decision)
    text = (
        f"on a common grid the samples are the same for every network{_gauge_change(a, b)} "
        f"({CALLS} calls at any falling levels, the last to the clean end)"
    )
    return "same", text + _where([*conditions, *found.conditions])


def _samplers(a: Subject, b: Subject) -> tuple[Answer, str]:
    """Each as it comes, on its own grid."""
    grids = [[_told(step) for step in _all_steps(s)] for s in (a, b)]
    for j, (left, right) in enumerate(zip(*grids, strict=True)):
        if left == right or (left is not None and right is not None and left.overlaps(right)):
            continue
        where = "the starting level" if j == 0 else f"the level of call {j}"
        shown = " against ".join("infinite" if r is None else balls.show(r, 6) for r in (left, right))
        return "different", f"on their own grids of {STEPS} steps, first at {where}: sigma/alpha is {shown}"
    answer, says = _common_grid(a, b)
    return answer, f"the grids of {STEPS} steps agree to rounding; {says}"


DEPTHS = {"steps": _steps, "samplers": _samplers, "common-grid": _common_grid}


# --- one step as a row of the fingerprint ---------------------------------------------------------------


def _affine(subject: Subject, step: LiftedStep, r_t: Expr, r_s: Expr) -> tuple[AffineStep, list[str]]:
    """The step between the noise ratios ``r_t`` and ``r_s``, in the gauge z/alpha and in x_hat.

    With it, the conditions on which it is affine.

    Raises:
        NotAffine: the step is not affine, or uses levels that the scheduler does not list.
    """
    y, x = symbol("y"), symbol("x_hat", "network")
    result = replaced(step, step.now.alpha * y, output_for(step, x))
    result = substitute(result, {step.state: step.now.alpha * y}) / step.then.alpha
    levels = _levels(subject, step, r_t, r_s)
    result = substitute(result, levels)
    noise = step.noise
    unit = {
        "y": {y: ONE, x: ZERO, noise: ZERO},
        "x": {y: ZERO, x: ONE, noise: ZERO},
        "n": {y: ZERO, x: ZERO, noise: ONE},
    }
    state, output, drawn = (substitute(result, values) for values in unit.values())
    affine = decide(result, state * y + output * x + drawn * noise, Domain(Relation(r_s, "<", r_t)))
    if not isinstance(affine, Equal):
        raise NotAffine(f"a step of {subject.name} is not affine in its state and the network's output")
    row = AffineStep(told=r_t, state=state, output=output, variance=drawn * drawn)
    taken = [str(a.relation) for a in step.assumptions if a.relation is not None]
    return row, [*_open(affine), *taken]


def _levels(subject: Subject, step: LiftedStep, r_t: Expr, r_s: Expr) -> dict[Expr, Expr]:
    """The schedule's symbols in terms of the noise ratios of the two levels."""
    found: dict[Expr, Expr] = {}
    for level, r in ((step.now, r_t), (step.then, r_s)):
        for s in symbols(level.alpha, level.sigma):
            found[s] = _buffer_value(subject.gauge, r)
    strangers = [s for s in symbols(step.output) if not is_free(s) and s not in found]
    if strangers:
        raise NotAffine(f"a step of {subject.name} uses {text(strangers[0])}, a level that it does not list")
    return found


def _buffer_value(gauge: Gauge, r: Expr) -> Expr:
    match gauge:
        case "variance preserving":
            return 1 / (1 + r * r)
        case "variance exploding":
            return r
        case "flow":
            return r / (1 + r)


def _ratio(name: str) -> Expr:
    return symbol(name, "schedule", positive=True)


def _all_steps(subject: Subject) -> Sequence[LiftedStep]:
    config = {k: values[0] for k, values in subject.options.items()} | {"steps": str(STEPS)}
    if "clip_sample" in config:
        config["clip_sample"] = "False"
    return lifted(subject.name, config)


def _inner(subject: Subject) -> LiftedStep:
    """A step between two inner levels. All inner steps must be the same formula.

    Raises:
        NotAffine: they are not.
    """
    inner = [s for s in _all_steps(subject) if symbols(*s.now) and symbols(*s.then)]
    if len({s.key for s in inner}) != 1:
        raise NotAffine(f"the inner steps of {subject.name} are not one formula")
    return inner[0]


def _is_clean(step: LiftedStep) -> bool:
    return not symbols(*step.then) and step.then.sigma is ZERO


def _told(step: LiftedStep) -> arb | None:
    """sigma/alpha of the listed level, within float32's rounding of the table; None: infinite."""
    alpha, sigma = (balls.evaluate(e, step.point, rounding=2.0**-23) for e in step.now)
    return None if alpha == 0 else sigma / alpha


# --- words ------------------------------------------------------------------------------------------------


def _not_equal(what: str, decision: Decision) -> tuple[Answer, str]:
    match decision:
        case Different(witness=w):
            at = ", ".join(f"{k} = {v}" for k, v in w.inputs.items())
            return "different", f"{what} is {w.got} against {w.expected} at {at}"
        case Undecided(reason=reason):
            return "undecided", f"{what}: {reason}"
    return "undecided", f"{what}: proved and refuted at once"


def _open(decision: Equal) -> list[str]:
    return [c.text for c in decision.conditions if not c.discharged]


def _where(conditions: Sequence[str]) -> str:
    """The conditions, shortest first: long ones repeat what short ones say of other levels."""
    texts = sorted(dict.fromkeys(conditions), key=len)
    return f"; wherever {' and '.join(texts)}" if texts else ""


def _gauge_change(a: Subject, b: Subject) -> str:
    return "" if a.gauge == b.gauge else f", after z -> z/{_SCALE[b.gauge]}"


def _switched_off(*subjects: Subject) -> str:
    names = [s.name for s in subjects if s.options.get("clip_sample", ("False",))[0] == "True"]
    return f"; with clip_sample=False for {', '.join(names)}, which clips x_hat by default" if names else ""
