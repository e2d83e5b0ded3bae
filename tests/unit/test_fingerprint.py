"""The matrices of a sampler, their reduction, and the first entry in which two differ."""

from collections.abc import Callable
from itertools import pairwise

from equiv.fingerprint import Agreement, Difference, Fingerprint, Lengths, Rows, difference, reduced
from equiv.symbolic.affine import ONE, Form, added, scaled
from equiv.symbolic.decision import Domain, Equal, decide
from equiv.symbolic.expression import Expr, const, symbol
from equiv.unrolled import common_grid, ratio

R = [ratio(j) for j in range(3)]
FALLING = common_grid(3)
START = symbol("zeta")
ZERO = const(0)
Step = Callable[[Expr, Expr], tuple[Expr, Expr, Expr]]  # of the state, the output and the draw


def ddim(r_t: Expr, r_s: Expr) -> tuple[Expr, Expr, Expr]:
    return r_s / r_t, 1 - r_s / r_t, ZERO


def ancestral(r_t: Expr, r_s: Expr) -> tuple[Expr, Expr, Expr]:
    share = (r_s / r_t) * (r_s / r_t)
    return share, 1 - share, r_s * (1 - share) ** const(1) / (1 - share) ** (ONE / 2)


def answer(j: int) -> Expr:
    return symbol(f"x_{j}", "network")


def run(step: Step, *grid: Expr, signs: tuple[int, ...] = (1, 1)) -> Fingerprint:
    rows: list[Form] = [{START: ONE}]
    for j, (t, s) in enumerate(pairwise(grid)):
        state, output, draw = step(t, s)
        row = added(scaled(rows[-1], state), {answer(j): output})
        if draw is not ZERO:
            row = added(row, {symbol(f"n_{j}", "noise"): signs[j] * draw})
        rows.append(row)
    answers = tuple(answer(j) for j in range(len(grid) - 1))
    return Rows(told=tuple(grid[:-1]), start=START, answers=answers, rows=tuple(rows)).fingerprint()


def rows(told: tuple[Expr, ...], *given: Form) -> Fingerprint:
    answers = tuple(answer(j) for j in range(len(told)))
    return Rows(told=told, start=START, answers=answers, rows=given).fingerprint()


def test_two_ddim_steps_are_the_unrolled_recursion() -> None:
    found = run(ddim, *R)
    y, x0, x1 = symbol("y"), symbol("x0"), symbol("x1")
    unrolled = (R[2] / R[1]) * ((R[1] / R[0]) * y + (1 - R[1] / R[0]) * x0) + (1 - R[2] / R[1]) * x1
    from_matrices = found.start[2] * y + found.outputs[2][0] * x0 + found.outputs[2][1] * x1
    given = Domain(*FALLING.relations)
    assert isinstance(decide(from_matrices, unrolled, given), Equal)


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
    assert found.how == "path"


def test_a_draw_of_the_other_sign_is_the_same_law_but_not_the_same_path() -> None:
    found = difference(run(ancestral, *R), run(ancestral, *R, signs=(1, -1)), FALLING)
    assert isinstance(found, Agreement)
    assert found.how == "law"


def test_the_first_difference_is_named() -> None:
    found = difference(run(ddim, *R), run(ancestral, *R), FALLING)
    assert isinstance(found, Difference)
    assert found.entry == "c[1]"


def test_a_step_of_the_same_mean_but_no_noise_differs_in_its_covariance() -> None:
    def silent(r_t: Expr, r_s: Expr) -> tuple[Expr, Expr, Expr]:
        return (*ancestral(r_t, r_s)[:2], ZERO)

    found = difference(run(ancestral, *R), run(silent, *R), FALLING)
    assert isinstance(found, Difference)
    assert found.entry == "W[1,1]"


def test_another_level_told_is_a_difference_before_any_weight() -> None:
    one = rows((R[0],), {START: ONE}, {answer(0): ONE})
    other = rows((R[1],), {START: ONE}, {answer(0): ONE})
    found = difference(one, other, FALLING)
    assert isinstance(found, Difference)
    assert found.entry == "level told at call 0"


