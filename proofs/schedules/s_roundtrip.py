r"""Drift, diffusion and stochasticity and signal, noise and stochasticity say the same.

From (f, g, eta) with the formulas for alpha and sigma, and back with those for f and g, one returns to f,
g^2 and eta; and from (alpha, sigma, epsilon) with alpha_0 = 1 and sigma_0 = 0, through f and g, to a pair
that has the same start and solves the same equations, hence the same pair. With epsilon = eta g this is a
bijection where alpha is positive and lambda falls. Where alpha_1 = 0, as on the flow-matching path, f and
g^2 are infinite at the end while the velocity stays finite.

Not claimed: times at which alpha is zero; schedules with other starts, for which the map loses the start.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, Integral, Lambda, Rational, S, exp, log, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.schedules import flow_matching
from equiv.proofs._calculus import at, rate, worked_out
from equiv.proofs._symbols import eps_hat, inside, s, t, x_hat

CLAIM = Claim(
    id="s-roundtrip",
    title="Two triples of hyperparameters, one process",
    statement=r"(f, g, \eta) \leftrightarrow (\alpha, \sigma, \varepsilon), \quad \varepsilon = \eta g,"
    r"\qquad \text{a bijection for } \alpha_0 = 1,\ \sigma_0 = 0,\ \alpha > 0,\ \dot\lambda < 0",
    source=Source(
        seed="003", section="SDE and ODE Perspective", equation="equivalence of the two frameworks"
    ),
    needs=("s-fg-from-alphasigma", "s-alphasigma-from-fg"),
)

f, g = Function("f", real=True), Function("g", positive=True)
alpha, variance = Function("alpha", positive=True), Function("S", positive=True)
eta, epsilon = symbols("eta varepsilon", positive=True)
CONSTANT_RATE = {f: Lambda(t, -Rational(1, 2)), g: Lambda(t, S.One)}


def _signal(time: Any) -> Any:
    u = s.func("u", positive=True)
    return exp(Integral(f(u), (u, 0, time)))


def _variance_per_signal(time: Any) -> Any:
    return Integral(g(s) ** 2 / _signal(s) ** 2, (s, 0, time))


def _drift(signal: Any) -> Any:
    return rate(log(signal))


def _diffusion_squared(signal: Any, per_signal: Any) -> Any:
    """Of alpha and sigma^2 / alpha^2."""
    return signal**2 * rate(per_signal)


def derivation() -> Derivation:
    return Derivation(chains=(*_there_and_back(), *_back_and_there(), *_end()), hypotheses=(inside(t),))


def _there_and_back() -> Iterable[Chain]:
    back = _diffusion_squared(_signal(t), _variance_per_signal(t))
    yield chain("From f to f", _drift(_signal(t)), ("the derivative of the exponent", f(t)))
    yield chain(
        "From g^2 to g^2",
        back,
        ("the derivative of the integral", _signal(t) ** 2 * (g(t) ** 2 / _signal(t) ** 2)),
        ("alpha cancels", g(t) ** 2),
    )
    yield chain("From eta to eta", eta * g(t) / g(t), ("epsilon is eta g", eta))
    yield chain("From epsilon to epsilon", epsilon / g(t) * g(t), ("eta is epsilon / g", epsilon))


def _back_and_there() -> Iterable[Chain]:
    """The given pair and the one computed from its f and g start alike and obey the same equations."""
    drift = _drift(alpha(t))
    diffusion_squared = _diffusion_squared(alpha(t), variance(t) / alpha(t) ** 2)
    yield chain(
        "The given alpha solves alpha' = f alpha", rate(alpha(t)), ("f is (log alpha)'", drift * alpha(t))
    )
    computed = Function("A", positive=True)
    yield chain(
        "Two solutions of alpha' = f alpha keep their quotient",
        rate(computed(t) / alpha(t)),
        ("the quotient rule", (rate(computed(t)) - drift * computed(t)) / alpha(t)),
    )
    yield chain(
        "The given sigma^2 / alpha^2 grows as the integral of g^2 / alpha^2",
        rate(variance(t) / alpha(t) ** 2),
        ("g^2 is alpha^2 (sigma^2 / alpha^2)'", diffusion_squared / alpha(t) ** 2),
    )
    yield chain("The computed alpha starts at one", at(_signal(t), t, 0), ("an empty integral", S.One))
    yield chain(
        "The computed sigma^2 starts at zero",
        at(_variance_per_signal(t), t, 0),
        ("an empty integral", S.Zero),
    )


def _end() -> Iterable[Chain]:
    """The velocity f z - g^2 score / 2 where f and g^2 grow as 1 / (1 - t)."""
    level = flow_matching(t)
    z = level.alpha * x_hat + level.sigma * eps_hat
    drift = rate(log(level.alpha))
    diffusion_squared = _diffusion_squared(level.alpha, level.sigma**2 / level.alpha**2)
    yield chain(
        "On the flow-matching path the velocity has no pole at t = 1",
        drift * z + diffusion_squared * (eps_hat / level.sigma) / 2,
        ("f is -1 / (1 - t), g^2 is 2 t / (1 - t)", -z / (1 - t) + eps_hat / (1 - t)),
        ("1 - t cancels", eps_hat - x_hat),
    )


def false_variants() -> Iterable[Variant]:
    written = _variance_per_signal(t)
    yield Variant(
        name="back from sigma without its factor alpha",
        left=_diffusion_squared(_signal(t), written / _signal(t) ** 2),
        right=g(t) ** 2,
        instance=CONSTANT_RATE,
    )
    yield Variant(
        name="back with g^2 the rate of sigma^2",
        left=rate(_signal(t) ** 2 * written),
        right=g(t) ** 2,
        instance=CONSTANT_RATE,
    )
    yield Variant(
        name="eta is epsilon g", left=epsilon * g(t) * g(t), right=epsilon, instance={g: Lambda(t, 1 + t)}
    )
    start = symbols("alpha_0", positive=True)
    yield Variant(
        name="the start of alpha is not lost",
        left=exp(worked_out(Integral(rate(log(start * exp(-s)), s), (s, 0, t)))),
        right=start * exp(-t),
    )
