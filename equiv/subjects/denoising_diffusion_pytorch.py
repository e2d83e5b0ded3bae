"""The diffusion classes of denoising-diffusion-pytorch, which own their model, their tables and their loop.

They are read on any rates of the noise, or on any log-SNRs.
"""

import functools
import importlib
import importlib.metadata
from collections.abc import Mapping
from typing import Any

from equiv.lookup import Unknown, find
from equiv.subjects.absent import bare_package, stand_in
from equiv.subjects.parts import Expression, Parts
from equiv.subjects.subject import Subject

_LIBRARY = "denoising_diffusion_pytorch"
_ABSENT = ("torchvision", "torchvision.transforms", "torchvision.utils", "ema_pytorch", "accelerate")
_MODULES = {
    "GaussianDiffusion": "denoising_diffusion_pytorch",
    "ContinuousTimeGaussianDiffusion": "continuous_time_gaussian_diffusion",
    "VParamContinuousTimeGaussianDiffusion": "v_param_continuous_time_gaussian_diffusion",
    "ElucidatedDiffusion": "elucidated_diffusion",
}
_OPTIONS: Mapping[str, dict[str, tuple[str, ...]]] = {
    "GaussianDiffusion": {
        "objective": ("pred_v", "pred_noise", "pred_x0"),
        "step": ("2", "3", "0"),
        "min_snr_loss_weight": ("False", "True"),
        "ddim_sampling_eta": ("0.0", "0.5"),
    },
    "ContinuousTimeGaussianDiffusion": {
        "noise_schedule": ("linear", "cosine"),
        "clip_sample_denoised": ("True", "False"),
    },
    "VParamContinuousTimeGaussianDiffusion": {"clip_sample_denoised": ("True", "False")},
    "ElucidatedDiffusion": {},
}
_NETWORK = """class Network(torch.nn.Module):
    channels = out_dim = 3
    self_condition = False
    random_or_learned_sinusoidal_cond = {continuous}
    forward = lambda self, x, t, *_: (told.append(t), next(answers).clone())[1]
told = []
"""
STEPS = 4


def names() -> tuple[str, ...]:
    """The classes that are read."""
    return tuple(f"{_LIBRARY}.{kind}" for kind in _MODULES)


@functools.cache
def subject(name: str) -> Subject:
    """The record of a class.

    Raises:
        Unknown: it is another name, or the library is not installed.
    """
    kinds = {f"{_LIBRARY}.{kind}": kind for kind in _MODULES}
    kind = find("subject", name, kinds, see=", ".join(kinds))
    return Subject(
        name=name,
        library=_LIBRARY,
        version=importlib.metadata.version(_LIBRARY),
        family="diffusion",
        time="falling, from noise to data",
        gauge="variance exploding" if kind == "ElucidatedDiffusion" else "variance preserving",
        prediction_types=("eps", "x", "v"),
        source=_module(kind).__file__,
        options=_OPTIONS[kind],
        together=(("objective", "step"),) if kind == "GaussianDiffusion" else (),
    )


@functools.cache
def _module(kind: str) -> Any:
    try:
        bare_package(_LIBRARY)
        stand_in(*_ABSENT)
        return importlib.import_module(f"{_LIBRARY}.{_MODULES[kind]}")
    except ImportError as error:
        raise Unknown(
            f"{_LIBRARY} cannot be imported ({error}): pip install einops, and pip install --no-deps "
            "denoising-diffusion-pytorch"
        ) from None


def parts(subject: Subject, config: Mapping[str, str]) -> Parts:
    """A class on a schedule of so many steps, or on log-SNRs in the place of times."""
    kind = subject.name.partition(".")[2]
    match kind:
        case "GaussianDiffusion":
            return _discrete(config)
        case "ElucidatedDiffusion":
            return _elucidated()
    return _continuous(kind, config)


