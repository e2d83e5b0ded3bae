r"""A network between two samplers: what it makes of a rounded input, and how far that may be from exact.

The exact network is the real function of its stored parameters, whose values each type holds exactly. An
input :math:`\tilde q` in some type is within :math:`e` of the exact one, q. Then

.. math:: |F_d(\tilde q) - F(q)| \le |F_d(\tilde q) - F_{64}(\tilde q)| + |F_{64}(\tilde q) - F(\tilde q)|
    + \sum_k \sup |\partial_k F|\, e_k,

where the supremum is over the box of radius e around :math:`\tilde q`. The first term, the network's own
rounding in the type d, is measured, at this very input. The second is derived: a running error analysis of
the network in float64. So is the third: forward derivatives, carried with an error that covers the box (the
mean value theorem). Nothing is to first order only. Where the box is too large for that, the bound is large.
"""

import torch
from torch import Tensor

from equiv.reference.layers import Dual
from equiv.reference.networks import Architecture, Parameters
from equiv.rounding import Rounded, exact


def evaluate(architecture: Architecture, parameters: Parameters, q: Rounded, log_snr: Rounded) -> Rounded:
    """The network in the type of its parameters, with the bound."""
    value = architecture(parameters, q.value, log_snr.value)
    wide = {name: p.double() for name, p in parameters.items()}
    centre = enclose(architecture, wide, _widened(q), _widened(log_snr))
    return Rounded(value, ((value.double() - centre.value).abs() + centre.error) * (1 + 2**-48))


def enclose(architecture: Architecture, parameters: Parameters, q: Rounded, log_snr: Rounded) -> Rounded:
    """The network in float64, with a bound that holds for every input within the errors of those given."""
    at: Rounded = architecture(parameters, exact(q.value), exact(log_snr.value))
    around: Dual = architecture(parameters, *_box(q, log_snr))
    errors = torch.cat([q.error, log_snr.error], -1).unsqueeze(-1)
    steepest = around.slopes.value.abs() + around.slopes.error
    # an input that is exact contributes nothing, whatever the derivative
    moves = torch.where(errors == 0, 0.0, steepest * errors).sum(2)
    # more rounding than one of the sums has terms is allowed for
    bound = (at.error + moves) * (1 + 2**-40)
    return Rounded(at.value, torch.where(bound.isnan(), bound, torch.minimum(bound, around.value.error)))


def _box(q: Rounded, log_snr: Rounded) -> tuple[Dual, Dual]:
    """Both inputs, each with its derivative by each entry of both."""
    size = q.value.shape[-1]
    unit = torch.eye(size + 1, dtype=torch.float64, device=q.value.device)
    unit = unit.expand(*q.value.shape[:2], -1, -1)
    return Dual(q, exact(unit[..., :size].contiguous())), Dual(log_snr, exact(unit[..., size:].contiguous()))


def _widened(x: Rounded) -> Rounded:
    value: Tensor = x.value.double()
    return Rounded(value, x.error.expand_as(value))
