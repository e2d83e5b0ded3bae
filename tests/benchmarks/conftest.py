"""Benchmarks run when they are asked for: with ``--benchmark-only``, and the slow ones with ``-m slow``."""

import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = config.getoption("benchmark_only", default=False)
    slow = "slow" in config.getoption("markexpr")
    for item in items:
        if "benchmarks" not in item.path.parts:
            continue
        if not wanted:
            item.add_marker(pytest.mark.skip(reason="benchmarks run with --benchmark-only"))
        elif item.get_closest_marker("slow") and not slow:
            item.add_marker(pytest.mark.skip(reason="takes minutes; runs with -m slow"))
