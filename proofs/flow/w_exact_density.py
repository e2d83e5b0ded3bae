r"""Two densities that one velocity carries keep their ratio, for flow and diffusion alike.

Let two densities p and q be carried by the same velocity u. Along its trajectories q / p does not change:
coordinate by coordinate, what u' does to both cancels. Where u is Lipschitz in z there is one trajectory
through every point, so q_1 = p_1 makes q_t = p_t at every t, and another start makes an error that is
carried along as it is, with the same KL divergence. If q is carried by another field v, log(q / p) changes
along v at the rate -(d' + d s), with d = v - u and s the score of p. The probability-flow velocity f z - g^2
s / 2 of diffusion is u itself, at the exact denoiser: neither framework has an advantage. So "exact density
matching" asks for the exact velocity and the exact start. (Decided are the rates; that there is one
trajectory through every point is the theorem of Picard and Lindeloef.)

Not claimed: that trained networks are exact; samplers of finitely many steps.
"""

from collections.abc import Iterable

from sympy import Function, Lambda, Rational, S, exp, log

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.predictions import score_from_x
from equiv.proofs._calculus import rate
from equiv.proofs._densities import averaged, density, first, posterior, slope, velocity, z
from equiv.proofs._rates import diffusion_squared, drift
from equiv.proofs._symbols import now

CLAIM = Claim(
    id="w-exact-density",
    title="Densities that one velocity carries keep their ratio",
    statement=r"\partial_t p_t = -\nabla \cdot (p_t u_t),\ \partial_t q_t = -\nabla \cdot (q_t u_t) \implies"
    r" \frac d{dt} \frac{q_t(z_t)}{p_t(z_t)} = 0; \qquad u_t = f_t z - \tfrac12 g_t^2 \nabla \log p_t",
    source=Source(seed="001", section="Key Differences", equation="exact density matching"),
    needs=("o-continuity", "p-score-velocity"),
    cites=("Picard-Lindeloef theorem, for one trajectory through every point",),
)

p, q = (Function(name, positive=True)(z) for name in ("p", "q"))
u, v = (Function(name, real=True)(z) for name in ("u", "v"))
INSTANCE = {
    p.func: Lambda(z, exp(-(z**2))),
    q.func: Lambda(z, exp(-((z - 1) ** 2) / 2)),
    u.func: Lambda(z, z / 2),
    v.func: Lambda(z, 1 + Rational(1, 3) * z),
}


def derivation() -> Derivation:
    p_rate, q_rate = -rate(p * u, z), -rate(q * u, z)
    d = v - u
    score = averaged(slope(S.One)) / averaged(S.One)
    return Derivation(
        chains=(
            chain(
                "The ratio along the trajectories of u, one coordinate's part",
                (q_rate * p - q * p_rate) / p**2 + u * rate(q / p, z),
                ("the product rule", S.Zero),
            ),
            chain(
                "The logarithm of the ratio along v, where q is carried by v",
                (-rate(q * v, z) + v * rate(q, z)) / q - (p_rate + v * rate(p, z)) / p,
                ("p is carried by u", -rate(d, z) - d * rate(log(p), z)),
            ),
            chain(
                "The probability flow of diffusion, for data of any law",
                drift() * z - diffusion_squared() / 2 * score,
                (
                    "the score of the average",
                    drift() * z - diffusion_squared() / 2 * score_from_x(z, first, now),
                ),
                ("the mean velocity", posterior(velocity())),
                ("which carries the density", averaged(velocity()) / density),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    p_rate, q_rate = -rate(p * u, z), -rate(q * u, z)
    along = (q_rate * p - q * p_rate) / p**2 + u * rate(q / p, z)
    for name, left, right in (
        ("the ratio at a point that stands still", along - u * rate(q / p, z), S.Zero),
        ("the difference is carried along unchanged", q_rate - p_rate + u * rate(q - p, z), S.Zero),
        (
            "the ratio of densities that two fields carry",
            (-rate(q * v, z) * p - q * p_rate) / p**2 + u * rate(q / p, z),
            S.Zero,
        ),
        (
            "the rate of the ratio without the score",
            (-rate(q * v, z) + v * rate(q, z)) / q - (p_rate + v * rate(p, z)) / p,
            -rate(v - u, z),
        ),
    ):
        yield Variant(name=name, left=left, right=right, instance=INSTANCE)
    yield Variant(
        name="the probability flow has all of the score",
        left=posterior(velocity()),
        right=drift() * z - diffusion_squared() * score_from_x(z, first, now),
    )
