"""Forms in some symbols, expressions written shorter, and expressions sent to another process."""

from fractions import Fraction

import pytest

from equiv.number import exp, log, maximum, sqrt
from equiv.symbolic import balls
from equiv.symbolic.affine import ONE, NotAffine, added, affine, scaled, substituted
from equiv.symbolic.expression import Expr, Relation, const, literal, node, symbol
from equiv.symbolic.simplified import Simplifier, follow
from equiv.symbolic.transport import packed, packed_relations, unpacked, unpacked_relations

Z, N = symbol("z"), symbol("n", "noise")
R, S = (symbol(name, "schedule", positive=True) for name in ("r", "s"))
AT = {R: Fraction(7, 3), S: Fraction(2, 5), Z: Fraction(3), N: Fraction(-2)}
FALLING = (Relation(S, "<", R),)


@pytest.mark.parametrize(
    "e",
    [
        Z,
        R * Z - N / (1 + S),
        -(Z + 2 * N) * sqrt(R),
        (Z - N) / R * S - 3 * (Z - R),
        node("cast", Z * R, param=("float32", "float64")),
        const(4) + R,
    ],
    ids=str,
)
def test_a_form_is_the_expression(e: Expr) -> None:
    form = affine(e, (Z, N))
    total = form.get(ONE, const(0)) + form.get(Z, const(0)) * Z + form.get(N, const(0)) * N
    assert balls.evaluate(e - total, AT).contains(0)
    assert not balls.apart(balls.evaluate(e, AT), balls.evaluate(total, AT))


@pytest.mark.parametrize("e", [Z * N, Z * Z, R / Z, sqrt(Z), maximum(Z, 1), abs(Z), Z**2, exp(N)], ids=str)
def test_what_is_not_affine_operation_by_operation_is_refused(e: Expr) -> None:
    with pytest.raises(NotAffine) as refused:
        affine(R * e + 1, (Z, N))
    assert refused.value.operation is e


def test_nothing_is_cancelled_to_make_it_affine() -> None:
    with pytest.raises(NotAffine):
        affine(Z * N / N, (Z, N))


def test_a_form_in_a_form_is_the_composition() -> None:
    outer, inner = affine(2 * Z + R * N, (Z, N)), affine(S * Z - N, (Z, N))
    got = substituted(outer, {Z: inner})
    expected = added(scaled(inner, const(2)), {N: R})
    assert all(balls.evaluate(got[k] - expected[k], AT).contains(0) for k in (Z, N))


def test_what_is_shorter_is_equal_and_says_what_it_rests_on() -> None:
    shorten = Simplifier(FALLING, {R: AT[R], S: AT[S]})
    e = (R * R - S * S) / (R - S)
    assert str(shorten.of(e)) in {"r + s", "s + r"}
    assert not shorten.assumed  # that r is not s follows from s < r
    open_ended = (R * R - 1) / (R - 1)
    assert balls.evaluate(shorten.of(open_ended) - (R + 1), AT).contains(0)
    assert [str(r) for r in shorten.assumed] == ["r - 1 != 0"]


def test_an_infinity_that_comes_to_nothing_is_nothing() -> None:
    zero = const(0)
    assert Simplifier(FALLING, AT).of(R * exp(log(zero) - log(R))) is zero


def test_a_float_is_left_for_the_decision() -> None:
    e = literal(0.1) * R / R
    assert Simplifier(FALLING, AT).of(e) is e


def test_what_follows_is_not_repeated_and_what_does_not_is_kept() -> None:
    wanted = [
        Relation(log(R) - log(S), "!=", 0),
        Relation(0, "<=", R),
        Relation(R, "<", 5),
        Relation(const(1), "<", const(2)),
    ]
    left = follow(wanted, FALLING, {R: AT[R], S: AT[S]})
    assert [str(r) for r in left] == ["r - 5 < 0"]
    assert follow([Relation(const(2), "<", const(1))], FALLING, AT)


def test_expressions_come_back_as_the_same_objects() -> None:
    roots = [R * Z + literal(0.1), sqrt(R) / S, node("cast", Z, param=("float64", "float32"))]
    assert unpacked(*packed(roots)) == roots
    (relation,) = unpacked_relations(packed_relations([Relation(R, "<", S + 1)]))
    assert relation == Relation(R, "<", S + 1)
    with pytest.raises(ValueError, match="uninterpreted"):
        packed([node("call", Z, param=("erf",))])
