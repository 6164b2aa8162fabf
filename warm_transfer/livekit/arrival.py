"""Waiting for something that rooms tell of, such as a leg that has come and can be heard."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from warm_transfer.livekit.legs import microphone_of
from warm_transfer.livekit.sdk import Room

__all__ = ["can_be_heard", "comes_true"]

#: Whatever changes who is there and who is heard, as the agent sees it.
_NEWS = (
    "participant_connected",
    "participant_disconnected",
    "participant_attributes_changed",
    "track_published",
    "track_subscribed",
    "reconnected",
    "disconnected",
)


def can_be_heard(room: Room, identity: str) -> bool:
    """Whether somebody is in a room and their microphone is subscribed; it may be muted."""
    voice = microphone_of(room, identity)
    return voice is not None and voice.track is not None


async def comes_true(holds: Callable[[], bool], limit_s: float, *rooms: Room) -> bool:
    """Wait until something holds that depends on what rooms tell; False after `limit_s`."""
    news = asyncio.Event()

    def note(*_: object) -> None:
        news.set()

    listened = [(room, event) for room in rooms for event in _NEWS]
    for room, event in listened:
        room.on(event, note)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                while not holds():
                    news.clear()
                    await news.wait()
        return holds()
    finally:
        for room, event in listened:
            room.off(event, note)
