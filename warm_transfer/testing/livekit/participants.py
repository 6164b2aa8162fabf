"""Participants and their publications as a client sees them: ``rtc.RemoteParticipant`` and such."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from livekit import rtc

from warm_transfer.testing.livekit import latency
from warm_transfer.testing.livekit.server import Member, Permissions, Track
from warm_transfer.testing.livekit.sound import SimLocalTrack, SimRemoteTrack
from warm_transfer.testing.livekit.world import World

__all__ = ["SimLocalParticipant", "SimLocalPublication", "SimParticipant", "SimPublication"]

Reason = rtc.DisconnectReason


class OwnRoom(Protocol):
    """The room that a local participant is in."""

    world: World
    connection_state: int

    def emit(self, event: str, *args: Any) -> None:
        """Tell the listeners."""
        ...

    async def usable(self) -> None:
        """Hang for ever when the server has taken the room away, else return."""
        ...

    async def in_touch(self) -> None:
        """Return when the signalling is not away, or will not come back."""
        ...


class SimPublication:
    """``rtc.RemoteTrackPublication``."""

    kind = rtc.TrackKind.KIND_AUDIO

    def __init__(self, track: Track) -> None:
        self.server_track = track
        self.sid = track.sid
        self.name = track.name
        self.source = track.source
        self.muted = track.muted
        self.track: SimRemoteTrack | None = None

    @property
    def subscribed(self) -> bool:
        """Whether the client receives it."""
        return self.track is not None


class SimLocalPublication:
    """``rtc.LocalTrackPublication``."""

    kind = rtc.TrackKind.KIND_AUDIO

    def __init__(self, track: SimLocalTrack, published: Track) -> None:
        self.server_track = published
        self.sid = published.sid
        self.name = published.name
        self.source = published.source
        self.muted = published.muted
        self.track: SimLocalTrack | None = track
        self.first_subscription: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def wait_for_subscription(self) -> None:
        """Return when somebody has subscribed."""
        await asyncio.shield(self.first_subscription)


class SimParticipant:
    """``rtc.RemoteParticipant``, as far as this client has been told."""

    def __init__(self, member: Member) -> None:
        self.sid = member.sid
        self.identity = member.identity
        self.name = member.name
        self.kind = member.kind
        self.metadata = member.metadata
        self.known = dict(member.attributes)
        self.track_publications: dict[str, SimPublication] = {}
        self._reason = Reason.UNKNOWN_REASON

    @property
    def attributes(self) -> dict[str, str]:
        """A copy, as in the SDK."""
        return dict(self.known)

    @property
    def disconnect_reason(self) -> int | None:
        """Why it left; the SDK shows ``UNKNOWN_REASON`` as None (facts 5.3)."""
        return self._reason or None

    def gone(self, reason: int) -> None:
        """It has left."""
        self._reason = Reason.ValueType(reason)


class SimLocalParticipant:
    """``rtc.LocalParticipant``."""

    def __init__(self, room: OwnRoom, member: Member) -> None:
        self._room = room
        self.member = member
        self.sid = member.sid
        self.identity = member.identity
        self.name = member.name
        self.kind = member.kind
        self.known = dict(member.attributes)
        self.track_publications: dict[str, SimLocalPublication] = {}
        self._permissions: Permissions | None = None

    @property
    def attributes(self) -> dict[str, str]:
        """A copy, as in the SDK."""
        return dict(self.known)

    async def publish_track(self, track: Any, options: Any = None) -> SimLocalPublication:
        """Publish a local track. In a room that the server has taken away it never returns.

        While the signalling is away it waits, and comes behind what limits the track (rust-sdks
        signal_client, `is_queuable`).
        """
        return await self._room.world.faults.call(
            "room.publish_track", lambda: self._publish(track, options)
        )

    async def _publish(self, track: SimLocalTrack, options: Any) -> SimLocalPublication:
        world = self._room.world
        await self._room.in_touch()
        await self._room.usable()
        await world.wait(latency.PUBLISH_S)
        await self._room.usable()
        source = getattr(options, "source", 0) or rtc.TrackSource.SOURCE_MICROPHONE
        published = world.publish(self.member, track.name, source=source, tag=track.source.tag)
        track.sid = published.sid
        track.published.append(published)
        if track.muted:
            world.mute(published, muted=True)
        publication = SimLocalPublication(track, published)
        self.track_publications[published.sid] = publication
        self._room.emit("local_track_published", publication, track)
        return publication

    async def unpublish_track(self, track_sid: str) -> None:
        """Unpublish by the publication's sid. In a lost room it never returns.

        Raises:
            rtc.participant.UnpublishTrackError: there is no such track, for example because a
                full reconnect has given it another sid (integration 6).
        """
        await self._room.world.faults.call(
            "room.unpublish_track", lambda: self._unpublish(track_sid)
        )

    async def _unpublish(self, track_sid: str) -> None:
        world = self._room.world
        await self._room.usable()
        await world.wait(latency.UNPUBLISH_S)
        publication = self.track_publications.pop(track_sid, None)
        if publication is None:
            raise rtc.participant.UnpublishTrackError("track not found")
        if publication.track is not None:
            publication.track.published.remove(publication.server_track)
        world.unpublish(publication.server_track)
        self._room.emit("local_track_unpublished", publication)
        publication.track = None

    def set_track_subscription_permissions(
        self,
        *,
        allow_all_participants: bool,
        participant_permissions: list[rtc.ParticipantTrackPermission] | None = None,
    ) -> None:
        """Limit who may subscribe to the own tracks, those to come included.

        It is sent without an answer, and holds for every session of this client. Track sids do
        not: a full reconnect gives the tracks new ones, so that they then name nothing.
        """
        self._room.world.faults.call_now(
            "room.set_track_subscription_permissions",
            lambda: self._limit(allow_all_participants, participant_permissions or []),
        )

    def _limit(self, everybody: bool, each: list[rtc.ParticipantTrackPermission]) -> None:
        self._permissions = None if everybody else _permissions(each)
        self.send_permissions()

    def send_permissions(self) -> None:
        """Tell the server who may subscribe."""
        self._room.world.after(latency.SIGNAL_S, self._permit)

    def _permit(self) -> None:
        # While the connection is away nothing is sent; afterwards it is.
        if self._room.connection_state == rtc.ConnectionState.CONN_CONNECTED:
            self._room.world.permit(self.member, self._permissions)

    async def publish_data(
        self,
        payload: bytes | str,
        *,
        reliable: bool = True,
        destination_identities: list[str] | None = None,
        topic: str = "",
    ) -> None:
        """Send a packet to everybody in the room, or to some."""
        data = payload.encode() if isinstance(payload, str) else payload
        to = destination_identities or []
        await self._send(
            "publish_data",
            lambda: self._room.world.send_data(
                self.member, data, reliable=reliable, to=to, topic=topic
            ),
        )

    async def publish_dtmf(self, *, code: int, digit: str) -> None:
        """Send a key tone, which every leg of the room plays to its phone (facts A.0)."""
        await self._send(
            "publish_dtmf", lambda: self._room.world.send_digit(self.member, code, digit)
        )

    async def _send(self, name: str, send: Callable[[], None]) -> None:
        async def work() -> None:
            await self._room.usable()
            await self._room.world.wait(latency.SIGNAL_S)
            send()

        await self._room.world.faults.call(f"room.{name}", work)

    async def set_attributes(self, attributes: Mapping[str, str]) -> None:
        """Change the own attributes."""
        await self._room.usable()
        await self._room.world.wait(latency.API_S)
        self._room.world.set_own_attributes(self.member, attributes)


def _permissions(given: list[rtc.ParticipantTrackPermission]) -> Permissions:
    return {
        each.participant_identity: None if each.allow_all else frozenset(each.allowed_track_sids)
        for each in given
    }
