r"""The drift and the diffusion of a schedule.

For any positive differentiable alpha and sigma, the forward process dz = f z dt + g dw with f = (log
alpha)' and g^2 = 2 alpha sigma (sigma / alpha)' has the levels of the schedule: the mean alpha x solves m'
= f m and the variance sigma^2 solves S' = 2 f S + g^2. They are also the rates at which the kernel between
two levels scales a state and adds variance. In terms of the log-SNR, g^2 = -sigma^2 lambda', so g is real
exactly where lambda does not increase.

Not claimed: times at which alpha or sigma is zero; which process a source means by its f and g.
"""

from collections.abc import Iterable
from typing import Any

from sympy import log

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import log_snr, noise_ratio
from equiv.proofs._calculus import at
from equiv.proofs._rates import falling, rates, total_rate
from equiv.proofs._symbols import now, then, x_hat

CLAIM = Claim(
    id="s-fg-from-alphasigma",
    title="The drift and the diffusion of a schedule",
    statement=r"f_t = \partial_t \log \alpha_t, \qquad g_t^2 = 2 \alpha_t \sigma_t\, \partial_t"
    r" \frac{\sigma_t}{\alpha_t} = (\sigma_t^2)' - 2 f_t \sigma_t^2 = -\sigma_t^2\, \dot\lambda_t",
    source=Source(seed="003", section="SDE and ODE Perspective", equation="from flow matching to diffusion"),
    needs=("d-forward-kernel",),
    cites=("Ito's formula, for the equations of the mean and variance of a linear process",),
)


def _at_now(e: Any) -> Any:
    """Where the earlier level is the same."""
    return at(at(e, then.alpha, now.alpha), then.sigma, now.sigma)


def _drift() -> Any:
    return total_rate(log(now.alpha))


def _diffusion_squared() -> Any:
    return 2 * now.alpha * now.sigma * total_rate(noise_ratio(now))


def derivation() -> Derivation:
    variance = now.sigma**2
    added = variance - (now.alpha / then.alpha) ** 2 * then.sigma**2
    return Derivation(
        chains=(
            chain(
                "The rate at which the kernel from s to t scales a state, by alpha_t / alpha_s",
                _at_now(total_rate(now.alpha / then.alpha * x_hat)),
                ("differentiated at s = t", rates.alpha / now.alpha * x_hat),
                ("the derivative of the logarithm", _drift() * x_hat),
            ),
            chain(
                "The rate at which it adds variance",
                _at_now(total_rate(added)),
                ("differentiated at s = t", 2 * now.sigma * rates.sigma - 2 * _drift() * variance),
                ("the quotient rule, backwards", _diffusion_squared()),
            ),
            chain(
                "The mean solves m' = f m",
                total_rate(now.alpha * x_hat),
                ("f is alpha'/alpha", _drift() * (now.alpha * x_hat)),
            ),
            chain(
                "The variance solves S' = 2 f S + g^2",
                total_rate(variance),
                ("the product rule, with (sigma / alpha)'", 2 * _drift() * variance + _diffusion_squared()),
            ),
            chain(
                "The diffusion by the log-SNR",
                _diffusion_squared(),
                (
                    "the quotient rule",
                    2 * now.sigma * rates.sigma - 2 * variance * rates.alpha / now.alpha,
                ),
                ("lambda is 2 log(alpha / sigma)", -variance * total_rate(log_snr(now))),
            ),
            chain(
                "The diffusion by the squared noise ratio",
                _diffusion_squared(),
                ("(r^2)' is 2 r r'", now.alpha**2 * total_rate(variance / now.alpha**2)),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    variance, ratio_rate = now.sigma**2, total_rate(noise_ratio(now))
    for name, drift, diffusion_squared in (
        ("g^2 is the rate of sigma^2, as if f were zero", _drift(), total_rate(variance)),
        ("g^2 without its factor two", _drift(), now.alpha * now.sigma * ratio_rate),
        ("g^2 with the sign of lambda'", _drift(), variance * total_rate(log_snr(now))),
        ("f is alpha', not divided by alpha", rates.alpha, _diffusion_squared()),
    ):
        yield Variant(
            name=name,
            left=total_rate(variance),
            right=2 * drift * variance + diffusion_squared,
            hypotheses=(falling(),),
        )
