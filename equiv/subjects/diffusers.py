"""The schedulers of diffusers: built as released, with their declared defaults, and read step by step.

Times are indices of training steps that fall from the noise to the data.
"""

import functools
import importlib.metadata
import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple
from unittest import mock

import torch

from equiv.formulas.levels import Level
from equiv.lifting.assumption import Assumption
from equiv.lifting.refusal import Unsupported
from equiv.lifting.tracer import Tracer
from equiv.lookup import Unknown, find
from equiv.number import sqrt
from equiv.subjects.subject import Gauge, LiftedStep, Prediction, Subject
from equiv.symbolic.expression import Expr, Relation, const, postorder, symbol, symbols

SHAPE = (2, 3, 5, 7)  # dimensions distinct and above one: no element can be mistaken for another
_SPACINGS = ("leading", "linspace", "trailing")
_NOISE = symbol("n", "noise")
_PREDICTIONS: dict[str, Prediction] = {"epsilon": "eps", "sample": "x", "v_prediction": "v"}


class _Family(NamedTuple):
    """What cannot be seen in a class."""

    gauge: Gauge
    predictions: tuple[str, ...]
    buffer: str  # the schedule that its steps read
    dtype: torch.dtype  # the widest state that step() does not narrow


_VP = _Family("variance preserving", ("epsilon", "sample", "v_prediction"), "alphas_cumprod", torch.float64)
_VE = _Family("variance exploding", ("epsilon", "sample", "v_prediction"), "sigmas", torch.float32)
_FLOW = _Family("flow", (), "sigmas", torch.float32)
_CLASSES = {
    "DDIMScheduler": _VP,
    "DDPMScheduler": _VP,
    "EulerDiscreteScheduler": _VE,
    "EulerAncestralDiscreteScheduler": _VE._replace(predictions=("epsilon", "v_prediction")),
    "FlowMatchEulerDiscreteScheduler": _FLOW,
}


# --- what there is ------------------------------------------------------------------------------------


@functools.cache
def subject(name: str) -> Subject:
    """The record of ``diffusers.<class>``.

    Raises:
        Unknown: the class is not one that is read here, or diffusers is not installed.
    """
    every = {f"diffusers.{c}": family for c, family in _CLASSES.items()}
    family = find("subject", name, every, see=", ".join(every))
    made = _class(name)
    accepted = inspect.signature(made.__init__).parameters
    options: dict[str, tuple[str, ...]] = {}
    for option, values in (
        ("timestep_spacing", _SPACINGS),
        ("prediction_type", family.predictions),
        ("clip_sample", ("True", "False")),
    ):
        if option in accepted:
            options[option] = _default_first(str(accepted[option].default), values)
    if "eta" in inspect.signature(made.step).parameters:
        options["eta"] = ("0", "1")
    options["steps"] = ("10", "13")
    return Subject(
        name=name,
        library="diffusers",
        version=importlib.metadata.version("diffusers"),
        family="scheduler",
        time="falling, from noise to data",
        gauge=family.gauge,
        prediction_types=family.predictions or ("flow",),
        source=inspect.getsourcefile(made) or "",
        options=options,
    )


def _class(name: str) -> Any:
    try:
        import diffusers
    except ImportError as error:
        raise Unknown(
            f"{name} needs diffusers, which cannot be imported ({error}): pip install diffusers"
        ) from None
    return getattr(diffusers, name.partition(".")[2])


def _default_first(default: str, values: tuple[str, ...]) -> tuple[str, ...]:
    return default, *(v for v in values if v != default)


# --- reading ------------------------------------------------------------------------------------------


def lift_steps(subject: Subject, config: Mapping[str, str]) -> list[LiftedStep]:
    """Run every step of a configuration once, and read it.

    Raises:
        Unsupported: a step does something that cannot be read, or mixes the elements of the state.
    """
    scheduler = _scheduler(subject, config)
    carried: list[torch.Tensor] = []
    steps = []
    for i in range(len(scheduler.timesteps)):
        step, carried = _lift_step(subject, config, scheduler, i, carried)
        steps.append(step)
    return steps


