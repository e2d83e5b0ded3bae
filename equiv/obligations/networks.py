"""What the network is told at a call, and what its output means.

A class may mean the negative of a prediction: its output is turned first.
"""

from equiv.formulas.levels import Level, rescaled
from equiv.formulas.predictions import FROM_X, TO_X, eps_from_u, eps_from_v, eps_from_x
from equiv.number import sqrt
from equiv.subjects.subject import Call
from equiv.symbolic.expression import Expr


def network_level(call: Call) -> tuple[Expr, Level[Expr]]:
    """The state and its level as the network is told them: variance preserving, unless the path is a flow.

    The level is that of data in units of their deviation. A score is that of the state as it is.
    """
    if call.gauge != "variance exploding" or call.prediction == "score":
        return call.state, call.now
    scale = 1 / sqrt(call.unit * call.unit + call.now.sigma * call.now.sigma)
    return call.state * scale, rescaled(Level(call.unit, call.now.sigma), scale)


def x_hat(call: Call) -> Expr:
    """The data prediction that the network's output means."""
    state, level = network_level(call)
    found: Expr = TO_X[_kind(call)](state, _turned(call, call.network), level)
    return call.unit * found


def eps_hat(call: Call) -> Expr:
    """The noise prediction that the network's output means."""
    output, (state, level) = _turned(call, call.network), network_level(call)
    match _kind(call):
        case "eps":
            return output
        case "v":
            return eps_from_v(state, output, level)
        case "u":
            return eps_from_u(state, output, level)
        case "score":
            return -level.sigma * output
    return eps_from_x(call.state, x_hat(call), call.now)


def output_for(call: Call, x: Expr) -> Expr:
    """The network's output if its data prediction is ``x``."""
    state, level = network_level(call)
    return _turned(call, FROM_X[_kind(call)](state, x / call.unit, level))


def output_on_a_point(call: Call, x: Expr, e: Expr) -> Expr:
    """The network's output where the data are the point ``x`` and the noise in the state is ``e``."""
    _, level = network_level(call)
    point = x / call.unit
    match _kind(call):
        case "x":
            return _turned(call, point)
        case "eps":
            return _turned(call, e)
        case "v":
            return _turned(call, level.alpha * e - level.sigma * point)
        case "u":
            return _turned(call, e - point)
    return _turned(call, -e / level.sigma)


def _kind(call: Call) -> str:
    return call.prediction.removeprefix("minus ")


def _turned(call: Call, output: Expr) -> Expr:
    return -output if call.prediction.startswith("minus ") else output
