"""The classes of DPM-Solver: which formula at which step."""

from collections.abc import Callable

from equiv.formulas import dpm_solver as formulas
from equiv.formulas import dpm_solver_sde as sde
from equiv.formulas.deis import deis_2, deis_3
from equiv.formulas.levels import Level
from equiv.formulas.predictions import x_from_eps
from equiv.formulas.steps import ddim_step
from equiv.obligations.networks import eps_hat, x_hat
from equiv.obligations.specifications.specification import Config, Specification
from equiv.subjects.subject import LiftedStep
from equiv.symbolic.expression import Expr

Formula = Callable[..., Expr]
_SHORT = 15  # with fewer steps the last ones are of lower order


def _ddim_by_eps(z_t: Expr, eps_hat: Expr, now: Level[Expr], then: Level[Expr]) -> Expr:
    return ddim_step(z_t, x_from_eps(z_t, eps_hat, now), now, then)


# DPM-Solver-1 is DDIM, which has a value at the clean end too
_MULTISTEP: dict[str, dict[str, tuple[Formula, Formula, Formula]]] = {
    "dpmsolver": {
        "midpoint": (_ddim_by_eps, formulas.dpm_solver_2m, formulas.dpm_solver_3m),
        "heun": (_ddim_by_eps, formulas.dpm_solver_2m_heun, formulas.dpm_solver_3m),
    },
    "dpmsolver++": {
        "midpoint": (ddim_step, formulas.dpm_solver_pp_2m, formulas.dpm_solver_pp_3m),
        "heun": (ddim_step, formulas.dpm_solver_pp_2m_heun, formulas.dpm_solver_pp_3m),
    },
    "sde-dpmsolver": {
        "midpoint": (sde.sde_dpm_solver_1, sde.sde_dpm_solver_2m, sde.sde_dpm_solver_2m),
        "heun": (sde.sde_dpm_solver_1, sde.sde_dpm_solver_2m_heun, sde.sde_dpm_solver_2m_heun),
    },
    "sde-dpmsolver++": {
        "midpoint": (sde.sde_dpm_solver_pp_1, sde.sde_dpm_solver_pp_2m, sde.sde_dpm_solver_pp_3m),
        "heun": (sde.sde_dpm_solver_pp_1, sde.sde_dpm_solver_pp_2m_heun, sde.sde_dpm_solver_pp_3m),
    },
}


def multistep(config: Config) -> Specification:
    """DPM-Solver over several steps, of lower order at the start and where few steps end."""
    algorithm = config["algorithm_type"]
    by_order = _MULTISTEP[algorithm][config["solver_type"]]
    prediction = x_hat if algorithm.endswith("++") else eps_hat
    drawn = algorithm.startswith("sde")

    def step(step: LiftedStep) -> Expr:
        order = min(int(config["solver_order"]), step.index + 1, _at_the_end(step.index, config))
        calls = (step, *step.earlier[: order - 1])
        outputs = [prediction(call) for call in calls]
        levels = [call.now for call in reversed(calls)]
        noise = [step.noise] if drawn else []
        return by_order[order - 1](step.state, *outputs, *noise, *levels, step.then)

    says = f"{algorithm} over several steps, of order {config['solver_order']} ({config['solver_type']})"
    if algorithm != "sde-dpmsolver":
        return Specification(says, step)
    return Specification(
        says, step, lambda step, _missing: sde.sde_dpm_solver_variance(step.now, step.then), own_variance=True
    )


def deis(config: Config) -> Specification:
    """DEIS with polynomials in the logarithm of the noise ratio, of lower order as DPM-Solver is."""
    by_order: tuple[Formula, Formula, Formula] = (_ddim_by_eps, deis_2, deis_3)

    def step(step: LiftedStep) -> Expr:
        order = min(int(config["solver_order"]), step.index + 1, _at_the_end(step.index, config))
        calls = (step, *step.earlier[: order - 1])
        levels = [call.now for call in reversed(calls)]
        return by_order[order - 1](step.state, *map(eps_hat, calls), *levels, step.then)

    return Specification(f"DEIS (log rho) over several steps, of order {config['solver_order']}", step)


def sde_2m(config: Config) -> Specification:
    """Stochastic DPM-Solver++ of order 2, of order 1 at the start and to clean data."""

    def step(step: LiftedStep) -> Expr:
        if not step.earlier or step.index + 1 == int(config["steps"]):
            return sde.sde_dpm_solver_pp_1(step.state, x_hat(step), step.noise, step.now, step.then)
        before = step.earlier[0]
        outputs, levels = (x_hat(step), x_hat(before)), (before.now, step.now, step.then)
        return sde.sde_dpm_solver_pp_2m(step.state, *outputs, step.noise, *levels)

    return Specification(
        "sde-dpmsolver++ over several steps, of order 2 (midpoint), of order 1 at the end", step
    )


def cosine(config: Config) -> Specification:
    """Stochastic DPM-Solver++, the only algorithm of its class."""
    return multistep({"final_sigmas_type": "zero", **config, "algorithm_type": "sde-dpmsolver++"})


def _at_the_end(index: int, config: Config) -> int:
    """The highest order of a step that is so near to the end."""
    steps = int(config["steps"])
    left = steps - index
    few = steps < _SHORT and config.get("lower_order_final", "True") == "True"
    if left == 1 and (
        few or config.get("euler_at_final") == "True" or config.get("final_sigmas_type") == "zero"
    ):
        return 1
    return 2 if left == 2 and few else 3
