r"""UniPC in data prediction: the predictor UniP and the corrector UniC, orders 1 to 3.

Both add, to the DDIM step, the integral of a polynomial through outputs at several levels. A level whose
half log-SNR is r h beyond that of ``now`` is a node r; the output there differs from that of ``now`` by
:math:`r D`. The weights solve a Vandermonde system, where the paper's B(h) cancels; only where it
fixes the one weight at 1/2 (UniP-2, UniC-1) does B(h) enter: :math:`1 - e^{-h}` ("bh2") or h ("bh1").
UniP-1 is the DDIM step. Levels from noisy to clean: ``earlier``, ``before``, ``now``, ``then``.

Source: Zhao et al. 2023, arXiv:2302.04867.
"""

from collections.abc import Sequence
from functools import reduce

from equiv.formulas.dpm_solver import dpm_solver_pp_1, half_log_snr_gain
from equiv.formulas.levels import Level
from equiv.number import N, constant, exp


def unip_2(z_t: N, x_hat: N, x_before: N, b_h: N, before: Level[N], now: Level[N], then: Level[N]) -> N:
    r"""The predictor with one output before.

    .. math:: z_s = \mathrm{DDIM} + \alpha_s B(h) \cdot \tfrac12 D, \qquad
        D = (\hat x_{\mathrm{before}} - \hat x) / r, \quad r = -h_0 / h
    """
    slope = (x_before - x_hat) / _node(before, now, then)
    return dpm_solver_pp_1(z_t, x_hat, now, then) + then.alpha * b_h * slope / 2


def unip_3(
    z_t: N,
    x_hat: N,
    x_before: N,
    x_earlier: N,
    earlier: Level[N],
    before: Level[N],
    now: Level[N],
    then: Level[N],
) -> N:
    r"""The predictor with two outputs before.

    .. math:: z_s = \mathrm{DDIM} + \alpha_s \sum_m w_m D_m, \qquad
        \sum_m w_m r_m^{k-1} = k! \int_0^1 e^{-h (1 - u)} \frac{u^k}{k!}\, h\, du \quad (k = 1, 2)
    """
    nodes = (_node(before, now, then), _node(earlier, now, then))
    slopes = ((x_before - x_hat) / nodes[0], (x_earlier - x_hat) / nodes[1])
    return dpm_solver_pp_1(z_t, x_hat, now, then) + _correction(slopes, nodes, now, then)


def unic_1(z_t: N, x_hat: N, x_then: N, b_h: N, now: Level[N], then: Level[N]) -> N:
    r"""The corrector with the output at the predicted state alone.

    .. math:: z_s = \mathrm{DDIM} + \alpha_s B(h) \cdot \tfrac12 (\hat x_{\mathrm{then}} - \hat x)
    """
    return dpm_solver_pp_1(z_t, x_hat, now, then) + then.alpha * b_h * (x_then - x_hat) / 2


def unic_2(z_t: N, x_hat: N, x_before: N, x_then: N, before: Level[N], now: Level[N], then: Level[N]) -> N:
    r"""The corrector with the output at the predicted state and one before.

    .. math:: z_s = \mathrm{DDIM} + \alpha_s \sum_m w_m D_m, \qquad r_m \in \{-h_0 / h, 1\}
    """
    nodes = (_node(before, now, then), _node(then, now, then))
    slopes = ((x_before - x_hat) / nodes[0], x_then - x_hat)
    return dpm_solver_pp_1(z_t, x_hat, now, then) + _correction(slopes, nodes, now, then)


def unic_3(  # noqa: PLR0913  as many outputs and levels as its order asks for
    z_t: N,
    x_hat: N,
    x_before: N,
    x_earlier: N,
    x_then: N,
    earlier: Level[N],
    before: Level[N],
    now: Level[N],
    then: Level[N],
) -> N:
    r"""The corrector with the output at the predicted state and two before.

    .. math:: z_s = \mathrm{DDIM} + \alpha_s \sum_m w_m D_m, \qquad
        r_m \in \{-h_0 / h, -(h_0 + h_1) / h, 1\}
    """
    nodes = (_node(before, now, then), _node(earlier, now, then), _node(then, now, then))
    slopes = ((x_before - x_hat) / nodes[0], (x_earlier - x_hat) / nodes[1], x_then - x_hat)
    return dpm_solver_pp_1(z_t, x_hat, now, then) + _correction(slopes, nodes, now, then)


def _node(level: Level[N], now: Level[N], then: Level[N]) -> N:
    """Where a level lies, in half the log-SNR, with ``now`` at 0 and ``then`` at 1."""
    return half_log_snr_gain(now, level) / half_log_snr_gain(now, then)


def _correction(slopes: Sequence[N], nodes: Sequence[N], now: Level[N], then: Level[N]) -> N:
    """What the slopes add to the DDIM step."""
    weights = _weights(nodes, _moments(half_log_snr_gain(now, then), len(nodes)))
    return then.alpha * reduce(lambda a, b: a + b, (w * d for w, d in zip(weights, slopes, strict=True)))


def _moments(h: N, count: int) -> list[N]:
    r"""``m_k = h * int_0^1 exp(-h (1 - u)) u**k du`` for k = 1, 2, ..., by m_k = 1 - k m_{k-1} / h."""
    moment, moments = 1 - exp(-h), []
    for k in range(1, count + 1):
        moment = 1 - k * moment / h
        moments.append(moment)
    return moments


def _weights(nodes: Sequence[N], moments: Sequence[N]) -> list[N]:
    """The w with ``sum_m w_m r_m**(k - 1) = moments[k-1]``: integrals of the polynomials of Lagrange."""
    weights = []
    for m, node in enumerate(nodes):
        basis: list[N] = [constant(node, 1)]
        for other in (*nodes[:m], *nodes[m + 1 :]):  # times (r - other) / (node - other)
            scale = node - other
            lower, upper = [-other * c / scale for c in basis], [c / scale for c in basis]
            basis = [lower[0], *(a + b for a, b in zip(lower[1:], upper, strict=False)), upper[-1]]
        weights.append(reduce(lambda a, b: a + b, (c * v for c, v in zip(basis, moments, strict=True))))
    return weights
