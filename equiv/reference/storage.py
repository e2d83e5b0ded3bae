"""Networks on disk: safetensors beside a manifest of how they were made, under ``.equiv/networks``.

A folder is named by its recipe and a digest of all that decides what training makes of it, so that networks
of another recipe, or of other code, are never mistaken for these.
"""

import contextlib
import fcntl
import functools
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

import equiv
from equiv.lookup import Unknown
from equiv.reference.data import DATA
from equiv.reference.denoisers import Denoisers
from equiv.reference.recipes import RECIPES, Recipe
from equiv.reference.training import State, begin, denoisers, train

HOME = Path(".equiv/networks")
SAVED_EVERY = 20.0  # seconds
_DECIDES = ("data", "layers", "networks", "recipes", "training")
_GROUPS = State._fields[1:]

Progress = Callable[[int, float], None]
"""Told of every step and the mean loss."""


def load(name: str, *, home: Path = HOME) -> dict[str, Denoisers]:
    """The networks of a recipe, by what they predict. Those that are small are trained if need be.

    Raises:
        Unknown: they are not there and take minutes to train; the message says how.
    """
    recipe = RECIPES[name]
    folder = place(recipe, home)
    if not (folder / "networks.safetensors").exists():
        if not recipe.by_default:
            raise Unknown(
                f"the networks {name!r} are not trained yet: run `equiv train {name}`, which takes minutes"
            )
        make(recipe, home=home)
    return denoisers(recipe, _safetensors().load_file(folder / "networks.safetensors"))


def make(
    recipe: Recipe,
    *,
    device: str = "cpu",
    home: Path = HOME,
    progress: Progress = lambda _step, _loss: None,
) -> Path:
    """Train, or go on training, and write networks, manifest and pictures; the folder.

    One process trains; others that want the same wait for it.
    """
    from equiv.reference.review import review

    safetensors = _safetensors()
    folder = place(recipe, home)
    with _alone(folder):
        done = folder / "networks.safetensors"
        if done.exists():
            return folder
        state, seconds = _resumed(recipe, folder)
        started = saved = time.monotonic()
        latest: list[Tensor] = []

        def after(now: State, losses: Tensor) -> None:
            nonlocal saved, state
            state = now
            latest[:] = [*latest[-99:], losses]
            progress(now.step, losses.mean().item())
            if time.monotonic() - saved > SAVED_EVERY:
                saved = time.monotonic()
                _save(now, seconds + saved - started, folder)

        try:
            state = train(recipe, state, device=device, after=after)
        except BaseException:
            _save(state, seconds + time.monotonic() - started, folder)
            raise
        mean = {name: p.cpu().contiguous() for name, p in state.mean.items()}
        if not all(p.isfinite().all() for p in mean.values()):
            raise ArithmeticError(f"the training of {recipe.name} diverged: a parameter is not finite")
        seconds += time.monotonic() - started
        networks = done.with_suffix(".partial")
        safetensors.save_file(mean, networks)
        manifest = {
            **_manifest(recipe, device, seconds, torch.stack(latest).mean(0) if latest else None),
            "sha256": hashlib.sha256(networks.read_bytes()).hexdigest(),
            **review(recipe, denoisers(recipe, mean), folder),
        }
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        networks.replace(done)
        (folder / "checkpoint.safetensors").unlink(missing_ok=True)
    return folder


def place(recipe: Recipe, home: Path = HOME) -> Path:
    """Where the networks of a recipe are, or will be."""
    return home / f"{recipe.name}-{_digest(recipe)}"


@functools.cache
def _digest(recipe: Recipe) -> str:
    digest = hashlib.sha256(msgspec.json.encode(recipe))
    for module in _DECIDES:
        digest.update((Path(equiv.__file__).parent / "reference" / f"{module}.py").read_bytes())
    return digest.hexdigest()[:12]


def _resumed(recipe: Recipe, folder: Path) -> tuple[State, float]:
    """Where an interrupted training stood, and how long it had taken; or the beginning."""
    path = folder / "checkpoint.safetensors"
    if not path.exists():
        return begin(recipe), 0.0
    with _safetensors().safe_open(path, "pt") as file:
        about, stored = file.metadata(), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    groups = ({k.partition("/")[2]: t for k, t in stored.items() if k.startswith(f"{g}/")} for g in _GROUPS)
    return State(int(about["step"]), *groups), float(about["seconds"])


def _save(state: State, seconds: float, folder: Path) -> None:
    tensors = {
        f"{group}/{name}": p.cpu().contiguous()
        for group in _GROUPS
        for name, p in getattr(state, group).items()
    }
    about = {"step": str(state.step), "seconds": f"{seconds:.3f}"}
    path = folder / "checkpoint.safetensors"
    beside = path.with_suffix(".partial")  # whole or not at all
    _safetensors().save_file(tensors, beside, about)
    beside.replace(path)


def _manifest(recipe: Recipe, device: str, seconds: float, losses: Tensor | None) -> dict[str, Any]:
    from importlib.metadata import version

    data = DATA[recipe.data]()
    return {
        "recipe": msgspec.to_builtins(recipe),
        "networks": [
            {"prediction": kind, "schedule": schedule, "seed": seed}
            | ({"loss": losses[i].item()} if losses is not None else {})
            for i, (kind, schedule, seed) in enumerate(recipe.networks)
        ],
        "data": {"trained_on": len(data.trained_on), "held_out": len(data.held_out)},
        "made with": {"equiv": version("equiv"), "torch": torch.__version__, "device": device},
        "seconds": round(seconds, 1),
    }


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class _Both:
    """The two halves of safetensors under one name."""

    def __init__(self) -> None:
        try:
            self.safe_open = import_module("safetensors").safe_open
            files = import_module("safetensors.torch")
        except ImportError as error:
            raise Unknown(
                "networks are kept as safetensors, which is not installed: pip install 'equiv[experiments]'"
            ) from error
        self.load_file, self.save_file = files.load_file, files.save_file


@functools.cache
def _safetensors() -> _Both:
    return _Both()