def test_a_start_turned_around_has_the_same_law_from_a_normal_start_alone() -> None:
    one, turned = (rows((R[0],), {START: sign}, {answer(0): ONE, START: sign}) for sign in (ONE, const(-1)))
    assert isinstance(difference(one, turned, FALLING), Difference)
    found = difference(one, turned, FALLING, spread=R[0])
    assert isinstance(found, Agreement)
    assert found.how == "law from a normal start"
    half = rows((R[0],), {START: ONE}, {answer(0): ONE, START: const(-1)})
    assert isinstance(difference(one, half, FALLING, spread=R[0]), Difference)  # c_0 c_1 has another sign


def test_a_start_drawn_again_has_the_same_law_from_a_start_of_that_deviation_alone() -> None:
    given = rows((R[0],), {START: ONE}, {answer(0): ONE})
    again = rows((R[0],), {symbol("n", "noise"): R[0]}, {answer(0): ONE})
    found = difference(given, again, FALLING, spread=R[0])
    assert isinstance(found, Agreement)
    assert found.how == "law from a normal start"
    assert isinstance(difference(given, again, FALLING, spread=R[1]), Difference)


# --- reduction ------------------------------------------------------------------------------------------


def test_a_call_that_nothing_rests_on_goes() -> None:
    idle = rows(
        (R[0], R[1]),
        {START: ONE},
        {START: ONE, answer(0): ONE},
        {answer(0): ONE, answer(1): R[1] - R[1]},
    )
    found = reduced(idle, FALLING)
    assert found.fingerprint.calls == 1
    assert found.fingerprint.told == (R[0],)
    assert not found.doubts


def test_calls_asked_the_same_are_one_and_their_weights_add_up() -> None:
    twice = rows(
        (R[0], R[0]),
        {START: ONE},
        {START: R[1] / R[1]},
        {answer(0): R[0], answer(1): R[1]},
    )
    found = reduced(twice, FALLING)
    assert found.fingerprint.calls == 1
    assert isinstance(decide(found.fingerprint.outputs[1][0], R[0] + R[1], FALLING), Equal)


def test_calls_with_noise_of_their_own_are_not_asked_the_same() -> None:
    def noisy(second: str) -> Fingerprint:
        return rows(
            (R[0], R[0]),
            {START: ONE, symbol("n_0", "noise"): ONE},
            {START: ONE, symbol(second, "noise"): ONE},
            {answer(0): ONE, answer(1): ONE},
        )

    assert reduced(noisy("n_0"), FALLING).fingerprint.calls == 1
    assert reduced(noisy("n_1"), FALLING).fingerprint.calls == 2


def test_the_order_in_which_independent_calls_are_made_does_not_matter() -> None:
    def asked(first: Expr, second: Expr) -> Fingerprint:
        weight = {R[0]: const(2), R[1]: const(3)}
        return rows(
            (first, second),
            {START: first},
            {START: second},
            {answer(0): weight[first], answer(1): weight[second]},
        )

    one, other = (reduced(asked(*order), FALLING).fingerprint for order in (R[:2], R[1::-1]))
    assert isinstance(difference(one, other, FALLING), Agreement)
    assert isinstance(difference(asked(*R[:2]), asked(*R[1::-1]), FALLING), Difference)


def test_another_number_of_calls_is_a_difference() -> None:
    found = difference(run(ddim, *R), run(ddim, *R[:2]), FALLING)
    assert isinstance(found, Lengths)
    assert found.calls == (2, 1)


def test_what_is_not_known_to_be_zero_is_a_doubt() -> None:
    unknown = symbol("x", "network")  # what is divided by a state may be undefined, so nothing is decided
    hidden = rows((R[0],), {START: ONE}, {answer(0): unknown / unknown - 1})
    found = reduced(hidden, Domain(at={**FALLING.at, unknown: ONE.param}))
    assert found.doubts
