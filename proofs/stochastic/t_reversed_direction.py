r"""Per signal, a reversed DDIM step goes down the log-density, and forward noise goes anywhere.

Divide the state by alpha: y = z / alpha, r = sigma / alpha. DDIM from the level s to the noisier t moves y
along the line from x_hat, by (r_t - r_s) / r_s times y - x_hat: away from the mean of the data given the
state. With the exact denoiser that is -(r_t - r_s) r_s times the slope of log p_s(y), so that for every
sample, in the first order, the log-density falls by r_s (r_t - r_s) times the square of the slope. On normal
data every sample moves away from the mean, by the same factor above one. A forward step adds noise of the
variance r_t^2 - r_s^2 whatever y is, and nothing else. The source says that the one pushes each sample
away from the modes, and that the other is entirely random; in another gauge both also rescale the state. For
standard normal data on a variance-preserving schedule the reversed step is a factor of cos(delta), towards
the mode.

Not claimed: that a finite step cannot raise the log-density; that x_hat is a mode.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, Lt, S, cos, pi, sin, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import Level, noise_ratio
from equiv.formulas.predictions import score_from_x
from equiv.formulas.steps import ddim_step, renoise
from equiv.proofs._symbols import less_noisy, noise, now, then, x_hat

CLAIM = Claim(
    id="t-reversed-direction",
    title="Per signal, reversed DDIM goes down the log-density",
    statement=r"y = \frac z\alpha,\ r = \frac\sigma\alpha:\quad"
    r" y_t - y_s = \frac{r_t - r_s}{r_s} (y_s - \hat x) = -(r_t - r_s)\, r_s\, \nabla_y \log p_s(y_s);"
    r" \qquad \text{forward noise: } y_t - y_s = \sqrt{r_t^2 - r_s^2}\, n",
    source=Source(seed="003", section="Diving deeper into samplers", equation="the particle movement figure"),
    needs=("d-tweedie-1", "f-three-rows"),
)

z_s, mean = symbols("z_s m", real=True)
std, phi, delta = symbols("c phi delta", positive=True)
gain = noise_ratio(now) - noise_ratio(then)


def _moved(state: Any) -> Any:
    """What is added, per signal, to the state of the level s."""
    return state / now.alpha - z_s / then.alpha


def _slope() -> Any:
    """The derivative of log p_s by y, with the exact denoiser; p_s(y) is p_s(z) times alpha_s."""
    return then.alpha * score_from_x(z_s, x_hat, then)


def _angle(angle: Any) -> Level[Any]:
    return Level(cos(angle), sin(angle))


def _standard_normal() -> Any:
    """DDIM from phi - delta to phi, on the variance-preserving schedule, for standard normal data."""
    level = _angle(phi - delta)
    return ddim_step(z_s, gaussian_denoiser(z_s, level, S.Zero, S.One), level, _angle(phi))


def derivation() -> Derivation:
    return Derivation(
        chains=(*_reversed(), *_on_normal_data(), *_forward()),
        hypotheses=(less_noisy(then, now), *_quarter()),
    )


def _quarter() -> tuple[Any, ...]:
    """Both angles inside the quarter turn; the sine is positive there."""
    inside = Lt(delta, phi, evaluate=False), Lt(phi, pi / 2, evaluate=False)
    return *inside, Gt(sin(phi - delta), 0, evaluate=False)


def _reversed() -> Iterable[Chain]:
    yield chain(
        "The reversed step",
        _moved(ddim_step(z_s, x_hat, then, now)),
        ("the row of eps", gain * (z_s - then.alpha * x_hat) / then.sigma),
        ("eps is (y - x_hat) / r_s", gain / noise_ratio(then) * (z_s / then.alpha - x_hat)),
        ("and minus r_s times the slope", -gain * noise_ratio(then) * _slope()),
    )
    yield chain(
        "How the log-density changes along it, in the first order",
        _slope() * _moved(ddim_step(z_s, x_hat, then, now)),
        ("never up", -gain * noise_ratio(then) * _slope() ** 2),
    )


def _on_normal_data() -> Iterable[Chain]:
    x = gaussian_denoiser(z_s, then, mean, std)
    ratio = noise_ratio(then)
    yield chain(
        "On normal data: where it goes, from the mean",
        ddim_step(z_s, x, then, now) / now.alpha - mean,
        (
            "r_t is above r_s",
            (1 + gain * ratio / (std**2 + ratio**2)) * (z_s / then.alpha - mean),
        ),
    )
    yield chain(
        "Standard normal data in the variance-preserving gauge",
        _standard_normal(),
        ("the cosine of a difference", cos(delta) * z_s),
    )


def _forward() -> Iterable[Chain]:
    spread = sqrt(noise_ratio(now) ** 2 - noise_ratio(then) ** 2)
    yield chain(
        "A forward step",
        _moved(renoise(z_s, noise, then, now)),
        ("the state drops out", spread * noise),
    )


def false_variants() -> Iterable[Variant]:
    rising = (less_noisy(then, now),)
    step = ddim_step(z_s, x_hat, then, now)
    score = score_from_x(z_s, x_hat, then)
    for name, left, right in (
        ("towards x_hat", _moved(step), -gain / noise_ratio(then) * (z_s / then.alpha - x_hat)),
        ("up the log-density", _moved(step), gain * noise_ratio(then) * _slope()),
        ("the score of z in place of that of y", _moved(step), -gain * noise_ratio(then) * score),
        (
            "as much in the state itself",
            step - z_s,
            -(now.sigma - then.sigma) * then.sigma * score,
        ),
        ("twice as far", _moved(step), -2 * gain * noise_ratio(then) * _slope()),
        (
            "forward noise is all noise in the state itself",
            renoise(z_s, noise, then, now) - z_s,
            renoise(0, noise, then, now),
        ),
    ):
        yield Variant(name=name, left=left, right=right, hypotheses=rising)
    yield Variant(
        name="away from the mode in the variance-preserving gauge",
        left=_standard_normal(),
        right=z_s / cos(delta),
        hypotheses=_quarter(),
    )
