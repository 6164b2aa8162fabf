"""What a server is good for, looked up before anybody is dialled: once a process and server."""

from __future__ import annotations

import asyncio
import logging
import os

from warm_transfer.livekit.auto import Choice, choose, is_cloud
from warm_transfer.livekit.bridge_objects import (
    BridgeObjects,
    bridge_from_environment,
    find_bridge,
)
from warm_transfer.livekit.sdk import Api, Sdk

__all__ = ["auto_at", "bridge_at", "forget", "remember"]

_LOG = logging.getLogger("warm_transfer")

_FOUND: dict[str, BridgeObjects | None] = {}
"""By the server's address. That there is none is remembered too."""

_UNKNOWN: set[str] = set()
"""Where the look of ``"auto"`` has failed: one transfer may have to wait for it, not each."""


def remember(url: str, bridge: BridgeObjects | None) -> None:
    """Say what there is at a server, so that no transfer has to look."""
    _FOUND[url] = bridge


def forget(url: str) -> None:
    """Let the next transfer look again; safe to repeat."""
    _FOUND.pop(url, None)
    _UNKNOWN.discard(url)


async def bridge_at(url: str, api: Api, limit_s: float) -> BridgeObjects | None:
    """The bridge at a server, None when there is none or it cannot be known; then ask again.

    ``WT_BRIDGE_TRUNK`` comes first and needs no look. Returns at once, without a turn of the loop,
    when it is known.

    Args:
        url: the server's address; what was found is kept under it.
        api: a client of that server.
        limit_s: how long the look may take, in seconds.
    """
    if not _is_known(url):
        try:
            async with asyncio.timeout(limit_s):
                remember(url, await find_bridge(api))
        except Exception as error:  # noqa: BLE001 - what cannot be known is not relied on
            _LOG.info("no bridge could be looked for: %s", type(error).__name__)
    return _known(url)


async def auto_at(sdk: Sdk, api: Api | None, limit_s: float) -> Choice:
    """What ``merge="auto"`` stands for at a server; the address alone tells the vendor's cloud.

    Args:
        sdk: knows the server's address, and makes a client if there is none.
        api: a client of the application; not closed.
        limit_s: how long a look may take, in seconds.
    """
    url = sdk.url
    if is_cloud(url):
        return choose(url, None)
    if not _is_known(url) and url not in _UNKNOWN:
        client = api or sdk.api()
        try:
            await bridge_at(url, client, limit_s)
        finally:
            if api is None:
                await client.aclose()
        if not _is_known(url):
            _UNKNOWN.add(url)
    return choose(url, _known(url))


def _is_known(url: str) -> bool:
    return url in _FOUND or _known(url) is not None


def _known(url: str) -> BridgeObjects | None:
    return bridge_from_environment(os.environ) or _FOUND.get(url)
