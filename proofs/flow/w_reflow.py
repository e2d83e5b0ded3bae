r"""In one dimension the flow is the quantile map, and one reflow makes it straight.

The distribution function F_t of the state does not change along the flow: given x it falls by kernel times
velocity, and rises by the density times the motion. So the flow takes quantiles to quantiles, and is
increasing: T' = p_0 / p_1 > 0. Joined by straight lines, Z = (1 - t) x + t T(x), an increasing pair never
crosses: Z increases in x, so the state determines the pair, its velocity is T(x) - x with no spread, and one
Euler step of any length is exact. The ends keep their laws, but not the states between: for normal data the
variances differ by 2 t (1 - t) c.

(Decided: the rate of F_t along the flow where there is signal and noise; the ends are limits. T' is the
derivative of F_1(T(x)) = F_0(x).)

In any dimension the mean squared distance of the pairs falls, from that of noise and data taken
independently, by the spread of the velocity given the state plus the spread of the mean velocity along a
trajectory, both averaged over time: means over states and times are exchanged, and z_t has the law p_t.

Not claimed: that one reflow is straight in several dimensions; a learned velocity; convergence of further
reflows.
"""

from collections.abc import Iterable

from sympy import S, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.predictions import eps_from_x
from equiv.formulas.steps import flow_euler_step
from equiv.proofs._calculus import mean, rate
from equiv.proofs._densities import averaged, posterior, velocity, x, z
from equiv.proofs._rates import total_rate
from equiv.proofs._symbols import inside, now, s, t

CLAIM = Claim(
    id="w-reflow",
    title="Reflow in one dimension is straight at once",
    statement=r"F_t(z_t) = F_s(z_s); \qquad Z_t = (1 - t) z_0 + t z_1:\ \mathrm{Var}(\dot Z | Z_t) = 0;"
    r" \qquad z_t \sim p_t:\ "
    r" E \lVert \epsilon - x \rVert^2 - E \lVert z_1 - z_0 \rVert^2 = \int_0^1 E\, \mathrm{tr\, Cov}"
    r"(\epsilon - x | z_t)\, dt + \int_0^1 E \lVert u_t - (z_1 - z_0) \rVert^2 dt",
    source=Source(seed="003", section="Diving deeper into samplers", equation="the Reflow operation"),
    needs=("o-continuity", "o-likelihood", "w-cfm-equals-fm"),
    cites=(
        "Picard-Lindeloef theorem, for the flow through every point",
        "dominated convergence, for derivatives under the integrals",
        "Fubini's theorem, for means over states and times",
    ),
)

c, p_0, p_1 = symbols("c p_0 p_1", positive=True)
y, partner, at_time, between, of_square, square = symbols("y T(x) w ubar E[u^2] E[U^2]", real=True)


def derivation() -> Derivation:
    return Derivation(chains=(*_quantiles(), *_straight(), *_cost()), hypotheses=(inside(t), inside(s)))


def _quantiles() -> Iterable[Chain]:
    off = eps_from_x(z, x, now)
    yield chain(
        "Given x, the distribution function falls, per kernel",
        now.sigma * total_rate(off),
        ("it is that of eps at (z - alpha x) / sigma", -velocity()),
    )
    yield chain(
        "Given x, it rises with the state, per kernel", now.sigma * rate(off, z), ("by the kernel", S.One)
    )
    yield chain(
        "Along the flow, for data of any law",
        averaged(now.sigma * total_rate(off)) + posterior(velocity()) * averaged(S.One),
        ("the mean velocity times the density", -averaged(velocity()) + averaged(velocity())),
        ("it does not change", S.Zero),
    )


def _straight() -> Iterable[Chain]:
    joined = (1 - t) * x + t * partner
    # F_1(T(x)) = F_0(x), differentiated
    rise = p_0 / p_1
    yield chain(
        "The straight line rises with x",
        rate(joined, x) + rate(joined, partner) * rise,
        ("as a sum of positive terms", (1 - t) + t * p_0 / p_1),
    )
    yield chain("Its velocity", rate(joined), ("which x determines, and so does the state", partner - x))
    yield chain(
        "An Euler step of any length",
        flow_euler_step(joined, partner - x, t, s),
        ("a point of the same line", (1 - s) * x + s * partner),
    )
    yield chain(
        "Normal data: the variance between the ends",
        ((1 - t) * c + t) ** 2,
        ("more than that of the first flow", ((1 - t) ** 2 * c**2 + t**2) + 2 * t * (1 - t) * c),
    )


def _cost() -> Iterable[Chain]:
    """U is eps - x, of one law at every time; u its mean given the state; ubar that of u over time."""
    over_time = {0: S.One, 1: between, 2: of_square}
    yield chain(
        "The spread of the mean velocity over time",
        mean((at_time - between) ** 2, at_time, over_time),
        ("ubar is z_1 - z_0", of_square - between**2),
    )
    yield chain(
        "What the mean squared distance loses",
        square - between**2,
        (
            "the spread given the state, and that over time",
            (square - of_square) + mean((at_time - between) ** 2, at_time, over_time),
        ),
    )
    spread = (1 - t) ** 2 * c**2 + t**2
    yield chain(
        "Normal data: the mean squares of u and of what it leaves out",
        rate(sqrt(spread)) ** 2 + c**2 / spread,
        ("that of eps - x, at every time", 1 + c**2),
    )


def false_variants() -> Iterable[Variant]:
    spread = (1 - t) ** 2 * c**2 + t**2
    within = (inside(t), inside(s))
    yield Variant(
        name="normal data: reflow keeps the states between",
        left=((1 - t) * c + t) ** 2,
        right=spread,
        hypotheses=within,
    )
    yield Variant(
        name="normal data: an Euler step of the first flow is exact",
        left=flow_euler_step(sqrt(spread), rate(sqrt(spread)), t, s),
        right=sqrt((1 - s) ** 2 * c**2 + s**2),
        hypotheses=within,
    )
    yield Variant(name="normal data: reflow keeps the squared distance", left=(1 - c) ** 2, right=1 + c**2)
    yield Variant(
        name="the decreasing pair, where all its lines meet, has one velocity",
        left=-x / c - x,
        right=-y / c - y,
    )
    yield Variant(
        name="the spread over time is all that is lost",
        left=square - between**2,
        right=mean((at_time - between) ** 2, at_time, {0: S.One, 1: between, 2: of_square}),
    )
