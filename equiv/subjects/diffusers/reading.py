"""Runs every step of a scheduler once, and reads it.

Every call gets a state and an output of the network of its own. What the scheduler keeps from call to call
is written, at the next call, in the inputs of those before: ``z_1`` is the state one call ago.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import torch

from equiv.formulas.levels import Level
from equiv.lifting.assumption import Assumption
from equiv.lifting.branches import of_schedule
from equiv.lifting.refusal import Unsupported
from equiv.lifting.rerun import SEED, Rerun, seeded
from equiv.lifting.tracer import Tracer
from equiv.subjects.diffusers.building import SHAPE, build, call_options, family_of
from equiv.subjects.diffusers.listing import Place, Places
from equiv.subjects.diffusers.running import run_step
from equiv.subjects.diffusers.tables import BEFORE, Table
from equiv.subjects.subject import AsRead, Call, LiftedStep, Prediction, Subject
from equiv.symbolic.expression import Expr, Role, postorder, substitute, symbol, symbols

PREDICTIONS: dict[str, Prediction] = {
    "epsilon": "eps",
    "sample": "x",
    "v_prediction": "v",
    "flow_prediction": "u",
}
_LOOKED_AT = range(0, math.prod(SHAPE), 19)  # of elements that are computed alike
_INPUTS: Mapping[str, Role] = {"z": "state", "net": "network", "n": "noise"}


def lift_steps(subject: Subject, config: Mapping[str, str], dtype: str = "") -> list[LiftedStep]:
    """Read every step of a configuration, on states of a type; by default the widest that is not narrowed.

    Raises:
        Unsupported: a step does something that cannot be read, or mixes the elements of the state.
    """
    reader = _Reader(subject, config, dtype)
    return [reader.step(i) for i in range(len(reader.scheduler.timesteps) - reader.family.beyond)]


class _Held(NamedTuple):
    """A tensor that the scheduler keeps between two calls, and what it is in the inputs of all calls."""

    name: str
    tensor: torch.Tensor
    value: Expr


class _Reader:
    """Reads the steps in their order; between two, it knows what the scheduler holds and what it means."""

    def __init__(self, subject: Subject, config: Mapping[str, str], dtype: str) -> None:
        self.family, self.scheduler = family_of(subject, config), build(subject, config)
        self._in_a_type = bool(dtype)
        if dtype:
            self.family = self.family._replace(dtype=getattr(torch, dtype))
        self._options = call_options(subject, config)
        names = {**PREDICTIONS, **self.family.names}
        self._prediction: Prediction = names[config.get("prediction_type", "flow_prediction")]
        self._places: list[Place | None] = []  # of the calls, the latest first
        self._calls: list[Call] = []
        self._values: dict[Expr, Fraction] = {}  # of the inputs of all calls
        self._held: list[_Held] = []
        self._table = Table(self._buffers(), {}, self.family)

    def step(self, i: int) -> LiftedStep:
        """Read step ``i``; those before it have been read."""
        places = self.family.listed(self.scheduler, i, self._options)
        self._rename(i, places)
        chance = torch.Generator().manual_seed(i)
        z, net = (torch.randn(SHAPE, dtype=self.family.dtype, generator=chance) for _ in range(2))
        tracer = Tracer()
        for name, buffer in self._buffers().items():
            _mark(tracer, buffer, self._table.entries[name])
        state, network = tracer.mark(z, "z"), tracer.mark(net, "net", "network")
        meant, folded = self._mark_held(tracer)
        rerun = Rerun(tracer, self.scheduler, z, net)

        def run(seed: int, scheduler: Any, z: torch.Tensor, net: torch.Tensor) -> Any:
            with seeded(seed):
                generator = torch.Generator().manual_seed((seed + 1) * 10**6 + i)
                return run_step(self.family, scheduler, i, net, z, generator, self._options)

        with tracer:
            fed, result = run(SEED, self.scheduler, z, net)
        if (result.shape, result.dtype) != (z.shape, z.dtype):
            raise Unsupported(
                f"a step gives {tuple(result.shape)} {result.dtype} for a state of {tuple(z.shape)} {z.dtype}"
            )

        def read(tensor: torch.Tensor) -> Expr:
            return substitute(tracer.element(tensor), meant)

        unseen = rerun.hold(result, lambda *copies: run(*copies)[1], places=_LOOKED_AT)
        held = [(name, t) for name, t in self._kept_tensors() if tracer.is_symbolic(t)]
        noise, drawn = input_of("n", 0), _drawn(tracer, [result, *(t for _, t in held)])
        meant |= dict.fromkeys(drawn, noise)
        self._values |= {state: tracer.value(state), network: tracer.value(network)}
        self._values[noise] = next(map(tracer.value, drawn), Fraction(1))
        left = [_Held(name, t, read(t)) for name, t in held]
        _check_noise(left)
        output, now, then = read(result), self._table.level(places.now), self._table.level(places.then)
        by = tuple(map(self._table.level, places.by))
        kept = {h.name: h.value for h in left if h.name in self.family.folded}
        before = [part for call in self._calls for part in call.now]
        levels = [*now, *then, *itertools.chain(*by), *before[: 2 * self.family.memory]]
        taken = [of_schedule(a.relation) for a in tracer.assumptions if a.relation is not None]
        branches = [side for relation in taken for side in (relation.left, relation.right)]
        used = [s for s in symbols(output, *levels, *kept.values(), *branches) if s.param.role == "schedule"]
        among = (places.now, places.then, *places.by, *self._places[: self.family.memory])
        listed = [entry for place in among if place for entry in place.entries]

        def reads(at: Place) -> bool:
            return rerun.changes(lambda *copies: run(*copies)[1], lambda scheduler, *_: _moved(scheduler, at))

        parts = set(postorder(tracer.element(result)))
        step = LiftedStep(
            index=i,
            timestep=self.scheduler.timesteps[i].item(),
            prediction=self._prediction,
            gauge=self.family.gauge,
            unit=self.family.unit,
            state=state,
            network=network,
            noise=noise,
            now=now,
            then=then,
            by=by,
            output=output,
            fed=read(fed),
            earlier=tuple(self._calls),
            memory=self.family.memory,
            folded=folded,
            kept=kept,
            relations=self._table.domain(used),
            assumptions=(
                *tracer.assumptions,
                *unseen,
                *self._given(tracer),
                *self._table.coincidences(used, listed, reads),
            ),
            point={
                **{v: value for v, value in tracer.point.items() if v.param.role == "noise"},
                **self._values,
                **{s: self._table.values[s] for s in (*used, *symbols(*before))},
                **{to: tracer.value(v) for v, to in meant.items() if to in folded},
            },
            got=result.flatten()[0].item(),
            schedule=self._table.places(used),
            origins={substitute(e, meant): at for e, at in tracer.origins.items() if e in parts},
            read=_as_read(tracer, result) if self._in_a_type else None,
        )
        self._held = [h._replace(value=step.unfolded(h.value)) for h in left]
        self._calls.insert(0, step)
        self._places.insert(0, places.now)
        return step

    def _given(self, tracer: Tracer) -> Iterator[Assumption]:
        yield tracer.setting
        if self.family.given:
            yield Assumption("library setting", f"given in place of its own: {self.family.given}", None)

    def _buffers(self) -> dict[str, torch.Tensor]:
        names = (*self.family.buffers, *self.family.following)
        return {name: getattr(self.scheduler, name) for name in names}

    def _rename(self, i: int, places: Places) -> None:
        """Name everything by its part in step ``i``."""
        parts = {"t": places.now, "s": places.then}
        parts |= dict(zip(("by", *(f"by_{k}" for k in range(1, 4))), places.by, strict=False))
        parts |= dict(zip(BEFORE, self._places[: self.family.memory], strict=False))
        table = Table(self._buffers(), parts, self.family)
        names = self._table.renamed(table)
        names |= {input_of(name, back): input_of(name, back + 1) for name in _INPUTS for back in range(i)}
        self._table = table
        self._values = {substitute(e, names): value for e, value in self._values.items()}
        self._held = [h._replace(value=substitute(h.value, names)) for h in self._held]
        self._calls = [_renamed(call, names) for call in self._calls]

    def _mark_held(self, tracer: Tracer) -> tuple[dict[Expr, Expr], dict[Expr, Expr]]:
        """What the variables mean that stand for what is held, and what those are that are folded."""
        meant: dict[Expr, Expr] = {}
        folded: dict[Expr, Expr] = {}
        for k, held in enumerate(self._held):
            if all(s.param.role == "schedule" for s in symbols(held.value)):
                tracer.mark_as(held.tensor, [held.value] * held.tensor.numel())
                continue
            variable = tracer.mark(held.tensor, f"held_{k}")
            meant[variable] = held.value
            if held.name in self.family.folded:
                meant[variable] = symbol(held.name)
                folded[symbol(held.name)] = held.value
        return meant, folded

    def _kept_tensors(self) -> Iterator[tuple[str, torch.Tensor]]:
        """The float tensors among the attributes, each once, but for the schedule."""
        seen = {b.untyped_storage().data_ptr() for b in self._buffers().values()}
        for name, tensor in _float_tensors(vars(self.scheduler)):
            storage = tensor.untyped_storage().data_ptr()
            if storage not in seen:
                seen.add(storage)
                yield name, tensor


def _float_tensors(values: Mapping[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    for name, value in values.items():
        if isinstance(value, torch.Tensor) and value.dtype.is_floating_point:
            yield name, value
        elif isinstance(value, (list, tuple)):
            yield from _float_tensors({f"{name}[{k}]": v for k, v in enumerate(value)})
        elif isinstance(value, dict):
            yield from _float_tensors({f"{name}[{k!r}]": v for k, v in value.items()})


def _as_read(tracer: Tracer, result: torch.Tensor) -> AsRead:
    floats = [d for d in tracer.dtypes if d.is_floating_point]
    return AsRead(
        root=tracer.element(result),
        point=tracer.point,
        computed=tracer.computed,
        origins=tracer.origins,
        coarsest=max(floats, key=lambda d: torch.finfo(d).eps),
    )


def _moved(scheduler: Any, at: Place) -> None:
    """One entry of a buffer is another, by far more than rounding."""
    getattr(scheduler, at.buffer)[at.entry] *= 1 - 2**-6


def input_of(name: str, back: int) -> Expr:
    """An input of the call so many calls ago."""
    return symbol(f"{name}_{back}" if back else name, _INPUTS[name])


def _mark(tracer: Tracer, buffer: torch.Tensor, entries: Sequence[Expr | None]) -> None:
    """Say what the entries of a buffer are; what is no number stays as it is."""
    numbers = [e for e in entries if e is not None]
    if len(numbers) == len(entries):
        tracer.mark_as(buffer, numbers)
        return
    for k, e in enumerate(entries):
        if e is not None:
            tracer.mark_as(buffer[k], [e])


def _renamed(call: Call, names: dict[Expr, Expr]) -> Call:
    state, network, noise = (substitute(e, names) for e in (call.state, call.network, call.noise))
    now = Level(*(substitute(part, names) for part in call.now))
    return Call(
        timestep=call.timestep,
        prediction=call.prediction,
        gauge=call.gauge,
        unit=call.unit,
        state=state,
        network=network,
        noise=noise,
        now=now,
    )


def _drawn(tracer: Tracer, results: Sequence[torch.Tensor]) -> list[Expr]:
    """The normal draw that the results depend on, if they do; others may be made for nothing.

    Raises:
        Unsupported: there are several; the formulas here have one a step.
    """
    found = {s for t in results for s in symbols(tracer.element(t))} & set(tracer.noises)
    if len(found) > 1:
        raise Unsupported(f"a step uses {len(found)} draws; the formulas here have one")
    return [s for s in found if s.param.name.startswith("n")]


def _check_noise(held: Sequence[_Held]) -> None:
    """Draws that are remembered are told apart by their call, which is known of normal ones only."""
    for name, _, value in held:
        strange = [s for s in symbols(value) if s.param.role == "noise" and s.param.name[0] != "n"]
        if strange:
            raise Unsupported(f"{name} keeps a draw that is not normal")
