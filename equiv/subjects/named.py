"""Code that nobody wrote an adapter for, by its place: ``./mine.py:step`` or ``package.module:function``.

What it is, is seen from its arguments. A function of (model, x, sigmas) is a whole sampler. A function of a
state, a prediction and two levels is one step, which is taken from level to level. What cannot be seen is
asked for, in one message.
"""

import functools
import importlib
import importlib.util
import inspect
import itertools
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import torch

from equiv.lifting.refusal import Unsupported
from equiv.lookup import Unknown, nearest
from equiv.subjects.run import Grid, Model, Sampler, grid
from equiv.subjects.subject import Gauge, Subject

_STATE = "z z_t zt x x_t xt sample state latents img".split()
_PREDICTIONS = {
    "x": "x_hat x0 x_0 x0_hat pred_x0 x_start denoised".split(),
    "eps": "eps eps_hat epsilon noise_pred pred_noise".split(),
    "v": "v v_hat v_pred".split(),
    "velocity": "u u_hat velocity".split(),
    "": "model_output output pred prediction net".split(),  # what it is must be said
}
_NOISE = "noise n w".split()
_NOW = {"alpha": "alpha_t alpha alpha_now".split(), "sigma": "sigma_t sigma sigma_now sigma_cur".split()}
_THEN = {
    "alpha": "alpha_s alpha_next alpha_then alpha_prev".split(),
    "sigma": "sigma_s sigma_next sigma_then sigma_prev sigma_to".split(),
}
_TIMES = ("t", "s t_next t_s t_prev next_t".split())
_LISTED = {
    "variance exploding": "sigmas sigma noise_levels".split(),
    "flow": "t ts times timesteps time_grid t_steps".split(),
}
_SAID = {
    "family": ("function", "step"),
    "gauge": ("ve", "vp", "flow"),
    "time": ("noise-at-1", "noise-at-0"),
    "prediction": ("x", "eps", "v", "u", "velocity"),
    "as": (),
}
_WHY = {
    "--gauge": "ve if the state is x + sigma eps, flow if it is (1 - t) x + t eps",
    "--time": "noise-at-1 if time falls from the noise to the data, noise-at-0 if it rises",
    "--prediction": "what the model gives back: x, eps, v, u = eps - x, or the velocity of its own time",
}


class _Code(NamedTuple):
    """A callable, and the part that each of its arguments plays."""

    call: Callable[..., Any]
    family: str
    gauge: Gauge
    prediction: str  # empty: it must be said
    parts: Mapping[str, str]  # of a step: its arguments by the part they play
    options: Mapping[str, Any]  # the other arguments, and their defaults

    @property
    def needed(self) -> tuple[str, ...]:
        """What must be said of it."""
        asked = ["time"] if self.gauge == "flow" else []
        return (*asked, *([] if self.prediction else ["prediction"]))


def names() -> tuple[str, ...]:
    """What is not known beforehand is not listed."""
    return ()


def subject(name: str) -> Subject:
    """The record of ``FILE.py:NAME`` or ``MODULE:NAME``.

    Raises:
        Unknown: it is not there, cannot be imported, or nothing is known that takes such arguments.
    """
    code = _code(name)
    own = {key: (str(value),) for key, value in code.options.items()}
    return Subject(
        name=name,
        library="",
        version="",
        family="function",
        time="falling, from noise to data",
        gauge=code.gauge,
        prediction_types=(code.prediction or "x",),
        source=inspect.getsourcefile(inspect.unwrap(code.call)) or "",
        options={"steps": ("3", "1"), **own},
        taken={**_SAID, **dict.fromkeys(own, ())},
        needed={key: _WHY[f"--{key}"] for key in code.needed},
    )


def sampler(subject: Subject, config: Mapping[str, str]) -> Sampler:
    """The function, or the steps one after another, with the options of a configuration."""
    code = _code(subject.name)
    if (family := config.get("family", code.family)) != code.family:
        raise Unknown(f"{subject.name} is a {code.family} by its arguments, not a {family}")
    options = {key: _parsed(config[key], value, key) for key, value in code.options.items()}
    if code.family == "function":

        def whole(model: Model, x: torch.Tensor, listed: torch.Tensor) -> torch.Tensor:
            return _last(code.call(model, x, listed, **options))

        return whole
    listed_by = grid(subject, config)

    def stepwise(model: Model, x: torch.Tensor, listed: torch.Tensor) -> torch.Tensor:
        for k, (now, then) in enumerate(itertools.pairwise(listed)):
            given = _sides(code, "now", listed_by, now) | _sides(code, "then", listed_by, then)
            if k + 2 == len(listed) and "sigma then" in code.parts:
                given[code.parts["sigma then"]] = torch.zeros_like(then)
            given[code.parts["prediction"]] = model(x, now * x.new_ones([x.shape[0]]))
            if "noise" in code.parts:
                given[code.parts["noise"]] = torch.randn_like(x)
            x = _last(code.call(**{code.parts["state"]: x}, **given, **options))
        return x

    return stepwise


