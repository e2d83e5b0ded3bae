r"""The forward process from a level to a noisier one, and that its steps compose.

Scaling a state by alpha_t / alpha_s and adding noise of variance sigma_t^2 - (alpha_t / alpha_s)^2
sigma_s^2 takes alpha_s x + sigma_s eps to a state with the signal alpha_t x and the noise variance
sigma_t^2. The variance is sigma_t^2 (1 - exp(-(lambda_s - lambda_t))), so it is positive exactly if the
signal-to-noise ratio falls; two such steps through any level between have the variance of one.

Not claimed: anything about data or networks; a continuous-time process.
"""

from collections.abc import Iterable

from sympy import exp, sqrt, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, log_snr
from equiv.formulas.steps import renoise
from equiv.proofs._symbols import less_noisy, noise, now, then

CLAIM = Claim(
    id="d-forward-kernel",
    title="The forward process between two levels",
    statement=r"z_t = \frac{\alpha_t}{\alpha_s} z_s + \sigma_{t|s} n, \qquad"
    r" \sigma_{t|s}^2 = \sigma_t^2 - \frac{\alpha_t^2}{\alpha_s^2} \sigma_s^2"
    r" = \sigma_t^2 (1 - e^{\lambda_t - \lambda_s})",
    source=Source(seed="003", section="Overview", equation="1, between two times"),
)

x, z = symbols("x z", real=True)
between = Level(*symbols("alpha_r sigma_r", positive=True))


def derivation() -> Derivation:
    added = renoise(0, noise, then, now)
    return Derivation(
        chains=(
            chain(
                "The signal keeps its coefficient",
                renoise(then.alpha * x, 0, then, now),
                ("without noise the step is a scaling", now.alpha * x),
            ),
            chain(
                "The variances add up to that of the noisier level",
                renoise(then.sigma, 0, then, now) ** 2 + renoise(0, 1, then, now) ** 2,
                ("the old noise is scaled, the new one independent", now.sigma**2),
            ),
            chain(
                "The variance in terms of the log-SNR",
                added**2,
                ("square", (now.sigma**2 - (now.alpha / then.alpha) ** 2 * then.sigma**2) * noise**2),
                ("take out sigma_t^2", now.sigma**2 * (1 - exp(log_snr(now) - log_snr(then))) * noise**2),
            ),
            chain(
                "Two steps have the variance of one",
                renoise(renoise(0, 1, then, between), 0, between, now) ** 2
                + renoise(0, 1, between, now) ** 2,
                ("sigma_r drops out", now.sigma**2 - (now.alpha / then.alpha) ** 2 * then.sigma**2),
                ("which is one step", renoise(0, 1, then, now) ** 2),
            ),
        ),
        hypotheses=(less_noisy(then, between), less_noisy(between, now)),
    )


def false_variants() -> Iterable[Variant]:
    rising = (less_noisy(then, now),)
    yield Variant(
        name="the variance is the difference of the variances, as in the variance-exploding gauge",
        left=renoise(0, noise, then, now),
        right=sqrt(now.sigma**2 - then.sigma**2) * noise,
        hypotheses=(*rising, less_noisy(Level(1, then.sigma), Level(1, now.sigma))),
    )
    yield Variant(
        name="lambda is half the log-SNR",
        left=renoise(0, 1, then, now) ** 2,
        right=now.sigma**2 * (1 - exp((log_snr(now) - log_snr(then)) / 2)),
        hypotheses=rising,
    )
    yield Variant(
        name="the noise of two steps adds up without the scaling of the first",
        left=renoise(0, 1, then, between) ** 2 + renoise(0, 1, between, now) ** 2,
        right=renoise(0, 1, then, now) ** 2,
        hypotheses=(less_noisy(then, between), less_noisy(between, now)),
    )
