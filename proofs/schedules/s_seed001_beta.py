r"""Ten steps of rate 0.1 do not reach a standard normal.

Each step z' = sqrt(1 - beta) z + sqrt(beta) n keeps alpha^2 + sigma^2 = 1 and multiplies alpha^2 by 1 -
beta. Ten steps with beta = 0.1 (a constant rate, which the source calls linear) leave alpha^2 = 0.9^10 =
0.34867844, the signal coefficient 0.9^5 = 0.59049 and the signal-to-noise ratio 0.9^10 / (1 - 0.9^10),
about 0.535: the state still has its data in it. Data at +2 and -2 end with the second moment 1 + 3 *
0.9^10, not one.

Not claimed: data that are normal with unit variance, which stay so; how far the law is from normal in any
divergence; anything about longer chains.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Integer, Lt, Rational, S, log, sqrt, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, log_snr
from equiv.proofs._symbols import now

CLAIM = Claim(
    id="s-seed001-beta",
    title="Ten steps of rate 0.1 do not reach a standard normal",
    statement=r"\beta_t = 0.1,\ T = 10 \implies \alpha_T^2 = 0.9^{10} = 0.3486784401, \quad"
    r" \lambda_T = \log \frac{0.9^{10}}{1 - 0.9^{10}}, \qquad"
    r" x = \pm 2:\ E z_T^2 = 1 + 3 \cdot 0.9^{10},\ z_T \not\sim N(0, 1)",
    source=Source(seed="001", section="Distribution Conversion Examples"),
    erratum="E18",
    as_written=r"\beta_t = 0.1,\ T = 10,\ x = \pm 2 \implies z_T \sim N(0, 1)",
)

beta = symbols("beta", positive=True)
STEPS, RATE = 10, Rational(1, 10)
LEFT = Rational(3486784401, 10**10)


def _step(level: Level[Any], amount: Any) -> Level[Any]:
    """Scale the state and add independent noise of variance ``amount``."""
    kept = sqrt(1 - amount)
    return Level(kept * level.alpha, sqrt((kept * level.sigma) ** 2 + amount))


def _terminal(steps: int) -> tuple[Any, Any]:
    """alpha^2 and sigma^2 after steps of rate 0.1, each computed from the one before."""
    signal, variance = S.One, S.Zero
    for _ in range(steps):
        signal, variance = (1 - RATE) * signal, (1 - RATE) * variance + RATE
    return signal, variance


def derivation() -> Derivation:
    after = _step(now, beta)
    signal, variance = _terminal(STEPS)
    return Derivation(
        chains=(
            chain(
                "A step multiplies alpha^2",
                after.alpha**2,
                ("the square of the root", (1 - beta) * now.alpha**2),
            ),
            chain(
                "A step adds variance",
                after.sigma**2,
                ("independent noise", (1 - beta) * now.sigma**2 + beta),
            ),
            chain(
                "A step brings alpha^2 + sigma^2 nearer to one",
                after.alpha**2 + after.sigma**2 - 1,
                ("take out 1 - beta", (1 - beta) * (now.alpha**2 + now.sigma**2 - 1)),
            ),
            chain(
                "After ten steps: the signal",
                signal,
                ("ten factors", (1 - RATE) ** STEPS),
                ("multiply out", LEFT),
            ),
            chain("After ten steps: the variance", variance, ("alpha^2 + sigma^2 is one", 1 - LEFT)),
            chain(
                "The coefficient of the data", sqrt(signal), ("the root of 0.9^10", Rational(59049, 100000))
            ),
            chain(
                "The log-SNR",
                log_snr(Level(sqrt(signal), sqrt(variance))),
                ("lambda is log(alpha^2 / sigma^2)", log(LEFT / (1 - LEFT))),
            ),
            chain(
                "The second moment of data at +2 and -2",
                4 * signal + variance,
                ("sigma^2 is 1 - alpha^2", 1 + 3 * LEFT),
            ),
        ),
        hypotheses=(Lt(beta, 1, evaluate=False),),
    )


def false_variants() -> Iterable[Variant]:
    signal, variance = _terminal(STEPS)
    yield Variant(name="ten steps subtract ten times the rate", left=signal, right=1 - STEPS * RATE)
    yield Variant(name="alpha itself is multiplied by 1 - beta", left=sqrt(signal), right=(1 - RATE) ** STEPS)
    yield Variant(name="the variance is the sum of the rates", left=variance, right=STEPS * RATE)
    yield Variant(name="nine steps", left=_terminal(9)[0], right=LEFT)


def as_written() -> Iterable[Variant]:
    signal, variance = _terminal(STEPS)
    yield Variant(name="the last state does not depend on the data", left=sqrt(signal), right=S.Zero)
    yield Variant(
        name="its second moment is one, for data at +2 and -2", left=4 * signal + variance, right=Integer(1)
    )
