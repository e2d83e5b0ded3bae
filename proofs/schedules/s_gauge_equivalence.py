r"""Paths of the same log-SNR have the same denoiser, after a rescaling of the state.

Two levels of the same log-SNR differ by a scale c = alpha' / alpha. At z' = c z the likelihood of every x
is the same up to the factor 1/c, which does not depend on x; so is the posterior for any data, and with it
E[x | z]. A network that is given the state in one gauge, and the log-SNR, therefore serves every path. For
flow matching the scale is 1 / (alpha + sigma) and the time sigma / (alpha + sigma).

Not claimed: a network given the state unscaled, or a time that is not mapped; any difference in training.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Ne, exp, pi, sqrt, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser
from equiv.formulas.levels import Level, log_snr, noise_ratio, rescaled
from equiv.formulas.schedules import cosine, flow_matching, variance_exploding, variance_preserving
from equiv.proofs._symbols import inside, now, t, z_t

CLAIM = Claim(
    id="s-gauge-equivalence",
    title="Paths of the same log-SNR share a denoiser",
    statement=r"\lambda' = \lambda \implies E[x | z'_{t'} = \tfrac{\alpha'}\alpha z] = E[x | z_t = z], \qquad"
    r" t_{\mathrm{FM}} = \frac\sigma{\alpha + \sigma},\quad z_{\mathrm{FM}} = \frac z{\alpha + \sigma}",
    source=Source(seed="003", section="Training", equation="comment 2 on the training noise schedule"),
)

x, m = symbols("x m", real=True)
c, std = symbols("c s_x", positive=True)
other: Level[Any] = Level(*symbols("alpha' sigma'", positive=True))


def _likelihood(z: Any, level: Level[Any]) -> Any:
    """The density of z given x."""
    return exp(-((z - level.alpha * x) ** 2) / (2 * level.sigma**2)) / (level.sigma * sqrt(2 * pi))


def derivation() -> Derivation:
    scale = other.alpha / now.alpha
    total = now.alpha + now.sigma
    flow = flow_matching(now.sigma / total)
    exploding = variance_exploding(now.sigma / now.alpha)
    return Derivation(
        chains=(
            chain(
                "Signal and log-SNR determine the noise",
                other.sigma,
                ("lambda' is 2 log(alpha' / sigma')", other.alpha * exp(-log_snr(other) / 2)),
            ),
            chain(
                "At the same log-SNR, the noise differs by the scale of the signal",
                other.alpha * exp(-log_snr(now) / 2),
                ("lambda is 2 log(alpha / sigma)", scale * now.sigma),
            ),
            chain(
                "The likelihood of every x, at the rescaled state",
                _likelihood(c * z_t, rescaled(now, c)),
                ("c cancels in the exponent", _likelihood(z_t, now) / c),
            ),
            chain(
                "The flow-matching time: alpha",
                flow.alpha,
                ("1 - sigma / (alpha + sigma)", now.alpha / total),
            ),
            chain(
                "The flow-matching time keeps the noise ratio",
                noise_ratio(flow),
                ("divide", noise_ratio(now)),
            ),
            chain(
                "The variance-exploding path: sigma",
                exploding.sigma * now.alpha,
                ("scaled by 1 / alpha", now.sigma),
            ),
            chain(
                "The variance-preserving path: the log-SNR",
                log_snr(variance_preserving(now)),
                ("the norm cancels", log_snr(now)),
            ),
            chain(
                "An instance: the denoiser of normal data",
                gaussian_denoiser(c * z_t, rescaled(now, c), m, std),
                ("c cancels", gaussian_denoiser(z_t, now, m, std)),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    yield Variant(
        name="the network is given the state without a change of gauge",
        left=gaussian_denoiser(z_t, rescaled(now, c), m, std),
        right=gaussian_denoiser(z_t, now, m, std),
        hypotheses=(Ne(c, 1, evaluate=False),),
    )
    yield Variant(
        name="equal times on two schedules have the same denoiser",
        left=gaussian_denoiser(z_t * (1 - t), flow_matching(t), m, std),
        right=gaussian_denoiser(z_t * cosine(t).alpha, cosine(t), m, std),
        hypotheses=(inside(t),),
    )
    yield Variant(
        name="the flow-matching time is sigma",
        left=log_snr(flow_matching(now.sigma)),
        right=log_snr(now),
        hypotheses=(inside(now.sigma),),
    )
    yield Variant(
        name="the scale to the flow-matching gauge is the norm",
        left=gaussian_denoiser(
            z_t / sqrt(now.alpha**2 + now.sigma**2),
            flow_matching(now.sigma / (now.alpha + now.sigma)),
            m,
            std,
        ),
        right=gaussian_denoiser(z_t, now, m, std),
    )
