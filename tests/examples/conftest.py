"""Every example is run on a fresh virtual clock."""

from tests.livekit.conftest import pytest_asyncio_loop_factories

__all__ = ["pytest_asyncio_loop_factories"]
