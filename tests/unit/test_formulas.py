"""Every public formula gives the same value in sympy, float64, torch and ball arithmetic.

The bound is derived, not chosen. ``Rounded`` computes in 256-bit balls and widens the ball after every
operation by what float64 may round there: a relative 2^-53 where IEEE 754 rounds correctly, 2^-51 for
functions, twice the one unit in the last place that libm and SLEEF state. So it encloses every value that
float64 can give, and whatever lies outside has another cause.
"""

import importlib
import inspect
import math
import pkgutil
from collections.abc import Callable, Iterator
from fractions import Fraction
from random import Random
from typing import Any

import pytest
import sympy
import torch
from flint import arb, ctx, fmpq

import equiv.formulas
from equiv import number
from equiv.formulas.levels import Level, log_snr
from equiv.formulas.predictions import FROM_X, TO_X, u_from_x, x_from_v
from equiv.formulas.schedules import cosine, scaled_linear, sd3_shift
from equiv.formulas.steps import churn_step, ddim_eta_step, ddim_step, ddpm_step
from equiv.formulas.weightings import MSE_FACTOR, mse_factor_u

Formula = Callable[..., Any]
Arguments = dict[str, Any]

BITS = 256
SYMPY_DIGITS = 60
OPERATION, FUNCTION = Fraction(1, 2**53), Fraction(1, 2**51)


def exactly(value: Fraction) -> arb:
    return arb(fmpq(value.numerator, value.denominator))


class Rounded:
    """A ball that encloses what float64 may have computed."""

    def __init__(self, ball: arb, rounding: Fraction = Fraction(0)) -> None:
        self.ball = ball * arb(1, exactly(rounding).upper())

    def _with(
        self, other: Any, operation: Callable[[arb, arb], arb], rounding: Fraction = OPERATION
    ) -> "Rounded":
        return Rounded(
            operation(self.ball, other.ball if isinstance(other, Rounded) else arb(other)), rounding
        )

    def __add__(self, other: Any) -> "Rounded":
        return self._with(other, lambda x, y: x + y)

    def __sub__(self, other: Any) -> "Rounded":
        return self._with(other, lambda x, y: x - y)

    def __rsub__(self, other: Any) -> "Rounded":
        return self._with(other, lambda x, y: y - x)

    def __mul__(self, other: Any) -> "Rounded":
        return self._with(other, lambda x, y: x * y)

    def __truediv__(self, other: Any) -> "Rounded":
        return self._with(other, lambda x, y: x / y)

    def __rtruediv__(self, other: Any) -> "Rounded":
        return self._with(other, lambda x, y: y / x)

    def __pow__(self, other: Any) -> "Rounded":
        return self._with(other, lambda x, y: x**y, FUNCTION)

    def __neg__(self) -> "Rounded":
        return Rounded(-self.ball)

    __radd__, __rmul__ = __add__, __mul__


number.sqrt.register(Rounded, lambda x: Rounded(x.ball.sqrt(), OPERATION))
for function in (number.exp, number.log, number.sin, number.cos):
    name = function.__name__  # type: ignore[attr-defined]
    function.register(Rounded, lambda x, name=name: Rounded(getattr(x.ball, name)(), FUNCTION))
number.pi.register(Rounded, lambda _like: Rounded(arb.pi(), OPERATION))
number.maximum.register(Rounded, lambda x, y: Rounded(x.ball.max(y.ball)))


def rounded_constant(_like: Rounded, value: Any) -> Rounded:
    if isinstance(value, Rounded):
        return value
    return Rounded(exactly(Fraction(value)), OPERATION if isinstance(value, Fraction) else Fraction(0))


number.constant.register(Rounded, rounded_constant)


@pytest.fixture(autouse=True)
def precision() -> Iterator[None]:
    with ctx.workprec(BITS):
        yield


def public_formulas() -> list[Formula]:
    found: list[Formula] = []
    for module in pkgutil.iter_modules(equiv.formulas.__path__, "equiv.formulas."):
        if module.name == "equiv.formulas.samplers":  # its functions take functions
            continue
        for _, function in inspect.getmembers(importlib.import_module(module.name), inspect.isfunction):
            if function.__module__ == module.name and not function.__name__.startswith("_"):
                found.append(function)
    return found


