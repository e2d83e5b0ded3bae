r"""Regression on samples is regression on their mean, but for a constant: the losses and their gradients.

The network is one layer of sines, :math:`N(z) = \sum_j a_j \sin(w_j z + b_j)`. Its loss against a sampled
target, a x + b eps, needs the joint law of data, noise and state, where means of sines and cosines have a
closed form. Its loss against the mean of the target given the state is an integral over the state, by the
exact denoiser; and the constant is one of the variance that is left.

Not claimed: other networks; how noisy the gradients are.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from flint import acb, arb

from equiv.evidence import Evidence, Experiment
from equiv.experiments import Header
from equiv.experiments.quadrature.balls import Case, ball, equal, in_balls
from equiv.experiments.quadrature.data import DATA, Law, total
from equiv.formulas.levels import Level
from equiv.formulas.predictions import eps_from_x
from equiv.formulas.schedules import cosine, flow_matching
from equiv.number import cos, sin
from equiv.result import Task

EXPERIMENT = Header(
    id="x-regression",
    title="Matching samples and matching their mean: equal gradients, losses a constant apart",
    claims=("w-cfm-equals-fm", "w-dsm", "d-posterior-mean"),
    dtypes=(),
)

AMPLITUDES, FREQUENCIES, PHASES = (0.75, -1.25), (0.5, 1.5), (0.25, -0.5)
PARAMETERS = ("a", "w", "b")


class Target(NamedTuple):
    """What is matched: a x + b eps."""

    of_x: arb
    of_eps: arb


def targets(level: Level[arb]) -> dict[str, Target]:
    """The velocity, the score, v, and both plain ones."""
    return {
        "u": Target(arb(-1), arb(1)),
        "score": Target(arb(0), -1 / level.sigma),
        "v": Target(-level.sigma, level.alpha),
        "x": Target(arb(1), arb(0)),
        "eps": Target(arb(0), arb(1)),
    }


@in_balls
def run(_task: Task) -> tuple[list[Evidence], dict[str, Any]]:
    """Losses and gradients for each target, at a level of each data."""
    return list(experiments()), {}


def experiments(mean: Callable[[Law, Any], Any] = Law.denoiser) -> tuple[Experiment, Experiment]:
    """Against ``mean``, the mean of the data given the state."""
    losses, gradients = [], []
    for (name, data), (schedule, t) in zip(DATA.items(), ((flow_matching, 0.5), (cosine, 0.75)), strict=True):
        level = schedule(ball(t))
        law = data.at(level)
        left = law.expectation(law.posterior_variance, law.growth)
        for kind, target in targets(level).items():
            inputs = {"data": name, "schedule": schedule.__name__, "t": t, "target": kind}
            size = (abs(target.of_x) + abs(target.of_eps)) * (1 + 1 / level.sigma)
            growth = 4 * (_network_bound() + size) ** 2 * (1 + law.growth)

            def best(z: Any, law: Law = law, target: Target = target) -> Any:
                x_hat = mean(law, z)
                return target.of_x * x_hat + target.of_eps * eps_from_x(z, x_hat, law.level)

            of_mean = law.expectation(functools.partial(_square_error, best), growth)
            spread = (target.of_x - target.of_eps * level.alpha / level.sigma) ** 2 * left
            wrong = {
                "the losses are equal": of_mean,
                "the constant twice": of_mean + 2 * spread,
            }
            if kind != "x":
                wrong["the variance left of x, whatever the target"] = of_mean + left
            losses.append(Case(inputs, _sampled(law, target), of_mean + spread, wrong))
            for parameter in PARAMETERS:

                def slope(z: Any, parameter: str = parameter, best: Any = best) -> Any:
                    return 2 * (network(z) - best(z)) * change(parameter, z)

                got = law.expectation(slope, growth)
                wrong = {"half of it": got / 2, "as if the target were 0": _network_gradient(law, parameter)}
                expected = _sampled_gradient(law, target, parameter)
                gradients.append(Case({**inputs, "parameter": parameter}, expected, got, wrong))
    return (
        equal("distance of the loss on samples from that on their mean plus the variance left", losses),
        equal("distance of the gradient on samples from that on their mean", gradients),
    )


def _square_error(best: Callable[[Any], Any], z: Any) -> Any:
    return (network(z) - best(z)) ** 2


def _sines() -> Iterator[tuple[arb, arb, arb]]:
    return ((ball(a), ball(w), ball(b)) for a, w, b in zip(AMPLITUDES, FREQUENCIES, PHASES, strict=True))


def _network_bound() -> arb:
    """Above the network, on real states, and above its change per 1 + |z| in each parameter."""
    return total(1 + abs(a) for a, _, _ in _sines())


def network(z: Any) -> Any:
    """A layer of sines."""
    return total(a * sin(w * z + b) for a, w, b in _sines())


def change(parameter: str, z: Any) -> Any:
    """Of the network, when all its amplitudes, frequencies or phases grow at one rate."""
    changes = {
        "a": lambda a, w, b: sin(w * z + b),
        "w": lambda a, w, b: a * z * cos(w * z + b),
        "b": lambda a, w, b: a * cos(w * z + b),
    }
    return total(changes[parameter](*sine) for sine in _sines())


class _Wave(NamedTuple):
    r"""Means with :math:`e^{i (w z + b)}`: of it, with the target y, with z, and with z y."""

    plain: acb
    with_y: acb
    with_z: acb
    with_zy: acb


def _wave(law: Law, target: Target, w: arb, b: arb) -> _Wave:
    r"""For normal z and y: E of the wave is G, with y it is (m_y + i w s) G, with z (m + i w V) G."""
    i, parts = acb(0, 1), []
    for p in law.components:
        covariance = target.of_x * p.gain * p.variance + target.of_eps * law.level.sigma
        g = p.share * (i * (w * p.mean + b) - w * w * p.variance / 2).exp()
        of_y = target.of_x * p.of_data + i * w * covariance
        of_z = p.mean + i * w * p.variance
        parts.append(_Wave(g, of_y * g, of_z * g, (covariance + of_y * of_z) * g))
    return _Wave(*(total(column) for column in zip(*parts, strict=True)))


def _second_moment(law: Law, target: Target) -> arb:
    """Of the target, with the data's own moments: those of a component are its mean and gain at the level."""
    found: list[arb] = []
    for p in law.components:
        of_data = p.left + p.gain**2 * p.variance  # the law of total variance
        second = target.of_x**2 * (of_data + p.of_data**2) + target.of_eps**2
        found.append(p.share * second)
    return total(found)


