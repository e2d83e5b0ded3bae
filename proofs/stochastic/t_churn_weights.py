r"""How churn moves weight from early v-predictions to late ones, in short steps.

On the cosine schedule, in angles t to s, the churn step of rho = 1 + e, e = eta^2, takes z to A z + B v_hat
plus noise. A is one and B zero for s = t; as s falls below t, A falls at the rate e tan(t), and B at 1 + e.
So where A falls by e tan(t) per step length and B grows by 1 + e, with no more steps, the prediction at phi
has the weight (1 + e) W per step length, with W' = -e tan(phi) W and W(0) = 1, which is W = cos(phi)^e. An
early prediction's weight per that of a later one is a cosine ratio below one to the power e: its logarithm
falls with e at a constant rate, so that every early share of the whole falls as the churn grows. e = 0 gives
DDIM's equal weights, e = 1 DDPM's.

Not claimed: that the weights of N steps tend to these as N grows (t-churn-weights-limit); the last few steps,
where phi is of the order of delta (t-ddpm-v-weights); other schedules.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, Rational, S, cos, log, sin, sqrt, symbols, tan

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, kappa
from equiv.formulas.predictions import eps_from_x, x_from_v
from equiv.formulas.steps import churn_step
from equiv.proofs._calculus import at, rate
from equiv.proofs._symbols import less_noisy, noise, now, positive, then, v_hat, x_hat, z_t

CLAIM = Claim(
    id="t-churn-weights",
    title="Churn's weights of v in short steps",
    statement=r"E[z_s | z_t] = A z_t + B \hat v: \quad \partial_s A |_{s = t} = \eta^2 \tan t, \quad"
    r" \partial_s B |_{s = t} = 1 + \eta^2; \qquad W(\varphi) = \cos^{\eta^2}\!\varphi:\ W' = -\eta^2 \tan"
    r"(\varphi)\, W,\ W(0) = 1, \qquad \frac\partial{\partial \eta^2} \log \frac{(1 + \eta^2) W(\varphi)}"
    r"{(1 + \eta^2) W(\psi)} = \log \frac{\cos \varphi}{\cos \psi}",
    source=Source(
        seed="003", section="Diving deeper into samplers", equation="churn diminishes early predictions"
    ),
    needs=("t-churn-family",),
)

t, s, e, phi, late = symbols("t s e phi psi", positive=True)
before, after = Level(cos(t), sin(t)), Level(cos(s), sin(s))


def _kept(power: Any) -> Any:
    return kappa(before, after) ** power


def _of_state(power: Any) -> Any:
    return cos(s) * cos(t) + sin(s) * _kept(power) * sin(t)


def _of_prediction(power: Any) -> Any:
    return sin(s) * _kept(power) * cos(t) - cos(s) * sin(t)


def _limit(angle: Any, churn: Any) -> Any:
    return (1 + churn) * cos(angle) ** churn


def derivation() -> Derivation:
    acute = (Gt(cos(angle), 0, evaluate=False) for angle in (phi, late))
    return Derivation(
        chains=(*_step(), *_short_steps(), *_many_steps(), *_shares()),
        hypotheses=(*positive(before), *positive(after), less_noisy(then, now), *acute),
    )


def _step() -> Iterable[Chain]:
    eps_hat = eps_from_x(z_t, x_hat, now)
    refreshed = then.sigma * sqrt(1 - kappa(now, then) ** (2 * e)) * noise
    yield chain(
        "The churn step keeps kappa^e of the noise",
        churn_step(z_t, x_hat, noise, 1 + e, now, then),
        ("e is rho - 1", then.alpha * x_hat + then.sigma * kappa(now, then) ** e * eps_hat + refreshed),
    )
    from_v = x_from_v(z_t, v_hat, before)
    yield chain(
        "Its mean in angles and v",
        cos(s) * from_v + sin(s) * _kept(e) * eps_from_x(z_t, from_v, before),
        (
            "x_hat is cos(t) z - sin(t) v, eps_hat is sin(t) z + cos(t) v",
            _of_state(e) * z_t + _of_prediction(e) * v_hat,
        ),
    )


def _short_steps() -> Iterable[Chain]:
    yield chain("No step: the factor of the state", at(_of_state(e), s, t), ("one", S.One))
    yield chain("No step: the factor of the prediction", at(_of_prediction(e), s, t), ("zero", S.Zero))
    yield chain(
        "A short step: the factor of the state changes with s",
        at(rate(_of_state(e), s), s, t),
        ("by the change of kappa, 1 / (sin(t) cos(t))", e * tan(t)),
    )
    yield chain(
        "A short step: the factor of the prediction changes with s",
        at(rate(_of_prediction(e), s), s, t),
        ("a rotation, and the change of kappa", 1 + e),
    )


def _many_steps() -> Iterable[Chain]:
    """All later steps, from phi to 0: exp of minus the integral of e tan."""
    product = cos(phi) ** e
    yield chain(
        "The product of all later factors changes with phi",
        rate(product, phi),
        ("as exp(-int e tan) does", -e * tan(phi) * product),
    )
    yield chain("... from no later steps", at(product, phi, 0), ("one", S.One))
    yield chain("e = 0: DDIM", _limit(phi, S.Zero), ("all alike", S.One))
    yield chain("e = 1: DDPM", _limit(phi, S.One), ("2 cos(phi)", 2 * cos(phi)))


def _shares() -> Iterable[Chain]:
    ratio = log(_limit(phi, e) / _limit(late, e))
    yield chain(
        "The logarithm of one weight per another, as e grows",
        rate(ratio, e),
        ("negative where the cosine of phi is the smaller", log(cos(phi) / cos(late))),
    )


def false_variants() -> Iterable[Variant]:
    places = (*positive(before), *positive(after), less_noisy(after, before))
    for name, left, right in (
        ("the prediction enters with eta, not its square", at(rate(_of_prediction(e**2), s), s, t), 1 + e),
        ("the prediction enters alike for all churn", at(rate(_of_prediction(e), s), s, t), S.One),
        ("the state is kept", at(rate(_of_state(e), s), s, t), S.Zero),
        ("the state is kept as in DDPM", at(rate(_of_state(e), s), s, t), tan(t)),
    ):
        yield Variant(name=name, left=left, right=right, hypotheses=places)
    acute = tuple(Gt(cos(angle), 0, evaluate=False) for angle in (phi, late))
    yield Variant(
        name="churn does not change the ratio of two weights",
        left=_limit(phi, S(2)) / _limit(late, S(2)),
        right=_limit(phi, Rational(1, 2)) / _limit(late, Rational(1, 2)),
        hypotheses=acute,
    )
