"""The tasks that a command line asks for."""

from collections.abc import Mapping, Sequence

import msgspec

from equiv.experiments import Header
from equiv.lookup import Unknown, find, nearest
from equiv.reference.recipes import RECIPES
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
    dtype: str = "",
) -> list[Task]:
    """A task for each obligation of each subject in each configuration that has the values of ``config``.

    Raises:
        Unknown: a subject, an obligation, an option or a value does not exist; or a library is not installed.
    """
    from equiv.obligations import tasks

    if only:
        of_a_type = find("obligation", only, catalogue.obligations(), see="equiv list").header.get("narrow")
        if of_a_type and not dtype:
            raise Unknown(f"{only} is asked of a type: add --dtype bfloat16")
        if dtype and not of_a_type:
            raise Unknown(f"{only} is not asked of a type: leave out --dtype {dtype}")
    given = dict.fromkeys(subjects)
    found = [t for s in given for t in tasks(s, only=only, config=config, seed=seed, dtype=dtype)]
    if dtype and not found:
        raise Unknown(f"only schedulers are asked what they do in {dtype}; got {', '.join(given)}")
    return found


def experiments(
    ids: Sequence[str] = (),
    *,
    dtype: str | None = None,
    device: str = "cpu",
    networks: str | None = None,
    full: bool = False,
    seed: int = 0,
) -> list[Task]:
    """A task for each experiment named, or for all, in the dtype given or in each that it lists.

    Of all, those that take minutes are left out, and networks that do, unless the set is to be ``full``.

    Raises:
        Unknown: there is no such experiment, dtype or recipe, or the device cannot be used.
    """
    if dtype:
        find("dtype", dtype, dict.fromkeys(DTYPES), see=", ".join(DTYPES))
    if networks:
        find("recipe", networks, RECIPES, see=", ".join(RECIPES))
    usable(device)
    found = []
    for name in dict.fromkeys(ids) or catalogue.experiments():
        entry = find("experiment", name, catalogue.experiments(), see="equiv list")
        header = msgspec.convert(entry.header, Header)
        if dtype and ids and not header.dtypes:
            raise Unknown(f"{name} computes in balls and has no dtype; run it without --dtype")
        if networks and ids and networks not in header.networks:
            known = ", ".join(header.networks) or "none"
            raise Unknown(
                f"{name} does not measure on the networks {networks!r} (all of its networks: {known})"
            )
        if header.full and not (full or ids):
            continue
        dtypes = (dtype,) if dtype else header.dtypes
        if not header.dtypes:
            found += [] if dtype or networks else [Task(kind="experiment", id=name)]
            continue
        for n in _recipes(header, networks, full=full):
            config = {"networks": n} if n else {}
            found += [
                Task(kind="experiment", id=name, config=config, dtype=d, device=device, seed=seed)
                for d in dtypes
            ]
    return found


def _recipes(header: Header, networks: str | None, *, full: bool) -> list[str]:
    """The networks that an experiment is to be run on; one without any runs once."""
    if networks:
        return [networks] if networks in header.networks else []
    return [n for n in header.networks if full or RECIPES[n].by_default] if header.networks else [""]


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