def _sampled(law: Law, target: Target) -> arb:
    """The loss on samples: of the network squared, less twice with the target, and the target squared."""
    loss = _second_moment(law, target)
    for a, w, b in _sines():
        loss -= 2 * a * _wave(law, target, w, b).with_y.imag
        for other, v, c in _sines():
            apart = _wave(law, target, w - v, b - c).plain.real
            loss += a * other * (apart - _wave(law, target, w + v, b + c).plain.real) / 2
    return loss


def _sampled_gradient(law: Law, target: Target, parameter: str) -> arb:
    """Twice the mean of the network less the target, times the change of the network."""
    found = 2 * _with_change(law, target, parameter)
    return _network_gradient(law, parameter) - found


def _with_change(law: Law, target: Target, parameter: str) -> arb:
    found = arb(0)
    for a, w, b in _sines():
        wave = _wave(law, target, w, b)
        found += {"a": wave.with_y.imag, "w": a * wave.with_zy.real, "b": a * wave.with_y.real}[parameter]
    return found


def _network_gradient(law: Law, parameter: str) -> arb:
    """Twice the mean of the network times its change: products of sines are waves of sums and differences."""
    nothing, found = Target(arb(0), arb(0)), arb(0)
    for a, w, b in _sines():
        for other, v, c in _sines():
            plus, minus = (_wave(law, nothing, w + s * v, b + s * c) for s in (1, -1))
            if parameter == "a":  # sin A sin B
                found += a * (minus.plain.real - plus.plain.real)
            elif parameter == "b":  # sin A cos B
                found += a * other * (plus.plain.imag + minus.plain.imag)
            else:
                found += a * other * (plus.with_z.imag + minus.with_z.imag)
    return found
