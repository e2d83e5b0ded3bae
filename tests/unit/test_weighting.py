"""What losses weigh: known ones by name and constant, others not, and what is no weighted square error."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from equiv.identify import identify
from equiv.lookup import Unknown
from equiv.weighting import LAMBDAS, NotALoss, identified, weighting


def flow(u_hat: Tensor, x: Tensor, eps: Tensor, t: Tensor) -> Tensor:
    return ((u_hat - (eps - x)) ** 2).mean()


def cosine_v(v_hat: Tensor, x: Tensor, eps: Tensor, t: Tensor) -> Tensor:
    alpha, sigma = torch.cos(torch.pi * t / 2), torch.sin(torch.pi * t / 2)
    return ((v_hat - (alpha * eps - sigma * x)) ** 2).mean()


def min_snr(x_hat: Tensor, x: Tensor, eps: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
    return ((alpha**2 / sigma**2).clamp(max=5) * (x_hat - x) ** 2).mean()


def wrong_sign(u_hat: Tensor, x: Tensor, eps: Tensor, t: Tensor) -> Tensor:
    return ((u_hat - (x - eps)) ** 2).mean()


def absolute(x_hat: Tensor, x: Tensor, eps: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
    return (x_hat - x).abs().mean()


def tilted(eps_hat: Tensor, x: Tensor, eps: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
    return (alpha**0.001 * (eps_hat - eps) ** 2).mean()


def test_flow_matching_is_half_the_exponential() -> None:
    found = weighting(flow, "flow")
    expected = [math.exp(-lam / 2) / 2 for lam in LAMBDAS]
    assert found.values == pytest.approx(expected, rel=1e-12)
    assert list(identified(found)) == ["the flow-matching weighting, e^(-lambda/2), times 1"]


def test_v_on_the_cosine_schedule_is_that_times_two_over_pi() -> None:
    (said,) = identified(weighting(cosine_v, "cosine"))
    assert said == "the flow-matching weighting, e^(-lambda/2), times 2/pi"


def test_a_loss_of_the_level_is_known_without_a_schedule() -> None:
    (said,) = identified(weighting(min_snr))
    assert said.startswith("min-SNR with gamma = 5, in the noise error")


def test_on_another_schedule_it_is_another_weighting_or_no_square_error() -> None:
    (said,) = identified(weighting(flow, "cosine"))
    assert said.startswith("no weighting")
    with pytest.raises(NotALoss, match="at the truth"):
        weighting(cosine_v, "flow")


def test_a_slight_tilt_is_no_known_weighting() -> None:
    (said,) = identified(weighting(tilted))
    assert said.startswith("no weighting that is named here; the nearest: the square error of eps")


def test_what_is_no_weighted_square_error_says_so() -> None:
    with pytest.raises(NotALoss, match="at the truth"):
        weighting(wrong_sign, "flow")
    with pytest.raises(NotALoss, match="no weighted square error"):
        weighting(absolute)


def test_what_is_missing_is_asked_for() -> None:
    with pytest.raises(NotALoss, match="schedule="):
        weighting(flow)
    with pytest.raises(NotALoss, match="a loss takes"):
        weighting(lambda a, b: a)


def test_a_loss_in_a_file_is_identified_and_its_options_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("def loss(u_hat, x, eps, t):\n    return ((u_hat - (eps - x)) ** 2).mean()\n")
    found = identify(f"{path}:loss,schedule=flow")
    assert found.known
    assert "the flow-matching weighting" in found.lines[0]
    with pytest.raises(Unknown, match="schedule="):
        identify(f"{path}:loss")
    with pytest.raises(Unknown, match="takes schedule=, not"):
        identify(f"{path}:loss,gauge=ve")
