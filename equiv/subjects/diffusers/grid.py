"""What a scheduler lists, in numbers: the timesteps told to the network, and the levels they stand for."""

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from equiv.subjects.diffusers.building import build, call_options, construct, family_of
from equiv.subjects.diffusers.classes import Family
from equiv.subjects.diffusers.listing import Place, of_product
from equiv.subjects.diffusers.running import made
from equiv.subjects.subject import Listed, Listing, Subject, Trained
from equiv.symbolic import balls
from equiv.symbolic.expression import const, symbol


def listing(subject: Subject, config: Mapping[str, str]) -> Listing:
    """The calls of a configuration, run on nothing."""
    scheduler, family = build(subject, config), family_of(subject, config)
    calls, end = [], 0.0
    told = scheduler.timesteps.tolist()
    for i in range(min(family.calls(int(config["steps"]), config), len(told))):
        now, then, _ = family.listed(scheduler, i, call_options(subject, config))
        entry = f" {getattr(scheduler, now.buffer)[now.entry].item()}" if now else ""
        printed = f", scheduler.{now}.item()" if now else ""
        calls.append(
            Listed(
                told=told[i],
                ratio=_ratio(scheduler, now, family),
                shown=f"{told[i]}{entry}",
                code=f"print(scheduler.timesteps[{i}].item(){printed})",
            )
        )
        end = _ratio(scheduler, then, family)
    curve = _curve(construct(subject, config), family)
    due = family.calls(int(config["steps"]), config)
    return Listing(calls=tuple(calls), due=due, end=end, curve=curve, made=made(subject, config))


def trained(subject: Subject, config: Mapping[str, str]) -> Trained:
    """The schedule as constructed, for a class that has betas."""
    scheduler = construct(subject, config)
    return Trained(
        signals=tuple(scheduler.alphas_cumprod.tolist()),
        first=scheduler.config.beta_start,
        last=scheduler.config.beta_end,
        shift=getattr(scheduler.config, "snr_shift_scale", 1.0),
        made=made(subject, config),
    )


def _ratio(scheduler: Any, place: Place | None, family: Family) -> float:
    if place is None:  # the clean level
        return 0.0
    values = [float(getattr(scheduler, p.buffer)[p.entry]) for p in place.entries]
    return _of(math.prod(values) ** (1 / len(values)), family)


def _of(value: float, family: Family) -> float:
    """Sigma / alpha of the level that an entry is."""
    if not math.isfinite(value):
        return math.nan
    entry = const(int(value)) if value in {0.0, 1.0} else symbol("entry", "schedule", positive=True)
    alpha, sigma = (balls.evaluate(e, {entry: Fraction(value)}).mid() for e in family.level(entry))
    return float(sigma / alpha) if alpha != 0 else math.inf


def _curve(scheduler: Any, family: Family) -> tuple[tuple[float, float], ...]:
    """The training steps of a scheduler as it is constructed; none if it is trained at any noise."""
    if hasattr(scheduler, "alphas_cumprod"):
        products = family._replace(level=of_product)
        return tuple((float(t), _of(a, products)) for t, a in enumerate(scheduler.alphas_cumprod.tolist()))
    if family.gauge != "flow" or scheduler.timesteps is None:
        return ()
    rising = range(len(scheduler.timesteps))[::-1]
    return tuple((scheduler.timesteps[k].item(), _of(scheduler.sigmas[k].item(), family)) for k in rising)
