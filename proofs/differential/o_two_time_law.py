r"""The reverse processes share marginals but not paths: only eta = 1 can reverse the forward process.

For normal data of standard deviation c, V = alpha^2 c^2 + sigma^2, and a state at time t < T: the reverse
process with constant eta is linear, and its correlation with the state at T is R^(eta^2), where R = (alpha_T
/ alpha_t) sqrt(V_t / V_T) is the correlation of the forward process. R lies below one if the log-SNR falls,
so the two are equal for eta = 1 alone; for eta = 0 the correlation is one. (Decided is that the covariance of
this form solves its linear equation and has its first value.) For eta = 1 and data of any law, the density of
z_t given z_T in the forward process, which is p_t(z_t) times the forward kernel over p_T(z_T), solves the
equation of the reverse process.

Not claimed: data of mean other than zero, which moves all states alike; that the equations of densities have
no other solution, as is needed for the reverse process of eta = 1 to have that density; a closed form for
other data and other eta.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, S, evaluate, log, sqrt, symbols, sympify

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import Level
from equiv.formulas.predictions import score_from_x
from equiv.formulas.steps import renoise
from equiv.proofs._calculus import rate
from equiv.proofs._densities import z
from equiv.proofs._rates import diffusion_squared, drift, falling, total_rate
from equiv.proofs._symbols import less_noisy, now

CLAIM = Claim(
    id="o-two-time-law",
    title="Equal marginals, different paths",
    statement=r"\mathrm{corr}(z_t, z_T) = R^{\eta^2}, \qquad"
    r" R = \frac{\alpha_T}{\alpha_t} \sqrt{\frac{V_t}{V_T}} < 1 \quad (x \sim N(0, c^2)), \qquad"
    r" R^{\eta^2} = R \iff \eta = 1; \qquad \eta = 1:\ \partial_t (p_t\, q) = -\partial_z (b_t\, p_t\, q)"
    r" - \tfrac12 g_t^2\, \partial_z^2 (p_t\, q), \quad q = q(z_T | z_t)",
    source=Source(
        seed="003", section="SDE and ODE Perspective", equation="9, the reverse of the forward process"
    ),
    needs=("o-reverse-family", "d-forward-kernel"),
    cites=(
        "Ito's formula, for the covariance of a linear process",
        "Kolmogorov's forward equation, for the density of the reverse process",
    ),
)

c, eta = symbols("c eta", positive=True)
late = symbols("z_T", real=True)
start: Level[Any] = Level(*symbols("alpha_T sigma_T", positive=True))


def _spread(level: Level[Any]) -> Any:
    return level.alpha**2 * c**2 + level.sigma**2


def _forward_correlation() -> Any:
    return start.alpha / now.alpha * sqrt(_spread(now) / _spread(start))


def _covariance(power: Any) -> Any:
    """That of the states now and at the start, if their correlation is a power of the forward process's."""
    return sqrt(_spread(now) * _spread(start)) * _forward_correlation() ** power


def _log_covariance(power: Any) -> Any:
    """The part of its logarithm that changes."""
    return log(_spread(now)) / 2 + power * (log(_spread(now)) / 2 - log(now.alpha))


def _gain(stochasticity: Any) -> Any:
    """The drift of the reverse process per state, with the score -z / V."""
    return drift() + (1 + stochasticity**2) / 2 * diffusion_squared() / _spread(now)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_linear_process(), *_correlation(), *_reversal()),
        hypotheses=(falling(), less_noisy(now, start)),
    )


def _linear_process() -> Iterable[Chain]:
    spread = _spread(now)
    yield chain(
        "The score of normal data",
        score_from_x(z, gaussian_denoiser(z, now, S.Zero, c), now),
        ("a normal density of variance V", -z / spread),
    )
    yield chain(
        "The forward process changes V by",
        total_rate(spread),
        ("2 f V + g^2", 2 * drift() * spread + diffusion_squared()),
    )
    yield chain(
        "So does every reverse process, backwards: 2 b V - eta^2 g^2",
        2 * _gain(eta) * spread - eta**2 * diffusion_squared(),
        ("the noise and its share of the drift cancel", total_rate(spread)),
    )
    yield chain(
        "The drift of the reverse process, per state",
        _gain(eta),
        ("g^2 is V' - 2 f V", -(eta**2) * drift() + (1 + eta**2) / 2 * total_rate(spread) / spread),
    )


