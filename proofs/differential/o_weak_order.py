r"""The churn step is right to first order in its length, and not to second order.

Write the level after a step of length h as that at t - h. For any network and differentiable schedule, the
mean of the churn step of rho = 1 + eta^2 moves, at h = 0, at the rate -b with b = f z - (1 + eta^2) / 2 g^2
s, and its variance at eta^2 g^2: what the reverse process of eta asks for. That is DDIM for rho = 1 and DDPM
for rho = 2; DDPM with the variance of the forward step ("fixed large") agrees with it to first order. These
are the conditions of weak order one.

For normal data and the exact denoiser, the variance after a step falls short by exactly alpha_s^2 (1 -
kappa^rho)^2 Var(x | z_t), which grows as the square of the step, 1 - exp(-x) being x less an integral
between 0 and x^2 / 2, and is never negative. For DDPM the gain of a step is a quotient of its ends, so that
gains of many steps telescope. Where alpha vanishes, the drift f z - g^2 s and so Euler-Maruyama have no
value, but DDIM and DDPM have.

Not claimed: that first-order steps make weak order one (of churn it is proved in t-churn-weak-order; of the
others it is Talay's theorem, which asks for smooth bounded coefficients); the constant for other data.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, S, exp, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import Level, kappa, log_snr
from equiv.formulas.predictions import eps_from_x, score_from_x
from equiv.formulas.schedules import flow_matching
from equiv.formulas.steps import churn_step, ddim_step, ddpm_step, renoise
from equiv.proofs._calculus import at, integral, rate
from equiv.proofs._rates import diffusion_squared, drift, rates
from equiv.proofs._symbols import eps_hat, inside, less_noisy, noise, now, t, then, x_hat, z_t

CLAIM = Claim(
    id="o-weak-order",
    title="One step: first order, and no more",
    statement=r"\partial_h E[z_{t-h} | z_t] |_{h = 0} = -\left(f z_t - \tfrac{1 + \eta^2}2 g^2 s\right),"
    r" \quad \partial_h \mathrm{Var}[z_{t-h} | z_t] |_{h = 0} = \eta^2 g^2; \qquad V_s - V_s^{\text{step}}"
    r" = \alpha_s^2 (1 - \kappa^\rho)^2\, \mathrm{Var}(x | z_t) \quad (x \sim N(0, c^2))",
    source=Source(
        seed="003", section="SDE and ODE Perspective", equation="discretising the backward process"
    ),
    needs=("t-churn-family", "o-reverse-family", "s-fg-from-alphasigma"),
)

rho, c = symbols("rho c", positive=True)
length, passed = symbols("x y", positive=True)
SAMPLERS = (("DDIM", S.One), ("The churn step", rho))


def _leaving(e: Any) -> Any:
    """How fast ``e`` changes as a step back in time grows from nothing."""
    moving = sum(-by * rate(e, field) for field, by in zip(then, rates, strict=True))
    return at(moving, then, now)


def _drift(eta_squared: Any, score: Any) -> Any:
    return drift() * z_t - (1 + eta_squared) / 2 * diffusion_squared() * score


def _spread(level: Level[Any]) -> Any:
    return level.alpha**2 * c**2 + level.sigma**2


def _gain(power: Any) -> Any:
    """What the churn step multiplies a state of centred normal data by."""
    return churn_step(S.One, gaussian_denoiser(S.One, now, S.Zero, c), S.Zero, power, now, then)


def _mean(power: Any) -> Any:
    """The mean of the churn step: without the draw, whose root has no rate where the step vanishes."""
    kept = kappa(now, then) ** (power - 1)
    return then.alpha * x_hat + then.sigma * kept * eps_from_x(z_t, x_hat, now)


def _added(power: Any) -> Any:
    """The variance that the churn step adds."""
    return then.sigma**2 * (1 - kappa(now, then) ** (2 * (power - 1)))


def derivation() -> Derivation:
    return Derivation(
        chains=(
            *_first_order(),
            *_normal_data(),
            *_ddpm_adds_up(),
            *_second_order(),
            *_where_alpha_vanishes(),
        ),
        hypotheses=(less_noisy(then, now), Gt(rho, 1, evaluate=False), inside(t)),
    )


def _first_order() -> Iterable[Chain]:
    score = score_from_x(z_t, x_hat, now)
    for name, power in SAMPLERS:
        yield chain(
            f"{name}: the mean of the step",
            churn_step(z_t, x_hat, S.Zero, power, now, then),
            ("without the draw", _mean(power)),
        )
        yield chain(
            f"{name}: the mean leaves the state at the rate",
            _leaving(_mean(power)),
            ("minus the drift", -_drift(power - 1, score)),
        )
    yield chain(
        "The variance of the step",
        churn_step(S.Zero, S.Zero, S.One, rho, now, then) ** 2,
        ("by kappa", _added(rho)),
    )
    yield chain(
        "The variance grows at the rate",
        _leaving(_added(rho)),
        ("eta^2 g^2", (rho - 1) * diffusion_squared()),
    )
    large = renoise(S.Zero, S.One, then, now) ** 2
    added = now.sigma**2 - (now.alpha / then.alpha) ** 2 * then.sigma**2
    yield chain("The variance of the forward step (fixed large)", large, ("squared", added))
    yield chain(
        "It grows at the rate", _leaving(added), ("g^2, as that of the posterior", _leaving(_added(S(2))))
    )


def _normal_data() -> Iterable[Chain]:
    for name, power in SAMPLERS:
        yield chain(
            f"{name}: the variance lost in a step, for normal data",
            _spread(then) - (_gain(power) ** 2 * _spread(now) + _added(power)),
            (
                "the square of what the step multiplies x by",
                then.alpha**2 * (1 - kappa(now, then) ** power) ** 2 * _posterior_variance(),
            ),
        )


def _posterior_variance() -> Any:
    return c**2 * now.sigma**2 / _spread(now)


def _ddpm_adds_up() -> Iterable[Chain]:
    """The error E of the variance obeys E_s = gain^2 E_t + what is lost; for DDPM the gain telescopes."""
    yield chain(
        "DDPM: the gain",
        _gain(S(2)),
        ("of a quotient at the two ends", (_spread(then) / then.alpha) / (_spread(now) / now.alpha)),
    )


def _second_order() -> Iterable[Chain]:
    ell = log_snr(then) - log_snr(now)
    yield chain(
        "kappa by the log-SNR", kappa(now, then) ** rho, ("kappa is exp(-ell / 2)", exp(-rho * ell / 2))
    )
    yield chain(
        "1 - exp(-x)",
        1 - exp(-length),
        (
            "x less a positive integral",
            length - integral((length - passed) * exp(-passed), passed, 0, length),
        ),
    )
    yield chain(
        "That integral is below x^2 / 2",
        length**2 / 2 - integral((length - passed) * exp(-passed), passed, 0, length),
        ("by a positive integral", integral((length - passed) * (1 - exp(-passed)), passed, 0, length)),
    )


def _where_alpha_vanishes() -> Iterable[Chain]:
    clean = Level(S.Zero, now.sigma)
    flow = flow_matching(t)
    f = rate(flow.alpha) / flow.alpha
    yield chain("The drift of flow matching", f, ("which has no bound as t reaches 1", -1 / (1 - t)))
    yield chain(
        "DDIM from alpha = 0",
        ddim_step(z_t, x_hat, clean, then),
        ("the state is all noise", then.alpha * x_hat + then.sigma * z_t / now.sigma),
    )
    yield chain(
        "DDPM from alpha = 0",
        ddpm_step(z_t, x_hat, noise, clean, then),
        ("the noise is fresh", then.alpha * x_hat + then.sigma * noise),
    )
    yield chain(
        "The velocity of flow matching, for any alpha",
        rate(flow.alpha) * x_hat + rate(flow.sigma) * eps_hat,
        ("eps - x", eps_hat - x_hat),
    )


def false_variants() -> Iterable[Variant]:
    falling = (less_noisy(then, now), Gt(rho, 1, evaluate=False))
    score = score_from_x(z_t, x_hat, now)
    mean = _mean(rho)
    yield Variant(
        name="all of the score, whatever rho",
        left=_leaving(mean),
        right=-_drift(S.One, score),
        hypotheses=falling,
    )
    yield Variant(
        name="(1 + rho) / 2 of the score", left=_leaving(mean), right=-_drift(rho, score), hypotheses=falling
    )
    yield Variant(
        name="the variance grows with eta, not its square",
        left=_leaving(_added(rho)),
        right=(rho - 1) ** 2 * diffusion_squared(),
        hypotheses=falling,
    )
    yield Variant(
        name="fixed large is fixed small",
        left=renoise(S.Zero, S.One, then, now) ** 2,
        right=_added(S(2)),
        hypotheses=falling,
    )
    for name, power in (("DDIM", S.One), ("DDPM", S(2))):
        yield Variant(
            name=f"{name} keeps the variance of normal data",
            left=_gain(power) ** 2 * _spread(now) + _added(power),
            right=_spread(then),
            hypotheses=falling,
        )
    yield Variant(
        name="the loss is of first order",
        left=_spread(then) - (_gain(rho) ** 2 * _spread(now) + _added(rho)),
        right=then.alpha**2 * (1 - kappa(now, then) ** rho) * _posterior_variance(),
        hypotheses=falling,
    )
