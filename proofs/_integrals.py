"""Integrals by a primitive that is written down, so that each of them is two decided equalities."""

from collections.abc import Iterable
from typing import Any

from equiv.claim import Chain, chain
from equiv.proofs._calculus import at, rate, require_span


def by_primitive(
    title: str, integrand: Any, primitive: Any, span: tuple[Any, Any, Any], value: Any
) -> Iterable[Chain]:
    """``integrand`` integrated over ``span = (x, low, high)`` is ``value``."""
    x, low, high = span
    require_span(x, low, high)
    yield chain(f"{title}: a primitive", rate(primitive, x), ("differentiate", integrand))
    yield chain(
        f"{title}: between the ends", at(primitive, x, high) - at(primitive, x, low), ("insert them", value)
    )
