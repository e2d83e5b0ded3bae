r"""What an unknown loss weighs: how much of the noise error it counts at each log-SNR.

A loss is a function of a prediction, the data, the noise, and a level: ``loss(v_hat, x, eps, alpha, sigma)``,
or ``loss(v_hat, x, eps, t)`` for times drawn evenly on a named schedule. It is run, in float64, on
predictions that are off by a known error; a square error of the prediction is a factor times that of the
noise at the same state, so

.. math:: w(\lambda) = \frac{L(\text{truth} + \delta)}{\operatorname{mean} \delta^2}
    \cdot \frac{\lVert \delta \text{prediction} \rVert^2}{\lVert \delta \epsilon \rVert^2}
    \cdot \frac{1}{-\dot\lambda}.

What is found is measured at the log-SNRs tried and not proved; a weighting is named if it is a constant
times the named one at all of them.
"""

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import torch

from equiv.formulas.levels import Level
from equiv.formulas.predictions import FROM_X
from equiv.formulas.weightings import MSE_FACTOR

Loss = Callable[..., torch.Tensor]
LAMBDAS = tuple(np.linspace(-7.3, 6.1, 15))
SHAPE = (2, 3, 5)
CLOSE = 1e-9  # relative: what float64 leaves of a few dozen operations, at the log-SNRs tried
_PREDICTIONS = {
    "x": ("x_hat", "pred_x0"),
    "eps": ("eps_hat", "noise_pred", "eps_pred"),
    "v": ("v_hat", "v_pred"),
    "u": ("u_hat", "u_pred", "velocity"),
}
_DATA, _NOISE = ("x", "x0", "x_0", "data"), ("eps", "noise", "epsilon")


def is_loss(code: Callable[..., object]) -> bool:
    """Does it take data and noise, after a prediction?"""
    names = list(inspect.signature(code).parameters)
    return len(names) > 2 and names[1] in _DATA and names[2] in _NOISE


class NotALoss(Exception):
    """The function is no weighted square error, or takes what is not known; the text says which."""


class Named(NamedTuple):
    """A weighting of the noise error as a function of the log-SNR."""

    says: str
    of: Callable[[float], float]


def _sigmoid(bias: float) -> Callable[[float], float]:
    return lambda l: 1 / (1 + math.exp(l - bias))


def _min_snr(gamma: float) -> Callable[[float], float]:
    return lambda l: min(math.exp(l), gamma) / math.exp(l)


NAMED: tuple[Named, ...] = (
    Named("the flow-matching weighting, e^(-lambda/2)", lambda l: math.exp(-l / 2) / 2),
    Named("the square error of eps", lambda l: 1.0),
    Named("the square error of x", lambda l: math.exp(-l)),
    Named("the square error of v at alpha^2 + sigma^2 = 1", lambda l: 1 + math.exp(-l)),
    Named("the square error of u = eps - x", lambda l: (1 + math.exp(-l / 2)) ** 2),
    Named("the square error of eps on the cosine schedule, sech(lambda/2)", lambda l: 1 / math.cosh(l / 2)),
    Named("the derivative of a sigmoid, sech(lambda/2)^2", lambda l: 1 / math.cosh(l / 2) ** 2),
    *(Named(f"the sigmoid weighting with bias {b}", _sigmoid(b)) for b in (-3, -2, -1, 0, 1, 2)),
    *(Named(f"min-SNR with gamma = {g}, in the noise error", _min_snr(g)) for g in (1, 2, 5, 10)),
    Named(
        "EDM's weighting at sigma_data = 1/2, without its density",
        lambda l: (math.exp(-l) + 0.25) / (0.25 * math.exp(-l)) * math.exp(-l),
    ),
)

SCHEDULES: Mapping[str, Callable[[float], tuple[float, float]]] = MappingProxyType(
    {  # the time of a log-SNR, and -d lambda / dt there
        "flow": lambda l: _flow(1 / (1 + math.exp(l / 2))),
        "cosine": lambda l: _cosine(2 / math.pi * math.atan(math.exp(-l / 2))),
    }
)


def _flow(t: float) -> tuple[float, float]:
    return t, 2 / (t * (1 - t))


def _cosine(t: float) -> tuple[float, float]:
    return t, 2 * math.pi / math.sin(math.pi * t)


def _level(schedule: str, lam: float) -> Level[float]:
    if schedule == "flow":
        t, _ = SCHEDULES["flow"](lam)
        return Level(1 - t, t)
    return Level(math.sqrt(1 / (1 + math.exp(-lam))), math.sqrt(1 / (1 + math.exp(lam))))


class Weighting(NamedTuple):
    """The weight of the noise error at each log-SNR, and what was read off the arguments."""

    prediction: str
    schedule: str  # empty: the density of levels is the user's
    values: tuple[float, ...]


