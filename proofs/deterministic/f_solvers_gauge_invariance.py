r"""DPM-Solver, DPM-Solver++ and UniPC do not depend on the gauge, at any order from 1 to 3.

Every one of these steps is (sigma_s / sigma_t) z_t + alpha_s W, or (alpha_s / alpha_t) z_t + sigma_s W in
the noise prediction, where W depends on the levels only by what half the log-SNR gains between them: W is
the step itself from z_t = 0, with alpha = 1 (or sigma = 1) at every level. A change of gauge multiplies
every level by its own scale, and the state with it; it changes neither those gains nor the predictions
x_hat and eps_hat = (z - alpha x_hat) / sigma. So the step gives the state multiplied by the scale of s.
Inside a step of order 2 or 3 ("s"), the state handed to the network is that of a step to the middle level,
so it is scaled as the network expects.

Not claimed: that a network is given its input in the right gauge; solvers that step in t or in sigma.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Lt, S, exp, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas import dpm_solver, unipc
from equiv.formulas.levels import Level, noise_ratio, rescaled
from equiv.formulas.predictions import eps_from_x
from equiv.proofs._symbols import eps_hat, now, x_hat, z_t

CLAIM = Claim(
    id="f-solvers-gauge-invariance",
    title="DPM-Solver, ++ and UniPC do not depend on the gauge",
    statement=r"\mathrm{step}(c_t z_t, \hat x;\ c_\tau \alpha_\tau, c_\tau \sigma_\tau)"
    r" = c_s\, \mathrm{step}(z_t, \hat x;\ \alpha_\tau, \sigma_\tau)",
    source=Source(seed="003", section="Sampling", equation="comment 2: it is said to be true of DDIM alone"),
)

h, h_0, h_1, part, b_h, c_t, c_s = symbols("h h_0 h_1 r B c_t c_s", positive=True)
x_before, x_earlier, x_middle, x_then, eps_before, eps_earlier, eps_middle, W = symbols(
    "x_p x_q x_m x_s epsilon_p epsilon_q epsilon_m W", real=True
)
EPS, X = (eps_hat, eps_before, eps_earlier), (x_hat, x_before, x_earlier)
RATIOS = {"q": exp(h_0) * exp(h_1), "p": exp(h_0), "t": S.One, "m": exp(-part * h), "s": exp(-h)}


def _level(name: str) -> Level[Any]:
    """Any level: any alpha, and a noise ratio that many times that of now."""
    alpha = symbols(f"alpha_{name}", positive=True)
    return now if name == "t" else Level(alpha, alpha * noise_ratio(now) * RATIOS[name])


def _alpha_one(name: str) -> Level[Any]:
    return Level(S.One, RATIOS[name])


def _sigma_one(name: str) -> Level[Any]:
    return Level(1 / RATIOS[name], S.One)


then = _level("s")


def _in_x(title: str, step: Any, inputs: tuple[Any, ...], names: str) -> Chain:
    gains_alone = step(S.Zero, *inputs, *map(_alpha_one, names))
    return chain(
        title,
        step(z_t, *inputs, *map(_level, names)),
        ("the weights depend on gains alone", then.sigma / now.sigma * z_t + then.alpha * gains_alone),
    )


def _in_eps(title: str, step: Any, inputs: tuple[Any, ...], names: str) -> Chain:
    gains_alone = step(S.Zero, *inputs, *map(_sigma_one, names))
    return chain(
        title,
        step(z_t, *inputs, *map(_level, names)),
        ("the weights depend on gains alone", then.alpha / now.alpha * z_t + then.sigma * gains_alone),
    )


def _in_order(gauge: Any) -> Any:
    """That q is noisier than p follows from the form of the levels; it is said as UniPC meets it."""
    gain = dpm_solver.half_log_snr_gain
    return Lt(gain(gauge("t"), gauge("q")), gain(gauge("t"), gauge("p")), evaluate=False)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_scaling(), *_dpm_solver(), *_dpm_solver_pp(), *_unipc()),
        hypotheses=(_in_order(_level), _in_order(_alpha_one)),
    )


def _scaling() -> Iterable[Chain]:
    scaled_now, scaled_then = rescaled(now, c_t), rescaled(then, c_s)
    yield chain(
        "The gains do not depend on the gauge",
        dpm_solver.half_log_snr_gain(scaled_now, scaled_then),
        ("the scales cancel", dpm_solver.half_log_snr_gain(now, then)),
        ("by the form of the level", h),
    )
    yield chain(
        "The noise prediction does not depend on the gauge",
        eps_from_x(c_t * z_t, x_hat, scaled_now),
        ("c_t cancels", eps_from_x(z_t, x_hat, now)),
    )
    yield chain(
        "Such a step in the data scales by c_s",
        scaled_then.sigma / scaled_now.sigma * (c_t * z_t) + scaled_then.alpha * W,
        ("take out c_s", c_s * (then.sigma / now.sigma * z_t + then.alpha * W)),
    )
    yield chain(
        "Such a step in the noise scales by c_s",
        scaled_then.alpha / scaled_now.alpha * (c_t * z_t) + scaled_then.sigma * W,
        ("take out c_s", c_s * (then.alpha / now.alpha * z_t + then.sigma * W)),
    )


def _dpm_solver() -> Iterable[Chain]:
    inner = EPS[0], eps_middle
    yield _in_eps("DPM-Solver-1", dpm_solver.dpm_solver_1, EPS[:1], "ts")
    yield _in_eps("DPM-Solver(2M)", dpm_solver.dpm_solver_2m, EPS[:2], "pts")
    yield _in_eps("DPM-Solver(2M), heun", dpm_solver.dpm_solver_2m_heun, EPS[:2], "pts")
    yield _in_eps("DPM-Solver(3M)", dpm_solver.dpm_solver_3m, EPS, "qpts")
    yield _in_eps("DPM-Solver-2 (2S)", dpm_solver.dpm_solver_2s, inner, "mts")
    yield _in_eps("DPM-Solver-3 (3S), and inside it", dpm_solver.dpm_solver_3s, inner, "mts")


def _dpm_solver_pp() -> Iterable[Chain]:
    inner = X[0], x_middle
    yield _in_x("DPM-Solver++-1", dpm_solver.dpm_solver_pp_1, X[:1], "ts")
    yield _in_x("DPM-Solver++(2M)", dpm_solver.dpm_solver_pp_2m, X[:2], "pts")
    yield _in_x("DPM-Solver++(2M), heun", dpm_solver.dpm_solver_pp_2m_heun, X[:2], "pts")
    yield _in_x("DPM-Solver++(3M)", dpm_solver.dpm_solver_pp_3m, X, "qpts")
    yield _in_x("DPM-Solver++(2S)", dpm_solver.dpm_solver_pp_2s, inner, "mts")


def _unipc() -> Iterable[Chain]:
    """B(h) is a function of h alone, so it is the same in every gauge."""
    yield _in_x("UniP-2", unipc.unip_2, (*X[:2], b_h), "pts")
    yield _in_x("UniP-3", unipc.unip_3, X, "qpts")
    yield _in_x("UniC-1", unipc.unic_1, (X[0], x_then, b_h), "ts")
    yield _in_x("UniC-2", unipc.unic_2, (*X[:2], x_then), "pts")
    yield _in_x("UniC-3", unipc.unic_3, (*X, x_then), "qpts")


def false_variants() -> Iterable[Variant]:
    levels = _level("p"), now, then
    scaled = _level("p"), rescaled(now, c_t), rescaled(then, c_s)
    two_step = dpm_solver.dpm_solver_pp_2m
    yield Variant(
        name="the result scales by the scale of the start",
        left=two_step(c_t * z_t, *X[:2], *scaled),
        right=c_t * two_step(z_t, *X[:2], *levels),
    )
    yield Variant(
        name="the noise prediction scales with the state",
        left=dpm_solver.dpm_solver_1(c_t * z_t, c_t * eps_hat, *scaled[1:]),
        right=c_s * dpm_solver.dpm_solver_1(z_t, eps_hat, *levels[1:]),
    )
    yield Variant(
        name="the ratio of step lengths may be taken in sigma",
        left=_extrapolated_in_sigma(c_t * z_t, *scaled),
        right=c_s * _extrapolated_in_sigma(z_t, *levels),
    )


def _extrapolated_in_sigma(z: Any, low: Level[Any], start: Level[Any], end: Level[Any]) -> Any:
    slope = (x_hat - x_before) / ((low.sigma - start.sigma) / (start.sigma - end.sigma))
    return dpm_solver.dpm_solver_pp_1(z, x_hat + slope / 2, start, end)
