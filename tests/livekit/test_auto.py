from __future__ import annotations

import pytest

from warm_transfer.livekit.auto import choose, is_cloud
from warm_transfer.livekit.bridge_objects import BridgeObjects

BRIDGE = BridgeObjects("ST_out")
CLOUD = "wss://project-abc.livekit.cloud"


@pytest.mark.parametrize(
    "url", [CLOUD, "https://x.LiveKit.Cloud:443/", "wss://x.livekit.cloud.", "x.livekit.cloud"]
)
def test_a_project_of_the_cloud_is_told_by_its_host(url: str) -> None:
    assert is_cloud(url)


@pytest.mark.parametrize(
    "url",
    [
        "ws://127.0.0.1:7880",
        "wss://livekit.cloud.example.com",
        "wss://notlivekit.cloud",
        "wss://example.com/?x=.livekit.cloud",
        "wss://[bad",
        "",
    ],
)
def test_anything_else_is_not_the_cloud(url: str) -> None:
    assert not is_cloud(url)


@pytest.mark.parametrize("bridge", [None, BRIDGE])
def test_in_the_cloud_participants_are_moved(bridge: BridgeObjects | None) -> None:
    strategies, why = choose(CLOUD, bridge)
    assert strategies == ("move", "relay")
    assert "cloud" in why


def test_elsewhere_the_bridge_is_taken_when_there_is_one() -> None:
    assert choose("ws://here:7880", BRIDGE).strategies == ("sip_bridge", "relay")
    assert choose("ws://here:7880", None).strategies == ("relay",)
