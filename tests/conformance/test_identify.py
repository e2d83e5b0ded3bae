"""What samplers are: of libraries as released, of a file, and some that are nothing known."""

from pathlib import Path

import pytest

from equiv.identify import _family, apart, identify
from equiv.lookup import Unknown
from equiv.samplers import read, sampler

CODE = """
def parts(z, x_hat, alpha_t, sigma_t, alpha_s, sigma_s):
    return sigma_s * alpha_t / (alpha_s * sigma_t), (z - alpha_t * x_hat) / sigma_t

def stepped(kept, z, x_hat, alpha_t, sigma_t, alpha_s, sigma_s, noise):
    _, eps = parts(z, x_hat, alpha_t, sigma_t, alpha_s, sigma_s)
    return alpha_s * x_hat + sigma_s * (kept * eps + (1 - kept ** 2).sqrt() * noise)

def churn(z, x_hat, alpha_t, sigma_t, alpha_s, sigma_s, noise):
    kappa, _ = parts(z, x_hat, alpha_t, sigma_t, alpha_s, sigma_s)
    return stepped(kappa ** 1.3, z, x_hat, alpha_t, sigma_t, alpha_s, sigma_s, noise)

def eta(z, x_hat, alpha_t, sigma_t, alpha_s, sigma_s, noise):
    kappa, _ = parts(z, x_hat, alpha_t, sigma_t, alpha_s, sigma_s)
    kept = (1 - 0.3 * (1 - kappa ** 2)).sqrt()
    return stepped(kept, z, x_hat, alpha_t, sigma_t, alpha_s, sigma_s, noise)

def nearly(z, x_hat, alpha_t, sigma_t, alpha_s, sigma_s):
    _, eps = parts(z, x_hat, alpha_t, sigma_t, alpha_s, sigma_s)
    return alpha_s * x_hat + sigma_s * 0.99 * eps

def clipped(z, x_hat, alpha_t, sigma_t, alpha_s, sigma_s):
    _, eps = parts(z, x_hat, alpha_t, sigma_t, alpha_s, sigma_s)
    return alpha_s * x_hat.clamp(-1, 1) + sigma_s * eps
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("code") / "mine.py"
    path.write_text(CODE)
    return str(path)


def first(spec: str) -> str:
    found = identify(spec)
    assert found.known, found.lines
    return found.lines[0].partition(": ")[2]


def test_rho_is_solved_for_and_proved(mine: str) -> None:
    found = identify(f"{mine}:churn")
    assert found.known
    assert "the churn family (rho = 23/10)" in found.lines[0]
    assert "DDIM over rho times the log-SNR, then renoised (rho = 23/10)" in found.lines[0]
    assert any("the constant 1.3 stands for 13/10" in line for line in found.lines)


def test_eta_may_be_the_root_of_a_rational(mine: str) -> None:
    assert "DDIM with eta (eta = sqrt(3/10))" in identify(f"{mine}:eta").lines[0]


def test_what_is_of_no_family_says_so_with_the_nearest_and_the_distance(mine: str) -> None:
    found = identify(f"{mine}:nearly")
    assert not found.known
    text = "\n".join(found.lines)
    assert "no formula of the textbook" in text
    assert "the nearest: DDIM; the largest difference of an entry is 0.00" in text
    assert "the state fed at call 1 has not the level" in text


def test_what_clips_is_not_identified(mine: str) -> None:
    found = identify(f"{mine}:clipped")
    assert not found.known
    assert "outside" in found.lines[0] and "a clip" in found.lines[0]


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("diffusers.DDPMScheduler", "DDPM"),
        ("k_diffusion.sample_euler_ancestral,eta=0.5", "DDIM with eta (eta = 1/2)"),
        ("k_diffusion.sample_euler,s_churn=1", "Euler after churn (EDM) (gamma = 1/5)"),
        ("smalldiffusion.samples,mu=0.5", "the churn family (rho = 2)"),
        ("diffusers.DPMSolverMultistepScheduler", "UniP-2 (b_h = bh2)"),
    ],
)
def test_released_samplers_are_what_they_are(spec: str, says: str) -> None:
    assert says in first(spec).split(" = the ")[0] or says in first(spec)


def test_grids_have_their_family() -> None:
    def grid(spec: str) -> str:
        return next(line for line in identify(spec).lines if "grid" in line)

    assert "rho = 7 (Karras)" in grid("diffusers.EDMEulerScheduler")
    assert "even in the time of a flow" in grid("diffusers.FlowMatchEulerDiscreteScheduler")
    assert "even in training steps, from 900" in grid("diffusers.DDIMScheduler")
    assert "the levels that it is given" in grid("k_diffusion.sample_heun")


def test_shift_and_order_of_a_grid_are_solved_for() -> None:
    times = [1 - k / 10 for k in range(1, 10)]
    shifted = [3 * t / (1 + 2 * t) for t in times]
    assert "shifted by 3" in _family([t / (1 - t) for t in shifted], times)
    karras = [(2 - k / 8) ** 5 for k in range(9)]
    assert "rho = 5 (Karras)" in _family(karras, times)
    assert _family([0.5**k for k in range(9)], times) == "even in log sigma"
    bent = [1 / (k + 1) ** 0.3 - 0.05 * k for k in range(9)]
    assert "of no family" in _family(bent, [t * t for t in times])


def test_what_would_make_two_samplers_one_is_the_parameter_of_a_family_of_both() -> None:
    ddim, ddpm, heun = (
        read(sampler(f"diffusers.{name}Scheduler")) for name in ("DDIM", "DDPM", "HeunDiscrete")
    )
    assert "the churn family (rho = 1 and 2)" in apart(ddim, ddpm)
    assert "no family of the textbook has both" in apart(ddim, heun)


def test_a_formula_is_not_unknown() -> None:
    with pytest.raises(Unknown, match="is a formula already"):
        identify("formulas.ddim")
