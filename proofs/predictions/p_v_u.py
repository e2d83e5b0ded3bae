r"""v and u from one another.

At every level, u = ((sigma - alpha) z + (alpha + sigma) v) / (alpha^2 + sigma^2), and v = ((alpha - sigma)
z + (alpha^2 + sigma^2) u) / (alpha + sigma). They agree at every state only at alpha = sigma = 1; halfway
on the flow-matching schedule v is u / 2.

Not claimed: that they train alike.
"""

from collections.abc import Iterable

from sympy import Rational

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.predictions import u_from_x, v_from_x, x_from_u, x_from_v
from equiv.formulas.schedules import flow_matching
from equiv.proofs._symbols import now, u_hat, v_hat, z_t

CLAIM = Claim(
    id="p-v-u",
    title="v and u from one another",
    statement=r"\hat u = \frac{(\sigma - \alpha) z + (\alpha + \sigma) \hat v}{\alpha^2 + \sigma^2}, \qquad"
    r" \hat v = \frac{(\alpha - \sigma) z + (\alpha^2 + \sigma^2) \hat u}{\alpha + \sigma}",
    source=Source(seed="003", section="Training", equation="implied: the table of network outputs"),
    needs=("p-conversions",),
)

alpha, sigma = now


def derivation() -> Derivation:
    total, squares = alpha + sigma, alpha**2 + sigma**2
    eps_of_v, x_of_v = (sigma * z_t + alpha * v_hat) / squares, (alpha * z_t - sigma * v_hat) / squares
    eps_of_u, x_of_u = (z_t + alpha * u_hat) / total, (z_t - sigma * u_hat) / total
    half = flow_matching(Rational(1, 2))
    return Derivation(
        chains=(
            chain(
                "u from v",
                u_from_x(z_t, x_from_v(z_t, v_hat, now), now),
                ("eps - x, both from v", eps_of_v - x_of_v),
                ("collect z and v", ((sigma - alpha) * z_t + total * v_hat) / squares),
            ),
            chain(
                "v from u",
                v_from_x(z_t, x_from_u(z_t, u_hat, now), now),
                ("alpha eps - sigma x, both from u", alpha * eps_of_u - sigma * x_of_u),
                ("collect z and u", ((alpha - sigma) * z_t + squares * u_hat) / total),
            ),
            chain(
                "Halfway on the flow-matching schedule",
                v_from_x(z_t, x_from_u(z_t, u_hat, half), half),
                ("alpha and sigma are 1/2", u_hat / 2),
            ),
            chain(
                "They differ by the state and by their scale",
                squares * (u_from_x(z_t, x_from_v(z_t, v_hat, now), now) - v_hat),
                (
                    "collect z and v",
                    (sigma - alpha) * z_t + (alpha * (1 - alpha) + sigma * (1 - sigma)) * v_hat,
                ),
            ),
        )
    )


def false_variants() -> Iterable[Variant]:
    u_of_v = u_from_x(z_t, x_from_v(z_t, v_hat, now), now)
    v_of_u = v_from_x(z_t, x_from_u(z_t, u_hat, now), now)
    squares = alpha**2 + sigma**2
    yield Variant(name="u and v are the same", left=u_of_v, right=v_hat)
    yield Variant(
        name="the state enters u with the other sign",
        left=u_of_v,
        right=((alpha - sigma) * z_t + (alpha + sigma) * v_hat) / squares,
    )
    yield Variant(name="v is a multiple of u", left=v_of_u, right=squares * u_hat / (alpha + sigma))
    yield Variant(
        name="u from v where alpha^2 + sigma^2 is taken as one",
        left=u_of_v,
        right=(sigma - alpha) * z_t + (alpha + sigma) * v_hat,
    )
