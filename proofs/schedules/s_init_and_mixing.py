r"""How fast a variance-preserving process forgets its data.

For any data law of finite relative entropy, KL(p_t | N(0, 1)) <= exp(-B) KL(p_0 | N(0, 1)) with B = int
beta, alpha = exp(-B/2), and a mean shift attains it. Written for one coordinate; in more, squares are sums
over coordinates and each identity is the same. With phi the standard normal density and k the kernel of the
process: (1) phi(x) k(z | x) is symmetric, so u_t = p_t / phi is the mean of u_0 under the kernel k(x | z),
of which phi is the stationary law; (2) du_t/dz is alpha times the mean of u_0'; (3) by the tangent line of
v^2 / u the Fisher information I = E_phi u'^2 / u falls at least by alpha^2; (4) K = KL falls at the rate I
/ 2 in B; (5) so K(B), the integral of I / 2 beyond B, is at most I(B) / 2; (6) so exp(B) K does not grow.
The derivatives act under integrals of Gaussian kernels, whose every derivative is integrable; boundary
terms vanish for B > 0 with the Gaussian tails; at B = 0 one starts from K(B) <= K(0) for small B, which is
the data-processing inequality.

Hence z_1 is standard normal for every data law exactly if alpha_1 = 0 and sigma_1 = 1.

Not claimed: anything for processes that do not preserve the variance (variance-exploding ones keep the mean
and grow); the discrete chain.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Function, Lt, S, exp, log, pi, sqrt, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import mean, rate
from equiv.proofs._symbols import now

CLAIM = Claim(
    id="s-init-and-mixing",
    title="How fast a variance-preserving process forgets its data",
    open="that boundary terms vanish and that integrals and limits in B may be taken, for any data law, is"
    " argued in the text; decided are the identities at every point",
    statement=r"\mathrm{KL}(p_t \,\|\, N(0, I)) \le e^{-B_t}\, \mathrm{KL}(p_0 \,\|\, N(0, I)), \qquad"
    r" p_0 = N(m, I):\ \mathrm{KL}(p_t \,\|\, N(0, I)) = \tfrac12 e^{-B_t} |m|^2",
    source=Source(
        seed="001",
        section="Diffusion Model Mathematical Foundations",
        equation="converges to a standard Gaussian",
    ),
)

x, z, n, m = symbols("x z n m", real=True)
B, later = symbols("B b", positive=True)
alpha = symbols("alpha", positive=True)
ratio = Function("u", positive=True)  # a density divided by that of the standard normal
ENTROPY = Function("K", positive=True)
mass, slope = symbols("u", positive=True), symbols("v", real=True)
NORMAL = {0: S.One, 1: S.Zero, 2: S.One}  # moments


def _normal(value: Any) -> Any:
    return exp(-(value**2) / 2) / sqrt(2 * pi)


def _exponent(to: Any, start: Any, signal: Any) -> Any:
    return -((to - signal * start) ** 2) / (2 * (1 - signal**2))


def _kernel(to: Any, start: Any, signal: Any) -> Any:
    """The density at ``to`` of signal * start + noise, at variance-preserving levels."""
    return exp(_exponent(to, start, signal)) / sqrt(2 * pi * (1 - signal**2))


def derivation() -> Derivation:
    return Derivation(
        chains=(*_semigroup(), *_information(), *_entropy(), *_ends()),
        hypotheses=(Lt(alpha, 1, evaluate=False),),
    )


def _semigroup() -> Iterable[Chain]:
    yield chain(
        "The kernel is symmetric with respect to the normal density: the exponents of the products",
        -(x**2) / 2 + _exponent(z, x, alpha),
        ("over a common denominator", -(x**2 - 2 * alpha * x * z + z**2) / (2 * (1 - alpha**2))),
        ("which is symmetric", -(z**2) / 2 + _exponent(x, z, alpha)),
    )
    kernel = _kernel(x, z, alpha)
    yield chain(
        "The slope of the mean of u is alpha times the mean of its slope, up to a boundary term",
        ratio(x) * rate(kernel, z),
        ("the kernel depends on x - alpha z", -alpha * ratio(x) * rate(kernel, x)),
        ("the product rule", alpha * rate(ratio(x), x) * kernel - alpha * rate(ratio(x) * kernel, x)),
    )
    signal = exp(-B / 2)
    moving = _exponent(x, z, signal) - log(1 - signal**2) / 2  # the logarithm of the kernel, up to a constant
    slope_of_log = rate(moving, z)
    yield chain(
        "The ratio of densities obeys u_B = (u'' - z u') / 2, as every kernel k = exp(l) does; divided by k",
        rate(moving, B),
        ("k'' / k is l'' + l'^2", (rate(slope_of_log, z) + slope_of_log**2 - z * slope_of_log) / 2),
    )


def _information() -> Iterable[Chain]:
    c = symbols("c", real=True)
    yield chain(
        "v^2 / u lies above each of its tangents by a square",
        slope**2 / mass - (2 * c * slope - c**2 * mass),
        ("complete the square", (slope - c * mass) ** 2 / mass),
    )
    total_mass, total_slope = symbols("U", positive=True), symbols("V", real=True)
    tangent = total_slope / total_mass
    yield chain(
        "so the mean of v^2 / u is at least V^2 / U, for the means V and U",
        2 * tangent * total_slope - tangent**2 * total_mass,
        ("the tangent at V / U", total_slope**2 / total_mass),
    )


def _entropy() -> Iterable[Chain]:
    u, du = ratio(z), rate(ratio(z), z)
    moves = (rate(du, z) - z * du) / 2
    yield chain(
        "The entropy falls by half the information, up to a boundary term",
        rate(mass * log(mass), mass).subs(mass, u) * moves * _normal(z),
        ("the derivative of u log u", (log(u) + 1) * moves * _normal(z)),
        (
            "(u' phi)' is (u'' - z u') phi",
            rate((log(u) + 1) * du * _normal(z), z) / 2 - du**2 / u * _normal(z) / 2,
        ),
    )
    yield chain(
        "Beyond B the information is at most exp(-(b - B)) I(B), which integrates to less than I(B)",
        rate(1 - exp(-later), later),
        ("differentiate", exp(-later)),
    )
    yield chain("from zero", 1 - exp(-S.Zero), ("exp(0) is 1", S.Zero))
    information = Function("I", positive=True)
    yield chain(
        "With K' = -I/2 and K <= I/2, exp(B) K does not grow",
        rate(exp(B) * ENTROPY(B), B).subs(rate(ENTROPY(B), B), -information(B) / 2),
        ("the product rule", -exp(B) * (information(B) / 2 - ENTROPY(B))),
    )


def _ends() -> Iterable[Chain]:
    variance = 1 - alpha**2
    state = alpha * x + sqrt(variance) * n
    yield chain(
        "From a point, the entropy goes to zero with alpha (and by convexity from any law)",
        mean(-(n**2) / 2 + state**2 / 2, n, NORMAL) - log(variance) / 2,
        ("the moments of the noise", (alpha**2 * x**2 + variance - 1) / 2 - log(variance) / 2),
        ("sigma^2 is 1 - alpha^2", alpha**2 * (x**2 - 1) / 2 - log(1 - alpha**2) / 2),
    )
    shifted = exp(-B / 2) * m
    yield chain(
        "A mean shift attains the bound",
        mean(-(n**2) / 2 + (shifted + n) ** 2 / 2, n, NORMAL),
        ("the moments of the noise", shifted**2 / 2),
        ("alpha^2 is exp(-B)", exp(-B) * (m**2 / 2)),
    )
    end = now.alpha * x + now.sigma * n
    yield chain(
        "The mean of z_1 from x is zero for every x only if alpha_1 is",
        mean(end, n, NORMAL),
        ("linear", now.alpha * x),
    )
    yield chain(
        "Its variance is sigma_1^2", mean((end - now.alpha * x) ** 2, n, NORMAL), ("E n^2 is 1", now.sigma**2)
    )


def false_variants() -> Iterable[Variant]:
    entropy = mean(-(n**2) / 2 + (exp(-B / 2) * m + n) ** 2 / 2, n, NORMAL)
    yield Variant(name="the entropy falls as exp(-2 B)", left=entropy, right=exp(-2 * B) * (m**2 / 2))
    yield Variant(name="the entropy falls as alpha", left=entropy, right=exp(-B / 2) * (m**2 / 2))
    yield Variant(
        name="a variance-exploding process ends with unit variance",
        left=mean((now.sigma * n) ** 2, n, NORMAL) + 1,
        right=S.One,
    )
    yield Variant(
        name="the mean of u has the slope of u, without the factor alpha",
        left=rate(_kernel(x, z, alpha), z),
        right=-rate(_kernel(x, z, alpha), x),
        hypotheses=(Lt(alpha, 1, evaluate=False),),
    )
    yield Variant(
        name="the kernel is symmetric without the normal density",
        left=_kernel(z, x, alpha),
        right=_kernel(x, z, alpha),
        hypotheses=(Lt(alpha, 1, evaluate=False),),
    )
