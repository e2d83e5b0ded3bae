"""Tests at their level under the null, with power against a stated alternative, and false variants caught."""

import math

import pytest
import torch

from equiv.statistics import Wealth, energy_distance, mean_interval, proportion, two_samples


def normal(n: int, seed: int, shift: float = 0.0, d: int = 2) -> torch.Tensor:
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(n, d, generator=draw, dtype=torch.float64) + shift


def test_the_energy_distance_is_its_definition() -> None:
    x, y = normal(7, 0), normal(5, 1, 0.5)

    def mean_distance(a: torch.Tensor, b: torch.Tensor) -> float:
        return sum(math.dist(p, q) for p in a.tolist() for q in b.tolist()) / (len(a) * len(b))

    expected = 2 * mean_distance(x, y) - mean_distance(x, x) - mean_distance(y, y)
    assert energy_distance(x, y) == pytest.approx(expected, rel=1e-12)
    assert energy_distance(x, x) == pytest.approx(0, abs=1e-15)


def rejections(level: float, trials: int, shift: float = 0.0) -> int:
    return sum(
        two_samples(
            normal(25, 2 * i), normal(25, 2 * i + 1, shift), level=level, permutations=39, seed=i
        ).rejects
        for i in range(trials)
    )


def test_a_permutation_test_rejects_as_often_as_it_says() -> None:
    """False-alarm rate of this test: 1e-6, by the exact interval."""
    assert proportion(rejections(0.05, 400), 400, level=1e-6).low <= 0.05


def test_a_permutation_test_has_power() -> None:
    """A shift of one standard deviation in both coordinates, 25 points each, at level 5 %."""
    assert proportion(rejections(0.05, 40, shift=1.0), 40, level=1e-6).low > 0.5


def test_ties_do_not_reject() -> None:
    same = torch.zeros(20, 1)
    test = two_samples(same, same, level=0.05)
    assert not test.rejects
    assert test.p_value == 1


def test_few_permutations_and_broken_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 99"):
        two_samples(normal(5, 0), normal(5, 1), level=0.01, permutations=50)
    with pytest.raises(ValueError, match="finite"):
        two_samples(normal(5, 0), normal(5, 1) * math.nan, level=0.01)


def skewed(n: int, seed: int) -> torch.Tensor:
    """In [0, 1], rarely 1: where a normal approximation fails."""
    return (torch.rand(n, generator=torch.Generator().manual_seed(seed)) < 0.02).double()


def test_an_interval_for_a_mean_covers_it() -> None:
    """400 intervals at level 10 %; false-alarm rate of this test 1e-6."""
    missed = sum(not mean_interval(skewed(60, i), 0, 1, level=0.1).covers(0.02) for i in range(400))
    assert proportion(missed, 400, level=1e-6).low <= 0.1


def test_a_normal_interval_would_not() -> None:
    """Why the inequality: the textbook interval misses the mean of a skewed quantity far too often."""

    def misses(values: torch.Tensor) -> bool:
        room = 1.645 * values.std().item() / math.sqrt(len(values))
        return abs(values.mean().item() - 0.02) > room

    assert proportion(sum(misses(skewed(60, i)) for i in range(400)), 400, level=1e-6).low > 0.1


def test_an_interval_shrinks_with_the_deviation_not_with_the_range() -> None:
    values = 0.5 + 0.001 * torch.rand(10_000, generator=torch.Generator().manual_seed(0))
    interval = mean_interval(values, 0, 1, level=0.01)
    assert interval.high - interval.low < 0.01


def test_values_outside_the_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"1\.5"):
        mean_interval(torch.tensor([0.5, 1.5]), 0, 1, level=0.1)
    with pytest.raises(ValueError, match="nan"):
        mean_interval(torch.tensor([0.5, math.nan]), 0, 1, level=0.1)


def wealth(seed: int, shift: float, looks: int = 12) -> Wealth:
    test = Wealth()
    for i in range(looks):
        test.see(normal(25, 1000 * seed + 2 * i), normal(25, 1000 * seed + 2 * i + 1, shift))
    return test


def test_a_sequential_test_keeps_its_level_at_every_look() -> None:
    """200 nulls, each looked at after every pair, at level 20 %; false-alarm rate of this test 1e-6."""
    rejected = sum(wealth(i, 0.0).rejects(0.2) for i in range(200))
    assert proportion(rejected, 200, level=1e-6).low <= 0.2


def test_a_sequential_test_has_power() -> None:
    """A shift of one standard deviation, at most 300 pairs, at level 1 %."""
    assert sum(wealth(i, 1.0).rejects(0.01) for i in range(20)) >= 18


class Peeking(Wealth):
    """A bet chosen after its outcome is seen: no martingale."""

    def see(self, x: torch.Tensor, y: torch.Tensor) -> None:
        self._seen.append((x.double(), y.double()))
        super().see(x, y)


def test_a_bet_on_what_was_seen_is_caught() -> None:
    tests = [Peeking() for _ in range(60)]
    for seed, test in enumerate(tests):
        for i in range(12):
            test.see(normal(25, 1000 * seed + 2 * i), normal(25, 1000 * seed + 2 * i + 1))
    assert proportion(sum(t.rejects(0.2) for t in tests), 60, level=1e-6).low > 0.2


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10)])
def test_an_exact_interval_has_its_tails(k: int, n: int) -> None:
    found = proportion(k, n, level=0.05)

    def at_least(p: float) -> float:
        return sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1))

    if k > 0:
        assert at_least(found.low) == pytest.approx(0.025)
    else:
        assert found.low == 0
    if k < n:
        assert 1 - at_least(found.high) + math.comb(n, k) * found.high**k * (1 - found.high) ** (
            n - k
        ) == pytest.approx(0.025)
    else:
        assert found.high == 1
