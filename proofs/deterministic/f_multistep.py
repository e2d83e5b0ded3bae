r"""Two-step multistep methods in the data prediction are one family, told apart by one scalar.

Let h be what half the log-SNR gains over the step, h_0 over the step before. A step A z_t + B x_hat_t + C
x_hat_p that is exact where x_hat is constant along the path has A = sigma_s / sigma_t and B + C = alpha_s
(1 - exp(-h)): it is DDIM + phi alpha_s (1 - exp(-h)) (h / h_0) (x_hat_t - x_hat_p). On a path with x_hat =
x_hat_t + q_1 tau + q_2 tau^2 in the half log-SNR tau, its local error is alpha_s q_1 (F(h) - (phi - 1/2) h
(1 - exp(-h))), where 0 < F < h^3 / 12 by F(0) = F'(0) = 0 and F'' = h exp(-h) / 2, plus alpha_s q_2 times
h^2 - 2 h + 2 - 2 exp(-h) + phi (1 - exp(-h)) h h_0. So on linear paths the local error is of third order
exactly if phi = 1/2 + O(h), and it is zero at one phi alone.

DPM-Solver++(2M) is phi = 1/2, and so is UniP-2 with B(h) = 1 - exp(-h) ("bh2"): they are the same step. The
variant "heun" is the exact phi; UniP-2 with B(h) = h is phi = h / (2 (1 - exp(-h))). In the noise
prediction, DEIS-1 is DPM-Solver-1, and DEIS-2 (in log rho) is the variant "heun" of DPM-Solver(2M), not the
variant "midpoint".

Not claimed: paths that are not quadratic; convergence, and with it the order of the method; methods that
use earlier states, as those in the noise prediction do when seen in the data prediction.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Rational, S, exp, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.deis import deis_2
from equiv.formulas.dpm_solver import (
    dpm_solver_1,
    dpm_solver_2m,
    dpm_solver_2m_heun,
    dpm_solver_pp_2m,
    dpm_solver_pp_2m_heun,
)
from equiv.formulas.levels import Level, noise_ratio
from equiv.formulas.steps import ddim_step
from equiv.formulas.unipc import unip_2
from equiv.proofs._calculus import at, integral, rate
from equiv.proofs._symbols import eps_hat, now, x_hat, z_t

CLAIM = Claim(
    id="f-multistep",
    title="Two-step methods differ by one scalar",
    statement=r"z_s = \mathrm{DDIM} + \varphi\, \alpha_s (1 - e^{-h}) \frac h{h_0} (\hat x_t - \hat x_p),"
    r" \qquad \hat x = \hat x_t + q_1 \tau:\ \text{error } = \alpha_s q_1 \left((1 + \tfrac h2) e^{-h}"
    r" + \tfrac h2 - 1 - (\varphi - \tfrac12) h (1 - e^{-h})\right); \qquad"
    r" \mathrm{UniP}_2^{\mathrm{bh2}} = \text{++}(2M),\ \mathrm{DEIS}_1 = \mathrm{DPM}_1,"
    r"\ \mathrm{DEIS}_2 = \mathrm{DPM}_2^{\mathrm{heun}}",
    source=Source(seed="003", section="Sampling", equation="implied: higher-order samplers beside DDIM"),
)

h, h_0, alpha_s, alpha_p, tau = symbols("h h_0 alpha_s alpha_p tau", positive=True)
x_before, eps_before, q_1, q_2 = symbols("x_p epsilon_p q_1 q_2", real=True)
phi, A, C = symbols("phi A C", real=True)


def _beyond(alpha: Any, gain: Any) -> Level[Any]:
    """Any level: this alpha, and half the log-SNR that much beyond that of now."""
    return Level(alpha, alpha * noise_ratio(now) * exp(-gain))


then = _beyond(alpha_s, h)
before = _beyond(alpha_p, -h_0)


def _family(scalar: Any, latest: Any = x_hat, previous: Any = x_before) -> Any:
    step = ddim_step(z_t, latest, now, then)
    return step + scalar * alpha_s * (1 - exp(-h)) * (h / h_0) * (latest - previous)


def _path(time: Any) -> Any:
    """A data prediction that is quadratic in half the log-SNR."""
    return x_hat + q_1 * time + q_2 * time**2


def _exact() -> Any:
    """Over the step, z / sigma grows by the integral of x_hat over alpha / sigma, an exponential."""
    grown = integral(_path(tau) * exp(tau), tau, 0, h)
    return then.sigma * (z_t / now.sigma + now.alpha / now.sigma * grown)


def _slope_error(scalar: Any) -> Any:
    return h - 1 + exp(-h) - scalar * h * (1 - exp(-h))


def derivation() -> Derivation:
    return Derivation(chains=(*_one_scalar(), *_order(), *_second_order(), *_in_the_noise()))


def _one_scalar() -> Iterable[Chain]:
    yield chain(
        "Where x_hat is constant, the exact solution is DDIM's",
        at(at(_exact(), q_1, 0), q_2, 0),
        ("the integral of exp", ddim_step(z_t, x_hat, now, then)),
    )
    yield chain(
        "DDIM's coefficients",
        ddim_step(z_t, x_hat, now, then),
        ("kappa is exp(-h)", then.sigma / now.sigma * z_t + alpha_s * (1 - exp(-h)) * x_hat),
    )
    total = alpha_s * (1 - exp(-h))
    yield chain(
        "With those, one coefficient is free",
        then.sigma / now.sigma * z_t + (total - C) * x_hat + C * x_before,
        ("phi is -C h_0 / (alpha_s (1 - exp(-h)) h)", _family(-C * h_0 / (total * h))),
    )


def _order() -> Iterable[Chain]:
    second = (h**2 - 2 * h + 2 - 2 * exp(-h)) + phi * (1 - exp(-h)) * h * h_0
    yield chain(
        "The local error",
        _exact() - _family(phi, previous=_path(-h_0)),
        ("integrate tau exp(tau) and tau^2 exp(tau)", alpha_s * (q_1 * _slope_error(phi) + q_2 * second)),
    )
    middle = _slope_error(Rational(1, 2))
    yield chain(
        "The error in the slope, around phi = 1/2",
        _slope_error(phi),
        ("add and take away a half", middle - (phi - Rational(1, 2)) * h * (1 - exp(-h))),
    )
    yield chain("F", middle, ("collect", (1 + h / 2) * exp(-h) + h / 2 - 1))
    yield chain("F at 0", at(middle, h, 0), ("exp(0) is 1", S.Zero))
    yield chain("F' at 0", at(rate(middle, h), h, 0), ("exp(0) is 1", S.Zero))
    yield chain("F''", rate(rate(middle, h), h), ("differentiate twice", h * exp(-h) / 2))
    yield chain(
        "One phi is exact for the slope",
        _slope_error((h - 1 + exp(-h)) / (h * (1 - exp(-h)))),
        ("insert", S.Zero),
    )


def _second_order() -> Iterable[Chain]:
    half = Rational(1, 2)
    two_step = dpm_solver_pp_2m(z_t, x_hat, x_before, before, now, then)
    yield chain("DPM-Solver++(2M)", two_step, ("half the slope", _family(half)))
    yield chain(
        "UniP-2 (bh2) is DPM-Solver++(2M)",
        unip_2(z_t, x_hat, x_before, 1 - exp(-h), before, now, then),
        ("half the slope", _family(half)),
        ("as above", two_step),
    )
    yield chain(
        "UniP-2 (bh1)",
        unip_2(z_t, x_hat, x_before, h, before, now, then),
        ("h in place of 1 - exp(-h)", _family(h / (2 * (1 - exp(-h))))),
    )
    yield chain(
        "The variant heun of DPM-Solver++(2M)",
        dpm_solver_pp_2m_heun(z_t, x_hat, x_before, before, now, then),
        ("the phi that is exact for the slope", _family((h - 1 + exp(-h)) / (h * (1 - exp(-h))))),
    )


def _in_the_noise() -> Iterable[Chain]:
    moved = noise_ratio(then) - noise_ratio(now)
    yield chain(
        "DEIS-1 is DPM-Solver-1",
        alpha_s * (z_t / now.alpha + eps_hat * moved),
        ("sigma_s exp(h) is alpha_s sigma_t / alpha_t", dpm_solver_1(z_t, eps_hat, now, then)),
    )
    yield chain(
        "DEIS-2 is the variant heun of DPM-Solver(2M)",
        deis_2(z_t, eps_hat, eps_before, before, now, then),
        (
            "log rho is minus half the log-SNR",
            dpm_solver_2m_heun(z_t, eps_hat, eps_before, before, now, then),
        ),
    )


def false_variants() -> Iterable[Variant]:
    two_step = dpm_solver_pp_2m(z_t, x_hat, x_before, before, now, then)
    yield Variant(
        name="UniP-2 (bh1) is DPM-Solver++(2M)",
        left=unip_2(z_t, x_hat, x_before, h, before, now, then),
        right=two_step,
    )
    yield Variant(
        name="the ratio of step lengths turned over",
        left=two_step,
        right=ddim_step(z_t, x_hat, now, then) + alpha_s * (1 - exp(-h)) * h_0 / h * (x_hat - x_before) / 2,
    )
    yield Variant(
        name="DPM-Solver++(2M) is exact for a slope",
        left=dpm_solver_pp_2m(z_t, x_hat, x_hat - q_1 * h_0, before, now, then),
        right=at(_exact(), q_2, 0),
    )
    yield Variant(
        name="DEIS-2 is DPM-Solver(2M), the variant midpoint",
        left=deis_2(z_t, eps_hat, eps_before, before, now, then),
        right=dpm_solver_2m(z_t, eps_hat, eps_before, before, now, then),
    )
