"""Every pair of values that may stand together does, in some configuration; none that may not."""

from itertools import combinations, product

from hypothesis import given
from hypothesis import strategies as st

from equiv.obligations.covering import covering

OPTIONS = {"a": ("1", "2", "3"), "b": ("x", "y"), "c": ("p", "q", "r"), "d": ("0",), "e": ("k", "l")}
PARTS = [(name, value) for name, values in OPTIONS.items() for value in values]
REFUSED = st.lists(
    st.sampled_from([dict(p) for p in combinations(PARTS, 2) if p[0][0] != p[1][0]]), max_size=6
)


@given(REFUSED)
def test_every_pair_that_may_be_is_covered_and_no_other(refused: list[dict[str, str]]) -> None:
    made = covering(OPTIONS, (), refused)
    every = [dict(zip(OPTIONS, values, strict=True)) for values in product(*OPTIONS.values())]
    allowed = [c for c in every if not any(r.items() <= c.items() for r in refused)]
    assert all(c in allowed for c in made)
    assert pairs(made) == pairs(allowed)


def pairs(configs: list[dict[str, str]]) -> set[frozenset[tuple[str, str]]]:
    return {frozenset(pair) for c in configs for pair in combinations(c.items(), 2)}


def test_few_configurations_do_and_the_usual_come_first() -> None:
    usual = [{name: values[0] for name, values in OPTIONS.items()}]
    made = covering(OPTIONS, usual)
    assert made[0] == usual[0]
    assert 9 <= len(made) <= 12


def test_a_single_option_has_each_of_its_values() -> None:
    assert covering({"steps": ("10",)}, [{"steps": "10"}]) == [{"steps": "10"}]
