r"""With the exact score, the reverse processes of every eta have the marginals of the forward process.

Per signal, y = z / alpha, by the log-SNR lambda, the reverse process is dy = (rho / 2) (x_hat(y) - y) dlambda
+ eta r dw with rho = 1 + eta^2. Let Var(x | y) be at most v on levels with r at least r_s: x_hat is Lipschitz
with l = v / r_s^2 (t-churn-marginals), so that there is one solution Y from a given start (Ito's theorem,
cited). Over a step of length ell, with q = exp(-rho ell / 2), Y_s is q Y_t, the mean of x_hat(Y) over the
step under weights that sum to 1 - q, and a normal noise of the variance r_s^2 (1 - exp(-eta^2 ell)). The
churn step of rho has all of this with x_hat(y_t) in place of the mean. Run both from one start with the same
noise. Their distance, as a root mean square, becomes at most q + (1 - q) l times itself, and (1 - q) l times
what Y moves by within the step: with delta = rho ell / 2 at most G delta + r_1 sqrt(2 delta), G the bound of
the root mean square of x_hat - Y, which is finite as second moments grow at most exponentially. So steps with
the sum S of their deltas, none above m, make at most l S (G m + r_1 sqrt(2 m)) exp(l S): this goes to zero
with m. So does the distance from the law of the churn sampler to p_s (t-churn-marginals). Neither the law of
Y_s nor p_s depends on the steps: they are equal, for every eta, also one that changes with time. Started
elsewhere than from p_1, or read forwards, the processes do something else (o-reverse-family).

In several dimensions the distances are norms, and v bounds eigenvalues and traces as in t-churn-marginals.

Not claimed: data whose posterior variance has no bound; the ends, where alpha or sigma is zero; learned or
guided scores; the law of paths (o-two-time-law).
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, exp, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.predictions import score_from_x
from equiv.proofs._calculus import rate
from equiv.proofs._integrals import by_primitive
from equiv.proofs._rates import diffusion_squared, drift, fall, falling
from equiv.proofs._symbols import now, x_hat

CLAIM = Claim(
    id="o-reverse-marginals",
    title="The reverse processes of every eta have the marginals",
    statement=r"dz = \left(f_t z - \tfrac{1 + \eta_t^2}2 g_t^2\, \nabla \log p_t\right) dt + \eta_t g_t\,"
    r" d\bar w,\ dt < 0,\ z_1 \sim p_1,\ \mathrm{Var}(x | z) \le v \implies z_t \sim p_t"
    r" \quad (\alpha_t, \sigma_t > 0)",
    source=Source(seed="003", section="SDE and ODE Perspective", equation="9 and 11"),
    needs=("o-reverse-family", "t-churn-family", "t-churn-marginals"),
    cites=(
        "Ito's existence and uniqueness theorem, for the reverse process",
        "Ito's formula and isometry, for a step of the process in integral form",
        "Gronwall's lemma, for the bound G of the drift",
        "Minkowski's and Jensen's inequalities, for root mean squares",
        "induction over steps, for the sum of the errors",
    ),
)

y, x, mean_x, here, there = symbols("y x xbar Y_t y_t", real=True)
eta, length, passed, r_s, q = symbols("eta ell u r_s q", positive=True)
l, m, delta, sums, G, r_1 = symbols("l m delta S G r_1", positive=True)
distance, moved = symbols("Delta M", positive=True)
RHO = 1 + eta**2


def _per_signal() -> Any:
    """The drift of z / alpha in t."""
    z = now.alpha * y
    of_z = drift() * z - RHO / 2 * diffusion_squared() * score_from_x(z, x_hat, now)
    return of_z / now.alpha - drift() * y


def _bound(total: Any) -> Any:
    return l * total * (G * m + r_1 * sqrt(2 * m)) * exp(l * total)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_process(), *_one_step(), *_many_steps()),
        hypotheses=(falling(),),
    )


def _process() -> Iterable[Chain]:
    yield chain(
        "The drift per signal",
        _per_signal(),
        (
            "the score is -(z - alpha x_hat) / sigma^2",
            RHO / 2 * diffusion_squared() / now.sigma**2 * (y - x_hat),
        ),
        ("g^2 is -sigma^2 lambda'; by lambda it is rho / 2 (x_hat - y)", -RHO / 2 * (x_hat - y) * fall()),
    )
    yield chain(
        "The variance of the noise per signal",
        eta**2 * diffusion_squared() / now.alpha**2,
        ("by lambda it is eta^2 r^2", eta**2 * (now.sigma / now.alpha) ** 2 * fall()),
    )


def _one_step() -> Iterable[Chain]:
    grown = exp(RHO * passed / 2)
    yield chain(
        "By lambda, y times exp(rho lambda / 2), without the noise, has the rate",
        rate(grown, passed) * y + grown * (RHO / 2 * (x - y)),
        ("y cancels", RHO / 2 * grown * x),
    )
    decayed = exp(-RHO * (length - passed) / 2)
    yield from by_primitive(
        "The weights of x_hat over a step",
        RHO / 2 * decayed,
        decayed,
        (passed, S.Zero, length),
        1 - exp(-RHO * length / 2),
    )
    # r^2 is exp(ell - u) times that at s, and noise decays as y does
    yield chain(
        "The variance of the noise that is added at u, at s",
        eta**2 * (r_s**2 * exp(length - passed)) * decayed**2,
        ("rho is 1 + eta^2", eta**2 * r_s**2 * exp(-(eta**2) * (length - passed))),
    )
    yield from by_primitive(
        "The variance of the noise of a step",
        eta**2 * r_s**2 * exp(-(eta**2) * (length - passed)),
        r_s**2 * exp(-(eta**2) * (length - passed)),
        (passed, S.Zero, length),
        r_s**2 * (1 - exp(-(eta**2) * length)),
    )


def _many_steps() -> Iterable[Chain]:
    yield chain(
        "The process less the churn step, with the same noise",
        (q * here + (1 - q) * mean_x) - (q * there + (1 - q) * x),
        ("collect", q * (here - there) + (1 - q) * (mean_x - x)),
    )
    yield chain(
        "What delta bounds: 1 + l delta on the distance and delta l on what Y moves by, less what there is",
        (1 + l * delta) * distance + l * delta * moved - (q * distance + (1 - q) * l * (distance + moved)),
        (
            "not negative as 1 - q is at most delta",
            (1 - q) * distance + l * (delta - (1 - q)) * (distance + moved),
        ),
    )
    yield chain(
        "1 - exp(-u) is at most u: their distance from zero on grows",
        rate(length - (1 - exp(-length)), length),
        ("not negative", 1 - exp(-length)),
    )
    yield chain(
        "eta^2 ell is at most 2 delta",
        2 * (RHO * length / 2) - eta**2 * length,
        ("by what is positive", length),
    )
    yield chain(
        "A step takes the bound at S to less than that at S + delta",
        _bound(sums + delta) - (exp(l * delta) * _bound(sums) + l * delta * (G * m + r_1 * sqrt(2 * m))),
        (
            "not negative",
            l * delta * (G * m + r_1 * sqrt(2 * m)) * (exp(l * (sums + delta)) - 1),
        ),
    )


def false_variants() -> Iterable[Variant]:
    for name, wrong in (
        ("half of rho's score, as without noise", -(x_hat - y) / 2 * fall()),
        ("(1 - eta^2) / 2 of the score", -(1 - eta**2) / 2 * (x_hat - y) * fall()),
        ("away from x_hat", RHO / 2 * (x_hat - y) * fall()),
    ):
        yield Variant(
            name=f"the drift per signal: {name}", left=_per_signal(), right=wrong, hypotheses=(falling(),)
        )
    decayed = exp(-RHO * (length - passed) / 2)
    yield Variant(
        name="the noise is added as if it did not decay with y",
        left=eta**2 * (r_s**2 * exp(length - passed)) * decayed**2,
        right=eta**2 * (r_s**2 * exp(length - passed)),
    )
    yield Variant(name="steps do not add up", left=_bound(sums + delta), right=exp(l * delta) * _bound(sums))
