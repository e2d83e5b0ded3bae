"""The symbols that proofs share.

Positive symbols belong to a schedule. Real ones are states, network outputs and noise, of which no sign
is known. A prediction stands for whatever a network says, so an identity in it holds for any network.
"""

from typing import Any

from sympy import Gt, Lt, symbols

from equiv.formulas.levels import Level, noise_ratio

z_t, x_hat, eps_hat, v_hat, u_hat, score_hat, noise = symbols(
    "z_t xhat epsilonhat vhat uhat shat n", real=True
)
s, t = symbols("s t", positive=True)

now: Level[Any] = Level(*symbols("alpha_t sigma_t", positive=True))
then: Level[Any] = Level(*symbols("alpha_s sigma_s", positive=True))


def less_noisy(low: Level[Any], high: Level[Any]) -> Any:
    """The hypothesis that a level has less noise per signal than another."""
    return Gt(noise_ratio(high), noise_ratio(low), evaluate=False)


def positive(level: Level[Any]) -> Any:
    """The hypotheses that there is both signal and noise."""
    return tuple(Gt(field, 0, evaluate=False) for field in level)


def inside(time: Any) -> Any:
    """The hypothesis that a positive time lies before the end, in (0, 1)."""
    return Lt(time, 1, evaluate=False)