def _sides(code: _Code, when: str, listed_by: Grid, value: torch.Tensor) -> dict[str, torch.Tensor]:
    """The arguments of a step that say from where, or to where, it goes."""
    match listed_by.gauge:
        case "variance exploding":
            alpha, sigma = torch.ones_like(value), value
        case "variance preserving":
            alpha, sigma = value, (1 - value * value).sqrt()
        case "flow":
            alpha, sigma = (value, 1 - value) if listed_by.rises else (1 - value, value)
    sides = {"alpha": alpha, "sigma": sigma, "t": value}
    return {code.parts[f"{k} {when}"]: v for k, v in sides.items() if f"{k} {when}" in code.parts}


def _last(result: Any) -> torch.Tensor:
    """The sample: what is returned, or the last of what is listed or yielded.

    Raises:
        Unsupported: it is no tensor.
    """
    if inspect.isgenerator(result) or isinstance(result, list):
        *_, result = result
    if not isinstance(result, torch.Tensor):
        raise Unsupported(f"it returns a {type(result).__name__}, where a tensor is needed")
    return result


def snippet(subject: Subject, config: Mapping[str, str]) -> str:
    """Python that runs it on ``model``, ``x`` and what is listed, and prints the sample."""
    code, (place, _, name) = _code(subject.name), subject.name.rpartition(":")
    start = (
        f"from runpy import run_path\ncode = run_path({place!r})"
        if place.endswith(".py")
        else f"import importlib\ncode = vars(importlib.import_module({place!r}))"
    )
    options = "".join(
        f", {k}={_parsed(config[k], v, k)!r}" for k, v in code.options.items() if config[k] != str(v)
    )
    first, *rest = name.split(".")
    called = "".join([f"code[{first!r}]", *(f".{part}" for part in rest)])
    called += "()" if inspect.isclass(found_object(subject.name)) else ""
    listed = f"{grid(subject, config).name}s"
    if code.family == "function":
        return (
            f"{start}\nsample = {called}(model, x, {listed}{options})\n"
            "*_, sample = [sample] if isinstance(sample, torch.Tensor) else sample\n"
            "print(sample.flatten()[0].item())"
        )
    return f"{start}\n{_loop(code, grid(subject, config), called, options)}print(x.flatten()[0].item())"


def _loop(code: _Code, listed_by: Grid, called: str, options: str) -> str:
    sides = {
        "variance exploding": {"alpha": "1 + 0 * {}", "sigma": "{}"},
        "variance preserving": {"alpha": "{}", "sigma": "(1 - {0} * {0}).sqrt()"},
        "flow": {"alpha": "{}", "sigma": "1 - {}"} if listed_by.rises else {"alpha": "1 - {}", "sigma": "{}"},
    }[listed_by.gauge] | {"t": "{}"}
    given = [f"{code.parts['state']}=x", f"{code.parts['prediction']}=model(x, now)"]
    given += [f"{code.parts['noise']}=torch.randn_like(x)"] if "noise" in code.parts else []
    given += [
        f"{code.parts[key]}={sides[key.partition(' ')[0]].format(key.partition(' ')[2])}"
        for key in code.parts
        if " " in key
    ]
    name = f"{listed_by.name}s"
    return f"for now, then in zip({name}[:-1], {name}[1:]):\n    x = {called}({', '.join(given)}{options})\n"


# --- what it is -----------------------------------------------------------------------------------------


