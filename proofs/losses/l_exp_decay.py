r"""The flow-matching weighting decays exponentially in the log-SNR, and what that costs at its other end.

A log-SNR larger by ell has exp(-ell/2) times the weight. Above any level the weights sum up to something
finite, below it they do not: from -ell to any level M the sum is exp(ell/2) - exp(-M/2), which exceeds
every bound (it is at least 1 + ell/2 - exp(-M/2)). The flow-matching loss is finite because a bounded
error of u means an error of the noise of exp(lambda) / (1 + exp(lambda/2))^2 of it, less than exp(lambda)
of it. A network whose error of the noise stays constant as the log-SNR falls has infinite flow-matching
loss: until t = 1 - d it is (1 / d - 1) times that error.

Not claimed: that training makes such errors; other weightings.
"""

from collections.abc import Iterable

from sympy import Lt, S, exp, log, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import log_snr
from equiv.formulas.schedules import flow_matching
from equiv.formulas.weightings import flow_matching_weighting, mse_factor_u
from equiv.proofs._calculus import at, integral, rate
from equiv.proofs._symbols import now

CLAIM = Claim(
    id="l-exp-decay",
    title="The flow-matching weighting decays exponentially",
    statement=r"w_{\mathrm{FM}}(\lambda + \ell) = e^{-\ell/2}\, w_{\mathrm{FM}}(\lambda), \qquad"
    r" \int_{-\ell}^{M} w_{\mathrm{FM}} = e^{\ell/2} - e^{-M/2} \to \infty, \qquad"
    r" \lVert \delta\epsilon \rVert^2 = \frac{e^\lambda}{(1 + e^{\lambda/2})^2} \lVert \delta u \rVert^2",
    source=Source(seed="003", section="Training", equation="decreases exponentially as lambda increases"),
    needs=("l-fm-equals-vcos", "p-mse-table"),
)

lambda_t, ell, top, u = symbols("lambda ell M u", real=True)
length, rest = symbols("L d", positive=True)


def derivation() -> Derivation:
    return Derivation(chains=(*_decay(), *_sums(), *_errors()), hypotheses=(Lt(rest, 1, evaluate=False),))


def _decay() -> Iterable[Chain]:
    yield chain(
        "A larger log-SNR weighs less",
        flow_matching_weighting(lambda_t + ell),
        ("exp(-(lambda + ell)/2)", exp(-ell / 2) * flow_matching_weighting(lambda_t)),
    )
    yield chain(
        "The relative rate of decay",
        rate(flow_matching_weighting(lambda_t), lambda_t) / flow_matching_weighting(lambda_t),
        ("one half, at every log-SNR", -S.One / 2),
    )
    yield chain(
        "The weight is halved",
        flow_matching_weighting(lambda_t + 2 * log(2)),
        ("every 2 log 2", flow_matching_weighting(lambda_t) / 2),
    )


def _sums() -> Iterable[Chain]:
    yield chain(
        "The weights between two levels",
        integral(flow_matching_weighting(u), u, -ell, top),
        ("integrate", exp(ell / 2) - exp(-top / 2)),
    )
    above = exp(length / 2) - 1 - length / 2
    yield chain(
        "The exponential lies above its tangent: their distance grows",
        rate(above, length),
        ("differentiate", (exp(length / 2) - 1) / 2),
        ("the integral of what is positive", integral(exp(u / 2) / 4, u, 0, length)),
    )
    yield chain("The exponential meets its tangent at zero", at(above, length, 0), ("1 - 1", S.Zero))


def _errors() -> Iterable[Chain]:
    level, of_u = log_snr(now), symbols("E_u", positive=True)
    yield chain(
        "The error of the noise for an error of u",
        of_u / mse_factor_u(now),
        ("(1 + exp(-lambda/2))^2, by exp(lambda)", exp(level) / (1 + exp(level / 2)) ** 2 * of_u),
    )
    yield chain(
        "It is less than exp(lambda) of it",
        exp(level) * of_u - exp(level) / (1 + exp(level / 2)) ** 2 * of_u,
        (
            "a product of positive terms",
            exp(level) * of_u * exp(level / 2) * (2 + exp(level / 2)) / (1 + exp(level / 2)) ** 2,
        ),
    )
    yield chain(
        "The flow-matching loss of a constant error of the noise, until t = 1 - d",
        integral(1 / (1 - u) ** 2, u, 0, 1 - rest),
        ("integrate", 1 / rest - 1),
    )
    yield chain(
        "Its integrand",
        mse_factor_u(flow_matching(1 - rest)),
        ("1 + t / (1 - t), squared", 1 / rest**2),
    )


def false_variants() -> Iterable[Variant]:
    for name, right in (
        ("exp(-ell)", exp(-ell) * flow_matching_weighting(lambda_t)),
        ("growth", exp(ell / 2) * flow_matching_weighting(lambda_t)),
        ("decay by a power of the log-SNR", flow_matching_weighting(lambda_t) / (1 + ell**2)),
    ):
        yield Variant(name=name, left=flow_matching_weighting(lambda_t + ell), right=right)
    yield Variant(
        name="the sum below a level is finite: nothing is added by going twice as far",
        left=integral(flow_matching_weighting(u), u, -2 * length, 0),
        right=integral(flow_matching_weighting(u), u, -length, 0),
    )
    yield Variant(
        name="the error of the noise is exp(lambda) of that of u",
        left=1 / mse_factor_u(now),
        right=exp(log_snr(now)),
    )
