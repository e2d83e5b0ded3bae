r"""The denoiser of a mixture of normals in closed form.

For one component N(m, c^2), the prior density of x times the likelihood of z is the normal density of z
around alpha m with variance V = alpha^2 c^2 + sigma^2 times that of x around the component's denoiser with
variance c^2 sigma^2 / V: the exponents and the normalisers agree. So a component has the mass w N(z; alpha
m, V), and E[x | z] is the mean of the components' denoisers, weighted by mass. Masses and first moments add
up over components, since the integral is linear: that step is said, not decided. The formula is compared
for two components.

Not claimed: covariances that are not multiples of the identity; how accurate the formula is in floating
point.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, exp, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.denoisers import gaussian_denoiser, mixture_denoiser
from equiv.formulas.levels import Level
from equiv.proofs._symbols import now, z_t

CLAIM = Claim(
    id="d-gmm-denoiser",
    title="The denoiser of a mixture of normals",
    statement=r"E[x | z] = \sum_i \rho_i(z) \left(m_i + \frac{\alpha c_i^2}{V_i} (z - \alpha m_i)\right),"
    r" \qquad"
    r" \rho_i \propto w_i N(z; \alpha m_i, V_i),\quad V_i = \alpha^2 c_i^2 + \sigma^2",
    source=Source(
        seed="003", section="Diving deeper into samplers", equation="implied: the mixture of the example"
    ),
)

x, m, m_1, m_2 = symbols("x m m_1 m_2", real=True)
c, c_1, c_2, w_1, w_2, V_1, V_2 = symbols("c c_1 c_2 w_1 w_2 V_1 V_2", positive=True)


def _exponent(value: Any, centre: Any, variance: Any) -> Any:
    return -((value - centre) ** 2) / (2 * variance)


def _spread(std: Any) -> Any:
    return now.alpha**2 * std**2 + now.sigma**2


def _mass(weight: Any, centre: Any, std: Any) -> Any:
    variance = _spread(std)
    return weight * exp(_exponent(z_t, now.alpha * centre, variance)) / sqrt(variance)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_component(), *_mixture()),
        hypotheses=(
            Gt(V_1, now.alpha**2 * c_1**2, evaluate=False),
            Gt(V_2, V_1 - now.alpha**2 * c_1**2, evaluate=False),
        ),
    )


def _component() -> Iterable[Chain]:
    left = c**2 * now.sigma**2 / _spread(c)
    yield chain(
        "The exponent of one component, prior and likelihood",
        _exponent(x, m, c**2) + _exponent(z_t, now.alpha * x, now.sigma**2),
        (
            "complete the square in x",
            _exponent(z_t, now.alpha * m, _spread(c)) + _exponent(x, gaussian_denoiser(z_t, now, m, c), left),
        ),
    )
    yield chain("The normalisers", c**2 * now.sigma**2, ("V cancels", _spread(c) * left))


def _mixture() -> Iterable[Chain]:
    """By the variances V_1, V_2 in place of sigma and c_2, so that exponents have simple denominators."""
    noise = sqrt(V_1 - now.alpha**2 * c_1**2)
    level = Level(now.alpha, noise)
    second = sqrt(V_2 - noise**2) / now.alpha
    masses = [
        weight * exp(_exponent(z_t, now.alpha * centre, variance)) / sqrt(variance)
        for weight, centre, variance in ((w_1, m_1, V_1), (w_2, m_2, V_2))
    ]
    means = gaussian_denoiser(z_t, level, m_1, c_1), gaussian_denoiser(z_t, level, m_2, second)
    yield chain("The first variance", now.alpha**2 * c_1**2 + noise**2, ("the square of the root", V_1))
    yield chain("The second variance", now.alpha**2 * second**2 + noise**2, ("the square of the root", V_2))
    yield chain(
        "Two components",
        (masses[0] * means[0] + masses[1] * means[1]) / (masses[0] + masses[1]),
        (
            "the largest exponent may be taken out",
            mixture_denoiser(z_t, level, (w_1, w_2), (m_1, m_2), (c_1, second)),
        ),
    )


def false_variants() -> Iterable[Variant]:
    means = gaussian_denoiser(z_t, now, m_1, c_1), gaussian_denoiser(z_t, now, m_2, c_2)
    right = mixture_denoiser(z_t, now, (w_1, w_2), (m_1, m_2), (c_1, c_2))
    prior = (w_1 * means[0] + w_2 * means[1]) / (w_1 + w_2)
    yield Variant(name="the components are weighed by the prior", left=prior, right=right)
    unscaled = [
        w * exp(_exponent(z_t, a, _spread(d))) / sqrt(_spread(d))
        for w, a, d in ((w_1, m_1, c_1), (w_2, m_2, c_2))
    ]
    yield Variant(
        name="the components are centred at m, not alpha m",
        left=(unscaled[0] * means[0] + unscaled[1] * means[1]) / (unscaled[0] + unscaled[1]),
        right=right,
    )
    unnormalised = [_mass(w_1, m_1, c_1) * sqrt(_spread(c_1)), _mass(w_2, m_2, c_2) * sqrt(_spread(c_2))]
    yield Variant(
        name="the masses without their normalisers",
        left=(unnormalised[0] * means[0] + unnormalised[1] * means[1]) / (unnormalised[0] + unnormalised[1]),
        right=right,
    )
    yield Variant(
        name="one component: the gain without alpha",
        left=gaussian_denoiser(z_t, now, m, c),
        right=m + c**2 / _spread(c) * (z_t - now.alpha * m),
    )
