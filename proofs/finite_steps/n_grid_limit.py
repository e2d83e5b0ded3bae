r"""On normal data N steps of DDIM lose the integral of theta'^2 over 2 N, but for terms of second order.

Let theta(u) be a grid of angles, tan(theta) = sigma / (c alpha), with |theta'| <= G and |theta''| <= B, and
D_i < pi/2 the angles of its N steps of length h = 1 / N. The ratio of deviations is the product of cos(D_i)
(n-gaussian-grid). In a step theta' has the mean F = D_i / h and moves by at most B h, so that the integral I
of theta'^2 exceeds N sum(D_i^2) by a sum of variances, at most B^2 h^2. As tan(D) / D grows, tan(D) is at
most k D, where k is that quotient at the largest step, and tends to one. So the curve -log cos(D) lies
between D^2 / 2 and D^2 / 2 + k^2 D^4 / 12, and w = -log of the ratio has N w between (I - B^2 h^2) / 2 and
W = (1 + k^2 G^2 h^2 / 6) I / 2, as no D is above G h. And 1 - exp(-w) is between w - w^2 / 2 and w. So N
times the loss lies below I / 2 by at most (B^2 h^2 + W^2 h) / 2, and above it by at most k^2 G^2 h^2 I / 12:
the limit is I / 2.

Not claimed: grids that are not twice differentiable; stochastic samplers (n-stochastic-grid).
"""

from collections.abc import Iterable

from sympy import Gt, Lt, S, cos, exp, log, pi, sin, symbols, tan

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import mean, rate

CLAIM = Claim(
    id="n-grid-limit",
    title="What a fine grid loses on normal data",
    statement=r"-\tfrac12 \left(\frac{B^2}{N^2} + \frac{W^2}N\right) \le N \left(1 - \prod_i \cos"
    r" \Delta\theta_i\right) - \tfrac12 \int_0^1 \theta'^2\, du \le \frac{k^2 G^2}{12 N^2} \int_0^1"
    r" \theta'^2\, du, \qquad |\theta'| \le G,\ |\theta''| \le B,\ k = \max_i \frac{\tan\Delta\theta_i}"
    r"{\Delta\theta_i},\ \Delta\theta_i < \tfrac\pi2,\ W = \tfrac12 \left(1 + \frac{k^2 G^2}{6 N^2}\right)"
    r" \int_0^1 \theta'^2\, du",
    source=Source(
        seed="003", section="Sampling", equation="implied: the best integrator depends on the data"
    ),
    needs=("n-gaussian-grid", "n-fm-vs-cosine-grid"),
    cites=("induction over steps, for the sums over the grid",),
)

D, w, h, k, G, B, I, N, W = symbols("D w h k G B I N W", positive=True)
f, average, square, missed = symbols("f F q x", real=True)
MOMENTS = {0: S.One, 1: average, 2: square}


def derivation() -> Derivation:
    return Derivation(
        chains=(*_within_a_step(), *_curve(), *_exponential(), *_together()),
        hypotheses=(Gt(cos(D), 0, evaluate=False),),
    )


def _within_a_step() -> Iterable[Chain]:
    yield chain(
        "The integral of theta'^2 over a step, less D^2 / h",
        h * square - (h * average) ** 2 / h,
        ("a variance", h * mean((f - average) ** 2, f, MOMENTS)),
    )
    yield chain(
        "The variance is at most the square of what theta' can move by",
        (B * h) ** 2 - (f - average) ** 2,
        ("not negative", (B * h - (f - average)) * (B * h + (f - average))),
    )


def _curve() -> Iterable[Chain]:
    quartic = k**2 * D**4 / 12
    yield chain(
        "-log cos(D) lies above D^2 / 2: their distance from zero on grows",
        rate(-log(cos(D)) - D**2 / 2, D),
        ("differentiate", tan(D) - D),
    )
    yield chain("... and that too, from zero on", rate(tan(D) - D, D), ("not negative", tan(D) ** 2))
    yield chain(
        "tan(D) / D grows",
        rate(tan(D) / D, D),
        ("differentiate", (D - sin(D) * cos(D)) / (D * cos(D)) ** 2),
    )
    yield chain(
        "... as what is above grows from zero",
        rate(D - sin(D) * cos(D), D),
        ("not negative", 2 * sin(D) ** 2),
    )
    yield chain(
        "-log cos(D) lies below D^2 / 2 + k^2 D^4 / 12: their distance from zero on grows",
        rate(D**2 / 2 + quartic + log(cos(D)), D),
        ("differentiate", D + k**2 * D**3 / 3 - tan(D)),
    )
    yield chain(
        "... and that too, from zero on",
        rate(D + k**2 * D**3 / 3 - tan(D), D),
        ("not negative as tan(D) is at most k D", (k * D - tan(D)) * (k * D + tan(D))),
    )


def _exponential() -> Iterable[Chain]:
    yield chain(
        "1 - exp(-w) lies below w: their distance from zero on grows",
        rate(w - (1 - exp(-w)), w),
        ("not negative", 1 - exp(-w)),
    )
    yield chain(
        "1 - exp(-w) lies above w - w^2 / 2: their distance from zero on grows",
        rate((1 - exp(-w)) - (w - w**2 / 2), w),
        ("not negative, as above", w - (1 - exp(-w))),
    )


def _together() -> Iterable[Chain]:
    """``missed`` is what N sum(D^2) falls short of I."""
    squares = (I - missed) * h  # the sum of D^2
    yield chain(
        "N w from below, less I / 2",
        N * (squares / 2).subs(h, 1 / N) - I / 2,
        ("N h is one", -missed / 2),
    )
    yield chain(
        "N times what D^4 adds, each D at most G h",
        N * (k**2 / 12 * (G * h) ** 2 * (I * h)).subs(h, 1 / N),
        ("of second order", k**2 * G**2 * I / (12 * N**2)),
    )
    yield chain("N w^2 / 2 for w = W / N", N * (W / N) ** 2 / 2, ("of first order", W**2 / (2 * N)))


def false_variants() -> Iterable[Variant]:
    acute = (Lt(D, pi / 4, evaluate=False), Gt(cos(D), 0, evaluate=False))
    yield Variant(name="-log cos(D) is D^2 / 2", left=-log(cos(D)), right=D**2 / 2, hypotheses=acute)
    yield Variant(
        name="-log cos(D) is D^2 / 2 + D^4 / 12",
        left=-log(cos(D)),
        right=D**2 / 2 + D**4 / 12,
        hypotheses=acute,
    )
    yield Variant(
        name="steps add up to the integral of theta'^2 whatever theta' does within them",
        left=h * square,
        right=(h * average) ** 2 / h,
    )
    yield Variant(name="the loss is its logarithm", left=1 - exp(-w), right=w)
    yield Variant(name="tan(D) is D", left=tan(D), right=D, hypotheses=acute)
