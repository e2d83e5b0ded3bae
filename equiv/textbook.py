"""The samplers that have a name, as formulas for whole runs: what an unknown one is identified with.

Written on levels of alpha 1, down to clean data; each may have parameters, given as text.
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType

import msgspec

from equiv.formulas import deis, plms, samplers, unipc
from equiv.formulas import dpm_solver as ode
from equiv.formulas import dpm_solver_sde as sde
from equiv.formulas.levels import Level, kappa
from equiv.formulas.predictions import eps_from_x, u_from_x, x_from_eps
from equiv.formulas.steps import (
    churn_step,
    ddim_eta_step,
    ddim_step,
    ddpm_step,
    flow_euler_step,
    renoise,
)
from equiv.number import exp, sqrt
from equiv.symbolic.expression import Expr, const

Levels = list[Level[Expr]]
Denoise = Callable[[Expr, Level[Expr]], Expr]
Draw = Callable[[], Expr]
Config = Mapping[str, str]
Run = Callable[[Expr, Levels, Denoise, Draw, Config], Expr]
Step = Callable[[Expr, Denoise, Level[Expr], Level[Expr]], Expr]
Bound = Callable[[Expr, Levels, Denoise, Draw], Expr]
ONE = const(1)


class Formula(msgspec.Struct, frozen=True, kw_only=True):
    """``says`` is the name for people; ``options`` are the parameters with the values that are tried."""

    says: str
    run: Run
    options: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    order: int | None = None  # of convergence, where it has no noise

    def method(self, config: Config) -> Bound:
        """The formula with its parameters given."""
        return lambda z, levels, denoise, draw: self.run(z, levels, denoise, draw, config)


def number(text: str) -> Expr:
    """A parameter: a rational, or the root of one, as in sqrt(3/10)."""
    if text.startswith("sqrt(") and text.endswith(")"):
        return sqrt(const(Fraction(text[5:-1])))
    return const(Fraction(text))


# --- one step after the other -----------------------------------------------------------------------------


def _one_step(step: Callable[[Draw, Config], Step]) -> Run:
    return lambda z, levels, denoise, draw, config: samplers.one_step(step(draw, config), z, levels, denoise)


def _by_x(formula: Callable[[Expr, Expr, Draw, Config, Level[Expr], Level[Expr]], Expr]) -> Run:
    """A step of the state and one data prediction."""
    return _one_step(
        lambda draw, config: (
            lambda z, denoise, now, then: formula(z, denoise(z, now), draw, config, now, then)
        )
    )


def _then_renoise(z: Expr, x: Expr, draw: Draw, config: Config, now: Level[Expr], then: Level[Expr]) -> Expr:
    """DDIM over rho times the log-SNR, and the noise put back."""
    beyond = Level(then.alpha, then.sigma * kappa(now, then) ** (number(config["rho"]) - 1))
    return renoise(ddim_step(z, x, now, beyond), draw(), beyond, then)


def _flow(z: Expr, x: Expr, _draw: Draw, _config: Config, now: Level[Expr], then: Level[Expr]) -> Expr:
    """Euler along the straight path: in its gauge, where alpha + sigma is 1, and back."""
    here, there = now.alpha + now.sigma, then.alpha + then.sigma
    u_hat = u_from_x(z / here, x, Level(now.alpha / here, now.sigma / here))
    return there * flow_euler_step(z / here, u_hat, now.sigma / here, then.sigma / there)


def _churned(step: Step) -> Run:
    """After noise that raises sigma by 1 + gamma."""

    def run(z: Expr, levels: Levels, denoise: Denoise, draw: Draw, config: Config) -> Expr:
        stir = samplers.churn(number(config["gamma"]), draw)
        return samplers.one_step(step, z, levels, denoise, stir)

    return run


def _flow_heun(z: Expr, denoise: Denoise, now: Level[Expr], then: Level[Expr]) -> Expr:
    """Heun along the straight path, which is no Heun in sigma."""
    here, there = now.alpha + now.sigma, then.alpha + then.sigma
    t, s = now.sigma / here, then.sigma / there
    z_flow = z / here
    first = u_from_x(z_flow, denoise(z, now), Level(1 - t, t))
    guess = flow_euler_step(z_flow, first, t, s)
    second = u_from_x(guess, denoise(there * guess, then), Level(1 - s, s))
    return there * flow_euler_step(z_flow, (first + second) / 2, t, s)


def _ancestral(step: Step) -> Run:
    return _one_step(lambda draw, config: samplers.ancestral(step, number(config["eta"]), draw))


# --- several steps ----------------------------------------------------------------------------------------


def _multistep(
    formulas: Sequence[Callable[..., Expr]], *, eps: bool = False, noisy: bool = False, lower: bool = False
) -> Run:
    """Of as high an order as there are outputs for.

    Args:
        formulas: ``formulas[k]`` takes the state, k + 1 outputs (the latest first), a draw if there are any,
            and the levels (the earliest first).
        eps: the outputs are noise predictions.
        noisy: there are draws.
        lower: the step before the last is of order 2 at most.
    """

    def run(z: Expr, levels: Levels, denoise: Denoise, draw: Draw, _config: Config) -> Expr:
        outputs: list[Expr] = []
        for i, now in enumerate(levels[:-1]):
            x_hat = denoise(z, now)
            outputs.insert(0, eps_from_x(z, x_hat, now) if eps else x_hat)
            k = min(i, len(formulas) - 1, 1 if lower and i == len(levels) - 2 else i)
            drawn = [draw()] if noisy else []
            z = formulas[k](z, *outputs[: k + 1], *drawn, *levels[i - k : i + 2])
        return denoise(z, levels[-1])

    return run


def _unip(order: int) -> Run:
    """The predictor of UniPC alone."""

    def run(z: Expr, levels: Levels, denoise: Denoise, draw: Draw, config: Config) -> Expr:
        def unip_2(z: Expr, x: Expr, before: Expr, *at: Level[Expr]) -> Expr:
            return _by_order(_UNIP, 2, 2, (z, x, before), config, at)

        return _multistep((ddim_step, unip_2, unipc.unip_3)[:order])(z, levels, denoise, draw, config)

    return run


def _b_h(config: Config, now: Level[Expr], then: Level[Expr]) -> Expr:
    h = ode.half_log_snr_gain(now, then)
    return h if config.get("b_h") == "bh1" else 1 - exp(-h)


def _unipc(order: int) -> Run:
    """Each output corrects the state that it was asked at, from which the next is predicted.

    Of lower order at the start and at the end, as the paper advises.
    """

    def run(z: Expr, levels: Levels, denoise: Denoise, _draw: Draw, config: Config) -> Expr:
        outputs = [denoise(z, levels[0])]
        for i, then in enumerate(levels[1:]):
            k = min(order, i + 1, len(levels) - i)
            given, at = outputs[:k], (*levels[i - k + 1 : i + 1], then)
            predicted = _by_order(_UNIP, k, 2, (z, *given), config, at)
            outputs.insert(0, denoise(predicted, then))
            z = _by_order(_UNIC, k, 1, (z, *given, outputs[0]), config, at)
        return outputs[0]

    return run


_UNIP: tuple[Callable[..., Expr], ...] = (ddim_step, unipc.unip_2, unipc.unip_3)
_UNIC: tuple[Callable[..., Expr], ...] = (unipc.unic_1, unipc.unic_2, unipc.unic_3)


def _by_order(
    formulas: Sequence[Callable[..., Expr]],
    order: int,
    free: int,
    values: Sequence[Expr],
    config: Config,
    at: Sequence[Level[Expr]],
) -> Expr:
    """One of the formulas; that of the order ``free`` has a weight which B(h) decides."""
    function = [_b_h(config, *at[-2:])] if order == free else []
    return formulas[order - 1](*values, *function, *at)


def _by_eps(z: Expr, eps_hat: Expr, now: Level[Expr], then: Level[Expr]) -> Expr:
    return ddim_step(z, x_from_eps(z, eps_hat, now), now, then)


def _bashforth(weights: Callable[..., Expr], count: int) -> Callable[..., Expr]:
    """DDIM with a mean of noise predictions."""
    return lambda z, *given: _by_eps(z, weights(*given[:count]), *given[-2:])


_BASHFORTH = (
    _by_eps,
    _bashforth(plms.adams_bashforth_2, 2),
    _bashforth(plms.adams_bashforth_3, 3),
    _bashforth(plms.adams_bashforth_4, 4),
)


def _pndm(z: Expr, levels: Levels, denoise: Denoise, draw: Draw, _config: Config) -> Expr:
    """PLMS whose first step is one of Heun in the noise prediction."""
    del draw
    first, second, *_ = levels
    start = eps_from_x(z, denoise(z, first), first)
    guess = _by_eps(z, start, first, second)
    mean = (start + eps_from_x(guess, denoise(guess, second), second)) / 2
    z, outputs = _by_eps(z, mean, first, second), [start]
    for i, now in enumerate(levels[1:], 1):
        outputs.insert(0, eps_from_x(z, denoise(z, now), now))
        slope = (plms.adams_bashforth_2, plms.adams_bashforth_3, plms.adams_bashforth_4)[min(i, 3) - 1]
        eps_hat = slope(*outputs[: min(i, 3) + 1])
        if i + 1 == len(levels):
            return x_from_eps(z, eps_hat, now)
        z = _by_eps(z, eps_hat, now, levels[i + 1])
    return z


def _extrapolated(z: Expr, levels: Levels, denoise: Denoise, draw: Draw, config: Config) -> Expr:
    """The churn family along a noise prediction that is extrapolated from that before by gam."""
    gam, rho, before = number(config["gam"]), number(config["rho"]), list[Expr]()
    for i, now in enumerate(levels):
        before.insert(0, eps_from_x(z, denoise(z, now), now))
        ahead = before[0] if i == 0 else before[1] + gam * (before[0] - before[1])
        x_hat = x_from_eps(z, ahead, now)
        if i + 1 < len(levels):
            z = churn_step(z, x_hat, draw(), rho, now, levels[i + 1])
    return x_hat


_PP = (ddim_step, ode.dpm_solver_pp_2m, ode.dpm_solver_pp_3m)
_SDE = (sde.sde_dpm_solver_pp_1, sde.sde_dpm_solver_pp_2m, sde.sde_dpm_solver_pp_3m)
_ETA = ("1", "1/2")
_BH = ("bh2", "bh1")
_GAMMA = ("1/5",)

FORMULAS: Mapping[str, Formula] = {
    "ddim": Formula(says="DDIM", run=_by_x(lambda z, x, draw, c, t, s: ddim_step(z, x, t, s)), order=1),
    "flow-euler": Formula(says="Euler along a flow", run=_by_x(_flow), order=1),
    "ddpm": Formula(says="DDPM", run=_by_x(lambda z, x, draw, c, t, s: ddpm_step(z, x, draw(), t, s))),
    "ddim-eta": Formula(
        says="DDIM with eta",
        run=_by_x(lambda z, x, draw, c, t, s: ddim_eta_step(z, x, draw(), number(c["eta"]), t, s)),
        options={"eta": ("1/2", "0", "1")},
    ),
    "churn": Formula(
        says="the churn family",
        run=_by_x(lambda z, x, draw, c, t, s: churn_step(z, x, draw(), number(c["rho"]), t, s)),
        options={"rho": ("3", "1", "2")},
    ),
    "ddim-then-renoise": Formula(
        says="DDIM over rho times the log-SNR, then renoised",
        run=_by_x(_then_renoise),
        options={"rho": ("2", "1", "3")},
    ),
    "fresh-noise": Formula(
        says="x_hat with fresh noise (consistency sampling)",
        run=_by_x(lambda z, x, draw, c, t, s: s.alpha * x + s.sigma * draw()),
    ),
    "edm-churn": Formula(
        says="Euler after churn (EDM)", run=_churned(samplers.euler), options={"gamma": _GAMMA}
    ),
    "heun-churn": Formula(
        says="Heun after churn (EDM)", run=_churned(samplers.heun), options={"gamma": _GAMMA}
    ),
    "dpm-2-churn": Formula(
        says="DPM-2 after churn", run=_churned(samplers.midpoint), options={"gamma": _GAMMA}
    ),
    "euler-ancestral": Formula(says="Euler ancestral", run=_ancestral(samplers.euler), options={"eta": _ETA}),
    "heun": Formula(says="Heun in sigma (EDM)", run=_one_step(lambda draw, c: samplers.heun), order=2),
    "flow-heun": Formula(says="Heun along a flow", run=_one_step(lambda draw, c: _flow_heun), order=2),
    "dpm-2": Formula(
        says="the midpoint rule in sigma (DPM-2)", run=_one_step(lambda draw, c: samplers.midpoint), order=2
    ),
    "dpm-2-ancestral": Formula(
        says="DPM-2 ancestral", run=_ancestral(samplers.midpoint), options={"eta": _ETA}
    ),
    "dpmpp-2s": Formula(
        says="DPM-Solver++(2S)", run=_one_step(lambda draw, c: samplers.dpm_solver_pp_2s), order=2
    ),
    "dpmpp-2s-ancestral": Formula(
        says="DPM-Solver++(2S) ancestral", run=_ancestral(samplers.dpm_solver_pp_2s), options={"eta": _ETA}
    ),
    "dpmpp-sde": Formula(
        says="DPM-Solver++ SDE (DDPM with its midpoint)",
        run=_one_step(lambda draw, c: samplers.ddpm_midpoint(draw)),
    ),
    "dpmpp-2m": Formula(says="DPM-Solver++(2M)", run=_multistep(_PP[:2]), order=2),
    "dpmpp-2m-heun": Formula(
        says="DPM-Solver++(2M), heun", run=_multistep((ddim_step, ode.dpm_solver_pp_2m_heun)), order=2
    ),
    "dpmpp-3m": Formula(
        says="DPM-Solver++(3M), its last but one step of order 2", run=_multistep(_PP, lower=True), order=3
    ),
    "dpm-solver-2m": Formula(
        says="DPM-Solver(2M)", run=_multistep((_by_eps, ode.dpm_solver_2m), eps=True), order=2
    ),
    "dpmpp-3m-heun": Formula(
        says="DPM-Solver++(3M), heun, its last but one step of order 2",
        run=_multistep((ddim_step, ode.dpm_solver_pp_2m_heun, ode.dpm_solver_pp_3m), lower=True),
        order=3,
    ),
    "dpmpp-3m-to-the-end": Formula(
        says="DPM-Solver++(3M), heun",
        run=_multistep((ddim_step, ode.dpm_solver_pp_2m_heun, ode.dpm_solver_pp_3m)),
        order=3,
    ),
    "dpm-solver-3m": Formula(
        says="DPM-Solver(3M), its last but one step of order 2",
        run=_multistep((_by_eps, ode.dpm_solver_2m, ode.dpm_solver_3m), eps=True, lower=True),
        order=3,
    ),
    "dpm-solver-3m-heun": Formula(
        says="DPM-Solver(3M), heun, its last but one step of order 2",
        run=_multistep((_by_eps, ode.dpm_solver_2m_heun, ode.dpm_solver_3m), eps=True, lower=True),
        order=3,
    ),
    "dpm-solver-2m-heun": Formula(
        says="DPM-Solver(2M), heun",
        run=_multistep((_by_eps, ode.dpm_solver_2m_heun), eps=True),
        order=2,
    ),
    "sde-dpm-1": Formula(
        says="SDE-DPM-Solver of order 1", run=_multistep((sde.sde_dpm_solver_1,), eps=True, noisy=True)
    ),
    "sde-dpm-2m": Formula(
        says="SDE-DPM-Solver(2M)",
        run=_multistep((sde.sde_dpm_solver_1, sde.sde_dpm_solver_2m), eps=True, noisy=True),
    ),
    "sde-dpm-2m-heun": Formula(
        says="SDE-DPM-Solver(2M), heun",
        run=_multistep((sde.sde_dpm_solver_1, sde.sde_dpm_solver_2m_heun), eps=True, noisy=True),
    ),
    "sde-dpmpp-3m-lower": Formula(
        says="SDE-DPM-Solver++(3M), its last but one step of order 2",
        run=_multistep(_SDE, noisy=True, lower=True),
    ),
    "sde-dpmpp-3m-lower-heun": Formula(
        says="SDE-DPM-Solver++(3M), heun, its last but one step of order 2",
        run=_multistep((_SDE[0], sde.sde_dpm_solver_pp_2m_heun, _SDE[2]), noisy=True, lower=True),
    ),
    "extrapolated": Formula(
        says="the churn family along an extrapolated eps_hat",
        run=_extrapolated,
        options={"gam": ("2",), "rho": ("1", "2")},
    ),
    "sde-dpmpp-2m": Formula(says="SDE-DPM-Solver++(2M)", run=_multistep(_SDE[:2], noisy=True)),
    "sde-dpmpp-2m-heun": Formula(
        says="SDE-DPM-Solver++(2M), heun",
        run=_multistep((_SDE[0], sde.sde_dpm_solver_pp_2m_heun), noisy=True),
    ),
    "sde-dpmpp-3m": Formula(
        says="SDE-DPM-Solver++(3M)",
        run=_multistep((_SDE[0], sde.sde_dpm_solver_pp_2m_heun, _SDE[2]), noisy=True),
    ),
    "unip-2": Formula(says="UniP-2", run=_unip(2), options={"b_h": _BH}, order=2),
    "unip-3": Formula(says="UniP-3", run=_unip(3), options={"b_h": _BH}, order=3),
    "unipc-1": Formula(says="UniPC of order 1", run=_unipc(1), options={"b_h": _BH}, order=2),
    "unipc-2": Formula(says="UniPC of order 2", run=_unipc(2), options={"b_h": _BH}, order=3),
    "unipc-3": Formula(
        says="UniPC of order 3, of lower order at its ends", run=_unipc(3), options={"b_h": _BH}, order=4
    ),
    "deis-2": Formula(
        says="DEIS of order 2 in log sigma", run=_multistep((_by_eps, deis.deis_2), eps=True), order=2
    ),
    "deis-3": Formula(
        says="DEIS of order 3 in log sigma, its last but one step of order 2",
        run=_multistep((_by_eps, deis.deis_2, deis.deis_3), eps=True, lower=True),
        order=3,
    ),
    "ab-2": Formula(
        says="Adams-Bashforth of order 2 in eps_hat", run=_multistep(_BASHFORTH[:2], eps=True), order=1
    ),
    "plms": Formula(says="PLMS (Adams-Bashforth in eps_hat)", run=_multistep(_BASHFORTH, eps=True), order=1),
    "pndm": Formula(says="PLMS started with a step of Heun (PNDM)", run=_pndm, order=1),
}
