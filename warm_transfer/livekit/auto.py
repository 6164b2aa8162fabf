"""What ``merge="auto"`` means here: decided from the address and the set-up, before any dial."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from warm_transfer.livekit.bridge_objects import BridgeObjects

__all__ = ["Choice", "choose", "is_cloud"]

_CLOUD_DOMAIN = ".livekit.cloud"
"""The projects of the vendor's cloud; livekit-api tells them by the same ending."""


class Choice(NamedTuple):
    """Merge strategies in the order in which they are tried, and why in one sentence."""

    strategies: tuple[str, ...]
    why: str


def is_cloud(url: str) -> bool:
    """Whether an address is a project of the vendor's cloud."""
    try:
        host = urlsplit(url if "//" in url else f"//{url}").hostname or ""
    except ValueError:
        # Something that is no address is nobody's cloud; who connects to it says so.
        return False
    return host.rstrip(".").endswith(_CLOUD_DOMAIN)


def choose(url: str, bridge: BridgeObjects | None) -> Choice:
    """What ``auto`` stands for.

    Only what is known before a dial counts, so that no human is briefed for a merge that cannot
    be. The relay works everywhere and is always the last.

    Args:
        url: the server's address, as in ``LIVEKIT_URL``.
        bridge: the bridge at that server, None when it is not set up.
    """
    if is_cloud(url):
        return Choice(("move", "relay"), "this is the vendor's cloud, which moves participants")
    if bridge is not None:
        return Choice(("sip_bridge", "relay"), "the bridge is set up at this server")
    why = "this server moves no participants, and the bridge is not set up: the agent carries sound"
    return Choice(("relay",), why)
