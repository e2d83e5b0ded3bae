r"""The raw target of EDM is minus v.

Divide the data by s_d and let r = sigma / s_d be the noise ratio. In the variance-preserving gauge, with
levels (1, r) / sqrt(1 + r^2), the network's input c_in z is the state, and its raw target (x - c_skip z) /
c_out is -v, for any data and any noise. The denoiser that EDM makes of a raw output is that of a
v-prediction, times s_d.

Not claimed: the weightings of the two losses; where s_d is not the data's spread, only the variances
suffer.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Ne, sqrt, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level
from equiv.formulas.predictions import x_from_v
from equiv.proofs._symbols import noise, z_t

CLAIM = Claim(
    id="p-edm-is-v",
    title="The raw target of EDM is minus v",
    statement=r"\frac{x - c_{\mathrm{skip}} z}{c_{\mathrm{out}}} = -v, \qquad"
    r" v = \alpha \epsilon - \beta \frac x{\sigma_d},\quad (\alpha, \beta) = \frac{(1, r)}{\sqrt{1 + r^2}},"
    r"\quad r = \frac\sigma{\sigma_d}",
    source=Source(seed="003", section="Training", equation="implied: v-prediction and EDM"),
    needs=("p-edm-precond", "p-conversions"),
)

x, output = symbols("x F", real=True)
sigma, s_d = symbols("sigma s_d", positive=True)
TOTAL = sigma**2 + s_d**2
C_IN, C_SKIP, C_OUT = 1 / sqrt(TOTAL), s_d**2 / TOTAL, sigma * s_d / sqrt(TOTAL)


def _level(r: Any) -> Level[Any]:
    norm = sqrt(1 + r**2)
    return Level(1 / norm, r / norm)


def _v(data: Any, level: Level[Any]) -> Any:
    return level.alpha * noise - level.sigma * data


def _raw_target() -> Any:
    return (x - C_SKIP * (x + sigma * noise)) / C_OUT


def derivation() -> Derivation:
    level = _level(sigma / s_d)
    return Derivation(
        chains=(
            chain(
                "The raw target",
                _raw_target(),
                ("collect x and the noise", (sigma * x / s_d - s_d * noise) / sqrt(TOTAL)),
                ("alpha is s_d / sqrt(sigma^2 + s_d^2)", -_v(x / s_d, level)),
            ),
            chain(
                "The input",
                C_IN * (x + sigma * noise),
                ("the variance-preserving state of x / s_d", level.alpha * (x / s_d) + level.sigma * noise),
            ),
            chain(
                "The denoiser",
                C_SKIP * z_t + C_OUT * output,
                ("v is -F, at the state c_in z", s_d * x_from_v(C_IN * z_t, -output, level)),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    level = _level(sigma / s_d)
    spread = (Ne(s_d, 1, evaluate=False),)
    yield Variant(name="the raw target is v", left=_raw_target(), right=_v(x / s_d, level))
    yield Variant(
        name="the data's spread is ignored",
        left=_raw_target(),
        right=-_v(x, _level(sigma)),
        hypotheses=spread,
    )
    yield Variant(name="the data is not divided", left=_raw_target(), right=-_v(x, level), hypotheses=spread)
    yield Variant(
        name="the denoiser without s_d",
        left=C_SKIP * z_t + C_OUT * output,
        right=x_from_v(C_IN * z_t, -output, level),
        hypotheses=spread,
    )
