"""What the adapters of one transfer share: who is where, and whom to tell."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from livekit import rtc

from warm_transfer.livekit.host import Host
from warm_transfer.livekit.sdk import Api, Room, Sdk
from warm_transfer.logs import BoundLog
from warm_transfer.policy import TransferPolicy
from warm_transfer.ports import Post

__all__ = ["Legs", "microphone_of", "unpublish"]


@dataclass(slots=True)
class Legs:
    """The rooms, identities and services of one transfer."""

    transfer_id: str
    sdk: Sdk
    api: Api
    policy: TransferPolicy
    host: Host
    caller_room: Room
    caller_identity: str
    consult_name: str
    """The name of the consult room: unguessable, without the caller's number."""
    human_identity: str
    """The identity of the human's leg in this attempt."""
    post: Post
    log: BoundLog
    consult_room: Room | None = None
    """The consult room while the agent is in it."""

    @property
    def consult_connected(self) -> bool:
        """Whether the agent's connection to the consult room stands."""
        return self.consult_room is not None and self.consult_room.isconnected()


def microphone_of(room: Room, identity: str) -> rtc.RemoteTrackPublication | None:
    """The publication that carries a participant's voice; None while there is none.

    By its source and not "the first audio track": a participant may have several.
    """
    participant = room.remote_participants.get(identity)
    if participant is None:
        return None
    publication: rtc.RemoteTrackPublication
    for publication in participant.track_publications.values():
        if publication.source == rtc.TrackSource.SOURCE_MICROPHONE:
            return publication
    return None


async def unpublish(room: Room, track_name: str, limit_s: float) -> None:
    """Take every track of ours with this name out of a room; safe to repeat.

    By name, because a full reconnect changes the sid. Gives up when the room is lost meanwhile,
    for then the SDK's call does not return and there is nothing left to take away.
    """
    lost = asyncio.get_running_loop().create_future()

    def on_lost(_reason: object = None) -> None:
        if not lost.done():
            lost.set_result(None)

    room.on("disconnected", on_lost)
    try:
        own = room.local_participant.track_publications
        for sid in [sid for sid, each in own.items() if each.name == track_name]:
            if room.isconnected():
                await _either(room.local_participant.unpublish_track(sid), lost, limit_s)
    finally:
        room.off("disconnected", on_lost)


async def _either(
    work: Coroutine[Any, Any, None], lost: asyncio.Future[None], limit_s: float
) -> None:
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task, lost], timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            task.result()
        elif not lost.done():
            raise TimeoutError
    finally:
        task.cancel()
        await asyncio.wait([task])
