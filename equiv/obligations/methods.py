"""The method that each function names, from its paper: what a whole run asks the model, and its sample."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from equiv.formulas import samplers
from equiv.formulas.dpm_solver import (
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
from equiv.formulas.levels import Level
from equiv.formulas.predictions import TO_X, eps_from_x, x_from_eps
from equiv.formulas.steps import churn_step
from equiv.subjects.run import LiftedRun
from equiv.symbolic.expression import Expr, const, literal, symbol

Config = Mapping[str, str]
Denoise = Callable[[Expr, Level[Expr]], Expr]
Draw = Callable[[], Expr]
ONE = const(1)
MISSING = symbol("n_missing", "noise")  # a draw that the method makes and the code does not
LARGEST_CHURN = literal(2**0.5 - 1)  # of the factor by which sigma is raised before a step


class Method(NamedTuple):
    """``says`` is the method in words; ``run`` is the whole of it, down to clean data."""

    says: str
    run: Callable[[Expr, list[Level[Expr]], Denoise, Draw, Config], Expr]


def asked(method: Method, run: LiftedRun, config: Config) -> tuple[list[tuple[Expr, Level[Expr]]], Expr]:
    """What the method asks a model that answers as in the run, and its sample."""
    queries: list[tuple[Expr, Level[Expr]]] = []
    answers = [q.answer for q in run.queries]
    noises = iter(run.noises)

    def denoise(z: Expr, level: Level[Expr]) -> Expr:
        k = len(queries)
        queries.append((z, level))
        answer = answers[k] if k < len(answers) else symbol(f"{run.prediction}_{k}", "network")
        found: Expr = TO_X[run.prediction](z, answer, level)
        return found

    def draw() -> Expr:
        return next(noises, MISSING)

    levels = [Level(ONE, s) for s in run.sigmas if s.op != "const"]
    return queries, method.run(run.state, levels, denoise, draw, config)


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
        if config.get("eta", "0") == "0":
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
    "smalldiffusion.samples": Method(
        "the churn family from DDIM to DDPM at rho = 1 / (1 - mu), along eps_hat extrapolated by gam "
        "from that before",
        _smalldiffusion,
    ),
}
