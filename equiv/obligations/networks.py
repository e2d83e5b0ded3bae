"""What the network is told at a call, and what its output means."""

from equiv.formulas.levels import Level, rescaled
from equiv.formulas.predictions import FROM_X, TO_X, eps_from_x, v_from_x, x_from_v
from equiv.number import sqrt
from equiv.subjects.subject import Call
from equiv.symbolic.expression import Expr


def network_level(call: Call) -> tuple[Expr, Level[Expr]]:
    """The state and its level as the network is told them: variance preserving, unless the path is a flow.

    The level is that of data in units of their deviation.
    """
    if call.gauge != "variance exploding":
        return call.state, call.now
    scale = 1 / sqrt(call.unit * call.unit + call.now.sigma * call.now.sigma)
    return call.state * scale, rescaled(Level(call.unit, call.now.sigma), scale)


def x_hat(call: Call) -> Expr:
    """The data prediction that the network's output means."""
    state, level = network_level(call)
    if call.prediction == "minus v":
        return call.unit * x_from_v(state, -call.network, level)
    found: Expr = TO_X[call.prediction](state, call.network, level)
    return call.unit * found


def eps_hat(call: Call) -> Expr:
    """The noise prediction that the network's output means."""
    return call.network if call.prediction == "eps" else eps_from_x(call.state, x_hat(call), call.now)


def output_for(call: Call, x: Expr) -> Expr:
    """The network's output if its data prediction is ``x``."""
    state, level = network_level(call)
    if call.prediction == "minus v":
        return -v_from_x(state, x / call.unit, level)
    found: Expr = FROM_X[call.prediction](state, x / call.unit, level)
    return found
