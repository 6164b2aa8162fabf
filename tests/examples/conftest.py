"""Every example is run on a fresh virtual clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from warm_transfer.testing.clock import VirtualClockLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    del config, item
    return {"virtual": VirtualClockLoop}