def _discrete(config: Mapping[str, str]) -> Parts:
    options = (
        f"objective={config['objective']!r}, min_snr_loss_weight={config['min_snr_loss_weight']}, "
        f"ddim_sampling_eta={config['ddim_sampling_eta']}"
    )
    setup = (
        "from unittest import mock\n"
        f"from {_LIBRARY} import denoising_diffusion_pytorch as library\n"
        f"{_NETWORK.format(continuous=False)}"
        'with mock.patch.object(library, "linear_beta_schedule", lambda timesteps: beta):\n'
        "    diffusion = library.GaussianDiffusion(\n"
        f"        Network(), image_size=(5, 7), timesteps={STEPS}, sampling_timesteps=2,\n"
        f'        beta_schedule="linear", {options})\n'
        f"k = torch.full((2,), {config['step']})\n"
        "answers = iter([globals().get('net'), globals().get('again')] * 2)"
    )
    return Parts(
        setup,
        {
            "z": Expression("x eps beta", "diffusion.q_sample(x, k, eps)"),
            "x from eps": Expression("z eps beta", "diffusion.predict_start_from_noise(z, k, eps)"),
            "eps from x": Expression("z x beta", "diffusion.predict_noise_from_start(z, k, x)"),
            "v": Expression("x eps beta", "diffusion.predict_v(x, k, eps)"),
            "x from v": Expression("z u beta", "diffusion.predict_start_from_v(z, k, u)"),
            "the mean of the posterior": Expression("x z beta", "diffusion.q_posterior(x, z, k)[0]"),
            "the variance of the posterior": Expression("x z beta", "diffusion.q_posterior(x, z, k)[1]"),
            "a step": Expression("z net beta", f"diffusion.p_sample(z, {config['step']})[0]"),
            "a sample of DDIM": Expression("net again beta", "diffusion.ddim_sample((2, 3, 5, 7))"),
            "the step that interpolate tells first": Expression(
                "x net again beta",
                f"(diffusion.interpolate(x, x, t={STEPS - 1}, lam=0.0), told[0][0].double())[1]",
            ),
            "the weight of the loss": Expression("beta", f"diffusion.loss_weight[{config['step']}]"),
        },
        unit=2.0**-24,
    )


def _continuous(kind: str, config: Mapping[str, str]) -> Parts:
    named = f"noise_schedule={config['noise_schedule']!r}, " if "noise_schedule" in config else ""
    setup = (
        f"from {_LIBRARY}.{_MODULES[kind]} import {kind}\n"
        f"{_NETWORK.format(continuous=True)}"
        f"diffusion = {kind}(Network(), image_size=7, {named}"
        f"clip_sample_denoised={config['clip_sample_denoised']})\n"
        "of_time, diffusion.log_snr = diffusion.log_snr, lambda log_snr: log_snr\n"
        "answers = iter([globals().get('net')])"
    )
    return Parts(
        setup,
        {
            "log_snr": Expression("t", "of_time(t)"),
            "z": Expression("x eps high", "diffusion.q_sample(x, high, eps)[0]"),
            "a step": Expression("z net high low", "diffusion.p_sample(z, high[0], low[0])"),
        },
    )


def _elucidated() -> Parts:
    setup = (
        f"from {_LIBRARY}.elucidated_diffusion import ElucidatedDiffusion\n"
        f"{_NETWORK.format(continuous=True)}"
        "diffusion = ElucidatedDiffusion(Network(), image_size=7, sigma_data=sigma_data)\n"
        "answers = iter([globals().get('net')])"
    )
    return Parts(
        setup,
        {
            "x from the network": Expression(
                "z net sigma sigma_data", "diffusion.preconditioned_network_forward(z, sigma)"
            ),
            "what the network is fed": Expression(
                "z sigma sigma_data", "diffusion.c_in(sigma[:, None, None, None]) * z"
            ),
            "the weight of the loss": Expression("sigma sigma_data", "diffusion.loss_weight(sigma)"),
        },
    )