def point(seed: int) -> Arguments:
    """An argument for each parameter name, in 64ths, which are exact in float64."""
    draw = Random(seed)

    def between(low: int, high: int) -> Fraction:
        return Fraction(draw.randint(low, high), 64)

    def state() -> Fraction:
        return between(1, 128) * draw.choice((-1, 1))

    noisy = Level(alpha=between(16, 64), sigma=between(65, 128))
    clean = Level(alpha=between(65, 128), sigma=between(16, 40))
    middle = Level(alpha=between(64, 64), sigma=between(45, 60))
    before, earlier = (Level(alpha=between(*a), sigma=between(129, 192)) for a in ((4, 8), (1, 2)))
    states = ["z", "z_t", "x_hat", "eps_hat", "v_hat", "u_hat", "score_hat", "noise", "lambda_t", "mean"]
    states += [f"eps_{at}" for at in ("middle", "before", "earlier", "earliest")]
    states += [f"x_{at}" for at in ("middle", "before", "earlier", "then")]
    states += ["output_before", "output_earlier", "output_middle", "output_late"]
    states += ["z_middle", "z_then", "eps_again", "eps_then"]
    positive = ["b_h", "sigma", "scale", "factor", "rate", "std"]
    return (
        {"now": noisy, "then": clean, "level": noisy, "rates": Level(alpha=state(), sigma=state())}
        | {"low": noisy, "high": clean, "middle": middle, "before": before, "earlier": earlier}
        | {"u": between(1, 63), "sigma_min": between(1, 8), "sigma_max": between(128, 640)}
        | {"r_middle": between(10, 30), "r_late": between(34, 60), "a": between(16, 128)}
        | {"b": between(1, 16), "output": between(129, 192)}  # apart from those before
        | {"t": between(24, 60), "s": between(1, 20), "eta": between(1, 63)}
        | {
            "rho": between(65, 192),
            "k": between(65, 192),
            "beta_0": between(8, 128),
            "beta_1": between(200, 999),
        }
        | {name: state() for name in states}
        | {name: between(16, 128) for name in positive}
        | {"weights": (between(1, 64), between(1, 64), between(1, 64))}
        | {
            "means": (state(), state(), state()),
            "stds": (between(16, 128), between(16, 128), between(16, 128)),
        }
        | {"outputs": [state(), state(), state()], "levels": [noisy, before, earlier]}
        | {"values": [state(), state(), state()], "at": [between(1, 20), between(30, 50), between(60, 90)]}
    )


def cases(formula: Formula) -> Iterator[Arguments]:
    """Arguments at several points, and where there are defaults, without those."""
    parameters = inspect.signature(formula).parameters.values()
    for seed in range(5):
        at = point(seed)
        if formula.__name__ == "renoise":  # the one step that goes up
            at["now"], at["then"] = at["then"], at["now"]
        if unknown := [p.name for p in parameters if p.name not in at]:
            raise LookupError(f"{formula.__name__}: point() needs an argument for {', '.join(unknown)}")
        yield {p.name: at[p.name] for p in parameters}
        if any(p.default is not p.empty for p in parameters):
            yield {p.name: at[p.name] for p in parameters if p.default is p.empty}


def evaluated(formula: Formula, arguments: Arguments, kind: Callable[[Fraction], Any]) -> list[Any]:
    """The formula's values, with the arguments as numbers of a kind; tuples stay exact constants."""

    def converted(value: Any) -> Any:
        match value:
            case Level():
                return Level(alpha=kind(value.alpha), sigma=kind(value.sigma))
            case Fraction():
                return kind(value)
            case list():
                return [converted(part) for part in value]
        return value

    result = formula(**{name: converted(value) for name, value in arguments.items()})
    return list(result) if isinstance(result, (Level, list)) else [result]


def rounded(formula: Formula, arguments: Arguments) -> list[arb]:
    return [r.ball for r in evaluated(formula, arguments, lambda q: Rounded(exactly(q)))]


def of_float64(formula: Formula, arguments: Arguments) -> list[arb]:
    return [arb(float(v)) for v in evaluated(formula, arguments, float)]


def of_torch(formula: Formula, arguments: Arguments) -> list[arb]:
    values = evaluated(formula, arguments, lambda q: torch.tensor([float(q)], dtype=torch.float64))
    return [arb(float(v)) for v in values]


def of_balls(formula: Formula, arguments: Arguments) -> list[arb]:
    return [v if isinstance(v, arb) else exactly(Fraction(v)) for v in evaluated(formula, arguments, exactly)]


def of_sympy(formula: Formula, arguments: Arguments) -> list[arb]:
    """Sympy's value to 60 digits, as a ball of one unit in the last of them."""
    values = evaluated(formula, arguments, lambda q: sympy.Rational(q.numerator, q.denominator))
    digits = [sympy.N(v, SYMPY_DIGITS) for v in values]
    return [arb(str(d)) * arb(1, arb(10) ** (1 - SYMPY_DIGITS)) for d in digits]


def agrees(formula: Formula, arguments: Arguments, enclosures: list[arb]) -> bool:
    """Do balls, float64 and torch lie in the enclosures, and is sympy where the ball is?"""
    exact = of_balls(formula, arguments)
    kinds = (exact, of_float64(formula, arguments), of_torch(formula, arguments))
    inside = all(e.contains(v) for values in kinds for e, v in zip(enclosures, values, strict=True))
    return inside and all(a.overlaps(b) for a, b in zip(exact, of_sympy(formula, arguments), strict=True))


