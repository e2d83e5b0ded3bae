"""The networks to test on: what encloses them encloses them, and they are trained on what they say."""

import hashlib
import itertools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import flint
import msgspec
import pytest
import torch

from equiv.formulas.levels import rescaled
from equiv.formulas.schedules import cosine, flow_matching
from equiv.lookup import Unknown
from equiv.reference import data, storage, training
from equiv.reference.denoisers import Denoisers
from equiv.reference.enclosure import enclose, evaluate
from equiv.reference.layers import Dual
from equiv.reference.networks import ARCHITECTURES, initial, mlp, mlp_layers, unet_layers
from equiv.reference.recipes import RECIPES, SCHEDULES, Recipe
from equiv.rounding import Rounded, affine, exact

TINY = msgspec.structs.replace(RECIPES["ring"], width=6, depth=2, steps=6, batch=8, seeds=(0, 1))
PICTURES = msgspec.structs.replace(RECIPES["digits"], width=2, steps=1, batch=2, seeds=(0,))


def random_network(size: int = 2, width: int = 5, nets: int = 2) -> dict[str, torch.Tensor]:
    return {k: p.double() for k, p in initial(mlp_layers(size, width, 2), list(range(nets))).items()}


def inputs(nets: int, cases: int, size: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    q = torch.randn(nets, cases, size, dtype=torch.float64, generator=draw)
    return q, 8 * torch.randn(nets, cases, 1, dtype=torch.float64, generator=draw).clamp(-1, 1)


def in_balls(parameters: Mapping[str, torch.Tensor], net: int, q: list[Any], log_snr: Any) -> list[Any]:
    """The multilayer network in ball arithmetic, written out."""

    def layer(name: str, x: list[Any]) -> list[Any]:
        weight, bias = (parameters[f"{name}.{part}"][net].tolist() for part in ("weight", "bias"))
        return [
            sum((x_i * flint.arb(w[j]) for x_i, w in zip(x, weight, strict=True)), flint.arb(bias[0][j]))
            for j in range(len(bias[0]))
        ]

    h = [*q, *layer("scale", [log_snr]), *(w.sin() for w in layer("wave", [log_snr]))]
    for i in range(2):
        h = [a / (1 + (-a).exp()) for a in layer(f"layer{i}", h)]
    return layer("layer2", h)


@pytest.mark.parametrize("radius", [0.0, 1e-7, 1e-3, 0.3])
def test_the_enclosure_holds_the_exact_network_over_the_whole_box(radius: float) -> None:
    parameters = random_network()
    q, told = inputs(2, 4, 2)
    box = Rounded(q, torch.full_like(q, radius)), Rounded(told, torch.full_like(told, radius))
    found = enclose(mlp, parameters, *box)
    with flint.ctx.workprec(200):
        for net, case, signs in itertools.product(range(2), range(4), itertools.product((-1, 1), repeat=3)):
            corner = [flint.arb(v) + s * radius for v, s in zip(q[net, case].tolist(), signs, strict=False)]
            exactly = in_balls(parameters, net, corner, flint.arb(told[net, case].item()) + signs[2] * radius)
            for value, error, ball in zip(
                found.value[net, case].tolist(), found.error[net, case].tolist(), exactly, strict=True
            ):
                assert abs(ball - value) <= flint.arb(error)


def test_the_derivative_term_is_needed_and_is_close() -> None:
    parameters = random_network()
    q, told = inputs(2, 50, 2)
    radius = 1e-6
    wide = enclose(mlp, parameters, Rounded(q, torch.full_like(q, radius)), exact(told))
    moved = (mlp(parameters, q + radius, told) - mlp(parameters, q, told)).abs()
    assert (moved <= wide.error).all()
    assert (moved > enclose(mlp, parameters, exact(q), exact(told)).error).any()
    assert (wide.error < 30 * moved.max()).all()


@pytest.mark.parametrize("name", ["mlp", "unet"])
def test_derivatives_are_those_of_automatic_differentiation(name: str) -> None:
    size = 2 if name == "mlp" else 16
    layers = mlp_layers(2, 5, 2) if name == "mlp" else unet_layers(2)
    parameters = {k: p.double() for k, p in initial(layers, [3, 4]).items()}
    q, told = inputs(2, 3, size)
    unit = torch.eye(size + 1, dtype=torch.float64).expand(2, 3, -1, -1)
    dual: Dual = ARCHITECTURES[name](
        parameters,
        Dual(exact(q), exact(unit[..., :size].contiguous())),
        Dual(exact(told), exact(unit[..., size:].contiguous())),
    )
    for k in range(size + 1):
        tangents = (unit[:, :, k, :size].contiguous(), unit[:, :, k, size:].contiguous())
        value, slope = torch.func.jvp(lambda *at: ARCHITECTURES[name](parameters, *at), (q, told), tangents)
        assert ((value - dual.value.value).abs() <= 2 * dual.value.error).all()
        assert ((slope - dual.slopes.value[:, :, k]).abs() <= 2 * dual.slopes.error[:, :, k]).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_the_rounding_of_a_narrow_type_is_within_the_bound_and_counted(dtype: torch.dtype) -> None:
    parameters = {k: p.to(dtype) for k, p in random_network().items()}
    q, told = (x.to(dtype) for x in inputs(2, 40, 2))
    found = evaluate(mlp, parameters, exact(q), exact(told))
    wide = mlp({k: p.double() for k, p in parameters.items()}, q.double(), told.double())
    off = (found.value.double() - wide).abs()
    assert found.value.dtype is dtype
    assert (off <= found.error).all()
    assert (off > 0).any()


def test_a_sum_of_products_is_within_its_bound() -> None:
    draw = torch.Generator().manual_seed(0)
    x, w, b = (
        torch.randn(shape, dtype=torch.float64, generator=draw)
        for shape in ((1, 9, 40), (1, 40, 7), (1, 1, 7))
    )
    found = affine(exact(x), w, b)
    worst = 0.0
    with flint.ctx.workprec(300):
        for i, j in itertools.product(range(9), range(7)):
            ball = flint.arb(b[0, 0, j].item())
            for k in range(40):
                ball += flint.arb(x[0, i, k].item()) * flint.arb(w[0, k, j].item())
            off = float(abs(ball - found.value[0, i, j].item()).upper())
            assert off <= found.error[0, i, j].item()
            worst = max(worst, off)
    assert worst > found.error.max().item() / 1000  # it is no empty bound


def test_a_sum_of_products_in_another_type_has_no_bound() -> None:
    with pytest.raises(TypeError, match="float64"):
        affine(exact(torch.ones(1, 2, 2)), torch.ones(1, 2, 2), torch.ones(1, 1, 2))


def test_convolutions_are_torchs() -> None:
    parameters = {k: p.double() for k, p in initial(unet_layers(3), [5]).items()}
    x = inputs(1, 2, 64)[0]
    weight = parameters["first.weight"][0].reshape(3, 3, 1, 3).permute(3, 2, 0, 1)
    expected = torch.nn.functional.conv2d(x.reshape(2, 1, 8, 8), weight, padding=1)
    from equiv.reference.networks import _convolved, _from_blocks, _to_blocks

    got = _convolved(parameters, "first", x.reshape(1, 2, 8, 8, 1))[0].permute(0, 3, 1, 2)
    assert torch.allclose(got, expected, rtol=0, atol=1e-14)
    assert torch.equal(_from_blocks(_to_blocks(x.reshape(1, 2, 8, 8, 1))), x.reshape(1, 2, 8, 8, 1))
    assert torch.equal(
        _to_blocks(x.reshape(1, 2, 8, 8, 1))[0, 0, 0, 0], x.reshape(2, 8, 8)[0, :2, :2].flatten()
    )


@pytest.mark.parametrize("kind", ["x", "eps", "v", "u"])
def test_a_denoiser_does_not_see_the_gauge(kind: str) -> None:
    networks = Denoisers("mlp", kind, random_network())
    z = inputs(2, 3, 2)[0]
    t = torch.tensor([[0.2], [0.5], [0.9]], dtype=torch.float64)
    x_hat = networks(z, cosine(t))
    again = networks(3 * z, rescaled(cosine(t), 3 + 0 * t))
    assert torch.allclose(x_hat, again, rtol=1e-11, atol=1e-11)
    assert not torch.allclose(x_hat, networks(3 * z, cosine(t)), rtol=1e-2)


def loss_of(kind: str, exact_factor: bool = True) -> torch.Tensor:
    """The loss of one denoiser, as a network of that kind would have it."""
    from equiv.formulas.predictions import FROM_X

    batch = training.draw(TINY, data.DATA["ring"]().trained_on.double(), 3)
    batch = training.Batch(*(part.double() for part in batch))
    example = training.example(flow_matching, training.span(flow_matching), batch)
    x_hat = torch.tanh(example.q)
    output = FROM_X[kind](example.q, x_hat, example.level)
    error = training.square_error(kind, output, batch.x, example)
    return error if exact_factor else error * 1.001


@pytest.mark.parametrize("kind", ["eps", "v", "u"])
def test_every_prediction_is_weighted_alike(kind: str) -> None:
    assert torch.allclose(loss_of(kind), loss_of("x"), rtol=1e-9)
    assert not torch.allclose(loss_of(kind, exact_factor=False), loss_of("x"), rtol=1e-9)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_spans_the_log_snr_that_networks_know(name: str) -> None:
    from equiv.formulas.levels import log_snr

    low, high = training.span(SCHEDULES[name])
    assert 0 < low < high < 1
    assert log_snr(SCHEDULES[name](low)) == pytest.approx(8, abs=1e-6)
    assert log_snr(SCHEDULES[name](high)) == pytest.approx(-8, abs=1e-6)


def test_networks_trained_together_are_those_trained_alone() -> None:
    state = training.begin(TINY)
    batch = training.draw(TINY, data.DATA["ring"]().trained_on, 0)
    spans = {name: training.span(s) for name, s in SCHEDULES.items()}
    _, together = training.gradient(TINY, state.parameters, batch, spans)
    for i, (kind, schedule, seed) in enumerate(TINY.networks):
        alone = msgspec.structs.replace(TINY, kinds=(kind,), schedules=(schedule,), seeds=(seed,))
        own = training.draw(alone, data.DATA["ring"]().trained_on, 0)
        _, gradients = training.gradient(
            alone, {k: p[i : i + 1] for k, p in state.parameters.items()}, own, spans
        )
        for name, g in gradients.items():
            assert torch.allclose(g[0], together[name][i], rtol=1e-4, atol=1e-6), (kind, schedule, name)


def test_training_lowers_the_loss() -> None:
    recipe = msgspec.structs.replace(TINY, steps=120, batch=64, width=24)
    begun = training.begin(recipe)
    ended = training.train(recipe, begun)
    samples = data.DATA["ring"]().held_out
    spans = {name: training.span(s) for name, s in SCHEDULES.items()}
    batch = training.draw(msgspec.structs.replace(recipe, batch=500), samples, 0)
    before, after = (training.gradient(recipe, s.parameters, batch, spans)[0] for s in (begun, ended))
    assert (after < before).all()


class Stopped(Exception):
    """Ctrl-C."""


def stop_at_three(step: int, _loss: float) -> None:
    if step == 3:
        raise Stopped


def test_an_interrupted_training_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    whole = storage.make(TINY, home=tmp_path / "whole")
    with pytest.raises(Stopped):
        storage.make(TINY, home=tmp_path / "parts", progress=stop_at_three)
    seen: list[int] = []
    parts = storage.make(TINY, home=tmp_path / "parts", progress=lambda step, _: seen.append(step))
    assert seen == [4, 5, 6]
    a, b = (load_file(folder / "networks.safetensors") for folder in (whole, parts))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not (parts / "checkpoint.safetensors").exists()


def test_a_manifest_says_how_the_networks_were_made(tmp_path: Path) -> None:
    folder = storage.make(TINY, home=tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert msgspec.convert(manifest["recipe"], Recipe) == TINY
    assert manifest["sha256"] == hashlib.sha256((folder / "networks.safetensors").read_bytes()).hexdigest()
    assert len(manifest["networks"]) == 24
    compared = manifest["held out"]
    assert compared["of the training set"] < compared["threshold at level"]["0.01"]
    assert len(compared["of samples"]) == 24
    assert min(compared["of samples"].values()) > compared["of the training set"]  # six steps teach little


@pytest.mark.parametrize("recipe", [TINY, PICTURES], ids=lambda r: r.data)
def test_pictures_show_what_was_held_out_and_every_network(recipe: Recipe, tmp_path: Path) -> None:
    from PIL import Image

    folder = storage.make(recipe, home=tmp_path)
    shape = Image.open(folder / "samples.png").size
    assert shape == ((9 * 96, 3 * 96) if recipe is TINY else (16 * 26, 13 * 26))


def test_another_recipe_is_another_folder(tmp_path: Path) -> None:
    other = msgspec.structs.replace(TINY, rate=1e-3)
    assert storage.place(TINY, tmp_path) != storage.place(other, tmp_path)


def test_what_takes_minutes_is_not_trained_unasked(tmp_path: Path) -> None:
    with pytest.raises(Unknown, match="equiv train digits"):
        storage.load("digits", home=tmp_path)


def test_without_safetensors_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "safetensors", None)
    storage._safetensors.cache_clear()
    with pytest.raises(Unknown, match="safetensors"):
        storage.load("ring", home=tmp_path)
    assert not list(tmp_path.rglob("*.safetensors"))


def test_held_out_pictures_are_not_trained_on() -> None:
    digits = data.digits()
    assert digits.trained_on.shape == (1497, 64)
    assert digits.held_out.shape == (300, 64)
    assert digits.trained_on.min() == -1
    assert digits.trained_on.max() == 1
    photographs = data.photographs()
    assert photographs.trained_on.shape[1] == 256
    assert len(photographs.held_out) > 500


def test_without_scikit_learn_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn.datasets", None)
    with pytest.raises(Unknown, match="scikit-learn"):
        data.digits()
