"""What the tests on a real server need to be run at all."""

from __future__ import annotations

import pytest

from tests.live.server import VERSION, can_have_server

__all__ = ["needs_server"]

needs_server = pytest.mark.skipif(
    not can_have_server(),
    reason=f"no livekit-server {VERSION} in .tools/, no Go to build it, and no LIVEKIT_URL",
)
