r"""Straight paths help Euler in their own gauge, never DDIM.

For standard normal data on a variance-preserving schedule x_hat is alpha z, so v_hat is zero: the exact
path stands still, and an Euler step of the probability flow in that gauge is exact. DDIM shrinks the state
by the cosine of the angle of its step, here as in any other gauge (f-scale-invariance). Over N equal angles
it returns cos(pi / 2N)^N of the standard deviation: each step multiplies by cos(pi / 2N), and N of them
make a quarter turn.

Not claimed: other data; grids that are not uniform in the angle.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, Lt, S, cos, pi, sin, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import Level, rescaled
from equiv.formulas.predictions import v_from_x
from equiv.formulas.steps import ddim_step, probability_flow_euler_step
from equiv.proofs._calculus import rate
from equiv.proofs._symbols import z_t

CLAIM = Claim(
    id="f-straightness-vs-ddim",
    title="Straight paths help Euler, not DDIM",
    statement=r"x \sim N(0, 1),\ \alpha^2 + \sigma^2 = 1:\quad \hat v = 0,\ \mathrm{Euler}(z) = z, \qquad"
    r" \mathrm{DDIM}(z) = \cos(\delta)\, z,\quad \mathrm{std} = \cos^N \tfrac\pi{2 N}",
    source=Source(seed="003", section="Sampling", equation="straightness misnomer"),
    needs=("d-gmm-denoiser", "f-gaussian-ddim", "f-scale-invariance"),
    cites=("induction over steps, for the power N of the cosine",),
)

phi, delta, scale_t, scale_s, N, k = symbols("phi delta c_t c_s N k", positive=True)


def _level(angle: Any) -> Level[Any]:
    return Level(cos(angle), sin(angle))


def _ddim(level: Level[Any], end: Level[Any]) -> Any:
    return ddim_step(z_t, gaussian_denoiser(z_t, level, S.Zero, S.One), level, end)


def derivation() -> Derivation:
    here, there = _level(phi), _level(phi - delta)
    x = gaussian_denoiser(z_t, here, S.Zero, S.One)
    slopes = Level(rate(cos(phi), phi), rate(sin(phi), phi))
    step = cos(pi / (2 * N))
    return Derivation(
        chains=(
            chain("The denoiser", x, ("alpha^2 + sigma^2 is 1", cos(phi) * z_t)),
            chain("v is zero", v_from_x(z_t, x, here), ("alpha eps - sigma x", S.Zero)),
            chain(
                "An Euler step by the angle is exact",
                probability_flow_euler_step(z_t, x, here, slopes, phi, phi - delta),
                ("the slope is v", z_t),
            ),
            chain("A DDIM step", _ddim(here, there), ("x and eps are cos z and sin z", cos(delta) * z_t)),
            chain(
                "The same in any gauge",
                ddim_step(scale_t * z_t, x, rescaled(here, scale_t), rescaled(there, scale_s)) / scale_s,
                ("the scales cancel", cos(delta) * z_t),
            ),
            chain("One more step of a uniform grid", step * step**k, ("add the exponents", step ** (k + 1))),
            chain("N steps make a quarter turn", N * (pi / (2 * N)), ("N cancels", pi / 2)),
        ),
        hypotheses=(Gt(sin(phi), 0, evaluate=False), Gt(step, 0, evaluate=False)),
    )


def false_variants() -> Iterable[Variant]:
    before = Lt(delta, phi, evaluate=False), Lt(phi, pi / 2, evaluate=False)
    here, there = _level(phi), _level(phi - delta)
    yield Variant(
        name="DDIM is exact on a straight path", left=_ddim(here, there), right=z_t, hypotheses=before
    )
    yield Variant(
        name="DDIM shrinks by the square of the cosine",
        left=_ddim(here, there),
        right=cos(delta) ** 2 * z_t,
        hypotheses=before,
    )
    wide = gaussian_denoiser(z_t, here, S.Zero, S(2))
    yield Variant(
        name="v is zero for every width", left=v_from_x(z_t, wide, here), right=S.Zero, hypotheses=before
    )
    slopes = Level(-S.One, S.One)
    flow = Level(1 - delta, delta)
    yield Variant(
        name="Euler is exact in the flow-matching gauge",
        left=probability_flow_euler_step(
            z_t, gaussian_denoiser(z_t, flow, S.Zero, S.One), flow, slopes, delta, delta / 2
        ),
        right=z_t,
        hypotheses=(Lt(delta, 1, evaluate=False),),
    )
