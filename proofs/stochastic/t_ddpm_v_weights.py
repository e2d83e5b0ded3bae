r"""On the cosine schedule, DDPM weighs late v-predictions most, and forgets the starting noise.

In angles t to s = t - delta, cos(s) z_s is cos(t) z_t plus h_t v_hat plus noise, with h_t = -sin(t + s)
sin(delta) / sin(t). So the h_t are the weights in the final sample, where cos is one, and the noise at t
= pi/2 has the weight zero. For short steps h_t is -2 cos(t) delta: more than DDIM's delta below t = pi/3,
that is for diffusion times under 2/3. At the j-th step from the end, t = j delta, it is sin((2j - 1)
delta) / sin(j delta) times -sin(delta), which tends to 2 - 1/j, the quotient of the derivatives, as both
vanish with delta: the last step, j = 1, has DDIM's weight
-sin(delta) exactly.

Not claimed: which step has the largest weight; other schedules; DDPM with other variances.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, S, cos, pi, sin, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, kappa
from equiv.formulas.predictions import x_from_v
from equiv.formulas.steps import ddpm_step
from equiv.proofs._calculus import at, rate
from equiv.proofs._symbols import less_noisy, positive, v_hat, z_t

CLAIM = Claim(
    id="t-ddpm-v-weights",
    title="DDPM's weights of v",
    statement=r"h_t = -\frac{\sin(t + s)}{\sin t} \sin\delta, \quad \delta = t - s; \qquad"
    r" h_t = -2 \cos t\; \delta + O(\delta^2); \qquad"
    r" t = j \delta:\ \frac{h_t}{-\sin\delta} = \frac{\sin (2 j - 1) \delta}{\sin j \delta} \to 2 - \tfrac1j",
    source=Source(
        seed="003",
        section="Diving deeper into samplers",
        equation="DDPM puts more emphasis on the end of sampling",
    ),
    needs=("t-ddpm-double-ddim",),
    cites=(
        "L'Hopital's rule, for the last weights",
        "Taylor's theorem, for the order of the rest in delta",
        "induction over steps, for the weights in the final sample",
    ),
)

t, s, delta, j = symbols("t s delta j", positive=True)
before, after = Level(cos(t), sin(t)), Level(cos(s), sin(s))


def _step(n: Any) -> Any:
    return ddpm_step(z_t, x_from_v(z_t, v_hat, before), n, before, after)


def _weight() -> Any:
    return -sin(t + s) * sin(t - s) / sin(t)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_sum(), *_short_steps(), *_last_steps()),
        hypotheses=(*positive(before), *positive(after), less_noisy(after, before), *_acute()),
    )


def _acute() -> Iterable[Any]:
    yield Gt(cos(s), cos(t), evaluate=False)
    yield from (Gt(sin(e), 0, evaluate=False) for e in (delta, delta * j))


def _sum() -> Iterable[Chain]:
    yield chain(
        "The mean of the step, times the cosine of where it ends",
        cos(s) * _step(S.Zero),
        (
            "x_hat is cos(t) z - sin(t) v, and the sine of a sum times that of a difference",
            cos(t) * z_t + _weight() * v_hat,
        ),
    )
    yield chain(
        "The variance of the step, times that squared: noise that no prediction changes",
        (cos(s) * ddpm_step(0, 0, 1, before, after)) ** 2,
        ("the posterior's", (cos(s) * sin(s)) ** 2 * (1 - kappa(before, after) ** 2)),
    )
    yield chain("At the end, the cosine", cos(S.Zero), ("one: what is summed up is the sample", S.One))
    yield chain("At the start, the cosine", cos(pi / 2), ("zero: the weight of the noise", S.Zero))


def _short_steps() -> Iterable[Chain]:
    shown = -sin(2 * t - delta) / sin(t) * sin(delta)
    yield chain(
        "The weight by t and delta",
        shown,
        (
            "-2 cos(t) sin(delta), but for what vanishes with delta",
            -2 * cos(t) * sin(delta)
            + sin(delta) * (2 * cos(t) * (1 - cos(delta)) + cos(2 * t) * sin(delta) / sin(t)),
        ),
    )
    yield chain("Its rate at delta = 0", at(rate(shown, delta), delta, 0), ("differentiate", -2 * cos(t)))
    yield chain(
        "What exceeds DDIM's rate, one",
        2 * cos(t) - 1,
        ("positive below pi/3", 2 * (cos(t) - cos(pi / 3))),
    )


def _last_steps() -> Iterable[Chain]:
    shown = at(_weight(), t, delta * j)
    above, below = sin((2 * j - 1) * delta), sin(delta * j)
    yield chain(
        "The j-th step from the end",
        at(shown, s, (j - 1) * delta) / -sin(delta),
        ("t + s is (2j - 1) delta", above / below),
    )
    yield chain("For small delta, what is above", at(rate(above, delta), delta, 0), ("grows at", 2 * j - 1))
    yield chain("... and what is below", at(rate(below, delta), delta, 0), ("grows at", j))
    yield chain("... so that the limit is", (2 * j - 1) / j, ("divide", 2 - 1 / j))
    yield chain("For j = 1", sin((2 * S.One - 1) * delta) / sin(delta), ("DDIM's weight", S.One))


def false_variants() -> Iterable[Variant]:
    shown = -sin(2 * t - delta) / sin(t) * sin(delta)
    places = (*positive(before), *positive(after), less_noisy(after, before))
    for name, right in (
        ("DDIM's weight", cos(t) * z_t - sin(t - s) * v_hat),
        ("the weight of the limit", cos(t) * z_t - 2 * cos(t) * sin(t - s) * v_hat),
        ("the sum of the angles below", cos(t) * z_t - sin(t + s) * sin(t - s) / sin(s) * v_hat),
        ("the starting noise is kept", cos(s) * z_t + _weight() * v_hat),
    ):
        yield Variant(name=name, left=cos(s) * _step(S.Zero), right=right, hypotheses=places)
    yield Variant(
        name="early predictions weigh as late ones",
        left=at(rate(shown, delta), delta, 0),
        right=at(at(rate(shown, delta), delta, 0), t, s),
        hypotheses=places,
    )
