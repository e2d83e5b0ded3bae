r"""The weightings of Stable Diffusion 3 and of EDM are mixtures of normals, at a known angle.

A normal density times exp(-a lambda) is a normal density of the same width, moved by -a s^2, times a
constant. So Stable Diffusion 3's weighting with m = 0 and s = 1 is a mixture of normals of deviation 2 at
0, -2 and -4 with masses 1, 2 exp(1/2) and exp(2), and EDM's is one of deviation 2.4 at 2.4 and -3.36 with
masses 1 and 4 exp(0.48). A product of two normals integrates to a normal density of the distance of their
means. This gives the cosine of the angle between the two weightings, as functions of lambda, in closed
form, which is not one; its value, about 0.9924, was computed and not decided.

Not claimed: a sense of "very similar" (total variation and the places of the peaks are measured, not
proved); other m and s; that the ratio of the weightings is bounded, which it is not, as their tails have
different widths.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

from sympy import Rational, S, exp, pi, sqrt, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain

CLAIM = Claim(
    id="l-sd3-like-edm",
    title="The weightings of Stable Diffusion 3 and EDM are mixtures of normals",
    statement=r"w_{\mathrm{SD3}} = N_0 + 2 e^{1/2} N_{-2} + e^2 N_{-4}\ (s = 2), \qquad"
    r" w_{\mathrm{EDM}} = N_{2.4} + 4 e^{0.48} N_{-3.36}\ (s = 2.4), \qquad"
    r" \int N(\lambda; m, s^2)\, N(\lambda; n, r^2)\, d\lambda = N(m - n; 0, s^2 + r^2)",
    source=Source(seed="003", section="Training", equation="very similar to the EDM weighting"),
    needs=("l-weight-table",),
)

lambda_t, tilt, m, n = symbols("lambda a m n", real=True)
s, r = symbols("s r", positive=True)

Mixture = Sequence[tuple[Any, Any]]  # masses and means


def _normal(x: Any, mean: Any, deviation: Any) -> Any:
    distance = x - mean
    return exp(-(distance * distance) / (2 * deviation**2)) / (sqrt(2 * pi) * deviation)


def _sd3() -> Mixture:
    return ((S.One, S.Zero), (2 * exp(S.One / 2), S(-2)), (exp(S(2)), S(-4)))


def _edm() -> Mixture:
    return ((S.One, Rational(12, 5)), (4 * exp(Rational(12, 25)), -Rational(84, 25)))


SD3_WIDTH, EDM_WIDTH = Fraction(2), Fraction(12, 5)


def _density(mixture: Mixture, width: Fraction) -> Any:
    return sum(mass * _normal(lambda_t, mean, _exact(width)) for mass, mean in mixture)


def _inner(first: Mixture, width: Fraction, second: Mixture, other: Fraction) -> Any:
    """The integral of the product of two mixtures."""
    spread = sqrt(_exact(width**2 + other**2))
    return sum(p * q * _normal(mean, center, spread) for p, mean in first for q, center in second)


def _exact(value: Fraction) -> Any:
    return Rational(value.numerator, value.denominator)


def derivation() -> Derivation:
    w_sd3 = _normal(lambda_t, 0, 2) * (1 + exp(-lambda_t / 2)) ** 2
    w_edm = _normal(lambda_t, Rational(12, 5), Rational(12, 5)) * (1 + 4 * exp(-lambda_t))
    total = s**2 + r**2
    return Derivation(
        chains=(
            chain(
                "A tilted normal is a normal, moved",
                exp(-tilt * lambda_t) * _normal(lambda_t, m, s),
                (
                    "complete the square",
                    exp(-tilt * m + tilt**2 * s**2 / 2) * _normal(lambda_t, m - tilt * s**2, s),
                ),
            ),
            chain("Stable Diffusion 3", w_sd3, ("a mixture of three", _density(_sd3(), SD3_WIDTH))),
            chain("EDM", w_edm, ("a mixture of two", _density(_edm(), EDM_WIDTH))),
            chain(
                "The exponents of two normals: complete the square",
                (lambda_t - m) ** 2 / (2 * s**2) + (lambda_t - n) ** 2 / (2 * r**2),
                (
                    "that of a normal in lambda, and of the distance of the means",
                    (lambda_t - (m * r**2 + n * s**2) / total) ** 2 / (2 * (s * r / sqrt(total)) ** 2)
                    + (m - n) ** 2 / (2 * total),
                ),
            ),
            chain(
                "Their constants",
                (sqrt(2 * pi) * s) * (sqrt(2 * pi) * r),
                (
                    "those of the two normals; the one in lambda integrates to one",
                    (sqrt(2 * pi) * (s * r / sqrt(total))) * (sqrt(2 * pi) * sqrt(total)),
                ),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    across = _inner(_sd3(), SD3_WIDTH, _edm(), EDM_WIDTH)
    norms = (_inner(w, width, w, width) for w, width in ((_sd3(), SD3_WIDTH), (_edm(), EDM_WIDTH)))
    of_sd3, of_edm = norms
    yield Variant(
        name="they are proportional: the cosine is one",
        left=across**2,
        right=of_sd3 * of_edm,
    )
    yield Variant(
        name="the tilt leaves the mass alone",
        left=exp(-tilt * lambda_t) * _normal(lambda_t, m, s),
        right=_normal(lambda_t, m - tilt * s**2, s),
    )
    yield Variant(
        name="the tilt moves by a s",
        left=exp(-tilt * lambda_t) * _normal(lambda_t, m, s),
        right=exp(-tilt * m + tilt**2 * s**2 / 2) * _normal(lambda_t, m - tilt * s, s),
    )
    yield Variant(
        name="their centres of mass agree",
        left=_mean(_sd3()),
        right=_mean(_edm()),
    )


def _mean(mixture: Mixture) -> Any:
    return sum(mass * mean for mass, mean in mixture) / sum(mass for mass, _ in mixture)
