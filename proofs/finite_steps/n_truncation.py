r"""What is lost by starting from N(0, 1) where some signal is left, and by stopping at some noise.

For N(m, c^2) the probability flow is z_t = alpha_t m + sqrt(V_t) k with constant k, V = alpha^2 c^2 +
sigma^2: it solves the equation for every schedule. Started from N(0, 1) at the level (alpha_1, sigma_1),
even the exact flow ends, without noise, at the mean m - alpha_1 m c / sqrt(V_1) and the deviation c /
sqrt(V_1): right for every m and c only if alpha_1 = 0 and sigma_1 = 1. On a variance-preserving schedule
with c = 1 the mean is short by alpha_1 m. Stopped at a level with noise, z / alpha has the variance c^2 +
exp(-lambda), too much, and x_hat there c^2 sigmoid(lambda + log c^2), too little.

Not claimed: other data; the size of what a solver adds.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, exp, log, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import Level, log_snr
from equiv.formulas.predictions import eps_from_x
from equiv.proofs._rates import rates, total_rate
from equiv.proofs._symbols import now

CLAIM = Claim(
    id="n-truncation",
    title="Starting and stopping short",
    statement=r"z_1 \sim N(0, 1):\quad E z_0 - m = -\frac{\alpha_1 c}{\sqrt{V_1}}\, m, \quad"
    r" \operatorname{std} z_0 = \frac c{\sqrt{V_1}}, \quad V_1 = \alpha_1^2 c^2 + \sigma_1^2; \qquad"
    r" \operatorname{Var} \frac{z_t}{\alpha_t} = c^2 + e^{-\lambda_t}, \quad"
    r" \operatorname{Var} \hat x = \frac{c^2}{1 + e^{-\lambda_t} / c^2}",
    source=Source(
        seed="003", section="Overview", equation="we initialize the sample from a standard Gaussian"
    ),
    needs=("l-spectral",),
)

m, k, start = symbols("m k z_1", real=True)
c = symbols("c", positive=True)
first: Level[Any] = Level(*symbols("alpha_1 sigma_1", positive=True))
CLEAN: Level[Any] = Level(S.One, S.Zero)


def _total(level: Level[Any]) -> Any:
    return level.alpha**2 * c**2 + level.sigma**2


def _on_the_flow(level: Level[Any], constant: Any) -> Any:
    return level.alpha * m + sqrt(_total(level)) * constant


def _end(z: Any) -> Any:
    """Where the flow from z at the first level is without noise."""
    return _on_the_flow(CLEAN, (z - first.alpha * m) / sqrt(_total(first)))


def derivation() -> Derivation:
    return Derivation(chains=(*_flow(), *_start(), *_stop()))


def _flow() -> Iterable[Chain]:
    z = _on_the_flow(now, k)
    x_hat = gaussian_denoiser(z, now, m, c)
    yield chain(
        "The flow solves its equation",
        total_rate(z),
        (
            "by V' = 2 alpha alpha' c^2 + 2 sigma sigma'",
            rates.alpha * x_hat + rates.sigma * eps_from_x(z, x_hat, now),
        ),
    )


def _start() -> Iterable[Chain]:
    mean = _end(S.Zero)
    deviation = _end(S.One) - _end(S.Zero)
    yield chain(
        "From N(0, 1): the mean at the end",
        mean - m,
        ("V_0 is c^2", -first.alpha * c / sqrt(_total(first)) * m),
    )
    yield chain("From N(0, 1): the deviation at the end", deviation, ("linear", c / sqrt(_total(first))))
    yield chain(
        "On a variance-preserving schedule, V_1 - 1",
        first.alpha**2 * c**2 + (1 - first.alpha**2) - 1,
        ("zero for c = 1", first.alpha**2 * (c**2 - 1)),
    )
    yield chain(
        "There with c = 1, the mean",
        -first.alpha * S.One / sqrt(first.alpha**2 + (1 - first.alpha**2)) * m,
        ("short by alpha_1 m", -first.alpha * m),
    )
    yield chain(
        "From what the level has, N(alpha_1 m, V_1), the end is right",
        _end(first.alpha * m + sqrt(_total(first)) * k),
        ("the flow itself", m + c * k),
    )


def _stop() -> Iterable[Chain]:
    of_x = gaussian_denoiser(S.One, now, S.Zero, c)
    yield chain(
        "Stopped at noise: the variance of z / alpha",
        _total(now) / now.alpha**2,
        ("divide", c**2 + exp(-log_snr(now))),
    )
    yield chain(
        "Stopped at noise: the variance of x_hat",
        of_x**2 * _total(now),
        ("the gain alpha c^2 / V", c**2 / (1 + exp(-(log_snr(now) + log(c**2))))),
        ("short of c^2 by", c**2 - c**2 / (1 + exp(log_snr(now) + log(c**2)))),
    )


def false_variants() -> Iterable[Variant]:
    yield Variant(name="the end is right for every start", left=_end(S.Zero), right=m)
    yield Variant(
        name="the mean is short by alpha_1 m on every schedule", left=_end(S.Zero) - m, right=-first.alpha * m
    )
    yield Variant(
        name="the mean is overshot", left=_end(S.Zero) - m, right=first.alpha * c / sqrt(_total(first)) * m
    )
    yield Variant(
        name="stopped at noise, z / alpha has the variance of the data",
        left=_total(now) / now.alpha**2,
        right=c**2,
    )
    yield Variant(
        name="the flow keeps x_hat: it is straight to m",
        left=total_rate(_on_the_flow(now, k)),
        right=rates.alpha * m + rates.sigma * k,
    )
