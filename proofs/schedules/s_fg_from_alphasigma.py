r"""The drift and the diffusion of a schedule.

For any positive differentiable alpha and sigma, the forward process dz = f z dt + g dw with f = (log
alpha)' and g^2 = 2 alpha sigma (sigma / alpha)' has the levels of the schedule: the mean alpha x solves m'
= f m and the variance sigma^2 solves S' = 2 f S + g^2. They are also the rates at which the kernel between
two levels scales a state and adds variance. In terms of the log-SNR, g^2 = -sigma^2 lambda', so g is real
exactly where lambda does not increase.

Not claimed: times at which alpha or sigma is zero; which process a source means by its f and g.
"""

from collections.abc import Iterable

from sympy import Function, Lambda, log

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, log_snr, noise_ratio
from equiv.proofs._calculus import at, rate
from equiv.proofs._symbols import inside, s, t, x_hat

CLAIM = Claim(
    id="s-fg-from-alphasigma",
    title="The drift and the diffusion of a schedule",
    statement=r"f_t = \partial_t \log \alpha_t, \qquad g_t^2 = 2 \alpha_t \sigma_t\, \partial_t"
    r" \frac{\sigma_t}{\alpha_t} = (\sigma_t^2)' - 2 f_t \sigma_t^2 = -\sigma_t^2\, \dot\lambda_t",
    source=Source(seed="003", section="SDE and ODE Perspective", equation="from flow matching to diffusion"),
    needs=("d-forward-kernel",),
)

alpha, sigma = Function("alpha", positive=True), Function("sigma", positive=True)
LEVEL = Level(alpha(t), sigma(t))
FLOW = {alpha: Lambda(t, 1 - t), sigma: Lambda(t, t)}


def derivation() -> Derivation:
    drift = rate(log(alpha(t)))
    diffusion_squared = 2 * alpha(t) * sigma(t) * rate(noise_ratio(LEVEL))
    start_to_now = alpha(t) / alpha(s)
    added = sigma(t) ** 2 - start_to_now**2 * sigma(s) ** 2
    return Derivation(
        chains=(
            chain(
                "The rate at which the kernel from s to t scales a state, by alpha_t / alpha_s",
                at(rate(start_to_now * x_hat), s, t),
                ("differentiated at s = t", rate(alpha(t)) / alpha(t) * x_hat),
                ("the derivative of the logarithm", drift * x_hat),
            ),
            chain(
                "The rate at which it adds variance",
                at(rate(added), s, t),
                (
                    "differentiated at s = t",
                    rate(sigma(t) ** 2) - 2 * drift * sigma(t) ** 2,
                ),
                ("the quotient rule, backwards", diffusion_squared),
            ),
            chain(
                "The mean solves m' = f m",
                rate(alpha(t) * x_hat),
                ("f is alpha'/alpha", drift * (alpha(t) * x_hat)),
            ),
            chain(
                "The variance solves S' = 2 f S + g^2",
                rate(sigma(t) ** 2),
                ("the product rule, with (sigma / alpha)'", 2 * drift * sigma(t) ** 2 + diffusion_squared),
            ),
            chain(
                "The diffusion by the log-SNR",
                diffusion_squared,
                (
                    "the quotient rule",
                    2 * sigma(t) * rate(sigma(t)) - 2 * sigma(t) ** 2 * rate(alpha(t)) / alpha(t),
                ),
                ("lambda is 2 log(alpha / sigma)", -(sigma(t) ** 2) * rate(log_snr(LEVEL))),
            ),
            chain(
                "The diffusion by the squared noise ratio",
                diffusion_squared,
                ("(r^2)' is 2 r r'", alpha(t) ** 2 * rate(sigma(t) ** 2 / alpha(t) ** 2)),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    grows = rate(sigma(t) ** 2)
    for name, drift, diffusion_squared in (
        ("g^2 is the rate of sigma^2, as if f were zero", rate(log(alpha(t))), grows),
        ("g^2 without its factor two", rate(log(alpha(t))), alpha(t) * sigma(t) * rate(sigma(t) / alpha(t))),
        ("g^2 with the sign of lambda'", rate(log(alpha(t))), sigma(t) ** 2 * rate(log_snr(LEVEL))),
        (
            "f is alpha', not divided by alpha",
            rate(alpha(t)),
            2 * alpha(t) * sigma(t) * rate(sigma(t) / alpha(t)),
        ),
    ):
        yield Variant(
            name=name,
            left=grows,
            right=2 * drift * sigma(t) ** 2 + diffusion_squared,
            hypotheses=(inside(t),),
            instance=FLOW,
        )
