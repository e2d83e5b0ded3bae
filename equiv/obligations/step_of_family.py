r"""Which one-step sampler a run takes: a member of the churn family, by what it keeps of the state.

Exact on every point, a step :math:`z_s = a z_t + b \hat x + w` has :math:`b = \alpha_s - a \alpha_t` and
:math:`\mathrm{Var}\, w = \sigma_s^2 - a^2 \sigma_t^2`, so that a alone tells one from another:
:math:`a = \kappa^{\rho - 1} \sigma_s / \sigma_t`, which for DDIM with eta is
:math:`\sqrt{1 - \eta^2 (1 - \kappa^2)}\, \sigma_s / \sigma_t`.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from equiv.formulas.levels import Level, kappa
from equiv.formulas.predictions import FROM_X
from equiv.number import sqrt
from equiv.subjects.run import LiftedRun
from equiv.symbolic import balls
from equiv.symbolic.decision import Domain, Equal, decide
from equiv.symbolic.expression import Expr, const, substitute, symbol, symbols

STATE, DATA = symbol("z_t"), symbol("x_hat", "network")
ZERO, ONE = const(0), const(1)


def name(run: LiftedRun) -> str:
    """The member that every step to another level is, in words; nothing for samplers of another kind."""
    if len(run.queries) != len(run.listed) - 1 or len(run.queries) < 2:
        return ""
    steps = [_step(run, k) for k in range(len(run.queries) - 1)]
    taken = [step for step in steps if step is not None]
    if len(taken) < len(steps):
        return ""
    value, share, falls = (_value(run, e) for e in (taken[-1].kept, taken[-1].share, taken[-1].kappa))
    if value == 0:
        return "each step is a fresh draw at the next level (rho is infinite)"
    if share < 0:
        return "each step turns the noise of the state round: exact on a point, and not of the churn family"
    rho = 1 + math.log(share) / math.log(falls)
    if found := _rho(run, taken, rho) or _eta(run, taken, (1 - share**2) / (1 - falls**2)):
        return f"each step is {found}"
    return f"each step is of the churn family, with a rho that depends on the levels, such as {rho:.6g}"


class Step(NamedTuple):
    """What a step keeps of the state, and from where to where it goes."""

    kept: Expr
    now: Level[Expr]
    then: Level[Expr]

    @property
    def share(self) -> Expr:
        """Of what DDIM keeps."""
        return self.kept * self.now.sigma / self.then.sigma

    @property
    def kappa(self) -> Expr:
        """By how much the noise falls."""
        return kappa(self.now, self.then)


def _value(run: LiftedRun, e: Expr) -> float:
    return float(balls.evaluate(e, run.point).mid())


def _step(run: LiftedRun, k: int) -> Step | None:
    """What the state fed at the next call keeps of the one at call k.

    None if it rests on more than that and fresh noise.
    """
    query, following = run.queries[k], run.queries[k + 1]
    now = run.grid.level(query.told)
    answer = FROM_X[run.prediction.removeprefix("minus ")](STATE, DATA, now)
    after = substitute(following.fed, {query.fed: STATE})
    after = substitute(after, {query.answer: -answer if run.prediction.startswith("minus ") else answer})
    inputs = {s for s in symbols(after) if s.param.role in {"state", "network"}}
    if not inputs <= {STATE, DATA}:
        return None
    drawn = {s for s in symbols(after) if s.param.role == "noise"}
    if drawn & set(symbols(*(q.fed for q in run.queries[: k + 1]))):
        return None
    zero = dict.fromkeys(drawn, ZERO)
    return Step(substitute(after, {**zero, STATE: ONE, DATA: ZERO}), now, run.grid.level(following.told))


def _rho(run: LiftedRun, steps: Sequence[Step], value: float) -> str:
    rho = Fraction(value).limit_denominator(12)
    known = "DDIM's" if rho == 1 else "DDPM's" if rho == 2 else "of the churn family"
    right = [step.kappa ** const(rho - 1) for step in steps]
    return f"{known} (rho = {rho})" if _all_equal(run, steps, right) else ""


def _eta(run: LiftedRun, steps: Sequence[Step], square: float) -> str:
    eta = Fraction(math.sqrt(max(square, 0.0))).limit_denominator(100)
    right = [sqrt(1 - const(eta**2) * (1 - step.kappa**2)) for step in steps]
    return f"DDIM's with eta = {eta}" if _all_equal(run, steps, right) else ""


def _all_equal(run: LiftedRun, steps: Sequence[Step], right: Sequence[Expr]) -> bool:
    domain = Domain(*run.relations, at=run.point)
    return all(isinstance(decide(s.share, e, domain), Equal) for s, e in zip(steps, right, strict=True))
