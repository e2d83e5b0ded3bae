r"""DPM-Solver++(3M) takes half of the curvature: with all of it, it is UniP-3.

Let h be what half the log-SNR gains over the step, h_0 and h_1 over the two before. On a path with x_hat =
x_hat_t + q_1 tau + q_2 tau^2 in the half log-SNR tau, UniP-3 is exact, and DPM-Solver++(3M) falls short of
the solution by alpha_s q_2 G(h), where 0 < G < h^3 / 6 by G(0) = G'(0) = 0 and G'' = 1 - exp(-h). So its
local error is of third order in h, as that of a method of order 2, and the two methods are not the same:
they differ, for any outputs, by alpha_s G(h) times the second divided difference. The same holds in the
noise prediction between DEIS-3 (in log rho), which is exact for a quadratic, and DPM-Solver(3M), with
sigma_s (exp(h) - 1 - h - h^2 / 2) in place of alpha_s G.

Not claimed: that 3M is worse than 2M in use; the order of convergence where step lengths vary without
bound.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Lt, S, exp, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.deis import deis_3
from equiv.formulas.dpm_solver import dpm_solver_3m, dpm_solver_pp_3m, half_log_snr_gain
from equiv.formulas.levels import Level, noise_ratio
from equiv.formulas.unipc import unip_3
from equiv.proofs._calculus import at, integral, rate
from equiv.proofs._symbols import eps_hat, now, x_hat, z_t

CLAIM = Claim(
    id="f-multistep-third-order",
    title="DPM-Solver++(3M) takes half the curvature of UniP-3",
    statement=r"\mathrm{UniP}_3 - \text{++}(3M) = \alpha_s \left(\tfrac{h^2}2 - h + 1 - e^{-h}\right)"
    r" \frac1{h_0 + h_1} \left(\frac{\hat x_t - \hat x_p}{h_0} - \frac{\hat x_p - \hat x_q}{h_1}\right)",
    source=Source(seed="003", section="Sampling", equation="implied: higher-order samplers beside DDIM"),
)

h, h_0, h_1, alpha_s, alpha_p, alpha_q, tau = symbols("h h_0 h_1 alpha_s alpha_p alpha_q tau", positive=True)
x_before, x_earlier, eps_before, eps_earlier, q_1, q_2 = symbols(
    "x_p x_q epsilon_p epsilon_q q_1 q_2", real=True
)


def _level(alpha: Any, ratio: Any) -> Level[Any]:
    """Any level: this alpha, and a noise ratio that many times that of now."""
    return Level(alpha, alpha * noise_ratio(now) * ratio)


then, before = _level(alpha_s, exp(-h)), _level(alpha_p, exp(h_0))
earlier = _level(alpha_q, exp(h_0) * exp(h_1))
levels = (earlier, before, now, then)


def _path(start: Any, time: Any) -> Any:
    """A prediction that is quadratic in half the log-SNR."""
    return start + q_1 * time + q_2 * time**2


def _at_levels(start: Any) -> tuple[Any, Any, Any]:
    return start, _path(start, -h_0), _path(start, -h_0 - h_1)


def _exact_in_x() -> Any:
    """Over the step, z / sigma grows by the integral of x_hat over alpha / sigma, an exponential."""
    grown = integral(_path(x_hat, tau) * exp(tau), tau, 0, h)
    return then.sigma * (z_t / now.sigma + now.alpha / now.sigma * grown)


def _exact_in_eps() -> Any:
    """Over the step, z / alpha grows by the integral of eps_hat over sigma / alpha, an exponential."""
    grown = integral(-_path(eps_hat, tau) * exp(-tau), tau, 0, h)
    return then.alpha * (z_t / now.alpha + noise_ratio(now) * grown)


def _gap_in_x() -> Any:
    return h**2 / 2 - h + 1 - exp(-h)


def _gap_in_eps() -> Any:
    return exp(h) - 1 - h - h**2 / 2


def _second_difference(latest: Any, previous: Any, first: Any) -> Any:
    return ((latest - previous) / h_0 - (previous - first) / h_1) / (h_0 + h_1)


def derivation() -> Derivation:
    """That q is noisier than p follows from the form of the levels; it is said as UniPC meets it."""
    return Derivation(
        chains=(*_in_x(), *_in_eps()),
        hypotheses=(Lt(half_log_snr_gain(now, earlier), half_log_snr_gain(now, before), evaluate=False),),
    )


def _in_x() -> Iterable[Chain]:
    quadratic, outputs = _at_levels(x_hat), (x_hat, x_before, x_earlier)
    yield chain(
        "UniP-3 is exact for a quadratic x_hat",
        unip_3(z_t, *quadratic, *levels),
        ("integrate tau exp(tau) and tau^2 exp(tau)", _exact_in_x()),
    )
    yield chain(
        "UniP-3 is DPM-Solver++(3M) with all of the curvature",
        unip_3(z_t, *outputs, *levels),
        (
            "the second difference, taken once more",
            dpm_solver_pp_3m(z_t, *outputs, *levels) + alpha_s * _gap_in_x() * _second_difference(*outputs),
        ),
    )
    yield chain("The second difference of a quadratic", _second_difference(*quadratic), ("expand", q_2))
    yield chain("G at 0", at(_gap_in_x(), h, 0), ("exp(0) is 1", S.Zero))
    yield chain("G' at 0", at(rate(_gap_in_x(), h), h, 0), ("exp(0) is 1", S.Zero))
    yield chain("G''", rate(rate(_gap_in_x(), h), h), ("differentiate twice", 1 - exp(-h)))


def _in_eps() -> Iterable[Chain]:
    quadratic, outputs = _at_levels(eps_hat), (eps_hat, eps_before, eps_earlier)
    yield chain(
        "DEIS-3 is exact for a quadratic eps_hat",
        deis_3(z_t, *quadratic, *levels),
        ("integrate tau exp(-tau) and tau^2 exp(-tau)", _exact_in_eps()),
    )
    yield chain(
        "DEIS-3 is DPM-Solver(3M) with all of the curvature",
        deis_3(z_t, *outputs, *levels),
        (
            "the second difference, taken once more",
            dpm_solver_3m(z_t, *outputs, *levels) - then.sigma * _gap_in_eps() * _second_difference(*outputs),
        ),
    )


def false_variants() -> Iterable[Variant]:
    outputs = (x_hat, x_before, x_earlier)
    yield Variant(
        name="UniP-3 is DPM-Solver++(3M)",
        left=unip_3(z_t, *outputs, *levels),
        right=dpm_solver_pp_3m(z_t, *outputs, *levels),
    )
    yield Variant(
        name="DPM-Solver++(3M) is exact for a quadratic x_hat",
        left=dpm_solver_pp_3m(z_t, *_at_levels(x_hat), *levels),
        right=_exact_in_x(),
    )
    yield Variant(
        name="DEIS-3 is DPM-Solver(3M)",
        left=deis_3(z_t, eps_hat, eps_before, eps_earlier, *levels),
        right=dpm_solver_3m(z_t, eps_hat, eps_before, eps_earlier, *levels),
    )
    yield Variant(
        name="the curvature is missing three times",
        left=unip_3(z_t, *outputs, *levels) - dpm_solver_pp_3m(z_t, *outputs, *levels),
        right=3 * alpha_s * _gap_in_x() * _second_difference(*outputs),
    )
