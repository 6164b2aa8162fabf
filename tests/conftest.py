"""Shared by all tests: the paths of the table, walked once a session."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from warm_transfer.testing.explorer import SCOPES, Explorer, Report, report_of


@dataclass(frozen=True)
class Explored:
    explorers: tuple[Explorer, ...]
    report: Report


@pytest.fixture(scope="session")
def explored() -> Explored:
    began = time.perf_counter()
    explorers = tuple(Explorer(scope) for scope in SCOPES)
    for explorer in explorers:
        explorer.run()
    return Explored(explorers, report_of(explorers, time.perf_counter() - began))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests that share the walk in one process, so that it is done once."""
    for item in items:
        if "explored" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("explored"))
