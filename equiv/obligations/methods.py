"""The method that each function names, from its paper: what a whole run asks the model, and its sample."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple, Protocol

from equiv.formulas import samplers
from equiv.formulas.dpm_solver import (
    dpm_solver_1,
    dpm_solver_2s,
    dpm_solver_3s,
    dpm_solver_pp_1,
    dpm_solver_pp_2m,
    dpm_solver_pp_2m_heun,
    dpm_solver_pp_3m,
)
from equiv.formulas.dpm_solver_sde import (
    sde_dpm_solver_pp_1,
    sde_dpm_solver_pp_2m,
    sde_dpm_solver_pp_2m_heun,
    sde_dpm_solver_pp_3m,
)
from equiv.formulas.levels import Level, kappa
from equiv.formulas.linear_multistep import adams_bashforth_step
from equiv.formulas.predictions import TO_X, eps_from_x, x_from_eps
from equiv.formulas.steps import churn_step, renoise
from equiv.number import maximum, sqrt
from equiv.subjects.run import Grid
from equiv.subjects.subject import Prediction
from equiv.symbolic.expression import Expr, const, literal, symbol

Config = Mapping[str, str]
Denoise = Callable[[Expr, Level[Expr]], Expr]
Draw = Callable[[], Expr]
ONE = const(1)
MISSING = symbol("n_missing", "noise")  # a draw that the method makes and the code does not
DEFAULTS: Config = {
    "s_churn": "0",
    "eta": "1",
    "solver_type": "midpoint",
    "gam": "1",
    "mu": "0",
    "order": "4",
}
LARGEST_CHURN = literal(2**0.5 - 1)  # of the factor by which sigma is raised before a step


class Method(NamedTuple):
    """``says`` is the method in words; ``run`` is the whole of it.

    A method of ``answers`` takes what the model gives back as it is; others take its data prediction.
    """

    says: str
    run: Callable[[Expr, list[Level[Expr]], Denoise, Draw, Config], Expr]
    answers: bool = False


class Setting(Protocol):
    """What a run was given."""

    @property
    def prediction(self) -> Prediction: ...
    @property
    def grid(self) -> Grid: ...
    @property
    def state(self) -> Expr: ...
    @property
    def listed(self) -> Sequence[Expr]: ...
    @property
    def answers(self) -> Sequence[Expr]: ...
    @property
    def noises(self) -> Sequence[Expr]: ...


class Asked(NamedTuple):
    """What a method asks a model, and its sample."""

    grid: Grid
    queries: list[tuple[Expr, Level[Expr]]]
    sample: Expr

    @property
    def results(self) -> list[Expr]:
        """In the order of :attr:`equiv.subjects.run.LiftedRun.results`."""
        return [*(e for z, level in self.queries for e in (self.grid.told(level), z)), self.sample]


def asked(method: Method, run: Setting, config: Config) -> Asked:
    """What the method asks a model that answers as in the run, and its sample."""
    queries: list[tuple[Expr, Level[Expr]]] = []
    noises, name = iter(run.noises), run.prediction.split()[-1]

    def denoise(z: Expr, level: Level[Expr]) -> Expr:
        k = len(queries)
        queries.append((z, level))
        answer = run.answers[k] if k < len(run.answers) else symbol(f"{name}_{k}", "network")
        return answer if method.answers else data_prediction(run.prediction, z, answer, level)

    def draw() -> Expr:
        return next(noises, MISSING)

    sample = method.run(run.state, run.grid.levels(run.listed), denoise, draw, {**DEFAULTS, **config})
    return Asked(run.grid, queries, sample)


def data_prediction(kind: Prediction, z: Expr, answer: Expr, level: Level[Expr]) -> Expr:
    """The data prediction that an answer means."""
    if kind.startswith("minus "):
        answer = -answer
    found: Expr = TO_X[kind.removeprefix("minus ")](z, answer, level)
    return found


def _churned(step: samplers.Step[Expr], says: str) -> Method:
    """A deterministic step after noise that ``s_churn`` asks for."""

    def run(z: Expr, levels: list[Level[Expr]], denoise: Denoise, draw: Draw, config: Config) -> Expr:
        if config["s_churn"] == "0":
            return samplers.one_step(step, z, levels, denoise)
        share = const(Fraction(config["s_churn"]) / len(levels))
        gamma = share if share.param < LARGEST_CHURN.param else LARGEST_CHURN
        return samplers.one_step(step, z, levels, denoise, samplers.churn(gamma, draw))

    return Method(f"{says}, from sigma raised by 1 + min(s_churn / N, sqrt(2) - 1) with noise", run)


def _ancestral(step: samplers.Step[Expr], says: str) -> Method:
    """A step to less noise than is listed, and noise to make up for it."""

    def run(z: Expr, levels: list[Level[Expr]], denoise: Denoise, draw: Draw, config: Config) -> Expr:
        eta = const(Fraction(config["eta"]))
        stepped = step if config["eta"] == "0" else samplers.ancestral(step, eta, draw)
        return samplers.one_step(stepped, z, levels, denoise)

    return Method(
        f"{says} to sigma_s sqrt(1 - eta^2 (1 - sigma_s^2 / sigma_t^2)), then noise up to sigma_s", run
    )


def _multistep(
    says: str, silent: Sequence[Callable[..., Expr]], drawing: Sequence[Callable[..., Expr]] = ()
) -> Method:
    """A multistep solver: of the equation without noise, or at eta = 1 with it."""

    def run(z: Expr, levels: list[Level[Expr]], denoise: Denoise, draw: Draw, config: Config) -> Expr:
        if not drawing or config["eta"] == "0":
            return samplers.multistep(silent, z, levels, denoise)
        return samplers.multistep(drawing, z, levels, denoise, draw)

    return Method(f"{says}, of order 1 where no output came before, to clean data at the end", run)


def _dpmpp_2m_sde(z: Expr, levels: list[Level[Expr]], denoise: Denoise, draw: Draw, config: Config) -> Expr:
    heun = config["solver_type"] == "heun"
    second, drawing = (
        (dpm_solver_pp_2m_heun, sde_dpm_solver_pp_2m_heun)
        if heun
        else (dpm_solver_pp_2m, sde_dpm_solver_pp_2m)
    )
    method = _multistep("", (dpm_solver_pp_1, second), (sde_dpm_solver_pp_1, drawing))
    return method.run(z, levels, denoise, draw, config)


def _ddpm_midpoint(z: Expr, levels: list[Level[Expr]], denoise: Denoise, draw: Draw, config: Config) -> Expr:
    step = samplers.dpm_solver_pp_2s if config["eta"] == "0" else samplers.ddpm_midpoint(draw)
    return samplers.one_step(step, z, levels, denoise)


def _smalldiffusion(z: Expr, levels: list[Level[Expr]], denoise: Denoise, draw: Draw, config: Config) -> Expr:
    gam, rho = const(Fraction(config["gam"])), const(1 / (1 - Fraction(config["mu"])))
    before: Expr | None = None
    for i, now in enumerate(levels):
        eps = eps_from_x(z, denoise(z, now), now)
        ahead = eps if before is None else before + gam * (eps - before)
        x_hat = x_from_eps(z, ahead, now)
        if i + 1 == len(levels):
            return x_hat
        z = churn_step(z, x_hat, draw(), rho, now, levels[i + 1])
        before = eps
    raise ValueError("a run needs a level to start from")


def _linear_multistep(z: Expr, levels: list[Level[Expr]], denoise: Denoise, _: Draw, config: Config) -> Expr:
    outputs: list[Expr] = []
    order = int(config["order"])
    for i, now in enumerate(levels):
        outputs.insert(0, eps_from_x(z, denoise(z, now), now))
        then = levels[i + 1] if i + 1 < len(levels) else Level(ONE, const(0))
        z = adams_bashforth_step(z, outputs[:order], levels[i::-1], then)
    return z


def _dpm_solver_fast(
    z: Expr, levels: list[Level[Expr]], denoise: Denoise, draw: Draw, config: Config
) -> Expr:
    calls, eta = len(levels), const(Fraction(config["eta"]))
    ends = levels[0], levels[-1]
    threes, rest = divmod(calls, 3)
    orders = [*[3] * threes, rest] if rest else [*[3] * (threes - 1), 2, 1]
    for k, order in enumerate(orders):
        now, then = (_between(*ends, Fraction(j, len(orders))) for j in (k, k + 1))
        beyond = then
        if config["eta"] != "0":
            kept = 1 - eta**2 * (1 - kappa(now, then) ** 2)
            beyond = Level(ONE, maximum(then.sigma * sqrt(kept), ends[1].sigma))
        z = _SINGLESTEP[order](z, denoise, now, beyond)
        if config["eta"] != "0":
            z = renoise(z, draw(), beyond, then)
    return z


def _between(now: Level[Expr], then: Level[Expr], part: Fraction) -> Level[Expr]:
    """The level so far on the way in log-SNR, at alpha = 1."""
    return Level(ONE, now.sigma ** const(1 - part) * then.sigma ** const(part))


def _first(z: Expr, denoise: Denoise, now: Level[Expr], then: Level[Expr]) -> Expr:
    return dpm_solver_1(z, eps_from_x(z, denoise(z, now), now), now, then)


def _second(z: Expr, denoise: Denoise, now: Level[Expr], then: Level[Expr]) -> Expr:
    middle = _between(now, then, Fraction(1, 2))
    eps = eps_from_x(z, denoise(z, now), now)
    inner = dpm_solver_1(z, eps, now, middle)
    return dpm_solver_2s(z, eps, eps_from_x(inner, denoise(inner, middle), middle), middle, now, then)


def _third(z: Expr, denoise: Denoise, now: Level[Expr], then: Level[Expr]) -> Expr:
    near, far = (_between(now, then, Fraction(k, 3)) for k in (1, 2))
    eps = eps_from_x(z, denoise(z, now), now)
    inner = dpm_solver_1(z, eps, now, near)
    further = dpm_solver_3s(z, eps, eps_from_x(inner, denoise(inner, near), near), near, now, far)
    return dpm_solver_3s(z, eps, eps_from_x(further, denoise(further, far), far), far, now, then)


def _runge_kutta(
    nodes: Sequence[Fraction], stages: Sequence[Sequence[Fraction]], weights: Sequence[Fraction]
) -> Callable[[Expr, list[Level[Expr]], Denoise, Draw, Config], Expr]:
    """An explicit method in the time of the path, of the velocities as the model gives them."""

    def run(z: Expr, levels: list[Level[Expr]], velocity: Denoise, _: Draw, __: Config) -> Expr:
        clean = Level(ONE, const(0))
        for now, then in itertools.pairwise([*levels, clean]):
            slopes: list[Expr] = []
            for node, stage in zip(nodes, stages, strict=True):
                # time and alpha are the same on the straight path from noise to data
                h = then.alpha - now.alpha
                at = Level(now.alpha + const(node) * h, now.sigma - const(node) * h)
                inner = _sum(z, h, stage, slopes)
                slopes.append(velocity(inner, at))
            z = _sum(z, h, weights, slopes)
        return z

    return run


def _sum(z: Expr, h: Expr, weights: Sequence[Fraction], slopes: Sequence[Expr]) -> Expr:
    for weight, slope in zip(weights, slopes, strict=False):
        if weight:
            z = z + h * const(weight) * slope
    return z


_F = Fraction
TABLEAUS: Mapping[str, tuple[Sequence[Fraction], Sequence[Sequence[Fraction]], Sequence[Fraction]]] = {
    "euler": ((_F(0),), ((),), (_F(1),)),
    "midpoint": ((_F(0), _F(1, 2)), ((), (_F(1, 2),)), (_F(0), _F(1))),
    "heun2": ((_F(0), _F(1)), ((), (_F(1),)), (_F(1, 2), _F(1, 2))),
    "heun3": (
        (_F(0), _F(1, 3), _F(2, 3)),
        ((), (_F(1, 3),), (_F(0), _F(2, 3))),
        (_F(1, 4), _F(0), _F(3, 4)),
    ),
    "classical": (
        (_F(0), _F(1, 2), _F(1, 2), _F(1)),
        ((), (_F(1, 2),), (_F(0), _F(1, 2)), (_F(0), _F(0), _F(1))),
        (_F(1, 6), _F(1, 3), _F(1, 3), _F(1, 6)),
    ),
    # of Kutta's two methods of order 4 the one with nodes at thirds
    "rk4": (
        (_F(0), _F(1, 3), _F(2, 3), _F(1)),
        ((), (_F(1, 3),), (_F(-1, 3), _F(1)), (_F(1), _F(-1), _F(1))),
        (_F(1, 8), _F(3, 8), _F(3, 8), _F(1, 8)),
    ),
}


def _by_name(z: Expr, levels: list[Level[Expr]], velocity: Denoise, draw: Draw, config: Config) -> Expr:
    return _runge_kutta(*TABLEAUS[config["method"]])(z, levels, velocity, draw, config)


def _classical(z: Expr, levels: list[Level[Expr]], velocity: Denoise, draw: Draw, config: Config) -> Expr:
    method = "classical" if config["method"] == "rk4" else config["method"]
    return _by_name(z, levels, velocity, draw, {**config, "method": method})


_SINGLESTEP = {1: _first, 2: _second, 3: _third}

_EXPLICIT = "an explicit Runge-Kutta method in the time of the path: Euler's, the midpoint rule,"
_THIRDS = "Heun's of orders 2 and 3, Kutta's 3/8 rule"
ADAPTIVE: Mapping[str, str] = {
    "k_diffusion.sample_dpm_adaptive": "its steps are as long as the outputs of the network allow, so no "
    "formula says which levels it meets"
}
METHODS: Mapping[str, Method] = {
    "k_diffusion.sample_euler": _churned(samplers.euler, "Euler's step in sigma"),
    "k_diffusion.sample_heun": _churned(samplers.heun, "Heun's step in sigma (Karras et al. 2022)"),
    "k_diffusion.sample_dpm_2": _churned(
        samplers.midpoint, "the slope at the geometric mean of the sigmas, carried over the step"
    ),
    "k_diffusion.sample_euler_ancestral": _ancestral(samplers.euler, "Euler's step"),
    "k_diffusion.sample_dpm_2_ancestral": _ancestral(
        samplers.midpoint, "the slope at the geometric mean of the sigmas, carried over the step"
    ),
    "k_diffusion.sample_dpmpp_2s_ancestral": _ancestral(
        samplers.dpm_solver_pp_2s, "DPM-Solver++(2S) with r = 1/2"
    ),
    "k_diffusion.sample_dpmpp_2m": _multistep("DPM-Solver++(2M)", (dpm_solver_pp_1, dpm_solver_pp_2m)),
    "k_diffusion.sample_dpmpp_2m_sde": Method(
        "SDE-DPM-Solver++(2M), as midpoint or heun, with the draws of the noise_sampler given",
        _dpmpp_2m_sde,
    ),
    "k_diffusion.sample_dpmpp_3m_sde": _multistep(
        "SDE-DPM-Solver++(3M), with the draws of the noise_sampler given",
        (dpm_solver_pp_1, dpm_solver_pp_2m_heun, dpm_solver_pp_3m),
        (sde_dpm_solver_pp_1, sde_dpm_solver_pp_2m_heun, sde_dpm_solver_pp_3m),
    ),
    "k_diffusion.sample_dpmpp_sde": Method(
        "a DDPM step with the data prediction at the end of another to the middle in log-SNR, with the draws "
        "of the noise_sampler given; at eta = 0 DPM-Solver++(2S)",
        _ddpm_midpoint,
    ),
    "k_diffusion.sample_lms": Method(
        "the polynomial through the slopes of the latest calls, integrated over the step in sigma",
        _linear_multistep,
    ),
    "k_diffusion.sample_dpm_fast": Method(
        "DPM-Solver-3 with r = 1/3 and 2/3, and at the end orders that use up the calls, on levels uniform "
        "in log-SNR from the largest sigma to the smallest; with eta, each to less noise, no further than "
        "the last, and noise to make up for it",
        _dpm_solver_fast,
    ),
    "flow_matching.ODESolver": Method(f"{_EXPLICIT} {_THIRDS}", _by_name, answers=True),
    "torchdiffeq.odeint": Method(f"{_EXPLICIT} {_THIRDS}", _by_name, answers=True),
    "torchdyn.odeint": Method(f"{_EXPLICIT} and the classical one of order 4", _classical, answers=True),
    "smalldiffusion.samples": Method(
        "the churn family from DDIM to DDPM at rho = 1 / (1 - mu), along eps_hat extrapolated by gam "
        "from that before",
        _smalldiffusion,
    ),
}
