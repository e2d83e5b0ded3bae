r"""Heun's method depends on the network's output, by one factor.

Take any row N = a x_hat + b eps_hat (f-row-family), Heun's method in its variables, and any network: its
second output belongs to the DDIM step, which all rows share. With y = z / alpha, r = sigma / alpha and eps*
the noise predicted there, Heun is the DDIM step plus (rho / 2)(r_s - r_t)(eps* - eps_t), with rho = (b - a
r_s) / (b - a r_t): 1 for eps, r_s / r_t for x, (1 + r_s) / (1 + r_t) for u. So Heun in u is the mean of
those in eps and x with the weights alpha_t and sigma_t over their sum; the rows differ from that in eps by
the square of the step times the change of the noise, which is of third order for a smooth network; EDM's
Heun is the row of eps.

Not claimed: which row is the most accurate; Heun in v, which has no row.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Ne, S, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level, noise_ratio
from equiv.formulas.predictions import eps_from_x, x_from_eps
from equiv.formulas.steps import ddim_step
from equiv.proofs._symbols import now, then, x_hat, z_t

CLAIM = Claim(
    id="f-heun-parametrization",
    title="Heun depends on the network's output by one factor",
    statement=r"\frac{z_s}{\alpha_s} = \frac{z_s^{\mathrm{DDIM}}}{\alpha_s}"
    r" + \tfrac12 \rho\, (r_s - r_t)(\hat\epsilon^* - \hat\epsilon_t), \qquad"
    r" \rho_{a,b} = \frac{b - a r_s}{b - a r_t},"
    r" \quad \rho_\epsilon = 1,\ \rho_x = \frac{r_s}{r_t},\ \rho_u = \frac{1 + r_s}{1 + r_t}",
    source=Source(seed="003", section="Sampling", equation="comment 1, higher-order solvers"),
    needs=("f-row-family", "f-three-rows"),
)

a, b, eps_star = symbols("a b epsilon^*", real=True)
R_T, R_S = noise_ratio(now), noise_ratio(then)
EPS, X, U = (S.Zero, S.One), (S.One, S.Zero), (S.NegativeOne, S.One)


def _gauge(level: Level[Any], row: Any) -> Any:
    return row[1] * level.alpha - row[0] * level.sigma


def _eta(level: Level[Any], row: Any) -> Any:
    return (row[0] * level.alpha + row[1] * level.sigma) / ((row[0] ** 2 + row[1] ** 2) * _gauge(level, row))


def _predictor() -> Any:
    """The DDIM step, at which the network says eps*."""
    return ddim_step(z_t, x_hat, now, then)


def _output(row: Any, x: Any, eps: Any) -> Any:
    return row[0] * x + row[1] * eps


def _heun(row: Any) -> Any:
    """Heun's step in the variables of a row, as z_s / alpha_s."""
    first = _output(row, x_hat, eps_from_x(z_t, x_hat, now))
    second = _output(row, x_from_eps(_predictor(), eps_star, then), eps_star)
    move = (_eta(then, row) - _eta(now, row)) * (first + second) / 2
    return _gauge(then, row) / then.alpha * (z_t / _gauge(now, row) + move)


def _corrected(rho: Any) -> Any:
    return _predictor() / then.alpha + rho / 2 * (R_S - R_T) * (eps_star - eps_from_x(z_t, x_hat, now))


def _rho(row: Any) -> Any:
    return (row[1] - row[0] * R_S) / (row[1] - row[0] * R_T)


def derivation() -> Derivation:
    return Derivation(
        chains=(*_any_row(), *_three_rows(), *_comparisons(), _edm()),
        hypotheses=tuple(Ne(_gauge(level, (a, b)), 0, evaluate=False) for level in (now, then)),
    )


def _any_row() -> Iterable[Chain]:
    row = (a, b)
    move = _eta(then, row) - _eta(now, row)
    yield chain(
        "The Euler step of a row is DDIM: the predictor is the same in all",
        _gauge(then, row)
        * (z_t / _gauge(now, row) + move * _output(row, x_hat, eps_from_x(z_t, x_hat, now))),
        ("the row of a x + b eps", _predictor()),
    )
    yield chain(
        "At the predictor, x changes against eps",
        x_from_eps(_predictor(), eps_star, then) - x_hat,
        ("z is alpha x + sigma eps at s", -R_S * (eps_star - eps_from_x(z_t, x_hat, now))),
    )
    change = _output(row, -R_S, 1) * (eps_star - eps_from_x(z_t, x_hat, now))
    yield chain(
        "Heun in any row",
        _heun(row),
        (
            "Euler and half the change of the output",
            _predictor() / then.alpha + _gauge(then, row) / then.alpha * move * change / 2,
        ),
        ("the change of eta, by noise ratios", _corrected(_rho(row))),
    )


def _three_rows() -> Iterable[Chain]:
    for name, row, rho in (("eps", EPS, S.One), ("x", X, R_S / R_T), ("u", U, (1 + R_S) / (1 + R_T))):
        yield chain(f"Heun in {name}", _heun(row), ("its row", _corrected(rho)))


def _comparisons() -> Iterable[Chain]:
    weight = now.alpha / (now.alpha + now.sigma)
    yield chain(
        "Heun in u is a mean of the other two",
        weight * _heun(EPS) + (1 - weight) * _heun(X),
        ("1 and r_s / r_t, weighted", _corrected((1 + R_S) / (1 + R_T))),
        ("the row of u", _heun(U)),
    )
    yield chain(
        "A row differs from that of eps by the square of the step",
        _corrected(_rho((a, b))) - _corrected(S.One),
        ("rho - 1", -a * (R_S - R_T) ** 2 / (2 * (b - a * R_T)) * (eps_star - eps_from_x(z_t, x_hat, now))),
    )


def _edm() -> Chain:
    """In the variance-exploding gauge, with slopes (y - x) / r."""
    y = z_t / now.alpha
    slope = (y - x_hat) / R_T
    euler = y + (R_S - R_T) * slope
    x_star = x_from_eps(_predictor(), eps_star, then)
    return chain(
        "EDM's Heun is the row of eps",
        y + (R_S - R_T) * (slope + (euler - x_star) / R_S) / 2,
        ("(y - x) / r is eps", _heun(EPS)),
    )


def false_variants() -> Iterable[Variant]:
    yield Variant(name="Heun in x is Heun in eps", left=_heun(X), right=_heun(EPS))
    yield Variant(name="Heun in u is Heun in eps", left=_heun(U), right=_heun(EPS))
    yield Variant(name="the factor of x is r_t / r_s", left=_heun(X), right=_corrected(R_T / R_S))
    yield Variant(name="the factor of u turned over", left=_heun(U), right=_corrected((1 + R_T) / (1 + R_S)))
    weight = now.sigma / (now.alpha + now.sigma)
    yield Variant(
        name="the weights of the mean exchanged",
        left=_heun(U),
        right=weight * _heun(EPS) + (1 - weight) * _heun(X),
    )
    yield Variant(name="Heun is DDIM", left=_heun(EPS), right=_predictor() / then.alpha)