def _correlation() -> Iterable[Chain]:
    covariance = _covariance(eta**2)
    with evaluate(True):
        at_start = sympify(covariance).subs({now.alpha: start.alpha, now.sigma: start.sigma})
    yield chain(
        "The logarithm of the covariance with the start",
        log(covariance),
        (
            "R is a product",
            _log_covariance(eta**2)
            + log(_spread(start)) / 2
            + eta**2 * (log(start.alpha) - log(_spread(start)) / 2),
        ),
    )
    yield chain(
        "It changes as that of the mean does, by the drift",
        total_rate(_log_covariance(eta**2)),
        ("V' / V and f", _gain(eta)),
    )
    yield chain("The covariance with the start, at the start", at_start, ("R is one", _spread(start)))
    yield chain(
        "The correlation",
        covariance / sqrt(_spread(now) * _spread(start)),
        ("by the deviations", _forward_correlation() ** (eta**2)),
    )
    yield chain(
        "The correlation of the forward process",
        renoise(_spread(now), S.Zero, now, start) / sqrt(_spread(now) * _spread(start)),
        ("the state is scaled by alpha_T / alpha_t", _forward_correlation()),
        ("as for eta = 1", _covariance(S.One) / sqrt(_spread(now) * _spread(start))),
    )
    yield chain(
        "The correlation without noise",
        _covariance(S.Zero) / sqrt(_spread(now) * _spread(start)),
        ("a power of zero", S.One),
    )
    yield chain(
        "R is below one",
        1 - _forward_correlation() ** 2,
        (
            "the variance added since, which is positive",
            renoise(S.Zero, S.One, now, start) ** 2 / _spread(start),
        ),
    )
    yield chain(
        "Another eta has another correlation",
        log(_forward_correlation() ** (eta**2)) - log(_forward_correlation()),
        ("log R is not zero", (eta - 1) * (eta + 1) * log(_forward_correlation())),
    )


def _reversal() -> Iterable[Chain]:
    """The density p of the state now, times the kernel to that at the start, as a function of the former."""
    decay = start.alpha / now.alpha
    added = start.sigma**2 - decay**2 * now.sigma**2
    log_kernel = -((late - decay * z) ** 2) / (2 * added) - log(added) / 2
    by_state = _by_state(log_kernel)
    yield chain(
        "The forward kernel from the state now, per kernel, solves the backward equation",
        total_rate(log_kernel),
        (
            "-f z k' - g^2 k'' / 2",
            -drift() * z * by_state - diffusion_squared() / 2 * (_by_state(by_state) + by_state**2),
        ),
    )
    p, k = Function("p", positive=True)(z), Function("q", positive=True)(z)
    f, g_squared = drift(), diffusion_squared()
    of_p = -_by_state(f * z * p) + g_squared / 2 * _by_state(_by_state(p))
    of_k = -f * z * _by_state(k) - g_squared / 2 * _by_state(_by_state(k))
    drift_of_one = f * z - g_squared * _by_state(p) / p
    yield chain(
        "For data of any law, p times the kernel changes as under eta = 1, read backwards",
        of_p * k + p * of_k,
        (
            "-(b p k)' - g^2 (p k)'' / 2",
            -_by_state(drift_of_one * p * k) - g_squared / 2 * _by_state(_by_state(p * k)),
        ),
    )


def _by_state(e: Any) -> Any:
    return rate(e, z)


def false_variants() -> Iterable[Variant]:
    noisier = (falling(), less_noisy(now, start))
    for name, power in (
        ("the power eta", eta),
        ("the power (1 + eta^2) / 2", (1 + eta**2) / 2),
        ("the covariance of the forward process, for every eta", S.One),
    ):
        yield Variant(
            name=name, left=total_rate(_log_covariance(power)), right=_gain(eta), hypotheses=noisier
        )
    yield Variant(
        name="eta = 0 reverses the forward process",
        left=_covariance(S.Zero),
        right=renoise(_spread(now), S.Zero, now, start),
        hypotheses=noisier,
    )
    yield Variant(
        name="R does not depend on the data",
        left=_forward_correlation(),
        right=start.alpha / now.alpha,
        hypotheses=noisier,
    )
    yield Variant(
        name="with (1 - eta^2) / 2 of the score the marginals are kept",
        left=2 * (drift() + (1 - eta**2) / 2 * diffusion_squared() / _spread(now)) * _spread(now)
        - eta**2 * diffusion_squared(),
        right=total_rate(_spread(now)),
        hypotheses=noisier,
    )
