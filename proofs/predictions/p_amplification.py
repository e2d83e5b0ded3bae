r"""How much an error grows when one prediction is turned into another.

At the same state, an error of eps is exp(-lambda/2) times as large in x, and an error of x exp(lambda/2)
times as large in eps: each is unbounded at its end of the schedule. An error of u is never enlarged: its
shares in x and eps are sigma / (alpha + sigma) and alpha / (alpha + sigma), which sum to one. Of v the
factors are sigma and alpha where the schedule is variance preserving, whose squares sum to one; in another
gauge they are divided by alpha^2 + sigma^2 and may exceed one. The source says that x "is not informative"
at low noise: what fails there is its conversion into eps.

Not claimed: which errors a trained network makes; anything about losses.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Abs, S, cos, exp, sin, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, log_snr
from equiv.formulas.predictions import eps_from_x, x_from_eps, x_from_u, x_from_v
from equiv.proofs._symbols import now, z_t

CLAIM = Claim(
    id="p-amplification",
    title="How errors grow from one prediction to another",
    statement=r"|\delta x| = e^{-\lambda/2} |\delta\epsilon|, "
    r" \quad |\delta\epsilon| = e^{\lambda/2} |\delta x|,"
    r" \quad |\delta x| = \tfrac\sigma{\alpha + \sigma} |\delta u|,"
    r" \quad |\delta\epsilon| = \tfrac\alpha{\alpha + \sigma} |\delta u|,"
    r" \quad |\delta x| = \tfrac\sigma{\alpha^2 + \sigma^2} |\delta v|,"
    r" \quad |\delta\epsilon| = \tfrac\alpha{\alpha^2 + \sigma^2} |\delta v|",
    source=Source(seed="003", section="Training", equation="the remarks on the table of network outputs"),
    needs=("p-conversions",),
)

predicted, true = symbols("N N'", real=True)
phi, K = symbols("phi K", positive=True)
DELTA = Abs(predicted - true, evaluate=False)


def _to_x(convert: Any, level: Level[Any]) -> Any:
    """The error of x for an error of a prediction at the same state."""
    return Abs(convert(z_t, predicted, level) - convert(z_t, true, level), evaluate=False)


def _to_eps(convert: Any, level: Level[Any]) -> Any:
    of_x = [convert(z_t, prediction, level) for prediction in (predicted, true)]
    return Abs(eps_from_x(z_t, of_x[0], level) - eps_from_x(z_t, of_x[1], level), evaluate=False)


def _itself(_z: Any, x: Any, _level: Any) -> Any:
    return x


def derivation() -> Derivation:
    return Derivation(chains=(*_x_and_eps(), *_u(), *_v()))


def _x_and_eps() -> Iterable[Chain]:
    lambda_t = log_snr(now)
    yield chain(
        "From eps to x",
        _to_x(x_from_eps, now),
        ("z cancels", now.sigma / now.alpha * DELTA),
        ("lambda is 2 log(alpha / sigma)", exp(-lambda_t / 2) * DELTA),
    )
    yield chain(
        "From x to eps",
        _to_eps(_itself, now),
        ("z cancels", now.alpha / now.sigma * DELTA),
        ("lambda is 2 log(alpha / sigma)", exp(lambda_t / 2) * DELTA),
    )
    yield chain(
        "From eps to x, a factor as large as one likes",
        _to_x(x_from_eps, Level(S.One, K)),
        ("sigma is K", K * DELTA),
    )
    yield chain(
        "From x to eps, a factor as large as one likes",
        _to_eps(_itself, Level(K, S.One)),
        ("alpha is K", K * DELTA),
    )


def _u() -> Iterable[Chain]:
    total = now.alpha + now.sigma
    yield chain("From u to x", _to_x(x_from_u, now), ("z cancels", now.sigma / total * DELTA))
    yield chain("From u to eps", _to_eps(x_from_u, now), ("through x", now.alpha / total * DELTA))
    yield chain(
        "Neither exceeds the error of u",
        DELTA - _to_x(x_from_u, now),
        ("the rest is that of eps", _to_eps(x_from_u, now)),
    )


def _v() -> Iterable[Chain]:
    squares = now.alpha**2 + now.sigma**2
    angle = Level(cos(phi), sin(phi))
    yield chain("From v to x", _to_x(x_from_v, now), ("z cancels", now.sigma / squares * DELTA))
    yield chain("From v to eps", _to_eps(x_from_v, now), ("through x", now.alpha / squares * DELTA))
    yield chain(
        "Where the schedule is variance preserving, neither exceeds the error of v",
        (predicted - true) ** 2 - (x_from_v(z_t, predicted, angle) - x_from_v(z_t, true, angle)) ** 2,
        ("sine squared plus cosine squared", (cos(phi) * (predicted - true)) ** 2),
    )


def false_variants() -> Iterable[Variant]:
    lambda_t = log_snr(now)
    yield Variant(
        name="the factor is exp(-lambda)", left=_to_x(x_from_eps, now), right=exp(-lambda_t) * DELTA
    )
    yield Variant(
        name="eps grows from x as x from eps", left=_to_eps(_itself, now), right=exp(-lambda_t / 2) * DELTA
    )
    yield Variant(
        name="the factors of v are sigma and alpha in every gauge",
        left=_to_x(x_from_v, now),
        right=now.sigma * DELTA,
    )
    yield Variant(name="u is converted without loss", left=_to_x(x_from_u, now), right=DELTA)
    yield Variant(
        name="the factors of u are sigma and alpha", left=_to_x(x_from_u, now), right=now.sigma * DELTA
    )
