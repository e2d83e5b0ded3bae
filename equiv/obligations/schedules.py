"""The schedule that each path names, from its paper, as its level at a time of its own."""

from collections.abc import Callable, Mapping
from fractions import Fraction

from equiv.formulas import schedules
from equiv.formulas.levels import Level
from equiv.number import sqrt
from equiv.obligations.identities import Identity
from equiv.subjects.parts import variable
from equiv.symbolic.calculus import derivative
from equiv.symbolic.expression import Expr, Relation, const

Config = Mapping[str, str]
Schedule = Callable[[Expr, Config], Level[Expr]]
T = variable("t")
INSIDE = (Relation(const(0), "<", T), Relation(T, "<", const(1)))
X, EPS, Z, N, U, SNR = (variable(name) for name in ("x", "eps", "z", "n", "u", "snr"))


def _straight(t: Expr, _: Config) -> Level[Expr]:
    return schedules.flow_matching(1 - t)


def _cosine(t: Expr, _: Config) -> Level[Expr]:
    return schedules.cosine(1 - t)


def _vp(t: Expr, _: Config) -> Level[Expr]:
    return schedules.ddpm_linear(1 - t, variable("beta_min"), variable("beta_max"))


def _linear_vp(t: Expr, _: Config) -> Level[Expr]:
    return schedules.variance_preserving(Level(t / sqrt(1 - t * t), const(1)))


def _polynomial(t: Expr, config: Config) -> Level[Expr]:
    kept = t ** int(config["n"])
    return Level(kept, 1 - kept)


SCHEDULES: Mapping[str, Schedule] = {
    "flow_matching.CondOTScheduler": _straight,
    "flow_matching.CosineScheduler": _cosine,
    "flow_matching.VPScheduler": _vp,
    "flow_matching.LinearVPScheduler": _linear_vp,
    "flow_matching.PolynomialConvexScheduler": _polynomial,
}


def _independent(spread: Expr) -> Expr:
    return T * X + (1 - T) * EPS + spread * N


def _target(spread: Expr) -> Expr:
    return T * X + (1 - (1 - spread) * T) * N


def _bridge(spread: Expr) -> Expr:
    return T * X + (1 - T) * EPS + spread * sqrt(T * (1 - T)) * N


def _trigonometric(spread: Expr) -> Expr:
    kept = schedules.cosine(1 - T)
    return kept.alpha * X + kept.sigma * EPS + spread * N


PATHS: Mapping[str, Callable[[Expr], Expr]] = {
    "torchcfm.ConditionalFlowMatcher": _independent,
    "torchcfm.TargetConditionalFlowMatcher": _target,
    "torchcfm.SchrodingerBridgeConditionalFlowMatcher": _bridge,
    "torchcfm.VariancePreservingConditionalFlowMatcher": _trigonometric,
}
GUARD = const(Fraction(1, 10**8))  # raises the denominator of the bridge's velocity, 2 t (1 - t)


def path(subject: str, config: Config) -> list[Identity]:
    """The state at t, and its velocity at fixed ends and noise."""
    if subject in SCHEDULES:
        state, velocity = (mixed(of(subject, config)) for of in (level, rates))
        return [Identity("z", state), Identity("velocity", velocity)]
    state = PATHS[subject](variable("spread"))
    velocity = derivative(state, T, lambda _: None)
    if subject == "torchcfm.SchrodingerBridgeConditionalFlowMatcher":
        own = state - T * X - (1 - T) * EPS
        velocity = X - EPS + own * (1 - 2 * T) / (2 * T * (1 - T) + GUARD)
    return [Identity("z", state), Identity("velocity", velocity, {Z: state})]


def level(subject: str, config: Config) -> Level[Expr]:
    """At the time t."""
    return SCHEDULES[subject](T, config)


def rates(subject: str, config: Config) -> Level[Expr]:
    """The derivatives of the level."""
    return Level(*(derivative(e, T, lambda _: None) for e in level(subject, config)))


def mixed(of: Level[Expr]) -> Expr:
    """Data and noise, in the shares of a level or of its rates."""
    return of.alpha * X + of.sigma * EPS


def converted(subject: str, config: Config) -> list[Identity]:
    """What stands for a prediction of one kind must give back what stands for another.

    At z = alpha x + sigma eps, and with the velocity alpha' x + sigma' eps: that is so of any z and any
    prediction, for some x and eps.
    """
    state = mixed(level(subject, config))
    meant = {"x": X, "eps": EPS, "velocity": mixed(rates(subject, config))}
    given = {Z: state, U: meant["velocity"]}
    return [Identity(f"{to} from {of}", meant[to], given) for of in meant for to in meant if of != to]
