"""The simulated server: who is in which room, and who hears what."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TypeVarTuple

from livekit import rtc

from warm_transfer.testing.livekit import latency
from warm_transfer.testing.livekit.ears import Ears, Heard
from warm_transfer.testing.livekit.faults import Faults
from warm_transfer.testing.livekit.leftovers import Ledger, Left
from warm_transfer.testing.livekit.server import Client, Member, Refused, ServerRoom, Track

__all__ = ["World"]

Args = TypeVarTuple("Args")

Reason = rtc.DisconnectReason
MICROPHONE = rtc.TrackSource.SOURCE_MICROPHONE


class World:
    """A LiveKit server with everything that is connected to it.

    Make it inside a running event loop, normally that of `warm_transfer.testing.clock`.

    Args:
        faults: what is to go wrong in the seam.
        seed: with a seed every latency varies by a factor between 0.5 and 2, the same way each
            time; without one they are as in `latency`.
        cloud: whether ``MoveParticipant`` works, as on the vendor's cloud.
        sip: ``"up"``, ``"absent"`` (no SIP service answers) or ``"not connected"`` (the server
            has no Redis).
        trunks: the ids of outbound trunks that exist.
    """

    def __init__(
        self,
        *,
        faults: Faults | None = None,
        seed: int | None = None,
        cloud: bool = False,
        sip: str = "up",
        trunks: frozenset[str] = frozenset({"ST_x"}),
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.faults = faults or Faults()
        self.cloud = cloud
        self.sip = sip
        self.trunks = trunks
        self.rooms: dict[str, ServerRoom] = {}
        self.ears = Ears()
        self.ledger = Ledger()
        self._random = None if seed is None else random.Random(seed)  # noqa: S311 - to be replayed
        self._counts: Counter[str] = Counter()

    # Time.

    @property
    def now_s(self) -> float:
        """The virtual time in seconds."""
        return self.loop.time()

    def lag(self, seconds: float) -> float:
        """A latency, with this world's variation."""
        if self._random is None:
            return seconds
        return seconds * self._random.uniform(0.5, 2.0)

    async def wait(self, seconds: float) -> None:
        """Let a latency pass."""
        await asyncio.sleep(self.lag(seconds))

    def after(
        self, seconds: float, what: Callable[[*Args], object], *args: *Args
    ) -> asyncio.TimerHandle:
        """Do something when a latency has passed."""
        return self.loop.call_later(self.lag(seconds), what, *args)

    def number(self, prefix: str) -> str:
        """A fresh id, counted, so that every run has the same ones."""
        self._counts[prefix] += 1
        return f"{prefix}{self._counts[prefix]}"

    def tell(
        self, member: Member, seconds: float, what: Callable[[*Args], object], *args: *Args
    ) -> None:
        """Send news to a member's connection: later, but never in another order than sent."""
        # Timers of the same instant run in no order of their own, so each gets an instant.
        at_s = max(self.now_s + self.lag(seconds), member.told_until_s + 1e-6)
        member.told_until_s = at_s
        self.loop.call_at(at_s, what, *args)

    # Rooms.

    def create_room(
        self,
        name: str,
        *,
        max_participants: int = 0,
        empty_timeout_s: float = 0.0,
        departure_timeout_s: float = 0.0,
    ) -> ServerRoom:
        """Make a room, or return the one that is there."""
        room = self.rooms.get(name)
        if room is None:
            room = ServerRoom(
                name,
                self.number("RM_"),
                max_participants=max_participants,
                empty_timeout_s=empty_timeout_s or latency.EMPTY_TIMEOUT_S,
                departure_timeout_s=departure_timeout_s or latency.DEPARTURE_TIMEOUT_S,
            )
            self.rooms[name] = room
            self._close_later(room, room.empty_timeout_s)
        return room

    def delete_room(self, name: str) -> None:
        """Delete a room and put everybody out of it.

        Raises:
            Refused: there is no such room.
        """
        if name not in self.rooms:
            raise Refused("not_found", 404, "requested room does not exist")
        self._close(self.rooms[name], Reason.ROOM_DELETED)

    def _close(self, room: ServerRoom, reason: int) -> None:
        if not room.open:
            return
        room.open = False
        self.rooms.pop(room.name, None)
        if room.closing is not None:
            room.closing.cancel()
        # One by one: who is put out last has seen the others leave. The real server goes through
        # a Go map, in no order; measured were the agent first in the consult room (integration 6)
        # and last in the caller's room (integration 3), which is the order of joining.
        members = list(room.members.values())
        if self._random is not None:
            self._random.shuffle(members)
        for member in members:
            self._put_out(member, reason)

    def _close_later(self, room: ServerRoom, seconds: float) -> None:
        if room.closing is not None:
            room.closing.cancel()
        room.closing = self.loop.call_later(seconds, self._close_if_unused, room)

    def _close_if_unused(self, room: ServerRoom) -> None:
        if not room.keeps_open:
            self._close(room, Reason.ROOM_CLOSED)

    # Members.

    def join(
        self,
        room_name: str,
        identity: str,
        *,
        kind: int = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
        name: str = "",
        client: Client | None = None,
        ear: str | None = None,
        attributes: Mapping[str, str] | None = None,
        visible: bool = True,
        hears: bool = True,
    ) -> Member:
        """Let somebody into a room; joining makes a room that is not there.

        Raises:
            Refused: the room is full.
        """
        room = self.create_room(room_name)
        before = room.members.get(identity)
        if before is not None:
            self.leave(before, Reason.DUPLICATE_IDENTITY)
        if room.max_participants and len(room.members) >= room.max_participants:
            raise Refused("resource_exhausted", 429, "room has exceeded its max participants")
        member = Member(
            self.number("PA_"),
            identity,
            name,
            kind,
            room,
            client,
            ear,
            dict(attributes or {}),
            visible=False,
            hears=hears,
        )
        room.members[identity] = member
        if room.closing is not None and room.keeps_open:
            room.closing.cancel()
            room.closing = None
        if visible:
            self.show(member)
        self._refresh(room)
        return member

    def show(self, member: Member) -> None:
        """Tell the others that somebody has joined."""
        if member.visible or not member.joined:
            return
        member.visible = True
        attributes = dict(member.attributes)
        for other in member.room.others(member):
            if other.client is not None:
                self.tell(other, latency.NEWS_S, other.client.member_joined, member, attributes)

    def start_hearing(self, member: Member) -> None:
        """A member subscribes to everything in its room from now on."""
        member.hears = True
        for other in member.room.others(member):
            for track in other.tracks.values():
                self._heard_once(track)
        self._refresh(member.room)

    def set_attributes(self, member: Member, changed: Mapping[str, str]) -> None:
        """Change attributes; an empty value takes one away."""
        if not member.joined:
            return
        for key, value in changed.items():
            if value:
                member.attributes[key] = value
            else:
                member.attributes.pop(key, None)
        now = dict(member.attributes)
        for each in tuple(member.room.members.values()):
            # The member itself is told too (integration 4).
            if each.client is not None and member.visible:
                self.tell(
                    each, latency.NEWS_S, each.client.attributes_changed, member, dict(changed), now
                )

    def leave(self, member: Member, reason: int) -> None:
        """Somebody leaves, or is put out for `reason`; the room follows when it is unused."""
        if not member.joined:
            return
        room = member.room
        self._put_out(member, reason)
        if room.open and not room.keeps_open:
            self._close_later(room, room.departure_timeout_s)

    def _put_out(self, member: Member, reason: int) -> None:
        member.joined = False
        member.disconnect_reason = reason
        room = member.room
        if room.members.get(member.identity) is member:
            del room.members[member.identity]
        for track in member.tracks.values():
            self._silence(track)
        for other in room.others(member):
            if other.client is not None and member.visible:
                self.tell(other, latency.NEWS_S, other.client.member_left, member, reason)
        if member.client is not None:
            self.tell(member, latency.NEWS_S, member.client.removed, reason)
        if member.on_removed is not None:
            member.on_removed(reason)
        self._refresh_one(member)
        self._refresh(room)

    def move(self, member: Member, destination: str) -> None:
        """Move a member to another room, as the cloud does."""
        source = member.room
        del source.members[member.identity]
        for other in source.others(member):
            if other.client is not None:
                # What reason the others see is not documented (facts 5.6).
                self.tell(
                    other, latency.NEWS_S, other.client.member_left, member, Reason.UNKNOWN_REASON
                )
        self._refresh(source)
        if source.open and not source.keeps_open:
            self._close_later(source, source.departure_timeout_s)
        room = self.create_room(destination)
        before = room.members.get(member.identity)
        if before is not None:
            self.leave(before, Reason.DUPLICATE_IDENTITY)
        member.room = room
        room.members[member.identity] = member
        if room.closing is not None and room.keeps_open:
            room.closing.cancel()
            room.closing = None
        member.visible = False
        self.show(member)
        for track in member.tracks.values():
            self._announce(track)
        if member.client is not None:
            self.tell(member, latency.NEWS_S, member.client.moved, destination)
        self._refresh(room)

    # Tracks and sound.

    def publish(
        self, member: Member, name: str, *, source: int = MICROPHONE, tag: str = ""
    ) -> Track:
        """Publish a track; the others know at once and hear it a little later."""
        track = Track(self.number("TR_"), name, source, member, tag)
        member.tracks[track.sid] = track
        self._announce(track)
        self.after(latency.NEWS_S + latency.SUBSCRIBE_S, self._open, track)
        return track

    def _announce(self, track: Track) -> None:
        for other in track.member.room.others(track.member):
            if other.client is not None:
                self.tell(other, latency.NEWS_S, other.client.track_published, track)
                self.tell(other, latency.SUBSCRIBE_S, other.client.track_opened, track)

    def _open(self, track: Track) -> None:
        if track.live:
            track.open = True
            self._heard_once(track)
            self.sounds(track)

    def _heard_once(self, track: Track) -> None:
        """Tell a publisher of its first subscriber."""
        if track.heard_once or not track.open or not track.live:
            return
        if any(other.hears for other in track.member.room.others(track.member)):
            track.heard_once = True
            if track.member.client is not None:
                self.tell(track.member, latency.NEWS_S, track.member.client.own_track_heard, track)

    def unpublish(self, track: Track) -> None:
        """Take a track away."""
        if not track.live:
            return
        member = track.member
        member.tracks.pop(track.sid, None)
        self._silence(track)
        for other in member.room.others(member):
            if other.client is not None:
                self.tell(other, latency.NEWS_S, other.client.track_closed, track)
        self._refresh(member.room)

    def mute(self, track: Track, muted: bool) -> None:
        """Mute or unmute a track."""
        if track.muted == muted or not track.live:
            return
        track.muted = muted
        for each in tuple(track.member.room.members.values()):
            if each.client is not None:
                self.tell(each, latency.NEWS_S, each.client.track_muted, track, muted)
        self.sounds(track)

    def set_tag(self, track: Track, tag: str) -> None:
        """Let a track carry another sound from now on."""
        if track.tag != tag:
            track.tag = tag
            if track.live:
                self.sounds(track)

    def sounds(self, track: Track) -> None:
        """The sound of a track has changed."""
        for tap in tuple(track.taps):
            tap()
        self._refresh(track.member.room)

    def _silence(self, track: Track) -> None:
        # No last frame either: a stream on an unpublished track just stops (integration 6).
        track.live = False
        for tap in tuple(track.taps):
            tap()

    def _refresh(self, room: ServerRoom) -> None:
        for member in room.members.values():
            self._refresh_one(member)

    def _refresh_one(self, member: Member) -> None:
        if member.ear is not None:
            self.ears.hear(member.ear, member.identity, member.mix(), self.now_s)

    def refresh(self, member: Member) -> None:
        """What a member may hear has changed."""
        self._refresh_one(member)

    # What a test asks.

    def member(self, room: str, identity: str) -> Member | None:
        """A participant of a room, or None."""
        there = self.rooms.get(room)
        return there.members.get(identity) if there is not None else None

    def heard(self, listener: str) -> tuple[Heard, ...]:
        """What a listener, such as ``"caller"``, has heard, by time."""
        return self.ears.heard(listener, self.now_s)

    def keep(self) -> None:
        """What exists now is the application's own and never counts as left behind."""
        self.ledger.keep(self.rooms.values())

    def left(self) -> Left:
        """What is left behind beyond what the application had before."""
        return self.ledger.left(self.rooms.values())
