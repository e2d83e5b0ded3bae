r"""Whole samplers: what they ask the network, and the sample that they end with.

Each takes a state at the noisiest of falling ``levels`` and ends at clean data, where the last data
prediction is the sample. ``denoise(z, level)`` asks the network for its data prediction, ``draw()`` for a
standard normal draw of the state's shape. ``stir`` may add noise before a step, and says to which level.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

from equiv.formulas.dpm_solver import dpm_solver_pp_1
from equiv.formulas.levels import Level, kappa
from equiv.formulas.stages import heun_step, midpoint_step
from equiv.formulas.steps import ddim_step, ddpm_step, renoise
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
    """Heun's step, from the slopes at both ends."""
    x_hat = denoise(z, now)
    guess = ddim_step(z, x_hat, now, then)
    return heun_step(z, x_hat, guess, denoise(guess, then), now, then)


def midpoint(z: N, denoise: Denoise[N], now: Level[N], then: Level[N]) -> N:
    """The slope at the middle in log-SNR."""
    middle = _middle(now, then)
    guess = euler(z, denoise, now, middle)
    return midpoint_step(z, guess, denoise(guess, middle), middle, now, then)


def dpm_solver_pp_2s(z: N, denoise: Denoise[N], now: Level[N], then: Level[N]) -> N:
    """DPM-Solver++(2S) with its inner level at the middle in log-SNR, where only the second output counts."""
    middle = _middle(now, then)
    guess = dpm_solver_pp_1(z, denoise(z, now), now, middle)
    return dpm_solver_pp_1(z, denoise(guess, middle), now, then)


def ddpm_midpoint(draw: Draw[N]) -> Step[N]:
    """A DDPM step with the data prediction at the end of another, that goes to the middle in log-SNR."""

    def stepped(z: N, denoise: Denoise[N], now: Level[N], then: Level[N]) -> N:
        middle = _middle(now, then)
        guess = ddpm_step(z, denoise(z, now), draw(), now, middle)
        return ddpm_step(z, denoise(guess, middle), draw(), now, then)

    return stepped


def multistep(
    order: Sequence[Callable[..., N]],
    z: N,
    levels: Sequence[Level[N]],
    denoise: Denoise[N],
    draw: Draw[N] | None = None,
) -> N:
    """Steps that use the outputs before.

    Args:
        order: ``order[k]`` takes the state, k + 1 outputs (the latest first), a draw if there are any, and
            the levels (the earliest first); as high an order is taken as there are outputs for.
    """
    outputs: list[N] = []
    for i, now in enumerate(levels[:-1]):
        outputs.insert(0, denoise(z, now))
        k = min(i, len(order) - 1)
        drawn = [] if draw is None else [draw()]
        z = order[k](z, *outputs[: k + 1], *drawn, *levels[i - k : i + 2])
    return denoise(z, levels[-1])


def _middle(now: Level[N], then: Level[N]) -> Level[N]:
    return Level(sqrt(now.alpha * then.alpha), sqrt(now.sigma * then.sigma))
