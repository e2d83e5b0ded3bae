r"""What decides the objective of a loss, and what decides the noise of its estimate.

A loss is the integral of w(lambda) E(lambda), with E the mean square error of eps_hat at that noise level.
If two weightings are proportional, so are the losses of every prediction. If they are not, there are two
sets of levels on which their integrals (w_1, w_2) and (v_1, v_2) have different ratios. Take the best
prediction, and add a constant with the square 2 on the second set, or one with the square w_2 / w_1 + v_2 /
v_1 on the first: the two are ordered one way by w and the other way by v. So w and v order all predictions
(functions of z and lambda) alike exactly if they are proportional. That such sets exist is said, not
decided: a measure whose ratio to another is the same on all sets is a multiple of it.

An estimate draws lambda with the density p and a sample, and returns w / p times the error of the sample.
Its mean is the loss, whatever p is; its second moment is the integral of w^2 / p times the second moment of
the error. So (w, p and the law of the error of a sample at each lambda) decide the variance. The prediction
does not matter: at the same sample, the error of x is a factor times that of eps. The target does: against
E[eps | z] in place of eps the objective is the same up to a constant, and the second moment is not. Moments
given z are symbols; integrals are linear.

Not claimed: that a network can add such constants; that a small variance trains well.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Ne, S, cosh, exp, pi, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import log_snr
from equiv.formulas.predictions import x_from_eps
from equiv.formulas.weightings import flow_matching_weighting, v_cosine_weighting, weighting
from equiv.proofs._calculus import mean
from equiv.proofs._symbols import eps_hat, now, z_t

CLAIM = Claim(
    id="l-loss-identification",
    title="w decides the objective; w, p and the error decide its noise",
    statement=r"w, v > 0:\ \int w E\, d\lambda \text{ orders all predictions as } \int v E\, d\lambda"
    r" \iff v = C w, \qquad"
    r" \mathrm{Var}\left[\tfrac wp \ell\right] = \int \frac{w^2}p E[\ell^2]\, d\lambda"
    r" - \left(\int w E[\ell]\, d\lambda\right)^2",
    source=Source(
        seed="003", section="Training", equation="importance sampling and the training noise schedule"
    ),
    needs=("p-mse-table", "l-fm-equals-vcos"),
    cites=(
        "Radon-Nikodym theorem, for weightings that have one ratio on all sets",
        "tower property, for the moments of an estimate",
    ),
)

w_1, w_2, v_1, v_2, w, p, error, factor, rate_of = symbols("w_1 w_2 v_1 v_2 w p E m r", positive=True)
eps, c, best, first, second, third, fourth = symbols("epsilon c epsilonhat_* mu V M_3 M_4", real=True)
GIVEN_Z = {0: S.One, 1: S.Zero, 2: second, 3: third, 4: fourth}  # the moments of eps - E[eps | z]


def _gain(one: Any, two: Any) -> Any:
    """How much more the first network loses, under a weighting with these integrals over the sets."""
    return one * (w_2 / w_1 + v_2 / v_1) - two * 2


def derivation() -> Derivation:
    return Derivation(chains=(*_objective(), *_estimate(), *_prediction(), *_target()))


def _objective() -> Iterable[Chain]:
    yield chain(
        "A constant added to the best prediction costs its square",
        mean((best + c - (best + eps)) ** 2 - (best - (best + eps)) ** 2, eps, GIVEN_Z),
        ("what the best prediction leaves has the mean zero given z", c**2),
    )
    yield chain("The order by w", _gain(w_1, w_2), ("insert", w_1 * (v_2 / v_1 - w_2 / w_1)))
    yield chain("The order by v", _gain(v_1, v_2), ("insert", -v_1 * (v_2 / v_1 - w_2 / w_1)))
    yield chain(
        "They are opposite, unless the ratios agree",
        _gain(w_1, w_2) * _gain(v_1, v_2),
        ("minus a square", -w_1 * v_1 * (v_2 / v_1 - w_2 / w_1) ** 2),
    )


def _estimate() -> Iterable[Chain]:
    yield chain("The mean, per lambda", p * (w / p * error), ("p cancels", w * error))
    yield chain(
        "The second moment, per lambda", p * ((w / p) ** 2 * error), ("p cancels once", w**2 / p * error)
    )
    yield chain(
        "Under uniform times the density is one over the rate, and an estimate is the factor times the error",
        weighting(factor, rate_of) / (1 / rate_of) * error,
        ("the rate cancels", factor * error),
    )


def _prediction() -> Iterable[Chain]:
    of_x = (x_from_eps(z_t, eps_hat, now) - x_from_eps(z_t, eps, now)) ** 2
    yield chain(
        "At the same sample, the error of x is that of eps in other units",
        w * exp(log_snr(now)) * of_x,
        ("a factor of the level alone", w * (eps_hat - eps) ** 2),
    )


def _target() -> Iterable[Chain]:
    gap = eps_hat - first
    against_noise = mean((gap - eps) ** 2, eps, GIVEN_Z)
    yield chain(
        "Against the noise or against its mean given z: the objectives",
        against_noise,
        ("the variance given z does not depend on the network", gap**2 + second),
    )
    yield chain(
        "Against the noise or against its mean given z: the second moments",
        mean((gap - eps) ** 4, eps, GIVEN_Z) - against_noise**2,
        (
            "the variance of the error, where against the mean there is none",
            4 * gap**2 * second - 4 * gap * third + fourth - second**2,
        ),
    )


def false_variants() -> Iterable[Variant]:
    different = (Ne(w_2 * v_1, w_1 * v_2, evaluate=False),)
    yield Variant(
        name="two weightings that are not proportional order all networks alike",
        left=_gain(w_1, w_2) / w_1,
        right=_gain(v_1, v_2) / v_1,
        hypotheses=different,
    )
    yield Variant(
        name="the density enters the mean",
        left=p * (w * error),
        right=w * error,
        hypotheses=(Ne(p, 1, evaluate=False),),
    )
    lambda_t = log_snr(now)
    uniform = 1 / (8 * cosh(lambda_t / 4) ** 2)
    cosine = 1 / (2 * pi * cosh(lambda_t / 2))
    yield Variant(
        name="flow matching and v on the cosine schedule have the same noise, up to the constant",
        left=(2 / pi) ** 2 * flow_matching_weighting(lambda_t) ** 2 / uniform,
        right=v_cosine_weighting(lambda_t) ** 2 / cosine,
    )
    gap = eps_hat - first
    yield Variant(
        name="against the mean of the noise, the error of a sample has the same second moment",
        left=mean((gap - eps) ** 4, eps, GIVEN_Z),
        right=(gap**2 + second) ** 2,
    )
