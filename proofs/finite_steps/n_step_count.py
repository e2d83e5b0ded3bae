r"""How many steps are needed belongs to the sampler and its grid, not to diffusion or to flow matching.

In the gauge z / (alpha + sigma) and the time sigma / (alpha + sigma) a DDIM step on any schedule is an Euler
step of the flow, so N steps of one are N steps of the other on the same noise ratios, step by step, for
every network. The same is so with the mean of two outputs u, which is a Heun step: high-order solvers serve
both. What differs by default is the grid. For standard normal data, three steps of DDIM on the cosine grid
keep more of the deviation than three Euler steps of the flow on uniform times, and 64 steps of it are within
two percent, where the source would have diffusion need more than a thousand.

Not claimed: how many steps a trained network needs; which grid is best for other data.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from sympy import Max, Rational, S, cos, pi, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import Level
from equiv.formulas.predictions import x_from_u
from equiv.formulas.schedules import cosine, flow_matching
from equiv.formulas.steps import ddim_step, flow_euler_step
from equiv.proofs._symbols import now, positive, s, t, then, u_hat

CLAIM = Claim(
    id="n-step-count",
    title="Step counts belong to the sampler and its grid",
    statement=r"\frac{z_s^{\mathrm{DDIM}}}{\alpha_s + \sigma_s} = y_t + (\tau_s - \tau_t)\, \hat u, \quad"
    r" y = \frac z{\alpha + \sigma},\ \tau = \frac\sigma{\alpha + \sigma}: \qquad"
    r" N_{\mathrm{DDIM}} = N_{\mathrm{Euler}} \text{ on the same noise ratios}",
    source=Source(
        seed="001", section="Key Differences", equation="diffusion models typically require >1000 steps"
    ),
    needs=("f-ddim-is-fm",),
    erratum="E21",
    as_written=r"N_{\mathrm{diffusion}} > 1000, \qquad 10 \le N_{\mathrm{flow}} \le 100"
    r" \text{ with high-order solvers}",
    cites=("induction over steps, for samplers of N steps",),
)

scaled, first, second = symbols("y u_1 u_2", real=True)
ENOUGH = 64


def _flow_time(level: Level[Any]) -> Any:
    return level.sigma / (level.alpha + level.sigma)


def _step(outputs: Any) -> Any:
    """DDIM on any schedule from the state (alpha + sigma) y, back in the gauge of the flow."""
    state = (now.alpha + now.sigma) * scaled
    return ddim_step(state, x_from_u(state, outputs, now), now, then) / (then.alpha + then.sigma)


def _kept(start: Level[Any], end: Level[Any]) -> Any:
    """What a DDIM step multiplies the deviation of standard normal data by, per that of the exact flow."""
    gain = ddim_step(S.One, gaussian_denoiser(S.One, start, S.Zero, S.One), start, end)
    return gain * sqrt((start.alpha**2 + start.sigma**2) / (end.alpha**2 + end.sigma**2))


def _three_flow_steps() -> Any:
    times = [S.One, Rational(2, 3), Rational(1, 3), S.Zero]
    product: Any = S.One
    for start, end in pairwise(times):
        product = product * _kept(flow_matching(start), flow_matching(end))
    return product


def derivation() -> Derivation:
    steps = _flow_time(then) - _flow_time(now)
    return Derivation(
        chains=(
            chain(
                "A step of any schedule, from the same gauged state and for the same output",
                _step(u_hat),
                (
                    "an Euler step of the flow",
                    flow_euler_step(scaled, u_hat, _flow_time(now), _flow_time(then)),
                ),
            ),
            chain(
                "With the mean of two outputs, as Heun's method has it",
                _step((first + second) / 2),
                ("the Heun step of the flow", scaled + steps * (first + second) / 2),
            ),
            *_standard_normal_data(),
        ),
        hypotheses=positive(cosine(t)),
    )


def _standard_normal_data() -> Iterable[Chain]:
    yield chain(
        "The cosine schedule: a step keeps, of the deviation of standard normal data",
        _kept(cosine(t), cosine(s)),
        ("the cosine of the angle", cos(pi * (t - s) / 2)),
    )
    yield chain(
        "Three steps of the cosine schedule", cos(pi / 6) ** 3, ("that angle thrice", 3 * sqrt(3) / 8)
    )
    yield chain(
        "Three Euler steps of the flow", _three_flow_steps(), ("2/sqrt 5, 4/5 and 2/sqrt 5", Rational(16, 25))
    )
    yield chain(
        "The cosine schedule keeps more",
        (3 * sqrt(3) / 8) ** 2 - Rational(16, 25) ** 2,
        ("the squares compared", Rational(491, 40000)),
    )


def false_variants() -> Iterable[Variant]:
    steps = _flow_time(then) - _flow_time(now)
    for name, wrong in (
        ("the flow takes it in sigma", scaled + (then.sigma - now.sigma) * u_hat),
        (
            "the flow takes it in the noise ratio",
            scaled + (then.sigma / then.alpha - now.sigma / now.alpha) * u_hat,
        ),
        ("the flow needs half of it", scaled + steps / 2 * u_hat),
        ("ten steps of the flow for one", scaled + 10 * steps * u_hat),
    ):
        yield Variant(name=f"a step of any schedule: {name}", left=_step(u_hat), right=wrong)
    yield Variant(
        name="Heun's method serves the flow alone: DDIM has only its first output",
        left=_step((first + second) / 2),
        right=scaled + steps * first,
    )


def as_written() -> Iterable[Variant]:
    lost = 1 - cos(pi / (2 * ENOUGH)) ** ENOUGH
    yield Variant(
        name=f"{ENOUGH} steps of DDIM on standard normal data lose two percent of the deviation or more",
        left=Max(lost, Rational(1, 50)),
        right=lost,
    )
    yield Variant(
        name="of three steps on standard normal data, those of the flow keep more of the deviation",
        left=Max(_three_flow_steps(), cos(pi / 6) ** 3),
        right=_three_flow_steps(),
    )
