"""What the adapters of one transfer share: who is where, and whom to tell."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from livekit import api, rtc

from warm_transfer.livekit.faults import is_gone
from warm_transfer.livekit.host import Host
from warm_transfer.livekit.sdk import Api, Room, Sdk
from warm_transfer.logs import BoundLog
from warm_transfer.policy import TransferPolicy
from warm_transfer.ports import Post

__all__ = [
    "Doubt",
    "Legs",
    "Lost",
    "each_has_its_turn",
    "look_away",
    "microphone_of",
    "mute",
    "unless",
    "unpublish",
]

T = TypeVar("T")

#: When a removal is repeated after one that went well: an "ok" is no proof that nothing comes late.
_LATER_S = (0.3, 0.9)


def _is_set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


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
    consult_joined: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the agent has joined the consult room; the dial leaves before that."""
    hold_settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the caller has taken up the hold audio, or there will be none."""
    at_rest: asyncio.Event = field(default_factory=_is_set)
    """Cleared by a strategy while it moves the human's leg from room to room: until it is set again
    the leg's departure from a room is no hang-up."""
    at_end: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    """What to let go of when the transfer is over, however it ended; nothing that waits."""

    @property
    def consult_connected(self) -> bool:
        """Whether the agent's connection to the consult room stands."""
        return self.consult_room is not None and self.consult_room.isconnected()

    @property
    def out_of_touch(self) -> bool:
        """Whether a connection of ours is lost and not back yet, as when the server restarts.

        The server takes requests before the legs are back in their rooms, and finds nobody then.
        """
        rooms = (self.caller_room, self.consult_room)
        states = [room.connection_state for room in rooms if room is not None]
        return rtc.ConnectionState.CONN_RECONNECTING in states

    async def removed(self, call: Awaitable[object]) -> None:
        """Make a removing call of the API; that there is nothing to remove is as good."""
        try:
            async with asyncio.timeout(self.policy.api_timeout_s):
                await call
        except api.ServerError as error:
            if not is_gone(error):
                raise

    async def delete_room(self, name: str) -> None:
        """Delete a room, which hangs up whoever is in it; safe to repeat."""
        await self.removed(self.api.room.delete_room(api.DeleteRoomRequest(room=name)))


@dataclass(slots=True)
class Doubt:
    """Whether a removal may have missed somebody, so that it is repeated later.

    A server that is away comes back before its legs do, and finds nobody meanwhile: a removal that
    failed, or that was made while out of touch, is in doubt, also when the next one goes well.
    """

    stands: bool = False

    def begin(self, legs: Legs) -> None:
        """Be in doubt about the removal that begins, if we are out of touch."""
        self.stands |= legs.out_of_touch

    async def remove(self, removal: Awaitable[None]) -> None:
        """Make a removal; be in doubt if it fails."""
        try:
            await removal
        except Exception:
            # Whatever it was, whoever was to be removed may still be there.
            self.stands = True
            raise

    async def repeat(self, removal: Callable[[], Awaitable[None]], *, also: bool = False) -> None:
        """If in doubt, or also for a reason of one's own, make a removal twice more, with pauses.

        It must bear repeating; an error ends that.
        """
        if self.stands or also:
            for pause_s in _LATER_S:
                await asyncio.sleep(pause_s)
                await removal()


async def each_has_its_turn(works: Iterable[Awaitable[None]]) -> None:
    """Await all of them, also when one fails; the first error is raised when all are done."""
    for result in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result


def look_away(task: asyncio.Task[Any]) -> None:
    """Let no error of a done task be reported as forgotten: nobody waits for it any more."""
    if not task.cancelled():
        task.exception()


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


class Lost:
    """An event that is set when a room's connection is lost; a context manager.

    In a room that is gone, the SDK's media calls do not return.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self.event = asyncio.Event()

    def __enter__(self) -> asyncio.Event:
        self._room.on("disconnected", self._on_lost)
        if not self._room.isconnected():
            self.event.set()
        return self.event

    def __exit__(self, *_error: object) -> None:
        self._room.off("disconnected", self._on_lost)

    def _on_lost(self, _reason: object = None) -> None:
        self.event.set()


async def unless(
    stop: asyncio.Event, work: Coroutine[Any, Any, T], *, limit_s: float | None = None
) -> T:
    """Await a piece of work, unless an event comes first.

    Raises:
        ConnectionAbortedError: the event came first; the work was cancelled.
        TimeoutError: the limit came first.
    """
    task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait([task, stopped], timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ConnectionAbortedError if stop.is_set() else TimeoutError
    finally:
        task.cancel()
        stopped.cancel()
        await asyncio.wait([task, stopped])


def mute(room: Room, track_name: str) -> None:
    """Send silence on every track of ours with this name, from now on; safe to repeat."""
    if not room.isconnected():
        return
    for publication in room.local_participant.track_publications.values():
        if publication.name == track_name and publication.track is not None:
            # What cannot be silenced is about to be taken away, which reports its own failure.
            with contextlib.suppress(Exception):
                publication.track.mute()


async def unpublish(room: Room, track_name: str, limit_s: float) -> None:
    """Take every track of ours with this name out of a room; safe to repeat.

    By name, because a full reconnect changes the sid. Gives up when the room is lost meanwhile,
    for then there is nothing left to take away.
    """
    own = room.local_participant.track_publications
    with Lost(room) as lost, contextlib.suppress(ConnectionAbortedError):
        for sid in [sid for sid, each in own.items() if each.name == track_name]:
            if not lost.is_set():
                await unless(lost, room.local_participant.unpublish_track(sid), limit_s=limit_s)