def nudged(value: Any) -> Iterator[Any]:
    """``value`` with one of its numbers a millionth larger, for each of them."""
    if isinstance(value, Fraction):
        yield value * (1 + Fraction(1, 10**6))
        return
    rebuilt = Level._make if isinstance(value, Level) else type(value)
    for i, part in enumerate(value):
        for other in nudged(part):
            yield rebuilt([*value[:i], other, *value[i + 1 :]])


@pytest.mark.parametrize("formula", public_formulas(), ids=lambda f: f.__name__)
def test_every_kind_of_number_gives_the_same_value(formula: Formula) -> None:
    for arguments in cases(formula):
        assert agrees(formula, arguments, rounded(formula, arguments)), arguments


def moves(formula: Formula, before: Arguments, after: Arguments) -> bool:
    pairs = zip(of_balls(formula, before), of_balls(formula, after), strict=True)
    return not all(a.overlaps(b) for a, b in pairs)


@pytest.mark.parametrize("formula", public_formulas(), ids=lambda f: f.__name__)
def test_the_bound_sees_a_millionth_in_any_argument(formula: Formula) -> None:
    for arguments in cases(formula):
        enclosures = rounded(formula, arguments)
        for name, value in arguments.items():
            others = [arguments | {name: other} for other in nudged(value)]
            changed = [other for other in others if moves(formula, arguments, other)]
            assert changed, f"{formula.__name__} does not depend on {name}"
            assert not any(agrees(formula, a, enclosures) for a in changed), name


def cosine_without_half(t: Any) -> Level[Any]:
    return Level(alpha=number.cos(number.pi(t) * t), sigma=number.sin(number.pi(t) * t))


def half_log_snr(level: Level[Any]) -> Any:
    return log_snr(level) / 2


def step_to_x_minus_eps(z_t: Any, x_hat: Any, now: Level[Any], then: Level[Any]) -> Any:
    return then.alpha * x_hat - then.sigma * (z_t - now.alpha * x_hat) / now.sigma


def fixed_large(z_t: Any, x_hat: Any, noise: Any, now: Level[Any], then: Level[Any]) -> Any:
    return ddpm_step(z_t, x_hat, noise * now.sigma / then.sigma, now, then)


def v_as_if_variance_preserving(z_t: Any, v_hat: Any, level: Level[Any]) -> Any:
    return level.alpha * z_t - level.sigma * v_hat


def u_turned(z_t: Any, x_hat: Any, level: Level[Any]) -> Any:
    return -u_from_x(z_t, x_hat, level)


def unsquared(level: Level[Any]) -> Any:
    return number.sqrt(mse_factor_u(level))


def rho_one_less(z_t: Any, x_hat: Any, noise: Any, rho: Any, now: Level[Any], then: Level[Any]) -> Any:
    return churn_step(z_t, x_hat, noise, rho + 1, now, then)


def eta_squared(z_t: Any, x_hat: Any, noise: Any, eta: Any, now: Level[Any], then: Level[Any]) -> Any:
    return ddim_eta_step(z_t, x_hat, noise, eta**2, now, then)


def shift_by_the_inverse(t: Any, k: Any) -> Any:
    return sd3_shift(t, 1 / k)


def root_of_the_mean_rate(t: Any, beta_0: Any, beta_1: Any) -> Level[Any]:
    return scaled_linear(t, beta_1, beta_0)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (cosine, cosine_without_half),
        (log_snr, half_log_snr),
        (ddim_step, step_to_x_minus_eps),
        (ddpm_step, fixed_large),
        (x_from_v, v_as_if_variance_preserving),
        (u_from_x, u_turned),
        (mse_factor_u, unsquared),
        (churn_step, rho_one_less),
        (ddim_eta_step, eta_squared),
        (sd3_shift, shift_by_the_inverse),
        (scaled_linear, root_of_the_mean_rate),
    ],
    ids=lambda f: f.__name__,
)
def test_a_wrong_formula_is_rejected(right: Formula, wrong: Formula) -> None:
    assert not any(agrees(wrong, arguments, rounded(right, arguments)) for arguments in cases(wrong))


def test_nan_does_not_agree() -> None:
    assert not agrees(
        lambda t: t * math.nan if isinstance(t, float) else t, {"t": Fraction(1, 2)}, [arb(0.5, 1)]
    )


def test_a_formula_with_an_unknown_parameter_has_no_sample_arguments() -> None:
    with pytest.raises(LookupError, match="temperature"):
        next(cases(lambda temperature: temperature))


def test_a_prediction_has_a_factor_and_both_conversions() -> None:
    assert TO_X.keys() == FROM_X.keys() == MSE_FACTOR.keys()


@pytest.mark.parametrize("kind", TO_X)
def test_conversions_undo_each_other(kind: str) -> None:
    at = point(0)
    z_t, x_hat, level = at["z_t"], at["x_hat"], at["level"]
    assert TO_X[kind](z_t, FROM_X[kind](z_t, x_hat, level), level) == x_hat
