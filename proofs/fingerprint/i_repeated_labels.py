r"""With repeated labels, affine networks are not enough to tell samplers apart.

The samplers q_0 = z, q_1 = z + p y_0, output z + a y_0 + b y_1, which ask the same network twice under one
label, have the output z (1 + (a + b) f + b p f^2) + g (a + b + b p f) for F(q) = f q + g: it depends on a +
b and b p alone. So (p, a, b) = (1/2, 1/5, 3/5) and (1, 1/2, 3/10) agree for every affine network (and for
every matrix in place of f, being polynomials in it: not decided). They are reduced, and not the same: for
the tanh they differ, and for the network through (1, x), (1 + x/2, x^2) and (1 + x, x^3) at z = 1 by 3/10 x
(1 - x)^2. (What follows is argued, not decided.) For the tanh the laws of the output differ as well, from
any normal start: the output rises with z, because the tanh rises with the slope 1 - tanh^2, which is
positive; so output quantiles are outputs of quantiles, and the outputs differ somewhere, hence, being
continuous, on an interval.

Not claimed: that the laws differ; that output laws for all networks tell all samplers apart (i-output-law
has that).
"""

from collections.abc import Iterable
from typing import Any

from sympy import Ne, Rational, S, cosh, symbols, tanh

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import rate
from equiv.proofs._samplers import queries, through

CLAIM = Claim(
    id="i-repeated-labels",
    title="Repeated labels hide from affine networks",
    statement=r"q_1 = z + p\, y_0,\ q_2 = z + a\, y_0 + b\, y_1,\ y_i = F(q_i):\quad"
    r" (p, a, b) = (\tfrac12, \tfrac15, \tfrac35) \text{ and } (1, \tfrac12, \tfrac3{10})"
    r" \text{ agree for every affine } F, \text{ not for } \tanh",
    source=Source(seed="003", section="Overview", equation="implied: two samplers are the same"),
    needs=("i-deterministic",),
)

z, f, g, p, a, b, x = symbols("z f g p a b x", real=True)
ONE = (Rational(1, 2), Rational(1, 5), Rational(3, 5))
TWO = (S.One, Rational(1, 2), Rational(3, 10))


def _output(network: Any, weights: Any, start: Any = z) -> Any:
    inner, first, second = weights
    rows = ((), (inner,), (first, second))
    return queries(lambda _call, q: network(q), rows, (start, start, start))[-1]


def _affine(q: Any) -> Any:
    return f * q + g


def _separating(q: Any) -> Any:
    return through([(S.One, x), (1 + x / 2, x**2), (1 + x, x**3)])(q)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_agree(), *_differ(), *_rises()),
        hypotheses=(Ne(x, 0, evaluate=False),),
    )


def _agree() -> Iterable[Chain]:
    yield chain(
        "The output for an affine network",
        _output(_affine, (p, a, b)),
        ("collect", z * (1 + (a + b) * f + b * p * f**2) + g * (a + b + b * p * f)),
    )
    yield chain("Both have the same a + b", ONE[1] + ONE[2], ("4/5", TWO[1] + TWO[2]))
    yield chain("Both have the same b p", ONE[2] * ONE[0], ("3/10", TWO[2] * TWO[0]))
    yield chain("They agree", _output(_affine, ONE), ("for every affine network", _output(_affine, TWO)))


def _differ() -> Iterable[Chain]:
    for name, weights in (("first", ONE), ("second", TWO)):
        _, first, second = weights
        yield chain(
            f"The {name}, for the network through three points",
            _output(_separating, weights, S.One),
            ("asked at 1, then at 1 + p x", 1 + first * x + second * (x**2 if weights is ONE else x**3)),
        )
    yield chain(
        "They differ",
        _output(_separating, ONE, S.One) - _output(_separating, TWO, S.One),
        ("subtract", -Rational(3, 10) * x * (1 - x) ** 2),
    )


def _rises() -> Iterable[Chain]:
    yield chain("The slope of the tanh", rate(tanh(z), z), ("differentiate", 1 - tanh(z) ** 2))
    yield chain("It is positive", 1 - tanh(z) ** 2, ("one over a square", 1 / cosh(z) ** 2))
    for name, (inner, first, second) in (("first", ONE), ("second", TWO)):
        at_0, at_1 = (1 - tanh(q) ** 2 for q in (z, z + inner * tanh(z)))
        yield chain(
            f"The output of the {name} rises: its slope is a sum of positive terms",
            rate(_output(tanh, (inner, first, second)), z),
            ("the chain rule", 1 + first * at_0 + second * at_1 * (1 + inner * at_0)),
        )


def false_variants() -> Iterable[Variant]:
    yield Variant(name="they agree for the tanh", left=_output(tanh, ONE), right=_output(tanh, TWO))
    yield Variant(
        name="they agree for the square",
        left=_output(lambda q: q**2, ONE),
        right=_output(lambda q: q**2, TWO),
    )
    yield Variant(
        name="affine networks see a + b alone",
        left=_output(_affine, ONE),
        right=_output(_affine, (S.One, ONE[1], ONE[2])),
    )
    yield Variant(
        name="they agree for the network through three points",
        left=1 + ONE[1] * x + ONE[2] * x**2,
        right=1 + TWO[1] * x + TWO[2] * x**3,
    )
