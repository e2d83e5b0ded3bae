"""DPM-Solver within a step: the calls of a block lead from its start, each to a later level."""

from equiv.formulas import dpm_solver_inner as inner
from equiv.formulas.dpm_solver import half_log_snr_gain
from equiv.formulas.dpm_solver_sde import sde_dpm_solver_pp_1
from equiv.formulas.steps import ddim_step
from equiv.number import exp
from equiv.obligations.networks import eps_hat, x_hat
from equiv.obligations.specifications.multistep import ddim_by_eps
from equiv.obligations.specifications.specification import Config, Specification
from equiv.subjects.subject import Call, LiftedStep
from equiv.symbolic.expression import Expr


def singlestep(config: Config) -> Specification:
    """Blocks of one to three calls, all but the last ones of the order that is asked for."""
    algorithm, order = config["algorithm_type"], int(config["solver_order"])
    prediction = x_hat if algorithm.endswith("++") else eps_hat
    parts = [part for size in _blocks(config) for part in range(size)]

    def step(step: LiftedStep) -> Expr:
        part = parts[step.index]
        calls = (step, *step.earlier)[: part + 1][::-1]
        start, outputs = calls[0], [prediction(call) for call in calls]
        if part == 0:
            return _order_1(algorithm, start, outputs[0], step)
        h = half_log_snr_gain(start.now, step.then)
        nodes = [half_log_snr_gain(start.now, call.now) / h for call in calls[1:]]
        mean = _mean(outputs, nodes, _weight(algorithm, h), config["solver_type"])
        return _order_1(algorithm, start, mean, step)

    return Specification(
        f"{algorithm} within steps, of order {order} ({config['solver_type']}), of lower order at the end",
        step,
    )


def _order_1(algorithm: str, start: Call, mean: Expr, step: LiftedStep) -> Expr:
    """From the start of the block, with a mean output."""
    match algorithm:
        case "dpmsolver":
            return ddim_by_eps(start.state, mean, start.now, step.then)
        case "dpmsolver++":
            return ddim_step(start.state, mean, start.now, step.then)
    return sde_dpm_solver_pp_1(start.state, mean, step.noise, start.now, step.then)


def _weight(algorithm: str, h: Expr) -> Expr:
    return {"dpmsolver": -h, "dpmsolver++": h, "sde-dpmsolver++": 2 * h}[algorithm]


def _mean(outputs: list[Expr], nodes: list[Expr], weight: Expr, kind: str) -> Expr:
    """The output that, held over the step, gives the integral of the polynomial through all of them.

    "midpoint" takes the slope, by the latest output, over half the step of two calls.
    """
    late = (outputs[-1] - outputs[0]) / nodes[-1]
    if kind == "midpoint" and len(outputs) == 2:
        return outputs[0] + late / 2
    total = 1 - exp(-weight)  # the weight of a constant
    if kind == "midpoint" or len(outputs) == 2:
        return outputs[0] + inner.first_moment(weight) / total * late
    slope, bend = (part(*outputs, *nodes) for part in (inner.slope_at_start, inner.curvature))
    return outputs[0] + (inner.first_moment(weight) * slope + inner.second_moment(weight) * bend) / total


def _blocks(config: Config) -> list[int]:
    """The numbers of calls of the blocks; the last call to clean data makes a block of its own."""
    steps, order = int(config["steps"]), int(config["solver_order"])
    to_clean = config["final_sigmas_type"] == "zero"
    blocks = [order] * (steps // order) + [steps % order] * (steps % order > 0)
    if blocks[-1] > 1 and to_clean:
        blocks[-1:] = [blocks[-1] - 1, 1]
    return blocks
