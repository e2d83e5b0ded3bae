r"""The marginals of the forward process solve the equations of the reverse processes, read backwards.

A process dz = b dt + c dw that runs from t = 1 to t = 0 has the rate of change -(b p)' - c^2 p'' / 2: by tau
= -t it is the forward process of drift -b. With the exact score s = (log p)', for data of any law, both
processes of the source then have an equation that the density p_t solves at every t, for every eta_t and
eps_t: s p is p', so the noise and its share of the drift cancel. Where this equation has one solution, a
process started from p_1 has the density p_t. They are the same process if eps_t = eta_t g_t, whatever the
network says. In a time that runs from noise to data the velocity is -u, and the share of the score changes
its sign. Shown for one coordinate; the equations are sums over coordinates.

The source gives no direction of time. Read with growing t, both are wrong for every eta_t or eps_t that is
not zero: what has the density p_t solves its equation, and p_t does not.

Not claimed: that the equation has no other solution; that paths have the law of the forward process
(o-two-time-law); a learned or guided score; any finite step.
"""

from collections.abc import Iterable
from typing import Any

from sympy import S, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.predictions import eps_from_x, score_from_x
from equiv.proofs._densities import averaged, first, moved, slope, velocity, z
from equiv.proofs._rates import diffusion_squared, drift, falling, rates
from equiv.proofs._symbols import now, x_hat

CLAIM = Claim(
    id="o-reverse-family",
    title="The marginals solve the equations of the reverse processes, read backwards",
    statement=r"dz = b_t\, dt + \varepsilon_t\, d\bar w, \quad dt < 0, \quad b_t = f_t z"
    r" - \tfrac{1 + \eta_t^2}2 g_t^2\, \nabla \log p_t = u_t - \tfrac12 \varepsilon_t^2\, \nabla \log p_t,"
    r" \quad \varepsilon_t = \eta_t g_t: \qquad"
    r" \partial_t p_t = -\nabla \cdot (b_t p_t) - \tfrac12 \varepsilon_t^2\, \Delta p_t",
    source=Source(seed="003", section="SDE and ODE Perspective", equation="9 and 11"),
    needs=("o-forward-fp", "o-continuity"),
    erratum="E11",
    as_written=r"dz = \left(f_t z - \tfrac{1 + \eta_t^2}2 g_t^2\, \nabla \log p_t\right) dt + \eta_t g_t\, dw"
    r", \quad dz = \left(u_t - \tfrac12 \varepsilon_t^2\, \nabla \log p_t\right) dt + \varepsilon_t\, dw,"
    r" \quad dt > 0: \qquad z_t \sim p_t",
    cites=("Kolmogorov's forward equation, for the density of a process of given drift and noise",),
)

eta, eps, scale = symbols("eta varepsilon w", positive=True)


def _read_forward(flux: Any, noise_squared: Any) -> Any:
    """The rate of p under dz = b dt + c dw, where ``flux`` is b p and ``noise_squared`` c^2."""
    return -slope(flux) + noise_squared / 2 * slope(slope(S.One))


def _read_backward(flux: Any, noise_squared: Any) -> Any:
    """The same for dt < 0: in tau = -t the drift is -b, and the rate by t is minus that by tau."""
    return -_read_forward(-flux, noise_squared)


def _averages(flux: Any, noise_squared: Any) -> Any:
    """The rate of p that is read backwards, by the derivatives of p, each of them an average."""
    return -averaged(slope(flux)) - noise_squared / 2 * averaged(slope(slope(S.One)))


def _diffusion(stochasticity: Any) -> tuple[Any, Any]:
    """The drift of the diffusion process times p, as the average of a factor, and the square of its noise."""
    g_squared = diffusion_squared()
    share = (1 + stochasticity**2) / 2 * g_squared
    return drift() * z - share * slope(S.One), stochasticity**2 * g_squared


def _flow(noise: Any) -> tuple[Any, Any]:
    """The same for flow matching."""
    return velocity() - noise**2 / 2 * slope(S.One), noise**2


def derivation() -> Derivation:
    return Derivation(
        chains=(
            *_marginals(),
            chain(
                "p' is the score times p",
                averaged(slope(S.One)),
                ("Tweedie's formula, by the average", averaged(S.One) * score_from_x(z, first, now)),
            ),
            *_same_process(),
        )
    )


def _marginals() -> Iterable[Chain]:
    for name, process, without_noise in (
        ("The diffusion process", _diffusion(eta), _diffusion(S.Zero)),
        ("The flow with noise", _flow(eps), _flow(S.Zero)),
    ):
        yield chain(
            f"{name}, per kernel",
            _read_backward(*process),
            ("the noise and its share of the drift cancel", _read_backward(*without_noise)),
            ("the equation of the kernel", moved(S.One)),
        )
        yield chain(
            f"{name}, averaged over the data",
            _averages(*process),
            ("the rate of the density", averaged(moved(S.One))),
        )
    flux, noise_squared = _flow(eps)
    yield chain(
        "In a time that runs from noise to data, the velocity is -u and the share of the score is added",
        _read_forward(-velocity() + eps**2 / 2 * slope(S.One), noise_squared),
        ("which is the flow read backwards", -_read_backward(flux, noise_squared)),
        ("its rate is that of the density, turned", -moved(S.One)),
    )


def _same_process() -> Iterable[Chain]:
    u = rates.alpha * x_hat + rates.sigma * eps_from_x(z, x_hat, now)
    score = score_from_x(z, x_hat, now)
    g_squared = diffusion_squared()
    yield chain(
        "The same drift for any network, with eps^2 = eta^2 g^2",
        u - eta**2 * g_squared / 2 * score,
        ("u is f z - g^2 s / 2", drift() * z - g_squared / 2 * score - eta**2 * g_squared / 2 * score),
        ("collect the score", drift() * z - (1 + eta**2) / 2 * g_squared * score),
    )


def false_variants() -> Iterable[Variant]:
    flux, noise_squared = _diffusion(eta)
    g_squared = diffusion_squared()
    score = slope(S.One)
    for name, wrong in (
        ("(1 - eta^2) / 2 of the score", _read_backward(flux + eta**2 * g_squared * score, noise_squared)),
        ("all of the score, whatever eta", _read_backward(drift() * z - g_squared * score, noise_squared)),
        ("the score turned", _read_backward(2 * drift() * z - flux, noise_squared)),
        ("the noise eta instead of eta g", _read_backward(flux, eta**2)),
        (
            "the score scaled, as guidance does",
            _read_backward(drift() * z + scale * (flux - drift() * z), noise_squared),
        ),
        ("the flow without its share of the score", _read_backward(velocity(), eps**2)),
        (
            "the flow from noise to data with the sign of the source",
            -_read_forward(-velocity() - eps**2 / 2 * score, eps**2),
        ),
    ):
        yield _of_a_point_mass(name, wrong)


def as_written() -> Iterable[Variant]:
    yield _of_a_point_mass("the diffusion process, with growing t", _read_forward(*_diffusion(eta)))
    yield _of_a_point_mass("the flow with noise, with growing t", _read_forward(*_flow(eps)))


def _of_a_point_mass(name: str, wrong: Any) -> Variant:
    """The rate of the density is wrong already where all data are one point, and its kernel the density."""
    return Variant(name=f"point-mass data: {name}", left=wrong, right=moved(S.One), hypotheses=(falling(),))
