r"""The law of the output, for all networks, determines a sampler, repeated labels or not.

Let q_j = sum_{i<j} H_ji y_i + w_j with jointly normal w of covariance Sigma (a normal start merged into
it), in d >= 1 coordinates, and let the sampler be reduced: all calls lead to the output, and no two have
the same label, row of H and almost surely the same w. Claim: if two reduced samplers have the same output
law for all bounded networks that take finitely many values, (l, H, Sigma) are the same up to the naming of
calls. (If the law of all queries is the same, i-trajectory-law has it. For continuous networks it follows:
spheres have probability zero for all but countably many radii, so such networks are limits.)

Proof. Let V be the range of Sigma among the N calls of the first sampler. For omega in V and any y_0, ...,
y_{N-1}, plan the queries p_u = omega_u + sum_v H_uv y_v. For all (omega, y) outside finitely many proper
subspaces, the p_u of one label are distinct, because the sampler is reduced. Let the network answer y_u
within eps of p_u at label l_u, and 0 elsewhere.

1. Expansion. Run any sampler with M calls on this network. Which calls S are answered by which u(j), j in
S, decides the run: call j is, if its label is that of u(j) and w_j is within eps of m_j = p_u(j) -
sum_{k<j, k in S} H_jk y_u(k), and the output is w_M + s with s = sum_S H_Mk y_u(k). Writing "is not" as one
minus "is", E exp(tau output) is a sum, with signs, over S, u and further calls R of exp(tau s) E[exp(tau
w_M); |w_j - m_j| < eps for j in C], C = S + R. For small eps this is zero unless m lies in the range of
Sigma_C, for all (omega, y) outside a proper subspace or for none; else it is eps^(d rank) times a
convergent power series in eps, whose coefficients are polynomials times exp(Q), Q = -m Sigma_C^+ m / 2 +
tau (s + L m) + s_C^2 tau^2 / 2, with L m the mean and s_C^2 the variance of w_M given w_C = m; the first
coefficient is a volume, so positive. Exponentials of different quadratic forms are independent over
polynomials. So for each quadratic form in (omega, y, tau) both samplers have the same series.

2. The first sampler, as planned: S all calls, u the identity. There m = omega, which always lies in V, and
s = sum H_Nu y_u. Call its form Q*. Let (S, u, R) of any sampler have the form Q*. At tau = 0 and omega = 0
the form is zero, so m is, for every y: the rows of u(j) and of j agree, summed over the calls with one
answer, and from the terms in tau y, so do the rows of the output. All calls of the first sampler lead to
its output; so, going back from it, every u occurs. Hence S has at least N calls. For the first sampler
itself S is then everything and R empty: the terms in Q* have the sign plus, and do not cancel. So the other
sampler has a term with Q*, and M >= N; and N >= M by exchange. So S is everything, u is one to one and
keeps labels, and the rows agree. Then m is omega renamed; the first powers of eps give the same rank, so
the same range; and Q* gives Sigma.

The machine has decided what is algebra here: that the plan is met, the expansion over patterns, the
completed squares, that a polynomial times an exponential keeps growing in degree under differentiation, and
Sigma from Q*, each at its smallest size.

Not claimed: that a few networks, or networks of a parametric class, suffice; data that are not reduced.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, S, exp, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.proofs._calculus import rate
from equiv.proofs._samplers import queries

CLAIM = Claim(
    id="i-output-law",
    title="Output laws for all networks determine a sampler",
    statement=r"q_N \sim q'_N \text{ for all networks } F,\ \text{both reduced} \iff (l, H, \Sigma) \cong"
    r" (l', H', \Sigma')",
    source=Source(seed="003", section="Overview", equation="implied: two samplers are the same in law"),
    needs=("i-normal-start",),
    open="the expansion over hit patterns and the independence of exponentials of quadratic forms are argued"
    " in the text; what is algebra was decided at its smallest size",
)

w = symbols("w_0 w_1 w_2 w_3", real=True)
omega = symbols("omega_0 omega_1 omega_2", real=True)
y = symbols("y_0 y_1 y_2", real=True)
h_10, h_20, h_21, h_30, h_31, h_32 = symbols("H_10 H_20 H_21 H_30 H_31 H_32", real=True)
tau, m_0, m_1, v, hit = symbols("tau m_0 m_1 w hit", real=True)
a, b, c, p, q, s_n = symbols("Sigma_00 Sigma_01 Sigma_11 Sigma_0N Sigma_1N Sigma_NN", real=True)
time, degree, rest = symbols("t n s_C", positive=True)
ROWS = ((), (h_10,), (h_20, h_21), (h_30, h_31, h_32))
DETERMINANT = a * c - b**2  # of the calls; below, of the calls and the output
WHOLE = a * (c * s_n - q**2) - b * (b * s_n - p * q) + p * (b * q - p * c)


def _planned(u: int) -> Any:
    total = omega[u]
    for weight, answer in zip(ROWS[u], y, strict=False):
        total = total + weight * answer
    return total


def _given() -> tuple[Any, Any]:
    """Mean and variance of w_N given the noises of two calls."""
    on_0, on_1 = (p * c - q * b) / DETERMINANT, (q * a - p * b) / DETERMINANT
    return on_0 * m_0 + on_1 * m_1, s_n - (on_0 * p + on_1 * q)


def _form() -> Any:
    """Q* for two calls, without the answers."""
    mean, variance = _given()
    inverse = (c * m_0**2 - 2 * b * m_0 * m_1 + a * m_1**2) / DETERMINANT
    return -inverse / 2 + tau * mean + variance * tau**2 / 2


def derivation() -> Derivation:
    return Derivation(
        chains=(*_plan(), *_expansion(), *_independence(), *_covariance()),
        hypotheses=tuple(Gt(minor, 0, evaluate=False) for minor in (a, DETERMINANT, WHOLE)),
    )


def _plan() -> Iterable[Chain]:
    asked = queries(lambda u, _q: y[u], ROWS, w)
    for u in (1, 2):  # the first call is asked its noise
        yield chain(
            f"Call {u} is asked within eps of its plan if its noise is within eps of omega",
            asked[u] - _planned(u),
            ("the answers so far are as planned", w[u] - omega[u]),
        )
    yield chain("The output, as planned", asked[3], ("", w[3] + (h_30 * y[0] + h_31 * y[1] + h_32 * y[2])))


def _expansion() -> Iterable[Chain]:
    shifted, plain = exp(tau * (v + h_30 * y[0])), exp(tau * v)
    for value in (S.Zero, S.One):
        yield chain(
            f"A call that {'is' if value else 'is not'} answered",
            exp(tau * (v + value * h_30 * y[0])),
            ("one minus answered is not answered", (1 - value) * plain + value * shifted),
        )
    mean = symbols("mu", real=True)
    yield chain(
        "Given the noises of the calls, the output's is normal: the square is completed",
        tau * v - (v - mean) ** 2 / (2 * rest**2),
        (
            "a shifted normal",
            tau * mean + rest**2 * tau**2 / 2 - (v - mean - rest**2 * tau) ** 2 / (2 * rest**2),
        ),
    )
    given, variance = _given()
    yield chain(
        "The noises of two calls and of the output: the exponent of their density, up to the sign",
        _inverse_form(),
        (
            "that of the two calls, and of the output given them",
            (c * m_0**2 - 2 * b * m_0 * m_1 + a * m_1**2) / DETERMINANT + (v - given) ** 2 / variance,
        ),
    )


def _inverse_form() -> Any:
    """The quadratic form of the inverse of the covariance of (m_0, m_1, v), by its cofactors."""
    return (
        (c * s_n - q**2) * m_0**2
        + (a * s_n - p**2) * m_1**2
        + DETERMINANT * v**2
        + 2 * (p * q - b * s_n) * m_0 * m_1
        + 2 * (b * q - c * p) * m_0 * v
        + 2 * (b * p - a * q) * m_1 * v
    ) / WHOLE


def _independence() -> Iterable[Chain]:
    rest_of = symbols("Q", real=True)
    yield chain(
        "Along a line, a power times the exponential of a square, differentiated",
        rate(time**degree * exp(rest_of * time**2), time),
        (
            "the degree grows by one, unless the forms are the same",
            (degree * time ** (degree - 1) + 2 * rest_of * time ** (degree + 1)) * exp(rest_of * time**2),
        ),
    )


def _covariance() -> Iterable[Chain]:
    """Sigma from the second derivatives of Q*."""
    form = _form()
    d_00, d_01, d_11 = (rate(rate(form, i), j) for i, j in ((m_0, m_0), (m_0, m_1), (m_1, m_1)))
    d_0, d_1, d_n = (rate(rate(form, tau), i) for i in (m_0, m_1, tau))
    block = d_00 * d_11 - d_01**2
    yield chain("Sigma_00", -d_11 / block, ("minus the inverse of the block of the calls", a))
    yield chain("Sigma_01", d_01 / block, ("minus the inverse of the block of the calls", b))
    yield chain("Sigma_11", -d_00 / block, ("minus the inverse of the block of the calls", c))
    yield chain("Sigma_0N", a * d_0 + b * d_1, ("the block of the calls times L", p))
    yield chain("Sigma_1N", b * d_0 + c * d_1, ("the block of the calls times L", q))
    yield chain("Sigma_NN", d_n + p * d_0 + q * d_1, ("what the calls explain, and the rest", s_n))


def false_variants() -> Iterable[Variant]:
    asked = queries(lambda u, _q: y[u], ROWS, w)
    yield Variant(
        name="the plan does not see what is carried between calls",
        left=asked[2] - (omega[2] + h_20 * y[0]),
        right=w[2] - omega[2],
    )
    form = _form()
    block = rate(rate(form, m_0), m_0) * rate(rate(form, m_1), m_1) - rate(rate(form, m_0), m_1) ** 2
    positive = (Gt(a, 0, evaluate=False), Gt(DETERMINANT, 0, evaluate=False))
    yield Variant(
        name="Sigma_00 is minus the inverse of one second derivative",
        left=-1 / rate(rate(form, m_0), m_0),
        right=a,
        hypotheses=positive,
    )
    yield Variant(
        name="the covariances with the output are the mixed derivatives",
        left=rate(rate(form, tau), m_0),
        right=p,
        hypotheses=positive,
    )
    yield Variant(
        name="the variance of the output is the second derivative in tau",
        left=rate(rate(form, tau), tau),
        right=s_n,
        hypotheses=positive,
    )
    yield Variant(
        name="the block of the calls has the determinant of Sigma, not its inverse",
        left=block,
        right=DETERMINANT,
        hypotheses=positive,
    )