def weighting(loss: Loss, schedule: str = "", *, seed: int = 0) -> Weighting:
    """Measure the weighting of a loss.

    Args:
        loss: of a prediction, the data, the noise, and alpha and sigma or a time t.
        schedule: on which the times are drawn evenly; a loss of t needs one.
        seed: of the data.

    Raises:
        NotALoss: its arguments are not known, or it is no weighted square error.
    """
    names = [p.name for p in inspect.signature(loss).parameters.values() if p.default is p.empty]
    kinds = [k for k, known in _PREDICTIONS.items() if names and names[0] in known]
    by_level = names[3:] in (["alpha", "sigma"], ["alpha_t", "sigma_t"])
    if not kinds or len(names) < 3 or names[1] not in _DATA or names[2] not in _NOISE:
        raise NotALoss(_TAKES.format(", ".join(names)))
    if not by_level and names[3:] != ["t"]:
        raise NotALoss(_TAKES.format(", ".join(names)))
    if not by_level and schedule not in SCHEDULES:
        raise NotALoss(f"a loss of t needs schedule= one of {', '.join(SCHEDULES)}; got {schedule!r}")
    (kind,) = kinds
    values = tuple(_weight(loss, kind, schedule, lam, seed, by_level=by_level) for lam in LAMBDAS)
    return Weighting(kind, schedule, values)


_TAKES = (
    "a loss takes (x_hat or eps_hat or v_hat or u_hat, x, eps, alpha, sigma) or (..., x, eps, t); got ({})"
)


def _weight(loss: Loss, kind: str, schedule: str, lam: float, seed: int, *, by_level: bool) -> float:
    level = _level(schedule, lam)
    generator = torch.Generator().manual_seed(seed)
    found = []
    for size in (1.0, -2.0, 0.5):
        x, eps, off = (torch.randn(SHAPE, dtype=torch.float64, generator=generator) for _ in range(3))
        truth = _truth(kind, x, eps, level)

        def run(prediction: torch.Tensor, x: torch.Tensor = x, eps: torch.Tensor = eps) -> float:
            ones = torch.ones((SHAPE[0], *[1] * (len(SHAPE) - 1)), dtype=torch.float64)
            told = [level.alpha * ones, level.sigma * ones]
            if not by_level:
                told = [SCHEDULES[schedule](lam)[0] * ones]
            return float(loss(prediction, x, eps, *told).mean())

        found.append((run(truth + size * off) - run(truth)) / float(((size * off) ** 2).mean()))
        if not abs(run(truth)) <= CLOSE * abs(found[-1]):
            raise NotALoss(f"it is {run(truth):.3g} at the truth: no square error of the {kind}-prediction")
    if not max(found) - min(found) <= CLOSE * abs(found[0]):
        raise NotALoss(
            f"it is no weighted square error: per square error it is {found[0]!r} and {found[1]!r}"
        )
    factor = float(MSE_FACTOR[kind](level))
    return found[0] * factor / (SCHEDULES[schedule](lam)[1] if schedule else 1.0)


def _truth(kind: str, x: torch.Tensor, eps: torch.Tensor, level: Level[float]) -> torch.Tensor:
    truth: torch.Tensor = FROM_X[kind](level.alpha * x + level.sigma * eps, x, level)
    return truth


def identified(found: Weighting) -> Iterator[str]:
    """The named weightings that it is a constant times, or the nearest."""
    gaps: list[tuple[float, str]] = []
    known = False
    for named in NAMED:
        ratios = [v / named.of(lam) for v, lam in zip(found.values, LAMBDAS, strict=True)]
        spread = max(ratios) / min(ratios) - 1 if min(ratios) > 0 else math.inf
        gaps.append((spread, named.says))
        if spread <= CLOSE:
            known = True
            yield f"{named.says}, times {_constant(ratios[0])}"
    if not known:
        spread, says = min(gaps)
        far = f"off by a factor of up to {1 + spread:.4g}"
        yield f"no weighting that is named here; the nearest: {says}, {far}"


def _constant(value: float) -> str:
    """A number as a person writes it."""
    for unit, name in ((1.0, ""), (math.pi, "pi"), (1 / math.pi, "1/pi")):
        simple = Fraction(value / unit).limit_denominator(64)
        if simple and abs(float(simple) * unit / value - 1) < CLOSE:
            if name == "1/pi":
                return f"{simple.numerator}/{'' if simple.denominator == 1 else simple.denominator}pi"
            return f"{simple}{'' if not name else ' ' + name}"
    return f"{value:.12g}"


def lines(spec: str, loss: Loss, schedule: str) -> tuple[bool, Sequence[str]]:
    """What a loss is, in lines; and whether it has a name."""
    found = weighting(loss, schedule)
    says = list(identified(found))
    drawn = f"times drawn evenly on the {schedule} schedule" if schedule else "the density of levels left out"
    first, last = LAMBDAS[0], LAMBDAS[-1]
    return "no weighting" not in says[0], (
        *(f"{spec}: {s}" for s in says),
        f"  measured at {len(LAMBDAS)} log-SNRs from {first:.3g} to {last:.3g}, to {CLOSE:g}; not proved",
        f"  assumed: the prediction is {found.prediction}; {drawn}",
    )
