r"""The conditional flow of Lipman et al. is straight; without a last noise it is that of the source.

In their time T, from noise to data, the state given x has the mean T x and the deviation 1 - (1 - sigma_min)
T. The velocity alpha' x + sigma' eps of such a path is the stated field of the state. Its flow from a noise
e, T x + (1 - (1 - sigma_min) T) e, follows the field, and its velocity x - (1 - sigma_min) e does not
change. With sigma_min = 0 and t = 1 - T, the field is minus (z - x) / t, the velocity of the path (1 - t) x
+ t e.

Not claimed: that the flow of the mean velocity is straight (w-marginal-not-straight).
"""

from collections.abc import Iterable
from typing import Any

from sympy import Lt, Rational, S, symbols

from equiv.claim import Claim, Derivation, Source, Variant, chain
from equiv.formulas.levels import Level
from equiv.formulas.predictions import eps_from_x, u_from_x
from equiv.formulas.schedules import flow_matching
from equiv.proofs._calculus import rate
from equiv.proofs._densities import x, z
from equiv.proofs._symbols import inside, t

CLAIM = Claim(
    id="w-lipman-path",
    title="The conditional flow with a last noise",
    statement=r"z_T = T x + (1 - (1 - \sigma_{\min}) T)\, \epsilon: \qquad"
    r" u_T(z | x) = \frac{x - (1 - \sigma_{\min}) z}{1 - (1 - \sigma_{\min}) T}, \qquad \ddot z_T = 0,"
    r" \qquad \sigma_{\min} = 0: \; u_T(z | x) = -\frac{z - x}t",
    source=Source(
        seed="000",
        section="Key Findings, in focus",
        equation="Gaussian probability paths, as in Lipman et al. 2022",
    ),
    needs=("w-marginalization",),
)

last = symbols("sigma_min", positive=True)
e = symbols("epsilon", real=True)
time = symbols("T", positive=True)


def _level() -> Level[Any]:
    return Level(time, 1 - (1 - last) * time)


def _field(state: Any, least: Any) -> Any:
    return (x - (1 - least) * state) / (1 - (1 - least) * time)


def _path() -> Any:
    return _level().alpha * x + _level().sigma * e


def derivation() -> Derivation:
    level = _level()
    return Derivation(
        chains=(
            chain(
                "The velocity of the path through x and z",
                rate(level.alpha, time) * x + rate(level.sigma, time) * eps_from_x(z, x, level),
                ("the stated field", _field(z, last)),
            ),
            chain(
                "The flow follows the field",
                _field(_path(), last),
                ("the time cancels", x - (1 - last) * e),
                ("the derivative of the path", rate(_path(), time)),
            ),
            chain("Its acceleration", rate(rate(_path(), time), time), ("the velocity is constant", S.Zero)),
            chain("It starts at the noise", _path().subs(time, 0), ("no signal", e)),
            chain(
                "It ends at the data, but for the last noise",
                _path().subs(time, 1),
                ("all signal", x + last * e),
            ),
            chain(
                "Without a last noise, in the time of the source",
                _field(z, S.Zero).subs(time, 1 - t),
                ("T is 1 - t", -(z - x) / t),
                ("minus the velocity eps - x", -u_from_x(z, x, flow_matching(t))),
            ),
        ),
        hypotheses=(inside(t), inside(time), inside(last)),
    )


def false_variants() -> Iterable[Variant]:
    level = _level()
    of_path = rate(level.alpha, time) * x + rate(level.sigma, time) * eps_from_x(z, x, level)
    within = (inside(t), inside(time), Lt(last, Rational(1, 4), evaluate=False))
    for name, wrong in (
        ("sigma_min in place of 1 - sigma_min", (x - last * z) / (1 - last * time)),
        ("the last noise left out", _field(z, S.Zero)),
        ("the last noise left out of the denominator", (x - (1 - last) * z) / (1 - time)),
        ("the field turned", -_field(z, last)),
    ):
        yield Variant(name=name, left=of_path, right=wrong, hypotheses=within)
    yield Variant(
        name="the same field in the time of the source, its sign kept",
        left=_field(z, S.Zero).subs(time, 1 - t),
        right=u_from_x(z, x, flow_matching(t)),
        hypotheses=within,
    )
    yield Variant(
        name="the velocity given x is the same at every state",
        left=_field(z, last),
        right=x - (1 - last) * e,
        hypotheses=within,
    )
