r"""The timestep shift of Stable Diffusion 3 multiplies the noise ratio: it is a shift of the log-SNR.

For 0 < t < 1 and k > 0, with t' = k t / (1 + (k - 1) t) on the flow-matching schedule, sigma / alpha is
multiplied by k and the log-SNR falls by 2 log k. Two shifts are one, by the product.

Not claimed: which k suits which resolution; the end points, where the log-SNR is infinite.
"""

from collections.abc import Iterable

from sympy import Lt, log, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import log_snr, noise_ratio
from equiv.formulas.schedules import flow_matching, sd3_shift
from equiv.proofs._symbols import inside, t

CLAIM = Claim(
    id="s-sd3-shift",
    title="A timestep shift is a shift of the log-SNR",
    statement=r"t' = \frac{k t}{1 + (k - 1) t} \iff \frac{t'}{1 - t'} = k \frac{t}{1 - t}"
    r" \iff \lambda' = \lambda - 2 \log k",
    source=Source(seed="003", section="Training", equation="implied: the weighting of Stable Diffusion 3"),
)

k, j, shifted = symbols("k j t'", positive=True)


def derivation() -> Derivation:
    before, after = flow_matching(t), flow_matching(sd3_shift(t, k))
    return Derivation(
        chains=(
            chain(
                "The noise ratio is multiplied",
                noise_ratio(after),
                ("1 - t' is (1 - t) / (1 + (k - 1) t)", k * t / (1 - t)),
                ("sigma / alpha is t / (1 - t)", k * noise_ratio(before)),
            ),
            chain(
                "The log-SNR is shifted",
                log_snr(after),
                ("lambda is -2 log of the noise ratio", -2 * log(k * noise_ratio(before))),
                ("the logarithm of a product", -2 * log(k) - 2 * log(noise_ratio(before))),
                ("lambda is -2 log of the noise ratio", log_snr(before) - 2 * log(k)),
            ),
            chain(
                "The shift is the only time with that noise ratio",
                sd3_shift(t, noise_ratio(flow_matching(shifted)) / noise_ratio(before)),
                ("insert k = t' (1 - t) / ((1 - t') t)", shifted),
            ),
            chain(
                "Shifts compose",
                sd3_shift(sd3_shift(t, k), j),
                ("multiply out", j * k * t / (1 + (k - 1) * t + (j - 1) * k * t)),
                ("a shift by the product", sd3_shift(t, j * k)),
            ),
        ),
        hypotheses=(inside(t), inside(shifted)),
    )


def false_variants() -> Iterable[Variant]:
    before, after = flow_matching(t), flow_matching(sd3_shift(t, k))
    yield Variant(
        name="the log-SNR falls by log k",
        left=log_snr(after),
        right=log_snr(before) - log(k),
        hypotheses=(inside(t),),
    )
    yield Variant(
        name="the log-SNR rises",
        left=log_snr(after),
        right=log_snr(before) + 2 * log(k),
        hypotheses=(inside(t),),
    )
    yield Variant(
        name="the time is multiplied by k",
        left=sd3_shift(t, k),
        right=k * t,
        hypotheses=(inside(t), Lt(k * t, 1, evaluate=False)),
    )
    yield Variant(name="shifts add up", left=sd3_shift(sd3_shift(t, k), j), right=sd3_shift(t, j + k))
