"""The matrices of a sampler, and the first entry in which two differ."""

from itertools import pairwise

from equiv.fingerprint import AffineStep, Agreement, Difference, difference, fingerprint
from equiv.symbolic.decision import Domain, Equal, decide
from equiv.symbolic.expression import Expr, Relation, const, symbol

R = [symbol(f"r_{j}", "schedule", positive=True) for j in range(3)]
FALLING = Domain(Relation(R[1], "<", R[0]), Relation(R[2], "<", R[1]))


def ddim(r_t: Expr, r_s: Expr) -> AffineStep:
    return AffineStep(told=r_t, state=r_s / r_t, output=1 - r_s / r_t, variance=const(0))


def ancestral(r_t: Expr, r_s: Expr) -> AffineStep:
    share = (r_s / r_t) * (r_s / r_t)
    return AffineStep(told=r_t, state=share, output=1 - share, variance=r_s * r_s * (1 - share))


def run(step, *grid: Expr):  # type: ignore[no-untyped-def]
    return fingerprint([step(t, s) for t, s in pairwise(grid)])


def test_two_ddim_steps_are_the_unrolled_recursion() -> None:
    found = run(ddim, *R)
    y, x0, x1 = symbol("y"), symbol("x0"), symbol("x1")
    unrolled = (R[2] / R[1]) * ((R[1] / R[0]) * y + (1 - R[1] / R[0]) * x0) + (1 - R[2] / R[1]) * x1
    from_matrices = found.start[2] * y + found.outputs[2][0] * x0 + found.outputs[2][1] * x1
    assert isinstance(decide(from_matrices, unrolled, FALLING), Equal)


def test_the_covariance_of_two_draws_is_carried_forward() -> None:
    found = run(ancestral, *R)
    share = (R[2] / R[1]) * (R[2] / R[1])
    first = R[1] * R[1] * (1 - (R[1] / R[0]) * (R[1] / R[0]))
    assert isinstance(decide(found.covariance[2][1], share * first, FALLING), Equal)
    total = share * share * first + R[2] * R[2] * (1 - share)
    assert isinstance(decide(found.covariance[2][2], total, FALLING), Equal)


def test_a_sampler_does_not_differ_from_itself() -> None:
    found = difference(run(ancestral, *R), run(ancestral, *R), FALLING)
    assert isinstance(found, Agreement)


def test_the_first_difference_is_named() -> None:
    found = difference(run(ddim, *R), run(ancestral, *R), FALLING)
    assert isinstance(found, Difference)
    assert found.entry == "c[1]"


def test_a_step_of_the_same_mean_but_no_noise_differs_in_its_covariance() -> None:
    def silent(r_t: Expr, r_s: Expr) -> AffineStep:
        step = ancestral(r_t, r_s)
        return AffineStep(told=r_t, state=step.state, output=step.output, variance=const(0))

    found = difference(run(ancestral, *R), run(silent, *R), FALLING)
    assert isinstance(found, Difference)
    assert found.entry == "W[1,1]"
