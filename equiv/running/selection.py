"""The tasks that a command line asks for."""

from collections.abc import Mapping, Sequence

import msgspec

from equiv.experiments import Header
from equiv.lookup import Unknown, find, nearest
from equiv.result import Task
from equiv.running import catalogue

DTYPES = ("float64", "float32", "bfloat16", "float16")
DEVICES = ("cpu", "cuda", "mps", "xpu")
SAMPLERS = tuple(
    f"diffusers.{name}"
    for name in (
        "DDIMScheduler",
        "DDPMScheduler",
        "EulerDiscreteScheduler",
        "EulerAncestralDiscreteScheduler",
        "FlowMatchEulerDiscreteScheduler",
    )
)


def claims(ids: Sequence[str] = ()) -> list[Task]:
    """A task for each claim named, or for all.

    Raises:
        Unknown: there is no claim of that id.
    """
    for name in ids:
        find("claim", name, catalogue.claims(), see="equiv list")
    return [Task(kind="claim", id=name) for name in dict.fromkeys(ids) or catalogue.claims()]


def checks(
    subjects: Sequence[str],
    *,
    only: str | None = None,
    config: Mapping[str, str] | None = None,
    seed: int = 0,
) -> list[Task]:
    """A task for each obligation of each subject in each configuration that has the values of ``config``.

    Raises:
        Unknown: a subject, an obligation, an option or a value does not exist; or a library is not installed.
    """
    from equiv.obligations import tasks

    if only:
        find("obligation", only, catalogue.obligations(), see="equiv list")
    return [t for s in dict.fromkeys(subjects) for t in tasks(s, only=only, config=config, seed=seed)]


def experiments(
    ids: Sequence[str] = (), *, dtype: str | None = None, device: str = "cpu", seed: int = 0
) -> list[Task]:
    """A task for each experiment named, or for all, in the dtype given or in each that it lists.

    One that lists none computes in balls: where all are asked for in some dtype, it is left out.

    Raises:
        Unknown: there is no such experiment or dtype, it has no dtypes, or the device cannot be used.
    """
    if dtype:
        find("dtype", dtype, dict.fromkeys(DTYPES), see=", ".join(DTYPES))
    usable(device)
    found = []
    for name in dict.fromkeys(ids) or catalogue.experiments():
        entry = find("experiment", name, catalogue.experiments(), see="equiv list")
        known = msgspec.convert(entry.header, Header).dtypes
        if known:
            dtypes = (dtype,) if dtype else known
            found += [Task(kind="experiment", id=name, dtype=d, device=device, seed=seed) for d in dtypes]
        elif not dtype:
            found.append(Task(kind="experiment", id=name))
        elif ids:
            raise Unknown(f"{name} computes in balls and has no dtype; run it without --dtype")
    return found


def usable(device: str) -> None:
    """Try a device.

    Raises:
        Unknown: it cannot be used.
    """
    if device == "cpu":
        return
    import torch

    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        hint = "" if device in DEVICES else nearest(device, DEVICES)
        raise Unknown(f"the device {device!r} cannot be used{hint}: {reason}") from error


def default(*, seed: int = 0) -> list[Task]:
    """What ``equiv report`` runs."""
    return [*claims(), *checks(SAMPLERS, seed=seed), *experiments(seed=seed)]
