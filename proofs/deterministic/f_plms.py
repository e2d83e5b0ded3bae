r"""PLMS is Adams-Bashforth in the noise prediction, with a DDIM step for its transfer.

The transfer of PNDM is the DDIM step, on variance-preserving levels; there and with an Adams-Bashforth
combination of the last outputs in place of eps_hat, z / alpha moves by that combination times the change of
sigma / alpha. The weights are the integrals, over the next step, of the polynomials of Lagrange through
equidistant outputs, so they suit a grid that is equidistant in sigma / alpha. On another, where eps_hat has
the slope c in r = sigma / alpha, the second order misses c / 2 (r_s - r_t) ((r_s - r_t) - (r_t - r_p)),
which is of third order where the grid is smooth.

Not claimed: combinations of more than four outputs; the first steps, which PNDM takes otherwise; levels
that do not preserve the variance.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Rational, evaluate, symbols

from equiv.claim import Chain, Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import noise_ratio
from equiv.formulas.plms import adams_bashforth_2, adams_bashforth_3, adams_bashforth_4, pndm_transfer
from equiv.formulas.predictions import x_from_eps
from equiv.formulas.schedules import variance_preserving
from equiv.formulas.steps import ddim_step
from equiv.proofs._calculus import integral
from equiv.proofs._symbols import eps_hat, now, then, z_t

CLAIM = Claim(
    id="f-plms",
    title="PLMS is Adams-Bashforth in eps, with a DDIM transfer",
    statement=r"\alpha^2 + \sigma^2 = 1:\quad"
    r" \frac{z_s}{\alpha_s} = \frac{z_t}{\alpha_t} + \left(\frac{\sigma_s}{\alpha_s}"
    r" - \frac{\sigma_t}{\alpha_t}\right) \epsilon', \qquad"
    r" \epsilon' = \sum_j \hat\epsilon_{t_j} \int_0^1 \prod_{i \ne j} \frac{\tau + i}{i - j}\, d\tau"
    r" \qquad (i, j < 2, 3, 4)",
    source=Source(seed="003", section="Sampling", equation="implied: higher-order samplers beside DDIM"),
    needs=("p-conversions", "f-three-rows"),
)

tau, r_t, r_s, r_p, c = symbols("tau r_t r_s r_p c", real=True)
OUTPUTS = (eps_hat, *symbols("epsilon_p epsilon_q epsilon_o", real=True))
COMBINATIONS: dict[int, Any] = {2: adams_bashforth_2, 3: adams_bashforth_3, 4: adams_bashforth_4}
at_now, at_then = variance_preserving(now), variance_preserving(then)


def _extrapolated(order: int) -> Any:
    """The mean, over the next step, of the polynomial through the last outputs, at 0, -1, -2 and so on."""
    total = 0
    for j in range(order):
        with evaluate(True):
            basis = Rational(1)
            for i in range(order):
                basis *= Rational(1) if i == j else (tau + i) / (i - j)
        total = total + integral(basis, tau, 0, 1) * OUTPUTS[j]
    return total


def _transfer(output: Any) -> Any:
    return ddim_step(z_t, x_from_eps(z_t, output, at_now), at_now, at_then)


def derivation() -> Derivation:
    return Derivation(chains=(*_combinations(), *_transfers(), *_on_any_grid()))


def _combinations() -> Iterable[Chain]:
    for order, combination in COMBINATIONS.items():
        yield chain(
            f"The combination of order {order}",
            combination(*OUTPUTS[:order]),
            ("the integrals of the polynomials of Lagrange", _extrapolated(order)),
        )
    yield chain(
        "A constant output is kept",
        adams_bashforth_4(eps_hat, eps_hat, eps_hat, eps_hat),
        ("the weights add up to one", eps_hat),
    )


def _transfers() -> Iterable[Chain]:
    output = adams_bashforth_4(*OUTPUTS)
    yield chain(
        "The transfer of PNDM is a DDIM step",
        pndm_transfer(z_t, eps_hat, at_now, at_then),
        (
            "alpha_s^2 - alpha_t^2 is (alpha_s sigma_t)^2 - (alpha_t sigma_s)^2 where squares add up to one",
            at_then.alpha / at_now.alpha * z_t
            - (at_then.alpha * at_now.sigma - at_now.alpha * at_then.sigma) / at_now.alpha * eps_hat,
        ),
        ("x from eps", _transfer(eps_hat)),
    )
    yield chain(
        "PLMS",
        pndm_transfer(z_t, output, at_now, at_then) / at_then.alpha,
        ("the row of eps", z_t / at_now.alpha + (noise_ratio(at_then) - noise_ratio(at_now)) * output),
    )


def _on_any_grid() -> Iterable[Chain]:
    step, before = r_s - r_t, r_t - r_p
    yield chain(
        "What the second order misses of a slope, in r = sigma / alpha",
        integral(eps_hat + c * (tau - r_t), tau, r_t, r_s)
        - step * adams_bashforth_2(eps_hat, eps_hat - c * before),
        ("half the slope, over steps of unequal length", c / 2 * step * (step - before)),
    )


def false_variants() -> Iterable[Variant]:
    two = adams_bashforth_2(*OUTPUTS[:2])
    yield Variant(
        name="the second order looks back: (eps_hat + eps_p) / 2",
        left=two,
        right=(OUTPUTS[0] + OUTPUTS[1]) / 2,
    )
    yield Variant(
        name="the third order with the weights 23, -16, 6",
        left=(23 * OUTPUTS[0] - 16 * OUTPUTS[1] + 6 * OUTPUTS[2]) / 12,
        right=_extrapolated(3),
    )
    yield Variant(
        name="the transfer of PNDM is a DDIM step at any level",
        left=pndm_transfer(z_t, eps_hat, now, then),
        right=ddim_step(z_t, x_from_eps(z_t, eps_hat, now), now, then),
    )
    yield Variant(
        name="the second order is exact for a slope on any grid",
        left=integral(eps_hat + c * (tau - r_t), tau, r_t, r_s),
        right=(r_s - r_t) * adams_bashforth_2(eps_hat, eps_hat - c * (r_t - r_p)),
    )
    yield Variant(
        name="the combination is of the states' x",
        left=pndm_transfer(z_t, two, at_now, at_then),
        right=ddim_step(z_t, two, at_now, at_then),
    )
