"""Classes that combine the outputs of several calls: PNDM and UniPC."""

from collections.abc import Callable, Sequence

from equiv.formulas import plms, unipc
from equiv.formulas.dpm_solver import half_log_snr_gain
from equiv.formulas.levels import Level
from equiv.formulas.linear_multistep import adams_bashforth_step
from equiv.formulas.predictions import x_from_eps
from equiv.formulas.runge_kutta import runge_kutta_4
from equiv.formulas.steps import ddim_step
from equiv.number import exp
from equiv.obligations.networks import eps_hat, x_hat
from equiv.obligations.specifications.specification import Config, Specification
from equiv.subjects.subject import Call, LiftedStep
from equiv.symbolic.expression import Expr, symbol

Formula = Callable[..., Expr]


def ddim_by_eps(z_t: Expr, eps: Expr, now: Level[Expr], then: Level[Expr]) -> Expr:
    """DDIM with a noise prediction."""
    return ddim_step(z_t, x_from_eps(z_t, eps, now), now, then)


# --- PNDM ---------------------------------------------------------------------------------------------

RUNGE_KUTTA_CALLS = 12  # three steps of four


_SLOPE: tuple[Formula, ...] = (
    lambda output: output,
    plms.adams_bashforth_2,
    plms.adams_bashforth_3,
    plms.adams_bashforth_4,
)


def pndm(config: Config) -> Specification:
    """PLMS, started by Runge-Kutta steps or by one of Heun in the noise prediction."""
    started = config["skip_prk_steps"] == "False"

    def step(step: LiftedStep) -> Expr:
        calls = (step, *step.earlier)
        if started and step.index < RUNGE_KUTTA_CALLS:
            return _runge_kutta(step, calls[: step.index % 4 + 1][::-1])
        if not started and step.index == 1:  # the first step again, with the mean of its ends
            start = step.earlier[0]
            mean = (eps_hat(step) + eps_hat(start)) / 2
            return ddim_by_eps(start.state, mean, start.now, step.now)
        outputs = [eps_hat(call) for call in _starts_of_steps(step, calls, started=started)[:4]]
        return ddim_by_eps(step.state, _SLOPE[len(outputs) - 1](*outputs), step.now, step.then)

    start = "three Runge-Kutta steps" if started else "a step of Heun"
    return Specification(
        f"PLMS after {start}: Adams-Bashforth in eps_hat, of order 4, and DDIM with it", step
    )


def ipndm(_config: Config) -> Specification:
    """Adams-Bashforth, of as high an order as there are outputs for."""

    def step(step: LiftedStep) -> Expr:
        calls = (step, *step.earlier)[:4]
        if len(calls) == 1:
            return ddim_step(step.state, x_hat(step), step.now, step.then)
        return ddim_by_eps(step.state, _SLOPE[len(calls) - 1](*map(eps_hat, calls)), step.now, step.then)

    return Specification(
        "Adams-Bashforth in eps_hat, of order up to 4, and DDIM with it; the first step is DDIM", step
    )


def lms(config: Config) -> Specification:
    """Adams-Bashforth for steps of any length, of as high an order as there are outputs for."""

    def step(step: LiftedStep) -> Expr:
        calls = (step, *step.earlier)[: int(config["order"])]
        return adams_bashforth_step(
            step.state, list(map(eps_hat, calls)), [call.now for call in calls], step.then
        )

    return Specification(
        f"Adams-Bashforth in y = z/alpha against r = sigma/alpha, of order {config['order']}: the polynomial "
        "through the latest eps_hat, integrated over the step",
        step,
    )


def _starts_of_steps(step: LiftedStep, calls: Sequence[Call], *, started: bool) -> list[Call]:
    """The calls of which each begins a step, the latest first."""
    indices = range(step.index, -1, -1)

    def begins(i: int) -> bool:
        return i >= RUNGE_KUTTA_CALLS or i % 4 == 0 if started else i != 1

    return [call for i, call in zip(indices, calls, strict=True) if begins(i)]


def _runge_kutta(step: LiftedStep, stages: Sequence[Call]) -> Expr:
    """From the start of a step, with the latest output or, at the last stage, with the mean."""
    start = stages[0]
    outputs = [eps_hat(call) for call in stages]
    slope = runge_kutta_4(*outputs) if len(outputs) == 4 else outputs[-1]
    return ddim_by_eps(start.state, slope, start.now, step.then)


# --- UniPC --------------------------------------------------------------------------------------------

CORRECTED = "last_sample"  # what UniPC folds up: the state, corrected by the output at it


_UNIP: tuple[Formula, ...] = (ddim_step, unipc.unip_2, unipc.unip_3)
_UNIC: tuple[Formula, ...] = (unipc.unic_1, unipc.unic_2, unipc.unic_3)


def unipc_multistep(config: Config) -> Specification:
    """UniPC: each call corrects the step before and predicts the next state."""

    def order_at(index: int) -> int:
        return min(int(config["solver_order"]), int(config["steps"]) - index, index + 1)

    def corrected(step: LiftedStep) -> Expr:
        if step.index == 0:
            return step.state
        order = order_at(step.index - 1)
        start, *before = step.earlier[:order]
        outputs = [x_hat(call) for call in (start, *before, step)]
        levels = [call.now for call in (*before[::-1], start, step)]
        function = [_b_h(config, *levels[-2:])] if order == 1 else []
        return _UNIC[order - 1](symbol(CORRECTED), *outputs, *function, *levels)

    def step(step: LiftedStep) -> Expr:
        order = order_at(step.index)
        calls = (step, *step.earlier[: order - 1])
        outputs = [x_hat(call) for call in calls]
        levels = [call.now for call in calls[::-1]]
        function = [_b_h(config, step.now, step.then)] if order == 2 else []
        return _UNIP[order - 1](corrected(step), *outputs, *function, *levels, step.then)

    return Specification(
        f"UniPC of order {config['solver_order']} in x_hat, B(h) of {config['solver_type']}: UniC corrects "
        "the state by the output at it, UniP predicts the next",
        step,
        kept=lambda step: {CORRECTED: corrected(step)},
    )


def _b_h(config: Config, now: Level[Expr], then: Level[Expr]) -> Expr:
    h = half_log_snr_gain(now, then)
    return h if config["solver_type"] == "bh1" else 1 - exp(-h)