@functools.cache
def _code(name: str) -> _Code:
    found = found_object(name)
    if inspect.isclass(found):
        found = _made(name, found)
    call = found.forward if isinstance(found, torch.nn.Module) else found
    if not callable(call):
        raise Unknown(f"{name} is a {type(found).__name__}; a function, or what can be called, is needed")
    given = [
        p
        for p in inspect.signature(call).parameters.values()
        if p.kind not in {p.VAR_POSITIONAL, p.VAR_KEYWORD}
    ]
    required = [p.name for p in given if p.default is p.empty]
    options = {p.name: p.default for p in given if isinstance(p.default, (bool, int, float, str))}
    if len(required) == 3 and (gauge := _gauge_of(required[2])):
        return _Code(call, "function", gauge, "x" if gauge == "variance exploding" else "", {}, options)
    parts = _parts(required)
    if parts is None:
        takes = ", ".join(required) or "nothing"
        raise Unknown(
            f"{name} takes ({takes}), which is not known: a sampler takes (model, x, sigmas) or (model, x, "
            "times), a step (z, x_hat or eps_hat or v_hat, alpha_t, sigma_t, alpha_s, sigma_s), and noise if "
            "it does not draw it; wrap it in a function of these names"
        )
    kind = next(k for k, known in _PREDICTIONS.items() if parts["prediction"] in known)
    options = {k: v for k, v in options.items() if k not in parts.values()}
    gauge = "flow" if "t now" in parts else "variance preserving"
    if not any(key.startswith(("alpha", "t ")) for key in parts):
        gauge = "variance exploding"
    return _Code(call, "step", gauge, kind, parts, options)


def _gauge_of(listed: str) -> Gauge | None:
    kinds: Mapping[Gauge, list[str]] = _LISTED  # type: ignore[assignment]
    return next((gauge for gauge, known in kinds.items() if listed in known), None)


def _parts(required: list[str]) -> dict[str, str] | None:
    """The arguments of a step by the part they play; None if one plays none."""
    predictions = [name for known in _PREDICTIONS.values() for name in known]
    known = {"prediction": predictions, "state": _STATE, "noise": _NOISE}
    known |= {f"{side} now": names for side, names in _NOW.items()}
    known |= {f"{side} then": names for side, names in _THEN.items()}
    known |= {"t now": [_TIMES[0]], "t then": _TIMES[1]}
    found = {part: name for part, names in known.items() for name in required if name in names}
    whole = {"state", "prediction"} <= set(found) and any(key.endswith("then") for key in found)
    return found if whole and len(found) == len(required) else None


# --- where it is ----------------------------------------------------------------------------------------


def found_object(name: str) -> Any:
    """What is there.

    Raises:
        Unknown: nothing is, or it cannot be imported.
    """
    place, _, attributes = name.rpartition(":")
    if not place or not attributes:
        raise Unknown(f"a subject in a file needs FILE.py:NAME, one in a module MODULE:NAME; got {name!r}")
    found: Any = _module(place)
    for attribute in attributes.split("."):
        if not hasattr(found, attribute):
            known = [k for k in vars(found) if not k.startswith("_")]
            raise Unknown(f"{place} has no {attribute!r}{nearest(attribute, known)}")
        found = getattr(found, attribute)
    return found


def _made(name: str, kind: type) -> Any:
    try:
        return kind()
    except TypeError as error:
        raise Unknown(
            f"{name} is a class that cannot be made without arguments ({error}); make one in the file, and "
            "name that"
        ) from error


@functools.cache
def _module(place: str) -> ModuleType:
    try:
        if not place.endswith(".py"):
            return importlib.import_module(place)
        return _from_file(Path(place))
    except (Exception, SystemExit) as error:
        raise Unknown(f"{place} cannot be imported: {type(error).__name__}: {error}") from error


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise FileNotFoundError("there is no such file")
    spec = importlib.util.spec_from_file_location(f"equiv_subject_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError("it is no Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.append(str(path.parent.resolve()))  # for what it imports of its own folder
    spec.loader.exec_module(module)
    return module


def _parsed(text: str, default: Any, key: str) -> Any:
    """The value of an option, of the kind that its default is.

    Raises:
        Unknown: it is none.
    """
    kind = type(default)
    try:
        if kind is bool:
            return {"True": True, "False": False}[text]
        return kind(text) if kind is not int else _whole(text)
    except (KeyError, ValueError) as error:
        raise Unknown(f"{key} needs a {kind.__name__}, as {default!r} is; got {text!r}") from error


def _whole(text: str) -> int | float:
    """A default such as 1 is often meant for 0.5 as well."""
    return int(text) if text.lstrip("-").isdecimal() else float(text)