def _lift_step(
    subject: Subject, config: Mapping[str, str], scheduler: Any, i: int, carried: Sequence[torch.Tensor]
) -> tuple[LiftedStep, list[torch.Tensor]]:
    family = _family(subject)
    buffer: torch.Tensor = getattr(scheduler, family.buffer)
    generator = torch.Generator().manual_seed(i)
    z = torch.randn(SHAPE, dtype=family.dtype, generator=generator)
    net = torch.randn(SHAPE, dtype=family.dtype, generator=generator)
    now, then = _listed(subject, scheduler, i)
    entries = _entries(family, buffer, [k for k in (now, then) if k is not None])

    tracer = Tracer()
    tracer.mark_as(buffer, entries)
    state, network = tracer.mark(z, "z"), tracer.mark(net, "net", "network")
    for k, tensor in enumerate(carried):
        tracer.mark(tensor, f"carried_{k}")
    timestep = scheduler.timesteps[i]
    with tracer:
        scale = getattr(scheduler, "scale_model_input", None)
        fed = scale(z, timestep) if scale else z
        result = scheduler.step(net, timestep, z, generator=generator, **_step_options(config)).prev_sample

    if (result.shape, result.dtype) != (z.shape, z.dtype):
        raise Unsupported(
            f"a step gives {tuple(result.shape)} {result.dtype} for a state of {tuple(z.shape)} {z.dtype}"
        )
    output = tracer.element(result)
    levels = _level(family, entries, now), _level(family, entries, then)
    branches = [side for a in tracer.assumptions for side in _sides(a.relation)]
    used = _schedule_symbols(output, *levels[0], *levels[1], *branches)
    parts = set(postorder(output))
    lifted = LiftedStep(
        index=i,
        timestep=timestep.item(),
        prediction=_PREDICTIONS.get(config.get("prediction_type", ""), "u"),
        output=output,
        state=state,
        network=network,
        noise=_NOISE,
        fed=tracer.element(fed),
        now=levels[0],
        then=levels[1],
        relations=_domain(family, sorted(used, key=tracer.value)),
        assumptions=(*tracer.assumptions, *_coincidences(family, entries, used)),
        point={
            _NOISE: Fraction(1),
            **{s: tracer.value(s) for s in (*used, *symbols(output), state, network)},
        },
        got=result.flatten()[0].item(),
        schedule={e: f"{family.buffer}[{k}]" for k, e in reversed(list(enumerate(entries))) if e in used},
        origins={e: where for e, where in tracer.origins.items() if e in parts},
    )
    own = buffer.untyped_storage().data_ptr()
    state_left = (t for t in _float_state(scheduler) if t.untyped_storage().data_ptr() != own)
    return lifted, [t for t in state_left if tracer.is_symbolic(t)]


def _family(subject: Subject) -> _Family:
    return _CLASSES[subject.name.partition(".")[2]]


def _scheduler(subject: Subject, config: Mapping[str, str]) -> Any:
    given: dict[str, Any] = {k: config[k] for k in ("timestep_spacing", "prediction_type") if k in config}
    if "clip_sample" in config:
        given["clip_sample"] = config["clip_sample"] == "True"
    scheduler = _class(subject.name)(**given)
    scheduler.set_timesteps(int(config["steps"]))
    return scheduler


def _step_options(config: Mapping[str, str]) -> dict[str, Any]:
    return {"eta": float(config["eta"])} if "eta" in config else {}


def _listed(subject: Subject, scheduler: Any, i: int) -> tuple[int, int | None]:
    """Where in the buffer the levels of step ``i`` are listed; None: the clean end, alpha 1 and sigma 0."""
    if _family(subject).buffer == "sigmas":
        return i, i + 1
    times = scheduler.timesteps.tolist()
    if i + 1 < len(times):
        return times[i], times[i + 1]
    return times[i], None if getattr(scheduler.config, "set_alpha_to_one", True) else 0


def _entries(family: _Family, buffer: torch.Tensor, listed: Sequence[int]) -> list[Expr]:
    """An expression for each entry: one symbol a value, named by its part in the step; 0 and 1 stay."""
    stem = "A" if family.buffer == "alphas_cumprod" else "sigma"
    values = buffer.tolist()
    known: dict[float, Expr] = {0.0: const(0), 1.0: const(1)}
    for k, name in zip(listed, ("t", "s"), strict=False):
        known.setdefault(values[k], _positive(f"{stem}_{name}"))
    for k, v in enumerate(values):
        if v not in known:
            known[v] = _positive(f"{stem}_{k}")
    return [known[v] for v in values]


@functools.cache
def _positive(name: str) -> Expr:
    return symbol(name, "schedule", positive=True)


