"""Three merges by the relay on a real server: nobody hears what is not for them."""

from __future__ import annotations

import asyncio

import pytest

from tests.live.server import VERSION, can_have_server
from tests.merges.run import run

MERGES = 3

needs_server = pytest.mark.skipif(
    not can_have_server(),
    reason=f"no livekit-server {VERSION} in .tools/, no Go to build it, and no LIVEKIT_URL",
)


@pytest.mark.live
@needs_server
@pytest.mark.parametrize("name", ["relay"])
def test_a_few_merges_are_heard_by_both_and_leak_nothing(name: str) -> None:
    found = asyncio.run(run([name], MERGES, print, relays=(), trouble=False))
    assert found["faults"] == []
    figures = found["strategies"][name]
    assert figures["merges"] == MERGES
    assert set(figures["leaks"].values()) == {0}
    # Times are for `make merges` alone; here only that both ways were heard.
    assert figures["one_way_ms"]["p50"] is not None
