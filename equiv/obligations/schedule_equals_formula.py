"""The schedule is the one that the configuration names.

Held against the betas of the named schedule, or its log-SNR, in float64; what rounding the library's float32
may have done is added up along the product. If this is refuted, the schedule has another formula or other
end points, or the product takes in one factor too many or too few.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from equiv.evidence import Evidence
from equiv.obligations import Obligation
from equiv.obligations.enumeration import Entry, hold
from equiv.result import Task
from equiv.subjects.subject import Trained, adapter, resolve

OBLIGATION = Obligation(
    id="schedule-equals-formula",
    title="The schedule is the one named",
    needs=("beta_schedule",),
    about=("beta_schedule", "rescale_betas_zero_snr"),
)
UNIT = 2.0**-24
OF_BETA = 6  # roundings: of the two ends, their difference, a product, a sum, and a square or a quotient
OF_STEP = 10  # a quotient, a product, and two differences from 1, four times over where a quarter is left
SHORTEST = 2.0**-24  # what stands for no signal at all, where it would be divided by
LARGEST_BETA = 0.999


class Signal(NamedTuple):
    """log alpha^2 after a training step, and how many roundings may have gone into it."""

    log: float
    roundings: float


def check(task: Task) -> Sequence[Evidence]:
    """Every training step."""
    trained = adapter(task.subject).trained(resolve(task.subject), task.config)
    name = task.config["beta_schedule"]
    signals = [_shifted(s, trained.shift) for s in accumulate(_factors(name, trained), _times)]
    says = f"alpha^2 of every training step is that of {name} in float64"
    if trained.shift != 1:
        says += f", its SNR divided by {trained.shift:g}"
    if task.config.get("rescale_betas_zero_snr") == "True":
        says += ", its root shifted to 0 at the last step and scaled to what it was at the first"
        return hold(says, trained.made, _entries(trained, list(_without_the_last(signals))))
    return hold(
        says, trained.made, _entries(trained, [(math.exp(s.log), s.roundings * UNIT) for s in signals])
    )


def _entries(trained: Trained, due: Sequence[tuple[float, float]]) -> Iterator[Entry]:
    rescaled = due[-1][0] == 0
    for k, (got, (signal, share)) in enumerate(zip(trained.signals, due, strict=True)):
        bound = signal * math.expm1(share) + (SHORTEST if rescaled else 0)
        yield Entry(
            inputs={"training step": str(k), "compared": "alpha^2"},
            holds=abs(got - signal) <= bound,
            expected=f"{signal:.9g}",
            got=repr(got),
            bound=f"{bound:.1e}",
            code=f"print(scheduler.alphas_cumprod[{k}].item())",
        )


def _factors(name: str, trained: Trained) -> Iterator[Signal]:
    """log(1 - beta) of each training step."""
    beta, steps = _BETAS[name], len(trained.signals)
    for k in range(steps):
        b = min(beta(k, steps, trained), LARGEST_BETA)
        yield Signal(math.log1p(-b), 2 + OF_BETA * b / (1 - b))


def _times(before: Signal, factor: Signal) -> Signal:
    return Signal(before.log + factor.log, before.roundings + factor.roundings)


def _shifted(signal: Signal, k: float) -> Signal:
    """The SNR divided by k: a / (k + (1 - k) a), where k > 1 moves the result at most k times as far."""
    if k == 1:
        return signal
    alpha_2 = math.exp(signal.log)
    divisor = k + (1 - k) * alpha_2
    return Signal(signal.log - math.log(divisor), signal.roundings * k / divisor + 5 * k / divisor)


def _without_the_last(signals: Sequence[Signal]) -> Iterator[tuple[float, float]]:
    """alpha^2 with the roots shifted and scaled, and the share by which rounding may move it.

    Subtracting the last root leaves the roundings of both where less is left; what follows undoes the
    product and does it again.
    """
    roots = [math.exp(s.log / 2) for s in signals]
    first, last = roots[0], roots[-1]
    again = 0.0
    for root, signal in zip(roots, signals, strict=True):
        left = root - last
        value = left * first / (first - last)
        if left == 0:
            yield 0.0, 0.0
            continue
        of_left = (root * (signal.roundings + 2) + last * (signals[-1].roundings + 2)) / left
        of_scale = (signals[0].roundings + signals[-1].roundings * last / first + 4) * first / (first - last)
        again += OF_STEP
        yield value * value, (of_left + 2 * of_scale + again) * UNIT


def _linear(k: int, steps: int, trained: Trained) -> float:
    share = k / (steps - 1)
    return (1 - share) * trained.first + share * trained.last


def _scaled_linear(k: int, steps: int, trained: Trained) -> float:
    share = k / (steps - 1)
    return ((1 - share) * math.sqrt(trained.first) + share * math.sqrt(trained.last)) ** 2


def _sigmoid(k: int, steps: int, trained: Trained) -> float:
    share = 1 / (1 + math.exp(6 - 12 * k / (steps - 1)))
    return (1 - share) * trained.first + share * trained.last


def _of_signal(log: Callable[[float], float]) -> Callable[[int, int, Trained], float]:
    """The betas of a schedule that says alpha^2 itself."""
    return lambda k, steps, _: -math.expm1(log((k + 1) / steps) - log(k / steps))


def _cosine(t: float) -> float:
    """Log alpha^2 of Nichol and Dhariwal's schedule, whose offset is 0.008."""
    return 2 * math.log(math.cos((t + 0.008) / 1.008 * math.pi / 2))


def _laplace(t: float) -> float:
    """Log alpha^2 where log-SNR has Laplace's law of scale 1/2 under uniform t."""
    log_snr = math.copysign(0.5, t - 0.5) * math.log(1 - 2 * abs(0.5 - t) + 1e-6)
    return -math.log1p(math.exp(-log_snr))


_BETAS: Mapping[str, Callable[[int, int, Trained], float]] = {
    "linear": _linear,
    "scaled_linear": _scaled_linear,
    "sigmoid": _sigmoid,
    "squaredcos_cap_v2": _of_signal(_cosine),
    "laplace": _of_signal(_laplace),
    "exp": _of_signal(lambda t: -12 * t),
}
