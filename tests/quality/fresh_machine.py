"""A pytest plugin for mutation testing: no test inherits what an earlier one has built.

The machine of a table is built once a process, so without this only the first test would see that
building it has changed. Loaded with ``-p tests.quality.fresh_machine``.
"""

from __future__ import annotations

import pytest

from warm_transfer.machine import TableMachine


@pytest.fixture(autouse=True)
def fresh_machine() -> None:
    """Build the machine anew."""
    TableMachine.of.cache_clear()
