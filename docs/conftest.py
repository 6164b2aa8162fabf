"""Every Python block of every page runs, page by page, in an empty folder of its own.

The blocks of the migration guide are whole applications: ``tests/examples`` runs those.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

HERE = "_tested_from"


def _enter(namespace: dict[str, Any]) -> None:
    folder = tempfile.TemporaryDirectory()
    namespace[HERE] = Path.cwd(), folder
    os.chdir(folder.name)


def _leave(namespace: dict[str, Any]) -> None:
    before, folder = namespace[HERE]
    os.chdir(before)
    folder.cleanup()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the blocks of a page in one process: each goes on from the one before."""
    for item in items:
        if item.path.suffix == ".md":
            item.add_marker(pytest.mark.xdist_group(item.path.name))


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser()],
    patterns=["*.md"],
    excludes=["migration.md"],
    setup=_enter,
    teardown=_leave,
).pytest()
