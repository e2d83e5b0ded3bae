r"""The evidence lower bound is a lower bound on the log-likelihood, not on its negative.

With a guide q(z) and the joint density p(x) p(z | x), the mean of log(p(x, z) / q(z)) over q is log p(x)
less the divergence KL(q | p(z | x)); whatever z is. The divergence is not negative: q log(q / pi) is q - pi,
which averages to zero, plus pi phi(q / pi) with phi(y) = y log y - y + 1, the integral of (y - v) / v from 1
to y. It vanishes where q is the posterior. So its maximum over q is log p(x), and minus it is an upper bound
on the negative log-likelihood. The source says that it is a lower bound on the negative log-likelihood that
is maximised.

Not claimed: that the loss in use is the bound (l-likelihood-weight, l-monotone-elbo).
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, Max, S, log, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import at, integral, rate

CLAIM = Claim(
    id="q-nll",
    title="The evidence lower bound bounds the log-likelihood",
    statement=r"\log p(x) = E_q \log \frac{p(x, z)}{q(z)} + \mathrm{KL}(q \,\|\, p(z|x))"
    r" \ge E_q \log \frac{p(x, z)}{q(z)}",
    source=Source(
        seed="001",
        section="Diffusion Model Mathematical Foundations",
        equation="a variational lower bound on the negative log-likelihood",
    ),
    erratum="E17",
    as_written=r"-\log p(x) \ge E_q \log \frac{p(x, z)}{q(z)}, \text{ and the bound is to be maximised}",
)

evidence, guide, true, y, v = symbols("p(x) q pi y v", positive=True)


def _bound(of_guide: Any) -> Any:
    """What is averaged over the guide, at one z."""
    return log(evidence * true / of_guide)


def _phi(ratio: Any) -> Any:
    return ratio * log(ratio) - ratio + 1


def derivation() -> Derivation:
    return Derivation(
        chains=(
            chain(
                "The bound, at one z",
                _bound(guide),
                ("Bayes' rule", log(evidence) - log(guide / true)),
            ),
            chain(
                "The divergence, at one z",
                guide * log(guide / true),
                ("what averages to zero, and phi", (guide - true) + true * _phi(guide / true)),
            ),
            chain(
                "phi is an integral of what has the sign of y - 1, from 1 to y",
                _phi(y),
                ("integrate", integral(y / v - 1, v, 1, y)),
            ),
            chain("phi grows at the rate", rate(_phi(y), y), ("which has the sign of y - 1", log(y))),
            chain("phi at one", at(_phi(y), y, 1), ("its least value", S.Zero)),
            chain("The bound for the posterior", _bound(true), ("the log-likelihood", log(evidence))),
        )
    )


def false_variants() -> Iterable[Variant]:
    yield Variant(name="the divergence is added", left=_bound(guide), right=log(evidence) + log(guide / true))
    yield Variant(
        name="the bound is the log-likelihood for every guide", left=_bound(guide), right=log(evidence)
    )
    yield Variant(
        name="phi without its one",
        left=guide * log(guide / true),
        right=(guide - true) + true * (_phi(guide / true) - 1),
    )
    yield Variant(
        name="the divergence the other way round",
        left=guide * log(guide / true),
        right=(guide - true) + true * _phi(true / guide),
    )


def as_written() -> Iterable[Variant]:
    yield Variant(
        name="for the posterior, where the density is above one",
        left=Max(_bound(true), -log(evidence)),
        right=-log(evidence),
        hypotheses=(Gt(evidence, 1, evaluate=False),),
    )
    yield Variant(
        name="the negative log-likelihood exceeds the bound by the divergence",
        left=-log(evidence),
        right=_bound(guide) + log(guide / true),
    )
