"""What the network is told at a call, and what its output means."""

from equiv.formulas.levels import Level, rescaled
from equiv.formulas.predictions import FROM_X, TO_X, eps_from_x
from equiv.number import sqrt
from equiv.subjects.subject import Call
from equiv.symbolic.expression import Expr


def network_level(call: Call) -> tuple[Expr, Level[Expr]]:
    """The state and its level as the network is told them: variance preserving, unless the path is a flow."""
    if call.gauge != "variance exploding":
        return call.state, call.now
    scale = 1 / sqrt(1 + call.now.sigma * call.now.sigma)
    return call.state * scale, rescaled(call.now, scale)


def x_hat(call: Call) -> Expr:
    """The data prediction that the network's output means."""
    state, level = network_level(call)
    found: Expr = TO_X[call.prediction](state, call.network, level)
    return found


def eps_hat(call: Call) -> Expr:
    """The noise prediction that the network's output means."""
    return call.network if call.prediction == "eps" else eps_from_x(call.state, x_hat(call), call.now)


def output_for(call: Call, x: Expr) -> Expr:
    """The network's output if its data prediction is ``x``."""
    state, level = network_level(call)
    found: Expr = FROM_X[call.prediction](state, x, level)
    return found
