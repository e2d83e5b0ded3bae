r"""With the exact score, the reverse processes of every eta have the marginals of the forward process.

Per signal, y = z / alpha, by the log-SNR lambda, the reverse process is dy = (rho / 2) (x_hat(y) - y) dlambda
+ eta r dw with rho = 1 + eta^2. Let Var(x | y) be at most v on levels with r at least r_s: x_hat is Lipschitz
with l = v / r_s^2 (t-churn-marginals), so that there is one solution Y from a given start (Ito's theorem). At
a given y, x_hat changes with lambda at the rate ((y - x_hat) Var(x | y) - T / 2) / r^2, T the third central
moment of x given y: at most l |y - x_hat| + b. Here b = 6 sqrt(e v) l, for the posterior, tilted by exp(theta
x), is that at y + r^2 theta, so that log E[exp(theta (x - x_hat)) | y] has a second derivative of at most v
in theta, and lies below v theta^2 / 2; and |u|^3 is at most 6 (exp(u) + exp(-u)).

Over a step of length ell, with q = exp(-rho ell / 2), Y_s is q Y_t, the mean of x_hat(Y) over the step under
weights that sum to 1 - q, and a normal noise of the variance r_s^2 (1 - exp(-eta^2 ell)). The churn step of
rho has all of this with x_hat(y_t) in place of the mean. Run both from one start with the same noise. With
delta = rho ell / 2, within the step Y moves by at most G delta + r_1 sqrt(2 delta), as a root mean square, G
the bound of that of x_hat - Y at this level and later ones, which is finite as second moments grow at most
exponentially; and x_hat(Y) by at most X = l (G m + r_1 sqrt(2 m)) + 2 m (l G + b), m the largest delta. So
the distance of the two becomes at most q + (1 - q) l times itself, and (1 - q) X: steps with the sum S of
their deltas make at most S X exp(l S), which goes to zero with m. So does the distance from the law of the
churn sampler to p_s (t-churn-marginals). Neither the law of Y_s nor p_s depends on the steps: they are equal,
for every eta, also one that changes from one stretch of levels to the next. Started elsewhere than from p_1,
or read forwards, the processes do something else (o-reverse-family).

In several dimensions the distances are norms, v bounds eigenvalues and traces as in t-churn-marginals, and b
has another constant.

Not claimed: data whose posterior variance has no bound, or without a second moment; the ends, where alpha
or sigma is zero; learned or guided scores; the law of paths (o-two-time-law).
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, exp, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.predictions import score_from_x
from equiv.proofs._calculus import rate
from equiv.proofs._densities import averaged, first, second, slope, third, variance, x, z
from equiv.proofs._densities import moved as moved_in_t
from equiv.proofs._integrals import by_primitive
from equiv.proofs._rates import diffusion_squared, drift, fall, falling, rates
from equiv.proofs._symbols import now, x_hat

CLAIM = Claim(
    id="o-reverse-marginals",
    title="The reverse processes of every eta have the marginals",
    statement=r"dz = \left(f_t z - \tfrac{1 + \eta^2}2 g_t^2\, \nabla \log p_t\right) dt + \eta g_t\,"
    r" d\bar w,\ dt < 0,\ z_1 \sim p_1,\ \mathrm{Var}(x | z) \le v,\ E |x|^2 < \infty \implies z_t \sim p_t"
    r" \quad (\alpha_t, \sigma_t > 0,\ \eta \text{ piecewise constant})",
    source=Source(seed="003", section="SDE and ODE Perspective", equation="9 and 11"),
    needs=("o-reverse-family", "t-churn-family", "t-churn-marginals"),
    cites=(
        "Ito's existence and uniqueness theorem, for the reverse process",
        "Ito's formula and isometry, for a step of the process in integral form",
        "dominated convergence, for the rate of x_hat",
        "Gronwall's lemma, for the bound G of the drift",
        "Minkowski's and Jensen's inequalities, for root mean squares",
        "induction over steps, for the sum of the errors",
    ),
)

y, mean_x, here, there, theta = symbols("y xbar Y_t y_t theta", real=True)
eta, length, passed, r_s, q = symbols("eta ell u r_s q", positive=True)
l, m, delta, sums, G, r_1 = symbols("l m delta S G r_1", positive=True)
distance, moved, b, r = symbols("Delta X b r", positive=True)
RHO = 1 + eta**2


def _per_signal() -> Any:
    """The drift of z / alpha in t."""
    state = now.alpha * y
    of_z = drift() * state - RHO / 2 * diffusion_squared() * score_from_x(state, x_hat, now)
    return of_z / now.alpha - drift() * y


def _moves() -> Any:
    """What x_hat(Y) moves by within a step."""
    return l * (G * m + r_1 * sqrt(2 * m)) + 2 * m * (l * G + b)


def _bound(total: Any) -> Any:
    return total * _moves() * exp(l * total)


def _at_the_same_y(factor: Any) -> Any:
    """The rate of an average over the data at z = alpha y, with y held."""
    return averaged(moved_in_t(factor)) + rates.alpha * z / now.alpha * averaged(slope(factor))


def _rate_of_denoiser() -> Any:
    one = averaged(S.One)
    return (_at_the_same_y(x) * one - averaged(x) * _at_the_same_y(S.One)) / one**2


def _third_moment() -> Any:
    """The third central moment of x given z."""
    return third - 3 * first * second + 2 * first**3


def derivation() -> Derivation:
    return Derivation(
        chains=(*_process(), *_denoiser(), *_one_step(), *_many_steps()),
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


def _denoiser() -> Iterable[Chain]:
    yield chain(
        "At a given y, x_hat changes at the rate",
        _rate_of_denoiser(),
        (
            "the quotient rule, and the rate of the log-SNR",
            -fall()
            * ((z / now.alpha - first) * variance() - _third_moment() / 2)
            / (now.sigma / now.alpha) ** 2,
        ),
    )
    yield chain(
        "The exponent of the posterior at y, tilted by theta",
        -((y - x) ** 2) / (2 * r**2) + theta * x,
        (
            "that at y + r^2 theta, and what does not depend on x",
            -((y + r**2 * theta - x) ** 2) / (2 * r**2) + theta * y + r**2 * theta**2 / 2,
        ),
    )
    for below, beyond in ((passed**3 / 6, passed**2 / 2), (passed**2 / 2, passed), (passed, S.One)):
        yield chain(
            "exp(u) is above u^3 / 6: its distance to each of these grows from one on, as that to the next",
            rate(exp(passed) - below, passed),
            ("differentiate; the last is not negative", exp(passed) - beyond),
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
        "What delta bounds: 1 + l delta on the distance and delta on what x_hat moves by, less what there is",
        (1 + l * delta) * distance + delta * moved - (q * distance + (1 - q) * (l * distance + moved)),
        (
            "not negative as 1 - q is at most delta",
            (1 - q) * distance + (delta - (1 - q)) * (l * distance + moved),
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
        _bound(sums + delta) - (exp(l * delta) * _bound(sums) + delta * _moves()),
        ("not negative", delta * _moves() * (exp(l * (sums + delta)) - 1)),
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
    at_y = (z / now.alpha - first) / (now.sigma / now.alpha) ** 2
    for name, wrong in (
        ("does not change with the level", S.Zero),
        ("changes by the variance alone", -fall() * at_y * variance()),
    ):
        yield Variant(name=f"x_hat {name}", left=_rate_of_denoiser(), right=wrong, hypotheses=(falling(),))
