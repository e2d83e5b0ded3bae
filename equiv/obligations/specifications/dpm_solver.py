"""The classes of DPM-Solver: which formula at which step."""

from collections.abc import Callable

from equiv.formulas import dpm_solver as formulas
from equiv.formulas import dpm_solver_sde as sde
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
