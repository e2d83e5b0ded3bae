"""Few configurations that have between them every pair of values of their options.

Greedy: each begins with a pair that none has yet, and takes for every other option the value that brings
most of such pairs with it. (Of the generators on PyPI, allpairspy leaves pairs out where some are refused.)
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product

Config = dict[str, str]
Pair = frozenset[tuple[str, str]]


def covering(
    options: Mapping[str, Sequence[str]],
    usual: Iterable[Config] = (),
    refused: Sequence[Mapping[str, str]] = (),
) -> list[Config]:
    """Configurations with every pair of values that one may have.

    Args:
        options: the values of each.
        usual: configurations that come first.
        refused: values that no configuration may have together.
    """
    found: list[Config] = []
    wanted = dict.fromkeys(_pairs(options))

    def take(config: Config) -> None:
        found.append({name: config[name] for name in options})
        for pair in combinations(config.items(), 2):
            wanted.pop(frozenset(pair), None)

    for config in usual:
        if _allowed(config, refused):
            take(config)
    while made := next(filter(None, (_with(dict(p), options, wanted, refused) for p in wanted)), None):
        take(made)
    return found


def _pairs(options: Mapping[str, Sequence[str]]) -> Iterator[Pair]:
    for (a, of_a), (b, of_b) in combinations(options.items(), 2):
        yield from (frozenset({(a, v), (b, w)}) for v, w in product(of_a, of_b))


def _with(
    config: Config,
    options: Mapping[str, Sequence[str]],
    wanted: Collection[Pair],
    refused: Sequence[Mapping[str, str]],
) -> Config | None:
    """The configuration completed; None if there is none that is allowed."""
    if not _allowed(config, refused):
        return None
    missing = next((name for name in options if name not in config), None)
    if missing is None:
        return config

    def brings(value: str) -> int:
        return sum(frozenset({(missing, value), known}) in wanted for known in config.items())

    ordered = sorted(options[missing], key=brings, reverse=True)  # of equals, the first
    made = (_with({**config, missing: value}, options, wanted, refused) for value in ordered)
    return next(filter(None, made), None)


def _allowed(config: Config, refused: Sequence[Mapping[str, str]]) -> bool:
    return not any(values.items() <= config.items() for values in refused)
