r"""A reversed DDIM step and a step of forward noise agree in the first order only.

From samples of the level s with the exact denoiser, DDIM turned towards the noisier level t gives the
right mean, but a variance that falls short of the level t's: for data N(0, c^2) by exactly c^2 (alpha_t
sigma_s - alpha_s sigma_t)^2 / V_s with V = alpha^2 c^2 + sigma^2, on the flow-matching schedule c^2 (t -
s)^2 / V_s: of second order, and never zero for different levels. DDIM from t to s followed by forward
noise back to t falls short by (alpha_t / alpha_s)^2 c^2 (alpha_t sigma_s - alpha_s sigma_t)^2 / V_t. For
any data the shortfall of the reversed step is alpha_t^2 (1 - r_t / r_s)^2 E Var(x | z_s), for every
coordinate: with the true x in place of x_hat the step is exact, and x_hat = E[x | z] falls short of x in
variance by E Var(x | z), uncorrelated with z. The source says that the distributions are identical, and
unchanged.

Not claimed: the total variation distance of other data (measured: of second order too).
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import Level, noise_ratio
from equiv.formulas.schedules import flow_matching
from equiv.formulas.steps import ddim_step, renoise
from equiv.proofs._symbols import less_noisy, now, s, t, then, x_hat, z_t

CLAIM = Claim(
    id="t-reversed-ddim",
    title="Reversed DDIM is forward noise, in the first order",
    statement=r"x \sim N(0, c^2):\quad V_t - \operatorname{Var} \mathrm{DDIM}_{s \to t}(z_s)"
    r" = \frac{c^2 (\alpha_t \sigma_s - \alpha_s \sigma_t)^2}{V_s}, \qquad"
    r" \text{any data}:\ \alpha_t^2 \left(1 - \tfrac{r_t}{r_s}\right)^2 E \operatorname{Var}(x | z_s)",
    source=Source(seed="003", section="Diving deeper into samplers", equation="the particle movement figure"),
    needs=("d-forward-kernel", "l-spectral"),
    erratum="E5",
    as_written=r"\operatorname{law}(\mathrm{DDIM}_{s \to t}(z_s)) = \operatorname{law}(z_t)",
    cites=("tower property (law of total variance), for the variance of x_hat",),
)

c = symbols("c", positive=True)
left_open, shared, of_x_hat, of_state = symbols("e q p w", real=True)


def _total(level: Level[Any]) -> Any:
    return level.alpha**2 * c**2 + level.sigma**2


def _variance_after(low: Level[Any], high: Level[Any]) -> Any:
    """The variance after DDIM from ``low`` to ``high``, on N(0, c^2), where it is linear."""
    return ddim_step(S.One, gaussian_denoiser(S.One, low, S.Zero, c), low, high) ** 2 * _total(low)


def _shortfall(at_level: Level[Any]) -> Any:
    return c**2 * (now.alpha * then.sigma - then.alpha * now.sigma) ** 2 / _total(at_level)


def _back_and_forth(low: Level[Any], high: Level[Any]) -> Any:
    """The variance after DDIM from ``high`` to ``low``, then forward noise."""
    return renoise(1, 0, low, high) ** 2 * _variance_after(high, low) + renoise(0, 1, low, high) ** 2


def derivation() -> Derivation:
    return Derivation(chains=(*_gaussian(), *_any_data()), hypotheses=(less_noisy(then, now),))


def _gaussian() -> Iterable[Chain]:
    product = now.alpha * then.alpha * c**2 + now.sigma * then.sigma
    yield chain(
        "Gaussian data: the reversed step",
        ddim_step(S.One, gaussian_denoiser(S.One, then, S.Zero, c), then, now),
        ("linear", product / _total(then)),
    )
    yield chain(
        "Gaussian data: what its variance falls short of",
        _total(now) - _variance_after(then, now),
        ("over a common denominator", (_total(now) * _total(then) - product**2) / _total(then)),
        ("Lagrange's identity", _shortfall(then)),
    )
    yield chain(
        "On the flow-matching schedule, alpha_t sigma_s - alpha_s sigma_t",
        flow_matching(t).alpha * flow_matching(s).sigma - flow_matching(s).alpha * flow_matching(t).sigma,
        ("(1 - t) s - (1 - s) t", s - t),
    )
    yield chain(
        "Gaussian data: DDIM and forward noise",
        _total(now) - _back_and_forth(then, now),
        (
            "DDIM's shortfall, scaled",
            (now.alpha / then.alpha) ** 2 * (_total(then) - _variance_after(now, then)),
        ),
        ("Lagrange's identity", (now.alpha / then.alpha) ** 2 * _shortfall(now)),
    )


def _any_data() -> Iterable[Chain]:
    factor = now.alpha * (1 - noise_ratio(now) / noise_ratio(then))
    of_state_factor = now.sigma / then.sigma
    yield chain(
        "The reversed step, by the state and x_hat",
        ddim_step(z_t, x_hat, then, now),
        ("collect", of_state_factor * z_t + factor * x_hat),
    )
    yield chain(
        "With the true x it is exact: signal",
        of_state_factor * then.alpha + factor,
        ("add", now.alpha),
    )
    yield chain("With the true x it is exact: noise", of_state_factor * then.sigma, ("add", now.sigma))
    with_x = _variance(of_state_factor, factor, of_x_hat + left_open)
    yield chain(
        "Its variance with x, less that with x_hat, where Var x = Var x_hat + E Var(x | z)",
        with_x - _variance(of_state_factor, factor, of_x_hat),
        ("the covariance with z is the same", factor**2 * left_open),
    )
    yield chain(
        "For Gaussian data, E Var(x | z_s) is c^2 sigma_s^2 / V_s",
        factor**2 * (c**2 * then.sigma**2 / _total(then)),
        ("as above", _shortfall(then)),
    )


def _variance(of_z: Any, of_x: Any, spread: Any) -> Any:
    """Of a z + b y, where z has the variance w and the covariance q with y."""
    return of_z**2 * of_state + 2 * of_z * of_x * shared + of_x**2 * spread


def false_variants() -> Iterable[Variant]:
    rising = (less_noisy(then, now),)
    gap = _total(now) - _variance_after(then, now)
    for name, right in (
        ("the shortfall with the variance at the other end", _shortfall(now)),
        (
            "the shortfall without its square",
            c**2 * (then.alpha * now.sigma - now.alpha * then.sigma) / _total(then),
        ),
        ("an excess", -_shortfall(then)),
    ):
        yield Variant(name=name, left=gap, right=right, hypotheses=rising)
    yield Variant(
        name="DDIM and forward noise fall short as the reversed step does",
        left=_total(now) - _back_and_forth(then, now),
        right=_shortfall(then),
        hypotheses=rising,
    )


def as_written() -> Iterable[Variant]:
    rising = (less_noisy(then, now),)
    yield Variant(
        name="the variance after the reversed step",
        left=_variance_after(then, now),
        right=_total(now),
        hypotheses=rising,
    )
    yield Variant(
        name="the variance after DDIM and forward noise",
        left=_back_and_forth(then, now),
        right=_total(now),
        hypotheses=rising,
    )
