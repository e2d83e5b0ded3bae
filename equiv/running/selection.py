"""The tasks that a command line asks for."""

from collections.abc import Mapping, Sequence

from equiv.lookup import find
from equiv.result import Task
from equiv.running import catalogue

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
    values = dict(config or {})
    return [t for s in dict.fromkeys(subjects) for t in tasks(s, only=only, config=values, seed=seed)]


def experiments(
    ids: Sequence[str] = (), *, dtype: str | None = None, device: str = "cpu", seed: int = 0
) -> list[Task]:
    """A task for each experiment named, or for all, in each of its dtypes or in the one given.

    Raises:
        Unknown: there is no such experiment, or it is not made for that dtype.
    """
    known = catalogue.experiments()
    found = []
    for name in dict.fromkeys(ids) or known:
        header = find("experiment", name, known, see="equiv list").header
        dtypes = {d: d for d in header.get("dtypes", ("float64", "float32", "bfloat16"))}
        wanted = [find("dtype", dtype, dtypes, see=", ".join(dtypes))] if dtype else list(dtypes)
        found += [Task(kind="experiment", id=name, dtype=d, device=device, seed=seed) for d in wanted]
    return found


def default(*, seed: int = 0) -> list[Task]:
    """What ``equiv report`` runs."""
    return [*claims(), *checks(SAMPLERS, seed=seed), *experiments(seed=seed)]
