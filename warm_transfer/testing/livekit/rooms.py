"""A client's view of a room: ``rtc.Room`` with its event names, arguments and quirks."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

from livekit import rtc

from warm_transfer.testing.livekit import latency
from warm_transfer.testing.livekit.emitter import SimEmitter
from warm_transfer.testing.livekit.participants import (
    SimLocalParticipant,
    SimParticipant,
    SimPublication,
)
from warm_transfer.testing.livekit.server import Member, Refused, Track
from warm_transfer.testing.livekit.sound import SimRemoteTrack
from warm_transfer.testing.livekit.world import World

__all__ = ["SimRoom", "make_token"]

Reason = rtc.DisconnectReason
# Looked up once: an enum of protobuf finds its members anew each time.
CONNECTED = rtc.ConnectionState.CONN_CONNECTED
DISCONNECTED = rtc.ConnectionState.CONN_DISCONNECTED
RECONNECTING = rtc.ConnectionState.CONN_RECONNECTING
KINDS = {"": 0, "standard": 0, "ingress": 1, "egress": 2, "sip": 3, "agent": 4}


def make_token(room: str, identity: str, kind: str, until_s: float | None) -> str:
    """A token in the shape of a JWT, not signed; `until_s` is in virtual time."""
    grant = {"sub": identity, "kind": kind, "until_s": until_s, "video": {"room": room}}
    payload = base64.urlsafe_b64encode(json.dumps(grant).encode()).decode().rstrip("=")
    return f"sim.{payload}.sim"


def _read_token(token: str) -> dict[str, Any]:
    """The grants of a token, ours or a real one."""
    try:
        payload = token.split(".")[1]
        grant = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        raise rtc.ConnectError("engine: signal failure: invalid token") from None
    assert isinstance(grant, dict)
    return grant


class SimRoom(SimEmitter):
    """``rtc.Room`` on the simulated server.

    Args:
        world: the server.
        ear: under which name the hearing log keeps what this client hears; None for nothing.
    """

    def __init__(self, world: World, ear: str | None = None) -> None:
        super().__init__()
        self.world = world
        self.name = ""
        self._ear = ear
        self._local: SimLocalParticipant | None = None
        self.remote_participants: dict[str, SimParticipant] = {}
        self.connection_state: int = DISCONNECTED
        self._lost = False
        self._losses = 0
        self._lost_fully = False
        self._members: dict[Member, SimParticipant] = {}
        self._deaf = False
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def local_participant(self) -> SimLocalParticipant:
        """Ourselves, once connected."""
        if self._local is None:
            raise Exception("cannot access local participant before connecting")  # noqa: TRY002 - as the SDK
        return self._local

    def isconnected(self) -> bool:
        """Whether connected; also while reconnecting, as in the SDK."""
        return self._local is not None and self.connection_state != DISCONNECTED

    def listeners(self) -> list[str]:
        """Every listener, as ``room: event``."""
        return [f"{self.name}: {event}" for event, each in self._events.items() for _ in each]

    @property
    def lost(self) -> bool:
        """Whether the server has put this client out."""
        return self._lost

    async def usable(self) -> None:
        """Hang for ever when the server has taken the room away (integration 6), else return."""
        if self._lost or not self.isconnected():
            await self.world.loop.create_future()

    async def in_touch(self) -> None:
        """Return when the signalling is not away, or will not come back."""
        while self.connection_state == RECONNECTING:
            back: asyncio.Future[None] = self.world.loop.create_future()
            self._waiting.append(back)
            await back

    # Coming and going.

    async def connect(self, url: str, token: str, options: Any = None) -> None:
        """Join the token's room.

        A `connect` that is cancelled midway leaves a participant that nobody holds, as in the SDK.

        Raises:
            rtc.ConnectError: the token is no good or the room is full.
        """
        del url
        await self.world.faults.call("room.connect", lambda: self._connect(token, options))

    async def _connect(self, token: str, options: Any) -> None:
        grant = _read_token(token)
        self._deaf = getattr(options, "auto_subscribe", True) is False
        joined: asyncio.Future[Member] = self.world.loop.create_future()
        self.world.after(latency.JOIN_S, self._join, grant, joined)
        member = await joined
        self.name = member.room.name
        self._local = SimLocalParticipant(self, member)
        self.connection_state = CONNECTED
        self._lost = False
        self.world.ledger.connected(self)
        self.world.ledger.opened(self, f"connection to {self.name}")
        for other in member.room.others(member):
            if other.visible:
                self._see(other)
        await self.world.wait(latency.JOINED_S)

    def _join(self, grant: dict[str, Any], joined: asyncio.Future[Member]) -> None:
        abandoned = joined.cancelled()
        try:
            member = self._admit(grant, None if abandoned else self)
        except Refused as refused:
            if not abandoned:
                joined.set_exception(rtc.ConnectError(f"engine: signal failure: {refused}"))
            return
        if not abandoned:
            joined.set_result(member)

    def _admit(self, grant: dict[str, Any], client: SimRoom | None) -> Member:
        if self.world.down:
            raise Refused("unavailable", 503, "connection refused")
        until_s = grant.get("until_s")
        if until_s is not None and self.world.now_s > until_s:
            raise Refused("unauthenticated", 401, "token is expired")
        return self.world.join(
            grant["video"]["room"],
            grant["sub"],
            kind=KINDS.get(grant.get("kind", ""), 0),
            client=client,
            ear=self._ear,
            hears=not self._deaf,
        )

    async def disconnect(self) -> None:
        """Leave. Streams of this room end; a second call changes nothing."""
        await self.world.faults.call("room.disconnect", self.leave)

    async def leave(self) -> None:
        """Leave without a planned fault: the framework leaves, and not the library."""
        if not self.isconnected():
            self.world.ledger.closed(self)
            return
        member = self.local_participant.member
        self._over()
        self.world.leave(member, Reason.CLIENT_INITIATED)
        for participant in self.remote_participants.values():
            for publication in participant.track_publications.values():
                if publication.track is not None:
                    publication.track.end()
        await asyncio.sleep(0)
        self.emit("connection_state_changed", self.connection_state)
        self.emit("disconnected", Reason.CLIENT_INITIATED)

    def _over(self) -> None:
        self.connection_state = DISCONNECTED
        self._wait_no_more()
        self.world.ledger.closed(self)
        self.world.ledger.disconnected(self)

    # What the server tells (server.Client).

    def member_joined(self, member: Member, attributes: dict[str, str]) -> None:
        """Somebody has joined."""
        if self._listening and member not in self._members:
            participant = self._see(member)
            participant.known = attributes
            self.emit("participant_connected", participant)

    def member_left(self, member: Member, reason: int) -> None:
        """Somebody has left."""
        if self._listening:
            self._lose(member, reason)

    def attributes_changed(
        self, member: Member, changed: dict[str, str], attributes: dict[str, str]
    ) -> None:
        """Somebody's attributes have changed."""
        who: SimParticipant | SimLocalParticipant | None = self._members.get(member)
        if self._local is not None and member is self._local.member:
            who = self._local
        if self._listening and who is not None:
            who.known = dict(attributes)
            self.emit("participant_attributes_changed", changed, who)

    def track_published(self, track: Track) -> None:
        """Somebody has published a track."""
        who = self._members.get(track.member)
        if self._listening and who is not None and track.sid not in who.track_publications:
            publication = SimPublication(track)
            who.track_publications[track.sid] = publication
            self.emit("track_published", publication, who)

    def track_opened(self, track: Track) -> None:
        """A track is subscribed from now on."""
        who = self._members.get(track.member)
        publication = who.track_publications.get(track.sid) if who is not None else None
        if not self._listening or publication is None or publication.track:
            return
        publication.track = SimRemoteTrack(track)
        self.emit("track_subscribed", publication.track, publication, who)

    def track_shut(self, track: Track) -> None:
        """A track is not subscribed any more, but still published."""
        who = self._members.get(track.member)
        publication = who.track_publications.get(track.sid) if who is not None else None
        if self._listening and publication is not None:
            self._unsubscribe(who, publication)

    def track_closed(self, track: Track) -> None:
        """A track has been unpublished."""
        who = self._members.get(track.member)
        if self._listening and who is not None:
            self._drop(who, track.sid)

    def track_muted(self, track: Track, muted: bool) -> None:
        """A track was muted or unmuted."""
        who: Any = self._members.get(track.member)
        if self._local is not None and track.member is self._local.member:
            who = self._local
        publication = who.track_publications.get(track.sid) if who is not None else None
        if self._listening and publication is not None:
            publication.muted = muted
            self.emit("track_muted" if muted else "track_unmuted", who, publication)

    def own_track_heard(self, track: Track) -> None:
        """The first subscriber of an own track is there."""
        publication = self.local_participant.track_publications.get(track.sid)
        if self._listening and publication is not None:
            if not publication.first_subscription.done():
                publication.first_subscription.set_result(None)
            self.emit("local_track_subscribed", publication.track)

    def digit_received(self, sender: Member, code: int, digit: str) -> None:
        """A key was pressed at a leg, or sent by a client."""
        if self._listening:
            who: Any = self._members.get(sender)
            self.emit("sip_dtmf_received", rtc.SipDTMF(code, digit, who))

    def data_received(self, sender: Member, data: bytes, reliable: bool, topic: str) -> None:
        """A packet has come."""
        if self._listening:
            kinds = rtc.DataPacketKind
            kind = kinds.KIND_RELIABLE if reliable else kinds.KIND_LOSSY
            who: Any = self._members.get(sender)
            self.emit("data_received", rtc.DataPacket(data, kind, who, topic))

    def moved(self, room: str) -> None:
        """The client itself is in another room now."""
        for member in tuple(self._members):
            self._lose(member, Reason.UNKNOWN_REASON)
        self.name = room
        for other in self.local_participant.member.room.others(self.local_participant.member):
            self.member_joined(other, dict(other.attributes))
        self.emit("moved")

    def removed(self, reason: int) -> None:
        """The server has put us out. Streams do not end, and media calls hang from now on."""
        if self.isconnected():
            self._lost = True
            self._over()
            self.emit("connection_state_changed", self.connection_state)
            self.emit("disconnected", reason)

    @property
    def _listening(self) -> bool:
        return self.connection_state == CONNECTED

    def _see(self, member: Member) -> SimParticipant:
        """Take somebody into the view, the tracks included."""
        participant = SimParticipant(member)
        self._members[member] = participant
        self.remote_participants[member.identity] = participant
        me = self.local_participant.member
        for track in member.tracks.values():
            participant.track_publications[track.sid] = SimPublication(track)
            self.world.tell(me, latency.SUBSCRIBE_S, self._subscribed, track)
        return participant

    def _subscribed(self, track: Track) -> None:
        me = self.local_participant.member
        self.world.follow(me, track)
        if track in me.receives:
            self.track_opened(track)

    def _lose(self, member: Member, reason: int) -> None:
        participant = self._members.pop(member, None)
        if participant is None:
            return
        for sid in tuple(participant.track_publications):
            self._drop(participant, sid)
        if self.remote_participants.get(member.identity) is participant:
            del self.remote_participants[member.identity]
        participant.gone(reason)
        self.emit("participant_disconnected", participant)

    def _drop(self, participant: SimParticipant, sid: str) -> None:
        publication = participant.track_publications.get(sid)
        if publication is None:
            return
        self._unsubscribe(participant, publication)
        participant.track_publications.pop(sid, None)
        self.emit("track_unpublished", publication, participant)

    def _unsubscribe(self, who: SimParticipant | None, publication: SimPublication) -> None:
        track, publication.track = publication.track, None
        if track is not None:
            track.die()
            self.emit("track_unsubscribed", track, publication, who)

    # A connection that fails and comes back.

    async def lose_signal(self, seconds: float) -> None:
        """The agent's own signalling connection fails and comes back (integration 6).

        Under a second it is resumed: nothing is missed. Longer, it is a full reconnect: everybody
        seems to leave with no reason while ``connection_state`` is reconnecting, and comes back
        with new track objects; the own publications get new sids. Of several losses the last to end
        brings it back.
        """
        member = self.local_participant.member
        resumed = seconds < 1.0
        self._losses += 1
        self._lost_fully |= not resumed
        self.world.away_s.append((self.world.now_s, seconds + latency.RESUME_S))
        self._enter(RECONNECTING, "reconnecting")
        if resumed:
            await asyncio.sleep(latency.RESUME_S)
        else:
            for track in member.tracks.values():
                self.world.cut(track)
            await self.world.wait(latency.RECONNECT_SEEN_S)
            for other in tuple(self._members):
                self._forget_streams(other)
                self._lose(other, Reason.UNKNOWN_REASON)
            await asyncio.sleep(seconds)
        self._losses -= 1
        if self._losses or not self.isconnected():
            return
        resumed, self._lost_fully = not self._lost_fully, False
        if not resumed:
            self._come_back(member)
        else:
            self._catch_up(member)
        self._enter(CONNECTED, "reconnected")
        if resumed:
            self._catch_up_on_tracks(member)
            # What was to be sent meanwhile is sent now (rust-sdks signal_client, `flush_queue`).
            self.local_participant.send_permissions()

    def _enter(self, state: int, event: str) -> None:
        self.connection_state = state
        if state == CONNECTED:
            self._wait_no_more()
        self.emit("connection_state_changed", state)
        self.emit(event)

    def _wait_no_more(self) -> None:
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            if not each.done():
                each.set_result(None)

    def _forget_streams(self, member: Member) -> None:
        for publication in self._members[member].track_publications.values():
            if publication.track is not None:
                publication.track.die()

    def _come_back(self, member: Member) -> None:
        own = self.local_participant.track_publications
        self.world.come_back(member)
        self.local_participant.sid = member.sid
        for sid, publication in tuple(own.items()):
            track = publication.server_track
            publication.sid = track.sid
            if publication.track is not None:
                publication.track.sid = track.sid
            del own[sid]
            own[track.sid] = publication
            self.emit("local_track_republished", publication, sid)
        for other in member.room.others(member):
            if other.visible:
                self.emit("participant_connected", self._see(other))
        # The server has forgotten it; the client sends it again, and only after its tracks
        # (rust-sdks livekit/src/room/mod.rs, handle_restarted).
        self.local_participant.send_permissions()

    def _catch_up(self, member: Member) -> None:
        """What was missed while the signalling was away."""
        here = set(member.room.members.values())
        for other in tuple(self._members):
            if other not in here:
                self._lose(other, other.disconnect_reason or Reason.UNKNOWN_REASON)
        for other in member.room.others(member):
            if other.visible and other not in self._members:
                self.emit("participant_connected", self._see(other))

    def _catch_up_on_tracks(self, member: Member) -> None:
        for other in member.room.others(member):
            for track in other.tracks.values():
                self.track_published(track)
                if track in member.receives:
                    self.track_opened(track)

    def on(self, event: str, callback: Callable[..., Any] | None = None) -> Callable[..., Any]:
        """Register a listener; one that raises is logged and forgotten, as in the SDK."""
        return super().on(event, callback)