def _level(family: _Family, entries: Sequence[Expr], k: int | None) -> Level[Expr]:
    """The level of a buffer's entry, in the gauge of the class."""
    one = const(1)
    e = one if k is None else entries[k]
    rest = const(1 - e.param) if e.op == "const" else 1 - e
    match family.gauge:
        case "variance preserving":
            return Level(*(x if x.op == "const" else sqrt(x) for x in (e, rest)))
        case "variance exploding":
            return Level(one, e)
        case "flow":
            return Level(rest, e)


def _domain(family: _Family, rising: Sequence[Expr]) -> tuple[Relation, ...]:
    """0 < ... < 1 in the order of the schedule; no upper end where the noise explodes."""
    chain = [const(0), *rising] + ([] if family.gauge == "variance exploding" else [const(1)])
    return tuple(Relation(a, "<", b) for a, b in itertools.pairwise(chain) if rising)


def _coincidences(family: _Family, entries: Sequence[Expr], used: Sequence[Expr]) -> Iterator[Assumption]:
    """Entries of one value are one symbol: a step that reads the wrong one of them is not seen to."""
    for e in used:
        places = [f"{family.buffer}[{k}]" for k, entry in enumerate(entries) if entry is e]
        if len(places) > 1:
            yield Assumption("hypothesis", " = ".join(places), None)


def _schedule_symbols(*expressions: Expr) -> list[Expr]:
    return [s for s in symbols(*expressions) if s.param.role == "schedule"]


def _sides(relation: Relation | None) -> tuple[Expr, ...]:
    if relation is None:
        return ()
    if any(s.param.role != "schedule" for s in symbols(relation.left, relation.right)):
        raise Unsupported(f"a branch on the state, the network or noise: {relation}")
    return relation.left, relation.right


def _float_state(scheduler: Any) -> Iterator[torch.Tensor]:
    def tensors(values: Iterable[Any]) -> Iterator[torch.Tensor]:
        for v in values:
            if isinstance(v, torch.Tensor) and v.dtype.is_floating_point:
                yield v
            elif isinstance(v, (list, tuple)):
                yield from tensors(v)
            elif isinstance(v, dict):
                yield from tensors(v.values())

    yield from tensors(vars(scheduler).values())


# --- running ------------------------------------------------------------------------------------------


def run_alone(subject: Subject, config: Mapping[str, str], step: int, inputs: Mapping[str, float]) -> float:
    """What the library returns for one element, on its own schedule, with nothing watching.

    Args:
        step: its index, from 0.
        inputs: ``z`` the state, ``net`` the network's output, ``n`` the noise drawn; what is left out is 0,
            but without ``net`` the network gives back what it is fed.
    """
    scheduler = _scheduler(subject, config)
    dtype = _family(subject).dtype
    z, net, n = (torch.full(SHAPE, inputs.get(k, 0.0), dtype=dtype) for k in ("z", "net", "n"))
    timestep = scheduler.timesteps[step]
    with mock.patch.object(torch, "randn", _always(n)):
        scale = getattr(scheduler, "scale_model_input", None)
        fed = scale(z, timestep) if scale else z
        net = net if "net" in inputs else fed
        result = scheduler.step(net, timestep, z, **_step_options(config)).prev_sample
    return float(result.flatten()[0].item())


def _always(noise: torch.Tensor) -> Callable[..., torch.Tensor]:
    return lambda *_args, **_options: noise


def snippet(subject: Subject, config: Mapping[str, str], step: int, inputs: Mapping[str, float]) -> str:
    """Python that shows what :func:`run_alone` returns, with the library alone."""
    name = subject.name.partition(".")[2]
    options = [f"{k}={config[k]!r}" for k in ("timestep_spacing", "prediction_type") if k in config]
    options += [f"clip_sample={config['clip_sample']}"] if "clip_sample" in config else []
    call = "net, t, z" + (f", eta={float(config['eta'])}" if "eta" in config else "")
    values = ", ".join(f"{inputs.get(k, 0.0)!r}" for k in ("z", "net", "n"))
    shape = "(1, 1, 1, 1)"
    fed = "scheduler.scale_model_input(z, t)" if _family(subject).gauge != "flow" else "z"
    return "\n".join(
        (
            "import torch",
            f"from diffusers import {name}",
            f"scheduler = {name}({', '.join(options)})",
            f"scheduler.set_timesteps({config['steps']})",
            f"z, net, n = (torch.full({shape}, v, dtype={_family(subject).dtype}) for v in ({values}))",
            "torch.randn = lambda *args, **kwargs: n",
            f"t = scheduler.timesteps[{step}]",
            fed if "net" in inputs else f"net = {fed}",
            f"print(scheduler.step({call}).prev_sample.item())",
        )
    )
