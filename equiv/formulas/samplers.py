r"""Whole samplers: what they ask the network, and the sample that they end with.

Each takes a state at the noisiest of falling ``levels`` and ends at clean data, where the last data
prediction is the sample. ``denoise(z, level)`` asks the network for its data prediction, ``draw()`` for a
standard normal draw of the state's shape. ``stir`` may add noise before a step, and says to which level.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

from equiv.formulas.dpm_solver import dpm_solver_pp_1, dpm_solver_pp_2m
from equiv.formulas.levels import Level, kappa
from equiv.formulas.predictions import eps_from_x
from equiv.formulas.steps import ddim_step, renoise
from equiv.number import N, sqrt

Denoise = Callable[[N, Level[N]], N]
Draw = Callable[[], N]
Stir = Callable[[N, Level[N]], tuple[N, Level[N]]]
Step = Callable[[N, Denoise[N], Level[N], Level[N]], N]


def _left_alone(z: N, level: Level[N]) -> tuple[N, Level[N]]:
    return z, level


def one_step(
    step: Step[N], z: N, levels: Sequence[Level[N]], denoise: Denoise[N], stir: Stir[N] = _left_alone
) -> N:
    """The same step from level to level; the last goes to clean data."""
    for listed, then in pairwise(levels):
        z, now = stir(z, listed)
        z = step(z, denoise, now, then)
    z, now = stir(z, levels[-1])
    return denoise(z, now)


def churn(gamma: N, draw: Draw[N]) -> Stir[N]:
    r"""Noise that raises :math:`\sigma` by a factor :math:`1 + \gamma` before each step.

    Source: Karras et al. 2022, arXiv:2206.00364, Algorithm 2.
    """

    def stir(z: N, level: Level[N]) -> tuple[N, Level[N]]:
        raised = Level(level.alpha, level.sigma * (1 + gamma))
        return renoise(z, draw(), level, raised), raised

    return stir


def ancestral(step: Step[N], eta: N, draw: Draw[N]) -> Step[N]:
    r"""A step to less noise than is asked for, and noise to make up for it.

    The deterministic part goes to :math:`\tilde\sigma^2 = \sigma_s^2 (1 - \eta^2 (1 - \kappa^2))` at the same
    alpha: all of it for eta = 1, where half the log-SNR gains twice as much; none for eta = 0.
    """

    def stepped(z: N, denoise: Denoise[N], now: Level[N], then: Level[N]) -> N:
        kept = 1 - eta**2 * (1 - kappa(now, then) ** 2)
        beyond = Level(then.alpha, then.sigma * sqrt(kept))
        return renoise(step(z, denoise, now, beyond), draw(), beyond, then)

    return stepped


def euler(z: N, denoise: Denoise[N], now: Level[N], then: Level[N]) -> N:
    r"""Euler's step in :math:`z / \alpha` against :math:`\sigma / \alpha`, which is DDIM's."""
    return ddim_step(z, denoise(z, now), now, then)


def heun(z: N, denoise: Denoise[N], now: Level[N], then: Level[N]) -> N:
    r"""Heun's step in :math:`z / \alpha` against :math:`\sigma / \alpha`: the mean of both ends' slopes.

    Source: Karras et al. 2022, arXiv:2206.00364, Algorithm 1, at :math:`\alpha = 1`.
    """
    slope = eps_from_x(z, denoise(z, now), now)
    guess = _carried(z, slope, now, then)
    return _carried(z, (slope + eps_from_x(guess, denoise(guess, then), then)) / 2, now, then)


def midpoint(z: N, denoise: Denoise[N], now: Level[N], then: Level[N]) -> N:
    r"""The slope in :math:`z / \alpha` against :math:`\sigma / \alpha` is taken at the middle in log-SNR."""
    middle = Level(sqrt(now.alpha * then.alpha), sqrt(now.sigma * then.sigma))
    guess = euler(z, denoise, now, middle)
    return _carried(z, eps_from_x(guess, denoise(guess, middle), middle), now, then)


def dpm_solver_pp_2s(z: N, denoise: Denoise[N], now: Level[N], then: Level[N]) -> N:
    r"""DPM-Solver++(2S) with its inner level at the middle in log-SNR: :math:`r = 1/2`."""
    middle = Level(sqrt(now.alpha * then.alpha), sqrt(now.sigma * then.sigma))
    guess = dpm_solver_pp_1(z, denoise(z, now), now, middle)
    return dpm_solver_pp_1(z, denoise(guess, middle), now, then)


def dpm_solver_pp_2m_run(z: N, levels: Sequence[Level[N]], denoise: Denoise[N]) -> N:
    """DPM-Solver++(2M): a first step of order 1, then each with the output before."""
    outputs: list[N] = []
    for i, (now, then) in enumerate(pairwise(levels)):
        outputs.append(denoise(z, now))
        z = (
            dpm_solver_pp_2m(z, outputs[i], outputs[i - 1], levels[i - 1], now, then)
            if i
            else dpm_solver_pp_1(z, outputs[i], now, then)
        )
    return denoise(z, levels[-1])


def _carried(z: N, slope: N, now: Level[N], then: Level[N]) -> N:
    """Along a slope of z / alpha against sigma / alpha."""
    way = then.sigma / then.alpha - now.sigma / now.alpha
    return then.alpha * (z / now.alpha + way * slope)
