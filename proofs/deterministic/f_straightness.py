r"""Which schedule has the straighter paths, by the width of normal data.

For data N(m, c^2) the exact path is z_t = alpha m + sqrt(V) w (f-gaussian-ddim). Its acceleration on the
flow-matching schedule is c^2 / V^(3/2) w, which is never zero but vanishes as c goes to zero or to
infinity; on the variance-preserving cosine schedule it is zero throughout exactly if c = 1 and m = 0. With
S the integral of E (z' - (z_1 - z_0))^2, per dimension, flow matching has c (2 - pi/2), and cosine (1 -
c)^2 (pi^2/8 - 1) + m^2 (pi^2/8 - 1). So with m = 0 the cosine schedule is the straighter exactly between
two widths, c_+ and c_- = 1 / c_+, the roots of c + 1/c = 2 + (2 - pi/2) / (pi^2/8 - 1) (about 0.281 and
3.555): not for all wide data, as the source says.

The integrals: by the angle theta with tan theta = sigma / (c alpha), c / V dt is d theta on the
flow-matching schedule (and by the angle phi on cosine), and theta runs over a quarter turn, as neither
coordinate changes its sign. What else is integrated is a polynomial or trigonometric.

Not claimed: other measures of straightness, whose windows differ; other data; the variance-preserving
schedule that is a rescaled flow-matching schedule.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, Lt, Max, S, cos, pi, sin, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level
from equiv.formulas.schedules import cosine, flow_matching
from equiv.proofs._calculus import at, rate
from equiv.proofs._symbols import inside, noise, t

CLAIM = Claim(
    id="f-straightness",
    title="Which schedule is straighter, by the width of the data",
    statement=r"S_{\mathrm{FM}} = c \left(2 - \tfrac\pi2\right), \qquad"
    r" S_{\cos} = \left((1 - c)^2 + m^2\right) \left(\tfrac{\pi^2}8 - 1\right), \qquad"
    r" m = 0:\ S_{\cos} < S_{\mathrm{FM}} \iff c + \tfrac1c < 2 + \frac{2 - \pi/2}{\pi^2/8 - 1}",
    source=Source(seed="003", section="Sampling", equation="the slider of the data's variance"),
    needs=("f-gaussian-ddim",),
    erratum="E9",
    as_written=r"c \text{ large} \implies S_{\cos} \le S_{\mathrm{FM}}",
)

m = symbols("m", real=True)
c, phi = symbols("c phi", positive=True)
FLOW, COSINE = 2 - pi / 2, pi**2 / 8 - 1


def _spread(level: Level[Any]) -> Any:
    return level.alpha**2 * c**2 + level.sigma**2


def _of_flow() -> Any:
    return c * FLOW


def _of_cosine() -> Any:
    return (1 - c) ** 2 * COSINE


def derivation() -> Derivation:
    return Derivation(
        chains=(*_acceleration(), *_quarter_turns(), *_flow(), *_cosine(), *_window()),
        hypotheses=(inside(t), Gt(cos(phi), 0, evaluate=False)),
    )


def _turned(angle: Any) -> Level[Any]:
    return Level(cos(angle), sin(angle))


def _acceleration() -> Iterable[Chain]:
    spread = _spread(flow_matching(t))
    yield chain(
        "Flow matching: the acceleration per w",
        rate(rate(sqrt(spread))),
        ("V is quadratic in t with the discriminant -4 c^2", c**2 / spread ** (S(3) / 2)),
    )
    spread = _spread(_turned(phi))
    yield chain(
        "Cosine: the acceleration per w, by the angle",
        rate(rate(sqrt(spread), phi), phi),
        (
            "differentiate twice",
            (1 - c**2) * (c**2 * cos(phi) ** 4 - sin(phi) ** 4) / spread ** (S(3) / 2),
        ),
    )


def _quarter_turns() -> Iterable[Chain]:
    """The angle of (c alpha, sigma) / sqrt(V) turns at the rate c / V, on either schedule."""
    for name, level, time in (("flow matching", flow_matching(t), t), ("cosine", _turned(phi), phi)):
        root = sqrt(_spread(level))
        x, y = c * level.alpha / root, level.sigma / root
        yield chain(f"On {name}, a point of the unit circle", x**2 + y**2, ("V is its radius squared", S.One))
        yield chain(
            f"On {name}, its angle turns at",
            x * rate(y, time) - y * rate(x, time),
            ("by quotients", c / root**2),
        )
    for name, ends in (
        ("flow matching", (flow_matching(S.Zero), flow_matching(S.One))),
        ("cosine", (_turned(S.Zero), _turned(pi / 2))),
    ):
        first, last = (end.alpha * m + end.sigma * noise for end in ends)
        yield chain(f"On {name}, it starts along x", first, ("no noise", m))
        yield chain(f"On {name}, it ends a quarter turn later", last, ("no signal", noise))


def _flow() -> Iterable[Chain]:
    spread = _spread(flow_matching(t))
    yield chain(
        "Flow matching: the square of the rate of sqrt(V)",
        rate(sqrt(spread)) ** 2,
        ("V'^2 / (4 V) is 1 + c^2 - c^2 / V", 1 + c**2 - c * (c / spread)),
    )
    yield chain(
        "Flow matching: the integral, less the square of the chord",
        1 + c**2 - c * (pi / 2) - (1 - c) ** 2,
        ("the integral of c / V is pi / 2", _of_flow()),
    )
    yield chain(
        "Flow matching: the mean moves on a line", rate(rate(flow_matching(t).alpha * m)), ("affine", S.Zero)
    )


def _cosine() -> Iterable[Chain]:
    spread = _spread(_turned(phi))
    yield chain(
        "Cosine: the square of the rate of sqrt(V), by the angle",
        rate(sqrt(spread), phi) ** 2,
        ("(c^2 - 1)^2 sin^2 cos^2 is (V - 1)(c^2 - V)", 1 + c**2 - spread - c * (c / spread)),
    )
    half_turn = sin(phi) * cos(phi)
    rising = (1 + c**2) * phi - (c**2 * (phi + half_turn) + phi - half_turn) / 2
    yield chain("Cosine: what is integrated by phi", rate(rising, phi), ("differentiate", 1 + c**2 - spread))
    yield chain(
        "Cosine: its integral over a quarter turn",
        at(rising, phi, pi / 2) - at(rising, phi, 0) - c * (pi / 2),
        ("the integral of c / V is pi / 2", pi / 4 * (1 - c) ** 2),
    )
    yield chain(
        "Cosine: the angle is pi t / 2, so the integral over t is pi/2 times that; less the chord",
        pi / 2 * (pi / 4 * (1 - c) ** 2) - (1 - c) ** 2,
        ("collect", _of_cosine()),
    )
    mean, angle = cosine(t).alpha * m, pi * t / 2
    rising = m**2 * (pi / 4) * (angle - sin(angle) * cos(angle))
    yield chain(
        "Cosine: the square of the rate of the mean", rate(mean) ** 2, ("a derivative of", rate(rising))
    )
    yield chain(
        "Cosine: what the mean adds, less the square of its chord",
        at(rising, t, 1) - at(rising, t, 0) - (at(mean, t, 1) - at(mean, t, 0)) ** 2,
        ("the mean of sine squared is a half", m**2 * COSINE),
    )


def _window() -> Iterable[Chain]:
    total = 2 + FLOW / COSINE
    root = sqrt(total**2 - 4)
    upper, lower = (total + root) / 2, (total - root) / 2
    yield chain(
        "The difference of the two, in widths",
        (_of_flow() - _of_cosine()) / (c * COSINE),
        ("(1 - c)^2 / c is c + 1/c - 2", total - (c + 1 / c)),
    )
    yield chain(
        "The difference by the two roots",
        _of_flow() - _of_cosine(),
        ("a quadratic with roots c_+ and c_-, positive between them", COSINE * (upper - c) * (c - lower)),
    )
    yield chain("The roots are reciprocal", upper * lower, ("their product", S.One))


def false_variants() -> Iterable[Variant]:
    spread = _spread(flow_matching(t))
    yield Variant(
        name="flow matching is straight for every width",
        left=rate(rate(sqrt(spread))),
        right=S.Zero,
        hypotheses=(inside(t),),
    )
    yield Variant(
        name="cosine is straight for every width",
        left=rate(sqrt(_spread(_turned(phi))), phi),
        right=S.Zero,
        hypotheses=(Gt(cos(phi), 0, evaluate=False),),
    )
    yield Variant(
        name="both are equally straight at unit width",
        left=at(_of_flow(), c, 1),
        right=at(_of_cosine(), c, 1),
    )
    yield Variant(
        name="flow matching is straighter at every width",
        left=Max(_of_flow() - _of_cosine(), 0),
        right=S.Zero,
        hypotheses=(Gt(c, S.Half, evaluate=False), Lt(c, 2, evaluate=False)),
    )


def as_written() -> Iterable[Variant]:
    yield Variant(
        name="for wide data cosine is at least as straight",
        left=Max(_of_cosine() - _of_flow(), 0),
        right=S.Zero,
        hypotheses=(Gt(c, 4, evaluate=False),),
    )
