"""Proves each claim once, for all tests that ask what came of it."""

import importlib
from functools import cache

from equiv.evidence import Evidence
from equiv.running.catalogue import claims
from equiv.symbolic.prover import prove


@cache
def evidence_for(name: str) -> list[Evidence]:
    """What is found about the claim of that id."""
    return prove(importlib.import_module(claims()[name].module))
