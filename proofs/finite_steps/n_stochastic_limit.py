r"""What a fine grid loses on normal data under churn of any amount.

In the gauge of variance 1, a churn step of rho = 1 + e turns what the variance falls short by, D, into m^2 D
+ L^2 (n-stochastic-grid). So after all steps D is the sum of L^2 times the squares of the later m: one step
adds to a sum of that form. Let theta(u) be a grid of the whole quarter turn with a bounded second derivative,
with N steps of uniform u, so that N times the sum of delta^2 over a part of the turn is at most max |theta'|
times its length, and tends to the integral of theta'^2 there. For theta in a closed part inside the turn, L
less (1 + e) delta is O(delta^2), and the product of the later m less cos(theta)^e is O(1 / N)
(t-churn-weights-limit, with phi = 0 at the end): a square differs by the product of difference and sum. What
lies outside that part contributes to N D at most M^2 max |theta'| times its length (n-churn-converges), which
is as small as one likes, as 0 <= m <= 1. So N D tends to (1 + e)^2 times the integral of (cos(theta)^e
theta')^2 over u, and N (1 - sqrt(1 - D)) to half of it, as 1 - sqrt(1 - D) lies between D / 2 and D / 2 + D^2
/ 2.

Not claimed: a bound at finite N; grids that stop short of either end, whose weight is cos(theta) per that at
the end; other data.
"""

from collections.abc import Iterable

from sympy import Gt, Lt, S, cos, pi, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import integral

CLAIM = Claim(
    id="n-stochastic-limit",
    title="What a fine grid loses under churn",
    statement=r"x \sim N(0, c^2),\ u = \tfrac iN,\ \theta \text{ rising from } 0 \text{ to } \tfrac\pi2,"
    r"\ \theta'' \text{ bounded}:\quad \lim_{N \to \infty} N \left(1 - \frac{\operatorname{std} z_0}c\right)"
    r" = \tfrac12 (1 + \eta^2)^2 \int_0^1 \left(\cos^{\eta^2}\!\theta\ \theta'\right)^2 du",
    source=Source(seed="003", section="Diving deeper into samplers", equation="implied: the level of churn"),
    needs=("n-stochastic-grid", "n-churn-converges", "t-churn-weights-limit"),
    cites=(
        "induction over steps, for the sum of the losses",
        "convergence of Riemann sums, for the limit of the sum",
    ),
)

D, m, L, e, h, theta = symbols("D m L e h theta", positive=True)
loss, product, first_order, weight = symbols("ell P f g", positive=True)
INSIDE = Gt(cos(theta), 0, evaluate=False)
total = symbols("A", positive=True)  # the sum over the steps before


def derivation() -> Derivation:
    return Derivation(
        chains=(*_sum(), *_limit(), *_deviation()), hypotheses=(Lt(D, 1, evaluate=False), INSIDE)
    )


def _sum() -> Iterable[Chain]:
    yield chain(
        "One step more: every term gets the factor m^2, and there is a new one without",
        m**2 * (loss**2 * product**2 + total) + L**2,
        ("collect", loss**2 * (m * product) ** 2 + m**2 * total + L**2),
    )


def _limit() -> Iterable[Chain]:
    yield chain(
        "A term less what it tends to",
        (loss * product) ** 2 - (first_order * weight) ** 2,
        (
            "a difference of squares",
            ((loss - first_order) * product + first_order * (product - weight))
            * (loss * product + first_order * weight),
        ),
    )
    square = (1 + e) ** 2 * cos(theta) ** (2 * e)
    yield chain(
        "The weight of delta^2", ((1 + e) * cos(theta) ** e) ** 2, ("the square of the limit", square)
    )
    yield chain("DDIM, at a uniform angle", (pi / 2) ** 2 / 2, ("theta' is pi / 2", pi**2 / 8))
    yield chain(
        "DDPM, where sin(theta) is u: half the integral of (2 cos(theta) theta')^2",
        S(4) / 2 * integral(S.One, theta, 0, 1),
        ("cos(theta) theta' is one", S(2)),
    )


def _deviation() -> Iterable[Chain]:
    root = sqrt(1 - D)
    yield chain(
        "1 - sqrt(1 - D) less D / 2",
        1 - root - D / 2,
        ("not negative", (1 - root) ** 2 / 2),
    )
    yield chain("1 - sqrt(1 - D)", 1 - root, ("times and over the conjugate, at most D", D / (1 + root)))


def false_variants() -> Iterable[Variant]:
    below = (Lt(D, 1, evaluate=False),)
    yield Variant(name="1 - sqrt(1 - D) is D / 2", left=1 - sqrt(1 - D), right=D / 2, hypotheses=below)
    yield Variant(
        name="the deviation loses as much as the variance", left=1 - sqrt(1 - D), right=D, hypotheses=below
    )
    yield Variant(
        name="the terms before keep their weight",
        left=m**2 * (loss**2 * product**2 + total) + L**2,
        right=loss**2 * product**2 + total + L**2,
    )
    yield Variant(
        name="every churn weighs as DDIM",
        left=((1 + e) * cos(theta) ** e) ** 2,
        right=S.One,
        hypotheses=(INSIDE,),
    )
    yield Variant(
        name="the weight is 1 + e, not its square",
        left=((1 + e) * cos(theta) ** e) ** 2,
        right=(1 + e) * cos(theta) ** (2 * e),
        hypotheses=(INSIDE,),
    )
