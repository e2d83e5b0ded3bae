r"""Zero terminal signal: the shift of a schedule that zeroes its last level and keeps its first.

Among the affine maps of the root of alpha-bar there is one that keeps the first value and takes the last to
zero. At alpha = 0 the noise is the state divided by sigma, whatever the data: a prediction of it says
nothing of x; v is -sigma x, and u still determines x.

Not claimed: that a given network may be used on the shifted schedule; anything about training.
"""

from collections.abc import Iterable
from typing import Any

from sympy import Gt, S, sqrt, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level
from equiv.formulas.predictions import eps_from_x, u_from_x, v_from_x, x_from_u, x_from_v
from equiv.proofs._symbols import u_hat, v_hat, x_hat, z_t

CLAIM = Claim(
    id="s-ztsnr",
    title="The shift to zero terminal signal",
    statement=r"\sqrt{\bar\alpha_t}' = (\sqrt{\bar\alpha_t} - \sqrt{\bar\alpha_T})"
    r" \frac{\sqrt{\bar\alpha_0}}{\sqrt{\bar\alpha_0} - \sqrt{\bar\alpha_T}}, \qquad"
    r" \alpha = 0:\ \hat\epsilon = \frac z\sigma,\ \hat v = -\sigma \hat x,\ \hat x = \frac z\sigma - \hat u",
    source=Source(seed="003", section="Overview", equation="implied: z_1 is close to Gaussian noise"),
    needs=("p-conversions",),
)

first, last, root, other_root = symbols("a_0 a_T a_t a_s", positive=True)
slope, offset = symbols("p q", real=True)
sigma = symbols("sigma", positive=True)
NO_SIGNAL: Level[Any] = Level(S.Zero, sigma)


def _shifted(value: Any) -> Any:
    """Of a value of alpha, the root of alpha-bar."""
    return (value - last) * first / (first - last)


def derivation() -> Derivation:
    # what an affine map p a + q is, if it takes a_0 to a_0 and a_T to 0
    solved = first / (first - last)
    return Derivation(
        chains=(
            chain("The first level stays", _shifted(first), ("the difference cancels", first)),
            chain("The last level loses its signal", _shifted(last), ("zero times the slope", S.Zero)),
            chain(
                "The order of the levels stays: the slope is positive",
                _shifted(root) - _shifted(other_root),
                ("affine", solved * (root - other_root)),
            ),
            chain(
                "An affine map that does both has this slope",
                slope * (first - last),
                (
                    "the difference of its values at a_0 and a_T",
                    (slope * first + offset) - (slope * last + offset),
                ),
            ),
            chain(
                "and this offset: it is the shift",
                solved * root + (first - solved * first),
                ("p (a_0 - a_T) is a_0, and p a_0 + q is a_0", _shifted(root)),
            ),
            chain(
                "Without signal: the noise, whatever x is",
                eps_from_x(z_t, x_hat, NO_SIGNAL),
                ("alpha is zero", z_t / sigma),
            ),
            chain("Without signal: v", v_from_x(z_t, x_hat, NO_SIGNAL), ("alpha is zero", -sigma * x_hat)),
            chain(
                "Without signal: x from v", x_from_v(z_t, v_hat, NO_SIGNAL), ("sigma cancels", -v_hat / sigma)
            ),
            chain(
                "Without signal: u", u_from_x(z_t, x_hat, NO_SIGNAL), ("alpha is zero", z_t / sigma - x_hat)
            ),
            chain(
                "Without signal: x from u",
                x_from_u(z_t, u_hat, NO_SIGNAL),
                ("divide by sigma", z_t / sigma - u_hat),
            ),
        ),
        hypotheses=(Gt(first, last, evaluate=False),),
    )


def false_variants() -> Iterable[Variant]:
    falling = (
        Gt(first, last, evaluate=False),
        Gt(root, last, evaluate=False),
        Gt(first, root, evaluate=False),
    )
    yield Variant(
        name="alpha-bar is shifted instead of its root",
        left=sqrt((root**2 - last**2) * first**2 / (first**2 - last**2)),
        right=_shifted(root),
        hypotheses=falling,
    )
    yield Variant(
        name="a shift without the scale keeps the first level",
        left=first - last,
        right=first,
        hypotheses=falling,
    )
    yield Variant(
        name="the scale is the inverse",
        left=(first - last) * (first - last) / first,
        right=first,
        hypotheses=falling,
    )
    yield Variant(name="without signal, v is x", left=v_from_x(z_t, x_hat, NO_SIGNAL), right=sigma * x_hat)
    yield Variant(
        name="without signal, the noise depends on x",
        left=eps_from_x(z_t, x_hat, NO_SIGNAL),
        right=(z_t - x_hat) / sigma,
    )
