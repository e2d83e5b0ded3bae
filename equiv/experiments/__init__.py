"""Numeric evidence for claims: one experiment a file, measured against derived bounds.

A file holds a header ``EXPERIMENT`` of literals, so that it is listed without being imported, and
``run(task)``, which returns the evidence and data for the report's figures.
"""

import msgspec


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What an experiment is about, and the types it runs in when none is asked for.

    One that computes in balls has no type, and runs on no device. Networks that take minutes to train, and
    experiments that take minutes, are left to the full set.
    """

    id: str
    title: str
    claims: tuple[str, ...]
    dtypes: tuple[str, ...] = ("float64", "float32", "bfloat16")
    networks: tuple[str, ...] = ()  # names of recipes; those that train in seconds first
    full: bool = False
